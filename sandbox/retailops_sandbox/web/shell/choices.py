"""What a browser chose last, kept in its cookies."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.security import cookie_name
from retailops_sandbox.web.shell.send_form import EXPECTATION_VIEWS, VIEWS


def chosen_receiver(request: Request, context: AppContext) -> Receiver:
    """The receiver that this browser chose last, else the stand-in."""
    name = request.cookies.get(cookie_name(request, "receiver"), "")
    known = {each.name.encode().hex(): each for each in context.receivers()}
    return known.get(name, context.stand_in_receiver)


def remember_receiver(request: Request, response: Response, name: str, context: AppContext) -> None:
    """Let this browser's next pages send there too. A cookie holds few characters, hence the hexadecimal."""
    if any(each.name == name for each in context.receivers()):
        key = cookie_name(request, "receiver")
        response.set_cookie(key, name.encode().hex(), httponly=True, samesite="lax")


def chosen_view(request: Request) -> str:
    """How this browser showed a payload last."""
    view = request.cookies.get(cookie_name(request, "view"), "")
    return view if view in VIEWS else VIEWS[0]


def remember_view(request: Request, response: Response, view: str) -> None:
    """Let this browser's next pages show payloads so, too."""
    if chosen_view(request) != view:
        response.set_cookie(
            cookie_name(request, "view"), view, max_age=31_536_000, httponly=True, samesite="lax"
        )


def chosen_expectation_view(request: Request) -> str:
    """How this browser showed expectations last."""
    view = request.cookies.get(cookie_name(request, "expectation"), "")
    return view if view in EXPECTATION_VIEWS else EXPECTATION_VIEWS[-1]


def remember_expectation_view(request: Request, response: Response, view: str) -> None:
    """Let this browser's next pages show expectations so, too."""
    response.set_cookie(
        cookie_name(request, "expectation"), view, max_age=31_536_000, httponly=True, samesite="lax"
    )


def wants_advice(request: Request) -> bool:
    """Whether this browser's pages give advice on payloads; they do unless it was turned off."""
    return request.cookies.get(cookie_name(request, "advice")) != "off"


def remember_advice(request: Request, response: Response, wanted: bool) -> None:
    """Let this browser's next pages give advice, or none."""
    response.set_cookie(
        cookie_name(request, "advice"), "on" if wanted else "off", max_age=31_536_000, samesite="lax"
    )
