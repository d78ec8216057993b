"""The tables that are no results of statistics: pictures, sessions, answers, measurements, tables of others."""

from typing import Final

from gan_eval.tables.schema import (
    DATASET,
    FRACTION,
    ITEM,
    KIND,
    KINDS,
    MODEL,
    NOTE,
    PARTICIPANT,
    PHASES,
    PLATEAU_VERDICTS,
    PROVENANCE,
    RESPONSES,
    SEEN,
    SESSION,
    SHARE,
    SIMULATED,
    STATUSES,
    STIMULUS,
    STYLE_NETWORK,
    Column,
    Table,
    boolean,
    instant,
    integer,
    interval_columns,
    milliseconds,
    name_text,
    number,
    text,
)

MAX_SIDE = 1e9
"""Maximum side of a picture in pixels."""

STIMULI = Table(
    "stimuli",
    "The pictures that can be shown. Files are relative to the table and stay below it.",
    (
        STIMULUS,
        name_text("item", ITEM.meaning, filled=True),
        text("kind", KIND.meaning, words=KINDS, filled=True),
        MODEL,
        name_text("dataset", DATASET.meaning, filled=True),
        name_text("split", "the part of the data set: train, val, test"),
        name_text("file", "the picture", filled=True),
        name_text("input_file", "the label picture that the generator was given"),
        name_text("reference_file", "the ground truth of a generated picture"),
        integer("width", "width of the picture", unit="pixel", least=1, most=MAX_SIDE),
        integer("height", "height of the picture", unit="pixel", least=1, most=MAX_SIDE),
        text("sha256", "SHA-256 of the picture's file: 64 lower-case hexadecimal digits; never empty"),
        text("caption", "the prompt or another text that belongs to the picture", optional=True),
        text("mask_kind", "inpainting: how the hole was made"),
        number("mask_area", "inpainting: share of the picture that is hole", unit=SHARE, least=0, most=1),
        name_text("mask_file", "inpainting: the mask picture, white is hole"),
        *(
            text(f"{name}_sha256", f"SHA-256 of `{name}_file`; empty: that file is not checked", optional=True)
            for name in ("input", "reference", "mask")
        ),
        STYLE_NETWORK,
        SEEN,
        FRACTION,
    ),
    key=("stimulus",),
)

SESSIONS = Table(
    "sessions",
    "One row for each sitting of a participant.",
    (
        SESSION,
        name_text("study", "name of the study"),
        text("design_hash", "SHA-256 over stimuli, quiz and exclusions of the study at the session's start"),
        PARTICIPANT,
        text("protocol", "how stimuli are shown and judged", filled=True),
        integer("list", "number of the dealt list of stimuli"),
        integer("seed", "seed from which the list was dealt"),
        text("status", "open: may be continued; complete; aborted", words=STATUSES, filled=True),
        boolean("simulated", SIMULATED.meaning, filled=True),
        instant("started_at", "start of the session"),
        instant("ended_at", "end of the session"),
        text("software", "program and version"),
        text("platform", "operating system and version; in a browser the name and version that it reports"),
        text(
            "window_system",
            "what shows the desktop's window, as Qt names it: xcb (X11), wayland, windows, cocoa, offscreen; xwayland: "
            "X11 within Wayland; empty: a browser, simulated, or not known",
            optional=True,
        ),
        text("presenter", "the kind of window that showed the pictures, or browser, or simulated"),
        integer("screen_width", "width of the screen", unit="physical pixel"),
        integer("screen_height", "height of the screen", unit="physical pixel"),
        number("device_pixel_ratio", "physical pixels for one logical pixel"),
        number("refresh_hz", "refresh rate as measured by the self-test, else as the platform states it", unit="Hz"),
        boolean("rounded", "exposures were rounded to whole frames, on a screen where vsync was measured"),
        text("keys", "the key of each answer, such as real=j,fake=f"),
        name_text("station", "the computer's name in the lab, as its owner gave it"),
        text("language", "language of the program's words"),
        integer("text_size", "size of the texts", unit="%"),
        number(
            "pixels_per_mm",
            "physical pixels in a millimetre of the screen: by the participant's bank card, else from the screen's "
            "width in centimetres; empty: not known",
        ),
        number(
            "viewing_distance_mm",
            "from the eyes to the screen: as measured by the participant, else as given; empty: not known",
            unit="mm",
        ),
        integer(
            "picture_width_px",
            "width of every picture on the screen; empty: pictures at their own pixels and of several widths, or "
            "nothing was shown (simulated)",
            unit="physical pixel",
            optional=True,
        ),
        number(
            "picture_width_deg",
            "the same as visual angle; empty: the viewing distance or the screen's size is not known",
            unit="degree",
            optional=True,
        ),
        number(
            "pixels_per_degree",
            "physical pixels in a degree of visual angle in the middle of the screen; empty as `picture_width_deg`",
            unit="physical pixel",
            optional=True,
        ),
        FRACTION,
    ),
    key=("session",),
)

PLANS = Table(
    "plans",
    "The dealt draw of a session, stored before its first trial.",
    (
        SESSION,
        integer("block", "number of the block within the session, from 1", filled=True),
        integer("trial", "number of the trial within the session, from 1", filled=True),
        text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        STIMULUS,
        name_text("stimulus_b", "the second picture of a pair"),
        text("position", "where or when the first picture of a pair is shown"),
        ITEM,
        KIND,
        MODEL,
        DATASET,
        milliseconds("requested_exposure_ms", "requested exposure; empty: until the answer"),
        text("sha256", "SHA-256 of the stimulus at the time of the draw"),
        text("sha256_b", "the same of the second picture of a pair"),
        SIMULATED,
        FRACTION,
    ),
    key=("session", "trial"),
)

ONSETS = Table(
    "onsets",
    "One row for each onset, stored while the picture is shown; after a crash it proves that the picture was seen.",
    (
        SESSION,
        integer("trial", "number of the trial within the session, from 1", filled=True),
        milliseconds("requested_exposure_ms", "requested exposure; empty: until the answer"),
        milliseconds("onset_ms", "onset as presented, on the monotonic clock"),
        instant("shown_at", "time of the onset"),
        SIMULATED,
        FRACTION,
    ),
    key=("session", "trial"),
)

LATE_MS: Final = 5.0
"""Deviation in ms from which an exposure, or the gap of a pair, is late."""
LATE_SHARE: Final = 0.01
"""The same as a share of exposures in whole frames, if this is longer: a refresh rate is measured with an error."""
LATE_FRAMES: Final = 0.75
"""Limit of this share in frames: such an error moves an exposure by half a frame at most, a late change by one."""

TRIALS = Table(
    "trials",
    "One stimulus (or pair) shown and judged once. Fake is the signal: a fake called fake is a hit.",
    (
        SESSION,
        name_text("study", "name of the study"),
        PARTICIPANT,
        text("protocol", "how stimuli are shown and judged"),
        integer("block", "number of the block within the session, from 1"),
        integer("trial", "number of the trial within the session, from 1", filled=True),
        text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        STIMULUS,
        name_text("stimulus_b", "the second picture of a pair"),
        text("position", "where or when the first picture of a pair was shown"),
        ITEM,
        KIND,
        name_text("model", f"{MODEL.meaning}; model_vs_model: A|B, the models of `stimulus` and of `stimulus_b`"),
        DATASET,
        milliseconds(
            "requested_exposure_ms",
            "requested exposure; `inf`: until the answer; empty: until the answer if exposure_ms shows that the "
            "picture stayed, else unknown",
            infinite=True,
        ),
        milliseconds("planned_exposure_ms", "requested exposure in whole frames, where vsync was measured"),
        milliseconds("exposure_ms", "achieved exposure: offset minus onset as presented"),
        milliseconds(
            "onset_ms", "onset as presented, on the monotonic clock; comparable until the computer is started again"
        ),
        milliseconds("second_onset_ms", "two pictures one after the other: onset of the second"),
        milliseconds("second_exposure_ms", "two pictures one after the other: achieved exposure of the second"),
        text("response", "the judgement; none: no answer in time; empty for pairs", words=RESPONSES),
        text("choice", "for pairs: the picture chosen", words=("a", "b", "none")),
        number("rating", "for ratings: the grade; not counted with a response"),
        boolean("correct", "the answer agrees with the truth; empty without answer or truth"),
        milliseconds("reaction_time_ms", "key press minus (the last) onset; empty without an answer"),
        number("confidence", "the participant's confidence in the answer"),
        text(
            "flags",
            "what went wrong, words separated by spaces: late (an exposure, or the gap of a pair, is off by more than "
            f"{LATE_MS:g} ms; if it was planned in whole frames, by more than {LATE_SHARE:.0%} of its length or "
            f"{LATE_FRAMES:g} frames, whichever is shorter, where this is longer than {LATE_MS:g} ms), "
            "early_key (under 100 ms), blank_key (before the onset), held_key, focus_lost, screen_changed, "
            "handler_time (no time stamp from the display server), paused, interrupted, killed (the program ended "
            "without warning while the picture was shown), resumed; in a browser also hidden_tab, missed_frames, "
            "coarse_clock (its times come in steps of 5 ms or more), "
            "clock_unlikely (the page reports more time than has passed, or a clock was changed)",
        ),
        milliseconds("frame_ms", "in a browser: mean interval between frames during the trial", optional=True),
        integer("missed_frames", "in a browser: frames dropped from the first onset to the last offset", optional=True),
        instant("answered_at", "when the answer was given or the response window closed"),
        boolean("simulated", SIMULATED.meaning, filled=True),
        FRACTION,
    ),
    key=("session", "trial"),
)

MARKS = Table(
    "marks",
    "Where a participant saw that a picture is fake: a row for each mark, made after the answer on the picture shown "
    "again; a trial with *nothing in particular* has one row without mark, x and y. No row: not asked or not answered. "
    "Practice and catch trials have marks too: join `trials` for the phase.",
    (
        SESSION,
        name_text("study", "name of the study"),
        PARTICIPANT,
        integer("trial", "number of the trial within the session, from 1", filled=True),
        name_text("stimulus", "the marked picture; of a pair the one that was called fake", filled=True),
        ITEM,
        text("kind", "the truth about the marked picture", words=KINDS),
        name_text("model", "the marked picture's generator; empty for a real picture"),
        DATASET,
        integer("mark", "number of the mark in the trial, from 1; empty: nothing in particular", least=1),
        number("x", "place of the mark, from the picture's left edge to its right one", unit=SHARE, least=0, most=1),
        number("y", "place of the mark, from the picture's top edge to its bottom one", unit=SHARE, least=0, most=1),
        milliseconds("marked_at_ms", "time of the mark, or of the button, since the picture was shown again"),
        boolean("simulated", SIMULATED.meaning, filled=True),
        FRACTION,
    ),
    key=("session", "trial", "mark"),
)

CONSENTS = Table(
    "consents",
    "The consent of each participant, with its text.",
    (
        SESSION,
        PARTICIPANT,
        text("version", "version of the consent text"),
        text("text", "the text as shown"),
        boolean("given", "the participant agreed", filled=True),
        instant("answered_at", "time of the answer"),
        SIMULATED,
        FRACTION,
    ),
    key=("session",),
)

CHECKS = Table(
    "checks",
    "The timing self-test of a session's screen; in a browser also the answers to the questions on the instructions.",
    (
        SESSION,
        text("check", "what was measured", filled=True),
        number("value", "the measured value"),
        text("unit", "its unit"),
        text("verdict", "ok, warning, failed", words=("ok", "warning", "failed")),
        instant("measured_at", "time of the measurement"),
        SIMULATED,
        FRACTION,
    ),
    key=("session", "check"),
)

PARTICIPANTS = Table(
    "participants",
    "Answers to the study's own questions.",
    (
        SESSION,
        PARTICIPANT,
        text("question", "identifier of the question", filled=True),
        text("answer", "the answer"),
        instant("answered_at", "time of the answer"),
        SIMULATED,
        FRACTION,
    ),
    key=("session", "question"),
)

PARTICIPATION = Table(
    "participation",
    "One row for each participant: sessions, answers, and exclusions by rules.",
    (
        PARTICIPANT,
        integer("sessions", "sessions begun", filled=True),
        text("status", "of the last session", words=("open", "complete", "aborted")),
        integer("n_trials", "main trials shown", filled=True),
        integer("n_answered", "main trials answered", filled=True),
        integer("n_catch", "catch trials answered", filled=True),
        number("catch_accuracy", "share of them that are correct", unit=SHARE),
        number("accuracy", "share of answered main trials that are correct", unit=SHARE),
        number("same_answer_share", "share of the answer given most often", unit=SHARE),
        milliseconds("median_reaction_time_ms", "over answered main trials with a possible time"),
        number("flagged_share", "share of main trials with a flag", unit=SHARE),
        integer("n_excluded", "main trials excluded; all, if the participant is excluded", filled=True),
        boolean("excluded", "the participant is excluded by a rule", filled=True),
        text(
            "counted",
            "yes: the participant's answers count in the results; else the reason: unfinished: no session was "
            "finished; silent: no main trial was answered; excluded: by rules",
            words=("yes", "unfinished", "silent", "excluded"),
            optional=True,
        ),
        text("rule", "the rules that excluded the participant or trials"),
        text(
            "standing",
            "exploratory: a rule beyond the plan leaves out the participant, or trials, that no preset rule does; "
            "preset: only preset rules leave anything out; empty: nothing is left out, or there was no plan",
            words=("preset", "exploratory"),
            optional=True,
        ),
        *PROVENANCE,
    ),
    key=("participant",),
)

STORED_TABLES = (SESSIONS, PLANS, ONSETS, TRIALS, MARKS, CONSENTS, CHECKS, PARTICIPANTS)
"""The tables that a results store holds."""

IMAGE_METRICS = Table(
    "image_metrics",
    "One value of one stimulus. Pair metrics and metrics of a generator's input have a row for each fake, and a row "
    "without a value for a real picture without a fake; no-reference metrics have rows for both.",
    (
        STIMULUS,
        ITEM,
        KIND,
        MODEL,
        DATASET,
        text("metric", "name of the metric: psnr, ssim, niqe, ...", filled=True),
        number("value", "the metric's value; `inf` where it is infinite"),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it; `file NAME`: from a file of another program"),
        text("sha256", "SHA-256 of the picture's file that was measured; empty: it could not be read", optional=True),
        SEEN,
        FRACTION,
    ),
    key=("stimulus", "metric"),
)

SET_METRICS = Table(
    "set_metrics",
    "One value of one set of stimuli.",
    (
        name_text("model", "the generator's name", filled=True),
        name_text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric: fid, kid, ...", filled=True),
        number("value", "the metric's value"),
        *interval_columns("ci"),
        integer("n_real", "number of real pictures; empty: unknown, of statistics in their place (`--reference`)"),
        integer("n_fake", "number of generated pictures", filled=True),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it"),
        NOTE,
        SEEN,
        FRACTION,
    ),
    key=("model", "dataset", "metric"),
)

METRIC_COMPARISONS = Table(
    "metric_comparisons",
    "Two models compared on the same items of one data set.",
    (
        name_text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric", filled=True),
        name_text("a", "the first model", filled=True),
        name_text("b", "the second model", filled=True),
        integer("n", "items with a value of both models", filled=True),
        number("difference", "value of a minus value of b; for metrics of single pictures the mean over the items"),
        *interval_columns("ci"),
        text("better", "the better model by the interval; empty: the interval contains 0 or is unknown"),
        text("reason", "why a difference is missing"),
        text("run", "the row of `runs` that computed it"),
        NOTE,
        FRACTION,
    ),
    key=("dataset", "metric", "a", "b"),
)

HOLE_METRICS = Table(
    "hole_metrics",
    "One value of the filled holes of one kind, or of one band of areas, and the real pictures of the same items.",
    (
        name_text("model", "the generator's name", filled=True),
        name_text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric: fid, p_ids@NAME, ...", filled=True),
        text("by", "how holes are grouped: by kind or by area", filled=True),
        text("hole", "the kind, or the band of areas in per cent", filled=True),
        number("value", "the metric's value"),
        integer("n_real", "number of real pictures", filled=True),
        integer("n_fake", "number of generated pictures", filled=True),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it"),
        NOTE,
        FRACTION,
    ),
    key=("model", "dataset", "metric", "by", "hole"),
)

TRAINING_LOG = Table(
    "training_log",
    "Loss terms and other numbers of a training run, in long form.",
    (
        integer("step", "optimizer steps done", filled=True),
        integer("epoch", "passes over the data begun, from 1"),
        integer("images", "training pairs seen"),
        text("term", "g_adversarial, g_l1, d_real, d_fake, g_gradient_norm, g_gradient_norm_max, ...", filled=True),
        number("value", "mean of the term over the steps since the previous row; of ..._max the largest"),
        number("seconds", "time since the start of the run, without pauses", unit="s"),
        STYLE_NETWORK,
        FRACTION,
    ),
    key=("step", "term"),
)

VALIDATION = Table(
    "validation",
    "Metrics of a generator on validation pictures while it is trained, in long form.",
    (
        integer("step", "optimizer steps done", filled=True),
        integer("epoch", "passes over the data begun, from 1; 0 before the first step"),
        text("mode", "train or eval: BatchNorm and dropout as in training, or as in evaluation", filled=True),
        text("metric", "name of the metric, or `diversity`", filled=True),
        number("value", "mean over the pictures, or the value of the set; missing with a reason"),
        number("sd", "standard deviation over the pictures; empty for the value of a set"),
        integer("n", "generated pictures measured"),
        text("split", "where the pictures come from"),
        text("reason", "why a value is missing"),
        STYLE_NETWORK,
        SEEN,
        FRACTION,
    ),
    key=("step", "mode", "metric"),
)

PLATEAUS = Table(
    "plateaus",
    "The step after which a metric no longer improves in training; how: `gan_eval/stats/tables/plateau.py`.",
    (
        name_text("model", "the generator's name", filled=True),
        name_text("dataset", DATASET.meaning),
        text("metric", "name of the metric", filled=True),
        text("mode", "train or eval, as in `validation`", filled=True),
        integer("plateau_step", "the step after which it no longer improves; empty unless the verdict is plateau"),
        integer("ci_low", "lower end of its 95% interval; where it still improves: it does so at least up to here"),
        integer("ci_high", "upper end of its 95% interval; empty where it still improves"),
        text("verdict", "the verdict on the curve", words=PLATEAU_VERDICTS, filled=True),
        number("level", "the metric's fitted value on the plateau, or at the last step"),
        text("scale", "the improvement is linear in step or in log(step)", words=("linear", "log")),
        integer("n", "measurements used", filled=True),
        NOTE,
        FRACTION,
    ),
    key=("model", "metric", "mode"),
)

RUNS = Table(
    "runs",
    "One row for each computation: program, settings, input.",
    (
        text("run", "identifier that other tables point to", filled=True),
        text("command", "the command or function", filled=True),
        Column("settings", "its canonical settings", "json"),
        text("settings_hash", "SHA-256 over the settings"),
        text("input_hash", "SHA-256 over the input files' hashes"),
        text("software", "versions of gan_eval and of the libraries that matter"),
        text("weights_sha256", "SHA-256 of the pretrained weights' file; of several: `name hash; name hash`"),
        text("resizer", "the rule by which pictures were resized for a network"),
        text("device", "cpu, cuda, ..."),
        integer("threads", "number of threads"),
        integer("seed", "seed of the random numbers"),
        instant("started_at", "start"),
        instant("ended_at", "end"),
        FRACTION,
    ),
    key=("run",),
)

PUBLISHED_QUIZ = Table(
    "published_quiz",
    "Published real-vs-fake judgements, from the literature.",
    (
        name_text("study", "name of the study", filled=True),
        text("source", "where it was published", filled=True),
        name_text("dataset", DATASET.meaning, filled=True),
        text("group", "truth of the pictures", words=KINDS, filled=True),
        integer("trials", "number of judgements", filled=True, least=1),
        number("percent_correct", "share of correct judgements", unit="%", filled=True, least=0, most=100),
        NOTE,
    ),
    key=("study", "dataset", "group"),
)

REJECTED = Table(
    "rejected",
    "Rows of another program's table that `gan-eval trials import` left out.",
    (
        integer("row", "number of the row, 1 is the first below the header", filled=True),
        text("column", "the column at fault; (whole row): another number of cells than the header", filled=True),
        text("found", "the text of the cell"),
        text("reason", "why the row was left out", filled=True),
        text("file", "the row's file", optional=True),
    ),
    key=("file", "row", "column", "reason"),
)

GIVEAWAYS = Table(
    "giveaways",
    "Differences between real and generated pictures other than their content, found by `gan-eval stimuli audit`.",
    (
        name_text("dataset", DATASET.meaning, filled=True),
        name_text("model", "the generator's name", filled=True),
        text("clue", "what is compared: format, size, brightness, ...", filled=True),
        text("sort", "where it is found: in the file, or in the pixels", words=("metadata", "picture"), filled=True),
        integer("n_real", "real pictures that have it", filled=True),
        integer("n_fake", "generated pictures that have it", filled=True),
        text("real", "real pictures: the value that separates most with its share, or the median"),
        text("fake", "the same in generated pictures"),
        number(
            "auc",
            "share of (real, fake) pairs in which the fake has the larger value; categories: docs/giveaways.md",
            unit=SHARE,
        ),
        *interval_columns("ci"),
        number("certain", "for a category: share of pictures with a value that only one class has", unit=SHARE),
        text("verdict", "the verdict by the interval", words=("ok", "look", "gives_away")),
        text("reason", "reason for a missing value"),
    ),
    key=("dataset", "model", "clue"),
)
