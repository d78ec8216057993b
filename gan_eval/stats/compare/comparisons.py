"""The table `comparisons`: differences between kinds of pictures and between models, with Holm's correction."""

from itertools import chain
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd

from gan_eval.science.inference import holm
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.stats.compare.contrast import Fits, estimate
from gan_eval.stats.compare.detection_rates import BASES, Detection, RatesByKey, rates_of
from gan_eval.stats.compare.differences import UNTESTED, Difference, simultaneous_intervals
from gan_eval.stats.compare.grades import GradeQuestion, estimate_grades
from gan_eval.stats.compare.questions import (
    TOLD_APART,
    Comparison,
    KindQuestion,
    Topic,
    grade_questions,
    kind_questions,
    model_questions,
    pair_questions,
)
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed.fit import too_many
from gan_eval.stats.recruitment import ALPHA, is_waiting
from gan_eval.stats.trials import AnyTrials, typed
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.schema import NOTED, SHARE, Table, boolean, integer, interval_columns, number, text

ONE_ANSWER = "one answer only"
"""Name of the rule for participants who gave the same answer throughout."""
WITH_UNFINISHED = "with unfinished sessions"
COMPARISONS = Table(
    "comparisons",
    "Model against model, group against group.",
    (
        text("comparison", "what is compared, for readers", filled=True),
        text("question", "what is asked", words=get_args(Topic), filled=True),
        text("dataset", "of the trials; empty: all data sets, or trials without one"),
        text("model", "the only model that is judged next to real pictures; empty: several, or a and b are models"),
        text(
            "sensitivity",
            f"empty: the analysis; `{WITH_UNFINISHED}`; else the rule whose people are left out (`{ONE_ANSWER}`: those "
            "with one answer throughout)",
        ),
        text("a", "first group", filled=True),
        text("b", "second group", filled=True),
        text("measure", "the number that is compared", filled=True),
        number("difference", "a - b; measure `chosen`: share of pairs in which a was chosen, minus one half"),
        *interval_columns("ci", "its 95% interval, not adjusted for the number of comparisons"),
        number("p", "two-sided"),
        *interval_columns("simultaneous", "the interval that agrees with p_holm (Guilbaud 2008)", optional=True),
        number("p_holm", "after Holm's correction over the comparisons of one kind; exploratory ones among themselves"),
        number("margin", "of equivalence, of |difference|; told apart: twice it; empty: not judged", unit=SHARE),
        *interval_columns(
            "ci90", "its 90% interval, to compare with the margin (told apart: twice the margin)", optional=True
        ),
        number("p_equivalent", "the larger of two one-sided tests against the margin; not corrected", optional=True),
        text("basis", "method behind difference, interval and p", words=(*BASES, "independent"), optional=True),
        number("check_p", "p of the two-way clustered shares, next to a crossed model", optional=True),
        text(
            "verdict",
            "different: p_holm below 0.05; else equivalent: p_equivalent below 0.05, which is the 90% interval within "
            "the margin (each row alone, without correction); else undecided; interim: the study waits for more "
            "people; empty: no test, as for one participant, or a sensitivity row",
            words=("different", "equivalent", "undecided", "interim"),
        ),
        integer("n_a", "trials of a; measure `chosen`: pairs in which a was chosen"),
        integer("n_b", "trials of b; measure `chosen`: pairs in which b was chosen"),
        boolean("exploratory", "not in the plan, or based on exclusions or a margin that are not; empty: no plan"),
        boolean("margin_exploratory", "the margin is not in the plan", optional=True),
        text("untested", "why there is no test, or none of equivalence (nearly constant answers)", words=UNTESTED),
        *NOTED,
    ),
    key=("question", "dataset", "model", "sensitivity", "a", "b", "measure"),
)
Cited = dict[tuple[str | None, str | None] | None, tuple[int, Detection]]
"""Position in the table `comparisons` and numbers of each model on each data set; None: all models together."""


class Compared(NamedTuple):
    """The table `comparisons`, and what the table to cite takes from the same fits."""

    table: pd.DataFrame
    cited: Cited


class ComparisonEstimator:
    """Estimates the differences of one table; a model that several questions share is fitted once.

    If `why_not` gives a reason, crossed models are not fitted.
    """

    def __init__(self, settings: AnalysisSettings, why_not: str) -> None:
        self.settings, self.why_not = settings, why_not
        self._fits: Fits = {}
        self.rates: RatesByKey = {}

    def estimate(self, asked: Comparison) -> Difference:
        """Return the difference of a comparison; without p values if it cannot be tested."""
        margin, why_not = asked.margin(self.settings), asked.why_not or self.why_not
        if isinstance(asked.estimand, KindQuestion):
            rates = rates_of(asked.estimand, self.settings, self.rates, why_not=why_not)
            found = rates.bias() if asked.estimand.is_bias else rates.difference(margin)
        elif isinstance(asked.estimand, GradeQuestion):
            found = estimate_grades(asked.estimand, margin=margin, fits=self._fits, why_not=why_not)
        else:
            found = estimate(asked.estimand, margin=margin, fits=self._fits, why_not=why_not)
        if asked.untested is None and found.untested in (None, "nearly constant answers"):
            return found
        return found._replace(p=np.nan, p_equivalent=np.nan, untested=asked.untested or found.untested)


def comparisons(trials: AnyTrials, **options: Any) -> pd.DataFrame:
    """Return the table `comparisons`; the arguments are those of `compare`."""
    return compare(trials, **options).table


def compare(
    trials: AnyTrials,
    *,
    plan: AnalysisSettings = NO_PLAN,
    recruited: pd.DataFrame | None = None,
    grades: int | None = None,
    only_overall: bool = False,
) -> Compared:
    """Compare what a trials table allows: the questions of `compare.questions`.

    p_holm is corrected over the rows of one kind of question, separately for exploratory rows. If one kind of picture
    has no answers, the row `told apart` has the counts, and `note` has the reason.

    Args:
        plan: pairs of models, margin, link and slope; by default all pairs are compared, and no equivalence is judged.
        recruited: the table `recruitment`; while people are missing every verdict is `interim`. Default: none are.
        grades: number of grades of the scale; the margin is a share of its range. Default: the range of the grades in
            the trials.
        only_overall: only the detection of all models on all data sets together.
    """
    trials = typed(trials)
    questions = chain(  # a lazy iterator: the trials of all pairs of models together would take much memory
        kind_questions(trials.answered),
        model_questions(trials.answered, plan),
        pair_questions(trials.pairs, plan) if len(trials.pairs) else (),
        grade_questions(trials.graded, plan, grades) if len(trials.graded) else (),
    )
    estimator = ComparisonEstimator(plan, too_many(len(trials.every)))
    differences, rows = list[Difference](), list[Row]()
    waits = recruited is not None and is_waiting(recruited)
    cited: Cited = {}
    for asked in questions:
        if only_overall and not asked.is_overall:
            continue
        differences.append(estimator.estimate(asked))
        if isinstance(asked.estimand, KindQuestion) and asked.question == "detection":
            detection = estimator.rates[asked.estimand.key].detection(plan.margin)
            cell = len(rows), detection._replace(note=joined(asked.note, detection.note))
            if asked.is_overall:
                cited[None] = cell
            if len(asked.estimand.rows) == 1:
                row = asked.estimand.rows[0]
                cited[row.model, row.dataset] = cell
        rows.append(_row(asked, differences[-1], plan))
    if len(trials.main) and not any(row["family"] == TOLD_APART for row in rows):
        differences.insert(0, Difference(np.nan))
        rows.insert(0, _without_numbers(trials.main))
    table = pd.DataFrame(rows, columns=[*COMPARISONS.names, "family"]).astype({"p": "float64"})
    if len(table):
        for places in table.groupby(["family", "exploratory"], dropna=False).indices.values():
            p_holm = holm(table["p"].to_numpy("float64")[places])
            ends = simultaneous_intervals([differences[place] for place in places], p_holm)
            ends = np.full_like(ends, np.nan) if waits else ends
            table.loc[places, ["p_holm", "simultaneous_low", "simultaneous_high"]] = np.column_stack([p_holm, ends])
        # two one-sided tests at 5% each: the same as the 90% interval within the margin
        different, equivalent = (
            (table[name].astype("float64") < ALPHA).to_numpy(bool) & (not waits) for name in ("p_holm", "p_equivalent")
        )
        neither = "interim" if waits else "undecided"
        verdict = np.where(different, "different", np.where(equivalent, "equivalent", neither)).astype(object)
        untested = table["p"].isna().to_numpy(bool) & (verdict == "undecided")
        verdict[table["difference"].isna().to_numpy(bool) | untested] = None
        table["verdict"] = verdict
        less = np.where(different & equivalent, "differs, but by less than the margin", "")
        table["note"] = [joined(*notes) for notes in zip(less, table["note"].fillna(""), strict=True)]
    return Compared(conform(table.drop(columns="family"), COMPARISONS, where="comparisons"), cited)


def _row(asked: Comparison, found: Difference, plan: AnalysisSettings) -> Row:
    margin = asked.margin(plan)
    margin_note = "" if margin is None else asked.margin_note.format(margin)
    (ci_low, ci_high), (ci90_low, ci90_high) = found.ends(), found.ends(0.9)
    return {
        "family": asked.family,
        "comparison": asked.comparison,
        "question": asked.question,
        "dataset": asked.dataset,
        "model": asked.model,
        "a": asked.a,
        "b": asked.b,
        "measure": asked.measure,
        "difference": found.difference,
        "ci_low": ci_low,
        "ci_high": ci_high,
        "p": found.p,
        "margin": np.nan if margin is None else plan.margin,
        "ci90_low": ci90_low,
        "ci90_high": ci90_high,
        "p_equivalent": found.p_equivalent,
        "basis": found.basis,
        "check_p": found.check_p,
        "n_a": asked.counts[0],
        "n_b": asked.counts[1],
        "exploratory": not asked.planned,
        "untested": found.untested or ("too few" if np.isnan(found.p) else None),
        **provenance_cells(asked.trials, asked.note, found.note, margin_note),
    }


def _without_numbers(main: pd.DataFrame) -> Row:
    """Return the row `told apart` with counts and a reason only."""
    answered = main[main["answered"].to_numpy(bool)]
    fakes = int(answered["is_fake"].sum())
    reals = len(answered) - fakes
    if answered.empty:
        reason = "no answered trials"
    elif not reals or not fakes:
        reason = f"only {'fakes' if fakes else 'reals'} were judged: nothing to compare with"
    else:
        reason = "no data set has answers to both reals and fakes"
    if answered["stimulus"].nunique() == 1:
        reason = f"one stimulus; {reason}"
    return {
        "family": TOLD_APART,
        "comparison": TOLD_APART,
        "question": "detection",
        "untested": "too few",
        "a": "fake",
        "b": "real",
        "measure": "called_fake",
        "n_a": fakes,
        "n_b": reals,
        "exploratory": False,
        **provenance_cells(main, reason),
    }
