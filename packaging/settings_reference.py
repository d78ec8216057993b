"""`docs/study_file.md`: every key of a study file, from the settings and the lines below them.

Made by `python packaging/settings_reference.py > docs/study_file.md`.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from gan_eval.settings.description import Setting, about, settings_of
from gan_eval.settings.design import IN_DESIGN, NOT_IN_DESIGN
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study
from gan_eval.settings.template import toml

_HEAD = """# The study file

Made from `gan_eval/settings/` by `python packaging/settings_reference.py > docs/study_file.md`; do not edit by hand.

One TOML file describes an experiment. `./run study new --out my.toml` writes one with the keys that people set, and
with `--all` one with every key below, each with its default and its meaning. It is a valid study. With
`--stimuli SET` (repeatable) it shows existing pictures. A key that is not given has its default, so a study can be
short:

```toml
[study]
name = "my_study"

[stimuli]
sets = ["set"]          # made by ./run stimuli import; or [data.NAME] and [models.NAME], to train models

[quiz]
participants = 12
```

`./run run my.toml --out DIR` does all of it. An unknown key, or a value of another kind, is refused in one line that
names the nearest known key. Only `study.name` must be given, and either `stimuli.sets` or a `[models.NAME]`.
"""

_SEE = {
    "stimuli": "[giveaways.md](giveaways.md) lists what may give them away.",
    "data": "[data.md](data.md) describes the layout of folders, and how to make pairs.",
    "training": "Each is also a key of `[models.NAME] training = { … }`, and `--set NAME=VALUE` of `./run train`. "
    "[training.md](training.md) explains them.",
    "training.inpainting": "[inpainting.md](inpainting.md) explains them.",
    "quiz": "[protocols.md](protocols.md) has what each protocol shows, asks and stores; [quiz.md](quiz.md) is the "
    "experimenter's page.",
    "metrics": "[metrics.md](metrics.md) has every metric's definition.",
    "analysis": "[statistics.md](statistics.md) explains the statistics.",
    "power": "[power.md](power.md) explains the sample size.",
}
"""Further reading, by section."""

_DESIGN = """Sessions of two designs are never mixed in one store. The quiz refuses the next participant and names each
key that differs, with its value then and now. Set it back, or make a new study: raise `study.version` and give another
`--out`.

The design is what participants see before and during the trials, and the exclusions. Keys without a value in the study
file count with their default. Keys without effect, such as `gap_ms` where no pairs are shown, do not count.
`design_hash` in the table `sessions` is its SHA-256. The design holds:
"""

_TABLE = "| setting | type | default | meaning |\n| --- | --- | --- | --- |"


def study_file_reference() -> str:
    """The text of `docs/study_file.md`."""
    parts = [_HEAD]
    for setting in settings_of(Study):
        parts += _section(setting, setting.name)
    parts += _design()
    return "\n".join(parts)


def _design() -> Iterator[str]:
    """Return the keys that sessions of one store must share."""
    yield "## Changing a study after its first session\n"
    yield _DESIGN
    for section, keys in IN_DESIGN.items():
        yield f"- `[{section}]`: {', '.join(f'`{key}`' for key in keys)}"
    yield "- the pictures, for practice and catch trials too: name, item, model, data set and SHA-256 of each stimulus"
    yield "\nAll other keys may change at any time:\n"
    for section, reasons in NOT_IN_DESIGN.items():
        if isinstance(reasons, str):
            yield f"- all of `[{section}]`: {reasons}"
        else:
            for reason, keys in groupby(reasons, key=reasons.__getitem__):
                yield f"- `[{section}]` {', '.join(f'`{key}`' for key in keys)}: {reason}"
    yield ""


def _section(setting: Setting, path: str) -> Iterator[str]:
    """A section and those within it."""
    assert setting.section is not None
    header = {"by_name": f"[{path}.NAME]", "list": f"[[{path}]]"}.get(setting.shape, f"[{path}]")
    yield f"## `{header}`\n"
    yield " ".join(filter(None, [about(setting.section), _SEE.get(path)])) + "\n"
    yield _table(setting.section)
    for inner in settings_of(setting.section):
        if inner.section is not None:
            yield from _section(inner, f"{path}.{inner.name}")


def _table(section: type[Section]) -> str:
    rows = [
        f"| `{setting.name}` | {setting.values} | {_value(setting)} | {setting.meaning} |"
        for setting in settings_of(section)
    ]
    return "\n".join([_TABLE, *rows, ""])


def _value(setting: Setting) -> str:
    """A default as it would stand in a study file."""
    if setting.field.is_required():
        return "must be given"
    default: Any = setting.default
    if default in (None, (), {}, "") or isinstance(default, Section):
        return "–"
    return f"`{toml(default)}`" if isinstance(default, bool | str | tuple | dict) else f"{default:g}"


if __name__ == "__main__":
    print(study_file_reference(), end="")
