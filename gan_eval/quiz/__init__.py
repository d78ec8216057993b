"""The timed real-vs-fake quiz: draw, protocol, session and review in plain Python; `app/` is the Qt part.

The names below are imported when they are first used: a part of the quiz can be used without its store.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.quiz.run import SessionResult, run_session

__all__ = ["SessionResult", "run_session"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from gan_eval.quiz import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
