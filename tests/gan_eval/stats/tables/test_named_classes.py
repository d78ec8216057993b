"""Answers that name one of three classes: photograph, rendered, generated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gan_eval.base.inference import t_critical, two_way
from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.analysis import analyze
from gan_eval.stats.tables.classes import classes

PUBLISHED = {
    "gan": {"gan": 50, "graphics": 33, "real": 29},
    "graphics": {"gan": 14, "graphics": 75, "real": 19},
    "real": {"gan": 10, "graphics": 19, "real": 81},
}
"""Answers of 11 people to 330 pictures, by class and word (manjaryp/GANvsGraphicsvsReal, MIT, commit 628cded)."""


def sheet(file: Path) -> Path:
    """The published counts as a table like theirs: one row an answer, 30 for each of 11 annotators."""
    answers = [(truth, word) for truth, row in PUBLISHED.items() for word, count in row.items() for _ in range(count)]
    order = np.random.default_rng(0).permutation(len(answers))
    rows = [
        {"filename": f"{answers[at][0]}/{at}.png", "Actual label": answers[at][0], "Manual annotation": answers[at][1]}
        | {"Annotator": 1 + index // 30}
        for index, at in enumerate(order)
    ]
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def read(file: Path, **more: str) -> pd.DataFrame:
    mapping = {"participant": "Annotator", "stimulus": "filename", "kind": "Actual label", "model": "Actual label"}
    mapping |= {"response": "Manual annotation", **more}
    fakes = {"gan": "fake", "graphics": "fake"}
    return import_trials(file, mapping=mapping, words={"kind": fakes, "response": fakes}).trials


def test_three_classes_keep_what_each_was_called(tmp_path: Path) -> None:
    tables = analyze(read(sheet(tmp_path / "sheet.csv")), on_message=lambda _: None)
    found = tables["classes"].set_index(["class", "called"])
    for truth, row in PUBLISHED.items():
        for word, count in row.items():
            assert found.loc[(truth, word), "n_called"] == count
            assert found.loc[(truth, word), "share"] == pytest.approx(count / sum(row.values()))
    assert found.loc[("gan", "real"), "n"] == 112
    assert found.loc[("all", "its class"), ["n", "n_called"]].tolist() == [330, 206]
    assert found["share_low"].lt(found["share"]).all()
    assert found["share_high"].gt(found["share"]).all()
    rates = tables["rates"].query("scope == 'model'").set_index("id")
    assert rates["misses"].to_dict() == {"gan": 29, "graphics": 19}  # one called another generated class is a hit


def test_interval_is_clustered_by_participant_and_picture(tmp_path: Path) -> None:
    trials = read(sheet(tmp_path / "sheet.csv"))
    shown = trials[trials["model"] == "gan"]
    success = (shown["called"] == "real").to_numpy(float)
    n = len(success)
    influence = (success - (success.sum() + 1) / (n + 2)) / n
    people = pd.factorize(shown["participant"])[0]
    reach = t_critical(10) * np.sqrt(two_way(influence[:, None], people, np.arange(n))[0])
    row = classes(trials).set_index(["class", "called"]).loc[("gan", "real")]
    assert row["share_high"] == pytest.approx(success.mean() + reach)


def test_import_says_where_classes_are_counted(tmp_path: Path) -> None:
    file = sheet(tmp_path / "sheet.csv")
    fakes = {"gan": "fake", "graphics": "fake"}
    mapping = {"participant": "Annotator", "stimulus": "filename", "kind": "Actual label", "model": "Actual label"}
    said = import_trials(
        file, mapping={**mapping, "response": "Manual annotation"}, words={"kind": fakes, "response": fakes}
    ).doubts
    assert any("answers name the classes gan and graphics" in line for line in said)


def test_one_word_for_fake_keeps_no_class() -> None:
    trials = fill_trials(
        pd.DataFrame(
            {"participant": ["P1"] * 4, "stimulus": list("abcd"), "kind": ["real", "real", "fake", "fake"]}
            | {"response": ["real", "fake", "fake", "fake"]}
        )
    )
    assert classes(trials).empty
    assert "classes" not in analyze(trials, on_message=lambda _: None)
