"""The facts about a metric: what a reader, the command line and the tables must know of it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["pair", "single", "set"]
ExtractorName = Literal["inception", "vgg16", "segmenter"]

DEFAULT_RESIZER = "tf1"
"""The rule by which pictures reach the network's size where none is named: that of the published values."""

ENOUGH_FOR_FID = 2000
"""Pictures below which FID's bias is not small beside differences between models."""

FID_OF_FEW = (
    f"FID from fewer than {ENOUGH_FOR_FID} pictures is biased upwards and may be compared only with values from as "
    "many pictures"
)
"""What a reader must know of such an FID."""

BESIDE_FID = ("fid_infinity", "kid")
"""What is shown beside the FID of few pictures, asked for or not, and compares them in its place."""


@dataclass(frozen=True)
class Metric:
    """The facts about a metric. What computes it stands in `gan_eval.metrics.run.picture_pass` and `set_pass`."""

    name: str
    kind: Kind
    """pair: a generated picture beside its reference; single: one picture alone; set: pictures beside pictures."""
    measures: str
    low: float
    """Least possible value."""
    high: float
    """Greatest possible value."""
    higher_is_better: bool
    source: str
    """The paper and the definition that is followed. The resizer is a setting and stands in the table `runs`."""
    definition: str
    """Short name of the definition, for readers. Kept values are found by it and by the code that computes them.
    "" (an own metric that names none): its values are never kept."""
    unit: str = ""
    weights: tuple[str, ...] = ()
    """Names of the pretrained weights in `gan_eval.weights.cache` that it needs."""
    extractor: ExtractorName | None = None
    """For a set metric: what turns a picture into the features that it compares."""
    least_size: tuple[int, int] | None = None
    """Pixels that a picture needs: of its shorter and of its longer side. None: any picture will do."""
    takes_hole: bool = False
    """A pair metric of the hole alone: it needs the mask picture beside the reference."""
    distribution: str = ""
    """The installed distribution, with its version, that brings a user's own metric."""
