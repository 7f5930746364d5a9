"""The form view of a payload, which is made from its contract and its raw text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from retailops_sandbox import jsontext
from retailops_sandbox.contracts.contract import Contract, documented, schema_at
from retailops_sandbox.errors import SourceError, shortened
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json
from retailops_sandbox.web.compose.findings import Findings
from retailops_sandbox.web.compose.inputs import count, is_plain_text, shown, value_at, with_inner

MOST_FIELDS = 2_000
"""The most inputs of a form, as browsers are slow with more; a larger payload is edited raw."""

_SUMMARISED, _LONGEST_SUMMARY = 4, 72
_OPEN_DEPTH = 2
"""Down to which depth groups of groups are unfolded at first."""

Schema = Mapping[str, Any]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a form."""

    words: str = ""
    """A part is shown if its pointer has all of these words, or a part in it does."""
    changed_only: bool = False

    def __bool__(self) -> bool:
        return bool(self.words.strip()) or self.changed_only

    def takes(self, part: Field | Group) -> bool:
        """Whether a part is shown for its own sake."""
        where = part.pointer.casefold()
        return all(word in where for word in self.words.casefold().split()) and (
            part.is_changed or not self.changed_only
        )


class Field(msgspec.Struct, kw_only=True):
    """A single value with its input."""

    kind: Literal["field"] = "field"
    pointer: str
    label: str
    description: str = ""
    types: str = ""
    example: str = ""
    """The documented example, as an input shows it."""
    options: tuple[str, ...] = ()
    """The values that the contract allows, where it lists them."""
    is_required: bool = False
    is_known: bool = False
    """Whether the contract names it."""
    is_present: bool = False
    is_json: bool = False
    """Whether its input shows JSON."""
    is_odd: bool = False
    """Whether it shows JSON although the contract asks for a string."""
    text: str = ""
    """The text of its input."""
    problem: str = ""
    is_changed: bool = False
    was: str | None = None
    """The fixture's value, as an input shows it; None where it has none."""


class Group(msgspec.Struct, kw_only=True):
    """An object or array with its members or items."""

    kind: Literal["object", "array"]
    pointer: str
    label: str
    description: str = ""
    is_required: bool = False
    is_known: bool = False
    is_present: bool = False
    problem: str = ""
    is_changed: bool = False
    is_open: bool = False
    """Whether it is shown unfolded at first."""
    size: int = 0
    """The number of its members or items, also of those that are filtered out."""
    parts: Sequence[Field | Group] = ()

    @property
    def summary(self) -> str:
        """Its first values, for where it is folded."""
        fields = [each for each in self.parts if isinstance(each, Field) and each.is_present]
        shown = [
            each.text if self.kind == "array" else f"{each.label} {each.text}"
            for each in fields[:_SUMMARISED]
        ]
        more = ["…"] if len(self.parts) > len(shown) else []
        return shortened(", ".join([*shown, *more]), _LONGEST_SUMMARY)

    @property
    def changes(self) -> int:
        """How many single values in it are changed."""
        return sum(isinstance(each, Field) and each.is_changed for each in with_inner(self))

    @property
    def problems(self) -> int:
        """How many problems there are with it and in it."""
        return sum(bool(each.problem) for each in with_inner(self))

    @property
    def is_plain(self) -> bool:
        """Whether it is a list of single values."""
        return self.kind == "array" and all(each.kind == "field" for each in self.parts)


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """The form, or why it cannot be edited."""

    root: Field | Group
    problem: str = ""
    """Why it cannot be edited: the raw text is not JSON, or too large."""
    edition: str
    compared_with: str = ""
    """The name of the fixture against which changes are marked."""
    changes: int = 0
    filter: Filter = Filter()

    @property
    def is_nothing_found(self) -> bool:
        """Whether the filter leaves nothing."""
        return bool(self.filter) and isinstance(self.root, Group) and not self.root.parts


def of(
    text: str,
    contract: Contract,
    findings: Findings,
    *,
    fixture: str = "",
    fixture_text: str | None = None,
    filter: Filter | None = None,
    touched: str = "",
) -> FormView:
    """The form of a raw text; with `fixture_text`, what differs from it is marked.

    `touched` is the pointer at which a button was pressed: it is in sight.
    """
    made = _Form(contract, _parsed(fixture_text))
    try:
        value = jsontext.parse(text)
    except SourceError as error:
        why = f"The raw text is not JSON: line {error.line}, column {error.column}: {error.what}."
        return FormView(root=made.blank(), problem=why, edition=contract.edition)
    if count(value) > MOST_FIELDS:
        why = f"The payload has more than {MOST_FIELDS:,} values, too many for a form. Edit it raw."
        return FormView(root=made.blank(), problem=why, edition=contract.edition)
    root = made.node("", "payload", contract.request_schema, value, is_required=True)
    _mark(root, findings)
    changes = sum(each.kind == "field" and each.is_changed for each in with_inner(root))
    wanted = filter or Filter()
    if wanted and isinstance(root, Group):
        _keep_found(root, wanted)
    _unfold(root, 0, touched, is_filtered=bool(wanted))
    return FormView(
        root=root,
        edition=contract.edition,
        compared_with=fixture if made.before is not UNSET else "",
        changes=changes,
        filter=wanted,
    )


def edited(text: str, contract: Contract, what: str, pointer: str, fixture_text: str | None) -> str:
    """The raw text after `add`, `remove` or `reset` at a pointer; PointerError if that cannot be."""
    value = jsontext.parse(text)
    present = value_at(value, pointer)
    if what == "add" and isinstance(present, list):
        return jsontext.insert(text, f"{pointer}/-", _documented(contract, f"{pointer}/{len(present)}"))
    if what == "add" and present is UNSET:
        return jsontext.insert(text, pointer, _documented(contract, pointer))
    if what == "remove":
        return jsontext.remove(text, pointer)
    if what == "reset" and not pointer and fixture_text is not None:
        return fixture_text
    if what == "reset":
        before = value_at(_parsed(fixture_text), pointer)
        if before is UNSET:
            return text if present is UNSET else jsontext.remove(text, pointer)
        return (jsontext.insert if present is UNSET else jsontext.replace)(text, pointer, before)
    return text


class _Form:
    """Makes the parts of a form; `before` is the fixture's payload, UNSET without a fixture."""

    def __init__(self, contract: Contract, before: Any) -> None:
        self.contract = contract
        self.before = before

    def blank(self) -> Field | Group:
        """The form without any values."""
        root = self.node("", "payload", self.contract.request_schema, {}, is_required=True)
        return _blanked(root, self)

    def node(
        self, pointer: str, label: str, schema: Schema | None, value: Any, *, is_required: bool = False
    ) -> Field | Group:
        """The part of a value, which is UNSET where it is missing."""
        known = schema or {}
        types = _types(known)
        allowed = _container_of(value, types)
        if allowed is None:
            return self._field(pointer, label, schema, value, is_required)
        before = value_at(self.before, pointer) if self.before is not UNSET else value
        group = Group(
            kind=allowed,
            pointer=pointer,
            label=label,
            description=known.get("description", ""),
            is_required=is_required,
            is_known=schema is not None,
            is_present=value is not UNSET,
            # An object has no mark of its own: its members have.
            is_changed=(before is UNSET) != (value is UNSET)
            if allowed == "object"
            else not _same(before, value),
        )
        if value is not UNSET:
            inside = self._members if allowed == "object" else self._items
            group.parts = list(inside(pointer, known, value))
            group.size = len(value)
        return group

    def _members(self, pointer: str, schema: Schema, value: Any) -> Iterator[Field | Group]:
        known: Mapping[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        for name in [*known, *(name for name in value if name not in known)]:
            inside = f"{pointer}/{pointers.escape(name)}"
            part = known.get(name)
            yield self.node(inside, name, part, value.get(name, UNSET), is_required=name in required)

    def _items(self, pointer: str, schema: Schema, value: Any) -> Iterator[Field | Group]:
        item = schema.get("items")
        for position, each in enumerate(value):
            yield self.node(f"{pointer}/{position}", str(position), item, each)

    def _field(self, pointer: str, label: str, schema: Schema | None, value: Any, is_required: bool) -> Field:
        known = schema or {}
        before = value_at(self.before, pointer) if self.before is not UNSET else value
        examples = known.get("examples", ())
        wants_text = set(_types(known)) - {"null"} == {"string"}
        is_json = not wants_text or not (value is UNSET or is_plain_text(value))
        return Field(
            pointer=pointer,
            label=label,
            description=known.get("description", ""),
            types=" or ".join(_types(known)) or "anything",
            example=shown(examples[0], is_json=not wants_text) if examples else "",
            options=tuple(shown(each, is_json=not wants_text) for each in known.get("enum", ())),
            is_required=is_required,
            is_known=schema is not None,
            is_present=value is not UNSET,
            is_json=is_json,
            is_odd=is_json and wants_text,
            text="" if value is UNSET else shown(value, is_json=is_json),
            is_changed=not _same(before, value),
            was=None if before is UNSET else shown(before, is_json=not wants_text),
        )


def _blanked(part: Field | Group, form: _Form) -> Field | Group:
    """The part with missing objects filled in, and without marks of changes."""
    part.is_changed, part.is_present = False, True
    if isinstance(part, Group):
        if part.kind == "object":
            schema = schema_at(form.contract.request_schema, part.pointer)
            part.parts = [_blanked(each, form) for each in form._members(part.pointer, schema, {})]
        else:
            part.parts = ()
    return part


def _mark(root: Field | Group, findings: Findings) -> None:
    """Put each finding at the part of its place, or at the nearest part around that."""
    parts = {each.pointer: each for each in with_inner(root)}
    for row in findings.rows:
        pointer = row.pointer or ""
        while pointer not in parts and pointer:
            pointer = pointer.rpartition("/")[0]
        part = parts.get(pointer)
        if part is not None and not part.problem:
            part.problem = row.message


# --- what is shown, and what is folded ---


def _keep_found(group: Group, wanted: Filter) -> None:
    """Leave of a group's parts those that are found, and those with something found in them."""
    found = []
    for part in group.parts:
        is_found = wanted.takes(part)
        if isinstance(part, Group) and not (is_found and not wanted.changed_only):
            _keep_found(part, wanted)
            is_found = bool(part.parts) or is_found
        if is_found:
            found.append(part)
    group.parts = found


def _unfold(part: Field | Group, depth: int, touched: str, *, is_filtered: bool) -> None:
    """Open the groups that lead to others near the top, and those with what must be in sight."""
    if not isinstance(part, Group):
        return
    for each in part.parts:
        _unfold(each, depth + 1, touched, is_filtered=is_filtered)
    leads_on = depth <= _OPEN_DEPTH and any(
        isinstance(each, Group) and each.kind == "object" and each.parts for each in part.parts
    )
    is_touched = bool(touched) and (
        f"{touched}/".startswith(f"{part.pointer}/") or part.pointer.startswith(f"{touched}/")
    )
    part.is_open = depth == 0 or is_filtered or leads_on or is_touched or part.problems > 0


# --- schemas ---


def _types(schema: Schema) -> list[str]:
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else list(named)


def _container_of(value: Any, types: list[str]) -> Literal["object", "array"] | None:
    """The kind of container that a value is shown as; None for a single input."""
    if isinstance(value, dict) and (not types or "object" in types):
        return "object"
    if isinstance(value, list) and (not types or "array" in types):
        return "array"
    if value is UNSET and "object" in types:
        return "object"
    return "array" if value is UNSET and "array" in types else None


def _documented(contract: Contract, pointer: str) -> Json:
    """The documented value at a place of the payload; null where nothing is documented."""
    found = documented(contract.request_schema, contract.examples.request, pointer)
    return None if found is UNSET else found


def _parsed(text: str | None) -> Any:
    if text is None:
        return UNSET
    try:
        return jsontext.parse(text)
    except SourceError:
        return UNSET


def _same(one: Any, other: Any) -> bool:
    """Whether both values are absent, or have the same spelling."""
    if one is UNSET or other is UNSET:
        return one is other
    return jsontext.compact(one) == jsontext.compact(other)
