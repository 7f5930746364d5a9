"""Values as pages show them: bodies, times and sizes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import in_text, visible

MOST_SHOWN = 256 * 1024
"""The most characters of a body on a page: browsers are slow with more."""


class ShownBody(msgspec.Struct, frozen=True):
    """A body as a page shows it."""

    raw: str
    pretty: str = ""
    """The body over several lines; empty where that is the same as `raw`."""
    is_cut: bool = False

    @property
    def best(self) -> str:
        """The pretty view where there is one, else the raw one."""
        return self.pretty or self.raw


def body(text: str, most: int = MOST_SHOWN) -> ShownBody:
    """A body with control characters escaped, cut after `most` characters."""
    if len(text) > most:
        return ShownBody(in_text(text[:most]), is_cut=True)
    spread = pretty(text)
    if spread == text or len(spread) > 2 * most:
        return ShownBody(in_text(text))
    return ShownBody(in_text(text), in_text(spread))


def pretty(text: str) -> str:
    """A body over several lines where it is JSON, else as it is."""
    try:
        return jsontext.pretty(jsontext.parse(text))
    except SandboxError:
        return text


def milliseconds(value: float) -> str:
    """A time in milliseconds, with a decimal below 100."""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def number(count: int) -> str:
    """A count, its digits in threes."""
    return f"{count:,}"


def took(seconds: float) -> str:
    """A duration in a suitable unit."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(text: str) -> str:
    """The size of a text in UTF-8, in a suitable unit."""
    return bytes_in_words(len(text.encode()))


def bytes_in_words(count: int) -> str:
    """A number of bytes in a suitable unit."""
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.1f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def moment(instant: str) -> datetime | None:
    """An instant of the log; None where the text is none, as edited files may have."""
    try:
        return datetime.fromisoformat(instant)
    except ValueError:
        return None


def clock(instant: str) -> str:
    """The date and time of an instant in UTC."""
    at = moment(instant)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else visible(instant)
