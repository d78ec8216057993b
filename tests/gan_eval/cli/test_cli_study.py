"""The commands `study new` and `try`: what they write, and the one line where they cannot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.settings.study import load_study
from gan_eval.stimuli import pictures
from gan_eval.stimuli.importing import import_folder

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: object) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def write_pictures(folder: Path, *, number: int = 6, size: tuple[int, int] = (40, 48), noise: float = 0.0) -> Path:
    """Smooth pictures of `size` (height, width), the same for each call but for the noise on them."""
    rng = np.random.default_rng(1)
    for item in range(number):
        height, width = size
        ramp = np.add.outer(np.linspace(20, 90 + 5 * item, height), np.linspace(0, 100, width))
        picture = ramp[..., None] + rng.normal(0.0, noise, (height, width, 3))
        pictures.write_png(folder / f"{item}.png", np.clip(picture, 0, 255).astype(np.uint8))
    return folder


def test_a_new_study_shows_the_sets_that_are_named(command: Command, tmp_path: Path) -> None:
    write_pictures(tmp_path / "results" / "real")
    write_pictures(tmp_path / "results" / "fake", noise=3.0)
    import_folder(tmp_path / "results", tmp_path / "set")
    file = tmp_path / "my first.toml"
    status, out, err = command("study", "new", "--out", file, "--stimuli", tmp_path / "set")
    assert (status, out.strip()) == (0, str(file))
    study = load_study(file)
    assert (study.study.name, study.stimuli.sets, study.models) == ("my-first", ("set",), {})
    assert f"gan-eval run '{file}' --out '{file.with_suffix('')}' (" in err
    status, _, err = command("study", "new", "--out", file)
    assert (status, "there is such a file already; name another" in err) == (2, True)
    status, _, err = command("study", "new", "--out", tmp_path / "other.toml", "--stimuli", tmp_path / "results")
    assert (status, "not a stimulus set" in err) == (2, True)
    assert not (tmp_path / "other.toml").exists()


def test_a_new_study_without_sets_trains_a_model(command: Command, tmp_path: Path) -> None:
    status, _, err = command("study", "new", "--out", tmp_path / "train.toml")
    assert (status, "--data-root DATA" in err) == (0, True)
    study = load_study(tmp_path / "train.toml")
    assert (list(study.models), study.training_of("pix2pix").epochs) == (["pix2pix"], 200)
