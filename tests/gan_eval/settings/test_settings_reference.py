"""The pages of the settings in docs/ are made from the settings and say something about each."""

from pathlib import Path

from settings_reference import PAGES

from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.training import InpaintingSettings, TrainingSettings

DOCS = Path(__file__).parents[3] / "docs"


def rows_of(page: str) -> list[list[str]]:
    return [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]


ROWS = rows_of(PAGES["training"]())
QUIZ = rows_of(PAGES["quiz"]())


def test_the_pages_are_current() -> None:
    for page, reference in PAGES.items():
        command = f"run: python packaging/settings_reference.py {page} > docs/{page}_settings.md"
        assert (DOCS / f"{page}_settings.md").read_text() == reference(), command


def test_every_setting_has_its_row_and_a_meaning() -> None:
    sections = (*TrainingSettings.model_fields, *InpaintingSettings.model_fields)
    assert [row[0] for row in ROWS] == [f"| `{name}`" for name in sections]
    assert [row[0] for row in QUIZ][: len(QuizSettings.model_fields)] == [
        f"| `{name}`" for name in QuizSettings.model_fields
    ]
    assert [row[0] for row in ROWS + QUIZ if len(row[3].removesuffix(" |")) < 5] == []


def test_types_ranges_and_defaults() -> None:
    rows = {row[0].strip("| `"): row[1:3] for row in ROWS}
    assert rows["epochs"] == ["whole number ≥ 1, ≤ 1000000", "–"]
    assert rows["norm"] == ["`batch`, `instance`, `none`", "`batch`"]
    assert rows["decay"] == ["number ≥ 0, ≤ 1", "0"]
    assert rows["learning_rate"] == ["number > 0, ≤ 1000", "0.0002"]
    assert rows["snapshots"] == ["list of whole numbers, at most 10000", "–"]
    assert rows["validation_metrics"] == ["list of texts", "`psnr`, `ssim`"]
    assert rows["jitter"] == ["true or false", "`true`"]
    assert rows["seed"] == ["whole number ≥ 0", "0"]

    quiz = {row[0].strip("| `"): row[1:3] for row in QUIZ}
    assert quiz["exposure_ms"] == ["number > 0, ≤ 3600000, or `until-answer`", "`until-answer`"]
    assert quiz["exposures_ms"] == ["list of numbers, or `until-answer`, at most 100", "–"]
    assert quiz["keys"] == ["table of texts by name", "–"]
    assert quiz["questions"] == ["list of sections, below, at most 1000", "–"]
    assert quiz["id"] == ["text", "must be given"]
