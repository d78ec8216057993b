"""The user's own segmenter in a run: stimulus sets, folders, failures, threads, what is kept."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from made_sets import write_items
from tiny_segmenters import PALETTE, NearestColour, labels, save
from torch import Tensor

from gan_eval.metrics import evaluate
from gan_eval.metrics.definitions.segmentation import confusion
from gan_eval.metrics.networks import segmenter
from gan_eval.tables import STIMULI
from gan_eval.tables.frames import read_table


def test_scores_of_a_stimulus_set(colour_network, tmp_path):
    """Values known by construction: of four pictures one is perfect, two are half wrong, and one has no label map."""
    items, counts = {}, np.zeros((19, 20))
    for number, stem in enumerate("abcd"):
        true = labels(number)
        read = true.copy()
        if stem in "bc":
            read[:, 48:] = (true[:, 48:] + 1) % 19
        items[stem] = {"real": PALETTE[true], "fake": PALETTE[read]} | ({} if stem == "d" else {"input": PALETTE[true]})
        if stem != "d":
            counts += confusion(true, read).reshape(19, 20)
    write_items(tmp_path, items)
    names = ["pixel_accuracy", "class_accuracy", "class_iou"]
    _, sets = evaluate(tmp_path, names, segmenter=colour_network, device="cpu", cache=False)
    sets = sets.set_index("metric")
    assert sets.loc["pixel_accuracy", "value"] == pytest.approx(2 / 3, rel=1e-12)
    assert list(sets["n_fake"]) == [3, 3, 3]
    assert "no input_file" in sets.loc["class_iou", "note"]
    assert sets.loc["class_accuracy", "value"] == pytest.approx(np.mean(np.diag(counts) / counts.sum(1)), rel=1e-9)
    _, of_maps = evaluate(tmp_path, names, segmenter=Path("palette"), cache=False)
    of_maps = of_maps.set_index("metric")
    assert of_maps.loc["pixel_accuracy", "value"] == pytest.approx(3 / 4, rel=1e-12)
    assert list(of_maps["n_fake"]) == [4, 4, 4]


def test_pictures_of_another_size_are_brought_to_their_label_maps(colour_network, tmp_path):
    items = {}
    for number, stem in enumerate("ab"):
        made = PALETTE[labels(number)]
        twice = made.repeat(2, axis=0).repeat(2, axis=1)
        items[stem] = {"input": made, "real": twice, "fake": twice}
    write_items(tmp_path, items)
    _, sets = evaluate(tmp_path, ["pixel_accuracy"], segmenter=colour_network, device="cpu", cache=False)
    (row,) = sets.to_dict("records")
    assert row["n_fake"] == 2, row["reason"]
    assert row["value"] > 0.9


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "too little memory for a picture"),
        (OSError("a lost connection"), "the segmenter fails on a picture of 96x64: a lost connection"),
    ],
)
def test_a_failure_that_passes_is_not_kept(tmp_path, monkeypatch, error, reason):
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    network = save(NearestColour(), tmp_path / "net.pt")
    folder = tmp_path / "set"
    _write_maps(folder, "ab")

    def score() -> pd.Series:
        asked = {"segmenter": network, "device": "cpu", "cache": tmp_path / "cache"}
        return evaluate(folder, ["pixel_accuracy"], **asked)[1].iloc[0]

    def fails(_picture: Tensor) -> Tensor:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "load_network", lambda *_, **__: fails)
        first = score()
    assert math.isnan(first["value"])
    assert first["reason"].startswith(reason)
    second = score()
    assert second["value"] == 1
    assert (second["n_real"], second["n_fake"]) == (2, 2)


def test_pictures_said_to_be_unseen_are_no_longer_called_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    folder = tmp_path / "set"
    _write_maps(folder, "abcd")
    stimuli = read_table(folder / "stimuli.csv", STIMULI)

    def called_seen(*, marked: bool) -> bool:
        frame = stimuli.assign(seen=[marked if kind == "fake" else None for kind in stimuli["kind"]])
        asked = {"segmenter": "palette", "cache": tmp_path / "cache", "root": folder, "device": "cpu"}
        return bool(evaluate(frame, ["pixel_accuracy"], **asked)[1]["seen"].fillna(False).all())

    assert called_seen(marked=True)
    assert not called_seen(marked=False)
    assert called_seen(marked=True)


def _write_maps(folder: Path, stems: str) -> None:
    """Write a stimulus set of which all pictures are their label maps."""
    maps = {stem: PALETTE[labels(number)] for number, stem in enumerate(stems)}
    write_items(folder, {stem: dict.fromkeys(("input", "real", "fake"), made) for stem, made in maps.items()})
