"""The receiver that a URL or a name means, and the stand-in."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.receivers import ReceiverBook

STAND_IN = Receiver(name="stand-in", base_url="", stand_in=True)
"""The stand-in without its token, and without an address until it is started."""


def stand_in() -> Receiver:
    """The stand-in with the token that it expects."""
    from retailops_sandbox.standin import TOKEN

    return msgspec.structs.replace(STAND_IN, token=TOKEN)


def named(book: ReceiverBook, chosen: str) -> Receiver:
    """The receiver of this URL, or of this name in the workspace; UsageError where there is none."""
    if "://" in chosen:
        return Receiver(name=without_user(chosen), base_url=chosen)
    if ":" in chosen or "/" in chosen:
        shown = without_user(chosen)
        raise UsageError(f"the receiver {shown!r} has no scheme", mend=f"write http://{shown.lstrip('/')}")
    return book.named(chosen)


def without_user(url: str) -> str:
    """The URL without user and password."""
    if "://" not in url:
        return url.rpartition("@")[2]
    try:
        parts = urlsplit(url)
    except ValueError:
        # Without the reason, which may quote a password.
        raise UsageError("a URL cannot be read", mend="write http://host:port/path") from None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
