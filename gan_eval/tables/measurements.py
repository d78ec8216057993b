"""Tables of measurements (metrics of pictures and sets, training runs, provenance) and of what is read from outside."""

from gan_eval.tables.schema import (
    DATASET,
    FRACTION,
    ITEM,
    KIND,
    KINDS,
    MODEL,
    NOTE,
    PLATEAU_VERDICTS,
    SEEN,
    STIMULUS,
    STYLE_NETWORK,
    Column,
    Table,
    ends,
    instant,
    integer,
    number,
    text,
)

IMAGE_METRICS = Table(
    "image_metrics",
    "One number for one stimulus. Pair metrics and those of a generator's input have one row, on the fake, and, "
    "without a value, one on a real picture that nothing was generated for; no-reference metrics rows for both.",
    (
        STIMULUS,
        ITEM,
        KIND,
        MODEL,
        DATASET,
        text("metric", "name of the metric: psnr, ssim, niqe, ...", filled=True),
        number("value", "the metric's value; `inf` where it is infinite"),
        text("reason", "why a value is missing"),
        text("run", "the row of `runs` that computed it"),
        text("sha256", "SHA-256 of the picture's file that was measured; empty: it could not be read", optional=True),
        SEEN,
        FRACTION,
    ),
    key=("stimulus", "metric"),
)

SET_METRICS = Table(
    "set_metrics",
    "One number for one set of stimuli.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric: fid, kid, ...", filled=True),
        number("value", "the metric's value"),
        *ends("ci"),
        integer("n_real", "number of real pictures", filled=True),
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
        text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric", filled=True),
        text("a", "the one model", filled=True),
        text("b", "the other", filled=True),
        integer("n", "items that both have a value for", filled=True),
        number("difference", "value of a less that of b; for a picture's metric the mean over the items"),
        *ends("ci"),
        text("better", "the model that the interval says is better; empty where it holds 0 or is unknown"),
        text("reason", "why a difference is missing"),
        text("run", "the row of `runs` that computed it"),
        NOTE,
        FRACTION,
    ),
    key=("dataset", "metric", "a", "b"),
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
        number("seconds", "time since the start of the run, pauses left out", unit="s"),
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
        text("metric", "its fixed name, or `diversity`", filled=True),
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

TRAINING_WARNINGS = Table(
    "training_warnings",
    "Warnings during a training run.",
    (
        integer("step", "optimizer steps done", filled=True),
        text("warning", "discriminator_overpowers or diversity_lost", filled=True),
        text("detail", "the numbers that show it", filled=True),
        FRACTION,
    ),
    key=("step", "warning"),
)

PLATEAUS = Table(
    "plateaus",
    "The step after which a metric no longer improves in training; how: `gan_eval/stats/answers/plateau.py`.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", DATASET.meaning),
        text("metric", "name of the metric", filled=True),
        text("mode", "train or eval, as in `validation`", filled=True),
        integer("plateau_step", "the step after which it no longer improves; empty unless the verdict is plateau"),
        integer("ci_low", "lower end of its 95 % interval; where it still improves: it does so at least up to here"),
        integer("ci_high", "upper end of its 95 % interval; empty where it still improves"),
        text("verdict", "what the curve says", words=PLATEAU_VERDICTS, filled=True),
        number("level", "the metric's fitted value on the plateau, or at the last step"),
        text("scale", "in what the improvement is linear: step or log(step)", words=("linear", "log")),
        integer("n", "measurements used", filled=True),
        NOTE,
        FRACTION,
    ),
    key=("model", "metric", "mode"),
)

RUNS = Table(
    "runs",
    "What was computed by which program from which input.",
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
        text("study", "name of the study", filled=True),
        text("source", "where it was published", filled=True),
        text("dataset", DATASET.meaning, filled=True),
        text("group", "truth of the pictures", words=KINDS, filled=True),
        integer("trials", "number of judgements", filled=True),
        number("percent_correct", "share of correct judgements", unit="%", filled=True),
        NOTE,
    ),
    key=("study", "dataset", "group"),
)

REJECTED = Table(
    "rejected",
    "Rows of a foreign table that could not be taken, as `./run trials import` found them.",
    (
        integer("row", "number of the row, 1 is the first below the header", filled=True),
        text("column", "the column at fault", filled=True),
        text("found", "what stands there"),
        text("reason", "why it cannot be taken", filled=True),
    ),
    key=("row", "column"),
)

GIVEAWAYS = Table(
    "giveaways",
    "Differences between real and generated pictures other than their content, found by `./run stimuli audit`.",
    (
        text("dataset", DATASET.meaning, filled=True),
        text("model", "the generator's name", filled=True),
        text("clue", "what is compared: format, size, brightness, ...", filled=True),
        text("sort", "where it is found: in the file, or in the pixels", words=("metadata", "picture"), filled=True),
        integer("n_real", "real pictures that have it", filled=True),
        integer("n_fake", "generated pictures that have it", filled=True),
        text("real", "real pictures: the value that separates most with its share, or the median"),
        text("fake", "the same in generated pictures"),
        number("auc", "share of (real, fake) pairs in which the fake has the larger value; categories: giveaways.md"),
        *ends("ci"),
        number("certain", "of a category: share of pictures with a value that one class alone has", unit="0..1"),
        number("p", "two-sided, against 0.5"),
        number("p_holm", "after Holm's correction over the clues of one model and data set"),
        text("verdict", "what the interval says", words=("ok", "look", "gives_away")),
        text("reason", "reason for a missing value"),
    ),
    key=("dataset", "model", "clue"),
)
