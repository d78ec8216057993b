"""Metrics of pairs that no program here shares with gan_eval: VMAF, SSIMULACRA 2."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from other_programs.inputs import each, four_pairs
from other_programs.installed import ffmpeg_rows, save_pair
from other_programs.rows import Table, named


def of_pinned_programs() -> dict[str, Table]:
    """Return the rows of each program; the packages bring their programs with them."""
    import imageio_ffmpeg

    return {
        "ffmpeg": ffmpeg_rows(imageio_ffmpeg.get_ffmpeg_exe()),
        "vmaf-torch": vmaf_torch(),
        "ssimulacra2": ssimulacra2(),
    }


def vmaf_torch() -> Table:
    """VMAF in PyTorch, of a picture's luma."""
    from vmaf_torch import VMAF

    vmaf = VMAF()

    def luma(picture: Any, offset: float, scale: float) -> Any:
        values = np.round(offset + scale * (picture @ np.array([0.299, 0.587, 0.114]) / 255))
        return torch.from_numpy(values)[None, None].float()

    def of_luma(offset: float, scale: float) -> list[float]:
        with torch.no_grad():
            return each(lambda fake, real: vmaf(luma(real, offset, scale), luma(fake, offset, scale)))

    return {
        "VMAF": [
            (named("vmaf-torch", "luma in 16..235"), of_luma(16, 219), "real numbers in place of whole ones"),
            (named("vmaf-torch", "luma in 0..255"), of_luma(0, 255), "it learned from videos, whose luma is 16..235"),
        ]
    }


def ssimulacra2() -> Table:
    """A program of its own; 100 for equal pictures."""
    from ssimulacra2 import compute_ssimulacra2

    with tempfile.TemporaryDirectory() as folder:
        values = []
        for pair in four_pairs():
            save_pair(Path(folder), pair)
            values.append(float(compute_ssimulacra2(f"{folder}/real.png", f"{folder}/fake.png")))
    return {
        "SSIMULACRA 2": [(named("ssimulacra2"), values, "mirrors two borders, where libjxl has zeros; a longer window")]
    }
