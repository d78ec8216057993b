"""The experimenter's page: sessions, pause and stop, links, codes by status, answers, a test that stores nothing."""

import asyncio
import io
import re
import secrets
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Place
from gan_eval.quiz.serve.app import quiz_routes
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.quiz.serve.messages import RequestError
from gan_eval.quiz.serve.pages import experimenter_html
from gan_eval.quiz.serve.pictures import keyed_hash
from gan_eval.quiz.trial import Flag
from gan_eval.store import Store, flags_by_session, is_paused, last_answers, list_participants, open_store, pause
from gan_eval.tables.frames import Row

Result = TypeVar("Result")
MAX_LINKS = 500
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters of the code in a link, without letters that look alike."""
PROLIFIC = {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}", "STUDY_ID": "{{%STUDY_ID%}}", "SESSION_ID": "{{%SESSION_ID%}}"}
"""Parameters of a link for Prolific, which fills in the values."""
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'none'"
"""Content security policy of the report, a single file without scripts."""


def experimenter_path(live: LiveStudy) -> str:
    """Return the secret path of the experimenter's page; the same after a restart."""
    return f"/experimenter/{keyed_hash(live.secret, 'experimenter', live.study.name)}"


def experimenter_routes(
    live: LiveStudy, rehearsal: LiveStudy, *, address: str, stop: Callable[[], None], report: Path | None = None
) -> list[BaseRoute]:
    """Return the routes of the experimenter's page.

    Args:
        live: the study.
        rehearsal: the same study with a temporary store.
        address: address of the participants' page, for links.
        stop: ends the server.
        report: file of the study's report; shown when it exists.
    """
    page, path = _Page(live, address, stop, report), experimenter_path(live)
    answers = {
        "/": page.sessions,
        "/links": page.links,
        "/codes": page.codes,
        "/answers": page.answers,
        "/status": page.status,
        "/test": page.to_test,
        "/report": page.show_report,
    }
    routes = [Route(path, answer, methods=["GET"]) for path, answer in answers.items()]
    return [
        Mount(page.test_path, routes=quiz_routes(rehearsal)),
        Route(path, page.with_slash, methods=["GET"]),
        Mount(path, routes=[*routes, Route("/{action}", page.act, methods=["POST"])]),
    ]


@dataclass(frozen=True)
class _Page:
    """Answers to the requests of the experimenter's page; fields as in `experimenter_routes`."""

    live: LiveStudy
    address: str
    stop: Callable[[], None]
    report: Path | None

    @property
    def test_path(self) -> str:
        """Path of the study that stores nothing."""
        return f"/test/{keyed_hash(self.live.secret, 'test', self.live.study.name)}"

    def link(self, code: str) -> str:
        """Return the query of a participant's link."""
        return f"/?{self.live.settings.browser.participant_parameters[0]}={code}"

    def report_made(self) -> float | None:
        """Return the report's time in seconds since 1970; None without a report."""
        return self.report.stat().st_mtime if self.report is not None and self.report.is_file() else None

    async def html(self, page: str, **more: Any) -> Response:
        study, wanted = self.live.study, self.live.settings.participants
        values = {"study": study.title or study.name, "wanted": wanted, "address": self.address, **more}
        hidden = {"report"} if self.report_made() is None else set()
        if not await read_store(self.live, lambda store: people(store, study.name)):
            hidden.add("answers")
        return HTMLResponse(experimenter_html(page, values, hidden=hidden))

    async def sessions(self, _: Request) -> Response:
        return await self.html("sessions")

    async def links(self, request: Request) -> Response:
        import segno

        live = self.live
        number = request.query_params.get("n", str(min(live.settings.participants, MAX_LINKS)))
        if not re.fullmatch("[0-9]{1,3}", number) or not 1 <= int(number) <= MAX_LINKS:
            raise RequestError(422, f"n: expected a number from 1 to {MAX_LINKS}")
        made = []
        for index in range(1, int(number) + 1):
            # The same number always gives the same code, so that a lost sheet can be printed again.
            digest = keyed_hash(live.secret, "link", live.study.name, str(index))
            code = f"P{index:02d}-" + "".join(LETTERS[ord(letter) % len(LETTERS)] for letter in digest[:8])
            link = self.address + self.link(code)
            qr_code = segno.make(link, error="m", micro=False)
            made.append((code, link, qr_code.svg_data_uri(scale=4, border=4, light="#fff")))  # also on a dark page
        takes_prolific = "PROLIFIC_PID" in live.settings.browser.participant_parameters
        prolific = f"{self.address}/?" + "&".join(f"{name}={value}" for name, value in PROLIFIC.items())
        known = {"prolific": prolific if takes_prolific else "", "is_local": is_local(self.address)}
        return await self.html("links", number=number, most=MAX_LINKS, links=made, **known)

    async def codes(self, _: Request) -> Response:
        name, others = self.live.study.name, self.live.settings.browser.other_parameters
        codes = await read_store(self.live, lambda store: codes_by_status(store, name, others))
        return await self.html("codes", codes=codes)

    async def answers(self, _: Request) -> Response:
        name = self.live.study.name
        try:
            content = await asyncio.to_thread(zipped_answers, self.live.room.store, name)
        except UserError as error:  # no session yet
            raise RequestError(404, str(error)) from error
        file = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
        disposition = {"Content-Disposition": f'attachment; filename="{file}.zip"'}
        return Response(content, media_type="application/zip", headers=disposition)

    async def status(self, _: Request) -> Response:
        return JSONResponse(await read_summary(self.live) | {"report_made": self.report_made()})

    async def act(self, request: Request) -> Response:
        match request.path_params["action"]:
            case "pause" | "resume" as action:
                await self.live.store(partial(pause, study=self.live.study.name, on=action == "pause"))
            case "stop":
                asyncio.get_running_loop().call_later(0.2, self.stop)
                with suppress(RequestError):  # the terminal names the file that is gone
                    await self.live.store(Store.require_in_place)
                    return JSONResponse({"stored": True})
            case _:
                raise RequestError(404, "no such action")
        return JSONResponse({})

    async def to_test(self, _: Request) -> Response:
        code = "test-" + "".join(secrets.choice(LETTERS) for _ in range(8))
        return Response(status_code=303, headers={"Location": f"../..{self.test_path}{self.link(code)}"})

    async def show_report(self, _: Request) -> Response:
        if self.report is None or not self.report.is_file():
            raise RequestError(404, "no report yet")
        content = await asyncio.to_thread(self.report.read_bytes)
        return HTMLResponse(content, headers={"Content-Security-Policy": REPORT_POLICY})

    async def with_slash(self, _: Request) -> Response:
        name = experimenter_path(self.live).rpartition("/")[2]  # relative: a proxy may have a path before it
        return Response(status_code=303, headers={"Location": f"{name}/"})


def is_local(address: str) -> bool:
    """Return whether an address can be opened only on this computer.

    >>> is_local("http://127.0.0.1:8700"), is_local("https://quiz.example.org")
    (True, False)
    """
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def read_store(live: LiveStudy, read: Callable[[Store], Result]) -> Result:
    """Read a study's store at one moment, through another connection, so that answers need not wait.

    Raises:
        RequestError: the store cannot be read.
    """

    def job() -> Result:
        with open_store(live.room.store, create=False) as store, store.snapshot():
            return read(store)

    try:
        return await asyncio.to_thread(job)
    except UserError as error:
        raise RequestError(503, str(error)) from error


async def read_summary(live: LiveStudy) -> dict[str, Any]:
    """Return the `summary` of a study.

    Raises:
        RequestError: the store cannot be read.
    """
    return await read_store(live, lambda store: summary(store, study=live.study.name))


def people(store: Store, study: str) -> list[Row]:
    """Return the `list_participants` of people, the latest first, with the status `screened out`."""
    failed = {row["session"] for row in store.rows(tables.CHECKS, verdict="failed")}
    return [
        row | {"status": "screened out" if row["status"] == "aborted" and row["session"] in failed else row["status"]}
        for row in reversed(list_participants(store, study))
        if not row["simulated"]
    ]


def summary(store: Store, *, study: str) -> dict[str, Any]:
    """Return numbers about people's sessions, and a row for each session, the latest first.

    Returns:
        open, complete, screened_out, aborted: number of sessions; paused; median_minutes of the complete sessions and
        flagged, the share of trials with a flag: texts, or None; flags: text; sessions: rows.
    """
    answered, flags = last_answers(store), flags_by_session(store)
    rows: list[Row] = []
    for row in people(store, study):
        raised = flags.get(row["session"], Counter())
        minutes = None if raised[Flag.CLOCK_UNLIKELY] else _minutes(row)
        names = ("session", "participant", "status", "list", "started_at", "trials", "planned", "flagged")
        more = {"flags": flags_text(raised), "minutes": minutes, "last_answer": answered.get(row["session"])}
        rows.append({name: row[name] for name in names} | more)
    states = [row["status"] for row in rows]
    counts = {name.replace(" ", "_"): states.count(name) for name in ("open", "complete", "screened out", "aborted")}
    lasted = [row["minutes"] for row in rows if row["status"] == "complete" and row["minutes"] is not None]
    trials = sum(row["trials"] for row in rows)
    return {
        **counts,
        "paused": is_paused(store, study),
        "median_minutes": f"{median(lasted):.1f}" if lasted else None,
        "flagged": f"{sum(row['flagged'] for row in rows) / trials:.1%}" if trials else None,
        "flags": flags_text(sum((flags.get(row["session"], Counter()) for row in rows), Counter())),
        "sessions": rows,
    }


def _minutes(session: Row) -> float | None:
    """Return the length of a session; None for an open one, or if a clock was changed."""
    if session["started_at"] is None or session["ended_at"] is None:
        return None
    took = datetime.fromisoformat(session["ended_at"]) - datetime.fromisoformat(session["started_at"])
    return round(took.total_seconds() / 60, 2) if took.total_seconds() >= 0 else None


def flags_text(flags: Counter[str]) -> str:
    """Return the number of trials with each flag, the most frequent first.

    >>> flags_text(Counter(late=2, paused=5))
    'paused 5, late 2'
    """
    return ", ".join(f"{flag} {number}" for flag, number in flags.most_common())


def codes_by_status(store: Store, study: str, parameters: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return people's codes, and the recruiter's parameters that were in their links, by status and parameter."""
    sent = {(row["session"], row["question"]): row["answer"] for row in store.rows(tables.PARTICIPANTS)}
    codes: dict[str, dict[str, list[str]]] = {name: {} for name in ("complete", "screened out", "aborted", "open")}
    for row in reversed(people(store, study)):
        of_status = codes.setdefault(row["status"], {})
        of_status.setdefault("participant", []).append(row["participant"])
        for name in parameters:
            if value := sent.get((row["session"], name)):
                of_status.setdefault(name, []).append(value)
    return {status: lists for status, lists in codes.items() if lists}


def zipped_answers(store: Place, study: str) -> bytes:
    """Return a zip file with the tables of a study as CSV, as `export` writes them."""
    from gan_eval.store.export import export_store

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "answers"
        export_store(store, folder, formats=("csv",), study=study)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in folder.iterdir() if path.is_file()):
                archive.write(path, f"{folder.name}/{path.name}")
        return content.getvalue()


def summary_line(counts: dict[str, Any], wanted: int) -> str:
    """Return one line for the terminal.

    >>> counts = {"open": 2, "complete": 5, "screened_out": 1, "aborted": 0, "median_minutes": "4.2", "flagged": "2.0%"}
    >>> summary_line({**counts, "paused": True}, 8)
    '5 of 8 complete, 2 open, 1 screened out, 0 withdrawn; median 4.2 minutes; 2.0% of trials flagged; paused'
    """
    parts = [
        f"{counts['complete']} of {wanted} complete, {counts['open']} open, {counts['screened_out']} screened out, "
        f"{counts['aborted']} withdrawn"
    ]
    if counts["median_minutes"]:
        parts.append(f"median {counts['median_minutes']} minutes")
    if counts["flagged"]:
        parts.append(f"{counts['flagged']} of trials flagged")
    if counts["paused"]:
        parts.append("paused")
    return "; ".join(parts)


async def watch(
    live: LiveStudy, say: Callable[[str], None], *, refresh: Callable[[], object] | None = None, seconds: float = 5.0
) -> None:
    """Print the summary whenever it changes, until cancelled.

    Args:
        live: the study.
        say: prints a line.
        refresh: called first, and whenever the number of complete sessions changes, for example to update the report.
        seconds: time between two reads of the store.
    """
    before, reported = "", -1
    while True:
        try:
            counts = await read_summary(live)
            if (line := summary_line(counts, live.settings.participants)) != before:
                say(line)
                before = line
            if refresh is not None and counts["complete"] != reported:
                reported = counts["complete"]
                await asyncio.to_thread(refresh)
        except (RequestError, UserError) as error:
            if str(error) != before:
                before = str(error)
                say(before)
        await asyncio.sleep(seconds)
