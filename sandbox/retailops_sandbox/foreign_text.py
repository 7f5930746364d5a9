"""How text that others wrote is spelled in an output: a line, a page, XML, JSON.

Such text is whatever a receiver, a file or a caller sent. It must not act on what shows it: no control
character reaches a terminal, none that is invisible or turns the direction of writing reaches a reader, no
line begins where the text says so, and no line is a command to the runner of a CI job.
"""

from __future__ import annotations

import json
import re

LONGEST_LINE = 4_000
"""The most characters of a line; what is longer is cut."""
WHOLE = "the whole document"
"""The empty pointer in words."""
_LONGEST_PLACE = 300
_SPACES = "\n\t"
"""What stays in a text of several lines."""
_runner_command = re.compile(r"^(\s*)::|##(?=\w*\[)", re.MULTILINE)
_has_markup = re.compile('[&<>"]').search
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def visible(text: str, most: int = LONGEST_LINE) -> str:
    """The text as one line of characters that can be seen, cut after `most` of them.

    A visible text stays as it is.
    """
    if len(text) <= most and text.isprintable():
        return text
    spelled = _spelled(text[: most + 1])
    return spelled if len(spelled) <= most else f"{spelled[: most - 1]}…"


def in_line(text: str, most: int = LONGEST_LINE) -> str:
    """The text as one visible line to be printed, which is no command to a runner."""
    return without_commands(visible(text, most))


def in_text(text: str) -> str:
    """The text with its line feeds and tabs, and every other character visible."""
    return text if text.isprintable() else _spelled(text.replace("\r\n", "\n"), _SPACES)


def in_xml(text: str) -> str:
    """The text as XML spells it, in an element or in an attribute with double quotes."""
    text = in_text(text)
    return text.translate(_MARKUP) if _has_markup(text) else text


def in_json(document: str) -> str:
    """A JSON document that means the same, and has only visible characters in its strings."""
    return _spelled(document, _SPACES, as_json=True)


def in_page(value: object) -> object:
    """A value as Jinja writes it into a page: texts as `in_text`, markup as it is."""
    # Most texts end here: a page has thousands.
    return value if type(value) is not str or value.isprintable() else in_text(value)


def place(pointer: str) -> str:
    """A pointer or a name, without its middle where it is long."""
    if len(pointer) <= _LONGEST_PLACE:
        return pointer
    half = _LONGEST_PLACE // 2
    return f"{pointer[:half]}… ({len(pointer):,} characters) …{pointer[-half:]}"


def quoted(name: str) -> str:
    """A name in quotes, as Python spells it, cut where it is long."""
    return repr(place(name))


def without_commands(printed: str) -> str:
    r"""Lines without commands to a runner: GitHub reads `::name::` at the start of a line and `##[name]`
    anywhere, Azure `##vso[name]`, TeamCity `##teamcity[name]`.

    GitHub's runner reads all that a job prints, also where no variable says that it runs there.
    """
    return _runner_command.sub(_harmless, printed) if ":" in printed or "#" in printed else printed


def _harmless(found: re.Match[str]) -> str:
    return "#\\#" if found[1] is None else f"{found[1]}:\\:"


def _spelled(text: str, kept: str = "", *, as_json: bool = False) -> str:
    bare = text
    for each in kept:
        bare = bare.replace(each, "")
    if bare.isprintable():
        return text
    escape = _json_escape if as_json else _escape
    return "".join([each if each.isprintable() or each in kept else escape(each) for each in text])


def _escape(character: str) -> str:
    if character == "\n":
        return "\\n"
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]
