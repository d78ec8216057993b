"""Bring the quiz's translations up to date with its texts, and compile them.

    python packaging/translations.py [LANGUAGE ...]

Writes `gan_eval/quiz/app/translations/quiz_LANGUAGE.ts`, in which translators work (by Qt Linguist or any editor), and
compiles it to `quiz_LANGUAGE.qm`, which the quiz loads. Without a language: all existing ones. Translations stay;
those whose English has changed are marked unfinished, new texts are empty, texts that are gone are dropped.
"""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as Xml
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_text
from gan_eval.quiz.wording import CONTEXT, SOURCE_LANGUAGE, TEXTS, TRANSLATIONS

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'


@dataclass(frozen=True)
class Translation:
    """One text in a translation's file."""

    source: str
    """The English that was translated."""
    text: str
    """Empty: not translated yet."""
    finished: bool


def read_catalogue(file: Path) -> dict[str, Translation]:
    """The translations of a `.ts` file by name.

    Raises:
        UserError: it is not such a file.
    """
    try:
        root = Xml.parse(file).getroot()
    except (OSError, Xml.ParseError) as error:
        raise UserError(f"{file}: not a Qt translation source ({error})") from error
    found = {}
    for message in root.iter("message"):
        made = message.find("translation")
        if made is not None:
            source, name = message.findtext("source", ""), message.findtext("comment", "")
            found[name] = Translation(source, made.text or "", finished=made.get("type") != "unfinished")
    return found


def updated(known: Mapping[str, Translation], texts: Mapping[str, str] = TEXTS) -> dict[str, Translation]:
    """Return the translations for the current texts, in their order."""
    made = {}
    for name, source in texts.items():
        old = known.get(name, Translation(source, "", finished=False))
        made[name] = Translation(source, old.text, finished=bool(old.text) and old.finished and old.source == source)
    return made


def write_catalogue(file: Path, language: str, catalogue: Mapping[str, Translation]) -> None:
    """Write a `.ts` file."""
    root = Xml.Element("TS", version="2.1", language=language, sourcelanguage=SOURCE_LANGUAGE)
    context = Xml.SubElement(root, "context")
    Xml.SubElement(context, "name").text = CONTEXT
    for name, each in catalogue.items():
        message = Xml.SubElement(context, "message")
        Xml.SubElement(message, "source").text = each.source
        Xml.SubElement(message, "comment").text = name
        made = Xml.SubElement(message, "translation", {} if each.finished else {"type": "unfinished"})
        made.text = each.text
    Xml.indent(root)
    write_text(file, _HEAD + Xml.tostring(root, encoding="unicode") + "\n")


def compile_catalogue(file: Path) -> Path:
    """Compile a `.ts` file to the `.qm` file next to it.

    Raises:
        UserError: Qt's compiler is not there, or refuses.
    """
    tool = Path(sys.executable).parent / "pyside6-lrelease"
    compiler = shutil.which(tool) or shutil.which(tool.name)
    if compiler is None:
        raise UserError(f"{tool.name}: not found; it comes with PySide6")
    compiled = file.with_suffix(".qm")
    done = subprocess.run([compiler, "-silent", file, "-qm", compiled], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{file}: {done.stderr or done.stdout}")
    return compiled


def main(languages: Sequence[str]) -> None:
    """Bring these languages up to date; without names, all existing ones."""
    for language in languages or [file.stem.removeprefix("quiz_") for file in sorted(TRANSLATIONS.glob("quiz_*.ts"))]:
        file = TRANSLATIONS / f"quiz_{language}.ts"
        catalogue = updated(read_catalogue(file) if file.is_file() else {})
        write_catalogue(file, language, catalogue)
        missing = sum(not each.finished for each in catalogue.values())
        print(f"{compile_catalogue(file)}: {len(catalogue)} texts, {missing} unfinished")


if __name__ == "__main__":
    main(sys.argv[1:])
