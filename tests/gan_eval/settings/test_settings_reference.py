"""The page of the study file in docs/ is made from the settings, each of which has a meaning in words."""

from pathlib import Path

from settings_reference import study_file_reference

from gan_eval.settings.study import Study
from gan_eval.settings.template import settings_of


def test_the_page_is_current_and_has_every_section_and_key() -> None:
    page = (Path(__file__).parents[3] / "docs" / "study_file.md").read_text()
    assert page == study_file_reference(), "run: python packaging/settings_reference.py > docs/study_file.md"
    for setting in settings_of(Study):
        assert setting.section is not None
        assert f"\n## `[{setting.name}" in page
        for key in settings_of(setting.section):
            assert f"\n- `{key.name}` (" in page
            assert len(key.meaning) >= 5
