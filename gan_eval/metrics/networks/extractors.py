"""The networks that the set metrics need: found, loaded, or told why not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.metrics.facts import DEFAULT_RESIZER, ExtractorName, Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.extractor import Extractor
from gan_eval.metrics.networks.features import inception_extractor, vgg16_extractor
from gan_eval.metrics.networks.resizers import check_resizer
from gan_eval.metrics.networks.segmenter_settings import PALETTE
from gan_eval.settings.training import Precision
from gan_eval.weights.cache import find, is_official


@dataclass
class Extractors:
    """What a run's set metrics have to work with."""

    ready: dict[ExtractorName, Extractor] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    """By the metric's name, why it cannot be computed at all."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the files that were read, by the extractor's name."""
    caveats: dict[ExtractorName, str] = field(default_factory=dict)
    """What a reader of values from an extractor must know."""


def load_extractors(
    metrics: Iterable[Metric],
    *,
    paths: Mapping[str, Path] | None = None,
    resizer: str = DEFAULT_RESIZER,
    device: str | None = None,
    precision: Precision = "fp32",
    segmenter: Path | None = None,
) -> Extractors:
    """The extractors that the metrics name, each loaded once.

    Args:
        metrics: those wanted; those without an extractor are passed over.
        paths: files by the weights' name (`inception`, `vgg16`); default: the cache.
        resizer: see `gan_eval.metrics.networks.resizers.resize`.
        device: where the networks run: cpu, cuda, ...; default: CUDA where there is one.
        precision: of Inception; VGG16 and the segmenter always run in fp32.
        segmenter: the user's network that labels street scenes (see `gan_eval.metrics.networks.segmenter`).

    Raises:
        UserError: a file that was named will not do, an unknown resizer, or there is no such device. Weights that are
            not in the cache are a reason, not an error.
    """
    check_resizer(resizer)
    paths = paths or {}
    load: dict[ExtractorName, Callable[[], tuple[Extractor, Path]]] = {
        "inception": lambda: _from_weights(
            "inception", paths, partial(inception_extractor, resizer=resizer, device=device, precision=precision)
        ),
        "vgg16": lambda: _from_weights("vgg16", paths, partial(vgg16_extractor, resizer=resizer, device=device)),
        "segmenter": lambda: _segmenter(segmenter, device),
    }
    metrics = [metric for metric in metrics if metric.extractor is not None]
    found = Extractors()
    for name in dict.fromkeys(metric.extractor for metric in metrics if metric.extractor is not None):
        try:
            found.ready[name], path = load[name]()
        except Unmeasurable as reason:
            needing = [metric.name for metric in metrics if metric.extractor == name]
            found.unavailable |= dict.fromkeys(needing, str(reason))
            continue
        if path == PALETTE:
            continue
        found.sha256[name] = sha256_file(path)
        if name != "segmenter" and not is_official(name, found.sha256[name]):
            found.caveats[name] = f"{path.name} is not a known file of the weights {name}"
    return found


def _from_weights(name: str, paths: Mapping[str, Path], load: Callable[[Path], Extractor]) -> tuple[Extractor, Path]:
    """The extractor and its file.

    Raises:
        Unmeasurable: the file is not in the cache, is damaged there, or lacks layers.
        UserError: a file that was named will not do.
    """
    given = paths.get(name)
    try:
        path = find(name, path=given)
        return load(path), path
    except UserError as error:
        if given is not None:
            raise
        raise Unmeasurable(str(error)) from error


def _segmenter(file: Path | None, device: str | None) -> tuple[Extractor, Path]:
    if file is None:
        raise Unmeasurable("no segmenter was given: --segmenter FILE")
    from gan_eval.metrics.networks.segmenter import load_segmenter

    return load_segmenter(file, device=device), file
