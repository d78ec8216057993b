"""What the screen says between and after pictures: progress, questions, feedback. Never while a picture is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan_eval.quiz.instructions import keys_in_order
from gan_eval.quiz.trial import Feedback
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

_QUESTIONS = {"paired": "question_pair", "model_vs_model": "question_models", "rating": "question_rating"}
"""Protocols whose answers need a reminder of the keys; real and fake do not."""


@dataclass(frozen=True)
class TrialWords:
    """The words of one participant's trials."""

    texts: Texts
    settings: QuizSettings
    keys: Mapping[str, str]
    """The key of each answer."""

    def progress(self, plan: Sequence[Row], coming: int) -> str:
        """Which trial of how many comes next, practice apart; nothing after the last.

        Args:
            plan: the session's plan, in its order.
            coming: the place of the trial in it, from 0.
        """
        if coming >= len(plan):
            return ""
        practice = plan[coming]["phase"] == "practice"
        alike = [place for place, row in enumerate(plan) if (row["phase"] == "practice") == practice]
        name = "practice_progress" if practice else "progress"
        return self.texts(name, number=alike.index(coming) + 1, trials=len(alike))

    @property
    def question(self) -> str:
        """Asked once everything has vanished and no answer has come; empty where it goes without saying."""
        name = _QUESTIONS.get(self.settings.protocol)
        if name is None:
            return ""
        if self.settings.protocol == "rating":
            return self.texts(name, grades=self.settings.grades)
        keys = (f"{key}: {self.texts(f'answer_{answer}')}" for key, answer in keys_in_order(self.keys))
        return self.texts(name, keys="    ".join(keys))

    @property
    def confidence(self) -> str:
        """Asked after each answer where the study wants it."""
        return self.texts("confidence_question", levels=self.settings.confidence)

    def feedback(self, feedback: Feedback) -> str:
        """What a practice trial tells."""
        if feedback.truth is None:
            return self.texts("feedback_no_answer")
        name = {True: "feedback_right", False: "feedback_wrong", None: "feedback_none"}[feedback.correct]
        return self.texts(name, truth=self.texts(f"answer_{feedback.truth}"))
