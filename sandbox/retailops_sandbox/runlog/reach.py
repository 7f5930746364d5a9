"""Whether the database of a log can be reached, and how soon it is asked again where it cannot."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import TypeVar

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.postgres.connecting import DatabaseAway, DatabaseRefused

_PAUSE = 2.0
"""Seconds after a failure in which the database is not asked again."""
_WAITED = 0.5
"""The most seconds that a question waits for whether the database is back."""
_T = TypeVar("_T")


class Reach:
    """Whether the database can be reached. One that was away is tried again in a thread of its own."""

    def __init__(self, try_database: Callable[[], object]) -> None:
        """`try_database` asks the database something; it raises DatabaseAway or DatabaseRefused."""
        self.problem = ""
        """Why it cannot be reached; empty where it can."""
        self._try_database = try_database
        self._was_asked = False
        """Whether it ever answered, or was away."""
        self._due = 0.0
        """When it may be tried again, by the monotonic clock."""
        self._trying: Thread | None = None
        self._lock = Lock()

    def asked(self, database: Callable[[], _T], files: Callable[[], _T]) -> _T:
        """What the database answers, or else the files.

        DatabaseRefused where the database does so at the first question: whoever begins has to mend that.
        Later it is a database that went away.
        """
        if not self.problem or self._is_back():
            try:
                answer = database()
            except (DatabaseAway, DatabaseRefused) as error:
                if isinstance(error, DatabaseRefused) and not self._was_asked:
                    raise
                self.lost(error)
            else:
                self._was_asked = True
                self.problem = ""
                return answer
        return files()

    def lost(self, error: SandboxError) -> None:
        """Take note that the database cannot be reached."""
        self._due = time.monotonic() + _PAUSE
        self._was_asked = True
        self.problem = str(error)

    def _is_back(self) -> bool:
        """Whether it can be reached again. The question that begins to try waits a little for that."""
        with self._lock:
            if time.monotonic() < self._due or (self._trying is not None and self._trying.is_alive()):
                return False
            trying = self._trying = Thread(target=self._try, name="log-database", daemon=True)
            trying.start()
        trying.join(_WAITED)
        return not self.problem

    def _try(self) -> None:
        try:
            self._try_database()
        except (DatabaseAway, DatabaseRefused) as error:
            self.lost(error)
        else:
            self.problem = ""
