"""Templates, assets, and how values are shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import jinja2
import msgspec
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from retailops_sandbox.comparing.matchers import item_noun
from retailops_sandbox.errors import UsageError
from retailops_sandbox.foreign_text import WHOLE, in_page, visible
from retailops_sandbox.model import Delivery, Expectation, encoder
from retailops_sandbox.reporting.exporters import FORMATS
from retailops_sandbox.reporting.render import answered, lines, shown
from retailops_sandbox.reporting.render.contract_words import ContractWords
from retailops_sandbox.reporting.render.lines import GLYPHS, redirect, start_line
from retailops_sandbox.reporting.render.wire_words import body_note, request_line, spelled
from retailops_sandbox.runlog.rows import DeliveryRow
from retailops_sandbox.web.shell.choices import THEME
from retailops_sandbox.web.shell.context import Target, grouped
from retailops_sandbox.web.shell.log_notice import LogNotice

PLACES: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("/", "Workbench", {}),
    ("/scenarios", "Scenarios", {"/runs": "Runs"}),
    ("/probe", "Probe", {}),
    ("/deliveries", "Log", {"/record": "Record"}),
)
"""The places of the header: address, name, and the names of the places within by address."""
_FLUSH = Markup("<!-- the end of a piece -->")


class OfContract(Protocol):
    """What names a contract: a row, a form, a step."""

    @property
    def action(self) -> str: ...

    @property
    def edition(self) -> str: ...


class RecordSwitch(msgspec.Struct, frozen=True):
    """The record switch in the header."""

    is_on: bool = False
    count: int = 0
    """How many sends were recorded since it was switched on."""


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What every page shows around its content."""

    path: str
    theme: str
    csp_nonce: str
    record_switch: RecordSwitch
    log_notice: LogNotice
    section: str | None = None
    """The current place, by its name in PLACES, empty for none; None hides the places."""
    target: Target | None = None
    """The target of a send, shown in the header; None hides it."""
    targets: Callable[..., Sequence[Target]]
    """Finds the targets that the header's menu offers, of an action and an edition where they are given."""


class Pages:
    """The templates of all pages, and the assets that they link to.

    A template sees `page`, a struct of its own, and `shell`.
    """

    def __init__(self, templates: Path, static: Path) -> None:
        self.static = static
        self.record_switch: Callable[[], RecordSwitch] = RecordSwitch
        """Makes the state of the record switch; the room `recording` replaces this default."""
        self.log_notice: Callable[[], LogNotice] = LogNotice
        """Makes what is said of the log; the application replaces this default."""
        self.targets: Callable[..., Sequence[Target]] = lambda *_: ()
        """Finds the targets to choose from in the header; the application replaces this default."""
        self.words: Callable[[str, str], ContractWords] = lambda action, edition: ContractWords()
        """Finds the words of an action's edition; the application replaces this default."""
        self._assets = _manifest(static)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            finalize=in_page,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=self._asset,
            export_formats=FORMATS.values(),
            flush="",
            glyphs=GLYPHS,
            places=PLACES,
            themes=THEME.words,
            whole=WHOLE,
        )
        self._environment.filters.update(
            pretty=shown.pretty,
            visible=visible,
            typed=typed,
            body=shown.body,
            ms=shown.milliseconds,
            number=shown.number,
            size=shown.size,
            clock=shown.clock,
            took=shown.took,
            phases=phases,
            start_line=start_line,
            redirect=redirect,
            request_line=request_line,
            spelled=spelled,
            body_note=body_note,
            expectation=expectation_text,
            few=few,
            told=self._told,
            item_noun=item_noun,
            grouped=grouped,
            words=self._words,
            remarks=lines.remarks,
            steps_remarks=lines.steps_remarks,
            repeated=lines.repeated,
        )

    def render(
        self,
        request: Request,
        name: str,
        page: msgspec.Struct | None = None,
        *,
        section: str | None = None,
        target: Target | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> HTMLResponse:
        """The response with a page, or with a part of one."""
        return HTMLResponse(self.text(request, name, page, section=section, target=target), status)

    def streamed(
        self,
        request: Request,
        name: str,
        page: msgspec.Struct | None = None,
        *,
        section: str | None = None,
        target: Target | None = None,
    ) -> Iterator[str]:
        """The markup of a page in pieces; a template ends a piece with `flush`."""
        piece: list[str] = []
        context = self._context(request, page, section, target)
        for markup in self._template(name).generate(context, flush=_FLUSH):
            if markup != _FLUSH:
                piece.append(markup)
            elif piece:
                yield "".join(piece)
                piece.clear()
        yield "".join(piece)

    def text(
        self,
        request: Request,
        name: str,
        page: msgspec.Struct | None = None,
        *,
        section: str | None = None,
        target: Target | None = None,
    ) -> str:
        """The markup of a page, or of a part of one."""
        return self._template(name).render(self._context(request, page, section, target))

    def _template(self, name: str) -> jinja2.Template:
        return self._environment.get_template(name)

    def _context(
        self,
        request: Request,
        page: msgspec.Struct | None,
        section: str | None,
        target: Target | None,
    ) -> dict[str, object]:
        shell = Shell(
            path=request.url.path,
            theme=THEME.of(request),
            csp_nonce=request.scope.get("csp_nonce", ""),
            record_switch=self.record_switch(),
            log_notice=LogNotice() if section is None else self.log_notice(),
            section=section,
            target=target,
            targets=self.targets,
        )
        return {"page": page, "shell": shell}

    def _words(self, named: OfContract) -> ContractWords:
        """The words of the contract that something is of."""
        return self.words(named.action, named.edition)

    def _told(self, row: DeliveryRow) -> str:
        """What a delivery's answer tells, or its fault."""
        return answered.told(row, self._words(row))

    def _asset(self, name: str) -> str:
        return f"/static/{self._assets[name]}"


def _manifest(static: Path) -> dict[str, str]:
    try:
        text = (static / "manifest.json").read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "the browser's assets are not built", file=str(static), mend="`make run` builds them"
        ) from error
    names: dict[str, str] = json.loads(text)
    return names


def problems(known: Mapping[str, str] | None = None) -> defaultdict[str, str]:
    """The known problems of a form by field, with an empty text for every other field."""
    return defaultdict(str, known or {})


# --- how values are shown ---


def typed(text: object) -> Markup:
    """A field's text exactly as it is: what a form sends back must be what was typed."""
    return escape(text)


_FEW = 3


def few(lines: Sequence[str]) -> list[str]:
    """The first of many similar lines, and one that counts the others."""
    more = len(lines) - _FEW
    return [*lines[:_FEW], f"and {more:,} more like this"] if more > 1 else list(lines)


def expectation_text(expectation: Expectation | None) -> str:
    """An expectation as the JSON that a person edits; nothing for None."""
    return "" if expectation is None else shown.pretty(encoder.encode(expectation).decode())


def phases(delivery: Delivery) -> Sequence[tuple[str, float, float, float]]:
    """Name, milliseconds, start and width in percent of each phase; the last is the rest of the total."""
    timings = delivery.timings
    parts = {
        "name lookup": timings.lookup,
        "connect": timings.connect,
        "TLS": timings.tls,
        "first byte": timings.first_byte,
    }
    last = "body" if delivery.fault is None else "until the fault"
    parts[last] = max(0.0, timings.total - sum(parts.values()))
    whole = sum(parts.values()) or 1.0
    rows, start = [], 0.0
    for name, value in parts.items():
        width = 100 * value / whole
        rows.append((name, value, round(start, 2), round(width, 2)))
        start += width
    return rows
