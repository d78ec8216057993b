"""Answers that were counted by picture: nobody knows whose they are, so nothing is claimed about people."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gan_eval import analyze
from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.trials import fill_trials
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import answer_sentences
from gan_eval.settings.facts import Facts
from gan_eval.stats.groups import ONE_PARTICIPANT, WHO_NOT_KNOWN


def test_counts_give_intervals_over_pictures_and_no_verdict_on_people(tmp_path: Path) -> None:
    rows = [
        {"picture": f"{n}.png", "kind": ["real", "fake"][n % 2], "right": 5 + 3 * (n // 2 % 6), "n": 20}
        for n in range(30)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "counts.csv", index=False)
    mapping = {"stimulus": "picture", "count": "n", "count_correct": "right"}
    trials = import_trials(tmp_path / "counts.csv", mapping=mapping).trials
    tables = analyze(trials)
    row = tables["paper"].iloc[0]
    by_kind = pd.DataFrame(rows).groupby("kind")["right"].sum() / (15 * 20)
    assert row["accuracy"] == pytest.approx(by_kind.mean())
    assert row["n_answers"] == 600
    assert row["n_participants"] == 0, "nobody knows how many"
    assert row["verdict"] == "no verdict"
    assert row["basis"] == "picture_cluster"
    assert row[["p", "p_holm"]].isna().all()
    of_answers = 1.96 * (row["accuracy"] * (1 - row["accuracy"]) / 600) ** 0.5
    assert row["accuracy_high"] - row["accuracy_low"] > 2 * 1.5 * of_answers, "pictures differ"
    folder = StudyFolder(Path(), None, Facts(), {**tables, "trials": trials}, {}, {}, {})
    assert next(iter(answer_sentences(folder))).startswith(
        "Participants who are not known give no verdict on people in general; on generated"
    )
    notes = {part for name in ("paper", "rates", "comparisons") for note in tables[name]["note"].dropna()
             for part in note.split("; ")}  # fmt: skip
    assert WHO_NOT_KNOWN in notes
    assert ONE_PARTICIPANT not in notes
    values = trials.drop_duplicates("stimulus").query("kind == 'fake'")[
        ["stimulus", "item", "kind", "model", "dataset"]
    ]
    values = values.assign(metric="lpips", value=np.arange(15.0), reason=None, run="r")
    of_metric = analyze(trials, image_metrics=values)["correlations"].iloc[0]
    assert "not known who answered: no ceiling" in of_metric["note"]
    (name,) = trials["participant"].unique()
    of_one = analyze(trials.assign(participant="P1"))["paper"]["note"].dropna()
    assert name == "not known"
    assert of_one.str.contains(ONE_PARTICIPANT).any()
    assert not of_one.str.contains(WHO_NOT_KNOWN).any()


def test_many_counted_answers_to_two_like_pictures_are_not_more_certain_than_independent_ones() -> None:
    rows = [(kind, n, right) for kind in ("real", "fake") for n in (1, 2) for right in [True] * 600 + [False] * 400]
    trials = pd.DataFrame(rows, columns=["kind", "stimulus", "correct"])
    trials = trials.assign(stimulus=trials["kind"] + trials["stimulus"].astype(str), participant="not known")
    row = analyze(fill_trials(trials))["paper"].iloc[0]
    of_answers = 1.96 * np.sqrt(0.6 * 0.4 / 4000)
    assert row["accuracy"] == pytest.approx(0.6)
    assert row["accuracy_high"] - 0.6 > 0.95 * of_answers, "both pictures of a kind have the same share"
    assert row["accuracy_low"] < 0.6 - 0.95 * of_answers


def test_counted_grades_are_of_nobody_who_is_known(tmp_path: Path) -> None:
    """They were counted as those of one participant, and had no interval although the import promised one."""
    counts = {("a", "real"): (0, 2, 5), ("b", "real"): (1, 4, 1), ("c", "fake"): (5, 3, 0), ("d", "fake"): (2, 2, 3)}
    rows = [
        {"stimulus": picture, "kind": kind, "rating": grade, "votes": n}
        for (picture, kind), numbers in counts.items()
        for grade, n in zip((1, 3, 5), numbers, strict=True)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "counts.csv", index=False)
    trials = import_trials(tmp_path / "counts.csv", mapping={"count": "votes"}, rating_high="real").trials
    tables = analyze(trials)
    for name in ("paper", "ratings", "comparisons", "mixed_models"):
        assert (tables[name]["n_participants"] == 0).all(), name
    notes = {part for table in tables.values() if "note" in table for note in table["note"].dropna()
             for part in note.split("; ")}  # fmt: skip
    assert {note for note in notes if "one participant" in note} == set()
    ratings = tables["ratings"].set_index("kind")
    values = np.repeat([1.0, 3, 5, 1, 3, 5], [0, 2, 5, 1, 4, 1])
    picture = np.repeat([0, 1], [7, 6])
    sums = np.bincount(picture, values - values.mean()) / len(values)
    reach = stats.t.ppf(0.975, 1) * np.sqrt(2 * (sums**2).sum())
    real = ratings.loc["real"]
    assert (real["ci_low"], real["ci_high"]) == pytest.approx((values.mean() - reach, values.mean() + reach))
    assert (real["note"], set(tables["paper"]["basis"])) == (WHO_NOT_KNOWN, {"picture_cluster"})
    of_one = trials.assign(session="s", participant="P1", dataset="e", stimulus="e/" + trials["stimulus"])
    opinions = analyze(fill_trials(pd.concat([of_one, trials.assign(dataset="d")])))["opinion_scores"]
    assert opinions.groupby("dataset")["note"].agg(set).to_dict() == {
        "d": {"not known who answered: no interval"},
        "e": {"one participant: no interval"},
    }
