"""Templates of sentences: each macro is used, and line breaks of a template become single spaces."""

import re
from pathlib import Path

import pytest

import gan_eval.report
from gan_eval.base.inference import Estimate
from gan_eval.report.parts.sentences import said, sentence

FOLDER = Path(gan_eval.report.__file__).parent
TEMPLATES = sorted((FOLDER / "sentences").glob("*.jinja"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_macro_is_used(template: Path) -> None:
    words, code = template.read_text(), " ".join(path.read_text() for path in FOLDER.rglob("*.py"))
    macros = re.findall(r"{%-? macro (\w+)\(", words)
    named = set(re.findall(rf'(?:said|sentence)\(\s*"{template.stem}",\s*"(\w+)"', code))
    if template.stem == "captions":  # the panels' kinds
        named |= {"rates", "accuracy", "people", "metric"}
    called = {name for name in macros if len(re.findall(rf"(?<!macro )\b{name}\(", words))}
    assert len(macros) == len({*macros})
    assert {*macros} == named | called


def test_a_line_break_is_a_space_and_a_name_keeps_its_own() -> None:
    name = "a  name\nof two lines."
    agreed = sentence("results", "agreement", name, Estimate(0.5, 0.25, 0.75))
    assert agreed.startswith("Agreement of participants on a  name of two lines.: Krippendorff's α = 0.50, 95% CI [")
    assert said("results", "agreement", "a\n\nb", Estimate(0.5, float("nan"), float("nan"))) == [
        "Agreement of participants on a  b: Krippendorff's α = 0.50 (1: full agreement, 0: by chance)."
    ]
