"""What every protocol has to do, whatever it shows and asks: driven through a dealt plan without screen or store."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_eval.quiz.draw import deal
from gan_eval.quiz.protocols import PROTOCOLS, protocol_for
from gan_eval.quiz.protocols.interface import first_undone
from gan_eval.settings.quiz import ProtocolName, QuizSettings
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import Row

MODELS = ("cyclegan", "pix2pix")
LAYOUTS = ("side_by_side", "one_after_other")
QUIET = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_every_name_in_a_study_file_has_a_protocol() -> None:
    assert set(PROTOCOLS) == set(get_args(ProtocolName))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", PROTOCOLS)
@QUIET
@given(seed=st.integers(0, 2**32 - 1))
def test_a_whole_plan(rows: Callable[..., list[Row]], name: str, layout: str, seed: int) -> None:
    quiz = QuizSettings.model_validate(
        {"protocol": name, "layout": layout, "real": 4, "fake": 4, "pairs": 6, "practice": 2, "exposure_ms": 1000}
    )
    plan = deal(rows(20, MODELS), quiz, seed=seed, list_number=1).plan
    protocol = protocol_for(quiz)
    truths = {protocol.truth(row) for row in plan} - {None}
    generator = np.random.default_rng(seed)
    done: list[Row] = []
    while (planned := protocol.next_trial(plan, done)) is not None:
        (original,) = [row for row in plan if row["trial"] == planned["trial"]]
        assert {**planned, "requested_exposure_ms": None} == {**original, "requested_exposure_ms": None}
        shown = [stimulus for showing in protocol.showings(planned) for stimulus in showing]
        assert sorted(shown) == sorted(each for each in (planned["stimulus"], planned["stimulus_b"]) if each)
        assert len(protocol.showings(planned)) == (2 if len(shown) == 2 and layout == "one_after_other" else 1)
        timing = protocol.timing(planned)
        assert timing.flash_ms == planned["requested_exposure_ms"]
        assert timing.response_ms == 4000
        truth = protocol.truth(planned)
        assert truth is None or truth in protocol.answers.values()
        answer = generator.choice([*protocol.answers.values(), None])
        judged = protocol.judge(planned, answer)
        assert_fits_the_table(judged)
        assert judged["correct"] == (answer == truth if answer in truths else None), "what is never true is not wrong"
        done.append({**planned, **judged, "protocol": name})
    assert [row["trial"] for row in done] == [row["trial"] for row in plan]


def assert_fits_the_table(judged: Row) -> None:
    assert list(judged) == ["response", "choice", "rating", "correct"]
    for column in TRIALS.columns:
        if column.name in judged and column.words and judged[column.name] is not None:
            assert judged[column.name] in column.words


def test_an_interrupted_plan_goes_on_at_the_first_trial_that_is_not_done() -> None:
    plan = [{"trial": number} for number in (1, 2, 3)]
    assert first_undone(plan, [{"trial": 1}, {"trial": 3}]) == {"trial": 2}
    assert first_undone(plan, plan) is None


def test_keys_change_places_on_every_second_list() -> None:
    quiz = QuizSettings(keys={"real": "J", "fake": "f"}, counterbalance_keys=True)
    assert protocol_for(quiz, list_number=2).answers != protocol_for(quiz, list_number=1).answers
    assert {frozenset(protocol_for(quiz, list_number=number).answers.items()) for number in (1, 2, 3, 4)} == {
        frozenset({("j", "real"), ("f", "fake")}),
        frozenset({("j", "fake"), ("f", "real")}),
    }


def test_the_protocol_in_the_documentation_works() -> None:
    page = Path(__file__).parents[4] / "docs" / "protocols.md"
    (source,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)
    protocol = names["Countdown"](QuizSettings())
    plan = [{"trial": number, "requested_exposure_ms": None} for number in (1, 2)]
    first = protocol.next_trial(plan, [])
    second = protocol.next_trial(plan, [first])
    assert [protocol.timing(planned).flash_ms for planned in (first, second)] == [1000, 950]
    assert protocol.next_trial(plan, [first, second]) is None
