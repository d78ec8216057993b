"""Grades on the number keys."""

import pytest

from gan_eval.quiz.protocols.single import Rating
from gan_eval.settings.quiz import QuizSettings

ROW = {"stimulus": "d/m/1", "kind": "fake", "requested_exposure_ms": None}


@pytest.mark.parametrize(("answer", "rating"), [("4", 4.0), (None, None)])
def test_a_grade_is_neither_right_nor_wrong(answer: str | None, rating: float | None) -> None:
    protocol = Rating(QuizSettings(protocol="rating"))
    assert protocol.judge(ROW, answer) == {"response": None, "choice": None, "rating": rating, "correct": None}
    assert protocol.truth(ROW) is None


@pytest.mark.parametrize("grades", [2, 5, 9])
def test_there_are_as_many_keys_as_grades(grades: int) -> None:
    answers = Rating(QuizSettings(protocol="rating", grades=grades)).answers
    assert answers == {str(grade): str(grade) for grade in range(1, grades + 1)}
