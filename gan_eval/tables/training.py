"""What training leaves."""

from gan_eval.tables.schema import Table, integer, number, text
from gan_eval.tables.shared import DATASET, FRACTION, NOTE, PLATEAU_VERDICTS, STYLE_NETWORK

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
        FRACTION,
    ),
    key=("step", "mode", "metric"),
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

TRAINING_WARNINGS = Table(
    "training_warnings",
    "What went wrong in a training run while it went on.",
    (
        integer("step", "optimizer steps done", filled=True),
        text("warning", "discriminator_overpowers or diversity_lost", filled=True),
        text("detail", "the numbers that show it", filled=True),
        FRACTION,
    ),
    key=("step", "warning"),
)
