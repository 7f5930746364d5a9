"""The part of a contract by which answers are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from retailops_sandbox.model import Json

if TYPE_CHECKING:
    from retailops_sandbox.contracts.contract import AnswerCheck


class AuthContract(Protocol):
    """Where a contract's proof of the sender stands, and the status that must answer a wrong one."""

    @property
    def pointer(self) -> str: ...

    @property
    def header(self) -> str: ...

    @property
    def place(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def status(self) -> int: ...


class ResponseContract(Protocol):
    """The part of a contract by which answers are judged."""

    @property
    def path(self) -> str: ...

    @property
    def auth(self) -> AuthContract | None: ...

    @property
    def ok_statuses(self) -> tuple[int, ...]: ...

    @property
    def arrays(self) -> Mapping[str, tuple[str, ...]]: ...

    def check_answer(self, value: Json) -> AnswerCheck: ...
