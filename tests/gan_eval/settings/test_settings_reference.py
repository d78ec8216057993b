"""The page of the study file in docs/ is made from the settings and says something about each."""

import re
from pathlib import Path

from settings_reference import study_file_reference

from gan_eval.settings.study import Study
from gan_eval.settings.template import settings_of

PAGE = study_file_reference()
KEYS: dict[str, dict[str, tuple[str, str]]] = {}
"""Values with the default, and meaning, by section and key."""
for part in PAGE.split("\n## `")[1:]:
    header, _, text = part.partition("`\n")
    found = re.findall(r"^- `(\w+)` \((.*?)\): (.*)$", text, flags=re.MULTILINE)
    KEYS[header] = {name: (values, meaning) for name, values, meaning in found}


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "study_file.md"
    assert page.read_text() == PAGE, "run: python packaging/settings_reference.py > docs/study_file.md"


def test_every_section_and_setting_has_its_line_and_a_meaning() -> None:
    headers = [header.strip("[]").split(".")[0] for header in KEYS]
    assert [header for header in dict.fromkeys(headers) if header in Study.model_fields] == list(Study.model_fields)
    for setting in settings_of(Study):
        assert setting.section is not None
        keys = next(keys for header, keys in KEYS.items() if header.strip("[]").split(".")[0] == setting.name)
        assert list(keys) == list(setting.section.model_fields)
    assert {"[training.inpainting]", "[quiz.staircase]", "[quiz.consent]", "[[quiz.questions]]"} <= KEYS.keys()
    assert [name for keys in KEYS.values() for name, (_, meaning) in keys.items() if len(meaning) < 5] == []
