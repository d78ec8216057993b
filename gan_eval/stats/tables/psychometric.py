"""Psychometric functions of each model over the exposure, or over another ordered level.

The share of correct answers is the share of pairs whose real picture was chosen, or the balanced accuracy of single
pictures. Pictures that stayed until the answer have no level.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import Estimate, shared_items, t_critical
from gan_eval.judgements.trials import AnyTrials, TypedTrials, pictures, requested_exposure, typed
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings, Link
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.estimate.contrast import population_proportions
from gan_eval.stats.estimate.differences import HALF, difference_of_proportions, proportion_less_half
from gan_eval.stats.groups import REAL, contestants, groups, n_known, one_participant, provenance_cells
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.likelihood import NotConvergedError
from gan_eval.stats.mixed.psychometric import (
    LAPSES,
    Curve,
    Judgements,
    averaged,
    crossed,
    lapse_weights,
    one_of,
    pooled,
    threshold,
)
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import (
    DATASET,
    PROVENANCE,
    SHARE,
    Table,
    integer,
    interval_columns,
    number,
    text,
    with_interval,
)

EXPOSURE = "requested_exposure_ms"
"""The default level."""
_TASK = text("task", "single pictures, or pairs of a real and a generated one", words=("single", "pair"), filled=True)
_MODEL = text("model", "the fakes' generator; empty: the fakes name none")
_LEVEL = text("level", "the column of the trials that is the level", filled=True)
_BASIS = text("basis", "what the errors rest on: crossed_model or two_way_cluster; empty: no function")

PSYCHOMETRIC = Table(
    "psychometric",
    "Psychometric functions: the share of correct answers over the exposure, or over another ordered level; how: "
    "`gan_eval/stats/mixed/psychometric.py`.",
    (
        _TASK,
        DATASET,
        _MODEL,
        _LEVEL,
        text("link", "of the fit, whose scale the slope has", words=("logit", "probit"), optional=True),
        *with_interval(
            "threshold", "level of `share` for the typical participant and picture; no ends: it may not change"
        ),
        number("share", "share of correct answers there, midway between guessing and 1 - lapse_rate", unit=SHARE),
        *with_interval(
            "slope", "steepness there on the link's scale, for each doubling of the level (unit, if any is 0)"
        ),
        number("guess_rate", "by guessing: share of correct answers, of single pictures share called fake", unit=SHARE),
        number("lapse_rate", f"share wrong where everything is seen; averaged over 0 to {LAPSES[-1]:g}", unit=SHARE),
        number("sd_participant", "standard deviation of the participants' own thresholds, in doublings (units)"),
        number("sd_stimulus", "that of the pictures' thresholds, likewise"),
        integer("n_levels", "different levels", filled=True),
        integer("n_trials", "answers", filled=True),
        integer("n_participants", "participants", filled=True),
        integer("n_stimuli", "pictures, or pairs", filled=True),
        _BASIS,
        *PROVENANCE,
    ),
    key=("task", "dataset", "model"),
)

PSYCHOMETRIC_LEVELS = Table(
    "psychometric_levels",
    "The share of correct answers at each level, next to the psychometric function; many levels are grouped.",
    (
        _TASK,
        DATASET,
        _MODEL,
        number("at", "the level; of grouped ones their mean (geometric, where all are above 0)"),
        integer("n_trials", "answers", filled=True),
        number("accuracy", "share of correct answers; single pictures: mean of that on reals and on fakes", unit=SHARE),
        *interval_columns("ci", "its 95% interval, clustered by participant and by stimulus", unit=SHARE),
        number("fitted", "the function there, averaged over participants and pictures; empty: none", unit=SHARE),
        *PROVENANCE,
    ),
    key=("task", "dataset", "model", "at"),
)

_MIN_LEVELS = 3
_MAX_LEVELS = 8
"""Maximum number of shares for a function; more levels are grouped."""
_MAX_CROSSED = 10_000
"""Maximum number of answers of a model for the crossed model."""
_KEPT = [
    "session", "participant", "protocol", "dataset", "model", "simulated", "fraction", "right", "is_fake",
    "picture", "unit",
]  # fmt: skip


@dataclass(frozen=True)
class _AnswersByLevel:
    """The answers at several levels of one data set and task."""

    task: str
    dataset: str | None
    trials: pd.DataFrame
    """Columns `x` (level on its scale, minus the mean), `right`, `is_fake`, `participant_code`, `picture_code` and
    `item_code`."""
    centre: float
    is_log: bool

    def level(self, x: float) -> float:
        """Return the level at `x` on the scale; NaN for NaN."""
        return float(np.exp2(np.clip(x + self.centre, -1000, 1000))) if self.is_log else x + self.centre

    def judgements(self, rows: np.ndarray, model: np.ndarray | None = None) -> Judgements:
        """Return some rows as arrays, with `model` if two are compared."""
        names = "right", "x", "is_fake", "participant_code", "picture_code", "item_code"
        right, x, is_fake, *factors = (self.trials[name].to_numpy()[rows] for name in names)
        participant, picture, item = (pd.factorize(factor)[0] for factor in factors)
        is_single = self.task == "single"
        side = is_fake.astype(bool) if is_single else None
        return Judgements(
            right.astype(bool),
            x,
            participant,
            picture,
            np.where(is_fake, 0 if model is None else model, -1),
            is_single,
            shared_items(item, picture, side=side),
        )


def psychometric(trials: AnyTrials, *, plan: AnalysisSettings = NO_PLAN) -> dict[str, pd.DataFrame]:
    """Return the tables `psychometric` and `psychometric_levels` of a trials table.

    A data set has rows if answers have two levels or more, and functions if they have three. A model's reals are those
    of the same data set that the same participants judged. The models of a data set share the lapse rate, so their
    thresholds are levels of the same share of correct answers.

    Args:
        plan: the plan of the analysis, with the column of the level and the link.

    Raises:
        UserError: the plan's level is not a column of numbers.
    """
    functions: list[Row] = []
    levels: list[Row] = []
    for answers in _answers_of(typed(trials), plan):
        models: dict[str | None, np.ndarray] = {None: np.arange(len(answers.trials))}
        if answers.trials["model"].notna().any():  # of single pictures with a model's own reals
            of = groups(answers.trials, "model")
            models = {str(name): np.sort(of.row[of.group == index]) for index, name in enumerate(of.ids)}
        curves = _curves_of_models(answers, models, plan.link)
        for (model, rows), (curve, note) in zip(models.items(), curves, strict=True):
            functions.append(_function(answers, model, rows, curve, note, plan))
            levels += _levels(answers, model, rows, curve, plan.link)
    return {
        "psychometric": frame_of(functions, PSYCHOMETRIC),
        "psychometric_levels": frame_of(levels, PSYCHOMETRIC_LEVELS),
    }


def _curves_of_models(
    answers: _AnswersByLevel, models: Mapping[str | None, np.ndarray], link: Link
) -> list[tuple[Curve | None, str]]:
    """Return the function of each model with its note, from the positions (n,) of the answers to it."""
    if answers.trials["x"].nunique() < _MIN_LEVELS:
        return [(None, "no function: two levels; a threshold and a slope need three")] * len(models)
    if len(models) > 1 and answers.trials["protocol"].isin(ADAPTIVE_PROTOCOLS).any():
        # the levels followed the answers to all models, so the functions of all models are fitted together
        of_model = pd.Categorical(answers.trials["model"], categories=[*models]).codes
        ((whole, note),) = _curves([answers.judgements(np.arange(len(answers.trials)), of_model)], link)
        if whole is not None and not note:
            return [(one_of(whole, index), "") for index in range(len(models))]
    return _curves([answers.judgements(rows) for rows in models.values()], link)


def _answers_of(trials: TypedTrials, settings: AnalysisSettings) -> Iterator[_AnswersByLevel]:
    """Yield each task and data set with answers at two levels or more."""
    column = settings.level
    table = trials.every
    if column not in table or not pd.api.types.is_numeric_dtype(table[column].dtype):
        numbers = [str(name) for name in table if pd.api.types.is_numeric_dtype(table[name].dtype)]
        raise UserError(
            f"analysis.level: {column} is not a column of numbers of the trials; they have {', '.join(numbers)}"
        )
    single, pairs = trials.answered, trials.pairs
    names = contestants(pairs)
    pairs = pairs[pairs["answered"].to_numpy(bool) & (names.a == REAL)]
    pair = pictures(pairs).astype("str") + "|" + pairs["model"].astype("str")
    tasks = {
        "single": single.assign(right=single["correct"], picture=single["stimulus"], unit=pictures(single)),
        "pair": pairs.assign(right=(pairs["choice"] == "a").to_numpy(bool), picture=pair, unit=pair, is_fake=True),
    }
    for task, answered in tasks.items():
        levels = (
            requested_exposure(answered)
            if column == EXPOSURE
            else answered[column].to_numpy("float64", na_value=np.nan)
        )
        finite = np.isfinite(levels)
        for dataset, part in answered.loc[finite, _KEPT].assign(x=levels[finite]).groupby("dataset", dropna=False):
            values = part["x"].to_numpy()
            if len(np.unique(values)) < 2:
                continue
            is_log = bool((values > 0).all())
            scale = np.log2(values) if is_log else values
            part = part.reset_index(drop=True).assign(x=scale - scale.mean())
            part = part.assign(
                participant_code=pd.factorize(part["participant"])[0],
                picture_code=pd.factorize(part["picture"])[0],
                item_code=pd.factorize(part["unit"])[0],
            )
            yield _AnswersByLevel(
                task, dataset if isinstance(dataset, str) else None, part, float(scale.mean()), is_log
            )


def _curves(models: list[Judgements], link: Link) -> list[tuple[Curve | None, str]]:
    """Return each model's function, from the crossed model if it has a fit, and its note; they share the lapse rate."""
    fitted = [_fits_by_lapse(data, link) for data in models]
    fits = [by_lapse for by_lapse, _ in fitted]
    common = [lapse for lapse in LAPSES if all(lapse in by_lapse for by_lapse in fits if by_lapse) and any(fits)]
    evidence = [[by_lapse[lapse].evidence for lapse in common] for by_lapse in fits if by_lapse and common]
    weights = lapse_weights(evidence, common or LAPSES)
    results: list[tuple[Curve | None, str]] = []
    for data, (by_lapse, reason) in zip(models, fitted, strict=True):
        if by_lapse and common:
            results.append((averaged([by_lapse[lapse] for lapse in common], weights, link=link), ""))
        else:
            lapse = float(weights @ np.array(common or LAPSES))
            results.append(_pooled(data, lapse, link, reason or "no lapse rate at which all models have a fit"))
    return results


def _pooled(data: Judgements, lapse: float, link: Link, reason: str) -> tuple[Curve | None, str]:
    """Return the function of pooled answers, and a note on the reason not to use the crossed model."""
    try:
        return pooled(data, lapse, link=link)[0], f"pooled answers instead of the crossed model: {reason}"
    except NoFitError as why:
        return None, f"no function: {why}"


def _fits_by_lapse(data: Judgements, link: Link) -> tuple[dict[float, Curve], str]:
    """Return the crossed model's function for each lapse rate at which it has a fit, and why it has none at others."""
    by_lapse: dict[float, Curve] = {}
    reason = f"more than {_MAX_CROSSED} answers" if len(data.right) > _MAX_CROSSED else ""
    if data.degrees_of_freedom() < 1:
        reason = "fewer than two participants or pictures"
    for lapse in () if reason else LAPSES:
        try:
            by_lapse[lapse] = crossed(data, lapse, link=link, start=[*by_lapse.values()][-1] if by_lapse else None)
        except NoFitError as why:
            reason = reason or str(why)
            if not isinstance(why, NotConvergedError):  # another lapse rate does not help
                break
    return by_lapse, reason


def _function(
    answers: _AnswersByLevel,
    model: str | None,
    rows: np.ndarray,
    curve: Curve | None,
    note: str,
    settings: AnalysisSettings,
) -> Row:
    chosen, data = answers.trials.iloc[rows], answers.judgements(rows)
    x, df = data.level, data.degrees_of_freedom()
    row: Row = {
        "task": answers.task,
        "dataset": answers.dataset,
        "model": model,
        "level": settings.level,
        "link": settings.link,
        "n_levels": len(np.unique(x)),
        "n_trials": len(chosen),
        "n_participants": n_known(chosen["participant"]),
        "n_stimuli": chosen["picture"].nunique(),
    }
    notes = [note]
    if curve is not None:
        crossing = threshold(curve.beta, curve.covariance, df)
        slope, half_width = curve.beta[1], float(t_critical(df)) * float(np.sqrt(curve.covariance[1, 1]))
        is_inside = x.min() <= crossing.value <= x.max()
        notes.append(_note_on_threshold(crossing, df, is_inside=is_inside))
        if slope < 0 and settings.level == EXPOSURE:
            notes.append("fewer correct answers at longer exposures")
        is_crossed = not np.isnan(curve.sd_participant)
        if not is_crossed and chosen["protocol"].isin(ADAPTIVE_PROTOCOLS).any():
            notes.append("the levels followed the answers, which pooled answers do not allow for")
        if chosen["participant"].nunique() == 1:
            notes.append(one_participant(chosen["participant"]))
        is_known = is_inside or not np.isnan(crossing.low)
        row |= {
            "threshold": answers.level(crossing.value) if is_known else np.nan,
            "threshold_low": answers.level(crossing.low),
            "threshold_high": answers.level(crossing.high),
            "share": 0.75 - curve.lapse / 2,
            "slope": slope,
            "slope_low": slope - half_width,
            "slope_high": slope + half_width,
            "guess_rate": curve.guess,
            "lapse_rate": curve.lapse,
            "sd_participant": curve.sd_participant / abs(slope),
            "sd_stimulus": curve.sd_picture / abs(slope),
            "basis": "crossed_model" if is_crossed else "two_way_cluster",
        }
    return row | provenance_cells(chosen, *notes)


def _note_on_threshold(crossing: Estimate, df: int, *, is_inside: bool) -> str:
    """Return the note on a threshold without an interval, or beyond the levels; empty for any other."""
    if not np.isnan(crossing.low):
        return "" if is_inside else "the threshold lies beyond the levels that were shown: extrapolated"
    if df < 1:
        return "few participants or pictures: no interval"
    beyond = "" if is_inside else ", and no threshold within the levels"
    return f"the share of correct answers may not change with the level: no interval of the threshold{beyond}"


def averaged_share(eta: np.ndarray, sd: float, lapse: float, link: str) -> np.ndarray:
    """Return (N,) the share of correct answers of many participants to many pictures: 1/2 to 1 minus the lapse rate.

    Args:
        eta: (N,) linear predictor of the typical participant and picture.
        sd: standard deviation of the random part on the link's scale; NaN: none, for pooled answers.

    >>> averaged_share(np.array([0.0, 1.5]), 2.0, 0.0, "probit").round(3).tolist()
    [0.75, 0.874]
    """
    return HALF + (HALF - lapse) * population_proportions(eta, np.array(np.nan_to_num(sd)), link=link).share


def _levels(
    answers: _AnswersByLevel, model: str | None, rows: np.ndarray, curve: Curve | None, link: Link
) -> Iterator[Row]:
    """Yield the shares at each level, or in up to eight groups of neighbouring levels of about equal size."""
    x = answers.trials["x"].to_numpy(float)[rows]
    values, code = np.unique(x, return_inverse=True)
    if len(values) > _MAX_LEVELS:
        middle = (np.cumsum(np.bincount(code)) - np.bincount(code) / 2) / len(x)
        code = np.unique(np.minimum((middle * _MAX_LEVELS).astype(int), _MAX_LEVELS - 1), return_inverse=True)[1][code]
    for number_of in range(code.max() + 1):
        chosen = rows[code == number_of]
        data, subset = answers.judgements(chosen), answers.trials.iloc[chosen]
        units, is_fake = (data.participant, data.picture), data.model >= 0
        if not data.is_single:
            share = proportion_less_half(data.right, *units)
            low, high, value = (end + HALF for end in (*share.interval(0.95), share.difference))
        elif len(np.unique(is_fake)) == 2:
            share = difference_of_proportions(data.right == is_fake, is_fake, *units, item=data.item)
            low, high, value = ((end + 1) / 2 for end in (*share.interval(0.95), share.difference))
        else:
            continue
        at = float(data.level.mean())
        fitted = np.nan
        if curve is not None:
            eta, sd = curve.beta[0] + curve.beta[1] * at, float(np.hypot(curve.sd_participant, curve.sd_picture))
            fitted = float(averaged_share(np.array([eta]), sd, curve.lapse, link)[0])
        yield {
            "task": answers.task,
            "dataset": answers.dataset,
            "model": model,
            "at": answers.level(at),
            "n_trials": len(subset),
            "accuracy": value,
            "ci_low": low,
            "ci_high": high,
            "fitted": fitted,
            **provenance_cells(subset, share.note_on(subset["participant"])),
        }
