"""The table `effects`: single participants and single pictures by the crossed mixed model.

docs/statistics.md ("Single participants and pictures") explains it. At the estimates, the random effects given the
answers have the mode b = Λu and, by Laplace's approximation, the covariance ΛH⁻¹Λ' (`mixed.likelihood`). Both equal
those of lme4's `ranef(condVar = TRUE)`, which takes the fixed effects as known. An effect is smaller than the observed
deviation, and with fewer answers it is even smaller (shrinkage; Robinson 1991, Statistical Science 6, 15-32).

The variance of a prediction x'β + z'b includes the error of the fixed effects. The modes move with them, db/dβ =
-ΛH⁻¹M'WX, so the variance is z'ΛH⁻¹Λ'z + r'Vr with r = x + (db/dβ)'z and V the covariance of β.
"""

from collections.abc import Iterator
from itertools import chain, takewhile
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.stats.clustering import degrees_of_freedom, t_critical
from gan_eval.stats.compare.comparisons import NamedFits
from gan_eval.stats.compare.contrast import Question, population_proportions
from gan_eval.stats.compare.grades import GradeQuestion
from gan_eval.stats.compare.questions import PREFERRED, KindQuestion, kind_questions, pair_questions
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed import CrossedFit
from gan_eval.stats.mixed.information import Factor
from gan_eval.stats.mixed.likelihood import Crossed, Laplace, plural
from gan_eval.stats.trials import answered_trials, pair_trials
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import (
    DATASET,
    KINDS,
    MODEL,
    PROVENANCE,
    SHARE,
    Table,
    integer,
    name_text,
    number,
    text,
    with_interval,
)

EFFECTS = Table(
    "effects",
    "Single participants and pictures by the crossed mixed model of a comparison, with shrinkage.",
    (
        text("scope", "what the row is about", words=("participant", "stimulus"), filled=True),
        name_text("id", "the participant's pseudonym, or the stimulus; of pairs the item", filled=True),
        MODEL,
        DATASET,
        text("kind", "of the pictures that were judged; empty: both, or pairs", words=KINDS),
        text(
            "measure",
            "accuracy: balanced; of pairs, share correct",
            words=("called_fake", "accuracy"),
            filled=True,
        ),
        integer("n", "answers behind the row", filled=True),
        number("observed", "the observed share", unit=SHARE),
        *with_interval("estimate", "the share by the model, over many pictures or many participants", unit=SHARE),
        number("effect", "conditional mode on the link's scale, as lme4's `ranef`; empty: the row combines two"),
        number("effect_sd", "its conditional standard deviation"),
        text("formula", "the model", filled=True),
        text("link", "its link", words=("logit", "probit"), filled=True),
        *PROVENANCE,
    ),
    key=("scope", "id", "model", "dataset", "kind", "measure", "formula"),
)


def effects(trials: pd.DataFrame, fitted: NamedFits, *, plan: AnalysisSettings = NO_PLAN) -> pd.DataFrame:
    """Return the table `effects` of a trials table.

    A participant has a row for the model's pictures, one for the real pictures and one for balanced accuracy. A picture
    has one row. In pairs of a real and a generated picture, each participant and each item has one row. A comparison
    without a crossed model has no rows.

    Args:
        fitted: the models of the same trials, as filled by `comparisons`.
    """
    parts: dict[tuple[object, ...], pd.DataFrame] = {}
    of_pairs = takewhile(lambda asked: asked.family != PREFERRED, pair_questions(pair_trials(trials), plan))
    for asked in chain(kind_questions(answered_trials(trials)), of_pairs) if fitted else ():
        question, fit = asked.question, fitted.get(asked.names)
        if fit is None or isinstance(question, GradeQuestion) or len(question.rows) > 1:
            continue
        if isinstance(question, KindQuestion):
            key = ("single", *question.rows[0][:2])
            rows = _of_kinds(asked.trials, fit, plan)
            formula = f"called_fake ~ kind + ({'1 + kind' if plan.slope else '1'}|participant) + (1|stimulus)"
        else:
            key = ("pairs", *asked.trials[["model", "dataset"]].iloc[0])
            rows = _of_pairs(question, asked.trials, fit)
            formula = "right ~ 1 + (1|participant) + (1|item)"
        if key in parts:
            continue
        shared = {"model": key[1], "dataset": key[2], "formula": formula, "link": plan.link}
        frame = pd.concat(list(rows), ignore_index=True).assign(**shared)
        cells = provenance_cells(asked.trials)
        notes = [joined(own if isinstance(own, str) else None, cells["note"]) for own in frame["note"]]
        parts[key] = frame.assign(**(cells | {"note": notes}))
    table = pd.concat(parts.values(), ignore_index=True) if parts else pd.DataFrame()
    return conform(table.reindex(columns=list(EFFECTS.names)), EFFECTS, where="effects")


class Modes(NamedTuple):
    """Random effects of the levels of one factor on the link's scale: intercepts, then any slopes."""

    mode: np.ndarray
    """(width, levels)"""
    covariance: np.ndarray
    """(width, width, levels) for known fixed effects."""
    by_fixed: np.ndarray
    """(width, levels, K) derivatives of the modes by the fixed effects."""

    def variance(
        self, weight: np.ndarray, row: np.ndarray | None = None, fixed: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the variance (levels,) of a weighted sum of effects, plus fixed effects if these are given.

        Args:
            weight: (width,) or (width, levels) weights of the effects.
            row: (K,) or (levels, K) weights of the fixed effects.
            fixed: (K, K) covariance of the fixed effects.
        """
        weight = np.broadcast_to(weight.reshape(len(self.mode), -1), self.mode.shape)
        variance = np.einsum("an,abn,bn->n", weight, self.covariance, weight)
        if row is not None and fixed is not None:
            moved = row + np.einsum("an,ank->nk", weight, self.by_fixed)
            variance = variance + np.einsum("nk,kl,nl->n", moved, fixed, moved)
        return np.maximum(variance, 0.0)


def conditional_modes(
    fit: CrossedFit,
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    link: str = "logit",
    slope: np.ndarray | None = None,
) -> tuple[Modes, Modes]:
    """Return the effects of the levels of `first` and of `second`, without a new fit.

    Args:
        fit: the estimates of `fit_crossed` for the other arguments, which are described there.
    """
    unit = fit.units[0]
    data = Crossed.of(y, X, first, second, link=link, slopes=(slope, None))
    laplace = Laplace(data)
    laplace.value_and_gradient(np.concatenate([fit.scales, fit.beta]))
    assert laplace.factor is not None
    scales, weight, factor = data.scales(fit.scales), laplace.terms.weight, laplace.factor
    if weight is not laplace.terms.observed:
        factor = Factor(data.layout, scales, weight)
    pulled = np.array([factor.solve(data.onto_effects(scales, weight * column)) for column in data.X.T])
    turn = np.array([[1.0, -unit.centre / unit.size], [0.0, 1 / unit.size]])  # to the covariate as it was given
    found = []
    of_columns = zip(*(data.layout.split(column) for column in pulled), strict=True)
    levels = zip(scales, data.layout.split(laplace.mode), factor.inverse_blocks()[0], of_columns, strict=True)
    for root, spherical, inverse, by_column in levels:
        turned = turn[: len(root), : len(root)] @ root
        covariance = np.einsum("ap,pqn,bq->abn", turned, inverse, turned)
        found.append(Modes(turned @ spherical, covariance, -np.einsum("ap,kpn->ank", turned, np.array(by_column))))
    return found[0], found[1]


def _of_kinds(trials: pd.DataFrame, fit: CrossedFit, settings: AnalysisSettings) -> Iterator[pd.DataFrame]:
    """Yield the rows of participants and of pictures, for single pictures called real or fake."""
    is_fake, says_fake = (trials[name].to_numpy(bool) for name in ("is_fake", "says_fake"))
    participant, people = pd.factorize(trials["participant"])
    picture, pictures = pd.factorize(trials["stimulus"])
    cell, kinds = pd.factorize(is_fake)
    slope = np.where(is_fake, 0.5, -0.5) if settings.slope else None
    of_people, of_pictures = conditional_modes(
        fit, says_fake, np.eye(2)[cell], participant, picture, link=settings.link, slope=slope
    )
    critical = float(t_critical(degrees_of_freedom(participant, picture, side=is_fake)))
    of_kinds, slopes = {}, {}
    for place, fake in enumerate(kinds):
        own, at = is_fake == fake, 0.5 if fake else -0.5
        between_people = np.sqrt(max(float(fit.random_variance(np.array([at]))[0][0]) - fit.second.sd**2, 0.0))
        fixed = np.eye(2)[place]
        for scope, names, level, modes, other_sd in (
            ("participant", people, participant, of_people, fit.second.sd),
            ("stimulus", pictures, picture, of_pictures, between_people),
        ):
            rows = _rows(scope, names, level[own], says_fake[own])
            rows = _estimated(rows, modes, fit, fixed, other_sd, critical, settings.link, slope=at)
            yield rows[rows["n"] > 0].assign(kind="fake" if fake else "real", measure="called_fake")
            if scope == "participant":
                eta = fixed @ fit.beta + rows["effect"].to_numpy()
                of_kinds[fake] = rows
                slopes[fake] = population_proportions(eta, np.full(len(eta), other_sd), link=settings.link).by_eta
    if settings.slope:  # without it people differ in bias only
        fakes, reals = of_kinds[True], of_kinds[False]
        weight = np.stack([(slopes[True] - slopes[False]) / 2, (slopes[True] + slopes[False]) / 4])
        row = np.stack([slopes[fake] * (0.5 if fake else -0.5) for fake in kinds], axis=1)
        observed, accuracy = (((1 + fakes[name] - reals[name]) / 2).to_numpy() for name in ("observed", "estimate"))
        z = ndtri(accuracy)
        error = np.sqrt(of_people.variance(weight, row, fit.covariance[:2, :2])) * np.sqrt(2 * np.pi) * np.exp(z**2 / 2)
        reach = (np.nan if fakes["note"].notna().any() else critical) * error
        rows = fakes[["scope", "id", "note"]].assign(n=fakes["n"] + reals["n"], observed=observed, measure="accuracy")
        rows = rows.assign(estimate=accuracy, estimate_low=ndtr(z - reach), estimate_high=ndtr(z + reach))
        yield rows[(fakes["n"] > 0) & (reals["n"] > 0)]


def _of_pairs(question: Question, trials: pd.DataFrame, fit: CrossedFit) -> Iterator[pd.DataFrame]:
    """Yield the rows of participants and of items, for pairs of a real and a generated picture."""
    units, fixed = (question.participant, question.picture), np.ones(1)
    modes = conditional_modes(fit, question.answer, np.ones((len(trials), 1)), *units, link=question.link)
    names = (("participant", "participant"), ("stimulus", "unit"))
    critical = float(t_critical(degrees_of_freedom(*units)))
    for (scope, column), level, own, other in zip(names, units, modes, (fit.second, fit.first), strict=True):
        rows = _rows(scope, pd.factorize(trials[column])[1], level, question.answer)
        yield _estimated(rows, own, fit, fixed, other.sd, critical, question.link).assign(measure="accuracy")


def _rows(scope: str, names: pd.Index, level: np.ndarray, yes: np.ndarray) -> pd.DataFrame:
    n = np.bincount(level, minlength=len(names))
    observed = np.divide(np.bincount(level, yes, len(names)), n, out=np.full(len(n), np.nan), where=n > 0)
    return pd.DataFrame({"scope": scope, "id": names.astype("str"), "n": n, "observed": observed})


def _estimated(
    rows: pd.DataFrame,
    modes: Modes,
    fit: CrossedFit,
    fixed: np.ndarray,
    other_sd: float,
    critical: float,
    link: str,
    *,
    slope: float = 0.0,
) -> pd.DataFrame:
    """Return the rows with the effects of the levels and their shares, averaged over the other factor."""
    count = len(fixed)
    weight = np.array([1.0, slope])[: len(modes.mode)]
    effect, sd = weight @ modes.mode, np.sqrt(modes.variance(weight))
    error = np.sqrt(modes.variance(weight, fixed, fit.covariance[:count, :count]))
    levels = plural(fit.factors[rows["scope"].iloc[0] == "stimulus"])
    trouble = joined(*(reason for reason in fit.at_boundary if levels in reason))
    reach = (np.nan if trouble else critical) * error
    eta, spread = fixed @ fit.beta + effect, np.full(len(effect), other_sd)
    ends = {"estimate": eta, "estimate_low": eta - reach, "estimate_high": eta + reach}
    shares = {name: population_proportions(end, spread, link=link).share for name, end in ends.items()}
    note = f"no interval, it would be too narrow: {trouble}" if trouble else None
    return rows.assign(**shares, effect=effect, effect_sd=sd, note=note)
