"""Simulated answers at several exposures, and how often intervals of psychometric functions hold what was put in."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from calibration_numbers import Design, Number
from scipy.special import expit, logit
from scipy.stats import norm

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.likelihood import guessing_terms
from gan_eval.stats.mixed.psychometric import Judgements, balanced, pooled, threshold
from gan_eval.stats.tables.psychometric import psychometric

THRESHOLD_MS, SLOPE, LAPSE = 200.0, 1.2, 0.02
LEVELS_MS = (50.0, 100.0, 200.0, 400.0, 800.0)
SD_PERSON, SD_PERSON_MODEL, SD_PICTURE, SD_LEANING = 0.7, 0.4, 0.6, 0.5
"""Log-odds: thresholds of people, of people for either model, of pictures; leanings to one answer."""
ITEMS = 40


@dataclass(frozen=True)
class ExposureWorld:
    """Assumptions about people and trials."""

    people: int = 30
    trials: int = 60
    """Number of trials of each person, over two models with one threshold."""
    pairs: bool = False
    staircase: bool = False
    """The exposure is a tenth shorter after a right answer, three times as much longer after a wrong one."""
    lapse: float = LAPSE
    sd_log_slope: float = 0.0
    """SD of the logarithm of a person's slope."""
    sd_item: float = 0.0
    """SD of an item's difficulty in the real and in both generated versions, in log-odds."""


def simulate_exposures(world: ExposureWorld, random: np.random.Generator) -> pd.DataFrame:
    """The table `trials`: of single pictures every second one is real."""
    looks = SD_PICTURE * random.standard_normal((ITEMS, 3))
    if world.sd_item:
        looks += world.sd_item * random.standard_normal((ITEMS, 1))
    rows = []
    for person in range(world.people):
        own, guess = SD_PERSON * random.standard_normal(), float(expit(SD_LEANING * random.standard_normal()))
        of_model, exposure = SD_PERSON_MODEL * random.standard_normal(2), 500.0
        slope = SLOPE * np.exp(world.sd_log_slope * random.standard_normal()) if world.sd_log_slope else SLOPE
        for trial in range(world.trials):
            is_fake, model = world.pairs or trial % 2 == 0, int(random.integers(2))
            item = int(random.integers(ITEMS))
            if not world.staircase:
                exposure = float(random.choice(LEVELS_MS))
            eta = slope * np.log2(exposure / THRESHOLD_MS) + own + looks[item, model if is_fake else 2]
            eta += of_model[model] if is_fake else of_model.mean()
            gamma = 0.5 if world.pairs else guess if is_fake else 1 - guess
            right = bool(random.random() < gamma + (1 - gamma) * (1 - 2 * world.lapse) * expit(eta))
            row = {"participant": f"P{person:02d}", "trial": trial + 1, "requested_exposure_ms": exposure}
            row |= {"dataset": "d", "item": f"d/{item}", "model": f"m{model}" if is_fake else None}
            row |= {"stimulus": f"d/{f'm{model}' if is_fake else 'real'}/{item}"}
            if world.pairs:
                row |= {"protocol": "paired", "choice": "a" if right else "b"}
            else:
                row |= {"kind": "fake" if is_fake else "real", "response": "fake" if right == is_fake else "real"}
                row |= {"protocol": "staircase" if world.staircase else "yes_no"}
            rows.append(row)
            if world.staircase:
                exposure = float(np.clip(exposure * (0.9 if right else 0.9**-3), 20, 2000))
    return fill_trials(pd.DataFrame(rows))


def exposure_study(world: ExposureWorld, random: np.random.Generator) -> list[Number]:
    """Return the threshold and the slope of one model for the typical person and picture."""
    row = psychometric(simulate_exposures(world, random))["psychometric"].iloc[0]
    return [
        Number(name, truth, *(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))
        for name, truth in (("threshold", threshold_at(float(row["share"]), world)), ("slope", SLOPE))
    ]


def threshold_at(share: float, world: ExposureWorld) -> float:
    """Return the exposure with this share of correct answers of the typical person and picture."""
    return float(THRESHOLD_MS * 2 ** (logit((share - 0.5) / (0.5 - world.lapse)) / SLOPE))


def threshold_study(world: ExposureWorld, random: np.random.Generator) -> list[float]:
    """Check whether the intervals of one model's threshold and slope hold the truth, ours and those of ordinary maximum
    likelihood."""
    trials = simulate_exposures(world, random)
    tables = psychometric(trials)
    row = tables["psychometric"].iloc[0]
    at = threshold_at(float(row["share"]), world)
    low, high, slope_low, slope_high = ordinary(trials, float(row["lapse_rate"]), world)
    return [
        holds(row["threshold_low"], row["threshold_high"], at),
        holds(low, high, at),
        holds(row["slope_low"], row["slope_high"], SLOPE),
        holds(slope_low, slope_high, SLOPE),
    ]


def ordinary(trials: pd.DataFrame, lapse: float, world: ExposureWorld) -> tuple[float, float, float, float]:
    """Ends of threshold and slope of the first model, all answers taken as independent; NaN where there are none."""
    if np.isnan(lapse):
        return np.nan, np.nan, np.nan, np.nan
    own = trials[(trials["model"] != "m1").fillna(True)]
    x = np.log2(own["requested_exposure_ms"].to_numpy(float))
    data = Judgements(
        ((own["choice"] == "a") if world.pairs else own["correct"]).to_numpy(bool),
        x - x.mean(),
        pd.factorize(own["participant"])[0],
        pd.factorize(own["stimulus"])[0],
        np.where(own["model"].isna(), -1, 0),
        not world.pairs,
    )
    try:
        curve, X, guess = pooled(data, lapse)
    except NoFitError:
        return np.nan, np.nan, np.nan, np.nan
    terms = guessing_terms(X @ curve.lines, data.right.astype(float), guess, 2 * lapse * (1 - guess), link="logit")
    covariance = np.linalg.inv((X * np.asarray(terms.expected)[:, None]).T @ X)
    beta, turn = balanced(curve.lines, curve.guess, is_single=data.is_single, link="logit")
    covariance = turn @ covariance @ turn.T
    place = threshold(beta, covariance, len(own))
    half_width = norm.ppf(0.975) * np.sqrt(covariance[1, 1])
    low, high = (float(2 ** (end + x.mean())) for end in place[1:])
    return low, high, float(beta[1] - half_width), float(beta[1] + half_width)


def holds(low: float, high: float, truth: float) -> float:
    """1 or 0; NaN without an interval."""
    return float(low <= truth <= high) if np.isfinite(low) else np.nan


EXPOSURES = {
    "exposures within people, own slopes": ExposureWorld(people=20, sd_log_slope=0.5),
    "exposures within people, items differ in difficulty": ExposureWorld(sd_item=1.0),
    "exposures within people, own slopes, pairs": ExposureWorld(people=20, pairs=True, sd_log_slope=0.5),
}
DESIGNS = [Design(name, partial(exposure_study, world)) for name, world in EXPOSURES.items()]
