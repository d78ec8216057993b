"""Every protocol from the draw to the statistics, and its judgement of single trials."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quiz_study import deal, rehearse, stimulus_rows, two_models

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.protocol import QuizProtocol, Showings
from gan_eval.settings.protocols import PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.tables.choices import choices
from gan_eval.stats.tables.grades import ratings
from gan_eval.stats.tables.hype import thresholds
from gan_eval.stats.tables.rates import rates
from gan_eval.store import open_store
from gan_eval.store.export import export_store
from gan_eval.tables import PLANS, TRIALS
from gan_eval.tables.frames import Row, frame_of, read_table

QUIET = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAKE = {"stimulus": "d/m/1", "stimulus_b": None, "position": None, "kind": "fake", "requested_exposure_ms": None}
WAYS = {
    "quick_response": ({}, rates),
    "yes_no": ({"response_ms": "unlimited"}, rates),
    "paired": ({}, choices),
    "paired, in turn": ({"layout": "one_after_other"}, choices),
    "staircase": ({"response_ms": "unlimited"}, thresholds),
    "quest_plus": ({}, thresholds),
    "model_vs_model": ({"exposure_ms": "until-answer", "response_ms": "unlimited"}, choices),
    "model_vs_model, in turn": ({"layout": "one_after_other", "response_ms": "unlimited"}, choices),
    "rating": ({}, ratings),
}
"""Settings, and the statistic that reads the answers, by protocol."""
NOTHING = {"response": None, "choice": None, "rating": None, "correct": None}


def protocol(name: str, **settings: object) -> QuizProtocol:
    return QuizProtocol(QuizSettings.model_validate({"protocol": name, **settings}))


def pair(position: str) -> Row:
    return {"stimulus": "A", "stimulus_b": "B", "position": position, "kind": None, "requested_exposure_ms": 1000.0}


@pytest.mark.parametrize(
    ("position", "showings"),
    [("left", (("A", "B"),)), ("right", (("B", "A"),)), ("first", (("A",), ("B",))), ("second", (("B",), ("A",)))],
)
def test_a_pair_stands_as_the_position_of_its_first_picture_says(position: str, showings: Showings) -> None:
    assert protocol("paired").showings(pair(position)) == showings


def test_every_protocol_has_its_way() -> None:
    assert {way.partition(",")[0] for way in WAYS} == set(PROTOCOLS)


@pytest.mark.parametrize("way", WAYS)
def test_from_the_draw_to_the_statistics(stimuli: StimulusSet, tmp_path: Path, way: str) -> None:
    more, statistic = WAYS[way]
    asked = {"protocol": way.partition(",")[0], "real": 4, "fake": 4, "pairs": 8, "practice": 2, "confidence": 4}
    settings = QuizSettings.model_validate(asked | {"exposure_ms": 600} | more)
    store, is_pair, in_turn = tmp_path / "store.sqlite", settings.shows_pairs, settings.layout == "one_after_other"
    sessions = [
        rehearse(two_models(stimuli), store, f"S{n}", settings, seed=4, spec="dprime=2,lapse=0.2") for n in range(2)
    ]
    for session in sessions:
        trials, main = session.trials, session.trials[2:]
        assert (session.status, [row["phase"] for row in trials]) == ("complete", ["practice"] * 2 + ["main"] * 8)
        assert len({row["item"] for row in trials}) == 10
        shares = Counter(row["model"] for row in main)
        models = {"hiddenmodel|other": 8} if "model_vs" in way else {"hiddenmodel": 4, "other": 4}
        assert shares == (models if is_pair else {None: 4, "hiddenmodel": 2, "other": 2})
        if is_pair:
            assert sorted(Counter(row["position"] for row in main).values()) == [4, 4]
        for row in trials:
            answered = row["reaction_time_ms"] is not None
            assert answered or settings.response_ms != "unlimited"
            assert (row["confidence"] in (1, 2, 3, 4)) is answered
            given = row["rating"] is not None or row["choice"] in ("a", "b") or row["response"] in ("real", "fake")
            assert given is answered
            assert row["flags"] is None
            assert (row["second_exposure_ms"] is not None) is in_turn
            assert not in_turn or row["second_onset_ms"] - row["onset_ms"] == pytest.approx(900)
    every = [row for session in sessions for row in session.trials]
    with open_store(store) as opened:
        assert opened.rows(TRIALS) == every
        assert len(opened.rows(PLANS)) == 20
    export_store(store, tmp_path / "out", formats=["csv"])
    exported = read_table(tmp_path / "out" / "trials.csv", TRIALS)
    assert exported.equals(frame_of(every, TRIALS))
    assert len(statistic(exported))


@pytest.mark.parametrize("way", WAYS)
@QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_a_whole_plan(way: str, seed: int) -> None:
    name, layout = way.partition(",")[0], WAYS[way][0].get("layout", "side_by_side")
    rules = protocol(name, layout=layout, real=4, fake=4, pairs=6, practice=2, exposure_ms=1000)
    plan = deal(stimulus_rows(20, ("cyclegan", "pix2pix")), rules.settings, seed=seed, list_number=1).plan
    truths = {rules.truth(row) for row in plan} - {None}
    generator = np.random.default_rng(seed)
    done: list[Row] = []
    while (planned := rules.next_trial(plan, done)) is not None:
        (original,) = [row for row in plan if row["trial"] == planned["trial"]]
        assert {**planned, "requested_exposure_ms": None} == {**original, "requested_exposure_ms": None}
        shown = [stimulus for showing in rules.showings(planned) for stimulus in showing]
        assert sorted(shown) == sorted(each for each in (planned["stimulus"], planned["stimulus_b"]) if each)
        assert len(rules.showings(planned)) == (2 if len(shown) == 2 and layout == "one_after_other" else 1)
        timing = rules.timing(planned)
        assert (timing.requested_exposure_ms, timing.response_ms) == (planned["requested_exposure_ms"], 4000)
        truth = rules.truth(planned)
        assert truth is None or truth in rules.answers.values()
        answer = generator.choice([*rules.answers.values(), None])
        judged = rules.judge(planned, answer)
        assert list(judged) == list(NOTHING)
        for column in TRIALS.columns:
            if column.name in judged and column.words and judged[column.name] is not None:
                assert judged[column.name] in column.words
        assert judged["correct"] == (answer == truth if answer in truths else None), "what is never true is not wrong"
        done.append({**planned, **judged, "protocol": name})
    assert [row["trial"] for row in done] == [row["trial"] for row in plan]


@pytest.mark.parametrize(
    ("name", "planned", "answer", "judged"),
    [
        ("quick_response", FAKE, "fake", {"response": "fake", "correct": True}),
        ("quick_response", FAKE, "real", {"response": "real", "correct": False}),
        ("yes_no", FAKE, None, {"response": "none"}),
        ("rating", FAKE, "4", {"rating": 4.0}),
        ("rating", FAKE, None, {}),
        ("paired", pair("left"), "left", {"choice": "a", "correct": True}),
        ("paired", pair("left"), "right", {"choice": "b", "correct": False}),
        ("paired", pair("first"), "second", {"choice": "b", "correct": False}),
        ("paired", pair("second"), "second", {"choice": "a", "correct": True}),
        ("paired", pair("second"), None, {"choice": "none"}),
        ("model_vs_model", pair("right"), "right", {"choice": "a"}),
        ("model_vs_model", pair("right"), "left", {"choice": "b"}),
        ("model_vs_model", pair("right"), None, {"choice": "none"}),
    ],
)
def test_judgement(name: str, planned: Row, answer: str | None, judged: Row) -> None:
    assert protocol(name).judge(planned, answer) == NOTHING | judged


def test_an_interrupted_plan_resumes_at_the_first_trial_that_is_not_done() -> None:
    plan = [{"trial": number} for number in (1, 2, 3)]
    assert protocol("quick_response").next_trial(plan, [{"trial": 1}, {"trial": 3}]) == {"trial": 2}
    assert protocol("quick_response").next_trial(plan, plan) is None


def test_the_protocol_in_the_documentation_works() -> None:
    page = Path(__file__).parents[3] / "docs" / "simulated.md"
    (source,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)
    countdown = names["Countdown"](QuizSettings())
    plan = [{"trial": number, "requested_exposure_ms": None} for number in (1, 2)]
    first = countdown.next_trial(plan, [])
    second = countdown.next_trial(plan, [first])
    assert [countdown.timing(planned).requested_exposure_ms for planned in (first, second)] == [1000, 950]
    assert countdown.next_trial(plan, [first, second]) is None
