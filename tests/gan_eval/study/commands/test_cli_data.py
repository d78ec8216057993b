"""The commands of data and stimuli, from the command line's words to files, lines and exit statuses."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.pictures import decode as pictures
from gan_eval.pictures.importing import import_folder
from gan_eval.store import open_store
from gan_eval.tables import SESSIONS
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


def test_list_reports_the_presets(command):
    status, out, _ = command("data", "list")
    assert (status, [line.partition(":")[0] for line in out.splitlines()]) == (0, list(PRESETS))


def test_fetch_from_a_file_under_the_data_root(command, facades, tmp_path, monkeypatch):
    monkeypatch.delenv("GAN_EVAL_DATA", raising=False)
    archive = tmp_path / "facades.tar.gz"
    with tarfile.open(archive, "w:gz") as tarred:
        tarred.add(facades, "facades")
    words = ("data", "fetch", "facades", "--from", archive)
    status, _, err = command(*words)
    assert (status, "give --data-root DIR" in err) == (2, True)
    assert command(*words, "--data-root", tmp_path / "new")[:2] == (0, f"{tmp_path / 'new' / 'facades'}\n")
    assert len(list((tmp_path / "new/facades/train").iterdir())) == 3


def test_check_exits_with_0_and_findings_and_2_where_nothing_can_be_used(command, facades):
    (facades / "train" / "bad.png").write_text("no picture")
    status, out, _ = command("data", "check", facades)
    assert status == 0
    assert "unusable: " in out
    assert "bad.png:" in out
    assert command("data", "check", facades / "train")[0] == 2


def test_preview_writes_a_sheet(command, facades, tmp_path):
    out = tmp_path / "sheet.png"
    assert command("data", "preview", facades, "--direction", "BtoA", "--out", out)[:2] == (0, f"{out}\n")
    assert Image.open(out).size > (64, 32)
    assert command("data", "preview", facades, "--direction", "AtoC", "--out", out)[0] == 2


def test_pair_and_edges_write_data_sets(command, tmp_path):
    for side in "ab":
        save(tmp_path / side / "x.png", ord(side))
    status, _, err = command("data", "pair", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "pairs")
    assert (status, "train 1 pairs" in err) == (0, True)
    assert Image.open(tmp_path / "pairs/train/x.png").size == (64, 32)
    edges = ("data", "edges", tmp_path / "a", "--sigma", 1, "--out")
    assert command(*edges, tmp_path / "edges")[0] == 0
    assert Image.open(tmp_path / "edges/train/x.png").size == (64, 32)
    assert command(*edges, tmp_path / "b")[0] == 2


@pytest.fixture
def stimuli(tmp_path):
    """A set of six items, imported."""
    for stem in range(6):
        noise = np.random.default_rng(stem).integers(0, 200, (24, 24, 3))
        for kind, levels in (("real", noise), ("fake", noise + 40)):
            pictures.write_png(tmp_path / "results" / kind / f"{stem}.png", levels.astype("u1"))
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


@pytest.mark.usefixtures("stimuli")
def test_generated_pictures_that_are_real_ones_are_warned_of_and_refused_by_the_quiz(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    real, fake = tmp_path / "results" / "real" / "0.png", tmp_path / "results" / "fake" / "3.png"
    Image.open(real).save(fake, compress_level=1)  # equal pixels in another file: the import makes them equal bytes
    assert real.read_bytes() != fake.read_bytes()
    quiz = "quiz --stimuli set --real 3 --fake 3 --participant P1 --simulate default --store s.sqlite"
    for words, wanted in (
        ("stimuli import results --out set --dataset d --model m", 0),
        ("stimuli audit set", 0),
        ("metrics set --metrics psnr --out m", 0),
        (quiz, 2),
    ):
        status, _, err = command(*words.split())
        assert status == wanted, words
        assert "1 generated picture is a real one, byte for byte: d/m/3 = d/real/0" in err, words
    assert "--allow-giveaways identical" in err
    assert command(*quiz.split(), "--allow-giveaways", "identical", "--seed", 7)[0] == 0
    with open_store("s.sqlite") as store:
        assert [row["seed"] for row in store.rows(SESSIONS)] == [7]
