from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated

from gan_eval.__main__ import run
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.compare.comparisons import comparisons
from gan_eval.stats.looks import Looked, LookPlan, level, take_look
from gan_eval.stats.paper import latex, printed
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import write_table

THREE = LookPlan(3, 6)


def first(people: int, *, skill: float = 1.4) -> pd.DataFrame:
    """The trials of the first people of six."""
    trials = simulated(participants=6, stimuli=40, each=40, intercept=skill, real=0.0, models=("a", "b"), seed=4)
    return trials[trials["participant"].isin(sorted(trials["participant"].unique())[:people])].reset_index(drop=True)


def look(*given: Any) -> Looked:
    """Return what a look finds; it must be due or expected."""
    looked = take_look(*given)
    assert looked is not None
    return looked


def test_people_count_with_a_complete_session_of_their_own() -> None:
    trials = first(3)
    looked = look(LookPlan(1, 6), [], trials)
    assert looked.words == "interim: no verdict (3 of 6 people)"
    names = list(trials["session"].unique())
    sessions = pd.DataFrame(
        {"session": names, "participant": names, "status": ["complete", "open", "aborted"], "simulated": False}
    )
    looked = look(LookPlan(1, 6), [], trials, sessions)
    assert looked.words == "interim: no verdict (1 of 6 people)"
    second = trials["participant"] == trials["participant"].unique()[1]
    looked = look(LookPlan(1, 2), [], trials.assign(simulated=second.to_numpy(bool)))
    assert looked.table["n_people"].tolist() == [2]
    assert looked.words == ""
    assert take_look(THREE, [], trials.assign(simulated=True)) is None, "a rehearsal"


def test_answers_of_an_unfinished_session_change_no_look() -> None:
    names = list(first(3)["session"].unique())
    sessions = pd.DataFrame({"session": names, "status": ["complete", "complete", "open"]})
    looked = look(THREE, [], first(2), sessions[:2])
    again = look(THREE, looked.taken, first(3), sessions)
    assert level(again.table) == level(looked.table)


def test_the_same_answers_in_another_order_are_the_same_look() -> None:
    looked = look(THREE, [], first(2))
    shuffled = first(2).sample(frac=1, random_state=0).reset_index(drop=True)
    again = look(THREE, looked.taken, shuffled)
    assert again.taken == looked.taken
    assert level(again.table) == pytest.approx(2.07e-4, rel=1e-3)
    changed = first(2)
    changed.loc[0, "response"] = "fake" if changed.loc[0, "response"] == "real" else "real"
    other = look(THREE, looked.taken, changed)
    assert np.isnan(level(other.table))


@pytest.mark.slow
def test_verdicts_wait_for_a_look_and_are_held_against_its_level() -> None:
    trials, plan = first(3), AnalysisSettings(margin=0.05)
    waits, due = (look(LookPlan(looks, 6), [], trials) for looks in (1, 2))
    plain = comparisons(trials, plan=plan)
    interim, early = (comparisons(trials, plan=plan, looks=looked.table) for looked in (waits, due))
    at_the_level = ("verdict", "alpha", "simultaneous_low", "simultaneous_high")
    numbers = [name for name in plain if name not in at_the_level]
    pd.testing.assert_frame_equal(interim[numbers], plain[numbers])
    assert set(interim["verdict"]) == {"interim"}
    assert interim["alpha"].isna().all()
    assert set(plain["alpha"]) == {0.05}
    assert early["alpha"].unique() == pytest.approx([0.003051], rel=1e-3)
    told_apart = early.set_index("comparison").loc["told apart"]
    assert 0.003051 < told_apart["p_holm"] < 0.05, "else this tests nothing"
    assert told_apart["verdict"] == "undecided"
    assert plain.set_index("comparison").loc["told apart", "verdict"] == "different"


def test_every_table_says_that_it_is_interim() -> None:
    trials = from_counts(4, 4, 4, 4)
    looked = look(LookPlan(1, 6), [], trials)
    frames = analyze(trials, looks=looked.table)
    assert frames["looks"]["n_wanted"].tolist() == [6]
    heads, rows = printed(frames["paper"])
    assert {row[heads.index("Verdict")] for row in rows} == {"interim: no verdict"}
    assert "Interim: no verdict" in latex(frames["paper"])


@pytest.mark.nightly
def test_a_plan_holds_for_trials_in_a_file_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = '[study]\nname = "s"\n[stimuli]\nsets = ["m"]\n[quiz]\nparticipants = 6\n[analysis]\nlooks = 3\n'
    (tmp_path / "study.toml").write_text(study)
    seen = {}
    for people in (1, 2, 3, 4, 6):
        write_table(first(people), tmp_path / "trials.csv", TRIALS)
        command = ["analyze", str(tmp_path / "trials.csv"), "--plan", str(tmp_path / "study.toml")]
        assert run([*command, "--out", str(tmp_path / "out")]) == 0
        table = pd.read_csv(tmp_path / "out" / "comparisons.csv").set_index("comparison")
        seen[people] = (table.loc["told apart", "verdict"], round(table.loc["told apart", "alpha"], 4))
        told_apart = capsys.readouterr().err
        assert ("Interim: no verdict" in told_apart) == (people in (1, 3))
        assert (f"Look {people // 2} of 3, at {people} of 6 people" in told_apart) == (people in (2, 4, 6))
    assert [seen[people][0] == "interim" for people in seen] == [True, False, True, False, False]
    assert [seen[people][1] for people in (2, 4, 6)] == [0.0002, 0.0120, 0.0463]
