"""What can be decided about a difference."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox.comparing import matchers
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Difference, Json, Rule

Key: TypeAlias = "tuple[str, str, str | None, str | None]"
Word = Literal["accept", "keep", "rule"]

MOST_PROPOSED = 200
"""Characters of a value from which a regex is made."""


class Decision(msgspec.Struct, frozen=True):
    """What becomes of one difference: the actual value is accepted, the expectation kept, or a rule made."""

    word: Word
    rule: Rule = ""
    everywhere: bool = False
    """Whether the rule is for all items of the set-like arrays on the way, and not for this one alone."""


ACCEPT = Decision("accept")
KEEP = Decision("keep")


class Ways(msgspec.Struct, frozen=True):
    """What may be decided about a difference, besides keeping the expectation."""

    accept: bool
    rules: tuple[str, ...] = ()
    """The words of the matchers that could stand there."""
    path: str = ""
    """Where a rule would stand."""
    wide: str = ""
    """The same for all items of the set-like arrays on the way; empty where there is none."""


def key(difference: Difference) -> Key:
    """What tells a difference apart from the others of its judgement."""
    return difference.part, difference.kind, difference.expected_pointer, difference.actual_pointer


def ways(difference: Difference, sets: tuple[str, ...]) -> Ways:
    """What may be decided about a difference. `sets` are the paths of the contract's set-like arrays."""
    actual = difference.actual
    if difference.part == "headers":
        return Ways(True, ("ignore", *_of_text(actual)), (difference.expected_pointer or "")[1:])
    if difference.part != "body":
        return Ways(True)
    path = difference.expected_pointer
    if path is None:
        tail = pointer.parse(difference.actual_pointer or "")[-1]
        path = f"{difference.within}/{pointer.escape(tail)}"
    wide = _widened(path, sets)
    if path == "" or difference.kind == "moved" or (_is_one_sided(difference) and _is_item(path)):
        # A rule that takes anything for an item would take what answers to another one.
        return Ways(True)
    if difference.kind == "missing":
        return Ways(True, ("ignore",), path, wide)
    return Ways(True, ("ignore", "type", *_of_text(actual)), path, wide)


def _of_text(value: Json) -> tuple[str, ...]:
    """The matchers that could judge this very text, the more telling ones first."""
    if not isinstance(value, str):
        return ()
    telling = [name for name in matchers.FORMATS if _accepts(name, value)]
    return (*telling, "regex")


def _accepts(rule: Rule, value: Json) -> bool:
    accepts = matchers.matcher(rule).accepts
    return accepts is not None and accepts(value)


def _is_one_sided(difference: Difference) -> bool:
    return difference.kind in ("missing", "unexpected")


def _is_item(path: str) -> bool:
    return pointer.parse(path)[-1].isdecimal()


def _widened(path: str, sets: tuple[str, ...]) -> str:
    """The path with `*` for the items of set-like arrays; empty where it goes through none."""
    tokens = list(pointer.parse(path))
    patterns = {pointer.parse(each) for each in sets}
    wide = list(tokens)
    for depth, token in enumerate(tokens):
        above = wide[:depth]
        if token.isdecimal() and any(_fits(above, pattern) for pattern in patterns):
            wide[depth] = "*"
    # A rule for all items as a whole would say nothing of any of them.
    return "" if wide == tokens or wide[-1] == "*" else pointer.join(tuple(wide))


def _fits(tokens: list[str], pattern: tuple[str, ...]) -> bool:
    return len(tokens) == len(pattern) and all(
        wanted in ("*", token) for wanted, token in zip(pattern, tokens, strict=True)
    )


# --- Regular expressions ------------------------------------------------------------------------------

_pieces = re.compile(r"[0-9A-Za-z]+|\s+|.", re.DOTALL).findall
_UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def proposed_regex(expected: Json, actual: Json) -> str:
    """A regex that accepts the actual text, and the expected one where they are made alike.

    What both have stays as it is. Without an expected text like it, digits and what looks random are taken
    for what varies.
    """
    if not isinstance(actual, str):
        return ""
    if len(actual) > MOST_PROPOSED:
        return "^" + re.escape(actual[:MOST_PROPOSED])
    if _accepts("uuid", actual):
        return _UUID
    pieces = _pieces(actual)
    others = _pieces(expected) if isinstance(expected, str) else []
    if len(others) == len(pieces):
        return f"^{''.join(map(_either, pieces, others))}$"
    return f"^{''.join(map(_alone, pieces))}$"


def _either(one: str, other: str) -> str:
    """What accepts two pieces that stand in the same place."""
    if one == other:
        return _escaped(one)
    both = one + other
    if not (both.isascii() and both.isalnum()):
        return ".+" if both.isprintable() else "(?s:.+)"
    if both.isdecimal():
        return _digits(one) if len(one) == len(other) else "[0-9]+"
    (letters, digits), (other_letters, other_digits) = _lettered(one), _lettered(other)
    if letters and letters == other_letters:
        return letters + _either(digits, other_digits)
    return r"\w+"


def _alone(piece: str) -> str:
    """What accepts a piece and others like it."""
    if not (piece.isascii() and piece.isalnum()) or piece.isalpha():
        return _escaped(piece)
    if piece.isdecimal():
        return _digits(piece)
    letters, digits = _lettered(piece)
    if letters:
        return letters + _digits(digits)
    return f"[0-9a-f]{{{len(piece)}}}" if set(piece) <= set("0123456789abcdef") else r"\w+"


def _lettered(piece: str) -> tuple[str, str]:
    """The letters that a piece begins with and the digits that it ends with; nothing for any other."""
    found = re.fullmatch("([A-Za-z]+)([0-9]+)", piece)
    return (found[1], found[2]) if found else ("", "")


def _digits(piece: str) -> str:
    return f"[0-9]{{{len(piece)}}}" if len(piece) > 1 else "[0-9]"


def _escaped(piece: str) -> str:
    """The piece as a regex, a space without the backslash that it does not need."""
    return re.escape(piece).replace("\\ ", " ").replace("\\-", "-")


class RegexPreview(msgspec.Struct, frozen=True):
    """What a regex makes of a difference."""

    problem: str = ""
    """Why it cannot be used."""
    actual: bool = False
    expected: bool | None = None
    """None where no text was expected."""


def told_regex(pattern: str, difference: Difference) -> RegexPreview:
    """Whether a regex accepts what came and what was expected."""
    try:
        accepts = matchers.matcher({"regex": pattern}).accepts
    except matchers.RuleError as error:
        return RegexPreview(error.what.removeprefix("regex: "))
    assert accepts is not None
    expected = difference.expected
    return RegexPreview(
        actual=difference.actual is not UNSET and accepts(difference.actual),
        expected=accepts(expected) if isinstance(expected, str) else None,
    )
