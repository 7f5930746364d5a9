"""Payloads: composed from fixture and changes, with the token of the receiver. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.composing.placeholders import Names, fill
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Step

if TYPE_CHECKING:
    from retailops_sandbox.contracts.contract import Contract


class Template(msgspec.Struct, frozen=True):
    """A parsed fixture, for all steps that use it."""

    payload: Json
    placeholders: bool
    """Whether the fixture has any placeholder."""
    numbers: bool = True
    """Whether the fixture may hold a Number."""

    @staticmethod
    def read(text: str | bytes, *, file: str = "") -> Template:
        """The fixture of a text; SourceError if that is not JSON."""
        payload = jsontext.parse(text, file=file)
        placeholders = "${" in text if isinstance(text, str) else b"${" in text
        return Template(payload, placeholders, jsontext.holds_number(payload))


class Payload(msgspec.Struct, frozen=True):
    """A composed payload, with and without its placeholders filled."""

    value: Json
    template: Json
    changed: frozenset[str]
    """The pointers that the step set or removed."""
    numbers: bool = True
    """Whether the value may hold a Number: to search a whole payload for one in each send takes long."""


def compose(
    step: Step, base: Template | None, names: Names, *, placeholders: bool = True, token_at: str = ""
) -> Payload:
    """The payload of a step: its fixture or own payload, changed, with the placeholders filled.

    `placeholders` says whether the step itself has any. A step may remove the pointer `token_at` although no
    fixture has a value there: *build* then adds no token. Raises ComposeError, with the pointer.
    """
    template = base.payload if base is not None else step.payload
    path = ""
    try:
        for path in step.remove:
            if path == token_at and pointer.get(template, path, UNSET) is UNSET:
                continue
            template = _unshared(template, path)
            pointer.remove_at(template, path)
        for path, value in step.set.items():
            template = pointer.set_at(_unshared(template, path), path, value)
    except pointer.PointerError as error:
        raise ComposeError(str(error), pointer=path, mend="correct the pointer in set or remove") from error
    fills = placeholders or (base is not None and base.placeholders)
    numbers = fills or base is None or base.numbers or jsontext.holds_number(step.set)
    filled = fill(template, names) if fills else template
    return Payload(filled, template, frozenset([*step.remove, *step.set]), numbers)


def _unshared(document: Json, path: str) -> Json:
    """The document with copies of the objects and arrays that a pointer leads through, to change in place."""
    copied = document = _shallow(document)
    for token in pointer.parse(path):
        if isinstance(copied, dict) and token in copied:
            copied[token] = child = _shallow(copied[token])
        elif isinstance(copied, list) and copied and token != "-":
            position = pointer.index(token, len(copied))
            copied[position] = child = _shallow(copied[position])
        else:
            break
        copied = child
    return document


def _shallow(value: Json) -> Json:
    return value.copy() if isinstance(value, (dict, list)) else value


def raw_bytes(raw: str) -> bytes:
    """The bytes that a step's `raw` stands for."""
    if not raw.startswith("base64:"):
        return raw.encode()
    try:
        return base64.b64decode(raw[7:], validate=True)
    except ValueError as error:
        raise ComposeError(f"raw is not base64: {error}", mend="leave out base64: for text") from error


def with_token(payload: Payload, contract: Contract, token: str) -> Json:
    """The payload with the receiver's token at the auth pointer, unless the step put or removed it there."""
    auth = contract.auth
    if auth is None or not token or auth.pointer in payload.changed:
        return payload.value
    if pointer.get(payload.value, auth.pointer, UNSET) is not UNSET:
        return payload.value
    return pointer.set_at(_unshared(payload.value, auth.pointer), auth.pointer, token)
