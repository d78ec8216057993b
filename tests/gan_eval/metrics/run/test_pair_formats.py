"""Pairs that are not both of 8-bit RGB: what is brought to one format, and what is not compared."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from metric_pictures import texture, write_items
from numpy.typing import NDArray
from PIL import Image
from rehashed import rehash

from gan_eval.metrics import Settings, evaluate
from gan_eval.metrics.definitions.similarity import psnr
from gan_eval.metrics.run.inputs import folder_pair, stimuli_of_sets
from gan_eval.metrics.run.runner import run_metrics
from gan_eval.metrics.run.tables import Evaluation
from gan_eval.report.metrics.data import Measured
from gan_eval.report.metrics.method import paper_paragraph
from gan_eval.stimuli.holes import mask_of
from gan_eval.stimuli.pixel_formats import Display, png_bytes

WHITE = 4095
"""White level of a 12-bit camera."""


def in_12_bits(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return np.rint(picture.astype(float) * WHITE / 255).astype(np.uint16)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_deep_picture_beside_one_of_8_bits_has_the_white_that_its_file_names(channels: int, tmp_path: Path) -> None:
    picture = texture(1, 24, 30)[..., :channels]
    for folder in ("real", "fake"):
        (tmp_path / folder).mkdir()
    deep = in_12_bits(picture)
    display = Display(0, WHITE, (1,) if channels == 1 else (1, 2, 3))
    (tmp_path / "real" / "a.png").write_bytes(png_bytes(deep, display))
    Image.fromarray(picture.squeeze()).save(tmp_path / "fake" / "a.png")
    values, _ = evaluate(real=tmp_path / "real", fake=tmp_path / "fake", metrics=("psnr", "l1"), cache=False)
    assert values["value"].tolist() == [math.inf, 0]


def test_a_mask_of_12_bits_shows_its_hole(tmp_path: Path) -> None:
    real, hole = texture(1, 24, 30), np.zeros((24, 30), bool)
    hole[5:15, 6:20] = True
    fake = np.clip(real + np.int16(9), 0, 255).astype(np.uint8)
    write_items(tmp_path, {"a": {"real": real, "fake": fake, "mask": mask_of(hole)}})
    deep = (hole * np.uint16(WHITE))[..., None]
    (tmp_path / "mask" / "a.png").write_bytes(png_bytes(deep, Display(0, WHITE, (1,))))
    rehash(tmp_path)
    (value,) = run_metrics(stimuli_of_sets([tmp_path]), Settings(("psnr_hole",)), command="test").image_metrics["value"]
    assert value == psnr(fake, real, hole)


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
