"""Simulated participants: the parameters come back out of the answers, through the same session and store."""

from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist, median

import pytest

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz import run_session
from gan_eval.quiz.protocol import Timing
from gan_eval.quiz.simulate import Observer, SimulatedParticipant, parse_observer
from gan_eval.quiz.trial import Trial
from gan_eval.stimuli import StimulusSet
from gan_eval.store import open_store
from gan_eval.study import QuizSettings
from gan_eval.tabular import Row


def judge_all(observer: Observer, stimuli: list[Row], people: int) -> list[tuple[str, tuple[str, float] | None]]:
    """(truth, judgement) of every picture by every participant."""
    made = []
    for number in range(people):
        person = SimulatedParticipant(observer, seed=1, participant=f"S{number}")
        made += [(row["kind"], person.judge(Trial(row, Timing(None, 4000)))) for row in stimuli]
    return made


@pytest.mark.parametrize(("dprime", "criterion"), [(0.0, 0.0), (1.2, 0.3), (2.0, -0.4)])
def test_dprime_and_criterion_come_back(rows: Callable[..., list[Row]], dprime: float, criterion: float) -> None:
    observer = Observer(dprime, criterion, lapse=0)
    judged = judge_all(observer, rows(150), people=40)
    z = NormalDist().inv_cdf
    called_fake = {
        kind: [answer[0] == "fake" for truth, answer in judged if truth == kind and answer] for kind in ("real", "fake")
    }
    hit, false_alarm = (z(sum(called_fake[kind]) / len(called_fake[kind])) for kind in ("fake", "real"))
    # 6000 judgements a class of 150 pictures and 40 people whose own deviations are 0.3 and 0.15
    assert hit - false_alarm == pytest.approx(dprime, abs=0.15)
    assert -(hit + false_alarm) / 2 == pytest.approx(criterion, abs=0.1)


def test_lapses_go_half_unanswered(rows: Callable[..., list[Row]]) -> None:
    judged = judge_all(Observer(lapse=0.4), rows(100), people=10)
    assert sum(answer is None for _, answer in judged) / len(judged) == pytest.approx(0.2, abs=0.03)


def test_reaction_times_are_human_and_in_time(rows: Callable[..., list[Row]]) -> None:
    times = [answer[1] for _, answer in judge_all(Observer(), rows(100), people=5) if answer]
    assert 400 < median(times) < 900
    assert max(times) <= 4000
    assert min(times) > 100


@pytest.mark.parametrize(
    ("spec", "observer"),
    [
        ("default", Observer()),
        ("dprime=1.2,criterion=0.1,lapse=0.02", Observer(1.2, 0.1, 0.02)),
        (" lapse = 0 ", Observer(lapse=0)),
    ],
)
def test_specifications(spec: str, observer: Observer) -> None:
    assert parse_observer(spec) == observer


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("dprim=1", "found 'dprim=1'"),
        ("", "wanted default"),
        ("dprime=x", "dprime: found 'x', wanted a number"),
        ("dprime=nan", "from -10 to 10"),
        ("lapse=1.5", "from 0 to 1"),
        ("lapse=0,lapse=0", "twice"),
    ],
)
def test_bad_specifications(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_observer(spec)


def simulate(stimuli: StimulusSet, store: Path, participant: str = "S1") -> list[Row]:
    result = run_session(
        [stimuli],
        QuizSettings(real=25, fake=25),
        participant=participant,
        store=store,
        study_name="study",
        design_hash="hash",
        seed=4,
        fraction=0.5,
        simulate="default",
    )
    assert (result.status, result.simulated, len(result.warnings)) == ("complete", True, 1)
    assert sum(group.shown for group in result.scores) == len(result.trials) == 10
    return list(result.trials)


def test_a_simulated_session_is_marked_everywhere(stimuli: StimulusSet, tmp_path: Path) -> None:
    trials = simulate(stimuli, tmp_path / "store.sqlite")
    with open_store(tmp_path / "store.sqlite") as store:
        (session,) = store.rows(tables.SESSIONS)
        assert (session["presenter"], session["simulated"], session["fraction"]) == ("simulated", True, 0.5)
        assert store.rows(tables.TRIALS) == trials
        assert store.rows(tables.CONSENTS) == []
        for table in (tables.PLANS, tables.TRIALS):
            assert all(row["simulated"] and row["fraction"] == 0.5 for row in store.rows(table))


def test_the_same_seed_name_and_list_give_the_same_answers(stimuli: StimulusSet, tmp_path: Path) -> None:
    def answers(folder: str, participant: str) -> list[tuple[str, str, float]]:
        trials = simulate(stimuli, tmp_path / folder / "store.sqlite", participant)
        return [(row["stimulus"], row["response"], row["reaction_time_ms"]) for row in trials]

    assert answers("a", "S1") == answers("b", "S1")
    assert answers("a", "S2") != answers("b2", "S1")
