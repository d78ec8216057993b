"""Browsers without a screen, and a study that is served to them in this process."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2 as httpx
from starlette.testclient import TestClient

from gan_eval import tables
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.remote import nanoseconds
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.quiz.simulate import (
    Observer,
    RealDifferences,
    SimulatedParticipant,
    differences_from_real,
    simulated_report,
)
from gan_eval.quiz.trial import Trial
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

SCREEN = {
    "width": 1920,
    "height": 1080,
    "window_width": 1920,
    "window_height": 1080,
    "device_pixel_ratio": 1.0,
    "refresh_hz": None,
    "user_agent": "robot",
}


@dataclass
class Page:
    """The messages of one participant's page."""

    client: httpx.Client
    participant: str
    tab: str = "tab-0123456789abcdef"
    token: str = ""
    setup: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Return what names the session and the tab."""
        return {"Authorization": f"Bearer {self.token}", "X-Tab": self.tab} if self.token else {}

    def call(self, name: str, **body: Any) -> httpx.Response:
        return self.client.post(f"api/{name}", json=body, headers=self.headers)

    def ask(self, name: str, **body: Any) -> dict[str, Any]:
        response = self.call(name, **body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def open(self) -> dict[str, Any]:
        return self.ask("open", participant=self.participant)

    def arrive(self, name: str = "begin", **more: Any) -> dict[str, Any]:
        """Agree to take part, or resume."""
        self.setup = self.ask(name, participant=self.participant, tab=self.tab, consent=True, **more)
        self.token = self.setup["token"]
        return self.setup

    def ready(self, answers: dict[str, str | None] | None = None, **screen: Any) -> dict[str, Any]:
        """Send everything before the first trial; the first trial."""
        following: dict[str, Any] = self.ask("ready", answers=answers or {}, screen={**SCREEN, **screen})["next"]
        return following


_DIFFERENCES: dict[tuple[tuple[str, str], ...], RealDifferences] = {}
"""Differences of the fakes of each study, which is the same in most tests."""


@dataclass(kw_only=True)
class Robot(Page):
    """A page whose participant is simulated."""

    study: QuizStudy
    now_ms: float = 1000.0

    def __post_init__(self) -> None:
        self.protocol = QuizProtocol(self.study.settings, list_number=1)

    @cached_property
    def person(self) -> SimulatedParticipant:
        pictures = tuple((row["stimulus"], row["sha256"]) for each in self.study.shown for row in each.rows)
        if pictures not in _DIFFERENCES:  # all pictures are decoded for them
            _DIFFERENCES[pictures] = differences_from_real(self.study.shown)
        how = {"seed": self.study.seed, "participant": self.participant, "differences": _DIFFERENCES[pictures]}
        return SimulatedParticipant(Observer(), **how)

    def report(self, following: dict[str, Any], planned: dict[str, Any]) -> dict[str, Any]:
        """Report a trial as the page would."""
        planned = {**planned, "requested_exposure_ms": following["planned_exposure_ms"]}
        trial = Trial(planned, self.protocol.timing(planned), len(following["showings"]))
        judgement = self.person.judge(trial, self.protocol.answers.values())
        begins = nanoseconds(self.now_ms + self.study.settings.blank_ms)
        report = simulated_report(trial, judgement, self.protocol, begins=begins)
        self.now_ms = report.sent_ms
        return report.model_dump()

    def take_part(
        self, following: dict[str, Any], plan: list[dict[str, Any]], *, most: int = 10_000, to_marks: bool = False
    ) -> dict[str, Any]:
        """Answer trials until the end, or this number of them with or without its marks; return what follows."""
        planned = {row["trial"]: row for row in plan}
        while (asks := following["page"] == "marks") or following["page"] == "trial":
            if most == 0 and (to_marks or not asks):
                break
            if asks:
                marks = self.person.mark(following["trial"], f"marks of {following['address']}", following["limit"])
                following = self.ask("marks", **marks.model_dump())["next"]
                continue
            report = self.report(following, planned[following["trial"]])
            onset = report["showings"][0]["onset_ms"]
            self.ask("onset", trial=following["trial"], onset_ms=onset, sent_ms=onset + 1)
            following = self.ask("trial", **report)["next"]
            most -= 1
        return following


class Served:
    """A study, its server in this process, and its store."""

    def __init__(
        self, study: QuizStudy, where: Path | str, stack: ExitStack, *, library: Library | None = None, **how: Any
    ) -> None:
        self.study, self.where = study, where
        self.room = stack.enter_context(Room(study, where, library=library))
        self.said: list[str] = []
        self.live = LiveStudy(self.room, push_to=study.settings.push_to, say=self.said.append, **how)
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
