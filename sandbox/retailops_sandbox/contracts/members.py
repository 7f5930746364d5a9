"""Which members a contract names: a pointer to another one is often a slip of the fingers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from retailops_sandbox.errors import did_you_mean
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json


def unknown(schema: Mapping[str, Any], path: str, payload: Json) -> str:
    """What a schema does not name on the way of a pointer, with the nearest name as a question.

    Empty where it names all of it, where it names no members there, or where the payload has the member.
    """
    at: list[str] = []
    for token in pointer.parse(path):
        if schema.get("type") == "array" or "items" in schema:
            items = schema.get("items")
            schema = items if isinstance(items, dict) else {}
            at.append(token)
            continue
        known = schema.get("properties")
        if not known:
            return ""
        at.append(token)
        if token not in known:
            return (
                "" if pointer.get(payload, pointer.join(tuple(at)), UNSET) is not UNSET else _told(at, known)
            )
        schema = known[token]
    return ""


def _told(at: list[str], known: Mapping[str, Any]) -> str:
    near = did_you_mean(at[-1], known, spelled=lambda name: pointer.join((*at[:-1], name)))
    return f"{pointer.join(tuple(at))} ({near})" if near else pointer.join(tuple(at))
