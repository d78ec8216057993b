"""One name for each picture, where a table has it by address, by folder, in HTML, or with a number in front."""

import re
from collections.abc import Callable
from functools import partial
from typing import Literal

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.names import PICTURE_FILE, by_distinct, clean_names
from gan_eval.judgements.rejections import MAX_WORDS

PictureNames = Literal["file", "stem", "as-is"]
_KEY = ["kind", "model", "dataset"]
"""Columns by which a table distinguishes two pictures of one file name."""
_MAX_FOLDERS = 4
"""Maximum number of last parts of a path that may name a picture."""
_HEAD, _TAIL = re.compile(r"([^_\- ]+)[_\- ]+(.+)"), re.compile(r"(.+)[_\- ]+([^_\- ]+)")
"""The first and the last word of a name."""
_CODE = r"(?i)^(?:\d+[_\- ]+)+|[_\-. ]?(?<![^\W_])(?=[0-9a-f]*\d)[0-9a-f]{6,}(?![^\W_])"
"""Numbers in front of a name, and long numbers and hexadecimal codes in it."""


_DATE, _LIKE_A_DATE = r"\d{4}-\d\d-\d\d 00:00:00", r"\d{1,2}[-. ]{1,2}[A-Z][a-zä]{2}\.?|[A-Z][a-zä]{2}[- ]\d{1,2}"
"""A date in the cell of a worksheet, and one that a spreadsheet has written as text, such as 1-Apr."""


def with_picture_names(trials: pd.DataFrame, how: PictureNames | None) -> tuple[pd.DataFrame, list[str]]:
    """Return the trials with one name for each picture, and a line on each change or doubt.

    Without `how`, tags, queries and the case of the ending go. So do the folders of files, or the outer ones: not if
    the table distinguishes pictures of one file name, or a participant judged two of them. So do the trial's number and
    the participant's code in front of all names.

    Args:
        how: `file`: the file's name; `stem`: without its ending; `as-is`: no change.

    Raises:
        UserError: a spreadsheet has turned names into dates.
    """
    if how == "as-is":
        return trials, []
    columns = [name for name in ("stimulus", "stimulus_b") if trials[name].notna().any()]
    every = pd.concat([trials[name].drop_duplicates() for name in columns])
    if (dates := every[every.str.fullmatch(_DATE, na=False)]).size:
        raise UserError(
            f"column {columns[0]}: {dates.iloc[0]} is a date, which a spreadsheet has made of a picture's name; write "
            "the names again in a column of text"
        )
    clean = trials.assign(**{name: clean_names(trials[name]) for name in columns})
    if how is not None:
        return _told_apart(_by_file(clean, columns, without_ending=how == "stem"), clean), []
    given, before = _count(trials, columns), _count(clean, columns)
    lines = [f"{given} names of pictures are {before} without tags, queries and case"] if before < given else []
    if (dates := every[every.str.fullmatch(_LIKE_A_DATE, na=False)]).size:
        named = ", ".join(dates[:MAX_WORDS])
        lines.append(f"names of pictures look like dates ({named}): has a spreadsheet changed them?")
    for spelled, said in (
        (_with_endings, "where those without an ending are given the one of others"),
        (partial(_spelled_alike, key=str.casefold), "without differences in case"),
        (partial(_spelled_alike, key=_without_size), "without sizes of screens, such as @2x and _800x600"),
        (partial(_spelled_alike, key=_without_zeros), "without zeros in front of numbers"),
    ):
        changed = spelled(clean, columns)
        if (after := _count(changed, columns)) < before and _are_same(clean, changed, columns, of_folders=False):
            lines.append(f"{before} names of pictures are {after} {said}")
            clean, before = changed, after
    stems, check = _by_file(clean, columns, depth=_MAX_FOLDERS, without_ending=True), CHECKS["names_by_ending"]
    after = _count(stems, columns)
    if after <= check.threshold * before and not any(_judged_twice(clean, stems, name) for name in columns):
        lines.append(check.line(before=before, after=after))
    shorter = (_by_file(clean, columns, depth=depth) for depth in range(1, _MAX_FOLDERS + 1))
    files = next((names for names in shorter if _are_same(clean, names, columns)), clean)
    if (after := _count(files, columns)) < before:
        said = f"{before} names of pictures are {after} file names, each read as one picture"
        return _without_numbers(files, columns, [*lines, f"{said} (--picture-names as-is keeps them apart)"])
    if (after := _count(_by_file(clean, columns), columns)) < before:
        said = f"{before} names of pictures are {after} file names in several folders: kept apart"
        lines.append(f"{said} (--picture-names file joins them)")
    return _without_numbers(files if _are_files(clean, columns) else clean, columns, lines)


def several_names(trials: pd.DataFrame) -> list[str]:
    """Return a warning of pictures that seem to have several names, in a table that was not imported."""
    trials = trials[trials["onset_ms"].isna()]  # this program names its pictures
    columns = [name for name in ("stimulus", "stimulus_b") if trials[name].notna().any()]
    if not columns:
        return []
    before = _count(trials, columns)
    if (after := _count(with_picture_names(trials, None)[0], columns)) == before:
        return []
    return [
        f"{before} names of pictures look like those of {after} pictures: each name counts as a picture; `gan-eval "
        "trials import` gives each picture one name (--picture-names)"
    ]


def _by_file(trials: pd.DataFrame, columns: list[str], *, depth: int = 1, without_ending: bool = False) -> pd.DataFrame:
    """Return trials whose pictures are named by the last `depth` parts of their path."""
    last = rf"^.*?((?:[^/]+/){{0,{depth - 1}}}[^/]+)$"

    def short(names: pd.Series) -> pd.Series:
        files = names.str.replace("\\", "/").str.replace(last, r"\1", regex=True)
        return files.str.replace(PICTURE_FILE, "", regex=True) if without_ending else files

    return trials.assign(**{name: by_distinct(trials[name], short) for name in columns})


def _with_endings(trials: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return names without an ending as the name that others have with one, if there is one such name."""
    names = pd.concat([trials[name] for name in columns]).dropna().drop_duplicates()
    with_ending = names[names.str.contains(PICTURE_FILE)]
    stems = with_ending.str.replace(PICTURE_FILE, "", regex=True)
    full = dict(zip(stems[~stems.duplicated(keep=False)], with_ending[~stems.duplicated(keep=False)], strict=True))
    return trials.assign(**{name: trials[name].map(full).astype("str").fillna(trials[name]) for name in columns})


def _spelled_alike(trials: pd.DataFrame, columns: list[str], *, key: Callable[[str], str]) -> pd.DataFrame:
    """Return names with an equal key as the first of them."""
    first: dict[str, str] = {}
    for name in pd.concat([trials[name] for name in columns]).dropna().unique():
        first.setdefault(key(name), name)
    spelling = {name: first[key(name)] for column in columns for name in trials[column].dropna().unique()}
    return trials.assign(**{name: trials[name].map(spelling).astype("str") for name in columns})


def _without_size(name: str) -> str:
    """Return a name without the size that a page chose for a screen.

    >>> _without_size("face_1@2x.png"), _without_size("face_1_800x600.png"), _without_size("2x4.png")
    ('face_1.png', 'face_1.png', '2x4.png')
    """
    return re.sub(r"(?i)(@\d(\.\d+)?x|[-_]\d{2,5}x\d{2,5})(?=\.[a-z]+$|$)", "", name)


def _without_zeros(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name)


def _are_files(trials: pd.DataFrame, columns: list[str]) -> bool:
    """Return whether all names are of picture files, and none is `dataset/...`, as this program names pictures."""
    for name in columns:
        pictures = trials[[name, "dataset"]].dropna(subset=name).drop_duplicates()
        is_of_set = any(picture.startswith(f"{dataset}/") for picture, dataset in pictures.itertuples(index=False))
        if is_of_set or not pictures[name].str.contains(PICTURE_FILE).all():
            return False
    return True


def _count(trials: pd.DataFrame, columns: list[str]) -> int:
    """Return the number of pictures that names and the table's own columns distinguish."""
    keys = [pd.factorize(trials[name])[0] for name in _KEY if trials[name].notna().any()]
    count = 0
    for name in columns:
        code = pd.factorize(trials[name])[0].astype("int64")
        for key in keys:
            code = pd.factorize(code * (len(trials) + 1) + key)[0]
        count += len(pd.unique(code))
    return count


def _are_same(names: pd.DataFrame, files: pd.DataFrame, columns: list[str], *, of_folders: bool = True) -> bool:
    """Return whether nothing says that two names of one file name are two pictures.

    Args:
        of_folders: the names differ in their folders.
    """
    counts = [_count(frame, columns) for frame in (names, files)]
    distinct = [sum(frame[name].nunique() for name in columns) for frame in (names, files)]
    of_pairs = len(columns) == 2 and bool(set(files["stimulus"]) & set(files["stimulus_b"].dropna()))
    if distinct[1] - counts[1] < distinct[0] - counts[0] or of_pairs:
        return False
    if counts[0] == counts[1]:
        return True
    if any(_judged_twice(names, files, name) for name in columns):
        return False
    return not (of_folders and _shown_together(names, files, columns))


def _shown_together(names: pd.DataFrame, files: pd.DataFrame, columns: list[str]) -> bool:
    """Return whether two folders with one file name belong to one computer: other folders were shown with both.

    So are those of two models, each judged by other people, next to the folder of the real pictures.
    """
    shown = pd.concat(
        files[["session", *_KEY]].assign(
            file=files[name], folder=[full[: -len(file)] for full, file in zip(names[name], files[name], strict=True)]
        )[files[name].notna().to_numpy(bool)]
        for name in columns
    )
    computer, before = pd.Series(pd.factorize(shown["folder"])[0], shown.index), None
    while before is None or not computer.equals(before):
        before = computer
        for of in ("session", "folder"):
            computer = computer.groupby(shown[of].to_numpy()).transform("min")
    computers = shown.assign(computer=computer).groupby(["file", *_KEY], dropna=False)[["folder", "computer"]].nunique()
    return bool((computers["computer"] < computers["folder"]).any())


def _judged_twice(names: pd.DataFrame, files: pd.DataFrame, column: str = "stimulus") -> bool:
    """Return whether a participant judged a picture of one file name under two names."""
    people = [files[name] for name in ("participant", column, *_KEY)]
    return bool((names[column].groupby(people, dropna=False, observed=True).nunique() > 1).any())


def _told_apart(files: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return trials by file name; names with several kinds, models or data sets become `dataset/model/NAME`.

    Names that already have two kinds are left to `distinct_names`.
    """
    single = files["kind"].notna()
    if (names["kind"][single].groupby(names["stimulus"][single]).nunique() > 1).any():
        return files
    version = (files["dataset"] + "/").fillna("") + files["model"].where(files["kind"] == "fake").fillna(files["kind"])
    several = single & (version.groupby(files["stimulus"]).transform("nunique") > 1)
    item = files["item"].fillna(files["stimulus"].where(several))
    return files.assign(stimulus=files["stimulus"].mask(several, version + "/" + files["stimulus"]), item=item)


def _without_numbers(trials: pd.DataFrame, columns: list[str], lines: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return names without the trial's number and the participant's code; else a line that asks for other codes."""
    if trials["participant"].nunique() < 2:
        return trials, lines
    before = _count(trials, columns)
    names = {name: bare_names for name in columns if (bare_names := _all_bare(trials, name)) is not None}
    bare = trials.assign(**names)
    after = _count(bare, columns)
    if len(names) == len(columns) and after < before and not any(_judged_twice(trials, bare, name) for name in columns):
        said = f"{before} names of pictures are {after} without the trial's number or the participant's code"
        return bare, [*lines, f"{said}, each read as one picture (--picture-names as-is keeps them apart)"]
    once = min((trials.groupby(name)["participant"].nunique() == 1).mean() for name in columns)
    check = CHECKS["names_by_code"]
    if once < check.threshold:
        return trials, lines
    plain = trials.assign(**{name: trials[name].str.replace(_CODE, "", regex=True) for name in columns})
    is_repeated = any(_judged_twice(trials, plain, name) for name in columns)
    if (after := _count(plain, columns)) <= check.share * before and not is_repeated:
        lines = [*lines, check.line(before=before, after=after)]
    return trials, lines


def _all_bare(trials: pd.DataFrame, name: str) -> pd.Series | None:
    """Return a column's names without trial's number and participant's code; None: a name has neither."""
    bare = []
    for row in zip(*(trials[key] for key in (name, "participant", "session", "trial")), strict=True):
        bare.append(_bare(*row))
        if isinstance(row[0], str) and bare[-1] == row[0]:
            return None
    return pd.Series(bare, trials.index, "str")


def _bare(name: str | None, participant: str, session: str, trial: int) -> str | None:
    if name is None or name != name:
        return name
    folder, slash, file = name.rpartition("/")
    while match := _HEAD.fullmatch(file):
        head, rest = match.groups()
        if head not in (participant, session) and not (head.isdecimal() and int(head) in (trial, trial - 1)):
            break
        file = rest
    ending = match.group() if (match := re.search(PICTURE_FILE, file)) else ""
    if match := _TAIL.fullmatch(file.removesuffix(ending)):
        of_trial = re.fullmatch(r"(?i)trial(\d+)", match[2])
        if match[2] in (participant, session) or (of_trial and int(of_trial[1]) in (trial, trial - 1)):
            file = match[1] + ending
    return folder + slash + file
