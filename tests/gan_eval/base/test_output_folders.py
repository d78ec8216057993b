"""Output folders: links in them are refused, and one process at a time writes there; by every command that writes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.base import locks
from gan_eval.base.errors import UserError
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.sets import read_set

COMMANDS = {
    "import": ("stimuli", "import", "results", "--model", "m"),
    "equalise": ("stimuli", "equalise", "set"),
    "audit": ("stimuli", "audit", "set"),
    "metrics": ("metrics", "set", "--metrics", "psnr"),
    "analyze": ("analyze", "trials.csv"),
    "export": ("export", "--store", "none.sqlite", "--format", "csv"),
    "pair": ("data", "pair", "results/real", "results/fake"),
    "edges": ("data", "edges", "results/real"),
    "fetch": ("data", "fetch", "facades", "--from", "results/real/0.png"),
    "run": ("run", "study.toml"),
    "try": ("try", "results/real", "results/fake", "--no-quiz"),
}
HELD = ("import", "equalise", "pair", "edges", "fetch")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with results, a set of them, a study of the set, and photographs of the user's."""
    monkeypatch.chdir(tmp_path)
    for seed, folder in enumerate(("results/real", "results/fake", "results/mask", "photographs")):
        Path(folder).mkdir(parents=True)
        for stem in range(2):
            noise = np.random.default_rng([seed, stem]).integers(0, 256, (32, 64, 3), np.uint8)
            Image.fromarray(noise).save(Path(folder) / f"{stem}.png")
    import_folder(Path("results"), Path("set"), dataset="d", model="m")
    Path("study.toml").write_text('[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n')
    Path("trials.csv").write_text("session,participant,trial,stimulus,kind,response\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "place"), [*((name, "real") for name in COMMANDS), ("import", "a/b/link"), ("import", ".gan-eval/link")]
)
def test_a_linked_folder_in_the_output_is_refused(world, capsys, name, place):
    before = contents(Path("photographs"))
    link = Path("out") / place
    link.parent.mkdir(parents=True)
    Path("out/.gan-eval").mkdir(exist_ok=True)
    link.symlink_to(world / "photographs", target_is_directory=True)
    assert run([*COMMANDS[name], "--out", "out"]) == 2
    assert f"--out out: {link}" in capsys.readouterr().err
    assert contents(Path("photographs")) == before
    assert link.is_symlink()


@pytest.mark.parametrize(("name", "below"), [("analyze", "tables"), ("metrics", "metrics")])
def test_tables_that_a_report_would_not_read_are_refused(world, capsys, name, below):
    for folder in (".gan-eval", below):
        Path("out", folder).mkdir(parents=True)
    Path("out", below, "earlier.csv").touch()
    assert run([*COMMANDS[name], "--out", "out"]) == 2
    assert f"--out out: a report of it reads the tables in {Path('out', below)}; name" in capsys.readouterr().err
    assert not [*Path("out").glob("*.csv")]


@pytest.mark.parametrize(
    ("name", "record"),
    [("analyze", "run.json"), ("metrics", "run.json"), ("run", "analysis.set.json"), ("run", "metrics.set.json")],
)
def test_tables_of_other_pictures_are_not_mixed_with_a_studys(world, capsys, name, record):
    Path("out/.gan-eval").mkdir(parents=True)
    Path("out/.gan-eval", record).write_text("{}")
    assert run([*COMMANDS[name], "--out", "out"]) == 2
    assert "another folder" in capsys.readouterr().err
    assert [path.name for path in Path("out").rglob("*.*")] == [".gan-eval", record]


def test_the_output_folder_itself_may_be_a_link_and_linked_files_are_replaced(world):
    Path("disk").mkdir()
    Path("out").symlink_to("disk")
    before = contents(Path("photographs"))
    for _ in range(2):
        assert run(["stimuli", "import", "results", "--out", "out"]) == 0
        assert len(read_set(Path("disk")).rows) == 4
        Path("disk/real/0.png").unlink()
        Path("disk/real/0.png").symlink_to(world / "photographs" / "0.png")
    assert contents(Path("photographs")) == before


def test_a_linked_lock_is_not_followed(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    lock = tmp_path / "out" / "x.lock"
    lock.parent.mkdir()
    lock.symlink_to(tmp_path / "photo.jpg")
    with pytest.raises(UserError, match=r"x\.lock"), locks.hold_lock(lock, "--out out", "testing"):
        pass
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"


@pytest.mark.parametrize("name", HELD)
def test_the_second_is_told_who_writes(world, capsys, name):
    with locks.hold_folder(Path("out")):
        assert run([*COMMANDS[name], "--out", "out"]) == 2
        reported = capsys.readouterr().err
        assert "--out out:" in reported
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("made", "other", "line"),
    [
        ("stimuli import results --model m", "stimuli import results --model n", "inputs: model was 'm', is 'n'"),
        ("stimuli import results", "stimuli import other --dataset results", "'../results'"),
        ("stimuli equalise set", "stimuli import results", "that this command did not make"),
        ("stimuli import results", "stimuli equalise set", "holds other results of gan_eval"),
    ],
)
def test_a_folder_with_another_set_is_refused_and_the_same_command_again_is_not(world, capsys, made, other, line):
    shutil.copytree("results", "other")
    for _ in range(2):
        assert run([*made.split(), "--out", "out"]) == 0
    before = (Path("out/stimuli.csv").read_bytes(), contents(Path("out/real")), contents(Path("out/fake")))
    capsys.readouterr()
    assert run([*other.split(), "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert "--out out: holds " in said
    assert line in said
    assert before == (Path("out/stimuli.csv").read_bytes(), contents(Path("out/real")), contents(Path("out/fake")))
    Path("out/stimuli.csv").unlink()  # as a kill leaves it
    assert run([*made.split(), "--out", "out"]) == 0
    assert before[0] == Path("out/stimuli.csv").read_bytes()
