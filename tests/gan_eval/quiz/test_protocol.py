"""Every protocol, driven through a dealt plan without screen or store, and its judgement of single trials."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quiz_study import deal, stimulus_rows

from gan_eval.quiz.protocol import QuizProtocol, Showings
from gan_eval.settings.protocols import PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import Row

QUIET = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAKE = {"stimulus": "d/m/1", "stimulus_b": None, "position": None, "kind": "fake", "requested_exposure_ms": None}
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


@pytest.mark.parametrize(
    ("name", "layout"), [*((name, "side_by_side") for name in PROTOCOLS), ("paired", "one_after_other")]
)
@QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_a_whole_plan(name: str, layout: str, seed: int) -> None:
    way = protocol(name, layout=layout, real=4, fake=4, pairs=6, practice=2, exposure_ms=1000)
    plan = deal(stimulus_rows(20, ("cyclegan", "pix2pix")), way.settings, seed=seed, list_number=1).plan
    truths = {way.truth(row) for row in plan} - {None}
    generator = np.random.default_rng(seed)
    done: list[Row] = []
    while (planned := way.next_trial(plan, done)) is not None:
        (original,) = [row for row in plan if row["trial"] == planned["trial"]]
        assert {**planned, "requested_exposure_ms": None} == {**original, "requested_exposure_ms": None}
        shown = [stimulus for showing in way.showings(planned) for stimulus in showing]
        assert sorted(shown) == sorted(each for each in (planned["stimulus"], planned["stimulus_b"]) if each)
        assert len(way.showings(planned)) == (2 if len(shown) == 2 and layout == "one_after_other" else 1)
        timing = way.timing(planned)
        assert (timing.requested_exposure_ms, timing.response_ms) == (planned["requested_exposure_ms"], 4000)
        truth = way.truth(planned)
        assert truth is None or truth in way.answers.values()
        answer = generator.choice([*way.answers.values(), None])
        judged = way.judge(planned, answer)
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
    page = Path(__file__).parents[3] / "docs" / "protocols.md"
    (source,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)
    countdown = names["Countdown"](QuizSettings())
    plan = [{"trial": number, "requested_exposure_ms": None} for number in (1, 2)]
    first = countdown.next_trial(plan, [])
    second = countdown.next_trial(plan, [first])
    assert [countdown.timing(planned).requested_exposure_ms for planned in (first, second)] == [1000, 950]
    assert countdown.next_trial(plan, [first, second]) is None
