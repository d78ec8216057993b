"""What is compared in a study: fakes with reals, reals with fakes, model with model.

What is asked of pairs: is the real picture chosen more often than by guessing, is one model preferred to another?
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.contrast import Question, choice_question
from gan_eval.stats.groups import REAL, UNNAMED, carried_by, contestants, groups, joined, misnamed_note, provenance
from gan_eval.tabular import Row

TOLD_APART = "told apart"
REAL_VS_FAKE = "real vs fake"
MODELS = "models"
MOST_PAIRS = 60
"""Of models on one data set that are fitted by the crossed model."""
SHARED = 0.8
"""Models share items where this share of a pair's trials shows an item that both models made a picture of."""


@dataclass(frozen=True)
class Asked:
    """A question, and how the table names it."""

    family: str
    comparison: str
    a: str
    b: str
    measure: str
    question: Question
    carried: pd.Series
    """simulated, fraction and note of its trials."""
    margin_factor: float | None = None
    """The difference may be this many margins; None: equivalence is not judged."""
    planned: bool = True
    noninferior: bool = False
    note: str = ""
    why_not: str = ""
    """A reason not to fit the crossed model."""
    counts: tuple[int, int] | None = None
    """Of pairs: how often a and how often b was chosen; None: the trials of a and of b."""


def require_known_models(plan: AnalysisSettings, trials: pd.DataFrame) -> None:
    """
    Raises:
        UserError: the plan compares a model that the trials, if they have models at all, do not know.
    """
    known = sorted({name for cell in trials["model"].dropna().unique() for name in str(cell).split("|")})
    for setting in ("comparisons", "noninferior"):
        for name in (name for pair in getattr(plan, setting) or () for name in pair):
            if known and name not in known:
                raise UserError(f"analysis.{setting}: no model {name!r} in the trials; they have {', '.join(known)}")


def kind_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
    """Told apart, and real vs fake over all and for each data set. Every data set has probabilities of its own."""
    named = answered.assign(dataset=answered["dataset"].fillna(""))
    both = named[named.groupby("dataset")["is_fake"].transform("nunique") == 2]
    if len(both):
        left_out = "data sets with one kind of picture left out" if len(both) < len(named) else ""
        yield _told_apart(both.reset_index(drop=True), plan, note=left_out)
    names = sorted(named["dataset"].unique())
    for name in names if len(names) == 1 else [None, *filter(None, names)]:
        part = named if name is None else named[named["dataset"] == name].reset_index(drop=True)
        if part["is_fake"].nunique() == 2:
            yield _real_vs_fake(f"{name} " if name else "", part, plan)


def model_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
    """Model against model on each data set."""
    fakes = answered[answered["is_fake"] & answered["model"].notna()]
    for dataset, part in fakes.groupby("dataset", dropna=False, sort=True):
        name = MODELS if pd.isna(dataset) else f"{MODELS} on {dataset!s}"
        pairs = planned_pairs(sorted(part["model"].unique()), plan)
        many = f"{len(pairs)} pairs of models" if len(pairs) > MOST_PAIRS else ""
        for (a, b), planned in pairs.items():
            pair = part[part["model"].isin([a, b])].reset_index(drop=True)
            yield _model_vs_model(name, a, b, pair, plan, planned=planned, why_not=many)


def planned_pairs(models: list[str], plan: AnalysisSettings) -> dict[tuple[str, str], bool]:
    """All pairs of models, each as the plan writes it, and whether it is planned."""
    written = [pair for pair in (*plan.noninferior, *(plan.comparisons or ())) if set(pair) <= set(models)]
    pairs = {}
    for pair in combinations(models, 2):
        chosen = next((found for found in written if set(found) == set(pair)), None)
        pairs[chosen or pair] = chosen is not None or plan.comparisons is None
    return pairs | dict.fromkeys((pair for pair in plan.noninferior if pair in written), True)


def _told_apart(both: pd.DataFrame, plan: AnalysisSettings, *, note: str) -> Asked:
    """Each data set counts among the fakes as much as among the reals: else people who lean to `fake` on the data set
    with many fakes, and to `real` on that with many reals, would look as if they could tell."""
    of_dataset, of_kind, of_cell = (
        both.groupby(by)["stimulus"].transform("size") for by in ("dataset", "is_fake", ["dataset", "is_fake"])
    )
    weight = (of_dataset * of_kind / (len(both) * of_cell)).to_numpy(float)
    is_fake = both["is_fake"].to_numpy(bool)
    question = _kind_question(
        both, is_fake, both["says_fake"], weight=weight, share=of_dataset / len(both), signs=(1.0, -1.0), plan=plan
    )
    return Asked(
        TOLD_APART,
        TOLD_APART,
        "fake",
        "real",
        "called_fake",
        question,
        provenance_of(both),
        margin_factor=2.0,
        note=note,
    )


def _real_vs_fake(prefix: str, part: pd.DataFrame, plan: AnalysisSettings) -> Asked:
    """1 - P(fake | real) - P(fake | fake)."""
    of_kind, of_cell = (part.groupby(by)["stimulus"].transform("size") for by in ("is_fake", ["dataset", "is_fake"]))
    is_real = ~part["is_fake"].to_numpy(bool)
    question = _kind_question(
        part, is_real, part["correct"], share=of_cell / of_kind, signs=(-1.0, -1.0), constant=1.0, plan=plan
    )
    return Asked(
        REAL_VS_FAKE, REAL_VS_FAKE, f"{prefix}real", f"{prefix}fake", "accuracy", question, provenance_of(part)
    )  # fmt: skip


def _kind_question(
    part: pd.DataFrame,
    in_a: np.ndarray,
    success: pd.Series,
    *,
    share: pd.Series,
    signs: tuple[float, float],
    plan: AnalysisSettings,
    constant: float = 0.0,
    weight: np.ndarray | None = None,
) -> Question:
    """`share` is what a trial's data set counts among its kind; `signs` are those of fakes and of reals."""
    cell, _ = pd.factorize(pd.MultiIndex.from_arrays([part["dataset"], part["is_fake"]]))
    _, at = np.unique(cell, return_index=True)
    is_fake = part["is_fake"].to_numpy(bool)
    return Question(
        key=("kinds", *part["dataset"].unique()),
        answer=part["says_fake"].to_numpy(bool),
        success=success.to_numpy(bool),
        in_a=in_a,
        participant=pd.factorize(part["participant"])[0],
        picture=pd.factorize(part["stimulus"])[0],
        cell=cell,
        cell_weights=share.to_numpy(float)[at] * np.where(is_fake[at], *signs),
        constant=constant,
        slope=np.where(is_fake, 0.5, -0.5) if plan.slope else None,
        weight=weight,
        link=plan.link,
    )


def _model_vs_model(
    comparison: str, a: str, b: str, pair: pd.DataFrame, plan: AnalysisSettings, *, planned: bool, why_not: str
) -> Asked:
    in_a = (pair["model"] == a).to_numpy(bool)
    fooled = ~pair["says_fake"].to_numpy(bool)
    shared = _share_items(pair)
    question = Question(
        key=("models", comparison, a, b),
        answer=fooled,
        success=fooled,
        in_a=in_a,
        participant=pd.factorize(pair["participant"])[0],
        picture=pd.factorize(pair["item"] if shared else pair["stimulus"])[0],
        cell=np.where(in_a, 0, 1),
        cell_weights=np.array([1.0, -1.0]),
        slope=np.where(in_a, 0.5, -0.5) if shared else None,
        slope_of="picture",
        picture_is="item" if shared else "stimulus",
        link=plan.link,
    )
    return Asked(
        MODELS,
        comparison,
        a,
        b,
        "fooling_rate",
        question,
        provenance_of(pair),
        margin_factor=1.0,
        planned=planned,
        noninferior=(a, b) in plan.noninferior,
        why_not=why_not,
    )


def _share_items(pair: pd.DataFrame) -> bool:
    """Whether nearly all trials show an item that was judged in both models' versions."""
    if pair["item"].isna().any():
        return False
    return bool((pair.groupby("item")["model"].transform("nunique") == 2).mean() >= SHARED)


def provenance_of(part: pd.DataFrame) -> pd.Series:
    """simulated, fraction and note of all these trials."""
    return provenance(part, groups(part, "all")).iloc[0]


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
    yield from _pairs_told_apart(answered[of_reals], plan)
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


def _pairs_told_apart(paired: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Asked]:
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
