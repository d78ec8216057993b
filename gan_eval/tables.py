"""The tables' schemas: the only place that names columns, dtypes, units and meanings.

`docs/tables.md` is made from here (`python -m gan_eval.tables`). Reading and writing the tables is in
`gan_eval.tabular`; this module needs nothing beyond the standard library.
"""

from gan_eval.schema import Column, Table, boolean, instant, integer, milliseconds, number, reference, text

KINDS = ("real", "fake")
PHASES = ("practice", "main", "catch")
RESPONSES = ("real", "fake", "none")
STATUSES = ("open", "complete", "aborted")
PLATEAU_VERDICTS = ("plateau", "still_improving", "never_improved", "too_few")
SCOPES = ("all", "participant", "stimulus", "model", "dataset", "exposure", "block")

_FRACTION = number(
    "fraction", "share of the planned training steps that the models behind this row were given", optional=True
)
_SIMULATED = boolean("simulated", "the answers come from a simulated participant, not from a person", optional=True)
_NOTE = text("note", "what a reader must know about this row", optional=True)

_STIMULUS = text("stimulus", "`dataset/real/stem` or `dataset/model/stem`", filled=True)
_ITEM = text("item", "`dataset/stem`: the source picture shared by its real and generated versions")
_KIND = text("kind", "the truth: ground truth or a model's output", words=KINDS)
_MODEL = text("model", "the generator's name; empty for a real picture")
_DATASET = text("dataset", "the data set's name")
_SESSION = text("session", "one participant sitting once (UUIDv7)", filled=True)
_PARTICIPANT = text("participant", "a pseudonym, never a name", filled=True)

STIMULI = Table(
    "stimuli",
    "The pictures that can be shown. Files are relative to the table and stay below it.",
    (
        _STIMULUS,
        text("item", _ITEM.meaning, filled=True),
        text("kind", _KIND.meaning, words=KINDS, filled=True),
        _MODEL,
        text("dataset", _DATASET.meaning, filled=True),
        text("split", "the part of the data set: train, val, test"),
        text("file", "the picture", filled=True),
        text("input_file", "the label picture that the generator was given"),
        text("reference_file", "the ground truth of a generated picture"),
        integer("width", "width of the picture", unit="pixel"),
        integer("height", "height of the picture", unit="pixel"),
        text("sha256", "SHA-256 of the picture's file"),
        text("mask_kind", "inpainting: how the hole was made"),
        number("mask_area", "inpainting: share of the picture that is hole", unit="0..1"),
        text("mask_file", "inpainting: the mask picture, white is hole"),
        _FRACTION,
    ),
    key=("stimulus",),
)

SESSIONS = Table(
    "sessions",
    "One row for each participant sitting once.",
    (
        _SESSION,
        text("study", "name of the study"),
        text("design_hash", "SHA-256 over stimuli, quiz and exclusions of the study at the session's start"),
        _PARTICIPANT,
        text("protocol", "how stimuli are shown and judged", filled=True),
        integer("list", "number of the dealt list of stimuli"),
        integer("seed", "seed from which the list was dealt"),
        text("status", "open: may be continued; complete; aborted", words=STATUSES, filled=True),
        boolean("simulated", _SIMULATED.meaning, filled=True),
        instant("started_at", "start of the session"),
        instant("ended_at", "end of the session"),
        text("software", "program and version"),
        text("platform", "operating system and version"),
        text("presenter", "what put the pictures on the screen"),
        integer("screen_width", "width of the screen", unit="physical pixel"),
        integer("screen_height", "height of the screen", unit="physical pixel"),
        number("device_pixel_ratio", "physical pixels for one logical pixel"),
        number("refresh_hz", "refresh rate that the platform states", unit="Hz"),
        _FRACTION,
    ),
    key=("session",),
)

PLANS = Table(
    "plans",
    "The dealt draw of a session, stored before its first trial.",
    (
        _SESSION,
        integer("block", "number of the block within the session, from 1", filled=True),
        integer("trial", "number of the trial within the session, from 1", filled=True),
        text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        _STIMULUS,
        text("stimulus_b", "the second picture of a pair"),
        text("position", "where or when the first picture of a pair is shown"),
        _ITEM,
        _KIND,
        _MODEL,
        _DATASET,
        milliseconds("requested_exposure_ms", "exposure asked for; empty: until the answer"),
        text("sha256", "SHA-256 of the stimulus at the time of the draw"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("session", "trial"),
)

TRIALS = Table(
    "trials",
    "One stimulus (or pair) shown and judged once. Fake is the signal: a fake called fake is a hit.",
    (
        _SESSION,
        text("study", "name of the study"),
        _PARTICIPANT,
        text("protocol", "how stimuli are shown and judged"),
        integer("block", "number of the block within the session, from 1"),
        integer("trial", "number of the trial within the session, from 1", filled=True),
        text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        _STIMULUS,
        text("stimulus_b", "the second picture of a pair"),
        text("position", "where or when the first picture of a pair was shown"),
        _ITEM,
        _KIND,
        _MODEL,
        _DATASET,
        milliseconds("requested_exposure_ms", "exposure asked for; empty: until the answer"),
        milliseconds("planned_exposure_ms", "exposure rounded to whole frames where vsync was measured"),
        milliseconds("exposure_ms", "offset minus onset as presented"),
        milliseconds(
            "onset_ms", "onset as presented, on the monotonic clock; comparable until the computer is started again"
        ),
        text("response", "the judgement; none: no answer in time; empty for pairs", words=RESPONSES),
        text("choice", "for pairs: the picture chosen", words=("a", "b", "none")),
        number("rating", "for ratings: the grade"),
        boolean("correct", "the answer agrees with the truth; empty where there is no answer or no truth"),
        milliseconds("reaction_time_ms", "key press minus onset; empty without an answer"),
        number("confidence", "the participant's confidence in the answer"),
        text(
            "flags",
            "what went wrong, words separated by spaces: late (exposure more than 5 ms off), early_key (under 100 ms), "
            "blank_key (before the onset), held_key, focus_lost, handler_time (no time stamp from the display server), "
            "paused, interrupted, resumed",
        ),
        instant("answered_at", "when the answer was given or the response window closed"),
        boolean("simulated", _SIMULATED.meaning, filled=True),
        _FRACTION,
    ),
    key=("session", "trial"),
)

CONSENTS = Table(
    "consents",
    "Who agreed to which text.",
    (
        _SESSION,
        _PARTICIPANT,
        text("version", "version of the consent text"),
        text("text", "the text as shown"),
        boolean("given", "the participant agreed", filled=True),
        instant("answered_at", "when"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("session",),
)

CHECKS = Table(
    "checks",
    "The timing self-test of a session's screen.",
    (
        _SESSION,
        text("check", "what was measured", filled=True),
        number("value", "the measured value"),
        text("unit", "its unit"),
        text("verdict", "ok, warning, failed", words=("ok", "warning", "failed")),
        instant("measured_at", "when"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("session", "check"),
)

PARTICIPANTS = Table(
    "participants",
    "Answers to the study's own questions.",
    (
        _SESSION,
        _PARTICIPANT,
        text("question", "identifier of the question", filled=True),
        text("answer", "the answer"),
        instant("answered_at", "when"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("session", "question"),
)

IMAGE_METRICS = Table(
    "image_metrics",
    "One number for one stimulus. Pair metrics have one row, on the fake, and, without a value, one on a real picture "
    "that nothing was generated for; no-reference metrics rows for both.",
    (
        _STIMULUS,
        _ITEM,
        _KIND,
        _MODEL,
        _DATASET,
        text("metric", "name of the metric: psnr, ssim, niqe, ...", filled=True),
        number("value", "the metric's value; `inf` where it is infinite"),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it"),
        _FRACTION,
    ),
    key=("stimulus", "metric"),
)

SET_METRICS = Table(
    "set_metrics",
    "One number for one set of stimuli.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", _DATASET.meaning, filled=True),
        text("metric", "name of the metric: fid, kid, ...", filled=True),
        number("value", "the metric's value"),
        number("ci_low", "lower end of its 95 % interval"),
        number("ci_high", "upper end of its 95 % interval"),
        integer("n_real", "number of real pictures", filled=True),
        integer("n_fake", "number of generated pictures", filled=True),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it"),
        _NOTE,
        _FRACTION,
    ),
    key=("model", "dataset", "metric"),
)

METRIC_COMPARISONS = Table(
    "metric_comparisons",
    "Two models beside each other on the same items of one data set.",
    (
        text("dataset", _DATASET.meaning, filled=True),
        text("metric", "name of the metric", filled=True),
        text("a", "the one model", filled=True),
        text("b", "the other", filled=True),
        integer("n", "items that both have a value for", filled=True),
        number("difference", "value of a less that of b; for a picture's metric the mean over the items"),
        number("ci_low", "lower end of its 95 % interval"),
        number("ci_high", "upper end of its 95 % interval"),
        text("better", "the model that the interval says is better; empty where it holds 0 or is unknown"),
        text("reason", "why a difference is missing"),
        text("run", "the row of `runs` that computed it"),
        _NOTE,
        _FRACTION,
    ),
    key=("dataset", "metric", "a", "b"),
)

BESIDE = Table(
    "beside",
    "Values that other programs gave for the same sets, to be shown beside ours.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", _DATASET.meaning, filled=True),
        text("metric", "name of the metric that it is put beside", filled=True),
        number("value", "the other program's value; of a picture's metric the mean over the set"),
        text("source", "the program and its version, or the paper", filled=True),
        _NOTE,
    ),
    key=("model", "dataset", "metric", "source"),
)

TRAINING_LOG = Table(
    "training_log",
    "Loss terms and other numbers of a training run, in long form.",
    (
        integer("step", "optimizer steps done", filled=True),
        integer("epoch", "passes over the data begun, from 1"),
        integer("images", "training pairs seen"),
        text("term", "g_adversarial, g_l1, d_real, d_fake, g_gradient_norm, ...", filled=True),
        number("value", "mean of the term over the steps since the previous row"),
        number("seconds", "time since the start of the run, pauses left out", unit="s"),
        _FRACTION,
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
        text("metric", "its fixed name, or `diversity`", filled=True),
        number("value", "mean over the pictures, or the value of the set; missing with a reason"),
        number("sd", "standard deviation over the pictures; empty for the value of a set"),
        integer("n", "generated pictures measured"),
        text("split", "where the pictures come from"),
        text("reason", "why a value is missing"),
        _FRACTION,
    ),
    key=("step", "mode", "metric"),
)

PLATEAUS = Table(
    "plateaus",
    "The step after which a metric no longer improves in training; how: `gan_eval/stats/plateau.py`.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", _DATASET.meaning),
        text("metric", "name of the metric", filled=True),
        text("mode", "train or eval, as in `validation`", filled=True),
        integer("plateau_step", "the step after which it no longer improves; empty unless the verdict is plateau"),
        integer("ci_low", "lower end of its 95 % interval; where it still improves: it does so at least up to here"),
        integer("ci_high", "upper end of its 95 % interval; empty where it still improves"),
        text("verdict", "what the curve says", words=PLATEAU_VERDICTS, filled=True),
        number("level", "the metric's fitted value on the plateau, or at the last step"),
        text("scale", "in what the improvement is linear: step or log(step)", words=("linear", "log")),
        integer("n", "measurements used", filled=True),
        _NOTE,
        _FRACTION,
    ),
    key=("model", "metric", "mode"),
)

TRAINING_WARNINGS = Table(
    "training_warnings",
    "What went wrong in a training run while it went on.",
    (
        integer("step", "optimizer steps done", filled=True),
        text("warning", "discriminator_overpowers or diversity_lost", filled=True),
        text("detail", "the numbers that show it", filled=True),
        _FRACTION,
    ),
    key=("step", "warning"),
)

RUNS = Table(
    "runs",
    "What was computed by which program from which input.",
    (
        text("run", "identifier that other tables point to", filled=True),
        text("command", "the command or function", filled=True),
        Column("settings", "json", "its canonical settings"),
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
        _FRACTION,
    ),
    key=("run",),
)

RATES = Table(
    "rates",
    "Accuracy and signal detection by group. Unanswered, practice and catch trials are in no rate.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, stimulus, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        integer("hits", "fakes called fake", filled=True),
        integer("misses", "fakes called real", filled=True),
        integer("false_alarms", "reals called fake", filled=True),
        integer("correct_rejections", "reals called real", filled=True),
        number("accuracy", "share of answered trials that are correct", unit="0..1"),
        number("accuracy_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        number("accuracy_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        number("accuracy_p", "exact two-sided binomial test against 1/2"),
        number("real_correct", "share of reals called real", unit="0..1"),
        number("real_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        number("real_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        number("fake_correct", "share of fakes called fake; the fooling rate is 1 minus this", unit="0..1"),
        number("fake_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        number("fake_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        number("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        number("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        _SIMULATED,
        _NOTE,
        _FRACTION,
    ),
    key=("scope", "id"),
)

REACTION_TIMES = Table(
    "reaction_times",
    "Reaction times of answered trials by group.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        integer("n", "number of answered trials with a reaction time", filled=True),
        milliseconds("median_ms", "median"),
        milliseconds("q25_ms", "lower quartile"),
        milliseconds("q75_ms", "upper quartile"),
        milliseconds("geometric_mean_ms", "exp of the mean log reaction time"),
        _SIMULATED,
        _NOTE,
        _FRACTION,
    ),
    key=("scope", "id", "kind", "answers"),
)

MIXED_MODELS = Table(
    "mixed_models",
    "Mixed models of single answers with crossed random intercepts for participants and stimuli.",
    (
        text("formula", "the model", filled=True),
        text("link", "logit or probit", words=("logit", "probit"), filled=True),
        text("term", "the fixed effect", filled=True),
        number("estimate", "its estimate on the link's scale"),
        number("std_error", "its standard error"),
        number("z", "estimate / standard error"),
        number("p", "two-sided Wald test"),
        number("ci_low", "lower end of its Wald 95 % interval"),
        number("ci_high", "upper end of its Wald 95 % interval"),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number("log_likelihood", "Laplace approximation"),
        integer("n_trials", "answered trials"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "a variance is estimated at zero"),
        Column("note", "text", "what a reader must know; why there is no estimate"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("formula", "link", "term"),
)

COMPARISONS = Table(
    "comparisons",
    "Model against model, group against group.",
    (
        text("comparison", "what is compared", filled=True),
        text("a", "first group", filled=True),
        text("b", "second group", filled=True),
        text("measure", "the number that is compared", filled=True),
        number("difference", "a - b"),
        number("ci_low", "lower end of its 95 % interval"),
        number("ci_high", "upper end of its 95 % interval"),
        number("p", "two-sided"),
        number("p_holm", "after Holm's correction over the table's comparisons of one kind"),
        number("margin", "equivalence margin fixed by the study"),
        text("verdict", "what the interval says", words=("different", "equivalent", "undecided")),
        integer("n_a", "trials of a"),
        integer("n_b", "trials of b"),
        boolean("exploratory", "not in the study's plan"),
        Column("note", "text", "what a reader must know"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("comparison", "a", "b", "measure"),
)

CORRELATIONS = Table(
    "correlations",
    "Agreement of a metric with people.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        _DATASET,
        text("metric", "name of the metric", filled=True),
        text("measure", "what people did: fooling_rate, ...", filled=True),
        integer("n", "stimuli or models", filled=True),
        number("spearman", "rank correlation"),
        number("ci_low", "lower end of its 95 % interval"),
        number("ci_high", "upper end of its 95 % interval"),
        number("kendall", "tau-b"),
        number("pearson", "linear correlation"),
        number("p", "two-sided test of spearman against 0"),
        number("ceiling", "reliability ceiling of the human scores"),
        Column("note", "text", "what a reader must know"),
        _SIMULATED,
        _FRACTION,
    ),
    key=("level", "dataset", "metric", "measure"),
)

PUBLISHED_QUIZ = Table(
    "published_quiz",
    "Published real-vs-fake judgements, from the literature.",
    (
        text("study", "name of the study", filled=True),
        text("source", "where it was published", filled=True),
        text("dataset", _DATASET.meaning, filled=True),
        text("group", "truth of the pictures", words=KINDS, filled=True),
        integer("trials", "number of judgements", filled=True),
        number("percent_correct", "share of correct judgements", unit="%", filled=True),
        _NOTE,
    ),
    key=("study", "dataset", "group"),
)

PAIRS = Table(
    "pairs",
    "The pictures of a data set in the A|B layout, as `data check` found them.",
    (
        text("split", "the part of the data set: train, val, test", filled=True),
        text("file", "the picture, relative to the data set's folder", filled=True),
        integer("width", "width of the whole picture, both halves", unit="pixel"),
        integer("height", "height of the picture", unit="pixel"),
        number("flat_a", "share of neighbouring pixels of A with nearly the same grey level", unit="0..1"),
        number("flat_b", "the same share of B; the drawn half (labels, map, edges) has the larger one", unit="0..1"),
        text("pixels_a", "hash of A's decoded pixels: equal in equal pictures"),
        text("pixels_b", "hash of B's decoded pixels"),
        text("reason", "why the picture cannot be used"),
    ),
    key=("file",),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        STIMULI, SESSIONS, PLANS, TRIALS, CONSENTS, CHECKS, PARTICIPANTS, IMAGE_METRICS, SET_METRICS,
        METRIC_COMPARISONS, BESIDE, TRAINING_LOG, VALIDATION, TRAINING_WARNINGS, PLATEAUS, RUNS, RATES,
        REACTION_TIMES, MIXED_MODELS, COMPARISONS, CORRELATIONS, PUBLISHED_QUIZ, PAIRS,
    )
}  # fmt: skip
"""Every table of the project by its name."""


if __name__ == "__main__":
    print(reference(TABLES.values()), end="")
