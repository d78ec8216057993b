"""What metrics say of pictures, and the runs that computed it."""

from gan_eval.tables.schema import Column, Table, instant, integer, number, text
from gan_eval.tables.shared import DATASET, FRACTION, ITEM, KIND, MODEL, NOTE, STIMULUS, ends

IMAGE_METRICS = Table(
    "image_metrics",
    "One number for one stimulus. Pair metrics have one row, on the fake, and, without a value, one on a real picture "
    "that nothing was generated for; no-reference metrics rows for both.",
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
        FRACTION,
    ),
    key=("model", "dataset", "metric"),
)

METRIC_COMPARISONS = Table(
    "metric_comparisons",
    "Two models beside each other on the same items of one data set.",
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

BESIDE = Table(
    "beside",
    "Values that other programs gave for the same sets, to be shown beside ours.",
    (
        text("model", "the generator's name", filled=True),
        text("dataset", DATASET.meaning, filled=True),
        text("metric", "name of the metric that it is put beside", filled=True),
        number("value", "the other program's value; of a picture's metric the mean over the set"),
        text("source", "the program and its version, or the paper", filled=True),
        NOTE,
    ),
    key=("model", "dataset", "metric", "source"),
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
        FRACTION,
    ),
    key=("run",),
)
