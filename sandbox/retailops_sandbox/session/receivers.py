"""Which receiver is meant: the stand-in, a URL, or the name of one in the workspace."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace

STAND_IN = Receiver(name="stand-in", base_url="", stand_in=True)
"""Without its token and, as long as it is not started, without an address."""


def stand_in() -> Receiver:
    """The stand-in, and the token that it expects."""
    from retailops_sandbox.standin import TOKEN

    return msgspec.structs.replace(STAND_IN, token=TOKEN)


def named(workspace: Workspace, chosen: str) -> Receiver:
    """The receiver of this URL or name; UsageError where there is none."""
    if "://" in chosen:
        return Receiver(name=without_user(chosen), base_url=chosen)
    if ":" in chosen or "/" in chosen:
        shown = without_user(chosen)
        raise UsageError(f"the receiver {shown!r} has no scheme", mend=f"write http://{shown.lstrip('/')}")
    return workspace.receiver(chosen)


def without_user(url: str) -> str:
    """A URL to show: without the user and the password in it."""
    if "://" not in url:
        return url.rpartition("@")[2]
    try:
        parts = urlsplit(url)
    except ValueError:
        # Without the reason, which may quote a password.
        raise UsageError("a URL cannot be read", mend="write http://host:port/path") from None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
