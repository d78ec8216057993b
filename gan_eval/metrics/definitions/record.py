"""The record of a metric: its facts and the function that computes it.

A family's module holds a `Metric` for each of its metrics. The list, `score`, torchmetrics' classes, the run and the
tables of docs/metrics.md are made from it (`gan_eval.metrics.catalogue` collects the records). Importing a
family loads neither torch nor scipy nor numba: its functions import them where they need them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gan_eval.settings.choices import ResizerName

if TYPE_CHECKING:
    from gan_eval.metrics.definitions.jackknife import PictureSet, SetComparison

Kind = Literal["pair", "single", "input", "set"]
ExtractorName = str
"""`inception`, `segmenter`, `label_colours`, `spectrum`; or @ and the name of the user's features."""

Companion = Literal["reference", "mask", "input"]
"""Another picture of a stimulus: the ground truth, the mask of the hole, or the generator's input."""

DEFAULT_RESIZER: ResizerName = "tf1"
"""Default method of resizing pictures to a network's size: that of published values."""

PictureFunction = Callable[..., float]
"""Function of (generated, real), (generated, real, hole) or (picture); raises Unmeasurable if it has no value."""


class FunctionFile(NamedTuple):
    """The file of a function of the user, for the records."""

    file: str
    """Its name without a folder."""
    sha256: str


@dataclass(frozen=True)
class Metric:
    """The facts about a metric and the function that computes it."""

    name: str
    kind: Kind
    """pair: a generated picture and its reference; single: one picture; input: the generator's input, alone or with the
    photographs, with a value for each generated picture; set: sets of pictures."""
    measures: str
    source: str
    """The paper and the definition that is followed. The resizer is a setting and stands in the table `runs`."""
    definition: str
    """Short name of the definition, part of the key of cached results: change it when the computation changes."""
    low: float = 0.0
    """Minimum possible value."""
    high: float = math.inf
    """Maximum possible value."""
    higher_is_better: bool = False
    unit: str = ""
    title: str = ""
    """Name as in papers, for readers; "": `name`."""
    function: Callable[..., Any] | None = None
    """For pictures, without weights: a `PictureFunction`. For sets: (N, d) real and (M, d) generated features to a
    number. For items: see `of_items`."""
    min_size: tuple[int, int] | None = None
    """Minimum of a picture's shorter and longer side in pixels; None: any size."""
    takes_hole: bool = False
    """True for a pair metric of the hole alone, which also needs the mask picture."""
    of_items: bool = False
    """True for a metric of the input that compares a data set's items: its function takes their `LabelCells` and
    returns a value for each, NaN where there is none."""
    any_format: bool = False
    """True if pictures of 16 bits are passed with all their bits; other metrics need 8-bit RGB."""
    of_16_bits: str = ""
    """Differences for pictures of 16 bits; part of the source where some were measured."""
    weights: tuple[str, ...] = ()
    """Names of the pretrained weights in `gan_eval.metrics.weights.cache` that it needs."""
    readers: tuple[Callable[[Path], Any], ...] = ()
    """For pictures, with weights: functions that read the files."""
    make: Callable[..., PictureFunction] | None = None
    """For pictures, with weights: function of (what the readers return, ..., device=) that returns the metric."""
    library: str = ""
    """Python package that computes it; the table `runs` records its version."""
    extractor: ExtractorName | None = None
    """For a set metric: name of the extractor of its features."""
    compare: "Callable[[PictureSet], SetComparison] | None" = None
    """For a set metric: function that prepares the real pictures once for all models and returns values and jackknife.
    None: `function` is computed for all pictures and without each group."""
    depends_on_count: bool = False
    """For a set metric: True if its expected value depends on the number of pictures."""

    own: FunctionFile | None = None
    """For a function of the user: where it stands. Which values are better is then not known."""

    companions: tuple[Companion, ...] = field(init=False)
    """The other pictures of a stimulus that the metric needs."""

    def __post_init__(self) -> None:
        of_pair: tuple[Companion, ...] = ("reference", "mask") if self.takes_hole else ("reference",)
        needed = of_pair if self.kind == "pair" else ("input",) if self.kind == "input" else ()
        object.__setattr__(self, "companions", needed)
