"""The tables' schemas: the only place that names columns, dtypes, units and meanings.

`docs/tables.md` is made from here (`python -m gan_eval.tables`). Reading and writing the tables is in
`gan_eval.tabular`; this module needs nothing beyond the standard library.
"""

from dataclasses import dataclass, field
from typing import Literal

Dtype = Literal["text", "int", "float", "bool", "instant", "json"]

KINDS = ("real", "fake")
PHASES = ("practice", "main", "catch")
RESPONSES = ("real", "fake", "none")
STATUSES = ("open", "complete", "aborted")
PLATEAU_VERDICTS = ("plateau", "still_improving", "never_improved", "too_few")
SCOPES = ("all", "participant", "stimulus", "model", "dataset", "exposure", "block")


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""
    words: tuple[str, ...] = ()
    """The allowed words of an enumeration; empty for free text."""
    filled: bool = False
    """Every row must hold a value."""
    optional: bool = False
    """The column may be absent from a file; it then reads as missing."""


@dataclass(frozen=True)
class Table:
    """One table: its columns in order and the columns whose values identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(self.by_name)


def _text(
    name: str, meaning: str, *, words: tuple[str, ...] = (), filled: bool = False, optional: bool = False
) -> Column:
    return Column(name, "text", meaning, words=words, filled=filled, optional=optional)


def _int(name: str, meaning: str, *, unit: str = "", filled: bool = False, optional: bool = False) -> Column:
    return Column(name, "int", meaning, unit=unit, filled=filled, optional=optional)


def _float(name: str, meaning: str, *, unit: str = "", filled: bool = False, optional: bool = False) -> Column:
    return Column(name, "float", meaning, unit=unit, filled=filled, optional=optional)


def _ms(name: str, meaning: str, *, optional: bool = False) -> Column:
    return _float(name, meaning, unit="ms", optional=optional)


def _bool(name: str, meaning: str, *, filled: bool = False, optional: bool = False) -> Column:
    return Column(name, "bool", meaning, filled=filled, optional=optional)


def _instant(name: str, meaning: str) -> Column:
    return Column(name, "instant", meaning, unit="UTC, ISO 8601")


_FRACTION = _float(
    "fraction", "share of the planned training steps that the models behind this row were given", optional=True
)
_SIMULATED = _bool("simulated", "the answers come from a simulated participant, not from a person", optional=True)
_NOTE = _text("note", "what a reader must know about this row", optional=True)

_STIMULUS = _text("stimulus", "`dataset/real/stem` or `dataset/model/stem`", filled=True)
_ITEM = _text("item", "`dataset/stem`: the source picture shared by its real and generated versions")
_KIND = _text("kind", "the truth: ground truth or a model's output", words=KINDS)
_MODEL = _text("model", "the generator's name; empty for a real picture")
_DATASET = _text("dataset", "the data set's name")
_SESSION = _text("session", "one participant sitting once (UUIDv7)", filled=True)
_PARTICIPANT = _text("participant", "a pseudonym, never a name", filled=True)

STIMULI = Table(
    "stimuli",
    "The pictures that can be shown. Files are relative to the table and stay below it.",
    (
        _STIMULUS,
        _text("item", _ITEM.meaning, filled=True),
        _text("kind", _KIND.meaning, words=KINDS, filled=True),
        _MODEL,
        _text("dataset", _DATASET.meaning, filled=True),
        _text("split", "the part of the data set: train, val, test"),
        _text("file", "the picture", filled=True),
        _text("input_file", "the label picture that the generator was given"),
        _text("reference_file", "the ground truth of a generated picture"),
        _int("width", "width of the picture", unit="pixel"),
        _int("height", "height of the picture", unit="pixel"),
        _text("sha256", "SHA-256 of the picture's file"),
        _text("mask_kind", "inpainting: how the hole was made"),
        _float("mask_area", "inpainting: share of the picture that is hole", unit="0..1"),
        _text("mask_file", "inpainting: the mask picture, white is hole"),
        _FRACTION,
    ),
    key=("stimulus",),
)

SESSIONS = Table(
    "sessions",
    "One row for each participant sitting once.",
    (
        _SESSION,
        _text("study", "name of the study"),
        _text("design_hash", "SHA-256 over stimuli, quiz and exclusions of the study at the session's start"),
        _PARTICIPANT,
        _text("protocol", "how stimuli are shown and judged", filled=True),
        _int("list", "number of the dealt list of stimuli"),
        _int("seed", "seed from which the list was dealt"),
        _text("status", "open: may be continued; complete; aborted", words=STATUSES, filled=True),
        _bool("simulated", _SIMULATED.meaning, filled=True),
        _instant("started_at", "start of the session"),
        _instant("ended_at", "end of the session"),
        _text("software", "program and version"),
        _text("platform", "operating system and version"),
        _text("presenter", "what put the pictures on the screen"),
        _int("screen_width", "width of the screen", unit="physical pixel"),
        _int("screen_height", "height of the screen", unit="physical pixel"),
        _float("device_pixel_ratio", "physical pixels for one logical pixel"),
        _float("refresh_hz", "refresh rate that the platform states", unit="Hz"),
        _FRACTION,
    ),
    key=("session",),
)

PLANS = Table(
    "plans",
    "The dealt draw of a session, stored before its first trial.",
    (
        _SESSION,
        _int("block", "number of the block within the session, from 1", filled=True),
        _int("trial", "number of the trial within the session, from 1", filled=True),
        _text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        _STIMULUS,
        _text("stimulus_b", "the second picture of a pair"),
        _text("position", "where or when the first picture of a pair is shown"),
        _ITEM,
        _KIND,
        _MODEL,
        _DATASET,
        _ms("requested_exposure_ms", "exposure asked for; empty: until the answer"),
        _text("sha256", "SHA-256 of the stimulus at the time of the draw"),
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
        _text("study", "name of the study"),
        _PARTICIPANT,
        _text("protocol", "how stimuli are shown and judged"),
        _int("block", "number of the block within the session, from 1"),
        _int("trial", "number of the trial within the session, from 1", filled=True),
        _text("phase", "practice and catch trials enter no rate", words=PHASES, filled=True),
        _STIMULUS,
        _text("stimulus_b", "the second picture of a pair"),
        _text("position", "where or when the first picture of a pair was shown"),
        _ITEM,
        _KIND,
        _MODEL,
        _DATASET,
        _ms("requested_exposure_ms", "exposure asked for; empty: until the answer"),
        _ms("planned_exposure_ms", "exposure rounded to whole frames where vsync was measured"),
        _ms("exposure_ms", "offset minus onset as presented"),
        _ms("onset_ms", "onset as presented, on the monotonic clock; comparable until the computer is started again"),
        _text("response", "the judgement; none: no answer in time; empty for pairs", words=RESPONSES),
        _text("choice", "for pairs: the picture chosen", words=("a", "b", "none")),
        _float("rating", "for ratings: the grade"),
        _bool("correct", "the answer agrees with the truth; empty where there is no answer or no truth"),
        _ms("reaction_time_ms", "key press minus onset; empty without an answer"),
        _float("confidence", "the participant's confidence in the answer"),
        _text(
            "flags",
            "what went wrong, words separated by spaces: late (exposure more than 5 ms off), early_key (under 100 ms), "
            "blank_key (before the onset), held_key, focus_lost, handler_time (no time stamp from the display server), "
            "paused, interrupted, resumed",
        ),
        _instant("answered_at", "when the answer was given or the response window closed"),
        _bool("simulated", _SIMULATED.meaning, filled=True),
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
        _text("version", "version of the consent text"),
        _text("text", "the text as shown"),
        _bool("given", "the participant agreed", filled=True),
        _instant("answered_at", "when"),
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
        _text("check", "what was measured", filled=True),
        _float("value", "the measured value"),
        _text("unit", "its unit"),
        _text("verdict", "ok, warning, failed", words=("ok", "warning", "failed")),
        _instant("measured_at", "when"),
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
        _text("question", "identifier of the question", filled=True),
        _text("answer", "the answer"),
        _instant("answered_at", "when"),
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
        _text("metric", "name of the metric: psnr, ssim, niqe, ...", filled=True),
        _float("value", "the metric's value; `inf` where it is infinite"),
        _text("reason", "why a value is missing"),
        _text("run", "the row of `runs` that computed it"),
        _FRACTION,
    ),
    key=("stimulus", "metric"),
)

SET_METRICS = Table(
    "set_metrics",
    "One number for one set of stimuli.",
    (
        _text("model", "the generator's name", filled=True),
        _text("dataset", _DATASET.meaning, filled=True),
        _text("metric", "name of the metric: fid, kid, ...", filled=True),
        _float("value", "the metric's value"),
        _float("ci_low", "lower end of its 95 % interval"),
        _float("ci_high", "upper end of its 95 % interval"),
        _int("n_real", "number of real pictures", filled=True),
        _int("n_fake", "number of generated pictures", filled=True),
        _text("reason", "why a value is missing"),
        _text("run", "the row of `runs` that computed it"),
        _NOTE,
        _FRACTION,
    ),
    key=("model", "dataset", "metric"),
)

METRIC_COMPARISONS = Table(
    "metric_comparisons",
    "Two models beside each other on the same items of one data set.",
    (
        _text("dataset", _DATASET.meaning, filled=True),
        _text("metric", "name of the metric", filled=True),
        _text("a", "the one model", filled=True),
        _text("b", "the other", filled=True),
        _int("n", "items that both have a value for", filled=True),
        _float("difference", "value of a less that of b; for a picture's metric the mean over the items"),
        _float("ci_low", "lower end of its 95 % interval"),
        _float("ci_high", "upper end of its 95 % interval"),
        _text("better", "the model that the interval says is better; empty where it holds 0 or is unknown"),
        _text("reason", "why a difference is missing"),
        _text("run", "the row of `runs` that computed it"),
        _NOTE,
        _FRACTION,
    ),
    key=("dataset", "metric", "a", "b"),
)

BESIDE = Table(
    "beside",
    "Values that other programs gave for the same sets, to be shown beside ours.",
    (
        _text("model", "the generator's name", filled=True),
        _text("dataset", _DATASET.meaning, filled=True),
        _text("metric", "name of the metric that it is put beside", filled=True),
        _float("value", "the other program's value; of a picture's metric the mean over the set"),
        _text("source", "the program and its version, or the paper", filled=True),
        _NOTE,
    ),
    key=("model", "dataset", "metric", "source"),
)

TRAINING_LOG = Table(
    "training_log",
    "Loss terms and other numbers of a training run, in long form.",
    (
        _int("step", "optimizer steps done", filled=True),
        _int("epoch", "passes over the data begun, from 1"),
        _int("images", "training pairs seen"),
        _text("term", "g_adversarial, g_l1, d_real, d_fake, g_gradient_norm, ...", filled=True),
        _float("value", "mean of the term over the steps since the previous row"),
        _float("seconds", "time since the start of the run, pauses left out", unit="s"),
        _FRACTION,
    ),
    key=("step", "term"),
)

VALIDATION = Table(
    "validation",
    "Metrics of a generator on validation pictures while it is trained, in long form.",
    (
        _int("step", "optimizer steps done", filled=True),
        _int("epoch", "passes over the data begun, from 1; 0 before the first step"),
        _text("mode", "train or eval: BatchNorm and dropout as in training, or as in evaluation", filled=True),
        _text("metric", "its fixed name, or `diversity`", filled=True),
        _float("value", "mean over the pictures, or the value of the set; missing with a reason"),
        _float("sd", "standard deviation over the pictures; empty for the value of a set"),
        _int("n", "generated pictures measured"),
        _text("split", "where the pictures come from"),
        _text("reason", "why a value is missing"),
        _FRACTION,
    ),
    key=("step", "mode", "metric"),
)

PLATEAUS = Table(
    "plateaus",
    "The step after which a metric no longer improves in training; how: `gan_eval/stats/plateau.py`.",
    (
        _text("model", "the generator's name", filled=True),
        _text("dataset", _DATASET.meaning),
        _text("metric", "name of the metric", filled=True),
        _text("mode", "train or eval, as in `validation`", filled=True),
        _int("plateau_step", "the step after which it no longer improves; empty unless the verdict is plateau"),
        _int("ci_low", "lower end of its 95 % interval; where it still improves: it does so at least up to here"),
        _int("ci_high", "upper end of its 95 % interval; empty where it still improves"),
        _text("verdict", "what the curve says", words=PLATEAU_VERDICTS, filled=True),
        _float("level", "the metric's fitted value on the plateau, or at the last step"),
        _text("scale", "in what the improvement is linear: step or log(step)", words=("linear", "log")),
        _int("n", "measurements used", filled=True),
        _NOTE,
        _FRACTION,
    ),
    key=("model", "metric", "mode"),
)

TRAINING_WARNINGS = Table(
    "training_warnings",
    "What went wrong in a training run while it went on.",
    (
        _int("step", "optimizer steps done", filled=True),
        _text("warning", "discriminator_overpowers or diversity_lost", filled=True),
        _text("detail", "the numbers that show it", filled=True),
        _FRACTION,
    ),
    key=("step", "warning"),
)

RUNS = Table(
    "runs",
    "What was computed by which program from which input.",
    (
        _text("run", "identifier that other tables point to", filled=True),
        _text("command", "the command or function", filled=True),
        Column("settings", "json", "its canonical settings"),
        _text("settings_hash", "SHA-256 over the settings"),
        _text("input_hash", "SHA-256 over the input files' hashes"),
        _text("software", "versions of gan_eval and of the libraries that matter"),
        _text("weights_sha256", "SHA-256 of the pretrained weights' file; of several: `name hash; name hash`"),
        _text("resizer", "the rule by which pictures were resized for a network"),
        _text("device", "cpu, cuda, ..."),
        _int("threads", "number of threads"),
        _int("seed", "seed of the random numbers"),
        _instant("started_at", "start"),
        _instant("ended_at", "end"),
        _FRACTION,
    ),
    key=("run",),
)

RATES = Table(
    "rates",
    "Accuracy and signal detection by group. Unanswered, practice and catch trials are in no rate.",
    (
        _text("scope", "what the row is about", words=SCOPES, filled=True),
        _text("id", "which participant, stimulus, model, ...; `all` for the scope all", filled=True),
        _int("n_real", "answered trials with a real picture", filled=True),
        _int("n_fake", "answered trials with a generated picture", filled=True),
        _int("n_none", "trials without an answer", filled=True),
        _int("hits", "fakes called fake", filled=True),
        _int("misses", "fakes called real", filled=True),
        _int("false_alarms", "reals called fake", filled=True),
        _int("correct_rejections", "reals called real", filled=True),
        _float("accuracy", "share of answered trials that are correct", unit="0..1"),
        _float("accuracy_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        _float("accuracy_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        _float("accuracy_p", "exact two-sided binomial test against 1/2"),
        _float("real_correct", "share of reals called real", unit="0..1"),
        _float("real_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        _float("real_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        _float("fake_correct", "share of fakes called fake; the fooling rate is 1 minus this", unit="0..1"),
        _float("fake_low", "lower end of its Wilson 95 % interval", unit="0..1"),
        _float("fake_high", "upper end of its Wilson 95 % interval", unit="0..1"),
        _float("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        _float("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
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
        _text("scope", "what the row is about", words=SCOPES, filled=True),
        _text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        _text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        _text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        _int("n", "number of answered trials with a reaction time", filled=True),
        _ms("median_ms", "median"),
        _ms("q25_ms", "lower quartile"),
        _ms("q75_ms", "upper quartile"),
        _ms("geometric_mean_ms", "exp of the mean log reaction time"),
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
        _text("formula", "the model", filled=True),
        _text("link", "logit or probit", words=("logit", "probit"), filled=True),
        _text("term", "the fixed effect", filled=True),
        _float("estimate", "its estimate on the link's scale"),
        _float("std_error", "its standard error"),
        _float("z", "estimate / standard error"),
        _float("p", "two-sided Wald test"),
        _float("ci_low", "lower end of its Wald 95 % interval"),
        _float("ci_high", "upper end of its Wald 95 % interval"),
        _float("sd_participant", "standard deviation of the participants' intercepts"),
        _float("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        _float("log_likelihood", "Laplace approximation"),
        _int("n_trials", "answered trials"),
        _int("n_participants", "participants"),
        _int("n_stimuli", "stimuli"),
        _bool("singular", "a variance is estimated at zero"),
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
        _text("comparison", "what is compared", filled=True),
        _text("a", "first group", filled=True),
        _text("b", "second group", filled=True),
        _text("measure", "the number that is compared", filled=True),
        _float("difference", "a - b"),
        _float("ci_low", "lower end of its 95 % interval"),
        _float("ci_high", "upper end of its 95 % interval"),
        _float("p", "two-sided"),
        _float("p_holm", "after Holm's correction over the table's comparisons of one kind"),
        _float("margin", "equivalence margin fixed by the study"),
        _text("verdict", "what the interval says", words=("different", "equivalent", "undecided")),
        _int("n_a", "trials of a"),
        _int("n_b", "trials of b"),
        _bool("exploratory", "not in the study's plan"),
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
        _text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        _DATASET,
        _text("metric", "name of the metric", filled=True),
        _text("measure", "what people did: fooling_rate, ...", filled=True),
        _int("n", "stimuli or models", filled=True),
        _float("spearman", "rank correlation"),
        _float("ci_low", "lower end of its 95 % interval"),
        _float("ci_high", "upper end of its 95 % interval"),
        _float("kendall", "tau-b"),
        _float("pearson", "linear correlation"),
        _float("p", "two-sided test of spearman against 0"),
        _float("ceiling", "reliability ceiling of the human scores"),
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
        _text("study", "name of the study", filled=True),
        _text("source", "where it was published", filled=True),
        _text("dataset", _DATASET.meaning, filled=True),
        _text("group", "truth of the pictures", words=KINDS, filled=True),
        _int("trials", "number of judgements", filled=True),
        _float("percent_correct", "share of correct judgements", unit="%", filled=True),
        _NOTE,
    ),
    key=("study", "dataset", "group"),
)

PAIRS = Table(
    "pairs",
    "The pictures of a data set in the A|B layout, as `data check` found them.",
    (
        _text("split", "the part of the data set: train, val, test", filled=True),
        _text("file", "the picture, relative to the data set's folder", filled=True),
        _int("width", "width of the whole picture, both halves", unit="pixel"),
        _int("height", "height of the picture", unit="pixel"),
        _float("flat_a", "share of neighbouring pixels of A with nearly the same grey level", unit="0..1"),
        _float("flat_b", "the same share of B; the drawn half (labels, map, edges) has the larger one", unit="0..1"),
        _text("pixels_a", "hash of A's decoded pixels: equal in equal pictures"),
        _text("pixels_b", "hash of B's decoded pixels"),
        _text("reason", "why the picture cannot be used"),
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


def reference() -> str:
    """The text of `docs/tables.md`."""
    lines = [
        "# The tables",
        "",
        "Made from `gan_eval/tables.py` by `python -m gan_eval.tables > docs/tables.md`; do not edit by hand.",
        "",
        "CSV files are UTF-8 with line feeds; a missing value is an empty cell; booleans are `true` and `false`; an",
        "infinite number is `inf`. Times are float milliseconds in columns that end in `_ms`; instants are UTC in",
        "ISO 8601. More columns than those below are welcome and are kept.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.meaning, ""]
        if table.key:
            lines += [f"A row is identified by {', '.join(f'`{name}`' for name in table.key)}.", ""]
        lines += ["| column | type | unit | must be filled | meaning |", "| --- | --- | --- | --- | --- |"]
        for column in table.columns:
            words = f" ({', '.join(column.words)})" if column.words else ""
            need = "yes" if column.filled else ("column may be absent" if column.optional else "")
            lines.append(f"| {column.name} | {column.dtype} | {column.unit} | {need} | {column.meaning}{words} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
