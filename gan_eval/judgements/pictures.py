"""One name for each picture, where a table has it by address, by folder, in HTML, or with a number in front."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.names import PICTURE_FILE, clean_name, versions_of
from gan_eval.judgements.rejections import MAX_WORDS

PictureNames = Literal["file", "stem", "as-is"]
Names = dict[str, str]
"""The new name of each given one."""
_KEY = ["kind", "model", "dataset"]
"""Columns by which a table distinguishes two pictures of one file name."""
_MAX_FOLDERS = 4
"""Maximum number of last parts of a path that may name a picture."""
_HEAD = re.compile(r"([^_\- ]+)[_\- ]+(.+)")
"""The first word of a name, and the rest."""
_TAIL = re.compile(r"(.+)[_\- ]+([^_\- ]+)")
"""A name without its last word, and that."""
_CODE = r"(?i)^(?:\d+[_\- ]+)+|[_\-. ]?(?<![^\W_])(?=[0-9a-f]*\d)[0-9a-f]{6,}(?![^\W_])"
"""Numbers in front of a name, and long numbers and hexadecimal codes in it."""
_SIZE = r"(?i)(@\d(\.\d+)?x|[-_]\d{2,5}x\d{2,5})(?=\.[a-z]+$|$)"
"""The size that a page chose for a screen: face_1@2x.png, face_1_800x600.png."""
_DATE = r"\d{4}-\d\d-\d\d 00:00:00"
"""A date in the cell of a worksheet."""
_LIKE_A_DATE = r"\d{1,2}[-. ]{1,2}[A-Z][a-zä]{2}\.?|[A-Z][a-zä]{2}[- ]\d{1,2}"
"""A date that a spreadsheet has written as text, such as 1-Apr."""


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
    names, lines = _named(shown) if how is None else (_by_file(shown.clean(), without_ending=how == "stem"), [])
    changed = [column for column in shown.columns if any(name != names[name] for name in shown.of(column))]
    renamed = trials.assign(**{column: trials[column].map(names).astype("str") for column in changed})
    return (renamed if how is None else _told_apart(renamed, trials["stimulus"].map(shown.clean()))), lines


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
    """Trials, and their P pictures as the names, kinds, models and data sets distinguish them."""

    def __init__(self, trials: pd.DataFrame) -> None:
        self.trials = trials
        self.columns = [name for name in ("stimulus", "stimulus_b") if trials[name].notna().any()]
        self.picture = np.zeros(len(trials), np.int64)
        """(N,) the picture of each trial."""
        for name in (*self.columns, *_KEY):
            codes, distinct = pd.factorize(trials[name])
            self.picture = pd.factorize(self.picture * (len(distinct) + 1) + codes)[0]
        first = np.unique(self.picture, return_index=True)[1]
        rows = trials[[*self.columns, *_KEY]].iloc[first].astype("object")
        self.rows = rows.where(rows.notna(), None).to_dict("list")
        """The names, kinds, models and data sets of the pictures (P)."""
        self.given: Names = {name: name for column in self.columns for name in self.of(column)}

    def of(self, column: str) -> list[str]:
        """Return the distinct names in a column."""
        return [name for name in dict.fromkeys(self.rows[column]) if name is not None]

    def clean(self) -> Names:
        return {name: clean_name(name) for name in self.given}

    def keys(self, names: Names, column: str) -> list[tuple[object, ...]]:
        """Return (P,) the new name of each picture with what the table's own columns distinguish."""
        of_column = (names.get(name) for name in self.rows[column])
        return [*zip(of_column, *(self.rows[name] for name in _KEY), strict=True)]

    def count(self, names: Names) -> int:
        """Return the number of pictures that names and the table's own columns distinguish."""
        return sum(len({*self.keys(names, column)}) for column in self.columns)

    def are_same(self, names: Names, files: Names, *, of_folders: bool = True) -> bool:
        """Return whether nothing says that two names of one file name are two pictures.

        Args:
            of_folders: the names differ in their folders.
        """
        counts = [self.count(each) for each in (names, files)]
        new = [[{each[name] for name in self.of(column)} for column in self.columns] for each in (names, files)]
        distinct = [sum(map(len, each)) for each in new]
        if distinct[1] - counts[1] < distinct[0] - counts[0] or (len(new[1]) == 2 and new[1][0] & new[1][1]):
            return False
        if counts[0] == counts[1]:
            return True
        return not self.judged_twice(names, files) and not (of_folders and self.shown_together(names, files))

    def judged_twice(self, names: Names, files: Names) -> bool:
        """Return whether a participant judged a picture of one file name under two names."""
        for column in self.columns:
            judged = self._shown(names, files, column, "participant").drop_duplicates(["who", "key", "name"])
            if judged.duplicated(["who", "key"]).any():
                return True
        return False

    def _shown(self, names: Names, files: Names, column: str, who: str) -> pd.DataFrame:
        """Return the trials' old names and keys of new ones as numbers, the folder, and whose they are."""
        key, keys, given = dict[tuple[object, ...], int](), self.keys(files, column), self.rows[column]
        pictures = pd.DataFrame({"key": [key.setdefault(each, len(key)) for each in keys]})
        pictures["name"] = [names.get(each) for each in given]
        pictures["folder"] = [names[each][: len(names[each]) - len(files[each])] if each else "" for each in given]
        return pictures.take(self.picture).assign(who=pd.factorize(self.trials[who])[0]).dropna(subset="name")

    def shown_together(self, names: Names, files: Names) -> bool:
        """Return whether two folders with one file name belong to one computer: other folders were shown with both.

        So are those of two models, each judged by other people, next to the folder of the real pictures.
        """
        of_columns = [self._shown(names, files, column, "session") for column in self.columns]
        shown = pd.concat([each.assign(column=at) for at, each in enumerate(of_columns)])
        shown = shown.drop(columns="name").drop_duplicates(ignore_index=True)
        computer, before = pd.Series(pd.factorize(shown["folder"])[0]), None
        while before is None or not computer.equals(before):
            before = computer
            for by in ("who", "folder"):
                computer = computer.groupby(shown[by]).transform("min")
        computers = shown.assign(computer=computer).groupby(["column", "key"])[["folder", "computer"]].nunique()
        return bool((computers["computer"] < computers["folder"]).any())

    def are_files(self, names: Names) -> bool:
        """Return whether all names are of picture files, and none is `dataset/...`, as this program names pictures."""
        pairs = {pair for column in self.columns for pair in zip(self.rows[column], self.rows["dataset"], strict=True)}
        files = [(names[name], dataset) for name, dataset in pairs if name is not None]
        return all(re.search(PICTURE_FILE, name) and not name.startswith(f"{dataset}/") for name, dataset in files)


def _named(shown: _Shown) -> tuple[Names, list[str]]:
    """Return names that nothing contradicts, and a line on each change or doubt."""
    if dates := [name for name in shown.given if re.fullmatch(_DATE, name)]:
        raise UserError(
            f"column {shown.columns[0]}: {dates[0]} is a date, which a spreadsheet has made of a picture's name; write "
            "the names again in a column of text"
        )
    clean = shown.clean()
    given, before = shown.count(shown.given), shown.count(clean)
    lines = [f"{given} names of pictures are {before} without tags, queries and case"] if before < given else []
    if dates := [name for name in shown.given if re.fullmatch(_LIKE_A_DATE, name)]:
        named = ", ".join(dates[:MAX_WORDS])
        lines.append(f"names of pictures look like dates ({named}): has a spreadsheet changed them?")
    clean, of_spellings = _spelled_as_one(shown, clean)
    lines, before = lines + of_spellings, shown.count(clean)
    stems, check = _by_file(clean, depth=_MAX_FOLDERS, without_ending=True), CHECKS["names_by_ending"]
    after = shown.count(stems)
    if after <= check.threshold * before and not shown.judged_twice(clean, stems):
        lines.append(check.line(before=before, after=after))
    shorter = (_by_file(clean, depth=depth) for depth in range(1, _MAX_FOLDERS + 1))
    files = next((names for names in shorter if shown.are_same(clean, names)), clean)
    if (after := shown.count(files)) < before:
        joined = f"{before} names of pictures are {after} file names, each read as one picture"
        return _without_numbers(shown, files, [*lines, f"{joined} (--picture-names as-is keeps them apart)"])
    if (after := shown.count(_by_file(clean))) < before:
        apart = f"{before} names of pictures are {after} file names in several folders: kept apart"
        lines.append(f"{apart} (--picture-names file joins them)")
    return _without_numbers(shown, files if shown.are_files(clean) else clean, lines)


def _spelled_as_one(shown: _Shown, names: Names) -> tuple[Names, list[str]]:
    """Return names of one spelling, if nothing says that others are of other pictures; and a line on each change."""
    lines, before = [], shown.count(names)
    for spelled, said in _SPELLINGS:
        changed = spelled(names)
        if (after := shown.count(changed)) < before and shown.are_same(names, changed, of_folders=False):
            lines.append(f"{before} names of pictures are {after} {said} (--picture-names as-is keeps them apart)")
            names, before = changed, after
    return names, lines


def _by_file(names: Names, *, depth: int = 1, without_ending: bool = False) -> Names:
    """Return names by the last `depth` parts of their path."""
    last = rf"^.*?((?:[^/]+/){{0,{depth - 1}}}[^/]+)$"
    files = {name: re.sub(last, r"\1", path.replace("\\", "/")) for name, path in names.items()}
    return {name: re.sub(PICTURE_FILE, "", file) for name, file in files.items()} if without_ending else files


def _with_endings(names: Names) -> Names:
    """Return names without an ending as the name that others have with one, if there is one such name."""
    full: dict[str, set[str]] = {}
    for name in names.values():
        full.setdefault(re.sub(PICTURE_FILE, "", name), set()).add(name)
    of_stem = {stem: {*each} - {stem} for stem, each in full.items()}
    return {given: min(of_stem[name]) if len(of_stem.get(name, ())) == 1 else name for given, name in names.items()}


def _spelled_alike(names: Names, *, key: Callable[[str], str]) -> Names:
    """Return names with an equal key as the first of them."""
    first: dict[str, str] = {}
    return {given: first.setdefault(key(name), name) for given, name in names.items()}


_SPELLINGS: Sequence[tuple[Callable[[Names], Names], str]] = (
    (_with_endings, "where those without an ending are given the one of others"),
    (partial(_spelled_alike, key=str.casefold), "without differences in case"),
    (partial(_spelled_alike, key=partial(re.sub, _SIZE, "")), "without sizes of screens, such as @2x and _800x600"),
    (partial(_spelled_alike, key=partial(re.sub, r"(?<!\d)0+(?=\d)", "")), "without zeros in front of numbers"),
)
"""Ways in which one picture's names may differ, and what to say of them."""


def _told_apart(files: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return trials by file name; names with several kinds, models or data sets become `dataset/model/NAME`.

    Args:
        names: (N,) the names before; if one has two kinds, all are left to `distinct_names`.
    """
    single = files["kind"].notna()
    if (files["kind"][single].groupby(names[single]).nunique() > 1).any():
        return files
    version = versions_of(files)
    several = single & (version.groupby(files["stimulus"]).transform("nunique") > 1)
    item = files["item"].fillna(files["stimulus"].where(several))
    return files.assign(stimulus=files["stimulus"].mask(several, version + "/" + files["stimulus"]), item=item)


def _without_numbers(shown: _Shown, names: Names, lines: list[str]) -> tuple[Names, list[str]]:
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
        name = pd.factorize(pd.Series([names.get(each) for each in shown.rows[column]], dtype="str"))[0][shown.picture]
        judged = np.unique(name[name >= 0] * len(people) + person[name >= 0]) // len(people)
        once.append((np.unique(judged, return_counts=True)[1] == 1).mean())
    check = CHECKS["names_by_code"]
    if min(once) < check.threshold:
        return names, lines
    plain = {given: re.sub(_CODE, "", name) for given, name in names.items()}
    if (after := shown.count(plain)) <= check.share * before and not shown.judged_twice(names, plain):
        lines = [*lines, check.line(before=before, after=after)]
    return names, lines


def _all_bare(shown: _Shown, names: Names) -> Names | None:
    """Return names without trial's number and participant's code; None: a name has neither, or has two such names."""
    facts, bare = [shown.trials[key] for key in ("participant", "session", "trial")], dict[str, str]()
    for column in shown.columns:
        for at, *fact in zip(shown.picture.tolist(), *facts, strict=True):
            if (given := shown.rows[column][at]) is not None:
                short = _bare(names[given], *fact)
                if short == names[given] or bare.setdefault(given, short) != short:
                    return None
    return bare


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
