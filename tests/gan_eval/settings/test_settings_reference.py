"""The page of the study file in docs/ is made from the settings and says something about each."""

from pathlib import Path

from settings_reference import study_file_reference

from gan_eval.settings.description import settings_of
from gan_eval.settings.study import Study

PAGE = study_file_reference()
ROWS: dict[str, list[list[str]]] = {}
for part in PAGE.split("\n## `")[1:]:
    header, _, text = part.partition("`\n")
    ROWS[header] = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "study_file.md"
    assert page.read_text() == PAGE, "run: python packaging/settings_reference.py > docs/study_file.md"


def test_every_section_and_setting_has_its_row_and_a_meaning() -> None:
    headers = [header.strip("[]").split(".")[0] for header in ROWS]
    assert list(dict.fromkeys(headers)) == list(Study.model_fields)
    for setting in settings_of(Study):
        assert setting.section is not None
        rows = next(rows for header, rows in ROWS.items() if header.strip("[]").split(".")[0] == setting.name)
        assert [row[0] for row in rows] == [f"| `{name}`" for name in setting.section.model_fields]
    assert {"[training.inpainting]", "[quiz.staircase]", "[quiz.consent]", "[[quiz.questions]]"} <= ROWS.keys()
    assert [row[0] for rows in ROWS.values() for row in rows if len(row[3].removesuffix(" |")) < 5] == []


def test_types_ranges_and_defaults() -> None:
    rows = {row[0].strip("| `"): row[1:3] for row in ROWS["[training]"]}
    assert rows["epochs"] == ["whole number ≥ 1, ≤ 1000000", "–"]
    assert rows["norm"] == ["`batch`, `instance`, `none`", '`"batch"`']
    assert rows["decay"] == ["number ≥ 0, ≤ 1", "0"]
    assert rows["learning_rate"] == ["number > 0, ≤ 1000", "0.0002"]
    assert rows["snapshots"] == ["list of whole numbers, at most 10000", "–"]
    assert rows["validation_metrics"] == ["list of texts", '`["psnr", "ssim"]`']
    assert rows["jitter"] == ["true or false", "`true`"]
    assert rows["seed"] == ["whole number ≥ 0", "0"]

    quiz = {row[0].strip("| `"): row[1:3] for row in ROWS["[quiz]"]}
    assert quiz["exposure_ms"] == ["number > 0, ≤ 3600000, or `until-answer`", '`"until-answer"`']
    assert quiz["exposures_ms"] == ["list of numbers, or `until-answer`, at most 100", "–"]
    assert quiz["keys"] == ["table of texts by name", "–"]
    assert quiz["questions"] == ["list of sections, below, at most 1000", "–"]
    assert {row[0]: row[2] for row in ROWS["[[quiz.questions]]"]}["| `id`"] == "must be given"
    assert {row[0]: row[1] for row in ROWS["[analysis]"]}["| `comparisons`"] == "list of pairs of texts"
