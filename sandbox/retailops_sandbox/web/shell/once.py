"""Forms that were sent: a double click does it once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from retailops_sandbox.errors import UsageError

_REMEMBERED = 1000


class Once:
    """Remembers what each form started, by its key."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, asyncio.Future[str]] = OrderedDict()

    async def do(self, form: str, start: Callable[[], asyncio.Future[str]]) -> tuple[str, bool]:
        """What this form starts, or has started: its id, and whether that was before.

        Raises what `start` or its future raises, and UsageError for a form without a key; the form can then
        be sent again.
        """
        if not form:
            raise UsageError("the form has no id", mend="reload the page")
        if form in self._forms:
            return await asyncio.shield(self._forms[form]), True
        started = start()
        self._forms[form] = started
        while len(self._forms) > _REMEMBERED:
            self._forms.popitem(last=False)
        try:
            return await asyncio.shield(started), False
        except Exception:
            self._forms.pop(form, None)
            raise
