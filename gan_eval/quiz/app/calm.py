"""The program while a session is presented: ahead of others, quick between threads, no garbage at bad moments."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gan_eval.quiz.app.process import raised_priority

SWITCH_S = 0.0005
"""How long the threads that write and deliver may hold the interpreter while the one that presents waits for it."""


@contextmanager
def calm_interpreter() -> Iterator[None]:
    """Go before other programs and switch threads quickly; at the end everything is as it was.

    Inside, trials turn the collector of cyclic garbage off from the onset to the blank, and `spare_the_old` keeps it
    from going through what is there anyway.
    """
    usual_switch_s, collected = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(SWITCH_S)
    try:
        with raised_priority():
            yield
    finally:
        sys.setswitchinterval(usual_switch_s)
        gc.unfreeze()
        if collected:
            gc.enable()


def spare_the_old() -> None:
    """Collect now, and leave what is alive out of later collections."""
    gc.collect()
    gc.freeze()
