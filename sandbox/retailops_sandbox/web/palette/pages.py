"""The palette: everything there is to go to, found by a few letters of its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.web.shell.pages import PLACES
from retailops_sandbox.web.shell.room import RoomPages

_SHOWN = 30
"""The most entries that are shown at once."""

Kind = Literal["place", "action", "case", "scenario", "receiver"]


class Entry(msgspec.Struct, frozen=True):
    """One thing to go to, or a receiver to choose."""

    kind: Kind
    name: str
    detail: str = ""
    href: str = ""
    """Its address; empty for a receiver, which a form chooses."""

    def rank(self, words: Sequence[str]) -> int | None:
        """How well it fits some folded words, 0 best; None where one of them is nowhere in it."""
        name = self.name.casefold()
        searched = f"{name} {self.detail.casefold()} {self.kind}"
        if not all(word in searched for word in words):
            return None
        if not words or name.startswith(words[0]):
            return 0
        return 1 if all(word in name for word in words) else 2


class PalettePage(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that fit what was typed, the best ones first."""

    q: str
    entries: Sequence[Entry]
    more: int
    """The number of fitting entries that are not shown."""


class PalettePages(RoomPages):
    """`/palette`: a page without a script, and a list for the dialog with one."""

    def routes(self) -> list[Route]:
        return [Route("/palette", self.show)]

    def show(self, request: Request) -> Response:
        """What fits `?q=`. Blocks."""
        receivers = self._context.read_receivers()
        q = request.query_params.get("q", "").strip()
        found = _best(self._entries(), q)
        page = PalettePage(q=q, entries=found[:_SHOWN], more=max(0, len(found) - _SHOWN))
        if request.headers.get("hx-target") == "palette-list":
            return self._part(request, "palette/palette_list.html", page)
        target = self._chosen_target(request, receivers)
        return self._page(request, "palette/palette.html", page, target=target)

    def _entries(self) -> Iterator[Entry]:
        return chain(_places(), self._actions(), self._cases(), self._scenarios(), self._receivers())

    def _actions(self) -> Iterator[Entry]:
        for action in self._context.actions():
            for edition in action.editions:
                address = {"action": action.name, "edition": edition}
                detail = f"{edition}: {action.summary}"
                yield Entry("action", action.name, detail, f"/?{urlencode(address)}")

    def _cases(self) -> Iterator[Entry]:
        for action in self._context.actions():
            for edition in action.editions:
                for info in self._fixtures(action.name, edition):
                    address = {"action": action.name, "edition": edition, "fixture": info}
                    yield Entry("case", info, f"{action.name} {edition}", f"/?{urlencode(address)}")

    def _fixtures(self, action: str, edition: str) -> list[str]:
        try:
            return [info.name for info in self._context.workspace.fixtures(action, edition)]
        except SandboxError:
            # The workbench says why this folder cannot be read; everything else is still found here.
            return []

    def _scenarios(self) -> Iterator[Entry]:
        for plan in self._context.scenario_index.read().plans:
            yield Entry("scenario", plan.name, plan.id, f"/scenarios/show?{urlencode({'id': plan.id})}")

    def _receivers(self) -> Iterator[Entry]:
        for target in self._context.targets():
            yield Entry("receiver", target.receiver.name, target.url)


def _places() -> Iterator[Entry]:
    for href, name, within in PLACES:
        yield Entry("place", name, "", href)
        for path, part in within.items():
            yield Entry("place", part, name, path)
    yield Entry("place", "Receivers", "addresses, headers, secrets", "/receivers")


def _best(entries: Iterator[Entry], q: str) -> list[Entry]:
    """The entries that fit, the best ones first, otherwise in their order."""
    words = q.casefold().split()
    ranked = [(rank, entry) for entry in entries if (rank := entry.rank(words)) is not None]
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]
