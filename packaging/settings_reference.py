"""`docs/{training,quiz,analysis}_settings.md`: every setting, from the fields and the lines below them.

Made by `python packaging/settings_reference.py training > docs/training_settings.md`, and the same with `quiz` and
`analysis`.
"""

import ast
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.quiz import ConsentSettings, QuestionSettings, QuizSettings, StaircaseSettings
from gan_eval.settings.sections import Section
from gan_eval.settings.training import InpaintingSettings, TrainingSettings

_MADE = """Made from `{section}` in `{file}` by `python packaging/settings_reference.py {page} >
docs/{page}_settings.md`; do not edit by hand."""

_TRAINING = """# Training settings

{made}

Each is a key of `[training]` or of `[models.NAME] training = {{ … }}` in a study file, and `--set NAME=VALUE` of
`gan-eval train`. training.md tells what they do together. Defaults: Isola et al. 2017 (arXiv 1611.07004), section 6.2.
"""

_QUIZ = """# Quiz settings

{made}

Each is a key of `[quiz]` in a study file. protocols.md tells what each protocol shows, asks and stores.
"""

_ANALYSIS = """# Analysis and power settings

{made}

Keys of `[analysis]` and `[power]` in a study file. statistics.md tells what is done with them.
"""

_TABLE = "| setting | type | default | meaning |\n| --- | --- | --- | --- |"

_SECTIONS: tuple[tuple[str, type[Section]], ...] = (
    ("[quiz.staircase]", StaircaseSettings),
    ("[quiz.consent]", ConsentSettings),
    ("[[quiz.questions]]", QuestionSettings),
)


def training_reference() -> str:
    """The text of `docs/training_settings.md`."""
    made = _MADE.format(section="TrainingSettings", file="gan_eval/settings/training.py", page="training")
    about = (inspect.getdoc(InpaintingSettings) or "").partition(": ")[2]
    inpainting = ["## `[training.inpainting]`\n", f"{about[0].upper()}{about[1:]}\n", _table(InpaintingSettings)]
    return "\n".join([_TRAINING.format(made=made), _table(TrainingSettings), *inpainting])


def quiz_reference() -> str:
    """The text of `docs/quiz_settings.md`."""
    made = _MADE.format(section="QuizSettings", file="gan_eval/settings/quiz.py", page="quiz")
    parts = [_QUIZ.format(made=made), _table(QuizSettings)]
    for name, section in _SECTIONS:
        about = (inspect.getdoc(section) or "").partition(": ")[2]
        parts += [f"## `{name}`\n{about[0].upper()}{about[1:]}\n", _table(section)]
    return "\n".join(parts)


def analysis_reference() -> str:
    """The text of `docs/analysis_settings.md`."""
    made = _MADE.format(section="analysis_settings.py", file="gan_eval/settings/analysis.py", page="analysis")
    parts = [_ANALYSIS.format(made=made.replace("`analysis_settings.py` in ", ""))]
    for name, section in (("[analysis]", AnalysisSettings), ("[power]", PowerSettings)):
        parts += [f"## `{name}`\n", _table(section)]
    return "\n".join(parts)


def _table(section: type[Section]) -> str:
    meanings = dict(_docstrings(section))
    rows = [
        f"| `{name}` | {_type(field.annotation, field.metadata)} | {_value(field)} | {meanings[name]} |"
        for name, field in section.model_fields.items()
    ]
    return "\n".join([_TABLE, *rows, ""])


def _docstrings(section: type) -> Iterator[tuple[str, str]]:
    """Each field of a class with the string below it, on one line; nothing where there is none."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)
    followed = zip(definition.body, [*definition.body[1:], None], strict=True)
    for field, below in followed:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            yield field.target.id, " ".join(str(text).split())


def _type(annotation: Any, limits: list[Any]) -> str:
    """A type in words, with its range."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0], [*limits, *arguments[1:]])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (types.UnionType, typing.Union):
        return ", or ".join(_type(one, limits) for one in arguments if one is not type(None))
    if origin is tuple:
        most = [str(limit.max_length) for limit in limits if getattr(limit, "max_length", None) is not None]
        return f"list of {_plural(arguments[0])}" + "".join(f", at most {number}" for number in most)
    if origin is dict:
        return f"table of {_plural(arguments[1])} by name"
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return "section, below"
    words = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return " ".join([words[annotation], *_range(limits)])


def _plural(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Annotated:
        return _plural(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return ", or ".join(_plural(one) for one in typing.get_args(annotation))
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return "sections, below"
    words = {int: "whole numbers", float: "numbers", str: "texts"}
    return words[annotation] if annotation in words else _type(annotation, [])


def _range(limits: list[Any]) -> list[str]:
    """Such as `≥ 0`, `< 1`; a limit that only says what fits into 64 bits is left out."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    flat = [inner for limit in limits for inner in (limit, *getattr(limit, "metadata", ()))]
    found = [
        f"{sign} {getattr(limit, name):.15g}"
        for limit in flat
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None and getattr(limit, name) < 2**62
    ]
    return [", ".join(found)] if found else []


def _value(field: Any) -> str:
    """A default as it would stand in a study file."""
    default = field.default
    if field.is_required():
        return "must be given"
    if default in (None, (), {}, "") or isinstance(default, Section):
        return "–"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, dict):
        return "`{ " + ", ".join(f"{key} = {value:g}" for key, value in default.items()) + " }`"
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{default}`" if isinstance(default, str) else f"{default:g}"


PAGES = {"training": training_reference, "quiz": quiz_reference, "analysis": analysis_reference}
"""What makes each page."""


if __name__ == "__main__":
    print(PAGES[sys.argv[1]](), end="")
