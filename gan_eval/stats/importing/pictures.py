"""One name for each picture, where a table has it by address, by folder, in HTML, or with a number in front."""

import re
from typing import Literal

import pandas as pd

from gan_eval.stats.importing.names import PICTURE_FILE

PictureNames = Literal["file", "stem", "as-is"]
_KEY = ["kind", "model", "dataset"]
"""Columns by which a table tells two pictures of one file name apart."""
_MAX_FOLDERS = 4
"""Maximum number of last parts of a path that may name a picture."""
_TOKEN = re.compile(r"([^_\- ]+)[_\- ]+(.+)")


def with_picture_names(trials: pd.DataFrame, how: PictureNames | None) -> tuple[pd.DataFrame, list[str]]:
    """Return the trials with one name for each picture, and a line on each change or doubt.

    Without `how`, tags, queries and the case of the ending go. So do the folders, or the outer ones, where that makes
    several names one: not if the table tells these pictures apart, or a participant judged two of them. So do the
    trial's number and the participant's code in front of all names.

    Args:
        how: `file`: the file's name; `stem`: without its ending; `as-is`: no change.
    """
    if how == "as-is":
        return trials, []
    columns = [name for name in ("stimulus", "stimulus_b") if trials[name].notna().any()]
    clean = trials.assign(**{name: _clean(trials[name]) for name in columns})
    if how is not None:
        return _told_apart(_by_file(clean, columns, without_ending=how == "stem"), clean), []
    given, before = _count(trials, columns), _count(clean, columns)
    lines = [f"{given} names of pictures are {before} without tags, queries and case"] if before < given else []
    joined = _by_file(clean, columns)
    if (after := _count(joined, columns)) == before:
        return _without_numbers(clean, lines)
    for depth in range(1, _MAX_FOLDERS + 1):
        files = _by_file(clean, columns, depth=depth)
        if _count(files, columns) < before and _are_same(clean, files, columns):
            said = f"{before} names of pictures are {_count(files, columns)} file names, each read as one picture"
            return _without_numbers(files, [*lines, f"{said} (--picture-names as-is keeps them apart)"])
    said = f"{before} names of pictures are {after} file names in several folders: kept apart"
    lines.append(f"{said} (--picture-names file joins them)")
    return _without_numbers(clean, lines)


def _clean(names: pd.Series) -> pd.Series:
    """Return names without HTML tags, spaces, quotes and queries, with endings in lower case."""
    code, distinct = pd.factorize(names)
    texts = pd.Series(distinct, dtype="object").astype("str")
    source = texts.str.extract(r"""(?i)<[^>]*\bsrc\s*=\s*["']?([^"'\s>]+)""", expand=False)
    texts = source.fillna(texts.str.replace(r"<[^>]*>", "", regex=True)).str.strip(" \t\"'")
    texts = texts.str.replace(f"({PICTURE_FILE.removesuffix('$')})[?#&].*$", r"\1", regex=True)
    texts = texts.str.replace(PICTURE_FILE, lambda found: found.group().lower(), regex=True)
    return pd.Series([*texts, None], dtype="str").take(code).set_axis(names.index)


def _by_file(trials: pd.DataFrame, columns: list[str], *, depth: int = 1, without_ending: bool = False) -> pd.DataFrame:
    """Return trials whose pictures are named by the last `depth` parts of their path."""
    last = rf"^.*?((?:[^/]+/){{0,{depth - 1}}}[^/]+)$"
    files = {name: trials[name].str.replace("\\", "/").str.replace(last, r"\1", regex=True) for name in columns}
    if without_ending:
        files = {name: column.str.replace(PICTURE_FILE, "", regex=True) for name, column in files.items()}
    return trials.assign(**files)


def _count(trials: pd.DataFrame, columns: list[str]) -> int:
    """Return the number of pictures that names and the table's own columns tell apart."""
    return sum(len(trials[[name, *_KEY]].drop_duplicates()) for name in columns)


def _are_same(names: pd.DataFrame, files: pd.DataFrame, columns: list[str]) -> bool:
    """Return whether nothing says that two names of one file name are two pictures."""
    hidden = [sum(frame[name].nunique() for name in columns) - _count(frame, columns) for frame in (names, files)]
    of_pairs = len(columns) == 2 and bool(set(files["stimulus"]) & set(files["stimulus_b"].dropna()))
    return hidden[1] >= hidden[0] and not of_pairs and not any(_judged_twice(names, files, name) for name in columns)


def _judged_twice(names: pd.DataFrame, files: pd.DataFrame, column: str = "stimulus") -> bool:
    """Return whether a participant judged a picture of one file name under two names."""
    people = [files[name] for name in ("participant", column, *_KEY)]
    return bool((names[column].groupby(people, dropna=False, observed=True).nunique() > 1).any())


def _told_apart(files: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return trials by file name; names with several kinds, models or data sets become `dataset/model/NAME`.

    Names that have two kinds as they stand are left to `distinct_names`.
    """
    single = files["kind"].notna()
    if (names["kind"][single].groupby(names["stimulus"][single]).nunique() > 1).any():
        return files
    version = (files["dataset"] + "/").fillna("") + files["model"].where(files["kind"] == "fake").fillna(files["kind"])
    several = single & (version.groupby(files["stimulus"]).transform("nunique") > 1)
    item = files["item"].fillna(files["stimulus"].where(several))
    return files.assign(stimulus=files["stimulus"].mask(several, version + "/" + files["stimulus"]), item=item)


def _without_numbers(trials: pd.DataFrame, lines: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return names without the trial's number and the participant's code in front; else a line that asks for it."""
    once = (trials.groupby("stimulus")["participant"].nunique() == 1).mean()
    if once < 0.9 or trials["participant"].nunique() < 2:
        return trials, lines
    rows = zip(trials["stimulus"], trials["participant"], trials["session"], trials["trial"], strict=True)
    bare = trials.assign(stimulus=pd.Series([_bare(*row) for row in rows], index=trials.index, dtype="str"))
    before, after = _count(trials, ["stimulus"]), _count(bare, ["stimulus"])
    in_all = bool((bare["stimulus"] != trials["stimulus"]).all())
    if in_all and 2 * after <= before and not _judged_twice(trials, bare):
        said = f"{before} names of pictures are {after} without the trial's number in front, each read as one picture"
        return bare, [*lines, f"{said} (--picture-names as-is keeps them apart)"]
    digits = trials.assign(stimulus=trials["stimulus"].str.replace(r"^(?:\d+[_\- ]+)+", "", regex=True))
    if 2 * (after := _count(digits, ["stimulus"])) <= before and not _judged_twice(trials, digits):
        said = f"{before} names of pictures, each judged by one participant, are {after} without the number in front"
        lines = [*lines, f"{said}: if these are the same pictures, remove it from the column"]
    return trials, lines


def _bare(name: str, participant: str, session: str, trial: int) -> str:
    while found := _TOKEN.fullmatch(name):
        head, rest = found.groups()
        if head not in (participant, session) and not (head.isdecimal() and int(head) in (trial, trial - 1)):
            break
        name = rest
    return name
