"""Pairs by place: find the real picture of each pair, and convert places to pictures a and b and the choice of one."""

import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import Sources, of_two_models
from gan_eval.judgements.mapping import BY_PLACE, PLACES
from gan_eval.judgements.names import PICTURE_FILE, clean_names, kinds_by_name
from gan_eval.judgements.rejections import listed_words, rejection
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.judgements.words import TRUTH
from gan_eval.tables.frames import EMPTY, Row

Kind = Literal["real", "fake"]
_SIDES = (
    "--map real_side=COLUMN, or --map {0}_kind=COLUMN --map {1}_kind=COLUMN or, for two models, --map {0}_model=COLUMN "
    "--map {1}_model=COLUMN (the columns of pictures, if their names have the models)"
)
"""Options that say which picture of a pair is real, for the names of the two places."""
OPTIONS = f"--map left=COLUMN --map right=COLUMN (or first, second) with {_SIDES.format('left', 'right')}"
"""Options for pairs by place."""
_UNKNOWN_REAL = "neither columns nor names say which picture of a pair is real"
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
    """N pairs as the file has them; pictures, models and kinds by place."""

    frame: pd.DataFrame
    places: tuple[str, str]
    pictures: list[pd.Series]
    models: list[pd.Series]
    kinds: list[pd.Series]
    """Empty: no column has them."""
    words: list[set[str]]
    """Words for each place."""

    def place(self, cells: pd.Series, kinds: Sequence[pd.Series] = ()) -> Side:
        """Return the place that each cell names: by its word, the picture's name, the model or the kind there."""
        plain = _plain(cells)
        sides = _side(*[plain.isin(words) for words in self.words])
        for cells_of, both in (
            (plain, [*map(_plain, self.pictures)]),
            (_stems(cells), [*map(_stems, self.pictures)]),
            (plain, [*map(_plain, self.models)]),
            (plain, kinds),
        ):
            if both:
                sides = sides.fillna(_side(*[cells_of.eq(column) & cells_of.notna() for column in both]))
        return sides

    def of_correct(self, asked: Kind) -> Side:
        """Return the place of the real picture, as the choice and `correct` say; without a choice NaN."""
        is_right, chosen = self.frame["correct"].map(TRUTH), self.place(_column(self.frame, "choice"))
        return chosen.where(is_right.eq(asked == "real"), 1 - chosen).where(is_right.notna())


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
    pairs = _pairs(frame, places, sources)
    pictures, models = pairs.pictures, pairs.models
    real, line = _real_side(pairs, asked=asked, where=where)
    is_two = real.isna() & _column(frame, "real_side").isna() & models[0].ne(models[1])
    for column in (*pairs.models, *pairs.kinds):
        is_two &= column.notna() & column.ne("real")
    chosen = pairs.place(_column(frame, "choice"), [real.map({place: "real", 1 - place: "fake"}) for place in (0, 1)])
    _refuse_unknown_words(pairs, real, chosen, where=where)
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
    rejected = [*_rejected(pairs, has_truth=real.notna() | is_two, chosen=chosen)]
    others = [name for name in (*BY_PLACE, "kind", "response") if name in frame]
    return Placed(frame.drop(columns=others).assign(**columns), rejected, [line] if line else [], renamed)


def _pairs(frame: pd.DataFrame, places: tuple[str, str], sources: Sources) -> _Pairs:
    """Return the pairs of a frame; models may be in the names of pictures, and kinds follow from models."""
    pictures, models = ([_column(frame, f"{place}{of}").str.strip() for place in places] for of in ("", "_model"))
    are_names = all(f"{place}_model" in sources and pictures[at].equals(models[at]) for at, place in enumerate(places))
    if are_names and any(column.str.contains(PICTURE_FILE).any() for column in pictures):
        models = _models_in_names(pictures)
    kinds = _kinds(frame, places, models)
    words = [
        {place, _SHORT[place], *(s.column.lower() for name in (place, f"{place}_model") if (s := sources.get(name)))}
        for place in places
    ]
    return _Pairs(frame, places, pictures, models, kinds, words)


def _kinds(frame: pd.DataFrame, places: tuple[str, str], models: Sequence[pd.Series]) -> list[pd.Series]:
    """Return the kind of each picture by its column, that of the other place, or its model; empty: none is known."""
    kinds = [_plain(_column(frame, f"{place}_kind")) for place in places]
    if not {f"{place}_kind" for place in places} & {*frame}:
        kinds = [_plain(column).where(_plain(column).eq("real") | column.isna(), "fake") for column in models]
    is_empty = [column.isna().all() for column in kinds]
    if all(is_empty):
        return []
    other = {"real": "fake", "fake": "real"}  # one column is enough
    return [kinds[1 - at].map(other).astype("str") if is_empty[at] else kinds[at].astype("str") for at in (0, 1)]


def _real_side(pairs: _Pairs, *, asked: Kind, where: str) -> tuple[Side, str]:
    """Return the place of each real picture, and a line that says where it is from if no column names it."""
    if "real_side" in pairs.frame:
        return pairs.place(pairs.frame["real_side"]), ""
    if pairs.kinds:
        return _side(*[pairs.kinds[at].eq("real") & pairs.kinds[1 - at].eq("fake") for at in (0, 1)]), ""
    if (by_name := real_by_name(pairs.pictures)) is not None:
        example = _at(pairs.pictures, by_name).iloc[0]
        return by_name, f"the real picture of a pair is the one with the word real in its name, such as {example}"
    if {"choice", "correct"} <= set(pairs.frame):
        of_answers = pairs.of_correct(asked)
        is_real = [*_at(pairs.pictures, of_answers).dropna().unique()]
        shown = _side(*[column.isin(is_real) for column in pairs.pictures])
        return of_answers.fillna(shown), "the real picture of a pair follows from choice and correct"
    options = _SIDES.format(*pairs.places)
    raise UserError(
        f"{where}: {_UNKNOWN_REAL}; add {options}, or --map correct=COLUMN (whether the choice was correct)"
    )


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
        f"{where}: {_UNKNOWN_REAL}; give {OPTIONS}. If stimulus always is the real picture, name the file's columns "
        "stimulus and stimulus_b"
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


def _own_names(
    columns: dict[str, pd.Series], versions: list[pd.Series]
) -> tuple[dict[str, pd.Series], tuple[str, ...]]:
    """Rename pictures of several versions (real, a model) that share a name to `real/STEM` and `MODEL/STEM`.

    If that is so of fewer than half of the names, they are mistakes, and `require_agreement` refuses them.
    """
    names = [columns["stimulus"], columns["stimulus_b"]]
    several = pd.concat(versions).groupby(pd.concat(names)).nunique() > 1
    if several.mean() < CHECKS["one_name"].threshold or not several.any():
        return columns, ()
    shared = several.index[several]
    names_apart = [
        name.mask(name.isin(shared), version + "/" + name.str.replace(PICTURE_FILE, "", regex=True))
        for name, version in zip(names, versions, strict=True)
    ]
    return columns | {"stimulus": names_apart[0], "stimulus_b": names_apart[1], "item": names[0]}, tuple(
        map(str, shared)
    )


def _refuse_unknown_words(pairs: _Pairs, real: Side, chosen: Side, *, where: str) -> None:
    """Refuse a table with unknown words for a place or a kind if fewer than both are known.

    Rows left out would be those of one place, or all of them.
    """
    frame, sides = pairs.frame, ", ".join(pairs.places)
    read = {
        name: (_plain(frame[name]).map({"real": 0.0, "fake": 1.0}), "real, fake")
        for name in BY_PLACE
        if name.endswith("_kind") and name in frame
    }
    if "real_side" in frame:
        read["real_side"] = real, sides
    if "choice" in frame and not (real.isna().all() and _plain(frame["choice"]).isin(["real", "fake"]).any()):
        read["choice"] = chosen, f"{sides}, none: a tie or no answer"
    findings, options = [], []
    for name, (side, meanings) in read.items():
        counts = frame[name][side.isna() & _plain(frame[name]).ne("none")].str.strip().value_counts()
        if len(counts) and side.nunique() < 2:
            findings.append(listed_words(name, name, counts) + f", expected {meanings}")
            options += [f"--word {shlex.quote(f'{name}:{word}')}=MEANING" for word in counts.index[:2]]
    if findings:
        raise UserError(f"{where}: {'; '.join(findings)}; add {' '.join(options)} (an option for each word)")


def _rejected(pairs: _Pairs, *, has_truth: pd.Series, chosen: Side) -> Iterator[Row]:
    """Yield a rejection for each pair without two pictures or a truth, and for each choice that is not understood."""
    frame, expected = pairs.frame, f"{pairs.places[0]}, {pairs.places[1]} or a picture's name"
    hint = "; if it means one of them, add --word {}=MEANING"
    for place, picture in zip(pairs.places, pairs.pictures, strict=True):
        yield from (rejection(row, place, EMPTY) for row in frame.index[picture.isna()])
    named = [name for name in BY_PLACE if name in frame and name not in pairs.places]
    for row, cells in frame[~has_truth][named].iterrows():
        column = "real_side" if "real_side" in named else next(iter(named), "correct")
        texts = ", ".join(f"{name} {cell}" for name, cell in cells.items()) or "no answer shows which one is real"
        reason = f"neither a real and a fake picture nor two models: {texts}"
        if column == "real_side":
            reason = (
                f"found {cells[column]!r}, expected {expected}{hint.format(shlex.quote(f'{column}:{cells[column]!s}'))}"
            )
        yield rejection(row, column, reason, cells.get(column))
    choices = _column(frame, "choice")
    for row, cell in choices[chosen.isna() & choices.notna() & _plain(choices).ne("none") & has_truth].items():
        reason = f"found {cell!r}, expected {expected}, a kind or a model"
        reason += hint.format(shlex.quote(f"choice:{cell!s}")) + " (none: a tie or no answer)"
        yield rejection(row, "choice", reason, cell)


def _side(is_first: pd.Series, is_second: pd.Series) -> Side:
    return pd.Series(np.select([is_first & ~is_second, is_second & ~is_first], [0.0, 1.0], np.nan), is_first.index)


def _at(columns: Sequence[pd.Series], side: Side) -> pd.Series:
    """Return the cells at one place of each pair; missing where the place is unknown."""
    return columns[0].where(side.eq(0), columns[1]).where(side.notna())


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype="str")


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
