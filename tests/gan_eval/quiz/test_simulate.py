"""Simulated participants: the parameters come back out of the answers, through the same session and store."""

from collections.abc import Collection, Mapping, Sequence
from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist, mean, median
from types import SimpleNamespace

import numpy as np
import pytest
from quiz_study import rehearse, stimulus_rows

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import StimulusSet, read_set, stimulus_row, write_set
from gan_eval.quiz.protocol import Timing
from gan_eval.quiz.simulate import (
    Judgement,
    Observer,
    RealDifferences,
    SimulatedParticipant,
    differences_from_real,
    parse_observer,
)
from gan_eval.quiz.trial import Trial
from gan_eval.settings.protocols import ProtocolName
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import open_store
from gan_eval.tables.frames import Row

REAL_FAKE = ("fake", "real")
Judged = list[tuple[Row, Judgement | None]]


def judge_all(
    observer: Observer,
    plan: list[Row],
    people: int,
    *,
    answers: Collection[str] = REAL_FAKE,
    flash: float | None = None,
    differences: Mapping[str, float] | None = None,
) -> Judged:
    """Every trial with its judgement, by every participant."""
    made: Judged = []
    for number in range(people):
        known = RealDifferences(differences or {}, {})
        person = SimulatedParticipant(observer, seed=1, participant=f"S{number}", differences=known)
        made += [(row, person.judge(Trial(row, Timing(flash, 4000)), answers)) for row in plan]
    return made


def single(items: int) -> list[Row]:
    return [{**row, "stimulus_b": None} for row in stimulus_rows(items)]


def pairs(items: int, a: str, b: str) -> list[Row]:
    """Plan rows of pairs; a is left and right in turns."""
    model = f"{a}|{b}" if a != "real" else b
    found = {row["stimulus"]: row for row in stimulus_rows(items, ("m1", "m2"))}
    return [
        {**found[f"facades/{a}/{number}"], "stimulus_b": f"facades/{b}/{number}", "kind": None, "model": model}
        | {"position": ("left", "right")[number % 2]}
        for number in range(items)
    ]


def z_rates(judged: Judged) -> tuple[float, float]:
    """z of hits and of false alarms."""
    z = NormalDist().inv_cdf
    called = {
        kind: [made.answer == "fake" for row, made in judged if row["kind"] == kind and made] for kind in REAL_FAKE
    }
    return z(mean(called["fake"])), z(mean(called["real"]))


@pytest.mark.nightly
@pytest.mark.parametrize(("dprime", "criterion"), [(0.0, 0.0), (1.2, 0.3), (2.0, -0.4)])
def test_dprime_and_criterion_come_back_over_pictures_of_any_quality(dprime: float, criterion: float) -> None:
    plan = single(150)
    for differences in ({}, normal_scores([row["stimulus"] for row in plan if row["kind"] == "fake"])):
        judged = judge_all(Observer(dprime, criterion, lapse=0), plan, people=40, differences=differences)
        hit, false_alarm = z_rates(judged)
        # 6000 judgements a class of 150 pictures and 40 people whose own deviations are 0.3 and 0.15
        assert hit - false_alarm == pytest.approx(dprime, abs=0.15)
        assert -(hit + false_alarm) / 2 == pytest.approx(criterion, abs=0.1)


def normal_scores(stimuli: Sequence[str]) -> dict[str, float]:
    """Differences of mean 0 and standard deviation 1, the first stimulus nearest to its real picture."""
    scores = [NormalDist().inv_cdf((number + 0.5) / len(stimuli)) for number in range(len(stimuli))]
    return dict(zip(stimuli, np.array(scores) / np.std(scores), strict=True))


def test_the_nearer_fakes_fool_more_often_and_win_in_pairs() -> None:
    plan = [row for row in single(60) if row["kind"] == "fake"]
    differences = normal_scores([row["stimulus"] for row in plan])

    def fooled(plan: list[Row]) -> float:
        made = judge_all(Observer(1.0, lapse=0), plan, people=20, differences=differences)
        return mean(answer.answer == "real" for _, answer in made if answer)

    assert fooled(plan[:30]) > fooled(plan[30:]) + 0.2
    compared = pairs(40, "m1", "m2")
    nearer = {row[place]: sign for row in compared for place, sign in (("stimulus", -1.0), ("stimulus_b", 1.0))}
    judged = judge_all(Observer(lapse=0), compared, people=10, answers=("left", "right"), differences=nearer)
    right = mean(made.answer == row["position"] for row, made in judged if made)
    assert right == pytest.approx(NormalDist().cdf(2 * 0.6 / sqrt(2 * (1 - 0.6**2))), abs=0.04)


def test_differences_are_from_the_real_picture_and_standardised(tmp_path: Path) -> None:
    real = np.full((32, 32, 3), 100, np.uint8)
    write_png(tmp_path / "real.png", real)
    made: list[Row] = []
    for name, picture in (
        ("near", real + 1),
        ("middle", real + 4),
        ("far", real + 16),
        ("small", real[:16]),
        ("alone", real),
        ("broken", real),
    ):
        write_png(tmp_path / f"{name}.png", picture)
        reference = {} if name == "alone" else {"reference_file": "real.png"}
        shared = {"kind": "fake", "model": "m", "dataset": "d", "stem": name, "size": (32, 32), **reference}
        made.append(stimulus_row(tmp_path, tmp_path / f"{name}.png", **shared))
    write_set(tmp_path, made)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    stimuli = read_set(tmp_path, hash_files=False)
    differences = differences_from_real([stimuli]).distance
    assert list(differences) == ["d/m/near", "d/m/middle", "d/m/far"]
    assert list(differences.values()) == pytest.approx([-sqrt(1.5), 0, sqrt(1.5)])  # equal steps of the logarithm
    one = StimulusSet(stimuli.folder, stimuli.rows[:1])
    assert differences_from_real([one]).distance == {}


def test_short_exposures_show_less() -> None:
    hit, false_alarm = z_rates(judge_all(Observer(2.0, lapse=0), single(60), people=20, flash=100.0))
    assert hit - false_alarm == pytest.approx(2.0 * (1 - exp(-100 / 150)), abs=0.2)


def test_pairs_are_right_as_often_as_two_alternatives_should_be() -> None:
    plan = pairs(300, "real", "m1")
    judged = judge_all(Observer(1.5, criterion=0.5, lapse=0), plan, people=10, answers=("left", "right"))
    right = mean(made.answer == row["position"] for row, made in judged if made)
    left = mean(made.answer == "left" for _, made in judged if made)
    assert right == pytest.approx(NormalDist().cdf(1.5 / sqrt(2)), abs=0.04)
    assert left == pytest.approx(0.5, abs=0.05)  # 300 pictures with effects of their own


def test_a_tie_is_called_real_and_loses_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(standard_normal=lambda: 0.0, random=lambda: 1.0)
    monkeypatch.setattr("gan_eval.quiz.simulate.generator", lambda *_: nothing)
    judged = judge_all(Observer(0.0), single(1)[:1], 1)
    judged += judge_all(Observer(0.0), pairs(1, "real", "m1"), 1, answers=("left", "right"))
    assert [made.answer for _, made in judged if made] == ["real", "right"]


def test_grades_go_from_fake_to_real_and_use_the_whole_scale() -> None:
    judged = judge_all(Observer(1.5, lapse=0), single(60), people=10, answers=("1", "2", "3", "4", "5"))
    grades = {kind: [int(made.answer) for row, made in judged if row["kind"] == kind and made] for kind in REAL_FAKE}
    assert set(grades["real"]) == set(grades["fake"]) == {1, 2, 3, 4, 5}
    assert mean(grades["real"]) - mean(grades["fake"]) > 1
    leaning = judge_all(Observer(1.5, 0.8, lapse=0), single(60), people=10, answers=("1", "2", "3", "4", "5"))
    assert mean(int(made.answer) for _, made in leaning if made) > mean(grades["real"] + grades["fake"]) + 0.3


def test_who_is_surer_is_right_more_often() -> None:
    judged = [(row, made) for row, made in judge_all(Observer(1.2, lapse=0), single(60), people=10) if made]
    assert {made.confidence(4) for _, made in judged} == {1, 2, 3, 4}
    assert {made.confidence(1) for _, made in judged} == {1}

    def right(level: int) -> float:
        return mean(made.answer == row["kind"] for row, made in judged if made.confidence(4) == level)

    assert right(4) > right(1) + 0.2


def test_lapses_go_half_unanswered_and_reaction_times_are_human_and_in_time() -> None:
    judged = judge_all(Observer(lapse=0.4), single(100), people=10)
    assert mean(made is None for _, made in judged) == pytest.approx(0.2, abs=0.03)
    times = [made.reaction_ms for _, made in judge_all(Observer(), single(100), people=5) if made]
    assert 400 < median(times) < 900
    assert max(times) <= 4000
    assert min(times) > 100


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dprim=1", "found 'dprim=1'"),
        ("", "expected default"),
        ("dprime=x", r"'dprime=x',.*-10.*10"),
        ("dprime=nan", "from -10 to 10"),
        ("dprime=0_1", "from -10 to 10"),
        ("lapse=1.5", "from 0 to 1"),
        ("lapse=0,lapse=0", "'lapse=0'"),
    ],
)
def test_bad_specifications(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_observer(spec)


def simulate(stimuli: StimulusSet, store: Path, participant: str = "S1") -> list[Row]:
    half = StimulusSet(stimuli.folder, tuple({**row, "fraction": 0.5} for row in stimuli.rows))
    result = rehearse(half, store, participant, QuizSettings(real=25, fake=25), seed=4)
    assert (result.status, result.simulated, len(result.warnings)) == ("complete", True, 1)
    assert len(result.trials) == 10
    return list(result.trials)


def answers_of(trials: list[Row]) -> list[tuple[str, str, float]]:
    return [(row["stimulus"], row["response"], row["reaction_time_ms"]) for row in trials]


def test_a_simulated_session_is_marked_everywhere_and_follows_from_seed_name_and_list(
    stimuli: StimulusSet, tmp_path: Path
) -> None:
    trials = simulate(stimuli, tmp_path / "store.sqlite")
    with open_store(tmp_path / "store.sqlite") as store:
        (session,) = store.rows(tables.SESSIONS)
        assert (session["presenter"], session["simulated"], session["fraction"]) == ("simulated", True, 0.5)
        assert store.rows(tables.TRIALS) == trials
        assert store.rows(tables.CONSENTS) == []
        for table in (tables.PLANS, tables.TRIALS):
            assert all(row["simulated"] and row["fraction"] == 0.5 for row in store.rows(table))
    assert answers_of(simulate(stimuli, tmp_path / "again.sqlite")) == answers_of(trials)
    assert answers_of(simulate(stimuli, tmp_path / "other.sqlite", "S2")) != answers_of(trials)


@pytest.mark.parametrize("protocol", ["staircase", "quest_plus"])
def test_exposures_go_on_from_where_the_stored_answers_led(
    stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: ProtocolName
) -> None:
    settings = QuizSettings(protocol=protocol, real=5, fake=5)

    def session(store: Path = tmp_path / "store.sqlite") -> Sequence[Row]:
        return rehearse(stimuli, store, "S1", settings, seed=4, spec="lapse=0").trials

    whole_judge, judged = SimulatedParticipant.judge, []

    def tire(person: SimulatedParticipant, trial: Trial, answers: Collection[str]) -> Judgement | None:
        judged.append(trial)
        if len(judged) > 5:
            raise KeyboardInterrupt
        return whole_judge(person, trial, answers)

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedParticipant, "judge", tire)
        with pytest.raises(KeyboardInterrupt):
            session()
    trials = session()
    assert [row["flags"] for row in trials] == [None] * 5 + ["resumed"] + [None] * 4
    whole = session(tmp_path / "whole.sqlite")
    assert [row["requested_exposure_ms"] for row in trials] == [row["requested_exposure_ms"] for row in whole]
