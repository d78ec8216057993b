"""Arguments that a study's stages give the trainer."""

from pathlib import Path
from typing import Any

import pytest
from listening import Ear
from PIL import Image

import trainer.generate
from gan_eval.study.plan import make_plan
from gan_eval.study.stages import generate_stage

STUDY = """
[study]
name = "replicates"
seed = 5
[data.land]
[data.pairs]
[training]
steps = 2
image_size = 32
[models.one]
data = "land"
training = { seed = 1, inpainting = {} }
[models.other]
data = "land"
training = { seed = 2, inpainting = {} }
[models.translator]
data = "pairs"
"""


def test_replicates_are_tested_on_the_holes_of_the_study_s_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dataset in ("land", "pairs"):
        for number, split in enumerate(("train", "test")):
            (tmp_path / dataset / split).mkdir(parents=True)
            Image.new("RGB", (64, 32), (number, 0, 0)).save(tmp_path / dataset / split / f"{number}.png")
    given: list[Any] = []
    monkeypatch.setattr(trainer.generate, "generate", lambda *_, **options: given.append(options["mask_seed"]))
    for seed in (5, 6):
        (tmp_path / "study.toml").write_text(STUDY.replace("seed = 5", f"seed = {seed}"))
        plan = make_plan(tmp_path / "study.toml", tmp_path / "out", data_root=tmp_path)
        stages = [generate_stage(plan, model) for model in ("one", "other", "translator")]
        assert [stage.settings.get("mask_seed") for stage in stages] == [seed, seed, None]
        for stage in stages[:2]:
            stage.work(Ear())
    assert given == [5, 5, 6, 6]
