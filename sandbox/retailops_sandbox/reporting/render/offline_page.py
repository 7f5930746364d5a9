"""Templates of reports: each makes one page that opens offline."""

from __future__ import annotations

import jinja2

from retailops_sandbox import resources
from retailops_sandbox.foreign_text import WHOLE, in_page, in_text, visible
from retailops_sandbox.model import Request, Response
from retailops_sandbox.reporting.render import lines, shown
from retailops_sandbox.reporting.render.evidence import MOST_BODY


def environment() -> jinja2.Environment:
    """The templates, with what all reports use; a report adds filters of its own."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.templates_dir()),
        autoescape=True,
        finalize=in_page,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(glyphs=lines.GLYPHS, whole=WHOLE)
    made.filters.update(
        visible=visible,
        start_line=lines.start_line,
        ms=shown.milliseconds,
        clock=shown.clock,
        body=_body,
        size=_size,
    )
    return made


def _body(side: Request | Response, size: int) -> str:
    """The body as it is shown; `size` is how many characters it had before it was cut."""
    if size > len(side.body) or side.base64:
        return in_text(side.body)
    return shown.body(side.body, MOST_BODY).best


def _size(side: Request | Response, size: int) -> str:
    return f"{size:,} characters" if size > len(side.body) else shown.size(side.body)
