"""The documented fields of a request, and how a payload gets those that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox.contracts.contract import Contract, documented
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json

JsonType: TypeAlias = Literal["text", "number", "boolean", "array", "object"]
"""The types of JSON values but null; a number is one whether it is an integer or not."""

_TYPES: dict[str, JsonType] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}
"""The types of JSON Schema."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A documented place of a payload. Of an array's items it is the first."""

    pointer: str
    types: tuple[JsonType, ...]
    """The types that the schema allows; empty where it does not say."""
    value: Json
    """The value in the payload, else the documented one."""
    is_member: bool = True
    """Whether it is a member of an object, and not an array's item or the payload itself."""
    section_at: str | None = None
    """The pointer of what must be set to have the field; None where the payload has it."""
    section: Json = None
    """The value to set there."""

    @property
    def is_there(self) -> bool:
        """Whether the payload has the field."""
        return self.section_at is None

    @property
    def name(self) -> str:
        """Its pointer for people: `order.id`; `payload` for the payload itself."""
        return ".".join(pointers.parse(self.pointer)) or "payload"


def fields(contract: Contract, payload: Json) -> list[Field]:
    """Every documented field of a contract's payload, outer ones first; the first is the payload itself.

    The token by which a contract proves the sender is none: it belongs to the receiver.
    """
    schema = contract.request_schema
    whole = Field(pointer="", types=_types(schema), value=payload, is_member=False)
    return [*_fields(_Walk(contract), schema, whole)]


def token_field(contract: Contract) -> Field | None:
    """The field of the token in the payload; None where the sender is not proved by one."""
    if contract.auth is None or not contract.auth.pointer:
        return None
    return Field(pointer=contract.auth.pointer, types=("text",), value="", section_at=contract.auth.pointer)


class _Walk:
    """What is documented of a contract's payload."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.token_at = contract.auth.pointer if contract.auth else ""

    def documented(self, pointer: str) -> Json:
        """The documented value of a place, null where there is none."""
        found = documented(self._contract.request_schema, self._contract.examples.request, pointer)
        return None if found is UNSET else found

    def children(self, schema: dict[str, Any], pointer: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """The keys of the documented members, or that of the first item, each with its schema.

        The third part says whether it is a member.
        """
        for name, part in schema.get("properties", {}).items():
            if f"{pointer}/{pointers.escape(name)}" != self.token_at:
                yield name, part, True
        if isinstance(schema.get("items"), dict):
            yield "0", schema["items"], False

    def child(
        self, schema: dict[str, Any], parent: Field, key: str, part: dict[str, Any], *, is_member: bool
    ) -> Field:
        """The field within another one, of a schema, that has this key and part of the schema."""
        pointer = f"{parent.pointer}/{pointers.escape(key)}"
        value = _child(parent.value, key)
        section_at, section = parent.section_at, parent.section
        if parent.is_there and (value is UNSET or not _fits(part, value)):
            if value is UNSET and not is_member:  # An item cannot be set in an empty array.
                section_at, section = parent.pointer, self.completed(schema, parent.pointer, parent.value)
                value = _child(section, key)
            else:
                section_at, section = pointer, self.completed(part, pointer, self.documented(pointer))
                value = section
        return Field(
            pointer=pointer,
            types=_types(part),
            value=None if value is UNSET else value,
            is_member=is_member,
            section_at=section_at,
            section=section,
        )

    def completed(self, schema: dict[str, Any], pointer: str, value: Json) -> Json:
        """A value with all members, and an item in each array, that are documented within it."""
        kind = _container(schema)
        if kind is None:
            return value
        if not isinstance(value, kind):
            value = self.documented(pointer)
        if not isinstance(value, kind):
            value = kind()
        found = value.copy()
        for key, part, _ in self.children(schema, pointer):
            at = f"{pointer}/{pointers.escape(key)}"
            child = _child(found, key)
            whole = self.completed(part, at, self.documented(at) if child is UNSET else child)
            if isinstance(found, dict):
                found[key] = whole
            else:
                found[:1] = [whole]
        return found


def _fields(walk: _Walk, schema: dict[str, Any], field: Field) -> Iterator[Field]:
    """A field and those within it."""
    yield field
    for key, part, is_member in walk.children(schema, field.pointer):
        yield from _fields(walk, part, walk.child(schema, field, key, part, is_member=is_member))


def _child(value: Json, key: str) -> Any:
    """The member, or the item, of this key; UNSET where there is none."""
    if isinstance(value, dict):
        return value.get(key, UNSET)
    return value[int(key)] if isinstance(value, list) and int(key) < len(value) else UNSET


def _container(schema: dict[str, Any]) -> type[dict[str, Any]] | type[list[Any]] | None:
    """The Python type of a value that has documented fields within it; None where it has none."""
    if schema.get("properties"):
        return dict
    return list if isinstance(schema.get("items"), dict) else None


def _fits(schema: dict[str, Any], value: Json) -> bool:
    """Whether the fields that a schema documents within a value can be in it."""
    kind = _container(schema)
    return kind is None or isinstance(value, kind)


def _types(schema: dict[str, Any]) -> tuple[JsonType, ...]:
    said = schema.get("type", ())
    known = [_TYPES[each] for each in ([said] if isinstance(said, str) else said) if each in _TYPES]
    return tuple(dict.fromkeys(known))
