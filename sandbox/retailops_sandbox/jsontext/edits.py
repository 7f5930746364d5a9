"""Edits of a JSON text that leave every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import pairwise

import msgspec

from retailops_sandbox import assignment
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.jsontext.parsing import parse
from retailops_sandbox.jsontext.places import Child, children, find
from retailops_sandbox.jsontext.spelling import compact, flat, pretty
from retailops_sandbox.model import Json

MAX_INLINE = 100
"""The most characters of a container that is added on one line to a text of several lines."""

MAX_ALIGNED = 250_000
"""The product of two arrays' lengths up to which equal items are searched at other positions."""

MAX_ALIKE = 4_096
"""The product of two arrays' lengths up to which unequal items are paired by what they have in common."""
_PER_LIKENESS = 1_000
"""The gain of a pair for each member or item in common; each pair gains 1 besides."""


def replace(text: str, pointer: str, value: Json) -> str:
    """The text with another value at a pointer; PointerError if there is none yet.

    Only what differs is written anew: equal members and items keep their bytes and their order.
    """
    document = parse(text)
    pointers.resolve(document, pointer)
    return rewrite(text, pointers.set_at(deepcopy(document), pointer, value))


def insert(text: str, pointer: str, value: Json) -> str:
    """The text with a member set, or an item put before the index that the pointer names, at `/-` last.

    Missing objects on the way are made.
    """
    document = deepcopy(parse(text))
    tokens = pointers.parse(pointer)
    parent = pointers.resolve(document, pointers.join(tokens[:-1])) if _exists(text, tokens[:-1]) else None
    if tokens and tokens[-1] != "-" and isinstance(parent, list):
        parent.insert(pointers.index(tokens[-1], len(parent) + 1), value)
        return rewrite(text, document)
    return rewrite(text, pointers.set_at(document, pointer, value))


def remove(text: str, pointer: str) -> str:
    """The text without what a pointer leads to; PointerError if it leads nowhere."""
    document = deepcopy(parse(text))
    pointers.remove_at(document, pointer)
    return rewrite(text, document)


def rename(text: str, pointer: str, names: Mapping[str, str]) -> str:
    """The text with other keys in the object at a pointer; `names` are the new ones by the old."""
    pointers.resolve(parse(text), pointer)
    start, _, _ = find(text, pointers.parse(pointer))
    written, done = "", 0
    for child in children(text, start):
        name = names.get(str(child.key))
        if name is not None and name != child.key:
            written += text[done : child.key_start] + compact(name).decode()
            done = child.key_end
    return written + text[done:]


def swap(text: str, pointer: str, one: int, other: int) -> str:
    """The text with two items of the array at a pointer in each other's place, each spelled as it was."""
    first, second = sorted((one, other))
    items = pointers.resolve(parse(text), pointer)
    if not isinstance(items, list) or not 0 <= first < second < len(items):
        raise pointers.PointerError(f"there are no two such items at {pointer}")
    start, _, _ = find(text, pointers.parse(pointer))
    present = list(children(text, start))
    a, b = present[first], present[second]
    return (
        text[: a.start]
        + text[b.start : b.end]
        + text[a.end : b.start]
        + text[a.start : a.end]
        + text[b.end :]
    )


def insert_before(text: str, pointer: str, key: str, value: Json) -> str:
    """The text with a new member before the member at a pointer, spaced as that one is."""
    document = parse(text)
    pointers.resolve(document, pointer)
    *above, name = pointers.parse(pointer)
    start, _, _ = find(text, tuple(above))
    behind, at = start + 1, None
    for child in children(text, start):
        if child.key == name:
            at = child
            break
        behind = text.index(",", child.end) + 1
    if at is None or not at.key_end > at.key_start:
        raise pointers.PointerError(f"{pointer} leads to no member of an object")
    gap, colon = text[behind : at.key_start], text[at.key_end : at.start]
    indent = gap.rpartition("\n")[2] if "\n" in gap else ""
    spelled = _Rewriter(text, document).spelled(value, indent, inline=True)
    member = f"{compact(key).decode()}{colon}{spelled},{gap or ('' if colon == ':' else ' ')}"
    return text[: at.key_start] + member + text[at.key_start :]


def excerpt_at(text: str, pointer: str) -> str:
    """The text of the value at a pointer, without the indentation of its line; empty where there is none."""
    parse(text)
    start, end, missing = find(text, pointers.parse(pointer))
    if missing:
        return ""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return text[start:end].replace("\r\n", "\n").replace(f"\n{indent}", "\n")


def rewrite(text: str, value: Json) -> str:
    """The text, changed no more than it takes to spell `value`."""
    document = parse(text)
    start, end, _ = find(text, ())
    written = _Rewriter(text, document).value(start, end, document, value, inline=False)
    return text[:start] + written + text[end:]


def _exists(text: str, tokens: tuple[str, ...]) -> bool:
    return find(text, tokens)[2] == 0


class _Entry(msgspec.Struct, frozen=True):
    """A member or item of the new container; `child` is its position in the old one, None if it is added."""

    child: int | None
    key: str | None
    old: Json
    new: Json


def _members(old: dict[str, Json], new: dict[str, Json]) -> list[_Entry]:
    """The members that stay, in their order, then those that are added."""
    stay = [_Entry(at, key, old[key], new[key]) for at, key in enumerate(old) if key in new]
    return stay + [_Entry(None, key, None, value) for key, value in new.items() if key not in old]


def _items(old: list[Json], new: list[Json]) -> list[_Entry]:
    """The new items, each paired with the old one that it equals or else is most like."""
    entries: list[_Entry] = []
    for old_start, old_end, new_start, new_end in _matching([*map(compact, old)], [*map(compact, new)]):
        partners = _partners(old[old_start:old_end], new[new_start:new_end])
        for value, partner in zip(new[new_start:new_end], partners, strict=True):
            at = None if partner is None else old_start + partner
            entries.append(_Entry(at, None, None if at is None else old[at], value))
    return entries


def _partners(old: list[Json], new: list[Json]) -> list[int | None]:
    """For each new item the position of the old one that it replaces, None for an item that is added.

    The pairs do not cross. There are as many as possible, of items that are as alike as possible.
    """
    if len(old) == len(new) == 1 or len(old) * len(new) > MAX_ALIKE:
        return [at if at < len(old) else None for at in range(len(new))]
    gains = [[1 + _PER_LIKENESS * _likeness(one, other) for other in new] for one in old]
    partners = {column: row for row, column in assignment.best_in_order(gains)}
    return [partners.get(at) for at in range(len(new))]


def _likeness(one: Json, other: Json) -> int:
    """How many members or items two containers have in common."""
    if isinstance(one, dict) and isinstance(other, dict):
        return sum(name in other and compact(value) == compact(other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        values = [*map(compact, other)]
        return sum(compact(value) in values for value in one)
    return 0


def _matching(old: list[bytes], new: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """The corresponding slices of both sequences, in order, each as start and end in either one.

    Equal items at both ends always correspond, so that an edit of one item leaves all others as they are.
    """
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    old_end, new_end = len(old) - tail, len(new) - tail
    yield 0, head, 0, head
    if (old_end - head) * (new_end - head) > MAX_ALIGNED:
        yield head, old_end, head, new_end
    else:
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
        for _, *bounds in matcher.get_opcodes():
            old_from, old_to, new_from, new_to = (head + bound for bound in bounds)
            yield old_from, old_to, new_from, new_to
    yield old_end, len(old), new_end, len(new)


class _Rewriter:
    """Writes changed values with the line ends, indentation and spacing of the text around them."""

    def __init__(self, text: str, document: Json) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.one_line = "\n" not in text.strip()
        self.tight = text.strip() == compact(document).decode()
        indent = re.search(r"\n([ \t]+)", text)
        self.indent = indent[1] if indent else "  "

    def value(self, start: int, end: int, old: Json, new: Json, *, inline: bool) -> str:
        """The text of `new` in the place of `old`, whose text reaches from `start` to `end`."""
        kept = self.text[start:end]
        if compact(old) == compact(new):
            return kept
        if old and new:
            if isinstance(old, dict) and isinstance(new, dict):
                return self.container(start, end, _members(old, new))
            if isinstance(old, list) and isinstance(new, list):
                return self.container(start, end, _items(old, new))
        if old and isinstance(old, dict | list):
            inline = "\n" not in kept
        return self.spelled(new, self.line_indent(start), inline=inline)

    def container(self, start: int, end: int, entries: list[_Entry]) -> str:
        """The text of a container with these entries; the text between those that stay is kept."""
        present = list(children(self.text, start))
        first_gap = self.text[start + 1 : present[0].key_start]
        gaps = [self.text[one.end : two.key_start] for one, two in pairwise(present)]
        new_gap = gaps[0] if gaps else "," + (first_gap or ("" if self.tight else " "))
        colon = self.text[present[0].key_end : present[0].start]
        written = self.text[start]
        for position, entry in enumerate(entries):
            gap = gaps[entry.child - 1] if entry.child else new_gap
            written += gap if position else first_gap
            inline = "\n" not in gap
            if entry.child is None:
                indent = self.line_indent(start) if inline else gap.rpartition("\n")[2]
                head = "" if entry.key is None else compact(entry.key).decode() + colon
                written += head + self.spelled(entry.new, indent, inline=inline or self.on_one_line(present))
            else:
                child = present[entry.child]
                head = self.text[child.key_start : child.start]
                written += head + self.value(child.start, child.end, entry.old, entry.new, inline=inline)
        return written + self.text[present[-1].end : end]

    def spelled(self, value: Json, indent: str, *, inline: bool) -> str:
        """The text of a value that is added; `indent` is that of the line on which it begins."""
        line = compact(value).decode() if self.tight else flat(value)
        if not isinstance(value, dict | list) or not value or self.one_line:
            return line
        if inline and len(line) <= MAX_INLINE:
            return line
        return re.sub(
            r"\n((?:  )*)",
            lambda found: self.newline + indent + self.indent * (len(found[1]) // 2),
            pretty(value),
        )

    def on_one_line(self, siblings: list[Child]) -> bool:
        """Whether the siblings include containers, and each of these is written on one line."""
        containers = [self.text[each.start : each.end] for each in siblings if self.text[each.start] in "{["]
        return bool(containers) and not any("\n" in each for each in containers)

    def line_indent(self, at: int) -> str:
        """The white space at the beginning of the line that a position is on."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(" \t"))]
