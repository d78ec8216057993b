"""A new study file, and the page of docs/ that is made from the settings, have every key with its meaning."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from settings_reference import study_file_reference

from gan_eval.base.errors import UserError
from gan_eval.settings.examples import TEMPLATES
from gan_eval.settings.examples import TRAINING as TRAINING_EXAMPLE
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study, load_study
from gan_eval.settings.template import settings_of, study_name, study_text, toml, write_study

OFF = re.compile(r"^#(?=[a-z\[])")
SHOWING: dict[str, Any] = {"study": {"name": "s"}, "stimuli": {"sets": ["set"]}}
QUIZ_KEYS = (
    *("protocol", "real", "fake", "exposure_ms", "response_ms", "keys", "practice", "break_every", "confidence"),
    *("participants", "language"),
)
TRAINING: dict[str, Any] = {"study": {"name": "s"}, **TRAINING_EXAMPLE}


def every_key(section: type[Section], path: str = "") -> Iterator[tuple[str, str]]:
    """(the header that it stands below, key) of all keys, sections within sections included."""
    for setting in settings_of(section):
        inner = f"{path}.{setting.name}".lstrip(".")
        if setting.section is None:
            yield path, setting.name
        elif setting.shape == "by_name":
            yield from every_key(setting.section, f"{inner}.{setting.example}")
        else:
            yield from every_key(setting.section, inner)


def lines_by_header(text: str) -> Iterator[tuple[str, str, int]]:
    """(header, key, number of the line) of every key of a study file, off or on."""
    header = ""
    for number, line in enumerate(text.splitlines()):
        shown = OFF.sub("", line)
        if shown.startswith("["):
            header = shown.strip("[]")
        elif shown and not shown.startswith("#"):
            yield header, shown.partition(" = ")[0], number


def test_a_word_in_place_of_a_number_stands_as_it_is_typed_and_no_word_is_broken_at_its_hyphen() -> None:
    assert '(or "unlimited")' in study_text(SHOWING).replace("\n# ", " ")
    assert not re.search("[a-z]-$", study_text(SHOWING, every_key=True), re.MULTILINE)


@pytest.mark.parametrize("values", [SHOWING, TRAINING])
def test_every_key_is_there_once_and_the_file_means_what_an_empty_one_means(values: dict[str, Any]) -> None:
    text = study_text(values, every_key=True)
    assert sorted((header, key) for header, key, _ in lines_by_header(text)) == sorted(every_key(Study))
    assert Study(**tomllib.loads(text)) == Study(**values)


@pytest.mark.parametrize("values", [SHOWING, TRAINING])
def test_a_short_file_has_the_keys_that_people_set_and_those_given(values: dict[str, Any]) -> None:
    text = study_text(values)
    expected = {"name", "sets", "names", "margin", "exclude", "text", *QUIZ_KEYS}
    if values is TRAINING:
        expected |= {"folder", "direction", "data", "training", "epochs", "image_size", "lambda_l1", "seed"}
    assert {key for _, key, _ in lines_by_header(text)} == expected
    assert Study(**tomllib.loads(text)) == Study(**values)
    given = study_text({**values, "quiz": {"blank_ms": 300.0}, "power": {"seed": 3}})
    assert tomllib.loads(given)["power"] == {"seed": 3}
    assert Study(**tomllib.loads(given)).quiz.blank_ms == 300


def test_each_key_that_is_off_can_be_turned_on() -> None:
    text = study_text(TRAINING, every_key=True)
    lines = text.splitlines()
    headers_off = {OFF.sub("", line).strip("[]") for line in lines if line.startswith("#[")}
    tried = 0
    for header, key, number in lines_by_header(text):
        needs = {"plateau_patience": "validate_every", "steps": None}  # this one goes with another; that one without it
        if not OFF.match(lines[number]) or header in headers_off or key == "steps":
            continue
        on = [
            OFF.sub("", line) if n == number or line.startswith(f"#{needs.get(key)} ") else line
            for n, line in enumerate(lines)
        ]
        Study(**tomllib.loads("\n".join(on)))
        tried += 1
    assert tried > 10


def test_sets_are_named_from_the_file_and_no_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "studies" / "my.toml"
    write_study(file, {"study": {"name": study_name("my study!")}}, sets=[tmp_path / "sets" / "a", tmp_path / "b"])
    study = load_study(file)
    assert (study.study.name, study.stimuli.sets) == ("my-study", ("../sets/a", "../b"))
    with pytest.raises(UserError, match=r"my\.toml:"):
        write_study(file, {"study": {"name": "other"}})
    assert load_study(file).study.name == "my-study"


def test_values_are_read_back_as_they_were() -> None:
    value = {"a b": ['"quoted" \\ back', "line\nbreak", "ä\x7f"], "n": [1, 2.5, 1e-5, True], "t": {"x": "y"}, "e": {}}
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


def test_the_page_is_current_and_has_every_section_and_key() -> None:
    page = (Path(__file__).parents[3] / "docs" / "study_file.md").read_text()
    assert page == study_file_reference(), "run: python packaging/settings_reference.py > docs/study_file.md"
    for setting in settings_of(Study):
        assert setting.section is not None
        assert f"\n## `[{setting.name}" in page
        for key in settings_of(setting.section):
            assert f"\n- `{key.name}` (" in page
            assert len(key.declared.sentence) >= 5
            assert key.section is not None or key.declared.default == key.default


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_is_a_study_and_sets_what_it_says(name: str) -> None:
    values = {"study": {"name": "s"} | dict(TEMPLATES[name].get("study", {}))}
    trains = {} if "models" in TEMPLATES[name] else TRAINING_EXAMPLE
    study = Study(**tomllib.loads(study_text({**trains, **TEMPLATES[name], **values})))
    assert study == Study(**{**trains, **TEMPLATES[name], **values})
    assert study != Study(**{**trains, **values})
