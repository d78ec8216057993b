"""The classic metrics: piq's own numbers, with a reason where piq has none, and one thread of torch for each worker."""

from pathlib import Path

import numpy as np
import piq
import pytest
import torch
from made_sets import write_items
from metric_pictures import disturbed, measure, texture
from skimage import data

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.run.inputs import Settings
from gan_eval.metrics.run.measure import Tools

PHOTOGRAPH = data.astronaut()[:97, 150:270]


def test_vif_of_a_faint_reference_is_that_of_float64() -> None:
    faint = np.full((64, 64, 3), 200, np.uint8)
    faint[:, 32:] += 1  # piq in float32 gives about 0.5 for the same picture, one level brighter
    assert METRICS["vif"].function(faint + np.uint8(1), faint) == pytest.approx(1, abs=1e-3)


def test_values_name_the_versions_of_piq_and_torch(tmp_path: Path) -> None:
    folder = write_items(tmp_path / "set", {"a": {"real": PHOTOGRAPH, "fake": disturbed(PHOTOGRAPH, 1)}})
    assert f"piq {piq.__version__}" in measure(folder, "vif").runs["software"][0]
    definition = Tools([METRICS["vif"]], Settings(("vif",))).definitions["vif"]
    assert f"piq {piq.__version__}" in definition
    assert f"torch {torch.__version__.partition('+')[0]}" in definition


def test_each_worker_uses_one_thread_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def gmsd(*_: torch.Tensor) -> float:
        threads.append(torch.get_num_threads())
        return 0.0

    monkeypatch.setattr(piq, "gmsd", gmsd)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        real = texture(1, 64, 64)
        folder = write_items(tmp_path / "set", {"a": {"real": real, "fake": disturbed(real, 1)}})
        measure(folder, "gmsd", threads=2)
        assert threads == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
