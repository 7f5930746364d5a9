"""The payload and headers of a delivery from the log alone, to send it again without its scenario.

The log has the payload before its placeholders were filled, and the redacted request. Placeholders of secrets
and of values that are made for each send are filled anew; all other values stay as they were sent.
"""

from __future__ import annotations

from retailops_sandbox import composing, jsontext
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Json
from retailops_sandbox.redaction import holds_mark

_MADE_ANEW = ("uuid", "now", "sequence")


def payload(sent: Delivery) -> str:
    """The payload's text, with the placeholders in it that can still be filled."""
    if not sent.composed:
        return _literal(sent.request.body)
    try:
        template, filled = jsontext.parse(sent.composed), jsontext.parse(sent.request.body)
    except SandboxError:
        # Redaction made it invalid JSON, so that values cannot be looked up.
        return sent.composed
    return jsontext.compact(_recalled(template, filled)).decode()


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


def headers(sent: Delivery) -> dict[str, str]:
    """The headers that the delivery's step added, as a step spells them."""
    went_out = {name.lower(): value for name, value in sent.request.headers}
    found = {}
    for name, written in sent.own_headers.items():
        value = went_out.get(name.lower(), "")
        found[name] = written if written and holds_mark(value) else _literal(value)
    return found


def _recalled(template: Json, filled: Json) -> Json:
    """The template, with the values of placeholders that cannot be filled any more."""
    if isinstance(template, dict) and isinstance(filled, dict):
        return {
            name: _recalled(child, filled[name]) if name in filled else child
            for name, child in template.items()
        }
    if isinstance(template, list) and isinstance(filled, list):
        return [_recalled(child, value) for child, value in zip(template, filled, strict=True)]
    if not isinstance(template, str) or _can_be_filled(template):
        return template
    return template if isinstance(filled, str) and holds_mark(filled) else _literal_json(filled)


def _can_be_filled(text: str) -> bool:
    return all(name.startswith("env:") or name in _MADE_ANEW for name in composing.references(text))


def _literal_json(value: Json) -> Json:
    """The value, with `${` escaped so that composing leaves it as it is."""
    if isinstance(value, str):
        return _literal(value)
    if isinstance(value, dict):
        return {name: _literal_json(child) for name, child in value.items()}
    return [_literal_json(child) for child in value] if isinstance(value, list) else value


def _literal(text: str) -> str:
    return text.replace("${", "$${")
