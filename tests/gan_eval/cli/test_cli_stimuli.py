"""The commands of `stimuli`, as a user gives them."""

import json

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run as gan_eval_run
from gan_eval.stimuli import pictures


@pytest.fixture
def run(capsys):
    """`run("audit", SET)`: exit status, stdout, stderr."""

    def give(*words):
        status = gan_eval_run(["stimuli", *map(str, words)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return give


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


def test_an_audit_reports_people_on_stderr_and_writes_its_table(run, stimuli, tmp_path):
    status, out, err = run("audit", stimuli, "--out", tmp_path / "audit")
    assert (status, out.strip()) == (0, str(tmp_path / "audit"))
    assert "6 real and 6 generated pictures" in err
    assert "brightness" in err
    header = (tmp_path / "audit" / "giveaways.csv").read_text().splitlines()[0]
    assert header.startswith("dataset,model,clue,sort,")


def test_an_audit_as_json_is_one_object_on_stdout(run, stimuli):
    status, out, _ = run("audit", stimuli, "--json")
    rows = json.loads(out)["giveaways"]
    assert status == 0
    assert {row["verdict"] for row in rows} == {"ok", "look", None}


def test_equalise_makes_a_set(run, stimuli, tmp_path):
    status, out, err = run("equalise", stimuli, "--out", tmp_path / "equal", "--size", "16x16", "--jpeg", "80")
    assert (status, out.strip()) == (0, str(tmp_path / "equal"))
    assert "6 items of 16x16 pixels, 0 left out\n12 of 12 pictures changed; written as PNG under neutral names" in err
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
        assert gan_eval_run(command.split()) == status, command
        err = capsys.readouterr().err
        assert "1 generated picture is a real one, byte for byte: d/m/3 = d/real/0" in err, command
    assert "--allow-giveaways identical" in err
    assert gan_eval_run([*quiz.split(), "--allow-giveaways", "identical"]) == 0
