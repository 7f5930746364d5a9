"""Starting something once for each form, also after a double click."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from retailops_sandbox.errors import UsageError
from retailops_sandbox.web.shell.recent import Recent

_REMEMBERED = 1000


class Once:
    """Starts the send or run of a form once, however often the form is sent."""

    def __init__(self) -> None:
        self._forms: Recent[asyncio.Future[str]] = Recent(_REMEMBERED)

    async def do(self, form: str, start: Callable[[], asyncio.Future[str]]) -> tuple[str, bool]:
        """The id of the send or run that the form with this key started, and whether an earlier request did.

        Raises what `start` or its future raises, and UsageError for an empty key; the form can then be sent
        again.
        """
        if not form:
            raise UsageError("the form has no id", mend="reload the page")
        if form in self._forms:
            return await asyncio.shield(self._forms[form]), True
        started = start()
        self._forms[form] = started
        try:
            return await asyncio.shield(started), False
        except Exception:
            self._forms.pop(form, None)
            raise
