"""What is asked of pairs: is the real picture chosen more often than by guessing, is one model preferred to another?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.contrast import choice_question
from gan_eval.stats.compare.questions import Asked, planned_pairs, provenance_of
from gan_eval.stats.contestants import REAL, UNNAMED, contestants, misnamed_note
from gan_eval.stats.groups import carried_by, joined
from gan_eval.tabular import Row

TOLD_APART_IN_PAIRS = "told apart in pairs"
PREFERRED = "preferred"
CHOSEN = "chosen"
"""The measure: share of choices."""
ANY_FAKE = "fake"
"""b where fakes of all models count together."""


def pair_questions(pairs: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
    """Each share of choices less one half, by chosen ~ 1 + (1 | participant) + (1 | item).

    Real beside fake (a is the real picture, `b` the fakes): `told apart in pairs` over everything; `told apart in pairs
    on DATASET` with b = `fake` for each of several data sets and with b = MODEL for each of a data set's several
    models. Data sets have probabilities of their own and count by their answers.
    Model beside model: `preferred on DATASET` for each two models, a and b as the plan writes them, else in the order
    of their names. Pairs of two models whose `model` is not `A|B` are left out, and the data set's rows say so.

    Args:
        pairs: as `gan_eval.stats.trials.pair_trials` returns them; those without an answer are left out.
        plan: pairs of models, link, margin.
    """
    answered = pairs[pairs["answered"].to_numpy(bool)]
    names = contestants(answered)
    answered = answered.assign(
        first=names.a,
        second=names.b,
        misnamed=names.misnamed,
        chose_a=(answered["choice"] == "a").to_numpy(bool),
        unit=answered["item"].where(answered["item"].notna(), answered["stimulus"]),
    )
    of_reals = (names.a == REAL) & ~names.misnamed
    yield from _told_apart(answered[of_reals], plan)
    yield from _preferred(answered[~of_reals], plan)


def unnamed_pairs(pairs: pd.DataFrame, *, planned: bool) -> list[Row]:
    """A row `preferred on DATASET` without numbers for each data set of which no pair of two models is named.

    Args:
        pairs: as `gan_eval.stats.trials.pair_trials` returns them.
        planned: there is a plan.
    """
    misnamed = contestants(pairs).misnamed
    of_models = pairs.assign(misnamed=misnamed)[misnamed | (contestants(pairs).a != REAL)]
    rows: list[Row] = []
    for dataset, part in of_models.groupby("dataset", dropna=False, sort=True):
        if part["misnamed"].all():
            carried = carried_by(part)
            rows.append(
                {
                    "family": PREFERRED,
                    "comparison": _on(PREFERRED, dataset),
                    "a": ", ".join(sorted(part["model"].dropna().unique())) or UNNAMED,
                    "b": UNNAMED,
                    "measure": CHOSEN,
                    "n_a": 0,
                    "n_b": 0,
                    "exploratory": False if planned else None,
                    **carried,
                    "note": joined(misnamed_note(len(part)), carried["note"]),
                }
            )
    return rows


def _told_apart(paired: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
    if paired.empty:
        return
    yield _asked(TOLD_APART_IN_PAIRS, TOLD_APART_IN_PAIRS, "real", ANY_FAKE, paired, plan)
    several = paired["dataset"].nunique(dropna=False) > 1
    for dataset, part in paired.groupby("dataset", dropna=False, sort=True):
        name = _on(TOLD_APART_IN_PAIRS, dataset)
        family = f"{TOLD_APART_IN_PAIRS} on"
        if several:
            yield _asked(family, name, "real", ANY_FAKE, part, plan)
        if part["model"].nunique() > 1:
            for model, own in part.groupby("model", sort=True):
                yield _asked(family, name, "real", str(model), own, plan)


def _preferred(pairs: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
    """Pairs of two models, whichever stands first in a trial."""
    for dataset, whole in pairs.groupby("dataset", dropna=False, sort=True):
        part = whole[~whole["misnamed"] & (whole["first"] != whole["second"])]
        note = misnamed_note(int(whole["misnamed"].sum()))
        models = sorted({*part["first"], *part["second"]})
        for (a, b), planned in planned_pairs(models, plan).items():
            forward = (part["first"] == a) & (part["second"] == b)
            both = part[forward | ((part["first"] == b) & (part["second"] == a))]
            if len(both):
                a_won = both["chose_a"].to_numpy(bool) == (both["first"] == a).to_numpy(bool)
                yield _asked(
                    PREFERRED,
                    _on(PREFERRED, dataset),
                    a,
                    b,
                    both.assign(chose_a=a_won),
                    plan,
                    planned=planned,
                    noninferior=(a, b) in plan.noninferior,
                    note=note,
                )


def _asked(
    family: str,
    comparison: str,
    a: str,
    b: str,
    part: pd.DataFrame,
    plan: AnalysisSettings,
    *,
    planned: bool = True,
    noninferior: bool = False,
    note: str = "",
) -> Asked:
    part = part.reset_index(drop=True)
    chosen = part["chose_a"].to_numpy(bool)
    question = choice_question(
        (comparison, a, b),
        chosen,
        pd.factorize(part["participant"])[0],
        pd.factorize(part["unit"])[0],
        group=pd.factorize(part["dataset"], use_na_sentinel=False)[0],
        link=plan.link,
        picture_is="item",
    )
    return Asked(
        family,
        comparison,
        a,
        b,
        CHOSEN,
        question,
        provenance_of(part),
        margin_factor=1.0,
        planned=planned,
        noninferior=noninferior,
        note=note,
        counts=(int(chosen.sum()), int(np.sum(~chosen))),
    )


def _on(comparison: str, dataset: object) -> str:
    return f"{comparison} on {dataset}" if isinstance(dataset, str) else comparison
