"""The table to cite: a row for each model on each data set, an interval for each number; `paper.csv`.

The numbers of single pictures come from one fit for each row (`compare.detection_rates`), which `comparisons` uses too.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, AnyTrials, TypedTrials, typed
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS, STAIRCASE
from gan_eval.stats.estimate.detection_rates import BY_PICTURE, TWO_WAY
from gan_eval.stats.estimate.differences import UNTESTED
from gan_eval.stats.groups import REAL, contestants, joined, n_known, provenance_cells
from gan_eval.stats.questions import ANY_FAKE, CHOSEN, kind_rows, left_out
from gan_eval.stats.results import EVERYTHING, NONE, RATING, SINGLE, VERDICTS, Result
from gan_eval.stats.tables.comparisons import Compared, Detected
from gan_eval.stats.tables.hype import mean_thresholds
from gan_eval.tables.cells import is_missing
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import (
    PROVENANCE,
    SHARE,
    Table,
    boolean,
    integer,
    interval_columns,
    number,
    text,
    with_interval,
)

PAPER = Table(
    "paper",
    "The table to cite: a row for each model on each data set and way of asking, and one for all where there are "
    "several. Each number has one interval, which allows for differences between participants and between pictures; "
    "that of a threshold is over participants only. `paper.tex` in the same folder is the same for LaTeX with "
    "booktabs.",
    (
        text(
            "protocol",
            "how pictures were judged: one at a time, next to the real picture, next to another model's picture, "
            "graded, or by a staircase of exposures or those of QUEST+",
            words=(SINGLE, PAIRED, TWO_MODELS, RATING, STAIRCASE, QUEST_PLUS),
            filled=True,
        ),
        text("model", "the generator's name; `real`: grades of real pictures; `all`: all models, each counted once"),
        text("dataset", "the data set's name; `all`: several data sets; empty: a data set without a name"),
        integer("n_participants", "participants who gave the answers; 0: it is not known whose they are", filled=True),
        integer("n_fake", "generated pictures that were judged; empty: pairs that do not name them"),
        integer("n_real", "real pictures that were judged with them", filled=True),
        integer("n_unknown", "rating: graded pictures whose kind is not known", optional=True),
        integer("n_answers", "answers", filled=True),
        integer(
            "n_only_real",
            "participants who judged real pictures of a data set but no generated ones, and whose answers to it are "
            "left out",
            optional=True,
        ),
        integer(
            "n_only_fake", "the same of participants who judged generated pictures but no real ones", optional=True
        ),
        number("fooling_rate", "share of fakes called real; paired: called the real one", unit=SHARE),
        *interval_columns("fooling", "its 95% interval"),
        number("real_called_real", "share of the row's real pictures called real, by the row's fit", unit=SHARE),
        *interval_columns("real", "its 95% interval"),
        *with_interval(
            "shared_real",
            "the same share from one fit of all models with the same answers to real pictures: the number to cite",
            unit=SHARE,
            optional=True,
        ),
        number(
            "accuracy",
            "balanced: mean of the shares of reals and of fakes judged correctly; paired: share of pairs in which the "
            "real picture was chosen; chance is 1/2",
            unit=SHARE,
        ),
        *interval_columns("accuracy", "its 95% interval, not adjusted for the number of rows"),
        *interval_columns("accuracy90", "its 90% interval, which decides equivalence"),
        number(
            "dprime",
            "z(1 - fooling_rate) - z(1 - real_called_real) of the row's own rates; a typical participant's d' is "
            "larger; paired: sqrt(2) z(accuracy); chance is 0",
        ),
        *interval_columns("dprime", "its 95% interval"),
        number("p", "two-sided, of accuracy against chance", unit=SHARE),
        number("p_holm", "after Holm's correction over the models", unit=SHARE),
        *with_interval(
            "chosen",
            "model_vs_model, two models: share of their pairs in which this one was chosen (`comparisons`)",
            unit=SHARE,
            optional=True,
        ),
        *with_interval(
            "preference",
            "model_vs_model: chance to be chosen over the average contestant (win_share of `bradley_terry`)",
            unit=SHARE,
        ),
        *with_interval("grade", "rating: mean grade (`ratings`)"),
        *with_interval(
            "threshold_ms",
            "mean threshold (staircase: `hype`; quest_plus: mean of `thresholds`); its interval is over participants",
            unit="ms",
        ),
        text(
            "verdict",
            "told apart or below chance: p_holm below alpha (`comparisons`); equivalent to chance: the 90% interval "
            "lies within the margin around 1/2; undecided: neither; interim: more people are to come; no verdict: the "
            "answers allow none, or their exposures follow the answers; of two models and of grades: empty",
            words=VERDICTS,
        ),
        text(
            "basis",
            "method behind numbers and intervals, as in `comparisons`: the crossed mixed model, averaged over "
            "participants and pictures; the same with the larger error of clustered shares; shares (each participant "
            "counts once), preferences or grades, their errors clustered by participant and by picture; of one "
            "participant, clustered by picture; or independent answers",
        ),
        text("untested", "why a test is missing, as in `comparisons`", words=UNTESTED),
        boolean("exploratory", "the row's test is not in the plan; empty: no test or no plan"),
        *PROVENANCE,
    ),
    key=("protocol", "model", "dataset"),
)  # fmt: skip

_ADAPTIVE_RATES = "exposures follow the answers, which keeps the rates near {}: no rate is given"
_OTHER_RULE = "exposures follow the answers by a rule without a known share: no rate is given; see psychometric"
_NO_DPRIME = "no d′, since the share of correct choices, or an end of its interval, is 0 or 100%"
_OUTSIDE = "d′ is that of the mean rates, which need not lie between those of the rows"
Frames = Mapping[str, pd.DataFrame]


def paper(trials: AnyTrials, frames: Frames, compared: Compared) -> pd.DataFrame:
    """Return the table `paper`; without answers it has no rows.

    Args:
        trials: the analysed trials.
        frames: the tables `bradley_terry`, `ratings`, `thresholds` and `hype` of these trials, by name.
        compared: the differences of these trials.
    """
    trials = typed(trials)
    answered, protocol = trials.answered, trials.answered["protocol"]
    rows = [*_single_rows(answered[~protocol.isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)], compared)]
    for name in ADAPTIVE_PROTOCOLS:
        answers = answered[(protocol == name).to_numpy(bool)].reset_index(drop=True)
        rows += _adaptive_rows(name, answers, frames) if len(answers) else ()
    rows += _pair_rows(trials, frames, compared.results) if len(trials.pairs) else ()
    rows += _grade_rows(trials, frames) if len(trials.graded) else ()
    return frame_of(rows, PAPER)


def _single_rows(answered: pd.DataFrame, compared: Compared) -> Iterator[Row]:
    """Yield the rows of single pictures called real or fake, of exposures that do not follow the answers."""
    if answered.empty:
        return
    if not compared.detections:
        yield _of_one_kind(answered, compared.results)
        return
    over_all = compared.detections[0]
    by_rows = {tuple(row[:2] for row in one.question.rows): one for one in compared.detections}
    of_models = [_detected(*row[:2], by_rows[row[:2],]) for row in over_all.question.rows]
    yield from of_models
    of_all = _detected(EVERYTHING, _one_or_all([row.dataset for row in over_all.question.rows]), over_all)
    dprimes = [row["dprime"] for row in of_models]
    if of_all["dprime"] < np.fmin.reduce(dprimes) - 1e-9 or of_all["dprime"] > np.fmax.reduce(dprimes) + 1e-9:
        of_all["note"] = joined(of_all["note"], _OUTSIDE)
    yield of_all


def _of_one_kind(answered: pd.DataFrame, compared: Sequence[Result]) -> Row:
    """Return the row of answers to one kind of picture; the only row of detection says why there are no rates."""
    why = next((each.reason for each in compared if each.measure == "called_fake"), "")
    untested = {"verdict": NONE, "untested": "too few", **provenance_cells(answered, why)}
    datasets = map(_name, answered["dataset"].unique())
    return _counts_of_kinds(SINGLE, EVERYTHING, _one_or_all(datasets), answered) | untested


def _one_or_all(datasets: Iterable[str | None]) -> str | None:
    """Return the name of the only data set of rows; `EVERYTHING` of several."""
    names = {*datasets}
    return names.pop() if len(names) == 1 else EVERYTHING


def _adaptive_rows(protocol: str, answers: pd.DataFrame, frames: Frames) -> Iterator[Row]:
    """Yield the rows of single pictures whose exposures follow the answers, by one protocol."""
    shares = frames["thresholds"].loc[frames["thresholds"]["protocol"] == protocol, "share"].unique()
    is_known = len(shares) == 1 and not pd.isna(shares[0])
    note = _ADAPTIVE_RATES.format(f"{shares[0]:.0%}") if is_known else _OTHER_RULE
    rows = kind_rows(answers)
    used_answers = answers.iloc[np.unique(np.concatenate([row.positions for row in rows]))] if rows else answers
    several = len({row.dataset for row in rows}) != 1
    dataset = None if several else rows[0].dataset
    parts = [(*row[:2], *row[:2], answers.iloc[row.positions].reset_index(drop=True)) for row in rows]
    of_all = (EVERYTHING, EVERYTHING if several else dataset, None, dataset, used_answers)
    for model, name, of_model, of_dataset, part in [*parts, of_all]:
        cells = {"verdict": NONE, **_thresholds(frames, protocol, of_model, of_dataset)}
        yield _counts_of_kinds(protocol, model, name, part) | cells | provenance_cells(part, note)


def _counted(
    protocol: str, model: str | None, dataset: str | None, part: pd.DataFrame, n_fake: int | None, n_real: int
) -> Row:
    """Return the cells that name a row and count its answers."""
    return {
        "protocol": protocol,
        "model": model,
        "dataset": dataset,
        "n_participants": n_known(part["participant"]),
        "n_fake": n_fake,
        "n_real": n_real,
        "n_answers": len(part),
    }


def _counts_of_kinds(protocol: str, model: str | None, dataset: str | None, part: pd.DataFrame) -> Row:
    """Return the same of single pictures, whose fakes and reals are counted."""
    fakes = part.loc[part["is_fake"].to_numpy(bool), "stimulus"].nunique()
    return _counted(protocol, model, dataset, part, fakes, part["stimulus"].nunique() - fakes)


def _left_out(row: Detected) -> Row:
    """Return the numbers of participants who judged one kind of picture and are left out of a row."""
    people, left = row.question.answered["participant"], left_out(row.question)
    return {"n_only_real": people[left.only_real].nunique(), "n_only_fake": people[left.only_fake].nunique()}


def _detected(model: str | None, dataset: str | None, row: Detected) -> Row:
    """Return the row of a model on a data set, or of all."""
    detection, test = row.numbers, row.test
    cells: Row = {"accuracy90_low": detection.accuracy90[0], "accuracy90_high": detection.accuracy90[1]}
    for name, short in (("fooling_rate", "fooling"), ("real_called_real", "real"), ("accuracy", "accuracy")):
        estimate: Estimate = getattr(detection, name)
        cells |= {name: estimate.value, f"{short}_low": estimate.low, f"{short}_high": estimate.high}
    cells |= dict(zip(("shared_real", "shared_real_low", "shared_real_high"), row.reals, strict=True))
    value, low, high = detection.dprime
    cells |= {"dprime": value, "dprime_low": low, "dprime_high": high, "basis": detection.basis}
    cells |= {"p": detection.p, "p_holm": test.p_holm}
    cells |= {"untested": detection.untested, "exploratory": test.exploratory}
    notes = provenance_cells(row.question.trials, "exploratory" if test.exploratory else "", detection.note)
    counts = _counts_of_kinds(SINGLE, model, dataset, row.question.trials) | _left_out(row)
    return {**counts, **cells, "verdict": test.on_chance, **notes}


def _thresholds(frames: Frames, protocol: str, model: str | None, dataset: str | None) -> Row:
    """Return the mean threshold of a model on a data set, or over all models."""
    names = ("threshold_ms", "threshold_ms_low", "threshold_ms_high")
    if protocol == STAIRCASE:
        hype = frames["hype"]
        is_row = (hype["score"] == "hype_time") & _equal(hype["dataset"], dataset) & _equal(hype["model"], model)
        mean = hype[is_row][["value", "ci_low", "ci_high"]]
        return dict(zip(names, mean.iloc[0], strict=True)) if len(mean) else {}
    thresholds = frames["thresholds"]
    thresholds = thresholds[(thresholds["protocol"] == protocol) & _equal(thresholds["dataset"], dataset)]
    means = mean_thresholds(thresholds if model is None else thresholds[_equal(thresholds["model"], model)])
    return dict(zip(names, means[0][-3:], strict=True)) if means else {}


def _pair_rows(trials: TypedTrials, frames: Frames, compared: Sequence[Result]) -> Iterator[Row]:
    """Yield the rows of pairs of a real and a generated picture, then of pairs of two models."""
    pairs = trials.pairs
    pairs = pairs[pairs["answered"].to_numpy(bool)].reset_index(drop=True)
    names = contestants(pairs)
    of_reals = names.a == REAL
    tests = [each for each in compared if each.measure == CHOSEN]
    yield from _rows_with_reals(pairs[of_reals], [each for each in tests if each.question == "detection"])
    of_models = pairs[~of_reals].assign(first=names.a[~of_reals], second=names.b[~of_reals])
    for dataset, part in of_models.groupby("dataset", dropna=False, sort=True):
        name = _name(dataset)
        of_dataset = (each for each in tests if each.question == "preference" and each.dataset == (name or ""))
        strengths = frames["bradley_terry"]
        yield from _rows_of_models(part, name, next(of_dataset, None), strengths[_equal(strengths["dataset"], name)])


def _rows_of_models(
    pairs: pd.DataFrame, dataset: str | None, test: Result | None, strengths: pd.DataFrame
) -> Iterator[Row]:
    """Yield the rows of pairs of models on one data set.

    Args:
        test: the first difference of the data set, which is cited if there is no other.
        strengths: the rows of `bradley_terry`.
    """
    models = sorted({*pairs["first"], *pairs["second"]})
    test = test if len(models) == 2 else None
    by_model = {row["contestant"]: row for row in strengths.to_dict("records")}
    for model in models:
        of_model = pairs[(pairs["first"] == model) | (pairs["second"] == model)]
        sides = (("first", "stimulus"), ("second", "stimulus_b"))
        shown = pd.concat([of_model.loc[(of_model[side] == model).to_numpy(bool), name] for side, name in sides])
        cells = _strength(by_model[model], of_model) if model in by_model else {}
        if test is not None:  # the number to cite is `chosen`
            cells |= _chosen(test, model)
        number = None if shown.isna().any() else int(shown.nunique())
        strength = by_model.get(model, {"win_share": None, "note": None})
        why_not = strength["note"] if test is None and is_missing(strength["win_share"]) else None
        provenance = _tested(of_model, test) if is_missing(why_not) else provenance_cells(of_model, why_not)
        yield {**_counted(TWO_MODELS, model, dataset, of_model, number, 0), **cells, **provenance}


def _strength(row: Mapping[Hashable, Any], of_model: pd.DataFrame) -> Row:
    """Return the chance to be chosen over the average contestant, from a row of `bradley_terry`."""
    several = of_model["participant"].nunique() > 1
    return {
        "preference": row["win_share"],
        "preference_low": float(expit(row["ci_low"])),
        "preference_high": float(expit(row["ci_high"])),
        "basis": None if is_missing(row["ci_low"]) else TWO_WAY if several else BY_PICTURE,
    }


def _chosen(test: Result, model: str) -> Row:
    """Return the share of the pairs of two models in which one was chosen, from their difference."""
    value, low, high = test.estimate
    ends = (value, low, high) if model == test.a else (-value, -high, -low)
    names = ("chosen", "chosen_low", "chosen_high")
    return dict(zip(names, (0.5 + end for end in ends), strict=True)) | {"basis": test.basis or None}


def _rows_with_reals(paired: pd.DataFrame, tests: Sequence[Result]) -> Iterator[Row]:
    """Yield the rows of pairs of a real and a generated picture: of each model, and of all."""
    if paired.empty:
        return
    by_scope = {(each.dataset or None, each.b): each for each in tests}
    parts = [
        (_name(model), _name(dataset), part)
        for (dataset, model), part in paired.groupby(["dataset", "model"], dropna=False, sort=True, observed=True)
    ]
    for model, dataset, part in [*parts, (EVERYTHING, _one_or_all(part[1] for part in parts), paired)]:
        scopes = [(dataset, model)] if model and model != EVERYTHING else []
        scopes += [(dataset, ANY_FAKE)] * (len(part) == int(_equal(paired["dataset"], dataset).sum()))
        scopes += [(None, ANY_FAKE)] * (len(part) == len(paired))
        test = next((by_scope[scope] for scope in scopes if scope in by_scope), None)
        cells = {} if test is None or is_missing(test.estimate.value) else _of_choices(test)
        shown = part["stimulus_b"].nunique() or None, part["stimulus"].nunique()
        no_dprime = cells and "dprime" not in cells and not is_missing(cells["accuracy_low"])
        note = _NO_DPRIME if no_dprime else ""
        yield {"verdict": NONE, **_counted(PAIRED, model, dataset, part, *shown), **cells, **_tested(part, test, note)}


def _of_choices(test: Result) -> Row:
    """Return the rates and the verdict from the share of pairs in which the real picture was chosen."""
    right, low, high = test.share
    cells: Row = {"accuracy": right, "accuracy_low": low, "accuracy_high": high}
    cells |= {"accuracy90_low": test.within.low + 0.5, "accuracy90_high": test.within.high + 0.5}
    cells |= {"fooling_rate": 1 - right, "fooling_low": 1 - high, "fooling_high": 1 - low}
    if test.untested != "one side" and not {right, low, high} & {0.0, 1.0}:
        dprimes = np.sqrt(2) * ndtri([right, low, high])
        cells |= dict(zip(("dprime", "dprime_low", "dprime_high"), map(float, dprimes), strict=True))
    return cells | {
        "p": test.p_unadjusted,
        "p_holm": test.p_holm,
        "basis": test.basis or None,
        "verdict": test.on_chance,
    }


def _grade_rows(trials: TypedTrials, frames: Frames) -> Iterator[Row]:
    """Yield the rows of grades of each model's pictures, and of the real ones."""
    graded, means = trials.graded, frames["ratings"]
    graded = graded[graded["answered"].to_numpy(bool)]
    for row in means.to_dict("records"):
        of_dataset = _equal(means["dataset"], row["dataset"]) & _equal(means["kind"], row["kind"])
        pooled = not isinstance(row["model"], str)
        if pooled and means.loc[of_dataset, "model"].notna().any():
            continue  # all models of the data set together
        is_row = _equal(graded["dataset"], row["dataset"]) & _equal(graded["kind"], row["kind"])
        part = graded[is_row if pooled else is_row & _equal(graded["model"], row["model"])].reset_index(drop=True)
        yield _grade_row(row, part)


def _grade_row(row: Mapping[Hashable, Any], part: pd.DataFrame) -> Row:
    """Return the row of grades of one kind of pictures, from a row of `ratings`."""
    pictures = part["stimulus"].nunique()
    kinds = {REAL: (REAL, 0, pictures), "fake": (row["model"], pictures, 0)}
    model, *shown = kinds.get(row["kind"], (row["model"], None, 0))
    cells = {f"grade{end}": row[name] for end, name in (("", "mean"), ("_low", "ci_low"), ("_high", "ci_high"))}
    several = part["participant"].nunique() > 1
    cells["basis"] = None if is_missing(row["ci_low"]) else TWO_WAY if several else BY_PICTURE
    cells["n_unknown"] = None if isinstance(row["kind"], str) else pictures
    note = row["note"] if isinstance(row["note"], str) else ""
    return _counted(RATING, model, row["dataset"], part, *shown) | cells | provenance_cells(part, note)


def _name(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _equal(column: pd.Series, value: object) -> np.ndarray:
    """Return the mask (N,) of the cells with this name; None: of the empty cells."""
    same = column == value if isinstance(value, str) else column.isna()
    return same.fillna(False).to_numpy(bool)


def _tested(part: pd.DataFrame, test: Result | None, note: str = "") -> Row:
    """Return the provenance cells of pairs, with the note of their comparison before `note`."""
    if test is None:
        return provenance_cells(part, "this number by itself is not tested")
    of_test = {"untested": test.untested or None, "exploratory": test.exploratory}
    return of_test | provenance_cells(part, "exploratory" if test.exploratory else "", test.reason, note)
