"""`docs/study_file.md`: every key of a study file, from the settings and the lines below them.

Made by `python packaging/settings_reference.py > docs/study_file.md`.
"""

from collections.abc import Iterator
from typing import Any

from gan_eval.settings.description import Setting, about, settings_of
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study
from gan_eval.settings.template import toml

_HEAD = """# The study file

Made from `gan_eval/settings/` by `python packaging/settings_reference.py > docs/study_file.md`; do not edit by hand.

One TOML file describes an experiment. `gan-eval study new --out my.toml` writes one that has every key below with its
default and its meaning, and is valid as it stands; `--stimuli SET` (repeatable) makes it show pictures that are there
already. A key that is not given has its default, so a study can be short:

```toml
[study]
name = "my_study"

[stimuli]
sets = ["set"]          # made by gan-eval stimuli import; or [data.NAME] and [models.NAME], to train models

[quiz]
participants = 12
```

`gan-eval run my.toml --out DIR` does all of it. An unknown key, or a value of another kind, is refused in one line that
names the nearest known key. Only `study.name` must be given, and either `stimuli.sets` or a `[models.NAME]`.
"""

_SEE = {
    "stimuli": "[giveaways.md](giveaways.md) tells what may give them away.",
    "data": "[data.md](data.md) tells how folders are laid out, and how pairs are made.",
    "training": "Each is also a key of `[models.NAME] training = { … }`, and `--set NAME=VALUE` of `gan-eval train`. "
    "[training.md](training.md) tells what they do together.",
    "training.inpainting": "[inpainting.md](inpainting.md) tells what they do together.",
    "quiz": "[protocols.md](protocols.md) tells what each protocol shows, asks and stores; [quiz.md](quiz.md) is the "
    "experimenter's page.",
    "metrics": "[metrics.md](metrics.md) has every metric's definition.",
    "analysis": "[statistics.md](statistics.md) tells what is done with them.",
    "power": "[power.md](power.md) tells how the sample size follows.",
}
"""Where there is more to read, by section."""

_TABLE = "| setting | type | default | meaning |\n| --- | --- | --- | --- |"


def study_file_reference() -> str:
    """The text of `docs/study_file.md`."""
    parts = [_HEAD]
    for setting in settings_of(Study):
        parts += _section(setting, setting.name)
    return "\n".join(parts)


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
