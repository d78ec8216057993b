"""Looks at a study before all its people have come: what they spend, when they are due, and what the tables say."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated
from scipy.stats import multivariate_normal

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.compare.comparisons import comparisons
from gan_eval.stats.latex import latex
from gan_eval.stats.looks import (
    ALPHA,
    Look,
    LookPlan,
    TakenLook,
    alpha_spent,
    level,
    looks_text,
    read_looks,
    take_look,
    write_looks,
)
from gan_eval.stats.paper import printed
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import write_table


def due(plan: LookPlan, people: int, taken: list[Look]) -> Look:
    """The look at this number of people, which must be due."""
    look = plan.current(people, taken, f"answers of {people}")
    assert look is not None
    return look


def take(plan: LookPlan, *people: int) -> list[Look]:
    """Looks at these numbers of people, one after the other; each must be due."""
    taken: list[Look] = []
    for count in people:
        taken.append(due(plan, count, taken))
    return taken


@pytest.mark.parametrize(
    ("looks", "published"),
    [  # Lan-DeMets, O'Brien-Fleming type, two-sided 0.05: Reboussin et al. 2000, Controlled Clinical Trials 21, 190
        (1, [1.9600]),
        (2, [2.9626, 1.9686]),
        (3, [3.7103, 2.5114, 1.9930]),
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
    ],
)
def test_equal_looks_have_the_published_boundaries(looks: int, published: list[float]) -> None:
    taken = take(LookPlan(looks, 30), *(30 * number // looks for number in range(1, looks + 1)))
    assert [look.z for look in taken] == pytest.approx(published, abs=2e-4)
    assert taken[-1].spent == ALPHA
    assert taken[0].alpha == pytest.approx(taken[0].spent, rel=1e-8), "the first look has nobody before it"


def test_uneven_looks_spend_what_they_may_by_the_multivariate_normal() -> None:
    people = [11, 17, 30]
    z = [look.z for look in take(LookPlan(4, 30), *people)]  # the third of four is never taken
    correlation = np.sqrt(np.minimum.outer(people, people) / np.maximum.outer(people, people))
    for looks in (1, 2, 3):
        normal = multivariate_normal(
            cov=correlation[:looks, :looks], seed=0, maxpts=1_000_000, abseps=1e-7, releps=1e-7
        )
        edges = np.array(z[:looks])
        stays = normal.cdf(edges, lower_limit=-edges)
        assert 1 - stays == pytest.approx(alpha_spent(people[looks - 1] / 30), abs=5e-6)


def test_a_look_is_taken_when_it_is_due_and_once() -> None:
    plan = LookPlan(3, 6)
    assert [plan.due_at(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert plan.current(1, [], "few") is None
    (first,) = taken = take(plan, 2)
    assert plan.current(2, taken, "answers of 2") == first, "the same answers again spend nothing"
    assert plan.current(2, taken, "others") is None
    assert plan.current(3, taken, "more") is None
    assert plan.text(3, taken, None) == (
        "interim: no verdict (3 of 6 people; look 1 of 3 was taken at 2; look 2 of 3 comes at 4)"
    )
    second = due(plan, 5, taken)
    assert second.spent == alpha_spent(5 / 6)
    done = [*taken, second]
    assert plan.text(5, done, second) == (
        f"look 2 of 3, at 5 of 6 people: a verdict needs p below {second.alpha:.2g}; look 3 comes at 6"
    )
    last = due(plan, 6, done)
    assert plan.text(6, [*done, last], last).startswith("look 3 of 3, at 6 of 6 people: a verdict needs p below 0.0")
    assert plan.current(7, [*done, last], "one more") is None
    assert "look 3 of 3 was taken at 6" in plan.text(7, [*done, last], None)


def test_looks_that_were_not_taken_spend_nothing_and_wanting_more_people_gives_nothing_back() -> None:
    (only,) = take(LookPlan(3, 6), 6)
    assert only.alpha == pytest.approx(0.05)
    taken = take(LookPlan(3, 6), 2, 4)
    more = due(LookPlan(3, 12), 8, taken)
    assert more.spent == pytest.approx(taken[-1].spent), "two thirds of 12 may spend what two thirds of 6 have spent"
    assert more.alpha == 0
    assert LookPlan(3, 12).current(5, taken, "more") is None


def test_without_looks_all_people_are_awaited_and_more_are_welcome() -> None:
    plan = LookPlan(1, 6)
    assert plan.current(5, [], "few") is None
    assert plan.text(5, [], None) == "interim: no verdict (5 of 6 people)"
    for people in (6, 7):
        look = due(plan, people, [])
        assert look.alpha == ALPHA
        assert plan.text(people, [], look) == ""


def test_looks_are_noted_in_the_study_s_folder(tmp_path) -> None:
    write_looks(tmp_path, [])
    assert read_looks(tmp_path) == []
    assert not (tmp_path / OWN_FOLDER).exists()
    (tmp_path / OWN_FOLDER).mkdir()
    taken = take(LookPlan(3, 6), 2, 4)
    write_looks(tmp_path, taken)
    assert read_looks(tmp_path) == taken
    (tmp_path / OWN_FOLDER / "looks.json").write_text('[{"people": 2}]')
    with pytest.raises(UserError, match=r"looks\.json: no record of looks .* restore it or remove it"):
        read_looks(tmp_path)


@pytest.mark.parametrize(
    "second",
    [
        *(Look(5, 0.002, 3.0), Look(10, 0.002, 3.0), Look(math.inf, 0.002, 3.0), Look(11, 0.0005, 3.0)),
        *(Look(11, math.nan, 3.0), Look(11, 0.002, 0.0), Look(11, 0.002, -3.0), Look(11, 0.002, math.nan)),
    ],
)
def test_looks_that_cannot_have_been_taken_are_refused(tmp_path, second) -> None:
    """With the first one here, a look at 12 people had z = 0: any p was below its level."""
    for looks in ([Look(10, 0.001, 3.0), second], [Look(0, 0.001, 3.0)]):
        (tmp_path / OWN_FOLDER).mkdir(exist_ok=True)
        write_looks(tmp_path, looks)
        with pytest.raises(UserError, match=r"looks\.json: no record of looks .* restore it or remove it"):
            read_looks(tmp_path)


THREE = LookPlan(3, 6)


def first(people: int, *, skill: float = 1.4) -> pd.DataFrame:
    """The trials of the first people of six."""
    trials = simulated(participants=6, stimuli=40, each=40, intercept=skill, real=0.0, models=("a", "b"), seed=4)
    return trials[trials["participant"].isin(sorted(trials["participant"].unique())[:people])].reset_index(drop=True)


def look(*given: Any) -> TakenLook:
    """Return what a look finds; it must be due or expected."""
    looked = take_look(*given)
    assert looked is not None
    return looked


def test_people_count_with_a_complete_session_of_their_own() -> None:
    trials = first(3)
    looked = look(LookPlan(1, 6), [], trials)
    assert looks_text(looked.table) == "interim: no verdict (3 of 6 people)"
    names = list(trials["session"].unique())
    sessions = pd.DataFrame(
        {"session": names, "participant": names, "status": ["complete", "open", "aborted"], "simulated": False}
    )
    looked = look(LookPlan(1, 6), [], trials, sessions)
    assert looks_text(looked.table) == "interim: no verdict (1 of 6 people)"
    second = trials["participant"] == trials["participant"].unique()[1]
    looked = look(LookPlan(1, 2), [], trials.assign(simulated=second.to_numpy(bool)))
    assert looked.table["n_people"].tolist() == [2]
    assert looks_text(looked.table) == ""
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
