"""The table `effects`: what the crossed mixed model says of single participants and of single pictures.

The models are those behind the comparisons `told apart` of one model on one data set; none is fitted for this table.
Estimates are shrunken towards the mean of all (`mixed.modes`), so that a picture with few answers is not extreme by
chance. They are given as shares that a reader can hold against the observed ones: that of a participant is averaged
over the population of pictures, that of a picture over the population of participants (`compare.contrast`). Intervals
have Student's t, as those of the comparison, and take the spreads as known. In simulated studies of 12 and of 30 people
93 to 98 % of them held the truth, but 4 in 5 where a spread or correlation is estimated at an end of its range: such
rows have no interval.
"""

from collections.abc import Iterator
from itertools import chain, takewhile

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import freedom, t_critical
from gan_eval.stats.compare.comparisons import NamedFits
from gan_eval.stats.compare.contrast import Question, population_proportions
from gan_eval.stats.compare.questions import PREFERRED, kind_questions, pair_questions
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed import CrossedFit
from gan_eval.stats.mixed.likelihood import plural
from gan_eval.stats.mixed.modes import Modes, conditional_modes
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
    with_ends,
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
        text("measure", "accuracy: balanced; of pairs share right", words=("called_fake", "accuracy"), filled=True),
        integer("n", "answers behind the row", filled=True),
        number("observed", "the observed share", unit=SHARE),
        *with_ends("estimate", "the share by the model, over many pictures or many participants", unit=SHARE),
        number("effect", "conditional mode on the link's scale, as lme4's `ranef`; empty: the row rests on two"),
        number("effect_sd", "its conditional standard deviation"),
        text("formula", "the model", filled=True),
        text("link", "its link", words=("logit", "probit"), filled=True),
        *PROVENANCE,
    ),
    key=("scope", "id", "model", "dataset", "kind", "measure", "formula"),
)


def effects(trials: pd.DataFrame, fitted: NamedFits, *, plan: AnalysisSettings | None = None) -> pd.DataFrame:
    """Return the table `effects` of a trials table.

    A participant has a row for the model's pictures, one for the real pictures and one for balanced accuracy; a picture
    has one row. Of pairs of a real and a generated picture each participant and each item has one row. There are no
    rows where a comparison has no crossed model.

    Args:
        fitted: the models, as `comparisons` has filled it from the same trials.
    """
    settings = plan or AnalysisSettings()
    parts: dict[tuple[object, ...], pd.DataFrame] = {}
    of_pairs = takewhile(lambda of: of.family != PREFERRED, pair_questions(pair_trials(trials), settings))
    for of in chain(kind_questions(answered_trials(trials)), of_pairs):
        fit = fitted.get(of.names)
        if fit is None:
            continue
        if isinstance(of.question, Question):
            if len(of.trials[["model", "dataset"]].drop_duplicates()) > 1:
                continue
            key = ("pairs", of.trials["model"].iloc[0], of.trials["dataset"].iloc[0])
            rows = _of_pairs(of.question, of.trials, fit)
            formula = "right ~ 1 + (1|participant) + (1|item)"
        else:
            if of.question.is_bias or len(of.question.rows) > 1:
                continue
            (row,) = of.question.rows
            key = ("single", row.model, row.dataset)
            if key in parts:
                continue
            rows = _of_kinds(of.trials, fit, settings)
            formula = f"called_fake ~ kind + ({'1 + kind' if settings.slope else '1'}|participant) + (1|stimulus)"
        shared = {"model": key[1], "dataset": key[2], "formula": formula, "link": settings.link}
        frame = pd.concat(list(rows), ignore_index=True).assign(**shared)
        cells = provenance_cells(of.trials)
        notes = [joined(own if isinstance(own, str) else None, cells["note"]) for own in frame["note"]]
        parts.setdefault(key, frame.assign(**(cells | {"note": notes})))
    table = pd.concat(parts.values(), ignore_index=True) if parts else pd.DataFrame()
    return conform(table.reindex(columns=list(EFFECTS.names)), EFFECTS, where="effects")


def _of_kinds(trials: pd.DataFrame, fit: CrossedFit, settings: AnalysisSettings) -> Iterator[pd.DataFrame]:
    """Yield the rows of participants and of pictures of single pictures called real or fake."""
    is_fake, says_fake = (trials[name].to_numpy(bool) for name in ("is_fake", "says_fake"))
    participant, people = pd.factorize(trials["participant"])
    picture, pictures = pd.factorize(trials["stimulus"])
    cell, kinds = pd.factorize(is_fake)
    slope = np.where(is_fake, 0.5, -0.5) if settings.slope else None
    of_people, of_pictures = conditional_modes(
        fit, says_fake, np.eye(2)[cell], participant, picture, link=settings.link, slope=slope
    )
    critical = float(t_critical(freedom(participant, picture, side=is_fake)))
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
    if settings.slope:  # without it people differ in bias alone
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
    """Yield the rows of participants and of items of pairs of a real and a generated picture."""
    units, fixed = (question.participant, question.picture), np.ones(1)
    modes = conditional_modes(fit, question.answer, np.ones((len(trials), 1)), *units, link=question.link)
    names, critical = (("participant", "participant"), ("stimulus", "unit")), float(t_critical(freedom(*units)))
    for (scope, column), level, own, other in zip(names, units, modes, (fit.second, fit.first), strict=True):
        rows = _rows(scope, pd.factorize(trials[column])[1], level, question.success)
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
    """Return the rows with the effects of the levels and the shares that follow, averaged over the other factor."""
    effect, sd = modes.at(slope)
    count = len(fixed)
    weight = np.array([1.0, slope])[: len(modes.mode)]
    error = np.sqrt(modes.variance(weight, fixed, fit.covariance[:count, :count]))
    levels = plural(fit.factors[rows["scope"].iloc[0] == "stimulus"])
    trouble = joined(*(reason for reason in fit.at_boundary if levels in reason))
    reach = (np.nan if trouble else critical) * error
    eta, spread = fixed @ fit.beta + effect, np.full(len(effect), other_sd)
    ends = {"estimate": eta, "estimate_low": eta - reach, "estimate_high": eta + reach}
    shares = {name: population_proportions(end, spread, link=link).share for name, end in ends.items()}
    note = f"no interval, it would be too narrow: {trouble}" if trouble else None
    return rows.assign(**shares, effect=effect, effect_sd=sd, note=note)
