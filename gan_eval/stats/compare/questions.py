"""Questions of a study: fakes against reals, model against model, choices between two pictures against chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.contrast import Question
from gan_eval.stats.compare.differences import HALF
from gan_eval.stats.groups import REAL, contestants, groups
from gan_eval.stats.trials import pictures

TOLD_APART = "told apart"
REAL_VS_FAKE = "real vs fake"
MODELS = "models"
MOST_PAIRS = 60
"""Number of pairs of models on one data set up to which the crossed model is fitted."""
SHARED = 0.8
"""Minimum share of a pair of models' trials with an item of both models; below it the models do not share items."""
TOLD_APART_IN_PAIRS = "told apart in pairs"
PREFERRED = "preferred"
CHOSEN = "chosen"
"""The measure: share of choices."""
ANY_FAKE = "fake"
"""Name of b where fakes of all models count together."""


@dataclass(frozen=True)
class Comparison:
    """A question, and how the table `comparisons` names it."""

    family: str
    """p values are corrected within a family."""
    comparison: str
    a: str
    b: str
    measure: str
    question: Question
    trials: pd.DataFrame
    """Trials behind the question."""
    margin_factor: float | None = None
    """The difference may be this many margins; None: equivalence is not judged."""
    planned: bool = True
    noninferior: bool = False
    note: str = ""
    why_not: str = ""
    """A reason not to fit the crossed model."""
    counts: tuple[int, int] | None = None
    """Number of choices of a and of b in pairs; None: the trials of a and of b."""

    @property
    def names(self) -> tuple[str, str, str]:
        """Its comparison, a and b."""
        return self.comparison, self.a, self.b


def require_known_models(plan: AnalysisSettings, trials: pd.DataFrame) -> None:
    """Check the models that a plan names.

    Raises:
        UserError: the plan compares a model that the trials, if they have models at all, do not know.
    """
    known = sorted({name for cell in trials["model"].dropna().unique() for name in str(cell).split("|")})
    for setting in ("comparisons", "noninferior"):
        for name in (name for pair in getattr(plan, setting) or () for name in pair):
            if known and name not in known:
                raise UserError(f"analysis.{setting}: no model {name!r} in the trials; they have {', '.join(known)}")


def kind_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Yield detection over all, on each data set and for each model on each data set, and real vs fake over all and for
    each data set. Each data set has its own probabilities.

    `told apart` is P(called fake | fake) - P(called fake | real): twice the balanced accuracy less one, and 0 for
    anyone who answers without regard to the picture. Each data set counts among the fakes as much as among the reals:
    else people who lean to `fake` on the data set with many fakes, and to `real` on that with many reals, would look
    sensitive. A model's fakes are held against the reals of the data set in the sessions that showed any of them.
    `real vs fake`, accuracy on reals minus accuracy on fakes, is 1 - P(fake | real) - P(fake | fake).
    """
    named = answered.assign(dataset=answered["dataset"].astype("str").fillna("").astype("category"))
    both = named[named.groupby("dataset")["is_fake"].transform("nunique") == 2]
    if len(both):
        note = "data sets with one kind of picture left out" if len(both) < len(named) else ""
        yield _told_apart(TOLD_APART, TOLD_APART, "fake", both, plan, note=note)
    names = sorted(named["dataset"].unique())
    for name, part in both.groupby("dataset", sort=True):
        if name:
            yield _told_apart(f"{TOLD_APART} on", _on(TOLD_APART, name), "fake", part, plan)
    of_models = [
        (str(model), str(name), part.iloc[np.sort(grouped.row[grouped.group == place])])
        for name, part in both.groupby("dataset", sort=True)
        if name
        for grouped in [groups(part, "model")]
        for place, model in enumerate(grouped.ids)
    ]
    why_not = f"{len(of_models)} models" if len(of_models) > MOST_PAIRS else ""
    for model, name, part in of_models:
        if part["is_fake"].nunique() == 2:
            yield _told_apart(
                f"MODEL {TOLD_APART}", f"{model} {_on(TOLD_APART, name)}", model, part, plan, why_not=why_not
            )
    for name in names if len(names) == 1 else [None, *filter(None, names)]:
        part = named if name is None else named[named["dataset"] == name].reset_index(drop=True)
        if part["is_fake"].nunique() != 2:
            continue
        of_kind, of_cell = (
            part.groupby(by)["stimulus"].transform("size") for by in ("is_fake", ["dataset", "is_fake"])
        )
        is_real = ~part["is_fake"].to_numpy(bool)
        question = _kind_question(
            part,
            is_real,
            part["correct"],
            proportion=of_cell / of_kind,
            signs=(-1.0, -1.0),
            constant=1.0,
            plan=plan,
        )
        prefix = f"{name} " if name else ""
        yield Comparison(REAL_VS_FAKE, REAL_VS_FAKE, f"{prefix}real", f"{prefix}fake", "accuracy", question, part)


def _told_apart(
    family: str,
    comparison: str,
    a: str,
    both: pd.DataFrame,
    plan: AnalysisSettings,
    *,
    note: str = "",
    why_not: str = "",
) -> Comparison:
    """P(called fake | fake) - P(called fake | real) of data sets that have both kinds."""
    both = both.reset_index(drop=True)
    of_dataset, of_kind, of_cell = (
        both.groupby(by)["stimulus"].transform("size") for by in ("dataset", "is_fake", ["dataset", "is_fake"])
    )
    question = _kind_question(
        both,
        both["is_fake"].to_numpy(bool),
        both["says_fake"],
        proportion=of_dataset / len(both),
        signs=(1.0, -1.0),
        weight=(of_dataset * of_kind / (len(both) * of_cell)).to_numpy(float),
        plan=plan,
    )
    return Comparison(
        family, comparison, a, REAL, "called_fake", question, both, margin_factor=2.0, note=note, why_not=why_not
    )  # fmt: skip


def _kind_question(
    part: pd.DataFrame,
    in_a: np.ndarray,
    success: pd.Series,
    *,
    proportion: pd.Series,
    signs: tuple[float, float],
    plan: AnalysisSettings,
    constant: float = 0.0,
    weight: np.ndarray | None = None,
) -> Question:
    """`proportion` is what a trial's data set counts among its kind; `signs` are those of fakes and of reals."""
    is_fake = part["is_fake"].to_numpy(bool)
    cell, _ = pd.factorize(2 * pd.factorize(part["dataset"])[0] + is_fake)
    _, at = np.unique(cell, return_index=True)
    return Question(
        key=("kinds", *part["dataset"].unique(), *part["model"].dropna().unique(), len(part)),
        answer=part["says_fake"].to_numpy(bool),
        success=success.to_numpy(bool),
        in_a=in_a,
        participant=pd.factorize(part["participant"])[0],
        picture=pd.factorize(part["stimulus"])[0],
        cell=cell,
        cell_weights=proportion.to_numpy(float)[at] * np.where(is_fake[at], *signs),
        constant=constant,
        slope=np.where(is_fake, 0.5, -0.5) if plan.slope else None,
        weight=weight,
        link=plan.link,
    )


def model_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Model against model on each data set, by fooling rates.

    People differ in how they see the models, so there is a slope by participant wherever some judged both. Where nearly
    all trials show an item that was judged in both models' versions, the model's second factor is the item, with a
    slope, in place of the stimulus.
    """
    fakes = answered[answered["is_fake"] & answered["model"].notna()]
    for dataset, part in fakes.groupby("dataset", dropna=False, sort=True):
        comparison = MODELS if pd.isna(dataset) else f"{MODELS} on {dataset!s}"
        pairs = planned_pairs(sorted(part["model"].unique()), plan)
        for (a, b), planned in pairs.items():
            trials = part[part["model"].isin([a, b])].reset_index(drop=True)
            in_a = (trials["model"] == a).to_numpy(bool)
            fooled = ~trials["says_fake"].to_numpy(bool)
            shared = shares_items(trials)
            slope_of: list[Literal["participant", "picture"]] = ["picture"] if shared else []
            if (trials.groupby("participant")["model"].nunique() == 2).sum() > 1:
                slope_of.append("participant")
            question = Question(
                key=("models", comparison, a, b),
                answer=fooled,
                success=fooled,
                in_a=in_a,
                participant=pd.factorize(trials["participant"])[0],
                picture=pd.factorize(trials["item"] if shared else trials["stimulus"])[0],
                cell=np.where(in_a, 0, 1),
                cell_weights=np.array([1.0, -1.0]),
                slope=np.where(in_a, 0.5, -0.5),
                slope_of=slope_of,
                picture_is="item" if shared else "stimulus",
                link=plan.link,
            )
            yield Comparison(
                MODELS,
                comparison,
                a,
                b,
                "fooling_rate",
                question,
                trials,
                margin_factor=1.0,
                planned=planned,
                noninferior=(a, b) in plan.noninferior,
                why_not=f"{len(pairs)} pairs of models" if len(pairs) > MOST_PAIRS else "",
            )


def shares_items(trials: pd.DataFrame) -> bool:
    """Return whether nearly all trials of two models show an item that was judged in both models' versions."""
    of_both = trials.groupby("item")["model"].transform("nunique") == 2
    return bool(trials["item"].notna().all() and of_both.mean() >= SHARED)


def planned_pairs(models: list[str], plan: AnalysisSettings) -> dict[tuple[str, str], bool]:
    """All pairs of models, each as the plan writes it, and whether it is planned."""
    written = {frozenset(pair): pair for pair in reversed((*plan.noninferior, *(plan.comparisons or ())))}
    pairs = {}
    for pair in combinations(models, 2):
        as_written = written.get(frozenset(pair))
        pairs[as_written or pair] = as_written is not None or plan.comparisons is None
    return pairs | dict.fromkeys((pair for pair in plan.noninferior if set(pair) <= set(models)), True)


def pair_questions(pairs: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Each share of choices less one half, by chosen ~ 1 + (1 | participant) + (1 | item).

    Real and fake (a is the real picture, `b` the fakes): `told apart in pairs` over everything; `told apart in pairs
    on DATASET` with b = `fake` for each of several data sets and with b = MODEL for each of a data set's several
    models. Data sets have probabilities of their own and count by their answers.
    Two models: `preferred on DATASET` for each two models, a and b as the plan writes them, else in the order
    of their names.

    Args:
        pairs: as `gan_eval.stats.trials.pair_trials` returns them; those without an answer are left out.
        plan: pairs of models, link, margin.
    """
    answered = pairs[pairs["answered"].to_numpy(bool)]
    names = contestants(answered)
    answered = answered.assign(
        first=names.a,
        second=names.b,
        chose_a=(answered["choice"] == "a").to_numpy(bool),
        unit=pictures(answered),
    )
    of_reals = names.a == REAL
    paired = answered[of_reals]
    if len(paired):
        yield _choice(TOLD_APART_IN_PAIRS, TOLD_APART_IN_PAIRS, "real", ANY_FAKE, paired, plan)
    several = paired["dataset"].nunique(dropna=False) > 1
    for dataset, part in paired.groupby("dataset", dropna=False, sort=True):
        family, comparison = f"{TOLD_APART_IN_PAIRS} on", _on(TOLD_APART_IN_PAIRS, dataset)
        if several and isinstance(dataset, str):
            yield _choice(family, comparison, "real", ANY_FAKE, part, plan)
        if part["model"].nunique() > 1:
            for model, own in part.groupby("model", sort=True):
                yield _choice(family, comparison, "real", str(model), own, plan)
    for dataset, part in answered[~of_reals].groupby("dataset", dropna=False, sort=True):
        named = part[part["first"] != part["second"]]
        for (a, b), planned in planned_pairs(sorted({*named["first"], *named["second"]}), plan).items():
            forward = (named["first"] == a) & (named["second"] == b)
            both = named[forward | ((named["first"] == b) & (named["second"] == a))]
            if len(both):  # in either order of the two pictures
                both = both.assign(chose_a=both["chose_a"].to_numpy(bool) == (both["first"] == a).to_numpy(bool))
                comparison = _on(PREFERRED, dataset)
                yield _choice(PREFERRED, comparison, a, b, both, plan, planned=planned)


def _choice(
    family: str,
    comparison: str,
    a: str,
    b: str,
    part: pd.DataFrame,
    plan: AnalysisSettings,
    *,
    planned: bool = True,
) -> Comparison:
    """The share of trials in which a was chosen, less one half; data sets count by their trials."""
    part = part.reset_index(drop=True)
    chosen = part["chose_a"].to_numpy(bool)
    cell = pd.factorize(part["dataset"], use_na_sentinel=False)[0]
    question = Question(
        key=(comparison, a, b),
        answer=chosen,
        success=chosen,
        in_a=np.ones(len(part), bool),
        participant=pd.factorize(part["participant"])[0],
        picture=pd.factorize(part["unit"])[0],
        cell=cell,
        cell_weights=np.bincount(cell) / len(cell),
        constant=-HALF,
        picture_is="item",
        link=plan.link,
    )
    return Comparison(
        family,
        comparison,
        a,
        b,
        CHOSEN,
        question,
        part,
        margin_factor=1.0,
        planned=planned,
        noninferior=family == PREFERRED and (a, b) in plan.noninferior,
        counts=(int(chosen.sum()), int(np.sum(~chosen))),
    )


def _on(comparison: str, dataset: object) -> str:
    return f"{comparison} on {dataset}" if isinstance(dataset, str) else comparison
