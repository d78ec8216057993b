"""The experimenter's page: who takes part, pause and stop, links with QR codes, and a try-out that stores nothing."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.serve.app import ENVIRONMENT, quiz_routes
from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.quiz.serve.messages import RequestError
from gan_eval.quiz.serve.pictures import keyed_hash
from gan_eval.store import Store, list_participants
from gan_eval.tables.frames import Row

MOST_LINKS = 500
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters of a link's code, without those that look alike."""


def path_of(live: LiveStudy) -> str:
    """Return the secret path of the experimenter's page; the same after a restart."""
    return f"/experimenter/{keyed_hash(live.secret, 'experimenter', live.study.name)}"


def experimenter_routes(
    live: LiveStudy, rehearsal: LiveStudy, *, address: str, stop: Callable[[], None]
) -> list[BaseRoute]:
    """Routes of the experimenter's page.

    Args:
        live: the study.
        rehearsal: the same study on a store that is thrown away.
        address: of the participants' page, for links.
        stop: ends the server.
    """
    template = ENVIRONMENT.get_template("experimenter.html")
    test_path = f"/test/{keyed_hash(live.secret, 'test', live.study.name)}"

    async def page(_: Request) -> Response:
        return HTMLResponse(template.render(study=live.study.name, wanted=live.settings.participants, links=None))

    async def links(request: Request) -> Response:
        number = request.query_params.get("n", "10")
        if not number.isdecimal() or not 1 <= int(number) <= MOST_LINKS:
            raise RequestError(422, f"n: wanted a number from 1 to {MOST_LINKS}")
        made = [participant_link(live, address, place) for place in range(1, int(number) + 1)]
        html = template.render(
            study=live.study.name,
            wanted=live.settings.participants,
            links=[(code, link, segno.make(link).svg_data_uri(scale=3)) for code, link in made],
        )
        return HTMLResponse(html)

    async def status(_: Request) -> Response:
        return JSONResponse({**await live.store(partial(summary, study=live.study.name)), "paused": live.paused})

    async def act(request: Request) -> Response:
        match request.path_params["action"]:
            case "pause":
                live.paused = True
            case "resume":
                live.paused = False
            case "stop":
                asyncio.get_running_loop().call_later(0.2, stop)
            case _:
                raise RequestError(404, "no such action")
        return JSONResponse({"paused": live.paused})

    async def to_test(request: Request) -> Response:
        code = "test-" + "".join(secrets.choice(LETTERS) for _ in range(8))
        return Response(status_code=303, headers={"Location": f"{test_path}/?participant={code}"})

    here = path_of(live)
    return [
        Mount(test_path, routes=quiz_routes(rehearsal)),
        Mount(
            here,
            routes=[
                Route("/", page, methods=["GET"]),
                Route("/links", links, methods=["GET"]),
                Route("/status", status, methods=["GET"]),
                Route("/test", to_test, methods=["GET"]),
                Route("/{action}", act, methods=["POST"]),
            ],
        ),
    ]


def participant_link(live: LiveStudy, address: str, number: int) -> tuple[str, str]:
    """Return code and link of the participant with this number; nobody can guess another one's.

    The same number gives the same code again, so that a lost sheet of links can be printed anew.
    """
    digest = keyed_hash(live.secret, "link", live.study.name, str(number))
    code = f"P{number:02d}-" + "".join(LETTERS[ord(letter) % len(LETTERS)] for letter in digest[:8])
    return code, f"{address}/?{live.settings.browser.participant_parameters[0]}={code}"


def summary(store: Store, *, study: str) -> dict[str, Any]:
    """Return the numbers of people's sessions, and a row for each of them.

    Raises:
        UserError: the store cannot be read.
    """
    sessions = {row["participant"]: row for row in store.rows(tables.SESSIONS, study=study) if not row["simulated"]}
    listed = [row for row in list_participants(store, study) if not row["simulated"]]
    failed = {row["session"] for row in store.rows(tables.CHECKS, verdict="failed")}
    rows, minutes = [], []
    for row in listed:
        session = sessions[row["participant"]]
        state = "screened out" if row["status"] == "aborted" and session["session"] in failed else row["status"]
        taken = _minutes(session)
        if state == "complete" and taken is not None:
            minutes.append(taken)
        shown = {name: row[name] for name in ("participant", "list", "started_at", "trials", "planned", "flagged")}
        rows.append(shown | {"status": state, "minutes": taken})
    states = [row["status"] for row in rows]
    counts = {name.replace(" ", "_"): states.count(name) for name in ("open", "complete", "screened out", "aborted")}
    return {**counts, "median_minutes": median(minutes) if minutes else None, "sessions": rows}


def _minutes(session: Row) -> float | None:
    if session["ended_at"] is None or session["started_at"] is None:
        return None
    took = datetime.fromisoformat(session["ended_at"]) - datetime.fromisoformat(session["started_at"])
    return round(took.total_seconds() / 60, 2)


def summary_line(counts: dict[str, Any]) -> str:
    """One line for the terminal.

    >>> summary_line({"open": 2, "complete": 5, "screened_out": 1, "aborted": 0, "median_minutes": 4.25})
    '2 open, 5 complete, 1 screened out, 0 withdrawn; median 4.2 minutes'
    """
    took = counts["median_minutes"]
    return (
        f"{counts['open']} open, {counts['complete']} complete, {counts['screened_out']} screened out, "
        f"{counts['aborted']} withdrawn" + (f"; median {took:.1f} minutes" if took is not None else "")
    )


async def watch(live: LiveStudy, say: Callable[[str], None], *, seconds: float = 10.0) -> None:
    """Print the summary for ever, whenever it has changed."""
    before = ""
    while True:
        await asyncio.sleep(seconds)
        try:
            line = summary_line(await live.store(partial(summary, study=live.study.name)))
        except (RequestError, UserError):  # said already
            continue
        if line != before:
            say(line)
        before = line
