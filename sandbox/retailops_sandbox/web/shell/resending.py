"""The payload and headers of a delivery from the log alone, to send it again without its scenario.

The log has the payload before its placeholders were filled, and the redacted request. Placeholders of secrets
and of values that are made for each send are filled anew; all other values stay as they were sent.
"""

from __future__ import annotations

from msgspec import UNSET

from retailops_sandbox import composing, jsontext, redaction
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Json, Mark, Wire
from retailops_sandbox.reporting.render.wire_words import spelled


def payload(sent: Delivery, *, own: bool) -> str:
    """The payload's text, with the placeholders in it that can still be filled.

    `own` says whether this workspace sent it: nothing of somebody else's record is filled.
    """
    if not sent.composed or not own:
        return _literal_payload(sent)
    try:
        template, filled = redaction.listing.composed(sent), redaction.listing.payload(sent)
    except SandboxError:
        # Redaction made it invalid JSON, so that values cannot be looked up.
        return sent.composed
    return jsontext.compact(_recalled(template, filled)).decode()


def _literal_payload(sent: Delivery) -> str:
    """The payload that was sent, spelled so that composing leaves it as it is."""
    if not composing.has_placeholder(sent.request.body):
        return sent.request.body
    try:
        return jsontext.compact(redaction.as_literal(redaction.listing.payload(sent))).decode()
    except SandboxError:
        return sent.request.body  # it is sent as raw bytes, which nothing fills


def lost(sent: Delivery, typed: str) -> list[str]:
    """The names of the secrets that the log lacks, of those whose marks are still in the typed payload."""
    part = "/composed" if sent.composed else "/request/body"
    places = redaction.listing.in_part(sent, part)
    try:
        value = jsontext.parse(typed)
    except SandboxError:
        texts = [(place, redaction.listing.text_of(sent, place)) for place in places]
        return list(dict.fromkeys(place.name for place, text in texts if text and text in typed))
    found = []
    for place in places:
        at = place.pointer or ""
        there = pointer.get(value, at, UNSET)
        if there is not UNSET and (place.key or there == redaction.listing.text_of(sent, place)):
            found.append(place.name)
    return list(dict.fromkeys(found))


def raw(sent: Delivery) -> str | None:
    """The body as a step's `raw` spells it; None where composing makes the same body from the payload."""
    body = sent.request.body
    if sent.request.base64:
        return f"base64:{body}"
    if sent.composed:
        return None
    try:
        return None if jsontext.compact(jsontext.parse(body)).decode() == body else body
    except SandboxError:
        return body


def headers(sent: Delivery, *, own: bool) -> dict[str, str | None]:
    """The headers that the delivery's step added or, by None, left out, as a step spells them.

    Nothing is filled unless `own`.
    """
    went_out = {name.lower(): (at, value) for at, (name, value) in enumerate(sent.request.headers)}
    struck_out = redaction.listing.by_part(sent)
    found: dict[str, str | None] = {}
    for name, written in sent.own_headers.items():
        if written is None:
            found[name] = None
            continue
        at, value = went_out.get(name.lower(), (-1, ""))
        is_lost = f"/request/headers/{at}/1" in struck_out
        found[name] = written if written and is_lost and own else _literal(value)
    return found


def wire(sent: Delivery, *, own: bool) -> Wire | None:
    """How the delivery was spelled on the wire, as a step says it; None for the usual way.

    Nothing is filled unless `own`.
    """
    if sent.wire is None or own:
        return sent.wire
    from retailops_sandbox.composing.wire import unfilled

    return unfilled(sent.wire)


def header_notices(sent: Delivery) -> list[str]:
    """What is to be said of the headers of the delivery's step where its payload alone is sent again."""
    headers = sent.own_headers.items()
    added = ", ".join(name for name, value in headers if value is not None)
    left_out = ", ".join(name for name, value in headers if value is None)
    said = [f"Its step sent headers of its own, which are not sent from here: {added}."] if added else []
    if left_out:
        said.append(f"Its step left headers out, which are sent from here: {left_out}.")
    if sent.wire is not None:
        said.append(f"From here, it is sent in the usual way: its step sent it {spelled(sent.wire)}.")
    return said


def lost_headers(sent: Delivery, *, own: bool) -> list[str]:
    """The names of the secrets that the log lacks for what the delivery's step says of headers and path."""
    struck_out = redaction.listing.by_part(sent)
    names = {name.lower(): name for name in sent.own_headers}
    found = []
    for at, (name, _) in enumerate(sent.request.headers):
        header = names.get(name.lower())
        if header is None:
            continue
        written = own and sent.own_headers[header]
        part = f"/own_headers/{pointer.escape(header)}" if written else f"/request/headers/{at}/1"
        found += [place.name for place in struck_out.get(part, ())]
    found += [
        each.name for part, places in struck_out.items() if part.startswith("/wire/") for each in places
    ]
    return list(dict.fromkeys(found))


def _recalled(template: Json, filled: Json) -> Json:
    """The template, with the values of placeholders that cannot be filled any more."""
    if isinstance(template, dict) and isinstance(filled, dict):
        return {
            name: _recalled(child, filled[name]) if name in filled else child
            for name, child in template.items()
        }
    if isinstance(template, list) and isinstance(filled, list):
        return [_recalled(child, value) for child, value in zip(template, filled, strict=True)]
    if not isinstance(template, str) or isinstance(template, Mark) or _can_be_filled(template):
        return template
    return template if isinstance(filled, Mark) else redaction.as_literal(filled)


def _can_be_filled(text: str) -> bool:
    return all(
        name.startswith(("env:", "text:")) or name in composing.BUILT_IN
        for name in composing.references(text)
    )


def _literal(text: str) -> str:
    return str(composing.escaped(text))
