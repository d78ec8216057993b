"""Stages in isolation: metrics that wait for their weights, plateaus, published tables, what the trainer is given."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from finished import copy_study
from listening import Ear
from made_sets import write_items

import trainer.generate
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.frechet import fid
from gan_eval.metrics.weights import cache
from gan_eval.pictures import decode as pictures
from gan_eval.study import markers
from gan_eval.study.plan import Plan, make_plan, open_plan
from gan_eval.study.stages import generate_stage, list_stages
from gan_eval.tables import GIVEAWAYS, IMAGE_METRICS, PLATEAUS, SET_METRICS, STIMULI, VALIDATION
from gan_eval.tables.frames import read_rows, read_table, write_rows

IMPORTED = '[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n[metrics]\nnames = ["brisque"]\n'
TRAINED = '[study]\nname = "s"\n[data.d]\n[models.a]\ndata = "d"\n[models.b]\ndata = "d"\n'


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))


def plan_of(folder: Path, text: str, out: str = "out") -> Plan:
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return make_plan(folder / "study.toml", folder / out, data_root=folder / "data")


def do(plan: Plan, stage: str) -> list[str]:
    ear = Ear()
    markers.run(list_stages(plan), plan.folder, ear, only=stage)
    return ear.heard


def picture(seed: int) -> pictures.Picture:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def pair_set(folder: Path, stems: str = "p", *, fake_side: int = 64, **more: pictures.Picture) -> None:
    """A stimulus set of one real and one generated picture, and `more`, of each stem, a letter."""
    both = {"real": picture(0), "fake": picture(1)[:fake_side, :fake_side]}
    write_items(folder, {stem: {**both, **more} for stem in stems}, split="test")


def test_the_section_metrics_reaches_the_metrics(tmp_path: Path) -> None:
    pair_set(tmp_path / "set", fake_side=60)
    head = IMPORTED.replace('"brisque"', '"psnr", "class_iou"')
    values = {}
    for name, settings in {"plain": "", "asked": "resize = true\nsegmenter = 'palette'\n"}.items():
        plan = plan_of(tmp_path, head + settings, name)
        do(plan, "metrics")
        images_table = read_table(plan.folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
        sets_table = read_table(plan.folder / "metrics" / "set_metrics.csv", SET_METRICS)
        values[name] = (images_table.iloc[0]["reason"], sets_table.iloc[0]["reason"])
    assert "sizes" in values["plain"][0]
    assert "segmenter" in values["plain"][1]
    assert np.isnan(values["asked"][0])
    assert "no segmenter" not in values["asked"][1]
    with pytest.raises(UserError, match=r"metrics\.resize.*metrics\.segmenter.*'palette'"):
        do(plan_of(tmp_path, head, "asked"), "metrics")


class Means(torch.nn.Module):
    """(N, 3, S, S) to (N, 3): the channels' means."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def test_a_study_file_repeats_features_networks_and_baselines(tmp_path: Path) -> None:
    hole = np.pad(np.full((20, 30, 3), 255, np.uint8), ((9, 35), (7, 27), (0, 0)))
    pair_set(tmp_path / "set", "pqr", mask=hole)
    rows = read_rows(tmp_path / "set" / "stimuli.csv", STIMULI)
    names = [str(row["stimulus"]) for row in rows]
    vectors = np.random.default_rng(0).normal(size=(6, 2))
    np.savez(tmp_path / "given.npz", stimulus=np.array(names), features=vectors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Means()).save(str(tmp_path / "means.pt"))
    (tmp_path / "means.toml").write_text("input_size = 8\nlicence = 'CC0'\n")
    asked = 'features = { given = "given.npz" }\nnetworks = { means = "means.pt" }\nbaselines = true\n'
    plan = plan_of(tmp_path, IMPORTED.replace('"brisque"', '"l1_hole", "fid@given"') + asked)
    do(plan, "metrics")
    assert do(plan, "metrics") == ["metrics: up to date"]
    sets = read_table(plan.folder / "metrics" / "set_metrics.csv", SET_METRICS).set_index(["model", "metric"])
    is_fake = np.array([row["kind"] == "fake" for row in rows])
    assert sets.loc[("m", "fid@given"), "value"] == pytest.approx(fid(vectors[~is_fake], vectors[is_fake]), abs=1e-9)
    assert "'d/harmonic/" in sets.loc[("harmonic", "fid@given"), "reason"]
    assert sets.loc[("harmonic", "u_ids@means"), "value"] >= 0
    assert len(sets) == 3 * 11  # fid@given, and all ten of means, of m and both baselines
    images = read_table(plan.folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    assert images["value"].notna().all()
    assert set(images["model"]) == {"m", "border_mean", "harmonic"}
    for file in ("given.npz", "means.toml"):  # another file is another input
        if file == "given.npz":
            np.savez(tmp_path / file, stimulus=np.array(names), features=vectors + 1)
        else:
            (tmp_path / file).write_text("input_size = 9\nlicence = 'CC0'\n")
        assert any(line.startswith("metrics: done") for line in do(plan, "metrics")), file


def test_metrics_are_computed_again_when_the_weights_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair_set(tmp_path / "set")
    plan = plan_of(tmp_path, IMPORTED)
    assert any("weights fetch brisque" in line for line in do(plan, "metrics"))
    assert do(plan, "metrics") == ["metrics: up to date"]

    known = cache.WEIGHTS["brisque"]
    file = cache.cache_folder() / known.packaged.file
    file.parent.mkdir(parents=True)
    head = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 1\nrho -153.591\nprobA 5.7\nSV\n"
    file.write_text(head + "-1024 1:0.5\n")
    packaged = replace(known.packaged, member_sha256=sha256_file(file))
    monkeypatch.setitem(cache.WEIGHTS, "brisque", replace(known, packaged=packaged))
    assert any(line.startswith("metrics: done") for line in do(plan, "metrics"))
    found = read_table(plan.folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    assert found["value"].notna().all()
    assert len(found) == 2


def test_plateaus_follow_the_validation_tables(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "test")):
        pictures.write_png(tmp_path / "data" / "d" / split / "p.png", picture(number))
    plan = plan_of(tmp_path, TRAINED)
    table = plan.folder / "tables" / "plateaus.csv"
    do(plan, "training")
    assert len(read_table(table, PLATEAUS)) == 0
    assert do(plan, "training") == ["training: up to date"]

    rng = np.random.default_rng(0)
    rows = [
        {"step": step, "mode": "train", "metric": "psnr", "value": min(step, 400) / 100 + rng.normal(0, 0.05)}
        for step in range(0, 1001, 50)
    ]
    write_rows(rows, plan.model_folder("b") / "validation.csv", VALIDATION)
    do(plan, "training")
    (row,) = read_table(table, PLATEAUS).to_dict("records")
    assert (row["model"], row["dataset"], row["verdict"]) == ("b", "d", "plateau")
    pd.testing.assert_frame_equal(read_table(table.with_suffix(".parquet"), PLATEAUS), read_table(table, PLATEAUS))
    assert row["ci_low"] <= 400 <= row["ci_high"]


QUIZ_TABLE = "study,source,dataset,group,trials,percent_correct\n{who},{who}'s paper,d,real,25,96\n"


def published_study(folder: Path, *named: str) -> Plan:
    names = ", ".join(f'"{name}"' for name in named)
    (folder / "out" / ".gan-eval" / "report.json").unlink(missing_ok=True)
    return plan_of(folder, f'[study]\nname = "s"\npublished = [{names}]\n[stimuli]\nsets = ["set"]\n')


def test_published_tables_of_one_name_are_both_kept_and_a_dropped_one_goes(tmp_path: Path) -> None:
    pair_set(tmp_path / "set", stems="pqrs")
    for name in ("a/quiz.csv", "b/quiz.csv", "c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(QUIZ_TABLE.format(who=f"author-{name[0]}"), encoding="utf-8")
    plan = published_study(tmp_path, "a/quiz.csv", "b/quiz.csv", "c.csv")
    do(plan, "report")
    copied = tmp_path / "out" / "published"
    assert sorted(path.name for path in copied.iterdir()) == ["1_quiz.csv", "2_quiz.csv", "3_c.csv"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(f"author-{who}" in page for who in "abc")
    assert "m on d" in page
    assert page.count("data:image/jpeg;base64,") >= 2, "pictures of the imported set"
    (copied / "mine.csv").write_text(QUIZ_TABLE.format(who="mine"), encoding="utf-8")
    do(published_study(tmp_path, "b/quiz.csv"), "report")
    assert sorted(path.name for path in copied.iterdir()) == ["1_quiz.csv", "mine.csv"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "author-b" in page
    assert "author-a" not in page
    assert "author-c" not in page


def test_tables_of_people_who_have_been_forgotten_go(finished_study: Path, tmp_path: Path) -> None:
    plan = open_plan(None, copy_study(finished_study, tmp_path) / "out")
    write_rows([], plan.folder / "tables" / "plateaus.csv", PLATEAUS)
    of_people = [plan.folder / "tables" / name for name in ("rates.csv", "paper.tex", "models.tex")]
    assert all(path.is_file() for path in of_people)
    plan.store.unlink()
    (stage,) = [stage for stage in list_stages(plan) if stage.name == "analyze"]
    assert stage.work(Ear()) is False
    assert [*filter(Path.is_file, of_people)] == []
    assert {path.name for path in (plan.folder / "tables").glob("*.csv")} == {"giveaways.csv", "plateaus.csv"}


def test_the_audit_is_a_stage_which_studies_without_real_pictures_skip(tmp_path: Path) -> None:
    pair_set(tmp_path / "set", "abcdefgh", fake_side=60)
    plan = plan_of(tmp_path, IMPORTED)
    assert any("size" in line for line in do(plan, "audit"))
    found = read_rows(plan.folder / "tables" / "giveaways.csv", GIVEAWAYS)
    assert {row["clue"] for row in found if row["verdict"] == "gives_away"} == {"size"}
    assert do(plan, "audit") == ["audit: up to date"]
    write_items(tmp_path / "set", {stem: {"fake": picture(1)} for stem in "abcdefgh"})
    other = plan_of(tmp_path, IMPORTED, "other")
    assert "no real pictures" in do(other, "audit")[0]


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


def test_replicates_are_tested_on_the_holes_of_the_studys_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset in ("land", "pairs"):
        for number, split in enumerate(("train", "test")):
            file = tmp_path / "data" / dataset / split / f"{number}.png"
            pictures.write_png(file, np.full((32, 64, 3), number, np.uint8))
    given: list[Any] = []
    monkeypatch.setattr(trainer.generate, "generate", lambda *_, **options: given.append(options["mask_seed"]))
    for seed in (5, 6):
        plan = plan_of(tmp_path, STUDY.replace("seed = 5", f"seed = {seed}"))
        stages = [generate_stage(plan, model) for model in ("one", "other", "translator")]
        assert [stage.settings.get("mask_seed") for stage in stages] == [seed, seed, None]
        for stage in stages[:2]:
            stage.work(Ear())
    assert given == [5, 5, 6, 6]


def test_the_report_has_the_study_file_that_the_run_began_with(tmp_path: Path) -> None:
    """It is often changed for the next run while this one trains."""
    pair_set(tmp_path / "set", stems="pqrs")
    plan = published_study(tmp_path)
    began = plan.file.read_bytes()
    plan.file.write_bytes(began + b"\n[analysis]\nmargin = 0.1\n")
    do(plan, "report")
    assert (plan.folder / "study.toml").read_bytes() == began
    again = make_plan(plan.file, plan.folder, simulate=plan.simulate)
    do(again, "report")
    assert (plan.folder / "study.toml").read_bytes() == plan.file.read_bytes(), "the next run sees the change"


def test_settings_of_the_quiz_without_effect_are_told(tmp_path: Path) -> None:
    pair_set(tmp_path / "set", stems="pqrs")
    study = '[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n[quiz]\nreal = 2\nfake = 2\nviewing_distance_cm = 60\n'
    assert "quiz.viewing_distance_cm: no effect with the other settings of [quiz]" in do(
        plan_of(tmp_path, study), "quiz"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dataset,metric,psnr\nd,psnr,24\n", "has no column source, value, so the report would not show it"),
        (QUIZ_TABLE.format(who="a").replace("96", "0.96"), "percent_correct is 0.96 to 1 at most: shares?"),
    ],
)
def test_published_tables_that_are_not_shown_are_refused(tmp_path: Path, text: str, words: str) -> None:
    pair_set(tmp_path / "set", stems="pqrs")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        published_study(tmp_path, "a.csv")
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'study.toml'}: study.published: ")
