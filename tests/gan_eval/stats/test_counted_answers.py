"""Answers that were counted by picture: nobody knows whose they are, so nothing is claimed about people."""

from pathlib import Path

import pandas as pd
import pytest

from gan_eval import analyze
from gan_eval.judgements.convert import import_trials
from gan_eval.report.people.answer import first_sentence
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
    sentence = first_sentence(tables, trials)
    assert sentence is not None
    assert sentence.startswith("Participants who are not known give no verdict on people in general; on generated")
    notes = {part for name in ("paper", "rates", "comparisons") for note in tables[name]["note"].dropna()
             for part in note.split("; ")}  # fmt: skip
    assert WHO_NOT_KNOWN in notes
    assert ONE_PARTICIPANT not in notes
    (name,) = trials["participant"].unique()
    of_one = analyze(trials.assign(participant="P1"))["paper"]["note"].dropna()
    assert name == "not known"
    assert of_one.str.contains(ONE_PARTICIPANT).any()
    assert not of_one.str.contains(WHO_NOT_KNOWN).any()
