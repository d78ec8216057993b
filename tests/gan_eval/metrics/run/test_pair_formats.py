"""Pairs of two depths: what is brought to one format, and what is not compared."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.metrics import Settings
from gan_eval.metrics.run.inputs import folder_pair, stimuli_of_sets
from gan_eval.metrics.run.runner import run_metrics
from gan_eval.metrics.run.tables import Evaluation
from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.method import paper_paragraph


def of_two_depths(folder: Path, cache: Path) -> Evaluation:
    """Two models of four 16-bit photographs: what `deep` made has 16 bits, what `flat` made 8."""
    rng = np.random.default_rng(1)
    for name in ("real", "deep", "flat"):
        (folder / name).mkdir(exist_ok=True)
    for item in range(4):
        real = rng.integers(0, 65535, (24, 24), dtype=np.uint16)
        Image.fromarray(real).save(folder / "real" / f"{item}.png")
        Image.fromarray(real + np.uint16(1)).save(folder / "deep" / f"{item}.png")
        Image.fromarray(np.rint(real / 257).astype(np.uint8)).save(folder / "flat" / f"{item}.png")
    sets = [folder_pair(folder / "real", folder / model, dataset="d", model=model) for model in ("deep", "flat")]
    return run_metrics(stimuli_of_sets(sets), Settings(("l1", "psnr"), cache=cache), command="test")


def test_models_of_two_depths_are_not_compared_and_the_method_names_their_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "16")
    brought = "8-bit RGB, brought to it from two formats"
    for values_cached in (0, 16):  # what is known of a kept value is kept with it
        found = of_two_depths(tmp_path, tmp_path / "cache.sqlite")
        settings = json.loads(found.runs.loc[0, "settings"])
        assert settings["kept_values_used"] == values_cached
        assert settings["formats"] == {"d": {"deep": ["16-bit grey"], "flat": [brought]}}
        assert found.image_metrics["reason"].isna().all()
        for _, row in found.metric_comparisons.iterrows():
            assert row[["difference", "ci_low", "ci_high", "better"]].isna().all()
            assert row["reason"] == "0 items have a finite value for both; a difference needs 3"
            assert row["note"] == "4 items left out: measured in two pixel formats; bring the pictures to one"
        said = paper_paragraph(Measured(found.by_name()))
        assert f"were measured, as 16-bit grey (deep) and {brought} (flat)." in said
    alone = Measured({name: frame for name, frame in found.by_name().items() if name != "runs"})
    assert "were measured, as 8-bit RGB." in paper_paragraph(alone)
