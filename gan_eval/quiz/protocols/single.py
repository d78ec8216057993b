"""One picture at a time: called real or fake, at fixed, mixed or adapted exposures; or graded."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from gan_eval.quiz.protocols.interface import NO_ANSWER, QuizProtocol, Showings, first_undone, judged
from gan_eval.settings.adaptive import QUEST_PLUS, STAIRCASE, PsychometricGrid, moving_trials
from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.tables.frames import Row


class QuickResponse(QuizProtocol):
    """One picture at a time, called real or fake.

    With `until-answer` the picture vanishes at the answer, or when the response window closes. A fixed flash goes on
    for as long as was requested, also where the answer comes during it; that answer counts. Either way an answer is
    accepted until `response_ms` after onset, by the moment of the key press; later the trial is recorded as `none`.
    """

    name = "quick_response"
    in_brief = "one picture at a time, real or fake"
    methods = "Participants saw one picture at a time and called it real or fake"

    def showings(self, planned: Row) -> Showings:
        """The one picture."""
        return ((planned["stimulus"],),)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """Right is the answer that equals the truth; without an answer there is no right or wrong."""
        return judged(response=answer or NO_ANSWER, correct=None if answer is None else answer == planned["kind"])

    @staticmethod
    def truth(planned: Row) -> str | None:
        """What the picture is."""
        return str(planned["kind"])


class YesNo(QuickResponse):
    """The same with exposures that differ from trial to trial, as the plan says."""

    name = "yes_no"
    in_brief = "one picture at a time at several exposures, real or fake"
    methods = "Participants saw one picture at a time, at several exposures, and called it real or fake"


class Rating(QuickResponse):
    """How real one picture looks: absolute category rating as in ITU-T P.910, five grades by default, 1 the lowest."""

    name = "rating"
    graded = True
    title = "welcome_title_rating"
    question = "question_rating"
    in_brief = "one picture at a time, graded"
    methods = "Participants graded one picture at a time"

    def task(self) -> str:
        """With the highest grade."""
        return "task_rating"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The grade; there is no right or wrong."""
        return judged(rating=None if answer is None else float(answer))

    @staticmethod
    def truth(planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None


class Staircase(QuickResponse):
    """One picture at a time, called real or fake; a right answer shortens the next exposure, a wrong one lengthens it.

    After HYPE_time (Zhou et al. 2019, arXiv 1904.01121, section 2.1): from 500 ms, within 100 to 1000 ms; blocks of 75
    real and 75 fake pictures. Which share of right answers it settles at is set by the steps alone: the exposure
    stands still on average where p * down = (1 - p) * up, so at p = up / (up + down) (weighted up-down method,
    Kaernbach 1991, Perception & Psychophysics 49:227). The paper speaks of 3-up/1-down and of 75 % right, which is
    30 ms up and 10 ms down. Its sentence on the steps has the two numbers the other way round; so read it would settle
    at 25 %, below chance, and always end at the shortest exposure. The threshold that is made of it:
    `gan_eval.settings.adaptive`.

    Each block has a staircase of its own. Practice and catch trials are presented for the starting exposure. Where the
    exposure is rounded to whole frames the steps are those of the request, before rounding.
    """

    name = STAIRCASE
    adapts_exposure = True
    in_brief = "one picture at a time, real or fake, at exposures that follow the answers"
    methods = (
        "Participants saw one picture at a time, at an exposure that followed their answers, and called it real or fake"
    )

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan in its order, with the exposure that the answers in the same block lead to."""
        planned = first_undone(plan, done)
        if planned is None:
            return None
        exposure = self.settings.staircase.start_ms
        if planned["phase"] == "main":
            exposure = self.exposure_after([row for row in done if row["block"] == planned["block"]])
        return {**planned, "requested_exposure_ms": exposure}

    def exposure_after(self, rows: Sequence[Row]) -> float:
        """The exposure in ms of the main trial that follows these trials of its block."""
        return exposure_after(rows, self.settings.staircase)


class QuestPlus(Staircase):
    """The same with exposures chosen by QUEST+ (Watson 2017): each where the answer is expected to tell most of the
    exposure at which 75 % are right. The first of each block is the settings' `start_ms`, and the range is theirs.
    """

    name = QUEST_PLUS
    in_brief = "one picture at a time, real or fake, at exposures that QUEST+ chooses by the answers"
    methods = (
        "Participants saw one picture at a time, at an exposure that QUEST+ chose by their answers, and called it real "
        "or fake"
    )

    @cached_property
    def _grid(self) -> PsychometricGrid:
        return PsychometricGrid(self.settings.staircase.shortest_ms, self.settings.staircase.longest_ms)

    def exposure_after(self, rows: Sequence[Row]) -> float:
        """The exposure in ms of the main trial that follows these trials of its block."""
        moving = moving_trials(rows)
        return self._grid.next_exposure(moving) if moving else self.settings.staircase.start_ms


def exposure_after(rows: Iterable[Row], settings: StaircaseSettings) -> float:
    """The exposure in ms of the trial that follows these trials of one block.

    A main trial with an answer moves it. Practice and catch trials do not, nor does a trial without an answer (none in
    time, paused, interrupted, killed): nobody knows what was seen.

    >>> exposure_after([], StaircaseSettings())
    500.0
    """
    exposure = settings.start_ms
    for row in moving_trials(rows):
        step = -settings.down_ms if row["correct"] else settings.up_ms
        exposure = min(max(exposure + step, settings.shortest_ms), settings.longest_ms)
    return exposure


def proportion_right(settings: StaircaseSettings) -> float:
    """The proportion of right answers at which the steps settle.

    >>> proportion_right(StaircaseSettings(down_ms=10, up_ms=30))
    0.75
    """
    return settings.up_ms / (settings.up_ms + settings.down_ms)
