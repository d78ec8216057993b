"""Known curves: broken lines, lines, constants, with independent and with autocorrelated noise."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from gan_eval.stats.tables.plateau import Plateau, all_plateaus, find_plateau
from gan_eval.tables import VALIDATION
from gan_eval.tables.frames import frame_of

END, BREAK = 50_000, 20_000


def noise(seed: int, count: int, *, correlation: float = 0.0) -> np.ndarray:
    shocks = np.random.default_rng(seed).normal(size=count)
    series = shocks.copy()
    for k in range(1, count):
        series[k] = correlation * series[k - 1] + np.sqrt(1 - correlation**2) * shocks[k]
    return series


def curve(name: str, steps: np.ndarray) -> np.ndarray:
    log = np.log1p(steps / steps[1])
    return {
        "broken": np.minimum(steps, BREAK) / BREAK,
        "broken in log": np.minimum(log, np.log1p(BREAK / steps[1])) / np.log1p(BREAK / steps[1]),
        "line": steps / END,
        "log": log / log[-1],
        "constant": np.zeros(len(steps)),
        "worse": -steps / END,
    }[name]


def answers(name: str, *, count: int = 30, series: int = 120, sd: float = 0.05, correlation: float = 0.0):
    steps = np.linspace(0, END, count)
    return [
        find_plateau(
            steps,
            curve(name, steps) + sd * noise(seed, count, correlation=correlation),
            higher_is_better=True,
            seed=seed,
            replicates=200,
        )
        for seed in range(series)
    ]


def share(found: list[Plateau], verdict: str) -> float:
    return sum(answer.verdict == verdict for answer in found) / len(found)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "correlation"), [("broken", 0.0), ("broken in log", 0.0), ("broken", 0.5)])
def test_the_interval_covers_the_true_step(name: str, correlation: float) -> None:
    """120 series each: 95% wanted, 88% allowed for the spread of 120 (independent) and for the correlated noise."""
    found = answers(name, correlation=correlation)
    assert share(found, "plateau") > 0.95
    held = [answer for answer in found if answer.verdict == "plateau"]
    assert np.mean([answer.low <= BREAK <= answer.high for answer in held]) >= 0.88
    assert np.mean([answer.low <= answer.step <= answer.high for answer in held]) == 1
    assert abs(np.median([answer.step for answer in held]) - BREAK) < 1500
    assert np.mean([answer.scale == ("log" if "log" in name else "linear") for answer in held]) > 0.8


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "correlation", "verdict", "least"),
    [
        ("line", 0.0, "still_improving", 0.9),
        ("log", 0.0, "still_improving", 0.9),
        ("line", 0.5, "still_improving", 0.85),
        ("log", 0.5, "still_improving", 0.85),
        ("constant", 0.0, "never_improved", 0.88),
        ("worse", 0.0, "never_improved", 1.0),
    ],
)
def test_other_curves_are_seldom_called_a_plateau(name: str, correlation: float, verdict: str, least: float) -> None:
    found = answers(name, correlation=correlation, series=60, sd=0.05 if verdict == "still_improving" else 0.1)
    assert share(found, verdict) >= least
    assert all(answer.step is None and answer.high is None for answer in found if answer.verdict == verdict)


@pytest.mark.nightly
def test_a_slow_improvement_after_a_fast_one_counts() -> None:
    """Most of the rise within the first tenth, the rest up to the break: one broken line would end with the first."""
    steps = np.arange(0, END + 1, 1000, dtype=float)
    slow = 10 * (1 - np.exp(-steps / 1000)) + 1.5 * np.minimum(steps, BREAK) / BREAK
    found = [
        find_plateau(steps, slow + 0.1 * noise(seed, len(steps)), higher_is_better=True, seed=seed, replicates=300)
        for seed in range(30)
    ]
    assert share(found, "plateau") >= 0.9
    assert abs(np.median([answer.step for answer in found if answer.step is not None]) - BREAK) < 3000
    assert all(answer.n == len(steps) for answer in found)
    assert "more slowly" in str(found[0].note)


def test_without_noise_the_break_is_exact_and_a_line_has_none() -> None:
    steps = np.arange(0, END + 1, 1000, dtype=float)
    answer = find_plateau(steps, curve("broken", steps), higher_is_better=True)
    assert answer.verdict == "plateau"
    assert answer.step == pytest.approx(BREAK, abs=150)
    assert answer.level == pytest.approx(1, abs=1e-3)
    for name in ("line", "log"):
        assert find_plateau(steps, curve(name, steps), higher_is_better=True).verdict == "still_improving", name
    assert find_plateau(steps, curve("worse", steps), higher_is_better=True).verdict == "never_improved"
    assert find_plateau(steps, curve("constant", steps), higher_is_better=True).note == "every value is the same"


def test_the_break_is_that_of_least_squares() -> None:
    steps = np.arange(0, END + 1, 1000, dtype=float)
    y = curve("broken", steps) + 0.05 * noise(3, len(steps))

    def left(step: float) -> float:
        design = np.stack([np.ones_like(steps), np.minimum(steps, step)], axis=1)
        return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())

    best = minimize_scalar(left, bounds=(10_000, 30_000), method="bounded")
    answer = find_plateau(steps, y, higher_is_better=True)
    assert answer.scale == "linear"
    assert answer.step == pytest.approx(best.x, abs=END / 200)


def test_too_few_and_missing_values() -> None:
    steps = np.linspace(0, END, 30)
    y = curve("broken", steps) + 0.02 * noise(1, 30)
    few = find_plateau(steps[:7], y[:7], higher_is_better=True)
    assert (few.verdict, few.n, few.step, few.low) == ("too_few", 7, None, None)
    assert few.note == "7 measurements; a plateau needs 8"
    y[4], y[9] = np.nan, np.inf
    assert find_plateau(steps, y, higher_is_better=True).n == 28
    assert find_plateau(steps, y, higher_is_better=True).verdict == "plateau"


def validation() -> pd.DataFrame:
    steps = np.arange(0, 40_000, 1000)
    rows = []
    for metric, sign in (("psnr", 1), ("niqe", -1), ("diversity", 1)):
        for number, mode in enumerate(("train", "eval")):
            y = sign * np.minimum(steps, 15_000) / 15_000 + 0.05 * noise(number, len(steps))
            rows += [
                {"step": int(step), "mode": mode, "metric": metric, "value": value, "fraction": 0.5}
                for step, value in zip(steps, y, strict=True)
            ]
    return frame_of(rows, VALIDATION)


def test_a_table_has_a_row_for_each_metric_with_a_better_and_mode() -> None:
    shuffled = validation().sample(frac=1, random_state=0)
    better = {"psnr": True, "niqe": False, "fid": False}

    def plateaus(rows: pd.DataFrame) -> pd.DataFrame:
        return all_plateaus({"m": rows}, datasets={"m": "d"}, higher_is_better=better)

    table = plateaus(shuffled)
    assert table[["metric", "mode"]].to_numpy().tolist() == [
        ["niqe", "eval"], ["niqe", "train"], ["psnr", "eval"], ["psnr", "train"]
    ]  # fmt: skip
    assert set(table["verdict"]) == {"plateau"}
    assert table["plateau_step"].between(13_000, 17_000).all()
    assert (table["ci_low"] <= table["plateau_step"]).all()
    assert set(table["fraction"]) == {0.5}
    pd.testing.assert_frame_equal(table, plateaus(validation()))
    assert plateaus(validation().head(0)).empty
