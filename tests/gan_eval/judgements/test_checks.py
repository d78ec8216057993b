"""The table of checks: the docs list it, every row is used, and sound files are not asked about."""

import os
import re
from pathlib import Path

import pytest
from checks_reference import of_judgements

from gan_eval import import_trials
from gan_eval.judgements.checks import CHECKS

ROOT = Path(__file__).parents[3]


def test_the_page_on_checks_lists_them_all() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert page.endswith(f"\n{of_judgements()}\n\n<!-- end of what is made -->\n")


def test_every_check_is_used_and_no_other() -> None:
    code = "".join(
        file.read_text(encoding="utf-8") for file in sorted((ROOT / "gan_eval" / "judgements").rglob("*.py"))
    )
    assert {*re.findall(r"CHECKS\[[\"'](\w+)[\"']\]", code)} == {*CHECKS}


def test_published_judgements_are_not_asked_about(recwarn: pytest.WarningsRecorder) -> None:
    folder = Path(os.environ.get("GAN_EVAL_HUMAN", ROOT.parent / "shared" / "human"))
    if not (file := folder / "gengap_trials.csv").is_file():
        pytest.skip("no gengap_trials.csv below $GAN_EVAL_HUMAN or ../shared/human")
    mapping = {"participant": "subject", "kind": "truth", "reaction_time_ms": "rt_s*1000"}
    trials = import_trials(file, mapping=mapping)
    read = trials.attrs["read_as"]
    assert (read["participants"], read["answers"], read["repeated"]) == (120, 7200, 0)
    assert read["not_used"]["passed_check"] == {"True": 6720, "False": 480}
    assert [str(warning.message) for warning in recwarn] == []
