"""`export page`: where it writes, and what it refuses."""

import csv
from pathlib import Path

import pytest

from gan_eval.__main__ import run
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.serve.page_key import read_key

Words = list[str]


@pytest.fixture
def study(stimuli: StimulusSet, tmp_path: Path) -> Path:
    """A study file in a folder of its own."""
    file = tmp_path / "study" / "tiles.toml"
    file.parent.mkdir()
    settings = "quiz = { real = 2, fake = 2, participants = 2 }"
    file.write_text(f'study = {{ name = "tiles" }}\nstimuli = {{ sets = ["{stimuli.folder}"] }}\n{settings}\n')
    return file


def export(study: Path, *words: str | Path) -> int:
    return run(["export", "page", str(study), *map(str, words)])


def test_the_key_is_not_in_a_folder_that_is_served(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    web = tmp_path / "www" / "page"
    assert export(study, "--static", web, "--public-url", "https://example.org/page/") == 0
    assert [place.name for place in web.parent.iterdir()] == ["page"]
    key = read_key(study.parent / "study.key")
    with (study.parent / "study.links.csv").open() as file:
        links = [row["link"] for row in csv.DictReader(file)]
    assert links[-1] == f"https://example.org/page/#{key.open_to_all}"
    said = capsys.readouterr().err
    assert "study.links.csv" in said
    assert "all lists" in said


def test_a_key_in_the_served_folder_is_named(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The old place; a new key would not read the answers of the page in use."""
    web = tmp_path / "www" / "page"
    assert export(study, "--static", web) == 0
    (study.parent / "study.key").rename(web.parent / "study.key")
    capsys.readouterr()
    assert export(study, "--static", web) == 2
    said = capsys.readouterr().err
    assert f"move it to {study.parent / 'study.key'}" in said
    assert not (study.parent / "study.key").exists()


def test_a_page_of_jatos_says_that_all_share_a_link(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert export(study, "--out", tmp_path / "made.jzip") == 0
    assert "one link for all" in capsys.readouterr().err
    assert (tmp_path / "study.key").exists()
    assert not (tmp_path / "study.links.csv").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--out a.jzip --key a.jzip", "a.jzip"),
        ("--out a.jzip --key other/../a.jzip", "a.jzip"),
        ("--out a.jzip --key link.jzip", "link.jzip"),
        ("--out study/tiles.toml", "tiles.toml"),
        ("--static web --key study/tiles.toml", "tiles.toml"),
        ("--static web --key web/study.key", "would be published"),
        ("--static web --datapipe=", "--datapipe ''"),
        ("--static web --datapipe=a/b", "--datapipe 'a/b'"),
        ("--static web --public-url example.org", "--public-url example.org"),
        ("--out a.jzip --public-url https://example.org", "--public-url"),
    ],
)
def test_places_and_addresses_that_cannot_be_meant_are_refused(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    words: str,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = study.read_bytes()
    (tmp_path / "other").mkdir()
    (tmp_path / "a.jzip").write_text("an earlier page")
    (tmp_path / "link.jzip").symlink_to("a.jzip")
    assert export(study, *words.split()) == 2
    assert named in capsys.readouterr().err
    assert study.read_bytes() == before
    assert (tmp_path / "a.jzip").read_text() == "an earlier page"
    assert not (tmp_path / "web").exists()
