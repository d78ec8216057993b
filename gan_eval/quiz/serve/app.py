"""The quiz over HTTP: addresses, limits and headers around `LiveStudy`.

Requests to `api/` get JSON. Addresses are relative to the page's own folder, because the same routes are mounted twice:
for participants, and for the experimenter to try the study without storing anything.
"""

import asyncio
import sys
import time
import traceback
from functools import cache, partial
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan_eval.quiz.serve.live import LiveStudy
from gan_eval.quiz.serve.messages import ARRIVING, OF_SESSION, RequestError
from gan_eval.quiz.serve.pages import HERE, page_html

MAX_BODY_BYTES = 256 * 2**10
"""Maximum size of a request's body in bytes."""
BODY_S = 20
"""Maximum time in seconds to receive a request's body."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    # isolation from other origins: the page's clock has steps of 5 instead of 100 microseconds
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every response."""
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def make_app(live: LiveStudy, more: list[BaseRoute] | None = None) -> ASGIApp:
    """Return the application: the participants' routes and `more`, with headers, limits and error responses."""

    return Guard(Router([*quiz_routes(live), *(more or [])], redirect_slashes=False))


def _failed(error: Exception) -> Response:
    """Return the response to a request that ended with an error."""
    if isinstance(error, RequestError):
        return JSONResponse(error.body, error.status)
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    traceback.print_exception(error, file=sys.stderr)
    return JSONResponse({"error": "internal error"}, 500)


def quiz_routes(live: LiveStudy) -> list[BaseRoute]:
    """Return the routes of the page, its requests, its pictures and its static files."""
    html = cache(partial(page_html, live.settings, intro=live.intro))

    async def page(_: Request) -> Response:
        return HTMLResponse(html())

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def picture(request: Request) -> Response:
        token, address = request.path_params["token"], request.path_params["address"]
        return Response(await live.picture(token, address), media_type="image/png")

    async def api(request: Request) -> Response:
        name = request.path_params["name"]
        body = await _body(request)
        if name in ARRIVING:
            return JSONResponse(await getattr(live, name)(_message(ARRIVING[name], body)))
        if name not in OF_SESSION:
            raise HTTPException(404)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise RequestError(401, "no session")
        job = partial(getattr(live, name), message=_message(OF_SESSION[name], body))
        return JSONResponse(await live.handle_request(token.strip(), request.headers.get("x-tab", ""), job))

    return [
        Route("/api/{name}", api, methods=["POST"]),  # the most frequent ones first
        Route("/picture/{token}/{address}", picture, methods=["GET"]),
        Route("/", page, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


async def _body(request: Request) -> bytes:
    """Read a JSON body of limited size, in limited time."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "expected application/json")
    content = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                content += part
                if len(content) > MAX_BODY_BYTES:
                    raise RequestError(413, f"more than {MAX_BODY_BYTES} bytes")
    except (TimeoutError, ClientDisconnect) as error:
        raise RequestError(408, "the body is incomplete") from error
    return content


def _message(kind: type[BaseModel], body: bytes) -> Any:
    try:
        return kind.model_validate_json(body, strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if problem["type"] == "json_invalid":
            raise RequestError(400, "the body is not JSON") from error
        field = ".".join(map(str, problem["loc"])) or "body"
        raise RequestError(422, f"{field}: {problem['msg']}") from error


class Buckets:
    """Token buckets that limit the rate of requests, one for each key."""

    def __init__(self, size: float, per_second: float) -> None:
        self._size, self._rate = size, per_second
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str, cost: float = 1.0) -> bool:
        """Take tokens from a bucket; return whether it had enough."""
        now = time.monotonic()
        level, since = self._levels.get(key, (self._size, now))
        level = min(self._size, level + (now - since) * self._rate)
        if enough := level >= cost:
            level -= cost
        self._levels[key] = (level, now)
        if len(self._levels) > 10_000:  # drop full buckets; a new one is full too
            self._levels = {
                each: (left, when)
                for each, (left, when) in self._levels.items()
                if left + (now - when) * self._rate < self._size
            }
        return enough


class Guard:
    """Rate limits, response headers and responses to errors around an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._addresses = Buckets(6000, 1000)
        """One bucket for each client address; a lab of 300 people behind one address stays far below the limit."""
        self._sessions = Buckets(400, 100)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = (scope.get("client") or ("", 0))[0]
        session = dict(scope["headers"]).get(b"authorization", b"")
        scope["app"], started = self, False  # with an "app", routes raise HTTPException

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started, names = True, {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in _ENCODED if pair[0] not in names)]
                if message["status"] in (400, 401, 404, 405, 413, 415, 422):
                    self._addresses.take(client, 10.0)  # failed requests cost more, to slow down guessing
            await send(message)

        allowed = self._addresses.take(client)
        if session and allowed:
            allowed = self._sessions.take(session[:200].decode("latin-1"))
        if not allowed:
            response = JSONResponse({"error": "too many requests"}, 429, headers={"Retry-After": "2"})
            await response(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                raise
            await _failed(error)(scope, receive, send_with_headers)
