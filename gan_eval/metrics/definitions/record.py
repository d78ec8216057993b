"""The record of a metric: its facts and the function that computes it.

A family's module holds a `Metric` for each of its metrics. The list, the functional form, torchmetrics' class, the run
and the tables of docs/metrics.md are made from it (`gan_eval.metrics.catalogue` collects the records). Importing a
family loads neither torch nor scipy nor numba: its functions import them where they need them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gan_eval.metrics.definitions.jackknife import Comparison, PictureSet
    from gan_eval.metrics.definitions.labels import LabelCells

Kind = Literal["pair", "single", "input", "set"]
ExtractorName = str
"""`inception`, `segmenter`, `label_colours`, `spectrum`; or @ and the name of features that the user brings."""

Companion = Literal["reference", "mask", "input"]
"""A further picture of a stimulus: the ground truth, the hole, what the generator was given."""

ResizerName = Literal["tf1", "bilinear", "bilinear-aa", "clean"]
DEFAULT_RESIZER: ResizerName = "tf1"
"""The rule by which pictures reach the network's size where none is named: that of the published values."""

OnProgress = Callable[[int, int, str], None]
"""Function that is called with (done, total, what)."""

PictureFunction = Callable[..., float]
"""(generated, real), (generated, real, hole) or (picture) to a number; raises Unmeasurable where it is not defined."""


@dataclass(frozen=True)
class Metric:
    """The facts about a metric and the function that computes it."""

    name: str
    kind: Kind
    """pair: a generated picture and its reference; single: one picture alone; input: what the
    generator was given, alone or with the photographs, with a value for each generated picture; set: sets of
    pictures."""
    measures: str
    source: str
    """The paper and the definition that is followed. The resizer is a setting and stands in the table `runs`."""
    definition: str
    """Short name of the definition. Cached values are found by it: change it when the computation changes."""
    low: float = 0.0
    """Minimum possible value."""
    high: float = math.inf
    """Maximum possible value."""
    higher_is_better: bool = False
    unit: str = ""
    title: str = ""
    """Its name as papers write it, for readers; "": `name`."""
    function: Callable[..., Any] | None = None
    """For pictures, without weights: a `PictureFunction`. For sets: (N, d) real and (M, d) generated features to a
    number. For items: their inputs and photographs to (N,) numbers. Its name is that of the functional form."""
    least_size: tuple[int, int] | None = None
    """Pixels that a picture needs: of its shorter and of its longer side. None: any picture will do."""
    takes_hole: bool = False
    """True for a pair metric of the hole only, which also needs the mask picture."""
    of_items: "Callable[[Sequence[LabelCells]], NDArray[np.float64]] | None" = None
    """For a metric of the input that compares a data set's items: a value for each, NaN where there is none."""
    any_format: bool = False
    """Defined for pictures of 16 bits too, of which it is given every sample; others are for 8-bit RGB."""
    weights: tuple[str, ...] = ()
    """Names of the pretrained weights in `gan_eval.metrics.weights.cache` that it needs."""
    readers: tuple[Callable[[Path], Any], ...] = ()
    """For pictures, with weights: how each of their files is read."""
    make: Callable[..., PictureFunction] | None = None
    """For pictures, with weights: (what the readers gave, ..., device=) to the function."""
    library: str = ""
    """The distribution that computes it; its version stands in the table `runs`."""
    extractor: ExtractorName | None = None
    """For a set metric: what turns a picture into the features that it compares."""
    compare: "Callable[[PictureSet], Comparison] | None" = None
    """For a set metric: computes once for all models what depends on the real pictures; gives value and jackknife.
    None: `function` is computed for all pictures and without each group."""
    depends_on_count: bool = False
    """For a set metric: True if its expected value depends on the number of pictures."""

    @property
    def companions(self) -> tuple[Companion, ...]:
        """The other pictures of a stimulus that the metric needs."""
        if self.kind == "pair":
            return ("reference", "mask") if self.takes_hole else ("reference",)
        return ("input",) if self.kind == "input" else ()
