"""The table to cite: a row for each model on each data set, an interval for each number; `paper.csv`.

The numbers of single pictures come from one fit for each row (`compare.detection_rates`), which `comparisons` uses too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, AnyTrials, TypedTrials, typed
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS, STAIRCASE
from gan_eval.stats.estimate.detection_rates import BY_PICTURE, TWO_WAY
from gan_eval.stats.estimate.differences import UNTESTED
from gan_eval.stats.groups import REAL, contestants, joined, n_known, provenance_cells
from gan_eval.stats.questions import ANY_FAKE, CHOSEN, kind_rows, left_out
from gan_eval.stats.results import EVERYTHING, NONE, NUMBERS, RATING, SINGLE, VERDICTS, Result
from gan_eval.stats.tables.comparisons import Compared, Detected
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


def paper(trials: AnyTrials, results: Sequence[Result], compared: Compared) -> pd.DataFrame:
    """Return the table `paper`; without answers it has no rows.

    Args:
        trials: the analysed trials.
        results: the preferences, mean grades and thresholds of these trials.
        compared: the differences of these trials.
    """
    trials = typed(trials)
    answered, protocol = trials.answered, trials.answered["protocol"]
    rows = [*_single_rows(answered[~protocol.isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)], compared)]
    for name in ADAPTIVE_PROTOCOLS:
        answers = answered[(protocol == name).to_numpy(bool)].reset_index(drop=True)
        of_protocol = [each for each in results if each.protocol == name]
        rows += _adaptive_rows(name, answers, of_protocol) if len(answers) else ()
    preferences = [each for each in results if each.protocol == TWO_MODELS]
    rows += _pair_rows(trials, preferences, compared.results) if len(trials.pairs) else ()
    rows += _grade_rows(trials.graded, [each for each in results if each.protocol == RATING])
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


def _adaptive_rows(protocol: str, answers: pd.DataFrame, thresholds: Sequence[Result]) -> Iterator[Row]:
    """Yield the rows of single pictures whose exposures follow the answers, by one protocol."""
    shares = np.unique([each.numbers["share"].value for each in thresholds])
    note = _ADAPTIVE_RATES.format(f"{shares[0]:.0%}") if len(shares) == 1 and not np.isnan(shares[0]) else _OTHER_RULE
    means = {(each.model or None, each.dataset or None): each for each in thresholds}
    rows = kind_rows(answers)
    used_answers = answers.iloc[np.unique(np.concatenate([row.positions for row in rows]))] if rows else answers
    several = len({row.dataset for row in rows}) != 1
    dataset = None if several else rows[0].dataset
    parts = [(*row[:2], *row[:2], answers.iloc[row.positions].reset_index(drop=True)) for row in rows]
    of_all = (EVERYTHING, EVERYTHING if several else dataset, None, dataset, used_answers)
    for model, name, of_model, of_dataset, part in [*parts, of_all]:
        mean = means.get((of_model, of_dataset))
        cells = {"verdict": NONE, **(_cells("threshold_ms", mean.estimate) if mean else {})}
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
    for name in ("fooling_rate", "real_called_real", "accuracy", "dprime"):
        cells |= _cells(name, Estimate(*getattr(detection, name)))
    cells |= dict(zip(("shared_real", "shared_real_low", "shared_real_high"), row.reals, strict=True))
    cells |= {"basis": detection.basis, "p": detection.p, "p_holm": test.p_holm}
    cells |= {"untested": detection.untested, "exploratory": test.exploratory}
    notes = provenance_cells(row.question.trials, "exploratory" if test.exploratory else "", detection.note)
    counts = _counts_of_kinds(SINGLE, model, dataset, row.question.trials) | _left_out(row)
    return {**counts, **cells, "verdict": test.on_chance, **notes}


def _pair_rows(trials: TypedTrials, preferences: Sequence[Result], compared: Sequence[Result]) -> Iterator[Row]:
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
        by_model = {each.model: each for each in preferences if each.dataset == (name or "")}
        yield from _rows_of_models(part, name, next(of_dataset, None), by_model)


def _rows_of_models(
    pairs: pd.DataFrame, dataset: str | None, test: Result | None, preferences: Mapping[str, Result]
) -> Iterator[Row]:
    """Yield the rows of pairs of models on one data set.

    Args:
        test: the first difference of the data set, which is cited if there is no other.
        preferences: by model, the chance to be chosen over the average contestant.
    """
    models = sorted({*pairs["first"], *pairs["second"]})
    test = test if len(models) == 2 else None
    for model in models:
        of_model = pairs[(pairs["first"] == model) | (pairs["second"] == model)]
        sides = (("first", "stimulus"), ("second", "stimulus_b"))
        shown = pd.concat([of_model.loc[(of_model[side] == model).to_numpy(bool), name] for side, name in sides])
        strength = preferences.get(model)
        cells = _with_basis("preference", strength.estimate, of_model) if strength else {}
        if test is not None:  # the number to cite is `chosen`
            cells |= _chosen(test, model)
        number = None if shown.isna().any() else int(shown.nunique())
        why_not = strength.reason if strength and test is None and is_missing(strength.estimate.value) else ""
        provenance = provenance_cells(of_model, why_not) if why_not else _tested(of_model, test)
        yield {**_counted(TWO_MODELS, model, dataset, of_model, number, 0), **cells, **provenance}


def _chosen(test: Result, model: str) -> Row:
    """Return the share of the pairs of two models in which one was chosen, from their difference."""
    value, low, high = test.estimate
    share = test.share if model == test.a else Estimate(0.5 - value, 0.5 - high, 0.5 - low)
    return _cells("chosen", share) | {"basis": test.basis or None}


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
    cells = _cells("accuracy", test.share) | _cells("fooling_rate", Estimate(1 - right, 1 - high, 1 - low))
    cells |= {"accuracy90_low": test.within.low + 0.5, "accuracy90_high": test.within.high + 0.5}
    if test.untested != "one side" and not {right, low, high} & {0.0, 1.0}:
        cells |= _cells("dprime", Estimate(*map(float, np.sqrt(2) * ndtri([right, low, high]))))
    return cells | {
        "p": test.p_unadjusted,
        "p_holm": test.p_holm,
        "basis": test.basis or None,
        "verdict": test.on_chance,
    }


def _grade_rows(graded: pd.DataFrame, grades: Sequence[Result]) -> Iterator[Row]:
    """Yield the rows of grades of each model's pictures, and of the real ones."""
    named = {(each.dataset, each.kind) for each in grades if each.model}
    for grade in grades:
        if not grade.model and (grade.dataset, grade.kind) in named:
            continue  # all models of the data set together
        is_row = graded["answered"].to_numpy(bool)
        for column in ("dataset", "kind", *(["model"] if grade.model else [])):
            is_row = is_row & _equal(graded[column], getattr(grade, column) or None)
        yield _grade_row(grade, graded[is_row].reset_index(drop=True))


def _grade_row(grade: Result, part: pd.DataFrame) -> Row:
    """Return the row of the grades of one kind of pictures."""
    pictures = part["stimulus"].nunique()
    kinds = {REAL: (REAL, 0, pictures), "fake": (grade.model or None, pictures, 0)}
    model, *shown = kinds.get(grade.kind, (grade.model or None, None, 0))
    cells = _with_basis("grade", grade.estimate, part) | {"n_unknown": None if grade.kind else pictures}
    counts = _counted(RATING, model, grade.dataset or None, part, *shown)
    return counts | cells | provenance_cells(part, grade.reason)


def _with_basis(name: str, estimate: Estimate, part: pd.DataFrame) -> Row:
    """Return the cells of a number whose interval, if it has one, is clustered."""
    basis = TWO_WAY if part["participant"].nunique() > 1 else BY_PICTURE
    return _cells(name, estimate) | {"basis": None if is_missing(estimate.low) else basis}


def _cells(name: str, estimate: Estimate) -> Row:
    """Return the cells of a number and its interval."""
    prefix = NUMBERS[name][0]
    return {name: estimate.value, f"{prefix}_low": estimate.low, f"{prefix}_high": estimate.high}


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
