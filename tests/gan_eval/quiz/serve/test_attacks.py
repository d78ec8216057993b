"""An attacker's list against the real server: all is refused with 4xx, nothing of it is stored, nothing leaks."""

import errno
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image
from processes import Server, quiz_server
from robot import SCREEN, Page

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import stimulus_row, write_set
from gan_eval.quiz.serve.app import HEADERS, MAX_BODY_BYTES
from gan_eval.quiz.serve.run import listen
from gan_eval.store import open_store

ITEMS = 12
SIDE = 64
TAB = Page.tab
REPORT: dict[str, Any] = {
    "showings": [{"onset_ms": 1000.0, "offset_ms": 1400.0}],
    "presses": [{"key": "f", "at_ms": 1400.0}],
    "sent_ms": 1500.0,
}
"""A trial, without its number."""


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs as JPEG, smooth generated pictures as PNG: as different as files of two kinds can be."""
    folder, random = tmp_path_factory.mktemp("attacked") / "set", np.random.default_rng(1)
    made = []
    for number in range(ITEMS):
        (folder / "real").mkdir(parents=True, exist_ok=True)
        real, fake = folder / "real" / f"secret{number}.jpg", folder / "fake" / f"secret{number}.png"
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)).save(real, quality=95)
        write_png(fake, np.full((SIDE, SIDE, 3), number, np.uint8))
        shared: dict[str, Any] = {"dataset": "secretset", "stem": f"secret{number}", "size": (SIDE, SIDE)}
        made.append(stimulus_row(folder, real, kind="real", **shared))
        shared["reference_file"] = f"real/secret{number}.jpg"
        made.append(stimulus_row(folder, fake, kind="fake", model="hiddenmodel", **shared))
    write_set(folder, made)
    return folder


@pytest.fixture(scope="module")
def server(stimuli: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows nothing of the attack, started where few files may be open at the same time."""
    store = tmp_path_factory.mktemp("store") / "store.sqlite"
    few = ("sh", "-c", 'ulimit -S -n 150; exec "$@"', "sh") if sys.platform != "win32" else ()
    it = quiz_server(stimuli, str(store), "--allow-giveaways", "format,metadata", by=few)
    it.start()
    yield it
    status = it.stop()
    assert status == 0
    assert "Traceback" not in "".join(it.errors)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client that follows no redirection."""
    with httpx.Client(base_url=server.url, timeout=20) as opened:
        yield opened


@pytest.fixture(autouse=True)
def unharmed(server: Server, client: httpx.Client) -> Iterator[None]:
    """After each attack the server answers, and the store can be read."""
    yield
    assert client.get("/healthz").json() == {"status": "ok"}
    stored(server)


def stored(server: Server) -> dict[str, int]:
    with open_store(server.store) as store:
        found = (tables.SESSIONS, tables.PLANS, tables.TRIALS, tables.ONSETS, tables.CHECKS, tables.PARTICIPANTS)
        return {table.name: len(store.rows(table)) for table in found}


class Victim(Page):
    """A participant in a session."""

    count = 0

    def __init__(self, client: httpx.Client) -> None:
        Victim.count += 1
        super().__init__(client, f"V{Victim.count}")
        self.arrive()
        self.next: dict[str, Any] = {}

    def begun(self) -> "Victim":
        """The same, before the first trial."""
        self.next = self.ready()
        return self

    def answer(self) -> dict[str, Any]:
        self.next = self.ask("trial", **{**REPORT, "trial": self.next["trial"]})["next"]
        return self.next


@pytest.fixture
def victim(client: httpx.Client) -> Victim:
    """A participant who is to answer the first trial."""
    return Victim(client).begun()


def raw(server: Server, request: bytes, *, wait: float = 20) -> int:
    """Send bytes; the status of what comes back, 0 where the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as connection:
        connection.sendall(request)
        answer = connection.recv(4096)
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def require_refused(server: Server, cases: Iterable[Any], send: Callable[[Any], httpx.Response]) -> None:
    """Each case is answered with 4xx and an error, and none stores anything."""
    before = stored(server)
    for case in cases:
        response = send(case)
        assert 400 <= response.status_code < 500, (str(case)[:100], response.status_code, response.text[:200])
        assert "error" in response.json()
    assert stored(server) == before


def test_wrong_tokens_and_those_of_others_open_nothing(client: httpx.Client, victim: Victim, server: Server) -> None:
    other = Victim(client).begun()
    before = stored(server)
    session, signature = victim.token.split(".")
    tokens = [
        "", "x", ".", session, f"{session}.", f"{session}.{signature[:-1]}", f"{session}.{signature}x",
        f"{other.token.split('.')[0]}.{signature}", f"{session}.{signature.swapcase()}", "x" * 5000, "../../x.y",
        f"{session}\xa0.{signature}", "null", f"' OR 1=1 --.{signature}", f" {session} .{signature}",
    ]  # fmt: skip
    messages: dict[str, dict[str, Any]] = {
        "trial": {**REPORT, "trial": 1}, "onset": {"trial": 1, "onset_ms": 1.0, "sent_ms": 1.0},
        "ready": {"screen": SCREEN}, "check": {"choices": []}, "withdraw": {}, "next": {},
    }  # fmt: skip
    for token in tokens:
        for name in messages:
            content, head = json.dumps(messages[name]), f"Bearer {token}"
            request = (
                f"POST /api/{name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Tab: {TAB}\r\n"
                f"Authorization: {head}\r\nContent-Length: {len(content)}\r\n\r\n{content}"
            )
            assert raw(server, request.encode("latin-1")) == 401, (token, name)
        end = victim.next["ahead"][0].rpartition("/")[2]
        assert client.get(f"/picture/{quote(token, safe='')}/{end}").status_code in (401, 404), token
    for headers in ({}, {"Authorization": victim.token}, {"Authorization": f"Basic {victim.token}"}):
        assert client.post("/api/trial", json={**REPORT, "trial": 1}, headers=headers).status_code == 401
    assert stored(server) == before


def test_only_the_tab_that_holds_a_session_acts_in_it(client: httpx.Client, victim: Victim, server: Server) -> None:
    other = Victim(client).begun()
    client.post(
        "/api/resume", json={"participant": other.participant, "tab": "another-tab-0123456789", "consent": True}
    )
    before = stored(server)
    for token, tab in ((victim.token, "another-tab-0123456789"), (other.token, TAB), (victim.token, "")):
        headers = {"Authorization": f"Bearer {token}", "X-Tab": tab}
        response = client.post("/api/trial", json={**REPORT, "trial": 1}, headers=headers)
        assert (response.status_code, response.json()["reason"]) == (409, "taken_over")
        assert client.post("/api/withdraw", json={"forget": True}, headers=headers).status_code == 409
        assert client.post("/api/next", json={}, headers=headers).json()["page"] == "refused"
    assert stored(server) == before


PATHS = [
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/static//etc/passwd", "/static/..\\app.py", "/static/%00", "/static/page.js%00.png", "/static/" + "a" * 5000,
    "/static/", "/static", "/picture/..%2f..%2fetc/passwd", "/picture/a/b/c", "/picture//", "/picture/%00/%00",
    "/picture/%ff%fe/%80", "/experimenter", "/experimenter/", "/experimenter/x/", "/experimenter/../healthz",
    "/experimenter/%2e%2e/status", "/test", "/test/x/", "/.git/config", "/store.sqlite", "/stimuli.csv", "/api",
    "/api/", "/api/open", "/api/../api/open", "/docs", "/openapi.json", "/favicon.ico", "//", "/%", "/%zz", "/\xff",
    "/" + "x/" * 3000, "/api/trial%0d%0aX: y", "/?participant=" + "x" * 100 + "&" * 1000 + "/../",
]  # fmt: skip


RARE = [pytest.param(name, marks=pytest.mark.nightly) for name in ("DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD")]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "BREW", *RARE])
def test_unknown_paths_and_methods_are_refused(server: Server, method: str) -> None:
    before = stored(server)
    own = ["/", "/healthz", "/static/page.js", "/api/open"]
    for path in [*PATHS, *(own if method not in ("GET", "HEAD") else [])]:
        if method == "POST" and path == "/api/open":
            continue
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        status = raw(server, request.encode("latin-1"))
        found = 200 if path.startswith("/?participant") and method in ("GET", "HEAD") else None
        assert status in (0, found) or 400 <= status < 500, (method, path[:60], status)
        time.sleep(0.002)  # guesses cost more than other requests
    assert stored(server) == before


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX: \r\n\r\n",
    ],
    ids=str,
)  # fmt: skip
def test_broken_http_harms_nothing(server: Server, request_bytes: bytes) -> None:
    assert raw(server, request_bytes) < 500


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b""),
    ("application/json", b"not json"),
    ("application/json", b"{"),
    ("application/json", b"\xff\xfe\x00"),
    ("application/json", b'{"participant": "\xed\xa0\x80"}'),
    ("application/json", b'{"participant": "\\ud800"}'),
    ("application/json", b'{"participant": NaN}'),
    ("application/json", b"[" * 100_000),
    ("application/json", b'{"a":' * 50_000),
    ("application/json", b"[" * 50_000 + b"]" * 50_000),
    ("application/json", b"1" * 10_000),
    ("application/json", b"null"),
    ("application/json", b"[]"),
    ("application/json", b'"P01"'),
    ("application/json", b'{"participant": "P01", "more": 1}'),
    ("application/json", b'{"participant": ["P01"]}'),
    ("application/json", b'{"participant": null}'),
    ("application/json", b" " * (MAX_BODY_BYTES + 1)),
    ("application/json; charset=utf-16", json.dumps({"participant": "P01"}).encode("utf-16") + b"\xff"),
    ("text/plain", b'{"participant": "P01"}'),
    ("application/x-www-form-urlencoded", b"participant=P01"),
    ("multipart/form-data; boundary=x", b"--x--"),
    ("", b'{"participant": "P01"}'),
]


REQUESTS = ["open", "begin", "resume", "decline", "trial", "onset", "ready", "check", "withdraw", "next"]


@pytest.mark.parametrize("name", REQUESTS)
def test_bodies_without_a_message_are_refused(client: httpx.Client, victim: Victim, server: Server, name: str) -> None:
    def send(case: tuple[str, bytes]) -> httpx.Response:
        kind, body = case
        headers = {**victim.headers, **({"Content-Type": kind} if kind else {})}
        return client.post(f"/api/{name}", content=body, headers=headers)

    require_refused(server, BODIES, send)


CODES = ["", " ", "a b", "x" * 65, "x" * 201, "../x", "a/b", "a\x00b", "a\nb", "<script>", "'; DROP TABLE sessions; --",
         "\u202ecod", "\U0001f600", "P01\u0000", "\ufeff", "%s", "{0}", "a,b", "=1+1",
         "undefined", "NULL", "PROLIFIC_PID", "__participant__", "ASSIGNMENT_ID_NOT_AVAILABLE", "xxxx", "...",
         "your-id-here", "ENTER_YOUR_ID", "nullundefined", "prolific_preview", "sona_id",
]  # fmt: skip


@pytest.mark.parametrize("name", ["open", "begin", "resume", "decline"])
def test_codes_that_are_no_pseudonyms_are_refused(client: httpx.Client, server: Server, name: str) -> None:
    more = {"tab": TAB, "consent": True} if name in ("begin", "resume") else {}
    require_refused(server, CODES, lambda code: client.post(f"/api/{name}", json={"participant": code, **more}))


def test_strange_values_around_a_session_are_refused(client: httpx.Client, server: Server) -> None:
    right = {"participant": "strange", "tab": TAB, "consent": True}
    wrong_begins: list[dict[str, Any]] = [
        {"tab": "short"}, {"tab": "x" * 65}, {"tab": "\u0000" * 20}, {"tab": None}, {"consent": False},
        {"consent": "perhaps"}, {"parameters": {"a": 1}}, {"parameters": {"a": "x" * 201}}, {"parameters": []},
        {"parameters": {str(number): "" for number in range(51)}}, {"parameters": {"STUDY_ID": "a\u0000b"}},
    ]  # fmt: skip
    require_refused(server, wrong_begins, lambda wrong: client.post("/api/begin", json={**right, **wrong}))
    victim = Victim(client)
    wrong_screens: list[dict[str, Any]] = [
        {"width": 0}, {"width": -1}, {"width": 1e9}, {"width": "x"}, {"width": 1.5}, {"width": 10**30},
        {"device_pixel_ratio": 0}, {"device_pixel_ratio": "NaN"}, {"refresh_hz": -60}, {"refresh_hz": 1e300},
        {"user_agent": "x" * 501}, {"user_agent": "a\u0000b"}, {"pixels_per_cm": -1}, {"dropped": 2}, {"more": 1},
        {"jitter_ms": -1}, {"touch": "perhaps"},
    ]  # fmt: skip
    require_refused(server, wrong_screens, lambda wrong: victim.call("ready", screen={**SCREEN, **wrong}))
    require_refused(server, [{"unasked": "x"}], lambda answers: victim.call("ready", answers=answers, screen=SCREEN))


TRIALS: list[dict[str, Any]] = [
    {"trial": -1}, {"trial": 0}, {"trial": 2}, {"trial": 9}, {"trial": 10**6}, {"trial": 10**7}, {"trial": 10**400},
    {"trial": "1"}, {"trial": 1.5}, {"trial": None}, {"trial": True, "more": 1},
    {"showings": []}, {"showings": None}, {"showings": [{"onset_ms": 1.0}]}, {"showings": REPORT["showings"] * 2},
    {"showings": REPORT["showings"] * 3}, {"showings": [{"onset_ms": 1400.0, "offset_ms": 1000.0}]},
    {"showings": [{"onset_ms": -1.0, "offset_ms": 1000.0}]}, {"showings": [{"onset_ms": 1.0, "offset_ms": 1e11}]},
    {"showings": [{"onset_ms": 1.0, "offset_ms": 1e300}]}, {"showings": [{"onset_ms": 1.0, "offset_ms": 1600.0}]},
    {"showings": [{"onset_ms": "x", "offset_ms": 2.0}]},
    {"presses": []}, {"presses": [{"key": "f", "at_ms": 999.0}]}, {"presses": [{"key": "f", "at_ms": 1e9}]},
    {"presses": [{"key": "f", "at_ms": 1501.0}]},
    {"presses": [{"key": "q", "at_ms": 1400.0}]}, {"presses": [{"key": "", "at_ms": 1400.0}]},
    {"presses": [{"key": "f", "at_ms": 1400.0, "repeated": True}]}, {"presses": [{"key": "fffff", "at_ms": 1400.0}]},
    {"presses": [{"key": "f", "at_ms": 1400.0}] * 201}, {"presses": "f"}, {"sent_ms": 0.0}, {"sent_ms": -5.0},
    {"sent_ms": 10**400}, {"confidence": 0}, {"confidence": 10}, {"flags": ["killed"]}, {"flags": ["x"] * 9},
    {"broken_off": {"at_ms": 1.0, "flag": "killed"}}, {"broken_off": {"at_ms": -1.0}}, {"frame_ms": 0},
    {"frame_ms": -1}, {"missed_frames": -1}, {"missed_frames": 10**9}, {"correct": True}, {"response": "real"},
]  # fmt: skip


def test_reports_of_what_was_not_shown_or_cannot_be_are_refused(victim: Victim, server: Server) -> None:
    require_refused(server, TRIALS, lambda wrong: victim.call("trial", **{"trial": 1, **REPORT, **wrong}))
    headers = {**victim.headers, "Content-Type": "application/json"}
    onsets = [f'{{"trial": 1, "onset_ms": {number}, "sent_ms": 1}}' for number in ("NaN", "1e999")]
    require_refused(server, onsets, lambda text: victim.client.post("/api/onset", content=text, headers=headers))
    assert victim.answer()["trial"] == 2


def test_times_that_go_backwards_between_messages_store_nothing_impossible(victim: Victim, server: Server) -> None:
    before, end = stored(server)["onsets"], time.monotonic() + 20
    assert victim.call("onset", trial=1, onset_ms=9e9, sent_ms=9e9).status_code == 200
    while stored(server)["onsets"] == before:  # an onset is acknowledged before it is stored
        assert time.monotonic() < end
    require_refused(server, [REPORT], lambda report: victim.call("trial", trial=1, **report))
    late = {"showings": [{"onset_ms": 9e9, "offset_ms": 9e9 + 400}], "presses": [{"key": "f", "at_ms": 9e9 + 400}]}
    assert victim.call("trial", trial=1, **late, sent_ms=9e9 + 500).status_code == 200
    with open_store(server.store) as store:
        (row,) = store.rows(tables.TRIALS, session=victim.setup["session"])
    assert (row["exposure_ms"], row["reaction_time_ms"]) == (400.0, 400.0)


def test_pictures_are_given_to_their_session_alone(client: httpx.Client, victim: Victim) -> None:
    other = Victim(client).begun()
    mine, others = ({address.rpartition("/")[2] for address in each.next["ahead"]} for each in (victim, other))
    assert not mine & others
    assert all(len(end) >= 22 for end in mine | others)
    for end in others:
        assert client.get(f"/picture/{victim.token}/{end}").status_code == 404
    for end in ("x" * 22, "../" + next(iter(mine)), next(iter(mine))[:-1]):
        assert client.get(f"/picture/{victim.token}/{end}").status_code == 404
    for address in victim.next["ahead"]:
        assert client.get(f"/{address}").status_code == 200


def test_idle_connections_and_slow_bodies_keep_nobody_waiting(server: Server, client: httpx.Client) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(250)]
    try:
        head = b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        for connection in idle[:50]:
            connection.sendall(head + b"{")
        with httpx.Client(base_url=server.url, timeout=5) as fresh:
            for _ in range(3):
                since = time.monotonic()
                assert fresh.get("/healthz").status_code == 200
                assert time.monotonic() - since < 2
        assert Victim(client).begun().answer()["trial"] == 2
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.nightly
def test_connections_that_send_no_whole_head_are_closed(server: Server, client: httpx.Client) -> None:
    """Connections send nothing, a byte now and then, that after a whole request, or a part right behind one."""

    def closed_after(beginning: bytes, later: bytes = b"x") -> float:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection, suppress(OSError):
            connection.sendall(beginning)
            while time.monotonic() < begun + 60:
                with suppress(TimeoutError):
                    if not connection.recv(4096):
                        break
                connection.sendall(later)
        return time.monotonic() - begun

    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with ThreadPoolExecutor() as threads:
        parts = (b"GET /", whole[:-2] + b"X: ", whole + whole[:-2] + b"X: ")
        sent = ((b"", b""), *((part,) for part in parts), (whole + b"GET /", b""))
        seconds = list(threads.map(lambda case: closed_after(*case), sent))
    assert 15 < min(seconds) < max(seconds) < 45


def test_every_response_has_the_headers(client: httpx.Client, victim: Victim, server: Server) -> None:
    responses = [
        client.get("/"), client.get("/healthz"), client.get("/static/page.js"), client.get("/nothing"),
        client.get(f"/{victim.next['ahead'][0]}"), client.put("/"), client.post("/api/open", content=b"x"),
        client.post("/api/open", json={"participant": "new"}), client.get("/static/none.js"),
    ]  # fmt: skip
    for response in responses:
        for name, value in HEADERS.items():
            assert response.headers[name] == value, response.request.url
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response.headers["Cache-Control"]
        assert "server" not in response.headers
        assert "x-powered-by" not in response.headers
        assert all("samesite=" in cookie.lower() for cookie in response.headers.get_list("set-cookie"))
    policy = HEADERS["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert not re.search(r"unsafe|\*|https?:", policy)
    html = client.get("/").text
    assert not re.search(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|\son\w+=|javascript:|https?://", html
    )


SECRETS = re.compile(r"secret|hiddenmodel|sha256|stimuli|\.jpe?g|\.png|/tmp|fake/|real/|\"(kind|model|dataset|item)\"")
"""Names of files, models and data sets, hashes and paths."""


def test_nothing_that_a_page_gets_says_what_is_real(client: httpx.Client, server: Server) -> None:
    texts: list[str] = [client.get("/").text]
    apart, shapes = ("trial", "progress", "showings", "ahead", "done", "masks", "break"), []
    lengths: dict[str, set[tuple[Any, ...]]] = {"real": set(), "fake": set()}
    for _ in range(2):
        victim = Victim(client).begun()
        texts += [json.dumps({**victim.setup, "token": "", "session": ""})]
        with open_store(server.store) as store:
            kinds = {row["trial"]: row["kind"] for row in store.rows(tables.PLANS, session=victim.setup["session"])}
        while victim.next["page"] == "trial":
            shown = victim.next
            assert "review" not in shown
            texts.append(json.dumps(shown))
            kind = kinds[shown["trial"]]
            shapes.append({name: value for name, value in shown.items() if name not in apart})
            response = client.get(f"/{shown['showings'][0][0]}")
            seen = {name: value for name, value in response.headers.items() if name != "date"}
            lengths[kind].add((len(response.content), *sorted(seen.items()), *response.content[:41]))
            onset = victim.call("onset", trial=shown["trial"], onset_ms=1000.0, sent_ms=1000.0)
            texts += [onset.text, json.dumps(dict(onset.headers))]
            if victim.answer()["page"] == "end":
                break
        # the end of a session shows what was real, and names it by words alone
        assert not SECRETS.search(json.dumps({**victim.next, "review": []}))
        panels = [panel["address"] for row in victim.next["review"] for panel in row["panels"] if panel["address"]]
        assert client.get(f"/{panels[0]}").content.startswith(b"\x89PNG")
        other = Victim(client)
        for address in panels:
            assert client.get(f"/picture/{other.token}/{address.rpartition('/')[2]}").status_code == 404
    for text in texts:
        assert not SECRETS.search(text), SECRETS.search(text)
    assert lengths["real"] == lengths["fake"]
    assert len(lengths["real"]) == 1
    assert all(shape == shapes[0] for shape in shapes)


def test_two_servers_of_a_store_are_refused(stimuli: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--stimuli", str(stimuli), "--store", server.store, "--port", "0"]) == 2
    assert "serving this store" in capsys.readouterr().err


def test_a_folder_without_permission_is_named_in_place_of_its_lock(
    stimuli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gan_eval.quiz.serve.run.os.access", lambda path, mode: path != tmp_path)
    assert run(["serve", "--stimuli", str(stimuli), "--store", str(tmp_path / "s.sqlite"), "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert f"s.sqlite: {tmp_path}: no permission to write; choose another place" in said


def test_an_address_that_cannot_be_used_is_named_with_the_fix() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"^--host 127.0.0.1 --port {port}:.*--port 0 finds"):
            listen("127.0.0.1", port)
    with pytest.raises(UserError, match=r"--host 192.0.2.1.*name an address of this computer$"):
        listen("192.0.2.1", 0)
    with pytest.raises(UserError, match=r"^--host: is empty"):  # for the system, this means every address
        listen("", 0)


def test_a_port_for_the_administrator_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("gan_eval.quiz.serve.run.socket.socket.bind", bind, raising=False)
    with pytest.raises(UserError, match=r"^--host 127.0.0.1 --port 80: Permission denied; .*1024; give --port 8700"):
        listen("127.0.0.1", 80)
