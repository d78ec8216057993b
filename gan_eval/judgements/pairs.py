"""Pairs by place: find the real picture of each pair, and convert places to pictures a and b and the choice of one."""

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.judgements.answers import TRUTH
from gan_eval.judgements.contradictions import Sources, of_two_models
from gan_eval.judgements.mapping import BY_PLACE, PLACES
from gan_eval.judgements.names import PICTURE_FILE, clean_names, kinds_by_name
from gan_eval.judgements.rejections import listed_words, rejection
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.tables.frames import EMPTY, Row

Kind = Literal["real", "fake"]
_SIDES = (
    "--map real_side=COLUMN, or --map {0}_kind=COLUMN --map {1}_kind=COLUMN or, for two models, --map {0}_model=COLUMN "
    "--map {1}_model=COLUMN (the columns of pictures, if their names have the models)"
)
"""Options that say which picture of a pair is real, for the names of the two places."""
OPTIONS = f"--map left=COLUMN --map right=COLUMN (or first, second) with {_SIDES.format('left', 'right')}"
"""Options for pairs by place."""
_SHORT = {"left": "l", "right": "r", "first": "1st", "second": "2nd"}
Side = pd.Series
"""(N,) float: a place of each pair, 0 or 1; NaN: unknown."""


class Placed(NamedTuple):
    """Pairs in the columns of `trials`."""

    frame: pd.DataFrame
    rejected: list[Row]
    lines: list[str]
    """Conclusions from names or from `correct`."""
    renamed: tuple[str, ...]
    """Pictures that shared a name and now have different names."""


class _Pairs(NamedTuple):
    """The pictures and models of N pairs by place, as the file has them."""

    places: tuple[str, str]
    pictures: list[pd.Series]
    models: list[pd.Series]
    words: list[set[str]]
    """Words for each place."""

    def place(self, cells: pd.Series, kinds: Sequence[pd.Series] = ()) -> Side:
        """Return the place that each cell names: by its word, the picture's name, the model or the kind there."""
        plain, stems = _plain(cells), _stems(cells)
        pictures, models = ([_plain(column) for column in columns] for columns in (self.pictures, self.models))
        sides = _side(*[plain.isin(words) for words in self.words])
        for cells_of, both in (
            (plain, pictures),
            (stems, [_stems(column) for column in self.pictures]),
            (plain, models),
            (plain, kinds),
        ):
            if both:
                sides = sides.fillna(_side(*[cells_of.eq(column) & cells_of.notna() for column in both]))
        return sides


def places_in(frame: pd.DataFrame, sources: Sources) -> tuple[str, str] | None:
    """Return the two places for which the frame has pictures; None: it has none, or it names a stimulus."""
    for places in PLACES:
        if {*places} <= set(frame) and ("stimulus" not in frame or {*places} & sources.keys()):
            return places
    return None


def missing_of_pairs(frame: pd.DataFrame) -> list[str]:
    """Return the required columns that pairs by place lack; `correct` may replace the choice."""
    required = ("participant",) if "correct" in frame else ("participant", "choice")
    return [name for name in required if name not in frame]


def by_truth(frame: pd.DataFrame, places: tuple[str, str], sources: Sources, *, asked: Kind, where: str) -> Placed:
    """Convert pairs by place: `stimulus` is the real picture, or that of the first model by name; `choice` is a or b.

    Args:
        frame: text, with the columns that are named after the places.
        asked: the picture that participants were to choose.

    Raises:
        UserError: neither columns nor names say which picture is real.
    """
    pictures, models = ([_column(frame, f"{place}{of}").str.strip() for place in places] for of in ("", "_model"))
    if all(f"{place}_model" in sources and pictures[at].equals(models[at]) for at, place in enumerate(places)) and any(
        column.str.contains(PICTURE_FILE).any() for column in pictures
    ):
        models = _models_in_names(pictures)
    words = [{word.lower() for word in (place, _SHORT[place], *_columns_of(sources, place))} for place in places]
    pairs = _Pairs(places, pictures, models, words)
    real, line = _real_side(frame, pairs, asked=asked, where=where)
    is_two = _are_two_models(frame, pairs) & real.isna()
    chosen = pairs.place(_column(frame, "choice"), [real.map({place: "real", 1 - place: "fake"}) for place in (0, 1)])
    _refuse_unknown_words(frame, places, real, chosen, where=where)
    if "choice" not in frame:
        is_right = frame["correct"].map(TRUTH)
        chosen = real.where(is_right.eq(asked == "real"), 1 - real).where(is_right.notna())
    a = real.mask(is_two, (models[0] > models[1]).astype("float64"))
    called_real = chosen if asked == "real" else 1 - chosen
    first, second = (partial(_at, side=side) for side in (a, 1 - a))
    columns = {
        "protocol": pd.Series(np.where(is_two, TWO_MODELS, PAIRED), index=frame.index, dtype="str"),
        "stimulus": first(pictures),
        "stimulus_b": second(pictures),
        "position": a.map(dict(enumerate(places))).astype("str"),
        "model": (first(models) + "|" + second(models)).where(is_two, second(models).fillna(_column(frame, "model"))),
        "choice": called_real.eq(a).map({True: "a", False: "b"}).where(called_real.notna(), "none"),
    }
    if "correct" in frame:
        columns["correct"] = frame["correct"].mask(is_two)
    versions = [first(models).where(is_two, "real"), second(models).where(is_two, columns["model"]).fillna("fake")]
    columns, renamed = _own_names(columns, versions)
    if "item" in frame:
        columns.pop("item", None)
    rejected = _rejected(frame, pairs, has_truth=real.notna() | is_two, chosen=chosen)
    others = [name for name in (*BY_PLACE, "kind", "response") if name in frame]
    return Placed(frame.drop(columns=others).assign(**columns), rejected, [line] if line else [], renamed)


def _real_side(frame: pd.DataFrame, pairs: _Pairs, *, asked: Kind, where: str) -> tuple[Side, str | None]:
    """Return the place of each real picture, and a line that says where it is from if no column names it."""
    kinds, models = _kinds(frame, pairs.places), [_plain(column) for column in pairs.models]
    if "real_side" in frame:
        return pairs.place(frame["real_side"]), None
    if kinds:
        return _side(*[kinds[place].eq("real") & kinds[1 - place].eq("fake") for place in (0, 1)]), None
    if any(column.notna().any() for column in models):
        is_model = [column.notna() & column.ne("real") for column in models]
        return _side(*[models[place].eq("real") & is_model[1 - place] for place in (0, 1)]), None
    if (by_name := real_by_name(pairs.pictures)) is not None:
        example = _at(pairs.pictures, by_name).iloc[0]
        return by_name, f"the real picture of a pair is the one with the word real in its name, such as {example}"
    if {"choice", "correct"} <= set(frame):
        chosen, is_right = pairs.place(frame["choice"]), frame["correct"].map(TRUTH)
        answered = chosen.where(is_right.eq(asked == "real"), 1 - chosen).where(is_right.notna())
        is_real = dict.fromkeys(_at(pairs.pictures, answered).dropna(), True)
        shown = _side(*[column.isin(is_real) for column in pairs.pictures])
        return answered.fillna(shown), "the real picture of a pair follows from choice and correct"
    options = _SIDES.format(*pairs.places)
    raise UserError(
        f"{where}: neither columns nor names say which picture of a pair is real; add {options}, or "
        "--map correct=COLUMN (whether the choice was correct)"
    )


def _are_two_models(frame: pd.DataFrame, pairs: _Pairs) -> pd.Series:
    """Return (N,) bool: which pairs are of two models, where the columns name no real picture."""
    kinds, (first, second) = _kinds(frame, pairs.places), [_plain(column) for column in pairs.models]
    is_two = first.notna() & second.notna() & first.ne(second) & first.ne("real") & second.ne("real")
    for column in kinds:
        is_two &= column.eq("fake")
    return is_two & _column(frame, "real_side").isna()


def real_by_name(pictures: Sequence[pd.Series]) -> Side | None:
    """Return the place of the picture whose name says that it is real; None: not exactly one in each pair, or not sure.

    >>> real_by_name([pd.Series(["real/1.png", "gan/2.png"]), pd.Series(["gan/1.png", "real/2.png"])]).tolist()
    [0.0, 1.0]
    """
    pairs = pd.concat(pictures, axis=1, keys=[0, 1]).dropna()
    if pairs.empty or (kinds := kinds_by_name(pd.unique(pairs.to_numpy().ravel()), others="fake")) is None:
        return None
    is_real = pairs.apply(lambda names: names.map(kinds).eq("real"))
    if not is_real.sum(axis=1).eq(1).all():
        return None
    return is_real[1].astype("float64").reindex(pictures[0].index)


def require_known_truth(frame: pd.DataFrame, sources: Sources, *, where: str) -> list[str]:
    """Refuse mapped pairs (`stimulus`, `stimulus_b`) of which nothing says that `stimulus` is the real picture.

    A protocol, a model `A|B`, the column `correct`, the names of the pictures and those of the columns say so, as do
    columns with our names: then a line is returned.

    Raises:
        UserError: it is not known, or names say that another picture is real.
    """
    if not {"stimulus", "stimulus_b", "choice"} <= set(frame):
        return []
    pairs = frame[frame["choice"].notna() & frame["stimulus_b"].notna()]
    of_ours = pairs.reindex(columns=["protocol", "model"]).astype("str")
    is_known = of_ours["protocol"].isin([PAIRED, TWO_MODELS]) | of_two_models(of_ours)
    pairs = pairs[~is_known.to_numpy(bool)]
    by_name = real_by_name([pairs["stimulus"], pairs["stimulus_b"]])
    if pairs.empty or (by_name is not None and by_name.eq(0).all()):
        return []
    if by_name is not None:
        row = pairs["stimulus_b"][by_name.eq(1)].iloc[0]
        raise UserError(
            f"{where}: column stimulus must hold the real picture of a pair, but by its name {row} in stimulus_b is "
            f"real; give {OPTIONS}"
        )
    if "correct" in pairs and pairs["correct"].notna().any():
        return []
    names = [source.column for name in ("stimulus", "stimulus_b") if (source := sources.get(name))]
    columns = real_by_name([pd.Series([name]) for name in names]) if len(names) == 2 else None
    if columns is not None and columns.eq(0).all():
        return []
    if {*names} <= {"stimulus", "stimulus_b"}:
        return ["the picture in column stimulus is taken for the real one of each pair"]
    raise UserError(
        f"{where}: neither columns nor names say which picture of a pair is real; give {OPTIONS}. If stimulus always "
        "is the real picture, name the file's columns stimulus and stimulus_b"
    )


def with_choice_of_real(frame: pd.DataFrame, asked: Kind, *, where: str) -> pd.DataFrame:
    """Return pairs of `stimulus` and `stimulus_b` with the picture that was taken for the real one as their choice.

    Raises:
        UserError: the fake one was asked for, but the table has no pairs.
    """
    if asked == "real":
        return frame
    if "choice" not in frame:
        raise UserError(f"{where}: --asked fake is of pairs, and the table has no column choice")
    return frame.assign(choice=frame["choice"].replace({"a": "b", "b": "a"}))


def _kinds(frame: pd.DataFrame, places: tuple[str, str]) -> list[pd.Series]:
    """Return the kinds at both places; one column is enough. Empty: the frame has none."""
    kinds = [_plain(frame[name]) if (name := f"{place}_kind") in frame else None for place in places]
    for place in (0, 1):
        other = kinds[1 - place]
        if kinds[place] is None and other is not None:
            kinds[place] = other.map({"real": "fake", "fake": "real"})
    return [column for column in kinds if column is not None]


def _own_names(
    columns: dict[str, pd.Series], versions: list[pd.Series]
) -> tuple[dict[str, pd.Series], tuple[str, ...]]:
    """Rename pictures of several versions (real, a model) that share a name to `real/STEM` and `MODEL/STEM`.

    If that is so of fewer than half of the names, they are mistakes, and `require_agreement` refuses them.
    """
    names = [columns["stimulus"], columns["stimulus_b"]]
    several = pd.concat(versions).groupby(pd.concat(names)).nunique() > 1
    if several.mean() < 0.5 or not several.any():
        return columns, ()
    shared = several.index[several]
    names_apart = [
        name.mask(name.isin(shared), version + "/" + name.str.replace(PICTURE_FILE, "", regex=True))
        for name, version in zip(names, versions, strict=True)
    ]
    return columns | {"stimulus": names_apart[0], "stimulus_b": names_apart[1], "item": names[0]}, tuple(
        map(str, shared)
    )


def _refuse_unknown_words(
    frame: pd.DataFrame, places: tuple[str, str], real: Side, chosen: Side, *, where: str
) -> None:
    """Refuse a table with unknown words for a place or a kind if fewer than both are known.

    Rows left out would be those of one place, or all of them.
    """
    sides = ", ".join(places)
    kinds = [name for name in BY_PLACE if name.endswith("_kind") and name in frame]
    read = {name: (_plain(frame[name]).map({"real": 0.0, "fake": 1.0}), "real, fake") for name in kinds}
    if "real_side" in frame:
        read["real_side"] = real, sides
    if "choice" in frame and not (real.isna().all() and _plain(frame["choice"]).isin(["real", "fake"]).any()):
        read["choice"] = chosen, f"{sides}, none: a tie or no answer"
    findings, options = [], []
    for name, (side, meanings) in read.items():
        unknown = frame[name][side.isna() & frame[name].notna() & _plain(frame[name]).ne("none")].str.strip()
        if len(unknown) and side.nunique() < 2:
            counts = unknown.value_counts()
            findings.append(listed_words(name, name, counts) + f", expected {meanings}")
            options += [f"--word {shlex.quote(f'{name}:{word}')}=MEANING" for word in counts.index[:2]]
    if findings:
        raise UserError(f"{where}: {'; '.join(findings)}; add {' '.join(options)} (an option for each word)")


def _rejected(frame: pd.DataFrame, pairs: _Pairs, *, has_truth: pd.Series, chosen: Side) -> list[Row]:
    """Return a rejection for each pair without two pictures or a truth, and for each choice that is not understood."""
    first, second = pairs.places
    expected = f"{first}, {second} or a picture's name"
    hint = "; if it means one of them, add --word {}=MEANING"
    rejected = []
    for place, picture in zip(pairs.places, pairs.pictures, strict=True):
        rejected += [rejection(row, place, EMPTY) for row in frame.index[picture.isna()]]
    unclear = frame[~has_truth]
    if "real_side" in frame:
        for row, cell in unclear["real_side"].items():
            reason = f"found {cell!r}, expected {expected}{hint.format(shlex.quote(f'real_side:{cell!s}'))}"
            rejected.append(rejection(row, "real_side", reason, cell))
    else:
        named = [name for name in BY_PLACE if name in frame and name not in pairs.places]
        for row, cells in unclear[named].iterrows():
            texts = ", ".join(f"{name} {cell}" for name, cell in cells.items()) or "no answer shows which one is real"
            reason = f"neither a real and a fake picture nor two models: {texts}"
            rejected.append(rejection(row, next(iter(named), "correct"), reason))
    if "choice" in frame:
        choices = frame["choice"]
        for row, cell in choices[chosen.isna() & choices.notna() & _plain(choices).ne("none") & has_truth].items():
            reason = f"found {cell!r}, expected {expected}, a kind or a model"
            reason += hint.format(shlex.quote(f"choice:{cell!s}")) + " (none: a tie or no answer)"
            rejected.append(rejection(row, "choice", reason, cell))
    return rejected


def _side(is_first: pd.Series, is_second: pd.Series) -> Side:
    return pd.Series(np.select([is_first & ~is_second, is_second & ~is_first], [0.0, 1.0], np.nan), is_first.index)


def _at(columns: Sequence[pd.Series], side: Side) -> pd.Series:
    """Return the cells at one place of each pair; missing where the place is unknown."""
    return columns[0].where(side.eq(0), columns[1]).where(side.notna())


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype="str")


def _columns_of(sources: Sources, place: str) -> list[str]:
    """Return the names of the file's columns with the pictures and models of a place; choices may be named so."""
    return [source.column for name in (place, f"{place}_model") if (source := sources.get(name))]


def _plain(cells: pd.Series) -> pd.Series:
    return cells.str.strip().str.lower()


def _stems(names: pd.Series) -> pd.Series:
    """Return the names of pictures without folders, queries and endings, in lower case."""
    return _plain(clean_names(names)).map(lambda name: PurePosixPath(name.replace("\\", "/")).stem, na_action="ignore")


def _models_in_names(pictures: Sequence[pd.Series]) -> list[pd.Series]:
    """Return the words in which the names of the two pictures of each pair differ, without numbers.

    >>> [names.tolist() for names in _models_in_names([pd.Series(["ours/a_1.png"]), pd.Series(["base/a_2.png"])])]
    [['ours'], ['base']]
    """
    of_names = [clean_names(column).fillna("").str.replace(PICTURE_FILE, "", regex=True) for column in pictures]
    words = [column.str.findall(r"[^\W_]*[^\W\d_][^\W_]*") for column in of_names]
    return [
        pd.Series(
            [
                "_".join(word for word in words_here if word not in other) or None
                for words_here, other in zip(*both, strict=True)
            ],
            index=pictures[0].index,
            dtype="str",
        )
        for both in (words, words[::-1])
    ]
