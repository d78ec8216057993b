"""A study file with every key in it: what a user starts from, made from the settings that read it."""

import json
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.files import check_output_file, write_text
from gan_eval.locks import hold_lock
from gan_eval.settings.description import Setting, about, settings_of
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study

Values = Mapping[str, Any]
"""What a study file gives, as `tomllib` reads it."""

OF_TRAINING = ("data", "models", "training", "generate")
"""Sections of no use to a study that trains nothing; they stand last there."""
A_TRAINING: Values = {
    "data": {"facades": {"direction": "BtoA"}},
    "models": {"pix2pix": {"data": "facades"}},
    "training": {"epochs": 200},
}
"""The models of a study that was told of no pictures: the published training on facades (`gan-eval data fetch`)."""
WIDTH = 100

_HEAD = """\
A study of gan_eval: every key that there is, each with its default. docs/study_file.md has them as tables.

A line such as `#break_every = 50` is a key that is off; take the # away to set it, and of a section its [header] first.
A key that is not in the file has its default, so what you do not change may go.
"""


def write_study(file: Path, values: Values, *, sets: Sequence[Path] = ()) -> None:
    """Write a study file with every key, off or on.

    Args:
        file: the new file.
        values: what differs from the defaults, by section.
        sets: stimulus sets that the study shows; their paths are written relative to the file.

    Raises:
        UserError: the file is there already, another process is writing it, or it cannot be written.
    """
    check_output_file(file)
    if sets:
        folder, names = file.absolute().parent, []
        for path in sets:
            name = path.absolute()
            with suppress(ValueError):  # another drive
                name = Path(os.path.relpath(name, folder))
            names.append(name.as_posix())
        values = {**values, "stimuli": {"sets": names}}
    with hold_lock(file.with_name(f".{file.name}.lock"), f"--out {file}", "writing it"):
        if os.path.lexists(file):
            raise UserError(f"--out {file}: there is such a file already; name another, or remove it")
        write_text(file, study_text(values))


def study_name(text: str) -> str:
    """A name that a study may have, from a file's or folder's.

    >>> study_name("my first try!")
    'my-first-try'
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._") or "study"


def study_text(values: Values) -> str:
    """The text of a study file that gives these values, and all other keys with their defaults.

    Args:
        values: by section, as a study file gives them; `study.name` has to be there.
    """
    trains = "models" in values
    sections = sorted(settings_of(Study), key=lambda setting: not trains and setting.name in OF_TRAINING)
    lines = [*_comment(_HEAD)]
    for setting in sections:
        if not trains and setting.name == OF_TRAINING[0]:
            lines += ["", *_comment(f"What follows is for studies that train models.\n{'-' * 46}")]
        lines += _section_lines(setting, setting.name, values.get(setting.name))
    return "\n".join([*lines, ""])


def _section_lines(setting: Setting, path: str, given: Any) -> Iterator[str]:
    """A section, its keys, and the sections within it; off where it is not given and has no default."""
    assert setting.section is not None
    if setting.shape == "by_name":
        for name, values in (given or {str(setting.example): {}}).items():
            yield from _table(setting.section, f"{path}.{name}", values, header="[{}]", off=not given)
    elif setting.shape == "list":
        for values in given or [{}]:
            yield from _table(setting.section, path, values, header="[[{}]]", off=not given)
    else:
        off = setting.shape == "optional" and given is None
        yield from _table(setting.section, path, given or {}, header="[{}]", off=off)


def _table(section: type[Section], path: str, values: Values, *, header: str, off: bool) -> Iterator[str]:
    yield ""
    yield from _comment(about(section))
    yield ("#" if off else "") + header.format(path)
    inner = []
    for setting in settings_of(section):
        if setting.section is not None:
            inner.append(setting)
            continue
        name = setting.name
        # no value that could stand in the file means what leaving the key out means
        has_no_default = setting.default is None or (setting.field.examples and not setting.default)
        is_off = name not in values and not setting.field.is_required() and has_no_default
        value = values.get(name, setting.example if is_off or setting.default is None else setting.default)
        yield ""
        *start, last = textwrap.wrap(setting.meaning, WIDTH) or [""]
        values_in_words = f"({setting.values.replace('`', '')})"
        fits = len(f"{last} {values_in_words}") <= WIDTH
        yield from _comment("\n".join([*start, f"{last} {values_in_words}" if fits else f"{last}\n{values_in_words}"]))
        yield ("#" if off or is_off else "") + f"{name} = {toml(value)}"
    for setting in inner:
        yield from _section_lines(setting, f"{path}.{setting.name}", values.get(setting.name))


def _comment(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (f"# {part}".rstrip() for part in textwrap.wrap(line, WIDTH) or [""])


def toml(value: Any) -> str:
    """A value as TOML.

    >>> toml({"sets": ("a", "b"), "share": 0.5, "on": True})
    '{ sets = ["a", "b"], share = 0.5, on = true }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        plain = re.compile("[A-Za-z0-9_-]+")
        pairs = (f"{name if plain.fullmatch(name) else toml(name)} = {toml(one)}" for name, one in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value)
