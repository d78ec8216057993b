"""Sentences of the report: templates hold the words, sections fill them with results, numbers and names.

A template of `sentences/` has a macro for each sentence or group of sentences. In it, a line break is a space, `{%-`
removes the one before it, and a blank line ends a sentence. The page, not the template, escapes the text.
"""

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gan_eval.base.inference import Estimate
from gan_eval.report.parts import words

_FOLDER = Path(__file__).parents[1] / "sentences"
_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_FILTERS = ("percent", "number", "points", "whole", "milliseconds", "capital", "listed", "plural", "on_dataset")


def said(template: str, macro: str, /, *facts: Any, **more: Any) -> list[str]:
    """Return the sentences of a macro of `sentences/TEMPLATE.jinja`, those that are not empty.

    >>> said("results", "counted", 3, {"undecided": 2, "different": 1}, "fooling rate")
    ['Of 3 pairs of models by fooling rate: 2 undecided and 1 different']
    """
    text = getattr(_environment().get_template(f"{template}.jinja").module, macro)(*facts, **more)
    sentences = (_BREAK.sub(" ", part).strip(" \n") for part in re.split(r"\n[ \t]*\n", text))
    return [sentence for sentence in sentences if sentence]


def sentence(template: str, macro: str, /, *facts: Any, **more: Any) -> str:
    """Return the sentences of a macro as one text."""
    return " ".join(said(template, macro, *facts, **more))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: value.replace("\n", " ") if type(value) is str else value,
    )  # fmt: skip
    filters = {name: getattr(words, name) for name in _FILTERS}
    environment.filters.update(filters, ci=_interval, p=_p)
    environment.globals["infinite"] = math.inf
    environment.tests["known"] = lambda value: not words.missing(value)
    return environment


def _interval(estimate: Estimate, scale: float = 1, digits: int = 2, level: int = 95, name: str = "") -> str:
    """Return the clause on an interval in APA style; empty without one."""
    if words.missing(estimate.low):
        return ""
    return f", {name}{level}% CI {words.interval(scale * estimate.low, scale * estimate.high, digits=digits)}"


def _p(value: Any) -> str:
    """Return the clause on a p value in APA style; empty without one."""
    return "" if words.missing(value) else f", {words.apa_p(value)}"
