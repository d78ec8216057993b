"""Robustness of an answer: drift over a session, bias to one side of a pair, verdicts without the exclusions."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.clustering import freedom, two_way
from gan_eval.stats.compare.contrast import Fits, estimate
from gan_eval.stats.compare.differences import wald
from gan_eval.stats.compare.questions import (
    REAL_VS_FAKE,
    Comparison,
    kind_questions,
    model_questions,
    pair_questions,
)
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed import CrossedFit
from gan_eval.stats.mixed.fit import too_many
from gan_eval.stats.trials import PAIRED, answered_trials, pair_trials
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.multiple_tests import holm
from gan_eval.tables.schema import ANALYSIS_RUN, FRACTION, SIMULATED, Column, Table, ends, integer, number, text

DRIFT, SIDE_BIAS = "drift over trials", "side bias"
WITHOUT_EXCLUSIONS = "without the exclusions"
_VERDICTS = ("different", "equivalent", "undecided")
ROBUSTNESS = Table(
    "robustness",
    "Drift of accuracy over a session, bias to one side of a pair, and the verdicts of `comparisons` without the "
    "exclusions. The p values of the first two are not corrected for their number.",
    (
        text(
            "check",
            "what was tried",
            words=(DRIFT, SIDE_BIAS, WITHOUT_EXCLUSIONS),
            filled=True,
        ),
        text(
            "comparison", "the row of `comparisons`; of the first two checks `single pictures` or `pairs`", filled=True
        ),
        text("a", "first group; `last trial`; the side"),
        text("b", "second group; `first trial`; the other side"),
        text("measure", "the number that is compared"),
        number(
            "estimate",
            "drift: share right at the last trial less that at the first, of a straight line; side bias: share of "
            "choices of that side less one half; else the difference a - b without the exclusions",
        ),
        *ends("ci"),
        number("p", "two-sided; of a verdict corrected by Holm as in `comparisons`"),
        text("verdict", "that of `comparisons`", words=_VERDICTS),
        text("verdict_without", "the verdict without the exclusions", words=_VERDICTS),
        integer("n_units", "participants; of verdicts, trials that the exclusions left out"),
        Column("note", "what a reader must know"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("check", "comparison", "a", "b", "measure"),
)

MOST_REFITTED = 20_000
"""Trials behind a comparison above which no model is fitted again; of the whole table, without its exclusions."""


def robustness(
    trials: pd.DataFrame,
    compared: pd.DataFrame,
    *,
    everything: pd.DataFrame | None = None,
    plan: AnalysisSettings | None = None,
    fits: Fits | None = None,
) -> pd.DataFrame:
    """The table `robustness`.

    Args:
        trials: the table `trials`, those that are analysed.
        compared: the table `comparisons` of them. Rows without a verdict are not tried, nor those of `real vs fake` and
            of grades.
        everything: the trials before any exclusion; None: nothing was excluded.
        plan: as of `comparisons`.
        fits: the models that were fitted for `comparisons`.
    """
    rows = [*drifts(trials), *side_biases(trials)]
    if why_not := too_many(len(trials)):
        note = f"{why_not}: no verdicts without the exclusions"
        rows = [row | {"note": joined(note, row["note"])} for row in rows]
    elif everything is not None and len(trials) < len(everything) <= MOST_REFITTED:
        rows += _without_exclusions(trials, compared, everything, plan or AnalysisSettings(), fits or {})
    return conform(pd.DataFrame(rows, columns=list(ROBUSTNESS.names)), ROBUSTNESS, where="robustness")


def _questions(trials: pd.DataFrame, settings: AnalysisSettings) -> dict[tuple[str, str, str], Comparison]:
    """The questions whose verdicts are the answer, by their names in the table `comparisons`."""
    answered = answered_trials(trials)
    asked = chain(
        kind_questions(answered, settings),
        model_questions(answered, settings),
        pair_questions(pair_trials(trials), settings),
    )
    return {(of.comparison, of.a, of.b): of for of in asked if of.family != REAL_VS_FAKE}


def _without_exclusions(
    trials: pd.DataFrame, compared: pd.DataFrame, everything: pd.DataFrame, settings: AnalysisSettings, fits: Fits
) -> list[Row]:
    """The same questions to all trials."""
    verdicts = {
        (row["comparison"], row["a"], row["b"]): row
        for row in compared.to_dict("records")
        if row["verdict"] in _VERDICTS
    }
    before = _questions(everything, settings)
    n_all, n_left = (int((table["phase"] == "main").sum()) for table in (everything, trials))
    fits_of_all: Fits = {}
    rows: list[Row] = []
    for names, of in _questions(trials, settings).items():
        whole, judged = before.get(names), verdicts.get(names)
        if whole is None or judged is None:
            continue
        fit = fits.get(of.question.key)
        start = fit if isinstance(fit, CrossedFit) and len(fit.beta) == len(whole.question.cell_weights) else None
        margin = whole.equivalence_margin(settings)
        result = estimate(whole.question, margin=margin, fits=fits_of_all, why_not=whole.why_not, start=start)
        rows.append(
            {
                "check": WITHOUT_EXCLUSIONS,
                "comparison": of.comparison,
                "a": of.a,
                "b": of.b,
                "measure": of.measure,
                "estimate": result.difference,
                "ci_low": result.ci_low,
                "ci_high": result.ci_high,
                "p": result.p,
                "verdict": judged["verdict"],
                "n_units": n_all - n_left,
                **provenance_cells(of.trials, result.note),
                "family": (of.family, of.planned),
                "p_equivalent": result.p_equivalent,
                "alpha": judged["alpha"],
            }
        )
    for family in {row["family"] for row in rows}:
        own = [row for row in rows if row["family"] == family]
        for row, p in zip(own, holm([row["p"] for row in own]).tolist(), strict=True):
            equivalent = "equivalent" if row["p_equivalent"] < row["alpha"] else "undecided"
            verdict = "different" if p < row["alpha"] else equivalent
            row |= {"p": p, "verdict_without": None if np.isnan(p) else verdict}
    return rows


def drifts(trials: pd.DataFrame) -> Iterator[Row]:
    """A row for single pictures, then one for pairs with a real one; none for adaptive ones, whose exposures follow the
    answers."""
    single = answered_trials(trials)
    single = single[~single["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)].reset_index(drop=True)
    pairs = pair_trials(trials)
    pairs = pairs[pairs["answered"].to_numpy(bool) & (pairs["protocol"] == PAIRED).fillna(False).to_numpy(bool)]
    pairs = pairs.reset_index(drop=True).assign(is_fake=True, correct=(pairs["choice"] == "a").to_numpy(bool))
    for name, part in (("single pictures", single), ("pairs", pairs)):
        if len(part):
            yield {
                "check": DRIFT,
                "comparison": name,
                "a": "last trial",
                "b": "first trial",
                "measure": "accuracy",
                **drift(part),
            }


def drift(part: pd.DataFrame) -> Row:
    """The slope of being right over a session from 0 to 1, within each person's answers to pictures of a kind.

    Each participant, data set and kind has a mean of its own, so neither skill nor leaning nor an order of kinds is
    taken for drift. Errors are clustered by participant, who may drift each in their own way, and by picture.

    Args:
        part: answered trials, with the columns `is_fake` and `correct` (bool).
    """
    participant, stimulus = (pd.factorize(part[name])[0] for name in ("participant", "stimulus"))
    rank = part.groupby("session", sort=False)["trial"].rank(method="first").to_numpy(float)
    last = part.groupby("session", sort=False)["trial"].transform("size").to_numpy(float)
    position = (rank - 1) / np.maximum(last - 1, 1)
    group = part.groupby(["session", "dataset", "is_fake"], dropna=False, sort=False).ngroup().to_numpy()
    size = np.bincount(group)

    def within(values: np.ndarray) -> np.ndarray:
        return np.asarray(values - (np.bincount(group, values) / size)[group])

    x, y = within(position), within(part["correct"].to_numpy(float))
    information = float(x @ x)
    carried = provenance_cells(part)
    df = freedom(participant, stimulus)
    if information < 1e-9 or df < 2:
        note = "too few participants, pictures or trials of each for a drift"
        return {**carried, "note": joined(note, carried["note"])}
    slope = float(x @ y) / information
    influence = x * (y - slope * x) / information
    if not influence.any():
        return {**carried, "note": joined("the answers to pictures of a kind do not vary", carried["note"])}
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus)[0]))
    return {**_tested(slope, error, df), "n_units": int(participant.max()) + 1, **carried}


def side_biases(trials: pd.DataFrame) -> Iterator[Row]:
    """A row for pairs side by side, then one for pairs one after the other."""
    pairs = pair_trials(trials)
    pairs = pairs[pairs["answered"].to_numpy(bool) & pairs["position"].notna().to_numpy(bool)]
    for side, other in (("left", "right"), ("first", "second")):
        part = pairs[pairs["position"].isin([side, other]).to_numpy(bool)].reset_index(drop=True)
        if part["position"].nunique() == 2:
            names = {"check": SIDE_BIAS, "comparison": "pairs", "a": side, "b": other, "measure": "chosen"}
            yield {**names, **side_bias(part, side)}


def side_bias(part: pd.DataFrame, side: str) -> Row:
    """The share of choices of the picture at `side` less one half; either place of the picture a counts alike, so that
    people who choose rightly are not taken for people who favour a side.

    Args:
        part: answered pairs, picture a being at `side` in some, elsewhere in others.
        side: a word of the column `position`.
    """
    is_there = (part["position"] == side).to_numpy(bool)
    chosen = (part["choice"] == "a").to_numpy(bool) == is_there
    participant, stimulus = (pd.factorize(part[name])[0] for name in ("participant", "stimulus"))
    there, elsewhere = (float(chosen[place].mean()) for place in (is_there, ~is_there))
    influence = (chosen - np.where(is_there, there, elsewhere)) * np.where(
        is_there, 0.5 / is_there.sum(), 0.5 / (~is_there).sum()
    )
    carried, df = provenance_cells(part), freedom(participant, stimulus)
    if df < 2:
        return {**carried, "note": joined("too few participants or pairs", carried["note"])}
    if not influence.any():
        return {**carried, "note": joined("the choices do not vary", carried["note"])}
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus)[0]))
    return {
        **_tested((there + elsewhere) / 2 - 0.5, error, df), "n_units": int(participant.max()) + 1, **carried,
    }  # fmt: skip


def _tested(value: float, error: float, df: int) -> Row:
    test = wald(value, error, df)
    return {"estimate": value, "ci_low": test.ci_low, "ci_high": test.ci_high, "p": test.p}
