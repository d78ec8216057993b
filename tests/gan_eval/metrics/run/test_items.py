"""Metrics of the generators' inputs in a run: whose rows, from which pictures, and why one has none."""

from pathlib import Path

import numpy as np
import pytest
from made_sets import write_items
from metric_pictures import cells, disturbed, measure, texture
from rehashed import rehash

from gan_eval.metrics.definitions.labels import cells_of, label_detail, predicted_shares
from gan_eval.pictures import decode as pictures
from gan_eval.report.metrics.answer import leaders
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.metrics.values import metric_tables

NAMES = ("label_detail", "label_information", "label_information_edges")
COUNT = 10


def blocks(seed: int) -> pictures.Picture:
    """Squares of four colours on the left, and on the right as many more as the seed says."""
    cells = np.random.default_rng(seed).integers(0, 4, (6, 6)) * 80
    cells[:, 5 - seed % 4 :] = 0
    return np.stack([cells, 255 - cells, cells // 2], axis=-1).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)


def photograph(seed: int) -> pictures.Picture:
    return 255 - blocks(seed) // 2 - texture(seed, 48, 48) // 8


def make_set(folder: Path) -> Path:
    """Make a set of items with inputs, of the model with the folder's name."""
    items = {
        str(n): {"input": blocks(n), "real": photograph(n), "fake": disturbed(photograph(n), n)} for n in range(COUNT)
    }
    return write_items(folder, items, model=folder.name)


def test_values_are_those_of_the_functions_a_row_for_each_generated_picture(tmp_path: Path) -> None:
    found = measure(make_set(tmp_path / "m"), ("psnr", *NAMES), threads=2)
    assert set(found.image_metrics["kind"]) == {"fake"}
    assert len(found.image_metrics) == COUNT * 4
    values = cells(found)
    shares = predicted_shares([cells_of(blocks(n), photograph(n)) for n in range(COUNT)], "colours")
    for n in range(COUNT):
        assert values[f"d/m/{n}", "label_detail"] == label_detail(blocks(n))
        assert values[f"d/m/{n}", "label_information"] == pytest.approx(shares[n], abs=1e-10)
    assert shares.mean() > 0.8


@pytest.mark.slow
def test_models_with_the_same_inputs_have_the_same_values_and_are_not_compared_by_them(tmp_path: Path) -> None:
    found = measure([make_set(tmp_path / "a"), make_set(tmp_path / "b")], ("psnr", *NAMES))
    values = cells(found)
    for name in NAMES:
        assert [values[f"d/a/{n}", name] for n in range(COUNT)] == [values[f"d/b/{n}", name] for n in range(COUNT)]
    assert set(found.metric_comparisons["metric"]) == {"psnr"}
    measured = Measured(found.by_name())
    assert leaders(measured, "d", "label_detail") == []
    captions = [table.caption for table in metric_tables(measured, "d")]
    assert any("the generators' inputs" in caption for caption in captions)


@pytest.mark.slow
def test_an_input_that_is_also_a_picture_is_kept_apart(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "m")
    for n in range(COUNT):  # the generator gave back the input of the item before
        pictures.write_png(folder / "fake" / f"{n}.png", blocks((n - 1) % COUNT))
    rehash(folder)
    names = ("label_detail", "label_information")
    first = measure(folder, names)
    pictures.write_png(folder / "input" / "0.png", blocks(40))
    rehash(folder)
    second = measure(folder, names)
    assert len({run.runs["input_hash"].iloc[0] for run in (first, second)}) == 2
    changed = cells(second)
    assert changed["d/m/0", "label_detail"] == label_detail(blocks(40))
    assert changed["d/m/1", "label_information"] != cells(first)["d/m/1", "label_information"]
