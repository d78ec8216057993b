"""The commands of data and stimuli, from the command line's words to files, lines and exit statuses."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.stimuli import pictures
from trainer.datasets.presets import PRESETS


def save(path: Path, seed: int = 0, size: tuple[int, int] = (32, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def facades(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / "root" / "facades" / "train" / f"{number}.png", number, (64, 32))
    return tmp_path / "root" / "facades"


def test_list_reports_the_presets(capsys: pytest.CaptureFixture) -> None:
    assert run(["data", "list"]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == list(PRESETS)


def test_fetch_from_a_file_under_the_data_root(
    facades: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAN_EVAL_DATA", raising=False)
    archive = tmp_path / "facades.tar.gz"
    with tarfile.open(archive, "w:gz") as tarred:
        tarred.add(facades, "facades")
    command = ["data", "fetch", "facades", "--from", str(archive)]
    assert run(command) == 2
    assert "give --data-root DIR" in capsys.readouterr().err
    assert run([*command, "--data-root", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'new' / 'facades'}\n"
    assert len(list((tmp_path / "new/facades/train").iterdir())) == 3


def test_check_exits_with_0_and_findings_and_2_where_nothing_can_be_used(
    facades: Path, capsys: pytest.CaptureFixture
) -> None:
    (facades / "train" / "bad.png").write_text("no picture")
    assert run(["data", "check", str(facades)]) == 0
    assert "unusable: " in (said := capsys.readouterr().out)
    assert "bad.png: not a readable picture" in said
    assert run(["data", "check", str(facades / "train")]) == 2


def test_preview_writes_a_sheet(facades: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "sheet.png"
    assert run(["data", "preview", str(facades), "--direction", "BtoA", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert Image.open(out).size > (64, 32)
    assert run(["data", "preview", str(facades), "--direction", "AtoC", "--out", str(out)]) == 2


def test_pair_and_edges_write_data_sets(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for side in "ab":
        save(tmp_path / side / "x.png", ord(side))
    assert run(["data", "pair", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "pairs")]) == 0
    assert "train 1 pairs" in capsys.readouterr().err
    assert Image.open(tmp_path / "pairs/train/x.png").size == (64, 32)
    edges = ["data", "edges", str(tmp_path / "a"), "--sigma", "1"]
    assert run([*edges, "--out", str(tmp_path / "edges")]) == 0
    assert Image.open(tmp_path / "edges/train/x.png").size == (64, 32)
    assert run([*edges, "--out", str(tmp_path / "b")]) == 2


@pytest.fixture
def stimuli(tmp_path):
    """A set of six items, imported."""
    for stem in range(6):
        for kind in ("real", "fake"):
            noise = np.random.default_rng(stem).integers(0, 200, (24, 24, 3))
            (tmp_path / "results" / kind).mkdir(parents=True, exist_ok=True)
            pictures.write_png(
                tmp_path / "results" / kind / f"{stem}.png", (noise + 40 * (kind == "fake")).astype("u1")
            )
    from gan_eval.stimuli.importing import import_folder

    return import_folder(tmp_path / "results", tmp_path / "set", dataset="d", model="m").folder


def test_audit_and_equalise_write_what_they_are_asked_for(command, stimuli, tmp_path):
    status, out, err = command("stimuli", "audit", stimuli, "--out", tmp_path / "audit", "--json")
    rows = json.loads(out)["giveaways"]
    assert (status, {row["verdict"] for row in rows}) == (0, {"ok", "look", None})
    assert "6 real and 6 generated pictures" in err
    assert "brightness" in err
    header = (tmp_path / "audit" / "giveaways.csv").read_text().splitlines()[0]
    assert header.startswith("dataset,model,clue,sort,")
    assert command("stimuli", "audit", stimuli, "--out", tmp_path / "audit")[1].strip() == str(tmp_path / "audit")
    words = ("--out", tmp_path / "equal", "--size", "16x16", "--jpeg", "80")
    status, out, err = command("stimuli", "equalise", stimuli, *words)
    assert (status, out.strip()) == (0, str(tmp_path / "equal"))
    assert "6 items of 16x16 pixels, 0 left out; written as PNG under neutral names" in err
    assert (tmp_path / "equal" / "stimuli.csv").is_file()


def test_generated_pictures_that_are_real_ones_are_warned_of_and_refused_by_the_quiz(
    stimuli, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    real, fake = tmp_path / "results" / "real" / "0.png", tmp_path / "results" / "fake" / "3.png"
    Image.open(real).save(fake, compress_level=1)  # equal pixels in another file: the import makes them equal bytes
    assert real.read_bytes() != fake.read_bytes()
    quiz = "quiz --stimuli set --real 3 --fake 3 --participant P1 --simulate default --store s.sqlite"
    for command, status in (
        ("stimuli import results --out set --dataset d --model m", 0),
        ("stimuli audit set", 0),
        ("metrics set --metrics psnr --out m", 0),
        (quiz, 2),
    ):
        assert run(command.split()) == status, command
        err = capsys.readouterr().err
        assert "1 generated picture is a real one, byte for byte: d/m/3 = d/real/0" in err, command
    assert "--allow-giveaways identical" in err
    assert run([*quiz.split(), "--allow-giveaways", "identical"]) == 0
