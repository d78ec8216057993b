"""Contradictions of a trials table, which are refused."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval.base.errors import UserError, abbreviated
from gan_eval.judgements.checks import CHECKS, PLAUSIBLE_MS
from gan_eval.settings.protocols import PAIR_PROTOCOLS
from gan_eval.tables.schema import MAX_TIME_MS

MAX_NAMED = 3
"""Number of persons or sessions that a message names."""
_CONSTANT = {
    "kind": "a picture is either real or fake: correct the rows, or give the two pictures names of their own",
    "model": "a picture is of one model: correct the rows, or give each picture a name of its own",
    "dataset": "a picture is of one data set: correct the rows, or give each picture a name of its own",
    "item": "a picture belongs to one item: correct the rows",
}
"""Columns that are constant for a stimulus, and the fix."""


class Source(NamedTuple):
    """Places at which another program's table has the cells of a column of `trials`."""

    column: str
    factor: float | None = None
    """Factor by which the cells are multiplied; None: they are not."""

    def typed(self) -> str:
        """Return the source as after `--map`."""
        factor = self.factor or 1
        scale = f"*{factor:g}" if factor > 1.000001 else f"/{1 / factor:g}" if factor < 0.999999 else ""
        return self.column + scale


Sources = Mapping[str, Source | None]
"""Sources by column of `trials`; None: nothing is taken from a column of that name."""


class Numbers(Protocol):
    """The number of each row in its source, for messages."""

    def __getitem__(self, at: int, /) -> object: ...


def are_single(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: which trials are of single pictures, judged or graded."""
    single = np.ones(len(frame), bool)
    if "choice" in frame:
        single &= frame["choice"].isna().to_numpy(bool)
    if "protocol" in frame:
        single &= ~frame["protocol"].isin(PAIR_PROTOCOLS).to_numpy(bool)
    return single


def require_agreement(trials: pd.DataFrame, *, where: str, numbers: Numbers | None = None) -> None:
    """Refuse trials that contradict each other.

    That is a session of two participants; a stimulus with two kinds, models, data sets or items; a kind that the
    identifier `dataset/real/stem` contradicts; pairs of two models that are not named; and a `correct` that the answer
    contradicts.

    Args:
        trials: the table `trials`, filled (`fill_trials`).
        numbers: (N,) number of each row in its source; default: 1, 2, ...
    """
    numbers = range(1, len(trials) + 1) if numbers is None else numbers
    single = are_single(trials)
    found = chain(
        _two_people(trials, numbers),
        _two_pictures(trials, single, numbers),
        _unnamed_models(trials, single),
        _wrong_answers(trials, single),
    )
    if (first := next(found, None)) is not None:
        row, text = first
        trial = f"session {abbreviated(trials['session'].iat[row])}, trial {trials['trial'].iat[row]}"
        raise UserError(f"{where}: row {numbers[row]} ({trial}): {text}")


Found = Iterator[tuple[int, str]]
"""Rows that contradict an earlier one, or themselves, with a message."""


def _two_people(trials: pd.DataFrame, numbers: Numbers) -> Found:
    """Yield the first row of a session that has another participant before it."""
    if found := first_change(trials["session"], trials["participant"]):
        row, first = found
        one, other = (abbreviated(trials["participant"].iat[each]) for each in found)
        yield row, CHECKS["two_people"].line(one=one, first=numbers[first], other=other)


def _two_pictures(trials: pd.DataFrame, single: NDArray[np.bool_], numbers: Numbers) -> Found:
    """Yield the first row whose picture has another kind, model, data set or item before it, or by its name."""
    pictures = trials[["stimulus", *_CONSTANT]].reset_index(drop=True)
    if not single.all():
        pictures = _pictures_of(pictures, trials, single)
    pictures = pictures.drop_duplicates()  # the first row of each stays
    rows = pictures.index.to_numpy()
    for name, fix in _CONSTANT.items():
        if found := first_change(pictures["stimulus"], pictures[name]):
            at, first = found
            one, other = (str(pictures[name].iat[each]) for each in found)
            stimulus, of_pair = abbreviated(pictures["stimulus"].iat[at]), _of_pair(single, rows[at], rows[first])
            facts = {"one": one, "other": other, "first": numbers[rows[first]], "of_pair": of_pair, "fix": fix}
            yield rows[at], CHECKS["two_pictures"].line(stimulus=stimulus, name=name, **facts)
    if (wrong := belies_its_name(pictures)).any():
        at = int(wrong.argmax())
        yield rows[at], other_than_its_name(pictures.iloc[at]) + _of_pair(single, rows[at])


def _unnamed_models(trials: pd.DataFrame, single: NDArray[np.bool_]) -> Found:
    """Yield the first pair of two models that names them otherwise than A|B."""
    if not single.all() and (wrong := _names_no_two_models(trials)).any():
        row = int(wrong.argmax())
        yield row, CHECKS["unnamed_models"].line(model=abbreviated(trials["model"].iat[row]))


def _wrong_answers(trials: pd.DataFrame, single: NDArray[np.bool_]) -> Found:
    """Yield the first row whose `correct` differs from its answer and truth."""
    if trials["correct"].notna().any() and (wrong := _belies_its_answer(trials)).any():
        row = int(wrong.argmax())
        check = CHECKS["not_correct"] if single[row] else CHECKS["not_correct_choice"]
        given = {name: trials[name].iat[row] for name in ("kind", "response", "choice")}
        yield row, check.line(correct=str(trials["correct"].iat[row]).lower(), count=int(wrong.sum()), **given)


def _pictures_of(pictures: pd.DataFrame, trials: pd.DataFrame, single: NDArray[np.bool_]) -> pd.DataFrame:
    """Return a row for each picture of each trial, under the position of its trial; of pairs by their columns."""
    pairs = trials.reset_index(drop=True)[~single & trials["stimulus_b"].notna().to_numpy(bool)]  # else it names a pair
    is_two = of_two_models(pairs)
    shown = [each.assign(item=None, model=each["model"].mask(is_two)) for each in pictures_of_pairs(pairs)]
    return pd.concat([pictures[single], *(each[[*pictures]] for each in shown)]).sort_index(kind="stable")


def _of_pair(single: NDArray[np.bool_], *rows: int) -> str:
    """Return the rest of a message if one of the pictures is of a pair; else nothing."""
    if all(single[row] for row in rows):
        return ""
    return " (stimulus is the real picture of a pair, stimulus_b the model's: are the two columns swapped?)"


def require_plausible_times(
    trials: pd.DataFrame, *, where: str, sources: Sources | None = None, measured: bool = True
) -> None:
    """Refuse times in another unit, detected by the median of each column, without simulated trials, and by person.

    Args:
        trials: the table `trials`, filled.
        sources: where the columns were imported from.
        measured: check trials with an onset too, which this program has measured.
    """
    counted = ~trials["simulated"].fillna(False).to_numpy(bool)
    if not measured:
        counted &= trials["onset_ms"].isna().to_numpy(bool)
    foreign = counted & trials["onset_ms"].isna().to_numpy(bool)
    for name, (low, high) in PLAUSIBLE_MS.items():
        if trials[name].isna().all():
            continue
        other, usual = _of_other_unit(trials.loc[foreign, ["participant", name]], name, low, high)
        if len(other):
            person = (sources or {}).get("participant") or Source("participant")
            facts = {"people": some(other.index), "person": other.index[0], "column": person.column, "usual": usual}
            line = CHECKS["unit_of_person"].line(name=name, median=other["median"].iloc[0], **facts)
            raise UserError(f"{where}: {line}")
        times = trials[name].to_numpy("float64", na_value=np.nan)[counted]
        times = times[(times > 0) & (times <= MAX_TIME_MS)]  # other values are not times and are counted as such
        median = float(np.median(times)) if len(times) else low
        if not low <= median <= high:
            source = (sources or {}).get(name) or Source(name)
            raise UserError(f"{where}: {_unit_line(name, median, low=low, high=high, source=source)}")


def _unit_line(name: str, median: float, *, low: float, high: float, source: Source) -> str:
    """Return the message on a column of times whose median is below `low` or above `high`."""
    fix = 1000 if median < low else 0.001
    asked = f"below {low:g} ms: are these seconds?"
    if median > high:
        asked = f"above {high / 1000:g} s: were milliseconds multiplied by 1000?"
    column, does = Source(source.column, (source.factor or 1) * fix).typed(), "fixes that"
    if not low <= median * fix <= high:
        asked, column, does = f"not from {low:g} ms to {high / 1000:g} s:", "", "leaves the column out"
    return CHECKS["unit"].line(name=name, median=median, asked=asked, source=column, does=does)


def in_milliseconds(trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return imported trials with all people's times in one unit, and a line on each column that was converted.

    Times of a person are converted if they are some 1000 times shorter or longer than those of others.
    """
    lines, columns = [], {}
    foreign = trials.loc[trials["onset_ms"].isna().to_numpy(bool), ["participant", *PLAUSIBLE_MS]]
    for name, (low, high) in PLAUSIBLE_MS.items():
        other, usual = _of_other_unit(foreign, name, low, high)
        if other.empty:
            continue
        is_short = other["median"] < usual
        factors = is_short.map({True: 1000.0, False: 0.001})
        converted = other["median"] * factors
        spread = (other["max"] / other["median"]).where(is_short, other["median"] / other["min"])
        is_sure = converted.between(low, high) & converted.between(usual / 10, usual * 10)
        factors = factors[is_sure & (spread < CHECKS["unit_of_person"].threshold)]
        if len(factors):
            columns[name] = trials[name] * trials["participant"].map(factors).fillna(1.0).astype("float64")
            units = {1000.0: "seconds, multiplied by 1000", 0.001: "milliseconds, divided by 1000"}
            lines += [
                f"{name} of participants {some(factors.index[factors == factor])} is taken for {unit}: the median of "
                f"the others is {usual:.4g} ms"
                for factor, unit in units.items()
                if (factors == factor).any()
            ]
    return trials.assign(**columns), lines


def _of_other_unit(trials: pd.DataFrame, name: str, low: float, high: float) -> tuple[pd.DataFrame, float]:
    """Return median, min and max of people's times that are some 1000 times those of others, and the others' median."""
    times = trials[name].dropna().astype("float64")
    times = times[(times > 0) & (times <= MAX_TIME_MS)]
    if times.empty:
        return times.to_frame(), 0.0
    of_people = times.groupby(trials["participant"], observed=True)
    medians = of_people.median()
    is_plausible = medians.between(low, high)
    usual = float(medians[is_plausible].median())
    ratio = medians / usual
    least = CHECKS["unit_of_person"].threshold
    is_other = ~is_plausible & ((ratio < 1 / least) | (ratio > least))
    return (of_people.agg(["median", "min", "max"]) if is_other.any() else medians.to_frame())[is_other], usual


def some(names: Iterable[object], text: Callable[[str], str] = abbreviated, most: int = MAX_NAMED) -> str:
    """Return the first names of people, sessions or words, and the number of others."""
    shown = [text(str(name)) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def first_change(of: pd.Series, value: pd.Series) -> tuple[int, int] | None:
    """Return the first row whose value differs from the first one with the same `of`, and that row; else None."""
    groups, values = pd.factorize(of.array)[0], pd.factorize(value.array)[0]
    known = np.flatnonzero((groups >= 0) & (values >= 0))
    first = np.zeros(groups.max(initial=-1) + 1, int)
    first[groups[known[::-1]]] = known[::-1]
    changes = known[values[known] != values[first[groups[known]]]]
    return (int(changes[0]), int(first[groups[changes[0]]])) if len(changes) else None


def other_than_its_name(row: pd.Series) -> str:
    """Return the message for a row that `belies_its_name` finds."""
    said = f"kind {row['kind']}" + (f", model {abbreviated(row['model'])}" if row["kind"] == "fake" else "")
    return CHECKS["other_name"].line(stimulus=abbreviated(row["stimulus"]), said=said)


def belies_its_name(pictures: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: rows whose kind or model is not that of the name `dataset/real/...` or `dataset/model/...`.

    >>> belies_its_name(pd.DataFrame({"stimulus": ["d/real/1", "d/m/1"], "kind": ["fake", "fake"], "model": ["m", "m"],
    ...     "dataset": "d"}))
    array([ True, False])
    """
    wrong = np.zeros(len(pictures), bool)
    models = {*pictures["model"].dropna().unique()} | {"real"}
    names = ["stimulus", "kind", "model", "dataset"]
    distinct = ~pictures[names].duplicated().to_numpy(bool)
    positions = np.flatnonzero(distinct)
    for position, (stimulus, kind, model, dataset) in zip(
        positions, pictures[names][distinct].astype("object").itertuples(index=False), strict=True
    ):
        first, _, rest = str(stimulus).partition("/")
        named, slash, _ = rest.partition("/")
        if first == dataset and slash and named in models:
            is_other_kind = kind in ("real", "fake") and (kind == "real") != (named == "real")
            wrong[position] = is_other_kind or (kind == "fake" and model in models and model != named)
    return wrong


def _names_no_two_models(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: rows of `model_vs_model` whose `model` is not two names, or not those of the two pictures."""
    wrong = np.zeros(len(trials), bool)
    rows = np.flatnonzero((trials["protocol"] == "model_vs_model").to_numpy(bool, na_value=False))
    pairs = trials[["model", "stimulus", "stimulus_b"]].iloc[rows].astype("object").fillna("")
    halves = [str(model).partition("|") for model in pairs["model"]]
    both = {name for first, _, second in halves for name in (first, second)}
    for row, (first, _, second), *pictures in zip(rows, halves, pairs["stimulus"], pairs["stimulus_b"], strict=True):
        named = [[*str(picture).split("/", 2)[1:-1], ""][0] for picture in pictures]
        others = [name in both and name not in ("", model) for name, model in zip(named, (first, second), strict=True)]
        wrong[row] = not first or not second or first == second or any(others)
    return wrong


def _belies_its_answer(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: rows whose `correct` differs from `agreement`, or is true without a response."""
    agrees, correct = agreement(trials), trials["correct"].to_numpy(bool, na_value=False)
    unanswered = (trials["response"] == "none").to_numpy(bool, na_value=False) & are_single(trials)
    differs = agrees.notna().to_numpy(bool) & (agrees.to_numpy(bool, na_value=False) != correct)
    return trials["correct"].notna().to_numpy(bool) & (differs | unanswered & correct)


def agreement(trials: pd.DataFrame) -> pd.Series:
    """Return (N,) whether each answer agrees with the truth: of the kind, or the choice of the real picture of a pair.

    It is missing without an answer or a truth, as in pairs of two models.
    """
    single = are_single(trials)
    has_response = (
        single & trials["kind"].notna().to_numpy(bool) & trials["response"].isin(["real", "fake"]).to_numpy(bool)
    )
    two_models = False if single.all() else of_two_models(trials)
    chosen = ~single & ~np.asarray(two_models) & trials["choice"].isin(["a", "b"]).to_numpy(bool)
    names_kind = (trials["response"] == trials["kind"]).to_numpy(bool, na_value=False)
    is_right = np.where(has_response, names_kind, (trials["choice"] == "a").to_numpy(bool, na_value=False))
    return pd.Series(is_right, index=trials.index, dtype="boolean").where(has_response | chosen)


def answered(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: trials with an answer."""
    given = trials["response"].isin(["real", "fake"]) | trials["choice"].isin(["a", "b"]) | trials["rating"].notna()
    return given.to_numpy(bool)


def of_two_models(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: pairs of two models' pictures, which have `A|B` as their model."""
    protocol = trials["protocol"]
    named = trials["model"].astype("object").str.contains("|", regex=False).fillna(False).to_numpy(bool)
    is_two = (protocol == "model_vs_model").to_numpy(bool, na_value=False)
    return is_two | named & ~(protocol == "paired").to_numpy(bool, na_value=False)


def pictures_of_pairs(pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the first and the second picture of each pair, as objects, with `kind` and `model`.

    They are the real picture and that of `model`, or those of the models A and B in `model`, which is A|B.
    """
    is_two, facts = of_two_models(pairs), pairs[["stimulus", "item", "kind", "model", "dataset"]].astype("object")
    names = facts["model"].fillna("").str.partition("|").reindex(columns=[0, 2])
    of_first, of_second = (names[at].where(is_two & (names[at] != ""), None) for at in (0, 2))
    second = {"stimulus": pairs["stimulus_b"].astype("object"), "model": of_second.where(is_two, facts["model"])}
    first = facts.assign(kind=np.where(is_two, "fake", "real"), model=of_first)
    return first, facts.assign(kind="fake", **second)


def possible_times(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: trials with a possible reaction time."""
    milliseconds = trials["reaction_time_ms"].to_numpy("float64", na_value=np.nan)
    return (milliseconds > 0) & (milliseconds <= MAX_TIME_MS)
