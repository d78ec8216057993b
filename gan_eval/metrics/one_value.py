"""One value of one metric, for two pictures or one: files, or arrays."""

from collections.abc import Mapping
from pathlib import Path

from gan_eval.base.errors import UserError
from gan_eval.metrics.catalogue import select
from gan_eval.metrics.definitions.own import Function
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, as_picture
from gan_eval.metrics.run.measure import as_one_format
from gan_eval.pictures.decode import Samples, open_picture


def score(
    metric: str | Function,
    fake: "Pixels | Path | str",
    real: "Pixels | Path | str | None" = None,
    *,
    hole: "HolePixels | None" = None,
    weights: Mapping[str, Path] | None = None,
    device: str = "cpu",
) -> float:
    """Return the value of a metric for a generated picture and its reference, or for one picture.

    Args:
        metric: name of a metric of pictures, as in `gan-eval metrics --list`, or a function (see
            `gan_eval.metrics.definitions.own`).
        fake: the generated picture, or the only one: (H, W, 3) uint8, 0..255, or a file.
        real: the real picture; none for a metric of one picture, such as niqe.
        hole: (H, W) bool, True in the hole, for a metric of holes, such as psnr_hole.
        weights, device: see `gan_eval.metrics.functional.load`, for metrics with weights.

    Raises:
        UserError: the metric is unknown, is of sets, or takes other pictures; a file cannot be read; weights are
            missing.
        Unmeasurable: the metric has no value for these pictures; the message has the reason.
        TypeError: an array of another shape or type.

    >>> import numpy as np
    >>> black = np.zeros((32, 32, 3), np.uint8)
    >>> round(score("psnr", black + 10, black), 2), score("ssim", black, black)
    (28.13, 1.0)
    >>> def contrast(picture):
    ...     return picture.std()
    >>> score(contrast, black)
    0.0
    >>> score("niqe", black, black)
    Traceback (most recent call last):
    gan_eval.base.errors.UserError: metric 'niqe': takes one picture, found fake and real
    """
    (facts,) = select([metric])
    needed = {"pair": ["fake", "real", *["hole"] * facts.takes_hole], "single": ["fake"]}.get(facts.kind)
    if needed is None:
        raise UserError(f"metric {facts.name!r}: has no value for single pictures; use evaluate")
    given = [name for name, value in {"fake": fake, "real": real, "hole": hole}.items() if value is not None]
    if given != needed:
        expected = "one picture" if needed == ["fake"] else " and ".join(needed)
        raise UserError(f"metric {facts.name!r}: takes {expected}, found {' and '.join(given)}")
    function = facts.function
    if function is None:
        from gan_eval.metrics.functional import load

        function = load(facts.name, paths=weights, device=device)
    samples = [_samples(picture) for picture in (fake, real) if picture is not None]
    pictures = as_one_format(samples, any_format=facts.any_format)
    return float(function(*pictures, *([] if hole is None else [hole])))


def _samples(picture: "Pixels | Path | str") -> Samples:
    """Return the pixels of a file as metrics see them, or an array."""
    if isinstance(picture, Path | str):
        return open_picture(Path(picture)).samples()
    return as_picture(picture, any_format=True)
