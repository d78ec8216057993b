"""Shares, tests and strengths of pairs against scipy, statsmodels, and sums written out."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.tables.choices import bradley_terry, choices

NAMES = ("real", "w", "x", "y", "z")


def contests(rows: list[tuple[str, str, str]], **more: object) -> pd.DataFrame:
    """Return trials of pairs (a, b, chosen): real and a model, or two models."""
    frame = pd.DataFrame(rows, columns=["a", "b", "choice"])
    paired = frame["a"] == "real"
    number = np.arange(len(frame))
    return fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{n % 5}" for n in number],
                "stimulus": [f"d/{a}/{n % 7}" for n, a in zip(number, frame["a"], strict=True)],
                "item": [f"d/{n % 7}" for n in number],
                "kind": None,
                "response": None,
                "dataset": "d",
                "protocol": np.where(paired, "paired", "model_vs_model"),
                "model": frame["b"].where(paired, frame["a"] + "|" + frame["b"]),
                "choice": frame["choice"],
            }
        ).assign(**more)
    )


def with_reals(chosen: dict[str, str], **more: object) -> pd.DataFrame:
    """Return trials of each model's pictures next to the real ones, from its answers in order: a, b or - for none."""
    rows = [("real", model, "none" if word == "-" else word) for model, answers in chosen.items() for word in answers]
    return contests(rows, **more)


def test_share_interval_p_and_dprime() -> None:
    table = choices(with_reals({"x": "aaaaaaabb-", "y": "aabbb"}))
    assert table["model"].fillna("").tolist() == ["", "x", "y"]
    assert table[["n", "n_none"]].to_numpy().tolist() == [[14, 1], [9, 1], [5, 0]]
    for (_, row), right in zip(table.iterrows(), (9, 7, 2), strict=True):
        n = int(row["n"])
        assert row["right"] == pytest.approx(right / n)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(proportion_confint(right, n, method="wilson"))
        assert row["p"] == pytest.approx(binomtest(right, n).pvalue)
        assert row["dprime"] == pytest.approx(math.sqrt(2) * NormalDist().inv_cdf((right + 0.5) / (n + 1)))


def test_practice_is_in_no_share_and_unanswered_pairs_give_a_row() -> None:
    assert choices(with_reals({"x": "aaaa"}, phase="practice")).empty
    row = choices(with_reals({"x": "--"})).iloc[0]
    assert (row["n"], row["n_none"], row["note"]) == (0, 2, "no answered trials")
    assert pd.isna(row["right"])


def drawn(n: int = 400, *, participants: int = 25, items: int = 30, seed: int = 0) -> pd.DataFrame:
    """Choices of people and of items that lean."""
    rng = np.random.default_rng(seed)
    true = np.array([1.2, 0.4, 0.1, -0.5, -1.2])
    person, item = rng.integers(participants, size=n), rng.integers(items, size=n)
    a, b = np.sort([rng.permutation(5)[:2] for _ in range(n)], axis=1).T
    taste, luck = rng.normal(0, 0.7, (participants, 5)), rng.normal(0, 0.7, (items, 5))
    chance = expit(true[a] - true[b] + taste[person, a] - taste[person, b] + luck[item, a] - luck[item, b])
    chosen = np.where(rng.random(n) < chance, "a", "b")
    rows = [(NAMES[i], NAMES[j], word) for i, j, word in zip(a, b, chosen, strict=True)]
    return contests(rows, participant=[f"P{p}" for p in person], item=[f"d/{i}" for i in item])


def by_hand(trials: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Strengths and two-way clustered errors from statsmodels' fit and loops over clusters."""
    a = np.where(trials["protocol"] == "paired", "real", trials["model"].str.split("|").str[0])
    b = np.where(trials["protocol"] == "paired", trials["model"], trials["model"].str.split("|").str[1])
    design = np.array([[(name == i) - (name == j) for name in NAMES] for i, j in zip(a, b, strict=True)], float)
    y = (trials["choice"] == "a").to_numpy(float)
    fit = sm.GLM(y, design[:, 1:], family=sm.families.Binomial()).fit(tol=1e-12)
    centre = np.vstack([np.zeros(4), np.eye(4)]) - 1 / 5 * np.ones((5, 1)) @ np.ones((1, 4))
    bread = np.linalg.inv(design[:, 1:].T @ (design[:, 1:] * (fit.mu * (1 - fit.mu))[:, None]))
    scores = design[:, 1:] * (y - fit.mu)[:, None]

    def meat(*columns: str) -> np.ndarray:
        key = trials[list(columns)].astype(str).agg("/".join, axis=1)
        sums = [scores[(key == name).to_numpy()].sum(axis=0) for name in key.unique()]
        return np.sum([np.outer(s, s) for s in sums], axis=0) * len(sums) / (len(sums) - 1)

    both = meat("participant") + meat("item") - meat("participant", "item")
    kinds = [meat("participant"), meat("item"), both]
    errors = [np.diag(centre @ bread @ each @ bread @ centre.T) for each in kinds]
    errors.append(np.diag(centre @ bread @ centre.T))
    return centre @ fit.params, np.sqrt(np.max(errors, axis=0))


@pytest.mark.slow
def test_strengths_and_errors_equal_statsmodels() -> None:
    trials = drawn()
    table = bradley_terry(trials)
    strength, error = by_hand(trials)
    assert table["contestant"].tolist() == list(NAMES)
    assert table["strength"].to_numpy() == pytest.approx(strength, abs=1e-6)
    assert table["strength"].sum() == pytest.approx(0, abs=1e-9)
    assert table["std_error"].to_numpy() == pytest.approx(error, rel=1e-6)
    assert table["win_share"].to_numpy() == pytest.approx(expit(strength), abs=1e-6)
    half = (table["ci_high"] - table["ci_low"]) / 2
    assert (half / table["std_error"]).to_numpy() == pytest.approx(2.0638986, rel=1e-6)  # t, 25 participants
    assert int(table["n"].sum()) == 2 * len(trials)
    assert int(table["wins"].sum()) == len(trials)


def test_where_any_two_pictures_are_paired_both_are_clusters() -> None:
    """Two models: the strength is half the log-odds of their choices; its error by loops over people and pictures."""
    rng = np.random.default_rng(4)
    person, first, second = (np.repeat(np.arange(12), 15), *rng.integers(9, size=(2, 180)))
    luck = rng.normal(0, 1.2, (2, 9))
    chosen = rng.random(180) < expit(0.3 + luck[0, first] - luck[1, second])
    trials = contests(
        [("x", "y", "a" if a_wins else "b") for a_wins in chosen],
        participant=[f"P{number}" for number in person],
        stimulus=[f"x/{number}" for number in first],
        stimulus_b=[f"y/{number}" for number in second],
        item=None,
    )
    table = bradley_terry(trials).set_index("contestant")
    share = chosen.mean()
    assert table.loc["x", "strength"] == pytest.approx(np.log(share / (1 - share)) / 2)
    influence = (chosen - share) / (2 * 180 * share * (1 - share))

    def variance(*clusters: list[object]) -> float:
        names = {name for of in clusters for name in of}
        sums = [sum(i for of in clusters for i, own in zip(influence, of, strict=True) if own == one) for one in names]
        return sum(total**2 for total in sums) * len(names) / (len(names) - 1)

    people, a, b = list(person), [f"x{number}" for number in first], [f"y{number}" for number in second]
    pairs = list(zip(a, b, strict=True))
    by_pictures = variance(a, b) - variance(pairs)
    of_cells = [list(zip(people, of, strict=True)) for of in (a, b, pairs)]
    by_cells = variance(*of_cells[:2]) - variance(of_cells[2])
    error = np.sqrt(max(variance(people) + by_pictures - by_cells, variance(people), by_pictures))
    assert table["std_error"].to_numpy() == pytest.approx([error, error])
    half_width = (table.loc["x", "ci_high"] - table.loc["x", "ci_low"]) / 2
    assert half_width / error == pytest.approx(2.306004)  # t, nine pictures of a side


def test_rows_in_another_order_and_contestants_that_change_sides() -> None:
    trials = drawn()
    turned = trials.sample(frac=1, random_state=3).reset_index(drop=True)
    swap = (turned["protocol"] == "model_vs_model").to_numpy(bool)
    mirrored = turned["model"].str.split("|").str[::-1].str.join("|")
    turned["model"] = turned["model"].where(~swap, mirrored)
    turned["stimulus"] = turned["stimulus"].where(~swap, "d/" + mirrored.str.split("|").str[0] + "/0")
    turned["choice"] = turned["choice"].where(~swap, turned["choice"].map({"a": "b", "b": "a"}))
    columns = ["strength", "std_error", "ci_low", "n", "wins"]
    found, other = (bradley_terry(each)[columns].to_numpy(float) for each in (trials, turned))
    assert found == pytest.approx(other, abs=1e-9)


def test_who_always_wins_has_no_number_and_the_others_do() -> None:
    among = [("x", "y", "a"), ("x", "y", "b"), ("x", "y", "a")] * 10
    table = bradley_terry(contests([*among, *[("real", "x", "a")] * 5])).set_index("contestant")
    assert np.isnan(table.loc["real", "strength"])
    assert "no finite estimate" in table.loc["real", "note"]
    assert table.loc["x", "strength"] == pytest.approx(np.log(2) / 2)
    loser = bradley_terry(contests([*among, *[("x", "z", "a")] * 5])).set_index("contestant")
    assert "no finite estimate" in loser.loc["z", "note"]
    both = bradley_terry(contests([("real", "x", "a")] * 5))
    assert both["strength"].isna().all()
    assert both["note"].str.contains("no finite estimate").all()


@pytest.mark.parametrize(("change", "word"), [({"participant": "P"}, ONE_PARTICIPANT), ({"item": "d/1"}, "one item")])
def test_one_cluster_is_said(change: dict[str, str], word: str) -> None:
    rows = [("x", "y", "a"), ("x", "y", "b"), ("x", "y", "a")] * 10
    table = bradley_terry(contests(rows, **change))
    assert table["note"].str.contains(word).all()
    assert table["std_error"].notna().all()
    single = bradley_terry(contests(rows, participant="P", item="d/1"))
    assert single["std_error"].isna().all()
    assert single["strength"].notna().all()


def test_empty_unanswered_and_other_trials() -> None:
    assert bradley_terry(contests([]).iloc[:0]).empty
    silent = bradley_terry(contests([("x", "y", "none")] * 3))
    assert silent["n"].tolist() == [0, 0]
    assert silent["note"].tolist() == ["no answered pairs"] * 2
