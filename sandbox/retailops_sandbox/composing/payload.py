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
    length: int = 0
    """The length of its text."""

    @staticmethod
    def read(text: str | bytes, *, file: str = "") -> Template:
        """The fixture of a text; SourceError if that is not JSON."""
        payload = jsontext.parse(text, file=file)
        placeholders = "${" in text if isinstance(text, str) else b"${" in text
        return Template(payload, placeholders, jsontext.holds_number(payload), len(text))


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
    path, owned = "", _Owned()
    try:
        for path in step.remove:
            if path == token_at and pointer.get(template, path, UNSET) is UNSET:
                continue
            template = owned.along(template, path)
            pointer.remove_at(template, path)
        for path, value in step.set.items():
            template = pointer.set_at(owned.along(template, path), path, value)
    except pointer.PointerError as error:
        raise ComposeError(str(error), pointer=path, mend="correct the pointer in set or remove") from error
    fills = placeholders or (base is not None and base.placeholders)
    numbers = fills or base is None or base.numbers or jsontext.holds_number(step.set)
    filled = fill(template, names) if fills else template
    return Payload(filled, template, frozenset([*step.remove, *step.set]), numbers)


class _Owned:
    """The objects and arrays that are copies of the composer's own, each copied once."""

    def __init__(self) -> None:
        self._copies: dict[int, Json] = {}  # by their ids, and kept, so that nothing else gets such an id

    def along(self, document: Json, path: str) -> Json:
        """The document with own objects and arrays wherever a pointer leads through, to change in place."""
        own = document = self._own(document)
        # What the last token leads to is replaced or removed, not changed.
        for token in pointer.parse(path)[:-1]:
            if isinstance(own, dict) and token in own:
                own[token] = child = self._own(own[token])
            elif isinstance(own, list) and own and token != "-":
                position = pointer.index(token, len(own))
                own[position] = child = self._own(own[position])
            else:
                break
            own = child
        return document

    def _own(self, value: Json) -> Json:
        if not isinstance(value, (dict, list)) or id(value) in self._copies:
            return value
        copied = value.copy()
        self._copies[id(copied)] = copied
        return copied


def raw_bytes(raw: str) -> bytes:
    """The bytes that a step's `raw` stands for."""
    if not raw.startswith("base64:"):
        return raw.encode()
    try:
        return base64.b64decode(raw[7:], validate=True)
    except ValueError as error:
        raise ComposeError(f"raw is not base64: {error}", mend="leave out base64: for text") from error


def with_token(payload: Payload, contract: Contract, token: Json) -> Json:
    """The payload with the receiver's token at the auth pointer, unless the step put or removed it there.

    A payload that has no place for it, such as an array, stays without.
    """
    auth = contract.auth
    if auth is None or not auth.pointer or not token or auth.pointer in payload.changed:
        return payload.value
    if pointer.get(payload.value, auth.pointer, UNSET) is not UNSET:
        return payload.value
    try:
        return pointer.set_at(_Owned().along(payload.value, auth.pointer), auth.pointer, token)
    except pointer.PointerError:
        return payload.value
