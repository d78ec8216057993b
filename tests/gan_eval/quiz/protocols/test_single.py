"""The quick-response quiz and yes/no at several exposures."""

import pytest

from gan_eval.quiz.protocols import Timing
from gan_eval.quiz.protocols.single import QuickResponse, YesNo
from gan_eval.settings.quiz import QuizSettings

FAKE = {"stimulus": "d/m/1", "kind": "fake", "requested_exposure_ms": None}


@pytest.mark.parametrize(
    ("answer", "response", "correct"), [("fake", "fake", True), ("real", "real", False), (None, "none", None)]
)
def test_judgement(answer: str | None, response: str, correct: bool | None) -> None:
    judged = QuickResponse(QuizSettings()).judge(FAKE, answer)
    assert judged == {"response": response, "choice": None, "rating": None, "correct": correct}


def test_showing_and_truth() -> None:
    protocol = QuickResponse(QuizSettings())
    assert protocol.showings(FAKE) == (("d/m/1",),)
    assert protocol.truth(FAKE) == "fake"


def test_each_trial_has_the_exposure_of_its_plan() -> None:
    protocol = YesNo(QuizSettings(protocol="yes_no", exposures_ms=(100, "until-answer"), response_ms="unlimited"))
    assert protocol.timing({**FAKE, "requested_exposure_ms": 100.0}) == Timing(100.0, None)
    assert protocol.timing(FAKE) == Timing(None, None)
