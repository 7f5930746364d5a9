"""The latest choices made in a browser, kept in its cookies."""

from __future__ import annotations

import secrets

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.web.shell.token import cookie_name

_YEAR = 365 * 24 * 60 * 60


class Choice(msgspec.Struct, frozen=True):
    """A choice between some words, which the browser keeps for its next pages."""

    name: str
    words: tuple[str, ...]
    """The words to choose from; the first is the default."""

    def of(self, request: Request) -> str:
        """The word that this browser chose last."""
        word = request.cookies.get(cookie_name(request, self.name), "")
        return word if word in self.words else self.words[0]

    def remember(self, request: Request, response: Response, word: str) -> None:
        """Keep the chosen word in the browser; a word that is not among `words` is ignored."""
        if word in self.words:
            key = cookie_name(request, self.name)
            response.set_cookie(key, word, max_age=_YEAR, httponly=True, samesite="lax")


THEME = Choice("theme", ("system", "light", "dark"))
PAYLOAD_VIEW = Choice("view", ("raw", "form", "sent"))
"""How payloads are shown: as text, as a form, or as the request as sent."""
EXPECTATION_VIEW = Choice("expectation", ("json", "cards"))
ADVICE = Choice("advice", ("on", "off"))


_BROWSER = "sandbox_browser"
"""The cookie with a browser's id, the same at each port, as unsaved edits outlive the port."""


def browser_id(request: Request) -> str:
    """The random id of this browser; empty for one that keeps no cookie, or has not been here."""
    return request.cookies.get(_BROWSER, "")


def remember_browser(request: Request, response: Response) -> None:
    """Give this browser an id, if it has none."""
    if not browser_id(request):
        id = secrets.token_hex(16)
        response.set_cookie(_BROWSER, id, max_age=_YEAR, httponly=True, samesite="lax")


def chosen_receiver(request: Request, receivers: KnownReceivers) -> Receiver:
    """The receiver that this browser chose last, else the stand-in."""
    name = request.cookies.get(cookie_name(request, "receiver"), "")
    known = {each.name.encode().hex(): each for each in receivers.all}
    return known.get(name, receivers.stand_in)


def chosen_name(request: Request, receivers: KnownReceivers) -> str:
    """The name of the receiver that this browser chose last, also of one that is gone; else the stand-in's.

    A send must not go to the stand-in, and pass there, because a receiver is not known any more.
    """
    try:
        name = bytes.fromhex(request.cookies.get(cookie_name(request, "receiver"), "")).decode()
    except ValueError:
        return receivers.stand_in.name
    return name or receivers.stand_in.name


def chosen_action(request: Request) -> tuple[str, str]:
    """The action and the edition that this browser chose last; both empty where it chose none."""
    kept = request.cookies.get(cookie_name(request, "action"), "")
    try:
        action, _, edition = bytes.fromhex(kept).decode().partition(" ")
    except ValueError:
        return "", ""
    return action, edition


def remember_action(request: Request, response: Response, action: str, edition: str) -> None:
    """Keep the action and the edition for this browser's next pages."""
    kept = f"{action} {edition}".encode().hex()
    key = cookie_name(request, "action")
    response.set_cookie(key, kept, max_age=_YEAR, httponly=True, samesite="lax")


def remember_receiver(request: Request, response: Response, receiver: Receiver | None) -> None:
    """Keep the receiver for this browser's next pages; None keeps the one before.

    Cookies hold few characters, hence hexadecimal.
    """
    if receiver is not None:
        key = cookie_name(request, "receiver")
        response.set_cookie(key, receiver.name.encode().hex(), httponly=True, samesite="lax")
