"""What is done to one field of a valid payload: one record for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.model import Json, Number
from retailops_sandbox.probe.fields import Field, JsonType

UNKNOWN_MEMBER = "a_member_that_nobody_knows"

Manner = Literal["set", "remove", "add", "twice"]
"""How a field is changed: it is set or removed, gets one more member, or is written twice in its object."""


class Mutation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is done to fields of some types."""

    key: str
    """What is tried, as in a trial. With blanks for hyphens, it is its heading."""
    manner: Manner = "set"
    within: tuple[JsonType, ...] = ()
    """The types of fields that it is for; empty for all."""
    without: JsonType | None = None
    """The type that must not be the field's."""
    changed: Callable[[Json], Json] = lambda value: value
    """The value to set, from the valid one; the same value where there is nothing to change."""
    written: Json = None
    """How a step spells that value, where it is not spelled as it is: with a placeholder."""

    def applies(self, field: Field) -> bool:
        """Whether the mutation is one for fields of its types."""
        if self.manner in ("remove", "twice") and not field.is_member:
            return False
        is_own = not self.within or not set(self.within).isdisjoint(field.types)
        return is_own and (self.without is None or self.without not in field.types)


def _is(value: Json) -> Callable[[Json], Json]:
    return lambda _: value


def _of_number(changed: Callable[[int], Json]) -> Callable[[Json], Json]:
    """A change of a number, which is 1 where the valid value is none."""
    return lambda value: changed(int(value) if isinstance(value, (int, Number)) else 1)


def _as_number(value: Json) -> Json:
    """The number that a text spells, else 1."""
    is_number = isinstance(value, str) and re.fullmatch("0|[1-9][0-9]{0,17}", value)
    return int(str(value)) if is_number else 1


def _as_text(value: Json) -> Json:
    return jsontext.compact(value).decode() if isinstance(value, (int, Number)) else "1"


def _with_zeros(value: Json) -> Json:
    """A text of digits with zeros in front; any other value as it is."""
    return f"000{value}" if isinstance(value, str) and value.isdecimal() else value


def _with_decimals(value: int) -> Json:
    return Number(f"{value}.123456789012345678901234567890")


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(key="null", changed=_is(None)),
    Mutation(key="missing", manner="remove"),
    Mutation(key="text", without="text", changed=_is("text")),
    Mutation(key="number", without="number", changed=_as_number),
    Mutation(key="boolean", without="boolean", changed=_is(True)),
    Mutation(key="array", without="array", changed=lambda value: [value]),
    Mutation(key="object", without="object", changed=lambda value: {"value": value}),
    Mutation(key="empty-text", changed=_is("")),
    Mutation(key="empty-array", changed=_is([])),
    Mutation(key="empty-object", changed=_is({})),
    Mutation(key="zero", within=("number",), changed=_is(0)),
    Mutation(key="negative", within=("number",), changed=_of_number(lambda value: -abs(value) or -1)),
    Mutation(key="beyond-32-bits", within=("number",), changed=_is(2**32 + 1)),
    Mutation(key="beyond-64-bits", within=("number",), changed=_is(2**64 + 1)),
    Mutation(key="many-decimals", within=("number",), changed=_of_number(_with_decimals)),
    Mutation(key="number-as-text", within=("number",), changed=_as_text),
    Mutation(key="256-characters", within=("text",), changed=_is("x" * 256), written="${text:256}"),
    Mutation(key="4096-characters", within=("text",), changed=_is("x" * 4096), written="${text:4096}"),
    Mutation(key="other-scripts", within=("text",), changed=_is("注文 заказ طلب ऑर्डर commandé")),
    Mutation(key="astral-characters", within=("text",), changed=_is("🧾 𐍉𐍂𐌳𐌴𐍂 𠜎")),
    Mutation(
        key="control-characters", within=("text",), changed=_is("a\u0000b\u0007c\r\nd\te\u001bf\u007fg")
    ),
    Mutation(key="quotes", within=("text",), changed=_is('O\'Brien "&" <b>\\ {0} %s -- `')),
    Mutation(key="leading-zeros", within=("text",), changed=_with_zeros),
    Mutation(key="unknown-member", manner="add", within=("object",), changed=_is("unknown")),
    Mutation(key="twice", manner="twice"),
)
"""In the order in which they are tried: what finds most comes first."""
