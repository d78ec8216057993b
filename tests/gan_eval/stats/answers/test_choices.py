"""Shares, tests and d′ of pairs against independent implementations."""

import math
from statistics import NormalDist

import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from gan_eval.stats.answers.choices import choices
from gan_eval.stats.trials import fill_trials


def pairs(chosen: dict[str, str], *, protocol: str = "paired", **more: object) -> pd.DataFrame:
    """Trials of pairs: for each model the answers in order, a, b or - for none."""
    rows = [
        {
            "participant": f"P{number % 2}",
            "stimulus": f"d/{'real' if protocol == 'paired' else model.split('|')[0]}/{model}{number}",
            "kind": None,
            "response": None,
            "model": model,
            "dataset": "d",
            "protocol": protocol,
            "choice": {"-": "none"}.get(answer, answer),
        }
        for model, answers in chosen.items()
        for number, answer in enumerate(answers)
    ]
    return fill_trials(pd.DataFrame(rows).assign(**more))


def test_share_interval_p_and_dprime() -> None:
    table = choices(pairs({"x": "aaaaaaabb-", "y": "aabbb"}))
    assert table["model"].fillna("").tolist() == ["", "x", "y"]
    assert table[["n", "n_none"]].to_numpy().tolist() == [[14, 1], [9, 1], [5, 0]]
    for (_, row), right in zip(table.iterrows(), (9, 7, 2), strict=True):
        n = int(row["n"])
        assert row["right"] == pytest.approx(right / n)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(proportion_confint(right, n, method="wilson"))
        assert row["p"] == pytest.approx(binomtest(right, n).pvalue)
        assert row["dprime"] == pytest.approx(math.sqrt(2) * NormalDist().inv_cdf((right + 0.5) / (n + 1)))


def test_practice_is_in_no_share_and_unanswered_pairs_give_a_row() -> None:
    assert choices(pairs({"x": "aaaa"}, phase="practice")).empty
    row = choices(pairs({"x": "--"})).iloc[0]
    assert (row["n"], row["n_none"], row["note"]) == (0, 2, "no answered trials")
    assert pd.isna(row["right"])
