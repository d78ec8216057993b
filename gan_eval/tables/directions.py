"""Direction of picture metrics, higher or lower is better, by their names, also those of other programs."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from gan_eval.base.errors import UserError

Better = Literal["higher", "lower"]

_HIGHER = (
    *("psnr", "ssim", "ms_ssim", "iw_ssim", "cw_ssim", "vif", "fsim", "vsi", "haarpsi", "sharpness", "vmaf", "ahiq"),
    *("musiq", "clipiqa", "maniqa", "nima", "topiq", "hyperiqa", "dbcnn", "cnniqa", "liqe", "qalign", "arniqa"),
    *("paq2piq", "tres", "unique", "wadiqam", "ckdn", "nrqm", "laion_aes"),
)
_LOWER = (
    *("l1", "mae", "mse", "rmse", "lpips", "stlpips", "dists", "gmsd", "ms_gmsd", "mdsi", "mad", "nlpd", "pieapp"),
    *("niqe", "ilniqe", "brisque", "piqe"),
)
_KNOWN: dict[str, Better] = {**dict.fromkeys(_HIGHER, "higher"), **dict.fromkeys(_LOWER, "lower")}


def better_of(metric: str) -> Better | None:
    """Return the direction of a metric's better values; None if its name is not known.

    A variant has words after the name: the longest known name in front decides.

    >>> better_of("lpips_vgg"), better_of("MUSIQ-ava"), better_of("ms_ssim"), better_of("msssim2")
    ('lower', 'higher', 'higher', None)
    """
    words = re.split(r"[\W_]+", metric.strip().casefold())
    fronts = ("_".join(words[:end]) for end in range(len(words), 0, -1))
    return next((_KNOWN[front] for front in fronts if front in _KNOWN), None)


def require_directions(better: Mapping[str, str], metrics: Iterable[str]) -> None:
    """Refuse a direction that is neither `higher` nor `lower`, and that of a metric that is not among those given."""
    known = sorted(set(metrics))
    for metric, word in better.items():
        if word not in get_args(Better):
            raise UserError(f"--better {metric}={word}: expected {metric}=higher or {metric}=lower")
        if metric not in known:
            among = f"it is none of {', '.join(known)}" if known else "no metric of pictures is given (--image-metrics)"
            raise UserError(f"--better {metric}={word}: {among}")
