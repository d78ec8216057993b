"""Two folders of pictures as a stimulus set in memory, paired by file stem.

A picture without partner and a stem that stands for several files are told and leave the others as they are.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.stimuli import pictures
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tabular import Row

ByStem = Mapping[str, list[Path]]
"""The picture files of a folder by their stem."""


@dataclass(frozen=True)
class FolderPair(StimulusSet):
    """Two folders as a stimulus set. Its rows have two more columns, both for people's eyes.

    `problem` says why a row's picture is not measured, `no_reference` why a picture has no partner.
    """

    problems: tuple[str, ...] = ()
    """A line for each picture without partner, and for each stem of several files."""


def folder_pair(real: Path, fake: Path, *, dataset: str | None = None, model: str | None = None) -> FolderPair:
    """Two folders as a stimulus set in memory, paired by file stem. Nothing is written.

    A generated picture without partner stays, without reference; a real one stays too: both can be measured alone and
    as members of their sets. Files of one folder that share a stem (`a.png`, `a.jpg`) are one stimulus that is not
    measured, since nobody knows which is meant.

    Args:
        real: folder of the real pictures.
        fake: folder of the generated pictures.
        dataset: name of the data set; default: the real folder's name.
        model: name of the generator; default: the fake folder's name.

    Raises:
        UserError: the model is called real, a folder is missing or empty, or the folders have no stem in common.
    """
    real, fake = Path(real), Path(fake)
    dataset, model = dataset or real.resolve().name, model or fake.resolve().name
    if model == "real":
        raise UserError("model name 'real': is kept for the ground truth; give another with --model")
    if "|" in model:
        raise UserError(f"model name {model!r}: has a '|', which separates two models; give another with --model")
    reals, fakes = _by_stem(real), _by_stem(fake)
    if not reals.keys() & fakes.keys():
        raise _nothing_in_common(real, fake, reals, fakes)
    no_real, no_fake = _missing(fakes, real, reals), _missing(reals, fake, fakes)
    several = _several(real, reals), _several(fake, fakes)
    rows = [
        _row(stem, paths, dataset, None, problem=several[0].get(stem)) | {"no_reference": no_fake.get(stem)}
        for stem, paths in reals.items()
    ]
    for stem, paths in sorted(fakes.items(), key=lambda entry: entry[0] not in reals):
        no_reference = no_real.get(stem) or several[0].get(stem)
        rows.append(
            _row(stem, paths, dataset, model, problem=several[1].get(stem))
            | {
                "reference_file": None if no_reference else str(reals[stem][0].absolute()),
                "no_reference": no_reference,
            }
        )
    lonely = [
        *(_printable(f"{fakes[stem][0]}: {reason}") for stem, reason in no_real.items()),
        *(_printable(f"{reals[stem][0]}: {reason}") for stem, reason in no_fake.items()),
    ]
    return FolderPair(Path(), tuple(rows), (*lonely, *several[0].values(), *several[1].values()))


def _by_stem(folder: Path) -> ByStem:
    stems: dict[str, list[Path]] = {}
    for path in pictures.list_pictures(folder):
        stems.setdefault(path.stem, []).append(path)
    return stems


def _row(stem: str, paths: list[Path], dataset: str, model: str | None, *, problem: str | None) -> Row:
    name = _printable(stem)
    row: dict[str, Any] = {
        "stimulus": f"{dataset}/{model or 'real'}/{name}",
        "item": f"{dataset}/{name}",
        "kind": "fake" if model else "real",
        "model": model,
        "dataset": dataset,
        "file": str(paths[0].absolute()),
        "reference_file": None,
        "problem": problem,
        "no_reference": None,
    }
    return row


def _printable(text: str) -> str:
    """The text as a table can hold it: line breaks and bytes that are no text are written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _missing(wanted: ByStem, folder: Path, found: ByStem) -> dict[str, str]:
    """For each wanted stem that the folder lacks, the words for it."""
    missing = [stem for stem in wanted if stem not in found]
    alike = {_folded(stem): stem for stem in found} if missing else {}
    words = {}
    for stem in missing:
        near = alike.get(_folded(stem))
        hint = f"; {near!r} differs only in capitals or in how accents are encoded" if near else ""
        words[stem] = _printable(f"no picture with the stem {stem!r} in {folder}{hint}")
    return words


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFC", stem).casefold()


def _several(folder: Path, found: ByStem) -> dict[str, str]:
    """For each stem of several files, the words for it."""
    return {
        stem: _printable(
            f"{folder}: several pictures with the stem {stem!r} ({', '.join(path.name for path in paths)}); keep one"
        )
        for stem, paths in found.items()
        if len(paths) > 1
    }


def _nothing_in_common(real: Path, fake: Path, reals: ByStem, fakes: ByStem) -> UserError:
    real_ending, fake_ending = _ending(reals), _ending(fakes)
    mend = "rename the pictures of one folder so that partners share a stem"
    if {stem.removesuffix(real_ending) for stem in reals} & {stem.removesuffix(fake_ending) for stem in fakes}:
        mend = f"they match but for their endings {real_ending!r} and {fake_ending!r}: rename them"
        if (real_ending, fake_ending) == ("_real_B", "_fake_B"):
            mend += ", or put both into one folder for `gan-eval stimuli import`"
    here, there = (next(iter(found.values()))[0].name for found in (fakes, reals))
    return UserError(f"{fake}: no picture shares its stem with one in {real} (here {here!r}, there {there!r}); {mend}")


def _ending(stems: Iterable[str]) -> str:
    """What all stems end with, from a separator on: `_fake_B` of `1_fake_B` and `2_fake_B`."""
    backwards = [stem[::-1] for stem in stems]
    common = takewhile(lambda pair: pair[0] == pair[1], zip(min(backwards), max(backwards), strict=False))
    found = re.search(r"[^0-9A-Za-z].*", "".join(c for c, _ in common)[::-1], re.DOTALL)
    return found[0] if found else ""
