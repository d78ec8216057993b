"""`docs/study_file.md`: every key of a study file, from the settings and the lines below them.

Made by `python packaging/settings_reference.py > docs/study_file.md`.
"""

import inspect
import types
import typing
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Literal

from gan_eval.settings.design import keys_of_design
from gan_eval.settings.sections import NotInDesign, Section, mark_of
from gan_eval.settings.study import Study
from gan_eval.settings.template import Setting, description_of, settings_of, toml

_HEAD = """# The study file

Made from `gan_eval/settings/` by `python packaging/settings_reference.py > docs/study_file.md`; do not edit by hand.

One TOML file describes an experiment. `./run study new --out my.toml` writes one with the keys that people set, with
`--all` every key below. With `--stimuli SET` (repeatable) it shows existing pictures. `--template` begins with
pairs, staircase, grades, inpainting or online. A key that is not given has its
default, so a study can be short:

```toml
[study]
name = "my_study"

[stimuli]
sets = ["set"]          # made by ./run stimuli import; or [data.NAME] and [models.NAME], to train models

[quiz]
participants = 12
```

`./run run my.toml --out DIR` runs it. Required are `study.name`, and either `stimuli.sets` or a `[models.NAME]`.
"""

_SEE = {
    "stimuli": "See [giveaways.md](giveaways.md).",
    "data": "See [data.md](data.md).",
    "training": "Each is also a key of `[models.NAME] training = { … }`, and `--set NAME=VALUE` of `./run train`. "
    "See [training.md](training.md).",
    "training.inpainting": "See [inpainting.md](inpainting.md).",
    "quiz": "See [protocols.md](protocols.md) and [quiz.md](quiz.md).",
    "metrics": "See [metrics.md](metrics.md).",
    "analysis": "See [plan.md](plan.md).",
    "power": "See [power.md](power.md).",
}
"""Links to further documentation, by section."""

_DESIGN = """Sessions of two designs are never mixed in one store. The quiz refuses the next participant and names each
key that differs. Set it back, or raise `study.version` and give another `--out`.

The design is what participants see before and during the trials, and the exclusions; keys without effect do not count.
`design_hash` in the table `sessions` is its SHA-256. The design holds:
"""


def study_file_reference() -> str:
    """The text of `docs/study_file.md`."""
    parts = [_HEAD]
    for setting in settings_of(Study):
        parts += _section(setting, setting.name)
    parts += _design()
    return "\n".join(parts).replace("`gan-eval ", "`./run ")


def _design() -> Iterator[str]:
    """Yield the section on keys that sessions of one store must share."""
    yield "## Changing a study after its first session\n"
    yield _DESIGN
    sections = settings_of(Study)
    for setting in sections:
        if setting.section is not None and setting.name in keys_of_design(Study):
            yield f"- `[{setting.name}]`: {', '.join(f'`{key}`' for key in keys_of_design(setting.section))}"
    yield "- the pictures, for practice and catch trials too: name, item, model, data set and SHA-256 of each stimulus"
    yield "\nAll other keys may change at any time:\n"
    for setting in sections:
        if (mark := mark_of(setting.field, NotInDesign)) is not None:
            yield f"- all of `[{setting.name}]`: {mark.why}"
        elif setting.section is not None:
            why = {
                key.name: mark.why for key in settings_of(setting.section) if (mark := mark_of(key.field, NotInDesign))
            }
            for reason, keys in groupby(why, key=why.__getitem__):
                yield f"- `[{setting.name}]` {', '.join(f'`{key}`' for key in keys)}: {reason}"
    yield ""


def _section(setting: Setting, path: str) -> Iterator[str]:
    """A section and those within it."""
    assert setting.section is not None
    header = {"by_name": f"[{path}.NAME]", "list": f"[[{path}]]"}.get(setting.shape, f"[{path}]")
    yield f"## `{header}`\n"
    yield " ".join(filter(None, [description_of(setting.section), _SEE.get(path)])) + "\n"
    yield _list(setting.section)
    for inner in settings_of(setting.section):
        if inner.section is not None:
            yield from _section(inner, f"{path}.{inner.name}")


def _list(section: type[Section]) -> str:
    """Return one line for each key: its values, its default and its meaning."""
    lines = []
    for setting in settings_of(section):
        field = setting.field
        value = ", ".join(filter(None, [_type(field.annotation, field.metadata), _default(setting)]))
        lines.append(f"- `{setting.name}` ({value}): {setting.declared.sentence}")
    return "\n".join([*lines, ""])


def _type(annotation: Any, limits: list[Any], *, plural: bool = False) -> str:
    """A type in words, with its range; in the plural without."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0], [*limits, *arguments[1:]], plural=plural)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (types.UnionType, typing.Union):
        return ", or ".join(_type(part, limits, plural=plural) for part in arguments if part is not type(None))
    if origin in (tuple, dict):
        several = _type(arguments[-1 if origin is dict else 0], [], plural=True)
        if origin is dict:
            return f"table of {several} by name"
        most = [str(limit.max_length) for limit in limits if getattr(limit, "max_length", None) is not None]
        return f"{'pairs' if plural else 'list'} of {several}" + "".join(f", at most {number}" for number in most)
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        return "sections, below" if plural else "section, below"
    words = {int: "integer", float: "number", str: "text", bool: "true or false", Any: "values"}
    if plural:
        return words[annotation] + ("s" if annotation in (int, float, str) else "")
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    ends = [  # a limit that only says what fits into 64 bits is left out
        f"{sign} {getattr(limit, name):.15g}"
        for limit in (inner for limit in limits for inner in (limit, *getattr(limit, "metadata", ())))
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None and getattr(limit, name) < 2**62
    ]
    return f"{words[annotation]} {', '.join(ends)}".rstrip()


def _default(setting: Setting) -> str:
    """Return a default as it would stand in a study file."""
    if setting.field.is_required():
        return "required"
    default: Any = setting.default
    if default in (None, (), {}, "") or isinstance(default, Section):
        return ""
    return f"default `{toml(default)}`" if isinstance(default, bool | str | tuple | dict) else f"default {default:g}"


if __name__ == "__main__":
    print(study_file_reference(), end="")
