"""Names of pictures in another program's table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from unicodedata import normalize
from urllib.parse import unquote

import pandas as pd

from gan_eval.judgements.checks import CHECKS

PICTURE_FILE = r"\.(?i:png|jpe?g|webp|bmp|tiff?|gif|avif)$"

_FILE_IN_TEXT = re.compile(rf"[^\s\"'<>(]+{PICTURE_FILE.removesuffix('$')}")
_KINDS = {"real", "fake"}


def kinds_by_name(names: Iterable[str], *, others: str | None = None) -> dict[str, str] | None:
    """Return the kind that each picture's name has as a word; None: a name has none, or the words may mean another.

    Folders called real and fake decide. Else so do these words in the names of folders or, if no folder has one, of
    files; not if the real ones have a further word that no generated one has, such as Real-ESRGAN.

    Args:
        others: the kind of names without a word; None: each must have one.

    >>> kinds_by_name(["s/real/fake_flowers.png", "s/fake/real_esrgan.png"])
    {'s/real/fake_flowers.png': 'real', 's/fake/real_esrgan.png': 'fake'}
    >>> kinds_by_name(["real/1.png", "Real-ESRGAN/1.png", "fake_gan/1.png"]), kinds_by_name(["not_real_1", "fake_1"])
    (None, None)
    """
    parts = {name: _parts_of(name) for name in names}
    levels = [*zip(*(each[:-1] for each in parts.values()), strict=False)]
    shared = next((at for at, level in enumerate(levels) if len({*level}) > 1), len(levels))
    folders = {name: each[shared:-1] for name, each in parts.items()}
    exact = {name: _KINDS.intersection(each) for name, each in folders.items()}
    if (found := _each_one(exact, others)) is not None:
        return found
    of_folders = {name: _words(each) for name, each in folders.items()}
    of_files = {name: _words(each[-1:]) for name, each in parts.items()}
    has_folders = any(words & _KINDS for words in of_folders.values())
    return _kinds_by_words([of_folders, of_files] if has_folders else [of_files], others)


def _kinds_by_words(readings: Sequence[Mapping[str, frozenset[str]]], others: str | None) -> dict[str, str] | None:
    """Return the kind that the first reading of each name has as a word, if it is clear and the others agree."""
    found = _each_one({name: words & _KINDS for name, words in readings[0].items()}, others)
    if found is None:
        return None
    of_kind: dict[str, set[str]] = {"real": set(), "fake": set()}
    for name, kind in found.items():
        of_kind[kind] |= readings[0][name]
    differs = any(words & _KINDS - {found[name]} for each in readings for name, words in each.items())
    return found if of_kind["real"] - of_kind["fake"] == {"real"} and not differs else None


def names_a_kind(names: Iterable[str]) -> str | None:
    """Return the first name that has the word real or fake."""
    return next((name for name in names if _words(_parts_of(name)) & _KINDS), None)


def _parts_of(name: str) -> list[str]:
    """Return the folders and the file, without its ending, of the picture in a text, in lower case."""
    file = _FILE_IN_TEXT.search(name)
    return re.split(r"[\\/]", re.sub(PICTURE_FILE, "", file.group() if file else name).lower())


def _words(parts: Iterable[str]) -> frozenset[str]:
    """Return the words of a path without numbers at their ends; codes with numbers inside are none."""
    words = (word.strip("0123456789") for part in parts for word in re.split(r"[\W_]+", part))
    return frozenset(word for word in words if word.isalpha())


def _each_one(kinds: Mapping[str, frozenset[str] | set[str]], others: str | None) -> dict[str, str] | None:
    """Return the kind of each name; None: one has none, or two, or all have the same."""
    found = {name: next(iter(each), others) for name, each in kinds.items() if len(each) < 2}
    if len(found) < len(kinds) or {*found.values()} != _KINDS:
        return None
    return {name: str(kind) for name, kind in found.items()}


def distinct_names(trials: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rename pictures that share a name to `dataset/real/STEM` and `dataset/model/STEM`; the name is their item.

    If fewer than half of the names are real in some rows and fake in others, these rows are mistakes, and
    `require_agreement` refuses them.
    """
    pictures = trials[["stimulus", "kind", "model", "dataset"]].dropna(subset="kind").drop_duplicates()
    of_names = pictures.assign(version=versions_of(pictures)).groupby("stimulus")[["version", "kind"]].nunique()
    has_kinds, has_versions = of_names["kind"] > 1, of_names["version"] > 1
    mistaken = has_kinds & (has_kinds.mean() < CHECKS["one_name"].threshold)
    shared = of_names.index[has_versions & ~mistaken]
    if shared.empty:
        return trials, ()
    single, version = trials["kind"].notna(), versions_of(trials)
    several = single & trials["stimulus"].isin(shared)
    names = trials["stimulus"].dropna().unique()
    stem = trials["stimulus"].map({name: re.sub(PICTURE_FILE, "", name) for name in names}).astype("str")
    if stem.nunique() < trials["stimulus"].nunique():  # a.png differs from a.jpg
        stem = trials["stimulus"]
    own_name = trials["stimulus"].mask(several, version + "/" + stem)
    item = trials["item"].fillna(trials["stimulus"].where(single))
    return trials.assign(stimulus=own_name, item=item), tuple(map(str, shared))


def versions_of(pictures: pd.DataFrame) -> pd.Series:
    """Return each picture's data set, if it has one, with its model, or `real`."""
    version = pictures["model"].where(pictures["kind"] == "fake").fillna(pictures["kind"])
    return (pictures["dataset"] + "/").fillna("") + version


def clean_names(names: pd.Series) -> pd.Series:
    """Return names without HTML tags, codes of an address (%20), spaces, quotes and queries; endings in lower case."""
    return names.map({name: clean_name(name) for name in names.dropna().unique()}).astype("str")


def clean_name(text: str) -> str:
    """Return a name as `clean_names` does.

    >>> clean_name("<img src='a%20b.PNG?t=1'>"), clean_name(' "c.jpg" ')
    ('a b.png', 'c.jpg')
    """
    source = re.search(r"""(?i)<[^>]*\bsrc\s*=\s*["']?([^"'\s>]+)""", text)
    text = (source[1] if source else re.sub(r"<[^>]*>", "", text)).strip(" \t\"'")
    text = re.sub(f"({PICTURE_FILE.removesuffix('$')})[?#&].*$", r"\1", text)
    text = normalize("NFC", unquote(text))  # macOS writes é as two characters
    return re.sub(PICTURE_FILE, lambda found: found.group().lower(), text)
