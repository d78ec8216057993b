"""The experimenter's page: secret, live numbers, pause, links, a try-out that stores nothing, and the end."""

import asyncio
import csv
import html
import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import httpx2 as httpx
import pytest
import segno
from robot import Robot, Serve, Served
from starlette.testclient import TestClient

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.quiz.admission import Person
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve import experimenter
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.experimenter import experimenter_path, experimenter_routes
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.quiz.simulate import Observer
from gan_eval.store import open_store

CHECK = {"text": "Which key is fake?", "choices": ["f", "j"], "answer": "f"}
ADDRESS = "https://quiz.example.org"


class Page:
    """A served study with its experimenter's page."""

    def __init__(self, served: Served, stack: ExitStack, scratch: Path, report: Path | None = None) -> None:
        self.served, self.scratch = served, scratch
        self.stopped: list[bool] = []
        rehearsal_room = stack.enter_context(Room(served.study, scratch, library=served.room.library))
        routes = experimenter_routes(
            served.live,
            LiveStudy(rehearsal_room),
            address=ADDRESS,
            stop=lambda: self.stopped.append(True),
            report=report,
        )
        self.client = stack.enter_context(TestClient(make_app(served.live, routes), base_url="http://testserver"))
        served.client = self.client
        self.path = experimenter_path(served.live)

    def get(self, path: str = "", **how: Any) -> httpx.Response:
        """A page below the secret path."""
        return self.client.get(f"{self.path}/{path}", **how)

    def links(self, path: str = "") -> list[str]:
        """The addresses that a page shows or loads."""
        tags = re.findall(r"<(?:a|link|script|img)\b[^>]*>", self.get(path).text)
        found = [re.search(r'(?:href|src)="([^"]+)"', tag) for tag in tags if not re.search(r"\shidden\b", tag)]
        return [html.unescape(address[1]) for address in found if address is not None]

    def numbers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("status").json()
        return found


MakePage = Callable[..., Page]


@pytest.fixture
def page(serve: Serve, tmp_path: Path) -> Iterator[MakePage]:
    with ExitStack() as stack:

        def make(served: Served | None = None, report: Path | None = None, **quiz: Any) -> Page:
            number = len(list(tmp_path.glob("scratch*")))
            return Page(served or serve(**quiz), stack, tmp_path / f"scratch{number}.sqlite", report)

        yield make


def test_only_the_secret_path_opens_the_page(page: MakePage) -> None:
    it = page()
    assert len(it.path.rsplit("/")[-1]) >= 22
    wrong = it.path[:-1] + ("A" if it.path[-1] != "A" else "B")
    for path in ("/", "/links", "/codes", "/answers", "/status", "/test", "/report"):
        assert it.client.get(wrong + path).status_code == 404
        assert it.client.get("/experimenter" + path).status_code == 404
    for action in ("pause", "stop"):
        assert it.client.post(f"{wrong}/{action}").status_code == 404
        assert it.get(action).status_code in (404, 405)
    assert it.client.post(f"{it.path}/explode").status_code == 404
    assert (it.stopped, it.numbers()["paused"]) == ([], False)
    assert it.client.post(f"{it.path}/stop").json() == {"stored": True}
    time.sleep(0.3)  # the server answers first
    assert it.stopped == [True]
    assert "<h1>tiles</h1>" in it.get().text
    it.served.live.study = replace(it.served.study, title="Roofs & tiles")
    assert "<h1>Roofs &amp; tiles</h1>" in it.get().text
    assert it.get("report").status_code == 404
    assert it.path not in it.client.get("/").text


def test_numbers_of_open_complete_screened_out_and_withdrawn_sessions(page: MakePage) -> None:
    it = page(browser={"checks": [CHECK]}, practice=1)
    empty = it.numbers()
    assert (empty["complete"], empty["median_minutes"], empty["flagged"], empty["sessions"]) == (0, None, None, [])
    for name, most in (("complete", 100), ("open", 3), ("withdrawn", 2), ("screened", 0)):
        robot = it.served.robot(name)
        robot.arrive()
        plan = it.served.rows(tables.PLANS, session=robot.setup["session"])
        if name == "screened":
            assert [robot.ask("check", choices=[1]).get("page") for _ in range(2)] == [None, "refused"]
            continue
        robot.ask("check", choices=[0])
        following = robot.ready()
        if name == "open":  # a picture that was on the screen while the page was reloaded
            robot.ask("onset", trial=following["trial"], onset_ms=robot.now_ms, sent_ms=robot.now_ms)
            robot = it.served.robot(name, tab="another-tab-0123456789")
            following = robot.arrive("resume")["next"]
        robot.take_part(following, plan, most=most)
        if name == "withdrawn":
            robot.ask("withdraw")
    numbers = it.numbers()
    states = ("open", "complete", "screened_out", "aborted")
    assert [numbers[name] for name in states] == [1, 1, 1, 1]
    assert numbers["flagged"] == "8.3%"  # 1 of 12; resumed after practice was killed
    assert numbers["flags"] == "resumed 1"
    rows = {row["participant"]: row for row in numbers["sessions"]}
    assert list(rows) == ["screened", "withdrawn", "open", "complete"]
    assert (rows["open"]["status"], rows["open"]["trials"], rows["open"]["planned"]) == ("open", 3, 8)
    assert (rows["open"]["flagged"], rows["open"]["flags"], rows["open"]["minutes"]) == (1, "resumed 1", None)
    assert rows["screened"]["status"] == "screened out"
    assert rows["complete"]["last_answer"] >= rows["complete"]["started_at"]
    assert experimenter.summary_line(numbers, 8).endswith(
        f"1 withdrawn; median {numbers['median_minutes']} minutes; 8.3% of trials flagged"
    )
    with open_store(it.served.where) as store:  # the computer's clock was set back during the session
        (complete,) = store.rows(tables.SESSIONS, participant="complete")
        store.update_session(complete["session"], {"started_at": "2999-01-01T00:00:00.000Z"})
    assert it.numbers()["median_minutes"] is None


def test_codes_by_status_and_the_answers_are_there_for_the_recruiter_and_the_analysis(page: MakePage) -> None:
    it = page(browser={"checks": [CHECK]})
    assert it.get("answers").status_code == 404
    assert "No sessions yet" in it.get("codes").text
    for name in ("complete", "failed", "gone"):
        robot = it.served.robot(name)
        robot.arrive(parameters={"SESSION_ID": f"submission-{name}", "OTHER": "no"})
        if name == "failed":
            for _ in range(2):
                robot.ask("check", choices=[1])
            continue
        robot.ask("check", choices=[0])
        plan = it.served.rows(tables.PLANS, session=robot.setup["session"])
        robot.take_part(robot.ready(), plan, most=2 if name == "gone" else 100)
        if name == "gone":
            robot.ask("withdraw")
    text = it.get("codes").text
    places = [text.index(f"{title}: 1<") for title in ("Complete", "Screened out", "Withdrawn")]
    for place, name in zip(places, ("complete", "failed", "gone"), strict=True):
        assert f">{name}</textarea>" in text[place : place + 700]
        assert f">submission-{name}</textarea>" in text[place : place + 700]
    found = it.get("answers")
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        assert "attachment" in found.headers["content-disposition"]
        assert {"answers/trials.csv", "answers/sessions.csv", "answers/participants.csv"} <= {*archive.namelist()}
        trials = list(csv.DictReader(io.StringIO(archive.read("answers/trials.csv").decode())))
    assert {row["participant"] for row in trials} == {"complete", "gone"}


def test_a_pause_refuses_new_people_only_and_outlives_the_server(page: MakePage, serve: Serve) -> None:
    it = page(serve("one.sqlite"))
    robot, plan, following = it.served.begun()
    following = robot.take_part(following, plan, most=2)
    assert it.client.post(f"{it.path}/pause").status_code == 200
    assert it.numbers()["paused"]
    new = it.served.robot("P02")
    begun = new.call("begin", participant="P02", tab="x" * 16, consent=True)
    for response in (new.call("open", participant="P02"), begun):
        body = response.json()
        assert (response.status_code, body["page"], body["title"]) == (403, "refused", "You cannot begin yet")
    following = robot.take_part(following, plan, most=2)
    assert it.served.robot("P01").open()["page"] == "resume"
    after = page(serve("one.sqlite"))  # another process, or a restart
    assert after.path == it.path
    assert after.numbers()["paused"]
    assert after.served.robot("P02").call("open", participant="P02").status_code == 403
    robot.client = after.client
    assert robot.take_part(following, plan)["page"] == "end"
    assert after.client.post(f"{after.path}/resume").status_code == 200
    assert it.served.robot("P02").open()["page"] == "welcome"
    assert [row["participant"] for row in it.served.rows(tables.SESSIONS)] == ["P01"]


def test_links_are_stable_unguessable_and_in_their_qr_codes(
    page: MakePage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    make = segno.make

    def note(text: str, **how: Any) -> Any:
        encoded.append(text)
        return make(text, **how)

    monkeypatch.setattr(segno, "make", note)
    pages = [page(serve("one.sqlite")), page(serve("one.sqlite")), page(serve("other.sqlite"))]
    found = []
    for it in pages:
        response = it.get("links", params={"n": 12})
        found.append(re.findall(rf'href="({ADDRESS}/\?participant=[^"]+)"', response.text))
        assert response.text.count("data:image/svg+xml") == 12
    assert found[0] == found[1]
    assert encoded == found[0] + found[1] + found[2]
    assert len(set(found[0])) == 12
    assert not set(found[0]) & set(found[2])
    for number, link in enumerate(found[0], start=1):
        assert re.fullmatch(rf"{re.escape(ADDRESS)}/\?participant=P{number:02d}-[2-9a-z]{{8}}", link)
    assert pages[0].get("links", params={"n": 13}).text.count("<figure>") == 13
    for wrong in ("0", "501", "-1", "x", "²", "1e2", "9" * 5000):
        assert pages[0].get("links", params={"n": wrong}).status_code == 422
    code = found[0][0].partition("=")[2]
    assert pages[0].served.robot(code).open() == {"page": "welcome"}


def try_out(it: Page) -> Robot:
    """A browser that was sent to the study that stores nothing."""
    sent = it.get("test", follow_redirects=False).headers["location"].removeprefix("../..")
    folder, _, query = sent.partition("?")
    below: Any = SimpleNamespace(post=lambda address, **how: it.client.post(folder + address, **how))
    return Robot(below, query.partition("=")[2], study=it.served.study)


def test_a_try_out_stores_nothing_and_works_during_a_pause(page: MakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveStudy, "_push", pytest.fail)
    it = page(push_to="lab.sqlite")
    it.client.post(f"{it.path}/pause")
    sent = it.get("test", follow_redirects=False)
    assert sent.status_code == 303
    folder = sent.headers["location"].removeprefix("../..").partition("?")[0]
    assert re.fullmatch(r"/test/[\w-]{22,}/", folder)
    assert it.client.get(folder).status_code == 200
    assert it.client.get("/test/" + "A" * 22 + "/").status_code == 404
    robot = try_out(it)
    robot.arrive()
    with open_store(it.scratch) as store:
        plan = store.rows(tables.PLANS)
    following = robot.ready()
    picture = it.client.get(folder + following["showings"][0][0])
    assert picture.headers["content-type"] == "image/png"
    following = robot.take_part(following, plan)
    assert following["page"] == "end"
    for table in (tables.SESSIONS, tables.PLANS, tables.TRIALS, tables.ONSETS, tables.CONSENTS, tables.CHECKS):
        assert it.served.rows(table) == []
    assert it.numbers()["sessions"] == []


def linked(it: Page) -> dict[str, str]:
    """The address of each link on the pages, and where it leads."""
    return {
        address: urljoin(f"http://testserver{it.path}/{path}", address.replace(ADDRESS, "http://testserver"))
        for path in ("", "links", "links?n=2", "codes")
        for address in it.links(path)
        if not address.startswith("data:")
    }


def require_open(it: Page, places: dict[str, str]) -> None:
    assert {address: it.client.get(place).status_code for address, place in places.items()} == dict.fromkeys(
        places, 200
    )


def test_no_page_has_a_link_that_leads_nowhere(page: MakePage, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    it = page(report=report, participants=2)
    before = linked(it)
    assert {"./", "links", "codes", "test"} <= before.keys()
    assert not before.keys() & {"answers", "report"}
    require_open(it, before)
    try_out(it).arrive()
    assert linked(it) == before
    it.served.room.run(Person("simulated-1", observer=Observer()))
    assert linked(it) == before
    it.served.begun()
    assert linked(it).keys() - before.keys() == {"answers"}
    report.write_text("<title>Report</title>")
    found = linked(it)
    assert found.keys() - before.keys() == {"answers", "report"}
    require_open(it, found)


def test_the_page_without_its_slash_is_found_behind_a_proxy_with_a_path(page: MakePage) -> None:
    it = page()
    sent = it.client.get(it.path, follow_redirects=False)
    assert (
        urljoin(f"https://example.org/quiz{it.path}", sent.headers["location"]) == f"https://example.org/quiz{it.path}/"
    )


def test_the_report_is_shown_once_it_is_there_and_runs_nothing(page: MakePage, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    it = page(report=report)
    assert it.numbers()["report_made"] is None
    report.write_text("<title>Report</title>")
    assert it.numbers()["report_made"] == report.stat().st_mtime
    response = it.get("report")
    assert response.text == "<title>Report</title>"
    policy = response.headers["content-security-policy"]
    assert "script" not in policy
    assert "default-src 'none'" in policy


def test_the_terminal_has_the_same_numbers_and_the_report_is_refreshed(page: MakePage) -> None:
    it = page()
    said: list[str] = []
    refreshed: list[int] = []

    def sit(name: str) -> None:
        robot, plan, first = it.served.begun(name)
        robot.take_part(first, plan)

    async def look() -> None:
        refresh = lambda: refreshed.append(len(it.served.rows(tables.SESSIONS)))  # noqa: E731
        watching = asyncio.create_task(experimenter.watch(it.served.live, said.append, refresh=refresh, seconds=0.02))
        while not said:
            await asyncio.sleep(0.02)
        for name in ("P01", "P02"):
            await asyncio.to_thread(sit, name)
        while "2 of" not in said[-1]:
            await asyncio.sleep(0.02)
        while refreshed[-1:] != [2]:
            await asyncio.sleep(0.02)
        watching.cancel()

    asyncio.run(asyncio.wait_for(look(), 60))
    wanted = it.served.live.settings.participants
    assert said[0] == f"0 of {wanted} complete, 0 open, 0 screened out, 0 withdrawn"
    assert said[-1].startswith(f"2 of {wanted} complete, 0 open")
    assert refreshed[0] == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows does not move an open file")
def test_stop_does_not_claim_answers_whose_store_is_gone(page: MakePage) -> None:
    it = page()
    store = Path(it.served.where)
    store.rename(store.with_name("aside"))
    try:
        assert it.client.post(f"{it.path}/stop").json() == {}
    finally:
        store.with_name("aside").rename(store)


@pytest.mark.nightly
def test_stop_ends_the_demos_server_and_another_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("skimage")
    options = ["serve", "--demo", "--out", str(tmp_path / "d"), "--port", "0"]
    command = [sys.executable, "-m", "gan_eval", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout is not None
            serving, secret = (first.stdout.readline().split() for _ in range(2))
            assert serving[:3] == ["serving", "online_demo", "at"]
            assert secret[0] == "experimenter"
            assert secret[1].startswith(serving[3])
            assert run(options) == 2
            assert "serving this store" in capsys.readouterr().err
            until = time.monotonic() + 120
            while httpx.get(secret[1] + "report").status_code == 404 and time.monotonic() < until:
                time.sleep(0.3)
            assert "Online demo" in httpx.get(secret[1] + "report").text
            assert httpx.post(secret[1] + "stop").status_code == 200
            assert first.wait(20) == 0
        finally:
            if first.poll() is None:
                os.kill(first.pid, signal.SIGTERM)
