"""Rating: one picture at a time, how real it looks as a grade.

Absolute category rating, as in ITU-T P.910: five grades by default, 1 the lowest.
"""

from gan_eval.quiz.protocols.interface import judged
from gan_eval.quiz.protocols.single import QuickResponse
from gan_eval.tabular import Row


class Rating(QuickResponse):
    """Shown as in the quick-response quiz; the answers are the grades, as words: `1`, `2`, ..."""

    name = "rating"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The grade; there is no right or wrong."""
        return judged(rating=None if answer is None else float(answer))

    def truth(self, planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None
