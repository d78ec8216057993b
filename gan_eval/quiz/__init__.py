"""The timed real-vs-fake quiz: draw, protocol, session and review in plain Python; `app/` is the Qt part."""

from gan_eval.quiz.run import SessionResult, run_session

__all__ = ["SessionResult", "run_session"]
