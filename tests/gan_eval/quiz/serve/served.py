"""A study that is served in this process."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from robot import Robot
from starlette.testclient import TestClient

from gan_eval import tables
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table


class Served:
    """A study, its server in this process, and its store."""

    def __init__(self, study: QuizStudy, where: Path | str, stack: ExitStack, **how: Any) -> None:
        self.study, self.where = study, where
        self.room = stack.enter_context(Room(study, where))
        self.said: list[str] = []
        self.live = LiveStudy(self.room, say=self.said.append, **how)
        # one event loop for all requests, as in the real server
        self.client = stack.enter_context(TestClient(make_app(self.live), base_url="http://testserver"))

    def robot(self, participant: str = "P01", **more: Any) -> Robot:
        return Robot(self.client, participant, study=self.study, **more)

    def begun(self, participant: str = "P01", **screen: Any) -> tuple[Robot, list[Row], dict[str, Any]]:
        """A browser whose participant has agreed and is ready; the plan, and the first trial."""
        robot = self.robot(participant)
        robot.arrive()
        return robot, self.rows(tables.PLANS, session=robot.setup["session"]), robot.ready(**screen)

    def rows(self, table: Table, **equal: Any) -> list[Row]:
        with open_store(self.where) as store:
            return store.rows(table, **equal)


Serve = Callable[..., Served]
"""The fixture that serves a study with settings of the quiz."""
