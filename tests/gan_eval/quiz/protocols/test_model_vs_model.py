"""Two models' pictures of one item."""

import pytest

from gan_eval.quiz.protocols.paired import ModelVsModel
from gan_eval.settings.quiz import QuizSettings

ROW = {"stimulus": "A", "stimulus_b": "B", "position": "right", "model": "cyclegan|pix2pix"}


@pytest.mark.parametrize(("answer", "choice"), [("right", "a"), ("left", "b"), (None, "none")])
def test_a_choice_is_neither_right_nor_wrong(answer: str | None, choice: str) -> None:
    protocol = ModelVsModel(QuizSettings(protocol="model_vs_model"))
    assert protocol.judge(ROW, answer) == {"response": None, "choice": choice, "rating": None, "correct": None}
    assert protocol.truth(ROW) is None
    assert protocol.showings(ROW) == (("B", "A"),)
