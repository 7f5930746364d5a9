"""The receiver that a pasted URL means, for sends at once: it is in no file before it is saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from retailops_sandbox import composing
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.session.receivers import without_user
from retailops_sandbox.workspace.names import free_name


def receiver_at(url: str, is_taken: Callable[[str], bool]) -> Receiver:
    """The receiver at a URL, named after its host; UsageError where nothing can be sent there."""
    url = url.strip()
    if not url:
        raise UsageError("there is no URL", mend="write http://host:port")
    if "://" not in url:
        scheme = "http" if url.startswith(("localhost", "127.", "[")) else "https"
        raise UsageError("the URL has no scheme", mend=f"write {scheme}://{url.rpartition('@')[2]}")
    if without_user(url) != url:
        raise UsageError("the URL has a user or password", mend="leave it out: Advanced has fields for both")
    name = re.sub(r"[^\w.]+", "-", urlsplit(url).netloc).strip("-") or "receiver"
    receiver = Receiver(name=free_name(name, is_taken), base_url=url)
    try:
        composing.check(receiver)
    except SandboxError as error:
        raise UsageError(error.what, mend=error.mend) from error
    return receiver
