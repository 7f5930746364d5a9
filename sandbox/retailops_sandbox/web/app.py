"""The application: its routes, and its pages for errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.web.compose.pages import ComposePages
from retailops_sandbox.web.log.delivery import DeliveryPages
from retailops_sandbox.web.log.exports import ExportPages
from retailops_sandbox.web.log.live import LivePages
from retailops_sandbox.web.log.pages import LogPages
from retailops_sandbox.web.receivers.pages import ReceiverPages
from retailops_sandbox.web.recording.pages import RecordPages
from retailops_sandbox.web.recording.review import ReviewPages
from retailops_sandbox.web.review.pages import AcceptPages
from retailops_sandbox.web.runs.files import RunFilePages
from retailops_sandbox.web.runs.pages import RunPages
from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import THEMES, Pages
from retailops_sandbox.web.shell.security import Guard, cookie_name, is_same, remember_token

_COMPRESSION = 6
"""Of zlib's nine levels: the last three take twice the time for one percent less."""
_OF_A_DELIVERY = ("cancel", "again", "accept", "judge")
_TITLES = {
    HTTPStatus.BAD_REQUEST: "That cannot be done",
    HTTPStatus.UNAUTHORIZED: "A token, please",
    HTTPStatus.FORBIDDEN: "Refused",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not in this way",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of the sandbox",
}


def create_app(context: AppContext, pages: Pages, *, token: str = "") -> ASGIApp:
    """The browser application over a context. With a token, every page asks for it."""
    shell = _Shell(context, pages, token)
    pages.offer(recording=context.recording, problem_of=context.sending.problem)
    runs = RunPages(context, pages)
    routes = [
        *ComposePages(context, pages).routes(),
        *ScenarioPages(context, pages).routes(),
        *RunFilePages(context, runs).routes(),
        *runs.routes(),
        *AcceptPages(context, pages).routes(),
        *LivePages(context, pages).routes(),
        *LogPages(context, pages).routes(),
        *DeliveryPages(context, pages).routes(),
        *ExportPages(context).routes(),
        *ReceiverPages(context, pages).routes(),
        *RecordPages(context, pages).routes(),
        *ReviewPages(context, pages).routes(),
        *_redirects(),
        Route("/theme", shell.theme, methods=["POST"]),
        Route("/login", shell.login, methods=["POST"]),
        Mount("/static", _Static(directory=pages.static)),
    ]
    application = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: shell.http_error,
            SandboxError: shell.sandbox_error,
            Exception: shell.bug,
        },
    )
    # Around it and not among its middleware: the page for a bug comes from outside of those.
    guarded = Guard(application, token=token, refuse=shell.refuse)
    # Not what is streamed as events: the middleware leaves those alone.
    return GZipMiddleware(guarded, compresslevel=_COMPRESSION)


def _redirects() -> list[Route]:
    """Where an address leads that answers to a form only: it stands in the bar after a form was refused."""
    places = {
        "/": ("/compose", "/send", "/theme", "/login"),
        "/receivers": (
            *("/receivers/save", "/receivers/check", "/receivers/try", "/receivers/needs"),
            *("/receivers/delete", "/receivers/undo", "/stand-in/reset"),
        ),
        "/scenarios": ("/scenarios/run",),
        "/runs/{id}": ("/runs/{id}/stop", "/runs/{id}/pin"),
        "/deliveries": ("/record/from-log",),
        "/record": ("/record/switch", "/record/start", "/record/stop"),
        "/deliveries/{id}": tuple(f"/deliveries/{{id}}/{each}" for each in _OF_A_DELIVERY),
    }
    return [Route(path, _to(place)) for place, paths in places.items() for path in paths]


def _to(place: str) -> Callable[[Request], Awaitable[Response]]:
    async def redirect(request: Request) -> Response:
        return RedirectResponse(place.format(**request.path_params), HTTPStatus.SEE_OTHER)

    return redirect


class _Static(StaticFiles):
    """The assets: their names hold a hash of what is in them, so a browser may keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class _Shell:
    """What is around the pages: errors, login, theme."""

    def __init__(self, context: AppContext, pages: Pages, token: str) -> None:
        self._context = context
        self._pages = pages
        self._token = token

    def refuse(self, request: Request, status: HTTPStatus, message: str, mend: str = "") -> Response:
        """The page for an error, in the layout of the others."""
        title = _TITLES.get(status, status.phrase)
        known = {} if status == HTTPStatus.UNAUTHORIZED else {"here": ""}
        return self._pages.render(
            request,
            "shell/error.html",
            status,
            code=int(status),
            title=title,
            message=message,
            mend=mend,
            **known,
        )

    async def http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        said = error.detail if error.detail != status.phrase else status.description
        if status == HTTPStatus.NOT_FOUND and error.detail == status.phrase:
            said = f"No page of the sandbox is at {request.url.path}."
        response = self.refuse(request, status, said, await self._damage(request))
        response.headers.update(error.headers or {})
        return response

    async def sandbox_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, SandboxError)
        what = f"{error.place}: {error.what}" if error.place else error.what
        damage = await self._damage(request)
        return self.refuse(request, HTTPStatus.BAD_REQUEST, what, damage or error.mend)

    async def _damage(self, request: Request) -> str:
        """Why what was asked for may not be there: its run cannot be read."""
        id = request.path_params.get("id") or request.query_params.get("from", "")
        damage = await asyncio.to_thread(self._context.damage, id) if id else ""
        return f"Its run cannot be read whole: {damage}" if damage else ""

    async def bug(self, request: Request, error: Exception) -> Response:
        return self.refuse(
            request,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"Something is wrong with the sandbox itself: {type(error).__name__}.",
            "The terminal where it runs shows where. What was sent until now is in the log.",
        )

    async def theme(self, request: Request) -> Response:
        form = await forms.read(request)
        chosen = str(form.get("theme", ""))
        response = RedirectResponse(forms.came_from(request), HTTPStatus.SEE_OTHER)
        if chosen in THEMES:
            response.set_cookie(cookie_name(request, "theme"), chosen, max_age=31_536_000, samesite="lax")
        return response

    async def login(self, request: Request) -> Response:
        form = await forms.read(request)
        if not self._token or not is_same(str(form.get("token", "")), self._token):
            return self.refuse(request, HTTPStatus.UNAUTHORIZED, "That is not the token.")
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        remember_token(request, response, self._token)
        return response
