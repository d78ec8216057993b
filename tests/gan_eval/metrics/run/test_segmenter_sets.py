"""The user's own segmenter in a run: stimulus sets, folders, failures, threads, what is kept."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_segmenters import PALETTE, NearestColour, labels, save
from torch import Tensor

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.metrics import Settings, evaluate, write_metrics
from gan_eval.metrics.definitions.segmentation import class_map, confusion
from gan_eval.metrics.networks import segmenter
from gan_eval.metrics.networks.segmenter import load_network, load_segmenter
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.sets import stimulus_row, write_set
from gan_eval.tables import STIMULI
from gan_eval.tables.frames import read_table


def test_scores_of_a_stimulus_set(colour_network, tmp_path):
    """Values known by construction: of four pictures one is perfect, two are half wrong, and one has no label map."""
    rows = []
    for number, stem in enumerate("abcd"):
        true = labels(number)
        read = true.copy()
        if stem in "bc":
            read[:, 48:] = (true[:, 48:] + 1) % 19
        for kind, classes in (("input", true), ("real", true), ("fake", read)):
            images.write_png(tmp_path / kind / f"{stem}.png", PALETTE[classes])
        shared = {
            "dataset": "d",
            "stem": stem,
            "size": true.shape,
            "input_file": f"input/{stem}.png" if stem != "d" else None,
        }
        rows.append(stimulus_row(tmp_path, tmp_path / "real" / f"{stem}.png", kind="real", **shared))
        fake = {"kind": "fake", "model": "m", "reference_file": f"real/{stem}.png"}
        rows.append(stimulus_row(tmp_path, tmp_path / "fake" / f"{stem}.png", **fake, **shared))
    write_set(tmp_path, rows)
    names = ["pixel_accuracy", "class_accuracy", "class_iou"]
    _, sets = evaluate(tmp_path, names, segmenter=colour_network, device="cpu", cache=False)
    sets = sets.set_index("metric")
    assert sets.loc["pixel_accuracy", "value"] == pytest.approx(2 / 3, rel=1e-12)
    assert list(sets["n_fake"]) == [3, 3, 3]
    assert "no input_file" in sets.loc["class_iou", "note"]
    counts = sum(confusion(t, r).reshape(19, 20).astype(float) for t, r in _read(tmp_path, "abc"))
    assert sets.loc["class_accuracy", "value"] == pytest.approx(np.mean(np.diag(counts) / counts.sum(1)), rel=1e-9)
    _, of_maps = evaluate(tmp_path, names, segmenter=Path("palette"), cache=False)
    of_maps = of_maps.set_index("metric")
    assert of_maps.loc["pixel_accuracy", "value"] == pytest.approx(3 / 4, rel=1e-12)
    assert list(of_maps["n_fake"]) == [4, 4, 4]


def _read(folder: Path, stems: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The classes of each label map and of its generated picture."""
    return [
        (
            class_map(images.read_rgb(folder / "input" / f"{s}.png")),
            class_map(images.read_rgb(folder / "fake" / f"{s}.png")),
        )
        for s in stems
    ]


class Sometimes:
    """A network that fails on one picture of many while `fails` is set."""

    def __init__(self, sound, error: Exception) -> None:
        self.sound, self.error, self.fails = sound, error, False

    def __call__(self, picture: Tensor) -> Tensor:
        if self.fails:
            raise self.error
        return self.sound(picture)


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
    found = Sometimes(load_network(network, device="cpu"), error)
    folder = tmp_path / "set"
    _write_maps(folder, "ab")

    def score() -> pd.Series:
        asked = {"segmenter": network, "device": "cpu", "cache": tmp_path / "cache"}
        return evaluate(folder, ["pixel_accuracy"], **asked)[1].iloc[0]

    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "load_network", lambda *_, **__: found)
        patch.setattr(segmenter.NetworkSegmenter, "prepare", _failing(found, segmenter.NetworkSegmenter.prepare))
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


def _failing(network: Sometimes, prepare):
    """`prepare`, with a network that fails from now on; it was sound when it was tried."""

    def failing(self, *pictures):
        network.fails = True
        return prepare(self, *pictures)

    return failing


def test_too_little_memory_for_the_network_is_the_users_line(tmp_path, monkeypatch):
    file = save(NearestColour(), tmp_path / "net.pt")
    error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    def fail(*_, **__):
        raise error

    line = rf"--segmenter {file}: too little memory on cpu; make some free, or name another --device"
    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "load_network", lambda *_, **__: fail)
        with pytest.raises(UserError, match=line):
            load_segmenter(file, device="cpu")
    monkeypatch.setattr(torch.jit, "load", fail)
    with pytest.raises(UserError, match=line):
        load_segmenter(file, device="cpu")


def _write_maps(folder: Path, stems: str) -> None:
    """A stimulus set of which all pictures are their label maps."""
    rows = []
    for number, stem in enumerate(stems):
        for kind in ("input", "real", "fake"):
            images.write_png(folder / kind / f"{stem}.png", PALETTE[labels(number)])
        shared = {"dataset": "d", "stem": stem, "size": (64, 96), "input_file": f"input/{stem}.png"}
        rows.append(stimulus_row(folder, folder / "real" / f"{stem}.png", kind="real", **shared))
        fake = {"kind": "fake", "model": "m", "reference_file": f"real/{stem}.png"}
        rows.append(stimulus_row(folder, folder / "fake" / f"{stem}.png", **fake, **shared))
    write_set(folder, rows)


def test_two_folders_name_no_label_maps(tmp_path, capsys):
    for kind in ("real", "fake"):
        images.write_png(tmp_path / kind / "a.png", PALETTE[labels(0)])
    network = save(NearestColour(), tmp_path / "net.pt")
    folders = ["--real", tmp_path / "real", "--fake", tmp_path / "fake", "--out", tmp_path / "out"]
    command = ["metrics", *folders, "--metrics", "class_iou,psnr", "--segmenter", network, "--device", "cpu"]
    assert run([*map(str, command), "--no-cache"]) == 0
    reason = "no input_file: the label map that the picture was generated from; a stimulus set with input/ has it"
    assert f"fake on real: no class_iou: {reason}\n" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "out" / "set_metrics.csv")["reason"].tolist() == [reason]


def test_a_run_with_a_segmenter_names_no_resizer(colour_network, tmp_path):
    _write_maps(tmp_path / "set", "ab")
    settings = Settings(("pixel_accuracy",), segmenter=colour_network, device="cpu")
    (run,) = write_metrics([tmp_path / "set"], settings, tmp_path / "out")["runs"].to_dict("records")
    assert pd.isna(run["resizer"]), "a segmenter has a size of its own"
