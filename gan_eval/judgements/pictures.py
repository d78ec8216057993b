"""One name for each picture, where a table has it by address, by folder, in HTML, or with a number in front."""

import re
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.names import PICTURE_FILE, clean_names
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
_SIZE = r"(?i)(@\d(\.\d+)?x|[-_]\d{2,5}x\d{2,5})(?=\.[a-z]+$|$)"
"""The size that a page chose for a screen: face_1@2x.png, face_1_800x600.png."""
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
    shown = _Shown(trials)
    if how is None:
        names, lines = _named(shown)
        return shown.renamed(names), lines
    clean = shown.clean()
    return shown.renamed(_told_apart(shown.by_file(clean, without_ending=how == "stem"), clean)), []


def several_names(trials: pd.DataFrame) -> list[str]:
    """Return a warning of pictures that seem to have several names, in a table that was not imported."""
    shown = _Shown(trials[trials["onset_ms"].isna()])  # this program names its pictures
    if not shown.columns:
        return []
    before, after = shown.count(shown.given), shown.count(_named(shown)[0])
    if after == before:
        return []
    return [
        f"{before} names of pictures look like those of {after} pictures: each name counts as a picture; `gan-eval "
        "trials import` gives each picture one name (--picture-names)"
    ]


class _Shown:
    """Trials, and their P pictures as the names, kinds, models and data sets distinguish them.

    Names of pictures are frames (P,) with the columns of names, `kind`, `model` and `dataset`.
    """

    def __init__(self, trials: pd.DataFrame) -> None:
        self.trials = trials
        self.columns = [name for name in ("stimulus", "stimulus_b") if trials[name].notna().any()]
        self.picture = _codes(trials, [*self.columns, *_KEY])
        """(N,) int: the picture of each trial."""
        first = np.unique(self.picture, return_index=True)[1]
        self.given = trials[[*self.columns, *_KEY]].iloc[first].reset_index(drop=True)

    def renamed(self, names: pd.DataFrame) -> pd.DataFrame:
        """Return the trials with these names; pictures that `_told_apart` names by their version have an item."""
        changed = {name: names[name] for name in self.columns if not names[name].equals(self.given[name])}
        columns = {name: self.of_trials(cells) for name, cells in changed.items()}
        if "item" in names:
            columns["item"] = self.trials["item"].fillna(self.of_trials(names["item"]))
        return self.trials.assign(**columns)

    def of_trials(self, cells: pd.Series) -> pd.Series:
        return cells.take(self.picture).set_axis(self.trials.index)

    def clean(self) -> pd.DataFrame:
        return self.each(self.given, clean_names)

    def each(self, names: pd.DataFrame, change: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
        return names.assign(**{name: change(names[name]) for name in self.columns})

    def by_file(self, names: pd.DataFrame, *, depth: int = 1, without_ending: bool = False) -> pd.DataFrame:
        """Return pictures named by the last `depth` parts of their path."""
        last = rf"^.*?((?:[^/]+/){{0,{depth - 1}}}[^/]+)$"

        def short(cells: pd.Series) -> pd.Series:
            files = cells.str.replace("\\", "/").str.replace(last, r"\1", regex=True)
            return files.str.replace(PICTURE_FILE, "", regex=True) if without_ending else files

        return self.each(names, short)

    def distinct(self, names: pd.DataFrame) -> pd.Series:
        return pd.concat([names[name] for name in self.columns]).dropna().drop_duplicates()

    def count(self, names: pd.DataFrame) -> int:
        """Return the number of pictures that names and the table's own columns distinguish."""
        return sum(len(np.unique(_codes(names, [name, *_KEY]))) for name in self.columns)

    def are_same(self, names: pd.DataFrame, files: pd.DataFrame, *, of_folders: bool = True) -> bool:
        """Return whether nothing says that two names of one file name are two pictures.

        Args:
            of_folders: the names differ in their folders.
        """
        counts = [self.count(frame) for frame in (names, files)]
        distinct = [sum(frame[name].nunique() for name in self.columns) for frame in (names, files)]
        of_pairs = len(self.columns) == 2 and bool({*files["stimulus"]} & {*files["stimulus_b"].dropna()})
        if distinct[1] - counts[1] < distinct[0] - counts[0] or of_pairs:
            return False
        if counts[0] == counts[1]:
            return True
        return not self.judged_twice(names, files) and not (of_folders and self.shown_together(names, files))

    def judged_twice(self, names: pd.DataFrame, files: pd.DataFrame) -> bool:
        """Return whether a participant judged a picture of one file name under two names."""
        person = pd.factorize(self.trials["participant"])[0]
        for column in self.columns:
            name, file = pd.factorize(names[column])[0], _codes(files, [column, *_KEY])
            judged = pd.DataFrame({"person": person, "file": file[self.picture], "name": name[self.picture]})
            if judged[judged["name"] >= 0].drop_duplicates().duplicated(["person", "file"]).any():
                return True
        return False

    def shown_together(self, names: pd.DataFrame, files: pd.DataFrame) -> bool:
        """Return whether two folders with one file name belong to one computer: other folders were shown with both.

        So are those of two models, each judged by other people, next to the folder of the real pictures.
        """
        parts = []
        for column in self.columns:
            pairs = zip(names[column].fillna(""), files[column].fillna(""), strict=True)
            of = pd.DataFrame({"file": _codes(files, [column, *_KEY]), "name": files[column]})
            of["folder"] = [full[: len(full) - len(file)] for full, file in pairs]
            session = self.trials["session"].to_numpy()
            parts.append(of.take(self.picture).assign(session=session).dropna(subset="name").drop_duplicates())
        shown = pd.concat(parts, ignore_index=True)
        computer, before = pd.Series(pd.factorize(shown["folder"])[0]), None
        while before is None or not computer.equals(before):
            before = computer
            for by in ("session", "folder"):
                computer = computer.groupby(shown[by]).transform("min")
        computers = shown.assign(computer=computer).groupby(["name", "file"])[["folder", "computer"]].nunique()
        return bool((computers["computer"] < computers["folder"]).any())

    def are_files(self, names: pd.DataFrame) -> bool:
        """Return whether all names are of picture files, and none is `dataset/...`, as this program names pictures."""
        for name in self.columns:
            pictures = names[[name, "dataset"]].dropna(subset=name)
            is_of_set = any(picture.startswith(f"{dataset}/") for picture, dataset in pictures.itertuples(index=False))
            if is_of_set or not pictures[name].str.contains(PICTURE_FILE).all():
                return False
        return True


def _codes(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return (N,) int the number of each row among the distinct ones, in order of appearance."""
    code = np.zeros(len(frame), np.int64)
    for name in columns:
        of_column, distinct = pd.factorize(frame[name])
        code = pd.factorize(code * (len(distinct) + 1) + of_column)[0]
    return code


def _named(shown: _Shown) -> tuple[pd.DataFrame, list[str]]:
    """Return the pictures with names that nothing contradicts, and a line on each change or doubt."""
    every = shown.distinct(shown.given)
    if (dates := every[every.str.fullmatch(_DATE)]).size:
        raise UserError(
            f"column {shown.columns[0]}: {dates.iloc[0]} is a date, which a spreadsheet has made of a picture's name; "
            "write the names again in a column of text"
        )
    clean = shown.clean()
    given, before = shown.count(shown.given), shown.count(clean)
    lines = [f"{given} names of pictures are {before} without tags, queries and case"] if before < given else []
    if (dates := every[every.str.fullmatch(_LIKE_A_DATE)]).size:
        named = ", ".join(dates[:MAX_WORDS])
        lines.append(f"names of pictures look like dates ({named}): has a spreadsheet changed them?")
    for spelled, said in (
        (_with_endings, "where those without an ending are given the one of others"),
        (partial(_spelled_alike, key=str.casefold), "without differences in case"),
        (partial(_spelled_alike, key=partial(re.sub, _SIZE, "")), "without sizes of screens, such as @2x and _800x600"),
        (partial(_spelled_alike, key=partial(re.sub, r"(?<!\d)0+(?=\d)", "")), "without zeros in front of numbers"),
    ):
        names = spelled(shown.distinct(clean))
        changed = shown.each(clean, lambda cells, names=names: cells.map(names).astype("str"))
        if (after := shown.count(changed)) < before and shown.are_same(clean, changed, of_folders=False):
            lines.append(f"{before} names of pictures are {after} {said}")
            clean, before = changed, after
    stems, check = shown.by_file(clean, depth=_MAX_FOLDERS, without_ending=True), CHECKS["names_by_ending"]
    after = shown.count(stems)
    if after <= check.threshold * before and not shown.judged_twice(clean, stems):
        lines.append(check.line(before=before, after=after))
    shorter = (shown.by_file(clean, depth=depth) for depth in range(1, _MAX_FOLDERS + 1))
    files = next((names for names in shorter if shown.are_same(clean, names)), clean)
    if (after := shown.count(files)) < before:
        said = f"{before} names of pictures are {after} file names, each read as one picture"
        return _without_numbers(shown, files, [*lines, f"{said} (--picture-names as-is keeps them apart)"])
    if (after := shown.count(shown.by_file(clean))) < before:
        said = f"{before} names of pictures are {after} file names in several folders: kept apart"
        lines.append(f"{said} (--picture-names file joins them)")
    return _without_numbers(shown, files if shown.are_files(clean) else clean, lines)


def _with_endings(names: pd.Series) -> dict[str, str]:
    """Return names without an ending as the name that others have with one, if there is one such name."""
    with_ending = names[names.str.contains(PICTURE_FILE)]
    stems = with_ending.str.replace(PICTURE_FILE, "", regex=True)
    is_one = ~stems.duplicated(keep=False)
    return {name: name for name in names} | dict(zip(stems[is_one], with_ending[is_one], strict=True))


def _spelled_alike(names: pd.Series, *, key: Callable[[str], str]) -> dict[str, str]:
    """Return names with an equal key as the first of them."""
    first: dict[str, str] = {}
    return {name: first.setdefault(key(name), name) for name in names}


def _told_apart(files: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return pictures by file name; names with several kinds, models or data sets become `dataset/model/NAME`.

    Names that already have two kinds are left to `distinct_names`. The name before is the column `item`.
    """
    single = files["kind"].notna()
    if (names["kind"][single].groupby(names["stimulus"][single]).nunique() > 1).any():
        return files
    version = (files["dataset"] + "/").fillna("") + files["model"].where(files["kind"] == "fake").fillna(files["kind"])
    several = single & (version.groupby(files["stimulus"]).transform("nunique") > 1)
    own_name = files["stimulus"].mask(several, version + "/" + files["stimulus"])
    return files.assign(stimulus=own_name, item=files["stimulus"].where(several))


def _without_numbers(shown: _Shown, names: pd.DataFrame, lines: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return names without the trial's number and the participant's code; else a line that asks for other codes."""
    person, people = pd.factorize(shown.trials["participant"])
    if len(people) < 2:
        return names, lines
    before = shown.count(names)
    if (bare := _all_bare(shown, names)) is not None:
        after = shown.count(bare)
        if after < before and not shown.judged_twice(names, bare):
            said = f"{before} names of pictures are {after} without the trial's number or the participant's code"
            return bare, [*lines, f"{said}, each read as one picture (--picture-names as-is keeps them apart)"]
    once = []
    for column in shown.columns:
        name = pd.factorize(names[column])[0][shown.picture]
        judged = np.unique(name[name >= 0] * len(people) + person[name >= 0]) // len(people)
        once.append((np.unique(judged, return_counts=True)[1] == 1).mean())
    check = CHECKS["names_by_code"]
    if min(once) < check.threshold:
        return names, lines
    plain = shown.each(names, lambda cells: cells.str.replace(_CODE, "", regex=True))
    if (after := shown.count(plain)) <= check.share * before and not shown.judged_twice(names, plain):
        lines = [*lines, check.line(before=before, after=after)]
    return names, lines


def _all_bare(shown: _Shown, names: pd.DataFrame) -> pd.DataFrame | None:
    """Return names without trial's number and participant's code; None: a name has neither, or has two such names."""
    facts = [shown.trials[key] for key in ("participant", "session", "trial")]
    columns = {}
    for column in shown.columns:
        bare = dict[int, str]()
        for at, name, *fact in zip(shown.picture, shown.of_trials(names[column]), *facts, strict=True):
            if isinstance(name, str) and (bare.setdefault(at, short := _bare(name, *fact)) != short or short == name):
                return None
        columns[column] = pd.Series(bare, dtype="str").reindex(names.index)
    return names.assign(**columns)


def _bare(name: str, participant: str, session: str, trial: int) -> str:
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
