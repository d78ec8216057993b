"""The spectra of real and generated pictures are drawn where the upsampling peak was computed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run


@pytest.mark.parametrize(("metric", "is_drawn"), [("upsampling_peak", True), ("psnr", False)])
def test_the_report_draws_the_spectra(tmp_path: Path, metric: str, is_drawn: bool) -> None:
    random = np.random.default_rng(0)
    for kind in ("real", "fake"):
        (tmp_path / kind).mkdir()
        for number in range(12):
            coarse = random.integers(0, 256, (10, 10, 3), dtype=np.uint8)
            rule = Image.Resampling.BICUBIC if kind == "real" else Image.Resampling.NEAREST
            Image.fromarray(coarse).resize((80, 80), rule).save(tmp_path / kind / f"{number:02}.png")
    page = tmp_path / "report.html"
    folders = ["--real", str(tmp_path / "real"), "--fake", str(tmp_path / "fake")]
    words = ["metrics", *folders, "--metrics", metric, "--out", str(tmp_path / "out"), "--report", str(page)]
    assert run(words) == 0
    text = page.read_text(encoding="utf-8")
    assert ("Radial power spectra of the real pictures and of fake." in text) == is_drawn
    assert ("cycles per pixel</text>" in text) == is_drawn
