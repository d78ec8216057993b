"""`docs/training_settings.md`: every training setting, from the fields of `TrainingSettings` and the lines below them.

Made by `python -m trainer.settings_reference > docs/training_settings.md`.
"""

import ast
import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

from gan_eval.study import TrainingSettings

_HEAD = """# Training settings

Made from `TrainingSettings` in `gan_eval/study.py` by `python -m trainer.settings_reference >
docs/training_settings.md`; do not edit by hand.

Each is a key of `[training]` or of `[models.NAME] training = { … }` in a study file, and `--set NAME=VALUE` of
`gan-eval train`. training.md tells what they do together. Defaults: Isola et al. 2017 (arXiv 1611.07004), section 6.2.

| setting | type | default | meaning |
| --- | --- | --- | --- |"""


def reference() -> str:
    """The text of `docs/training_settings.md`."""
    meanings = dict(_docstrings(TrainingSettings))
    rows = [
        f"| `{name}` | {_type(field.annotation, field.metadata)} | {_value(field.default)} | {meanings[name]} |"
        for name, field in TrainingSettings.model_fields.items()
    ]
    return "\n".join([_HEAD, *rows, ""])


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
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (types.UnionType, typing.Union):
        return _type(next(one for one in arguments if one is not type(None)), limits)
    if origin is tuple:
        return f"list of {_plural(arguments[0])}"
    words = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return " ".join([words[annotation], *_range(limits)])


def _plural(annotation: Any) -> str:
    inner = typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation
    return {int: "whole numbers", float: "numbers", str: "texts"}[inner]


def _range(limits: list[Any]) -> list[str]:
    """Such as `≥ 0`, `< 1`; a limit that only says what fits into 64 bits is left out."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(limit, name):g}"
        for limit in limits
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None and getattr(limit, name) < 2**62
    ]
    return [", ".join(found)] if found else []


def _value(default: Any) -> str:
    if default is None or default == ():
        return "–"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{default}`" if isinstance(default, str) else f"{default:g}"


if __name__ == "__main__":
    print(reference(), end="")
