"""Set metrics of the holes of one kind and of one band of areas."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_sets import write_items
from metric_pictures import disturbed, features_frame, texture

from gan_eval import tables
from gan_eval.metrics import Settings, write_metrics
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.metrics.run.runner import run_metrics
from gan_eval.pictures.holes import mask_of
from gan_eval.pictures.sets import read_set, write_set
from gan_eval.tables.frames import read_table

N, D = 12, 3
KINDS = ["centre"] * 7 + ["strokes"] * 5
AREAS = [0.05] * 4 + [0.25] * 8
Vectors = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    items = {}
    for n in range(N):
        hole = np.zeros((16, 16), bool)
        hole[4:9, 4:12] = True
        real = texture(n, 16, 16)
        items[f"{n:02}"] = {"real": real, "fake": disturbed(real, n, 9), "mask": mask_of(hole)}
    made = write_items(tmp_path / "set", items, model="m")
    rows = read_set(made).rows
    fakes = [row for row in rows if row["kind"] == "fake"]
    for row, kind, area in zip(fakes, KINDS, AREAS, strict=True):
        row.update(mask_kind=kind, mask_area=area)
    write_set(made, rows)
    return made


@pytest.fixture
def vectors() -> Vectors:
    rng = np.random.default_rng(2)
    real = rng.normal(size=(N, D))
    return real, real + rng.normal(0.2, 0.5, size=(N, D))


def settings(vectors: Vectors, *names: str) -> Settings:
    return Settings(tuple(f"{name}@x" for name in names), features={"x": features_frame(*vectors)})


def test_values_are_those_of_the_pictures_of_that_sort(folder: Path, vectors: Vectors, tmp_path: Path) -> None:
    names = ("p_ids", "u_ids", "fid", "kid", "cmmd")
    write_metrics([folder], settings(vectors, *names, "recall"), tmp_path / "out")
    found = read_table(tmp_path / "out" / "hole_metrics.csv", tables.HOLE_METRICS)
    values = found.set_index(["by", "hole", "metric"])
    sorts = {("kind", kind): np.array(KINDS) == kind for kind in ("centre", "strokes")}
    sorts |= {("area", "1-10"): np.array(AREAS) < 0.1, ("area", "20-30"): np.array(AREAS) > 0.1}
    assert len(values) == len(sorts) * len(names)  # recall is not given by hole
    for (by, hole), chosen in sorts.items():
        real, fake = (side[chosen] for side in vectors)
        for name in names:
            row = values.loc[(by, hole, f"{name}@x")]
            items = {"items": (range(len(real)),) * 2} if name == "kid" else {}
            assert row["value"] == pytest.approx(TEMPLATES[name].function(real, fake, **items), abs=1e-9), (hole, name)
            assert (row["n_real"], row["n_fake"]) == (chosen.sum(), chosen.sum())


def test_a_zero_of_few_pictures_is_explained(folder: Path) -> None:
    wide = np.random.default_rng(0).normal(size=(2, N, 40))
    found = run_metrics(stimuli_of_sets([folder]), settings((wide[0], wide[1]), "p_ids", "kid"), command="test")
    of_strokes = found.hole_metrics[found.hole_metrics["hole"] == "strokes"].set_index("metric")
    assert of_strokes.loc["p_ids@x", "value"] == 0
    assert of_strokes.loc["p_ids@x", "note"].startswith("0 says nothing here: a plane can separate any 10 pictures")
    assert pd.isna(of_strokes.loc["kid@x", "note"])
    of_all = found.set_metrics.set_index("metric")
    assert "a plane can separate any 24 pictures with 40 features" in of_all.loc["p_ids@x", "note"]
    assert pd.isna(of_all.loc["p_ids@x", "ci_high"])
    assert pd.isna(of_all.loc["kid@x", "note"])


def test_a_picture_without_features_leaves_its_sorts_empty(folder: Path, vectors: Vectors) -> None:
    given = settings(vectors, "kid")
    (frame,) = given.features.values()
    assert isinstance(frame, pd.DataFrame)
    given = replace(given, features={"x": frame[frame["stimulus"] != "d/real/00"]})
    found = run_metrics(stimuli_of_sets([folder]), given, command="test").hole_metrics
    empty = found[found["value"].isna()]
    assert set(empty["hole"]) == {"centre", "1-10"}
    assert empty["reason"].str.contains("no row for 'd/real/00'").all()


def test_holes_of_one_sort_have_no_table(folder: Path, vectors: Vectors, tmp_path: Path) -> None:
    rows = [
        row | ({"mask_kind": "centre", "mask_area": 0.1} if row["mask_file"] else {}) for row in read_set(folder).rows
    ]
    write_set(folder, rows)
    write_metrics([folder], settings(vectors, "kid"), tmp_path / "out")
    assert not (tmp_path / "out" / "hole_metrics.csv").exists()
