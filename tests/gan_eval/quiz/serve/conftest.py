"""A study that is served in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from quiz_study import two_models
from robot import Robot
from starlette.testclient import TestClient

from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table


class Served:
    """A study, its server in this process, and its store."""

    def __init__(self, study: QuizStudy, where: Path, stack: ExitStack, **how: Any) -> None:
        self.study, self.where = study, where
        self.room = stack.enter_context(Room(study, where))
        self.said: list[str] = []
        self.live = LiveStudy(self.room, say=self.said.append, **how)
        # one event loop for all requests, as in the real server
        self.client = stack.enter_context(TestClient(make_app(self.live), base_url="http://testserver"))

    def robot(self, participant: str = "P01", **more: Any) -> Robot:
        """A participant's browser."""
        return Robot(self.client, self.study, participant, **more)

    def rows(self, table: Table, **equal: Any) -> list[Row]:
        """Rows of the store."""
        with open_store(self.where) as store:
            return store.rows(table, **equal)


@pytest.fixture
def serve(stimuli: StimulusSet, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a study with these settings of the quiz."""
    with ExitStack() as stack:

        def make(where: str = "served.sqlite", *, intro: bool = True, **quiz: Any) -> Served:
            settings = QuizSettings(**{"real": 4, "fake": 4, "pairs": 4, **quiz})
            shown = [two_models(stimuli)]
            study = QuizStudy(name="tiles", settings=settings, shown=shown, seed=5, design={"made": "here"})
            return Served(study, tmp_path / where, stack, intro=intro)

        yield make
