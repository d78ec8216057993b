"""A study that is served in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from quiz_study import two_models
from robot import Served

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.library import Library
from gan_eval.settings.quiz import QuizSettings


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let robots report seconds that have not passed."""
    monkeypatch.setattr("gan_eval.quiz.remote.CLOCK_MS", float("inf"))


@pytest.fixture
def serve(stimuli: StimulusSet, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a study with these settings of the quiz."""
    with ExitStack() as stack:

        def make(where: str = "served.sqlite", *, intro: bool = True, store: str | None = None, **quiz: Any) -> Served:
            settings = QuizSettings(**{"real": 4, "fake": 4, "pairs": 4, **quiz})
            shown = [two_models(stimuli)]
            study = QuizStudy(name="tiles", settings=settings, shown=shown, seed=5, design={"made": "here"})
            return Served(study, store or tmp_path / where, stack, library=Library(shown), intro=intro)  # not audited

        yield make
