"""When a participant rests. Plain Python."""

from collections.abc import Sequence

from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row


def break_due(done: Sequence[Row], coming: Row | None, settings: QuizSettings) -> bool:
    """Whether a break comes between the trial that was done last and the one that comes.

    There is one after every `break_every` trials of a block and between blocks, none before the first and after the
    last trial of a session. Where practice ends there always is one: from now on it counts, and that must be said.

    Args:
        done: rows of the trials that are done, the last one last.
        coming: the plan's row of the trial that comes next; None: the session is over.
        settings: how often.

    >>> trials = [{"block": 1, "phase": "main"}] * 4
    >>> every = QuizSettings(break_every=2)
    >>> [break_due(trials[:number], trials[number], every) for number in range(4)]
    [False, False, True, False]
    """
    if not done or coming is None:
        return False
    last = done[-1]
    if last["phase"] == "practice":
        return bool(coming["phase"] != "practice")
    if settings.break_every is None:
        return False
    of_block = [row for row in done if row["phase"] != "practice" and row["block"] == last["block"]]
    return bool(last["block"] != coming["block"] or len(of_block) % settings.break_every == 0)
