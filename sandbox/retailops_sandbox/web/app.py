"""The application: its rooms put together, and its pages for errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.web.compose.room import compose_room
from retailops_sandbox.web.log.room import log_room
from retailops_sandbox.web.palette.room import palette_room
from retailops_sandbox.web.probe.room import probe_room
from retailops_sandbox.web.receivers.room import receivers_room
from retailops_sandbox.web.recording.room import recording_room
from retailops_sandbox.web.review.room import review_room
from retailops_sandbox.web.runs.room import runs_room
from retailops_sandbox.web.scenarios.room import scenarios_room
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.choices import THEME
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.log_notice import log_notice
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.run_watch import RunWatch
from retailops_sandbox.web.shell.security import HEALTH, Guard, is_open
from retailops_sandbox.web.shell.token import Token

_Call = Callable[[], Awaitable[None]]

_COMPRESSION = 6
"""The compression level, of zlib's nine: the last three take twice the time and save one percent."""
_PAGES_OF_FORMS = {"/stand-in/reset": "/receivers", "/record/from-log": "/deliveries"}
"""From a form's address to that of its page, where this is not the form's address without the last part."""
_TITLES = {
    HTTPStatus.BAD_REQUEST: "That cannot be done",
    HTTPStatus.UNAUTHORIZED: "A token, please",
    HTTPStatus.FORBIDDEN: "Refused",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not in this way",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.TOO_MANY_REQUESTS: "Wait, please",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of the sandbox",
}


class ErrorPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page for an error."""

    code: int
    title: str
    message: str
    mend: str


class Application(msgspec.Struct, frozen=True):
    """The browser application of one process."""

    asgi: ASGIApp
    _stops: Sequence[_Call]
    _closes: Sequence[_Call]

    async def stop(self) -> None:
        """Cancel the sends and runs under way, and wait until they are logged. Pages are still answered."""
        await _call_all(self._stops)

    async def close(self) -> None:
        """Free the resources of the pages, after the last one was answered."""
        await _call_all(self._closes)


async def _call_all(calls: Sequence[_Call]) -> None:
    """Call all in this order, also after one that raises; raise that exception at the end."""
    async with contextlib.AsyncExitStack() as stack:
        for call in reversed(calls):
            stack.push_async_callback(call)


def create_app(context: AppContext, pages: Pages, *, token: str = "") -> Application:
    """The browser application over a context. With a token, every page asks for it."""
    pages.targets = context.targets
    pages.words = context.words
    pages.log_notice = lambda: log_notice(context.log)
    asked_for = Token(token)
    shell = _Shell(context, pages, asked_for)
    compose = compose_room(context, pages)
    watch = RunWatch(context)
    scenarios = scenarios_room(context, pages, watch)
    runs = runs_room(context, pages, watch)
    probe = probe_room(context, pages)
    review = review_room(context, pages)
    log = log_room(context, pages)
    receivers = receivers_room(context, pages)
    recording = recording_room(context, pages)
    palette = palette_room(context, pages)
    rooms = (compose, scenarios, runs, probe, review, log, receivers, recording, palette)
    starlette = Starlette(
        routes=[
            *(route for room in rooms for route in room.routes),
            Route("/theme", shell.theme, methods=["POST"]),
            Route(HEALTH, shell.health),
            Route("/login", shell.login, methods=["POST"]),
            Mount("/static", _Static(directory=pages.static)),
        ],
        exception_handlers={
            HTTPException: shell.http_error,
            ClientDisconnect: shell.client_gone,
            SandboxError: shell.sandbox_error,
            Exception: shell.bug,
        },
    )
    # The guard is around the application: as middleware it would not cover the page for a bug.
    guarded = Guard(starlette, token=asked_for, refuse=shell.refuse)
    return Application(
        # The middleware does not compress event streams.
        GZipMiddleware(guarded, compresslevel=_COMPRESSION),
        # The log's watch stops after the sends, so that pages see how these ended.
        (
            receivers.stop,
            context.sending.stop,
            log.stop,
            recording.stop,
            runs.stop,
            probe.stop,
            context.running.stop_all,
        ),
        tuple(room.close for room in rooms),
    )


class _Static(StaticFiles):
    """The assets, whose names hold a hash of their content, so that browsers keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class _Shell:
    """The pages for errors, the login and the theme."""

    def __init__(self, context: AppContext, pages: Pages, token: Token) -> None:
        self._context = context
        self._pages = pages
        self._token = token

    def refuse(self, request: Request, status: HTTPStatus, message: str, mend: str = "") -> Response:
        """The page for an error, in the layout of the others."""
        title = _TITLES.get(status, status.phrase)
        return self._pages.render(
            request,
            "shell/error.html",
            ErrorPage(code=int(status), title=title, message=message, mend=mend),
            section=None if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS) else "",
            status=status,
        )

    async def http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        if status == HTTPStatus.METHOD_NOT_ALLOWED and request.method in ("GET", "HEAD"):
            # After a form was refused the browser shows its address, and may ask for it again.
            path = request.url.path
            page = _PAGES_OF_FORMS.get(path) or path.rpartition("/")[0] or "/"
            return RedirectResponse(page, HTTPStatus.SEE_OTHER)
        what = error.detail if error.detail != status.phrase else status.description
        if status == HTTPStatus.NOT_FOUND and error.detail == status.phrase:
            what = f"No page of the sandbox is at {request.url.path}."
        response = self.refuse(request, status, what, await self._damage(request))
        response.headers.update(error.headers or {})
        return response

    async def client_gone(self, request: Request, error: Exception) -> Response:
        """The answer to a client that left before its form had arrived: nobody reads it."""
        return Response(status_code=HTTPStatus.BAD_REQUEST)

    async def sandbox_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, SandboxError)
        what = f"{error.place}: {error.what}" if error.place else error.what
        damage = await self._damage(request)
        return self.refuse(request, HTTPStatus.BAD_REQUEST, what, damage or error.mend)

    async def _damage(self, request: Request) -> str:
        """Why a requested delivery or run may be missing: the run file is damaged, or the log is away.

        Empty where neither is so.
        Also empty at the addresses that are open to all, who are told of no file.
        """
        if is_open(request):
            return ""
        id = request.path_params.get("id") or request.query_params.get("from", "")
        damage = await asyncio.to_thread(self._context.damage, id) if id else ""
        if id and not damage and self._context.log.away():
            return "The shared log is away, and may have it."
        return f"Its run cannot be read whole: {damage}" if damage else ""

    async def bug(self, request: Request, error: Exception) -> Response:
        return self.refuse(
            request,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"Something is wrong with the sandbox itself: {type(error).__name__}.",
            "The terminal where it runs shows where. What was sent until now is in the log.",
        )

    async def health(self, request: Request) -> Response:
        """Whether the process answers: it does; and whether the log can be reached, where it cannot.

        Whoever asks needs no token, so nothing else is said.
        """
        try:
            await asyncio.to_thread(self._context.log.in_flight)
            lacks = self._context.log.away() or self._context.log.unwritten()
        except SandboxError as error:
            lacks = str(error)
        said = {"status": "ok"} | ({"log": "away"} if lacks else {})
        return JSONResponse(said, headers={"Cache-Control": "no-store"})

    async def theme(self, request: Request) -> Response:
        form = await forms.read(request)
        response = RedirectResponse(forms.came_from(request), HTTPStatus.SEE_OTHER)
        THEME.remember(request, response, forms.text(form, "theme"))
        return response

    async def login(self, request: Request) -> Response:
        form = await forms.read(request)
        if not self._token.is_right(request, forms.text(form, "token")):
            return self.refuse(request, HTTPStatus.UNAUTHORIZED, "That is not the token.")
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        self._token.remember(request, response)
        return response
