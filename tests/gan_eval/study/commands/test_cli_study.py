"""The commands `study new` and `try`: what they write, and the one line where they cannot."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gan_eval.base.atomic import write_json
from gan_eval.base.locks import hold_lock
from gan_eval.base.progress import Listener
from gan_eval.base.reading import read_json
from gan_eval.metrics.weights.known import WEIGHTS
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.admission import Person
from gan_eval.quiz.simulate import parse_observer
from gan_eval.settings.examples import TEMPLATES
from gan_eval.settings.study import load_study
from gan_eval.study import two_folders
from gan_eval.study.commands.console import Console
from gan_eval.study.markers import run_lock
from gan_eval.study.plan import Plan
from gan_eval.study.sessions import StoredSessions, next_participant, quiz_session


def write_pictures(folder: Path, *, number: int = 6, size: tuple[int, int] = (40, 48), noise: float = 0.0) -> Path:
    """Smooth pictures of `size` (height, width), the same for each call but for the noise on them."""
    rng = np.random.default_rng(1)
    for item in range(number):
        height, width = size
        ramp = np.add.outer(np.linspace(20, 90 + 5 * item, height), np.linspace(0, 100, width))
        picture = ramp[..., None] + rng.normal(0.0, noise, (height, width, 3))
        pictures.write_png(folder / f"{item}.png", np.clip(picture, 0, 255).astype(np.uint8))
    return folder


def test_a_new_study_shows_the_sets_that_are_named(command, tmp_path):
    write_pictures(tmp_path / "results" / "real")
    write_pictures(tmp_path / "results" / "fake", noise=3.0)
    import_folder(tmp_path / "results", tmp_path / "set")
    file = tmp_path / "my first.toml"
    status, out, err = command("study", "new", "--out", file, "--stimuli", tmp_path / "set")
    assert (status, out.strip()) == (0, str(file))
    study = load_study(file)
    assert (study.study.name, study.stimuli.sets, study.models) == ("my-first", ("set",), {})
    assert f"gan-eval run '{file}' --out '{file.with_suffix('')}'  # " in err
    assert (study.quiz.real, study.quiz.fake) == (3, 3), "no more than the six items allow"
    status, _, err = command("study", "new", "--out", file)
    assert (status, f"--out {file}:" in err) == (2, True), err
    status, _, err = command("study", "new", "--out", tmp_path / "other.toml", "--stimuli", tmp_path / "results")
    assert (status, "not a stimulus set" in err) == (2, True)
    assert not (tmp_path / "other.toml").exists()
    status, _, err = command("study", "new", "--out", tmp_path / "other", "--stimuli", tmp_path / "set")
    assert (status, ".toml" in err) == (2, True), "its folder would have the file's name"


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_runs(name, command, tmp_path, monkeypatch):
    monkeypatch.setattr("gan_eval.study.sessions.missing_display", lambda: "none here")
    file, shown = tmp_path / "my.toml", []
    if name != "inpainting":
        write_pictures(tmp_path / "results" / "real")
        write_pictures(tmp_path / "results" / "fake", noise=3.0)
        import_folder(tmp_path / "results", tmp_path / "set")
        shown = ["--stimuli", tmp_path / "set"]
    for number in range(8):
        for split in ("train", "test"):
            picture = np.random.default_rng([number, split == "test"]).integers(0, 256, (72, 64, 3), dtype=np.uint8)
            pictures.write_png(tmp_path / "data" / "landscapes" / split / f"{split}{number}.png", picture)
    status, _, err = command("study", "new", "--out", file, "--template", name, *shown)
    assert status == 0, err
    assert (name == "online") == ("CODE1" in err)
    study = load_study(file)
    if name == "pairs":
        assert (study.quiz.protocol, study.quiz.pairs) == ("paired", 6), "as many as there are"
    if name == "inpainting":
        assert "DATA/landscapes" in err
    few = "image_size = 64\ngenerator_channels = 4\ndiscriminator_channels = 4"
    small = file.read_text().replace("image_size = 256", few).replace('"fid", "kid"', "")
    file.write_text(small.replace('["psnr", "ssim", "niqe", "fid", "kid"]', '["psnr"]'))
    status, _, err = command("run", file, "--out", tmp_path / "out", "--smoke", "--data-root", tmp_path / "data")
    assert status == 0, err
    assert "quiz: done" in err
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_template_that_does_not_fit_is_refused(command, tmp_path):
    for words, line in (
        (["--template", "pair"], "--template pair: expected one of pairs, staircase, grades, inpainting, online"),
        (["--template", "inpainting", "--stimuli", tmp_path], "--template inpainting: trains a model of its own"),
    ):
        status, _, err = command("study", "new", "--out", tmp_path / "new.toml", *words)
        assert (status, line in err) == (2, True), err
    assert not (tmp_path / "new.toml").exists()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Six pairs: photographs and generated ones, of equal size."""
    folder = tmp_path / "facades"
    return write_pictures(folder / "real"), write_pictures(folder / "fake", noise=3.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a machine without PyTorch and without a screen."""
    monkeypatch.setattr(two_folders, "find_spec", lambda _: None)
    for module in ("two_folders", "sessions"):
        monkeypatch.setattr(f"gan_eval.study.{module}.missing_display", lambda: "none here")


@pytest.mark.parametrize("answer", [True, False])
def test_try_offers_the_weights_that_are_not_there(answer, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(
        '[study]\nname = "s"\n[stimuli]\nsets = ["set"]\n[metrics]\nnames = ["psnr", "fid", "kid", "lpips_vgg"]\n'
    )
    here = [(weights, Path("there") if weights.name == "vgg16" else None) for weights in WEIGHTS.values()]
    fetched: list[str] = []
    asked: list[str] = []
    monkeypatch.setattr(two_folders.cache, "list_weights", lambda: here)
    monkeypatch.setattr(two_folders.cache, "fetch", lambda name, **_: fetched.append(name))

    def ask(question: str) -> bool:
        asked.append(question)
        return answer

    plan = Plan(load_study(tmp_path / "study.toml"), tmp_path / "study.toml", tmp_path, None)
    two_folders._offer_weights(plan, ask, Console())
    assert asked == ["fid and kid need the weights inception, a download. Fetch them now?"]
    assert fetched == ["inception"] * answer


def test_the_report_is_opened_at_the_end_where_there_is_a_screen(command, tmp_path, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    made = [tmp_path / "a report.html"] * 6
    monkeypatch.setattr(two_folders, "try_folders", lambda *_, **__: made.pop())
    monkeypatch.setattr("gan_eval.study.demo.run_demo", lambda *_, **__: made.pop())
    for words in (("try", tmp_path, tmp_path), ("demo",)):
        for screen, more, count in ((None, (), 1), (None, ("--no-open",), 0), ("none here", (), 0)):
            monkeypatch.setattr("gan_eval.study.commands.study.missing_display", lambda screen=screen: screen)
            opened.clear()
            status, printed, err = command(*words, "--out", tmp_path, *more)
            assert (status, printed.strip()) == (0, str(tmp_path / "a report.html")), err
            assert opened == [f"file://{tmp_path}/a%20report.html"] * count


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_two_folders_become_a_study_with_a_report(command, folders, tmp_path):
    out = tmp_path / "answer"
    status, printed, err = command("try", *folders, "--out", out)
    assert (status, printed.strip()) == (0, str(out / "report.html"))
    lines = [line for line in err.splitlines() if ": 6/6" not in line and ": 12/12" not in line]
    steps = dict.fromkeys(line.partition(":")[0] for line in lines)
    assert list(steps) == ["import", "metrics", "quiz", "audit", "report", "next", "then"], "clues come after the quiz"
    assert f"import: 6 items in {out / 'set'} (6 real and 6 generated pictures)" in lines
    assert "--extras metrics" in err or "gan-eval[metrics]" in err
    assert "no screen here (none here)" in err
    assert f"gan-eval serve {out / 'study.toml'} --out {out}  #" in lines[-2], "the window needs a screen"
    assert lines[-1].partition("  #")[0] == f"then: gan-eval try {folders[0]} {folders[1]} --out {out}"
    study = load_study(out / "study.toml")
    assert (study.stimuli.sets, study.quiz.real, study.quiz.fake, study.quiz.participants) == (("set",), 10, 10, 1)
    rows = read_set(out / "set").rows
    assert {(row["dataset"], row["model"]) for row in rows} == {("facades", None), ("facades", "generated")}
    made = (out / "set" / "stimuli.csv").stat().st_mtime_ns
    page = tmp_path / "page.html"
    status, printed, err = command("report", out, "--out", page, "--figure", tmp_path / "f.pdf")
    assert (status, printed, page.is_file()) == (2, f"{page}\n", True)
    assert "f.pdf: " in err

    status, _, err = command("try", *folders, "--out", out, "--no-quiz")
    assert (status, "quiz: skipped, --no-quiz" in err) == (0, True)
    assert "next: gan-eval serve" in err, "without a screen also after --no-quiz"
    assert f"--out {out} --no-quiz  #" in err.splitlines()[-1], "every argument is in the command"
    assert (out / "set" / "stimuli.csv").stat().st_mtime_ns == made, "what is there is not made again"
    (out / "set" / "real" / "0.png").unlink()
    status, _, err = command("try", *folders, "--out", out, "--no-quiz")
    assert (status, "0.png: missing since import made it; making it again" in err) == (0, True)
    other = write_pictures(tmp_path / "other", noise=9.0)
    status, _, err = command("try", folders[0], other, "--out", out)
    assert (status, "fakes was" in err, "other'" in err) == (2, True, True)
    moved = tmp_path / "moved"
    moved.mkdir()
    for folder in (out, folders[0].parent):
        folder.rename(moved / folder.name)
    places = [moved / "facades" / folder.name for folder in folders]
    status, _, err = command("try", *places, "--out", moved / "answer", "--no-quiz")
    assert (status, "import: up to date" in err) == (0, True)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_answers_are_reported_and_pictures_that_were_judged_stay(command, folders, tmp_path, monkeypatch):
    out = tmp_path / "answer"
    asked: list[str] = []
    notes: list[str] = []

    def answer(plan: Plan, stored: StoredSessions, listener: Listener, *, note: str) -> None:
        notes.append(note)
        asked.append(next_participant(plan))
        quiz_session(plan, Person(asked[-1], parse_observer("dprime=9,lapse=0")))
        with closing(sqlite3.connect(plan.store)) as store, store:  # as if a person had sat there
            store.execute("UPDATE sessions SET simulated = 0")
            store.execute("UPDATE trials SET simulated = 0")

    screen = {"width": 320, "height": 240, "ratio": 2.0}
    for module in ("two_folders", "sessions"):
        monkeypatch.setattr(f"gan_eval.study.{module}.missing_display", lambda: None)
    monkeypatch.setattr(two_folders, "probe_screens", lambda: ({"screens": [screen]}, ""))
    monkeypatch.setattr(two_folders, "open_quiz", answer)
    monkeypatch.setattr("gan_eval.report.write_report", lambda _folder, page, **_: page.touch())
    for _ in range(2):
        status, _, err = command("try", *folders, "--out", out)
        assert (status, asked) == (0, ["P01"])
        assert "answer: " in err
        assert "balanced accuracy = 100.0%" in err
        assert "next: gan-eval quiz" in err
        assert "--participant P02" in err
        assert load_study(out / "study.toml").quiz.picture_size == 10 * 48, "the largest whole factor: 10 x 40 of 480"
    assert notes == [
        "Pictures are 480 pixels wide here, 10 times their own width. For another size, exit and add --picture-size 48."
    ]
    status, _, err = command("try", *folders, "--out", out, "--picture-size", 96)
    assert (status, "--picture-size 96: pictures were judged at 480" in err) == (2, True), err
    write_pictures(folders[1], noise=5.0)
    status, _, err = command("try", *folders, "--out", out)
    assert (status, f"--out {out}:" in err) == (2, True), err


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_size_can_be_chosen_until_somebody_has_judged_pictures(command, folders, tmp_path):
    out = tmp_path / "answer"
    for words, size in ((["--picture-size", 200], 200), ([], 200), (["--picture-size", 48], 48)):
        status, _, err = command("try", *folders, "--out", out, "--no-quiz", *words)
        assert status == 0, err
        assert load_study(out / "study.toml").quiz.picture_size == size
    text = (out / "study.toml").read_text()
    (out / "study.toml").write_text("\n".join(line for line in text.splitlines() if "picture_size" not in line))
    assert command("try", *folders, "--out", out, "--no-quiz", "--picture-size", 99)[0] == 0
    assert load_study(out / "study.toml").quiz.picture_size == 99


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_several_models_become_one_study_and_each_picture_left_out_is_named_with_its_folder(command, folders, tmp_path):
    real, small = folders
    large = write_pictures(tmp_path / "large", size=(80, 96), noise=6.0)
    (large / "5.png").unlink()
    (real / "0.png").unlink()
    (small / "2.png").write_text("none")
    (real / "3.png").write_text("none")
    out = tmp_path / "answer"
    status, _, err = command("try", real, small, large, "--out", out)
    assert (status, "of 5 real and 5 generated pictures, 4 have a partner" in err) == (2, True)
    status, _, err = command("try", real, small, large, "--out", out, "--paired")
    assert status == 0
    for line in (
        f"import: {real}: 1 without a partner left out, such as 5.png",
        f"import: {small}: 2 without a partner left out, such as 0.png",
        f"import: {large}: 1 without a partner left out, such as 0.png",
        f"import: left out: {small / '2.png'}: not a readable picture",
        f"import: left out: {real / '3.png'}: not a readable picture",
        "audit: facades, generated: 2 real and 2 generated",
        "audit: facades, large: 2 real and 2 generated",
    ):
        assert line in err, err
    rows = read_set(out / "set").rows
    assert len({row["item"] for row in rows}) == 2
    assert len(rows) == 6
    assert {(row["model"], row["width"], row["height"]) for row in rows} == {
        (model, 48, 40) for model in (None, "generated", "large")
    }
    for row in rows:
        given = {None: real, "generated": small, "large": large}[row["model"]] / f"{row['item'].partition('/')[2]}.png"
        own = pictures.to_size(pictures.read_rgb(given), (48, 40), None)
        assert np.array_equal(pictures.read_rgb(out / "set" / row["file"]), own)
    twin = write_pictures(tmp_path / "other" / "large", noise=9.0)
    status, _, err = command("try", real, large, twin, "--out", tmp_path / "b")
    assert (status, "called large" in err) == (2, True)


@pytest.mark.usefixtures("quick")
def test_folders_that_cannot_be_compared_are_refused_in_one_line(command, folders, tmp_path):
    real, fake = folders
    copy = write_pictures(tmp_path / "copy")
    wide = write_pictures(tmp_path / "wide", size=(40, 90))
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    wanted = {
        (real, real, "a"): "the same folder as REAL",
        (fake, real, "a"): "REAL comes first, and this name means generated pictures; swap the folders",
        (real, copy, "a"): "every picture of copy is a real one, byte for byte",
        (real, tmp_path / "empty", "a"): "no pictures in this folder",
        (real, tmp_path / "nowhere", "a"): "no such folder",
        (real, wide, "b"): "differ in shape (48x40 and 90x40); give --fit crop (the centre is kept) or --fit stretch",
        (real, fake, "mine"): "not empty and not written by gan_eval",
    }
    for (first, second, out), message in wanted.items():
        status, printed, err = command("try", first, second, "--out", tmp_path / out)
        assert (status, printed) == (2, "")
        assert message in err


@pytest.mark.usefixtures("quick")
def test_a_second_try_during_another_leaves_its_record(command, folders, tmp_path):
    out = tmp_path / "answer"
    record = out / ".gan-eval" / "try.json"
    write_json(record, {"real": "a", "fakes": ["b"]})
    with hold_lock(*run_lock(out)):
        status, _, err = command("try", *folders, "--out", out)
    assert (status, "is running a study there; wait for it, or end it" in err) == (2, True)
    assert read_json(record) == {"real": "a", "fakes": ["b"]}
