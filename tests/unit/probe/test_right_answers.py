"""Nothing is said against answers that are right, whatever they tell, in every action and edition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract, schema_at
from tests.support.probe_answers import FIRST, SECOND, Asking

WORDS = st.text("aZ 09.,:;-_()äß注文🧾<>{}", min_size=1, max_size=20).filter(str.strip)


def value_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any right value of a part of an answer that is no event."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "format" in schema:
        return st.sampled_from(schema["examples"])
    types = schema.get("type", "string")
    kind = types if isinstance(types, str) else types[0]
    if kind == "object":
        required = schema.get("required", ())
        parts = {name: value_of(part) for name, part in schema.get("properties", {}).items()}
        needed = {name: part for name, part in parts.items() if name in required}
        return st.fixed_dictionaries(
            needed, optional={name: part for name, part in parts.items() if name not in required}
        )
    if kind == "array":
        return st.lists(value_of(schema.get("items", {})), max_size=2)
    return {
        "integer": st.integers(min_value=-(2**53), max_value=2**53),
        "number": st.integers(min_value=-(2**53), max_value=2**53),
        "boolean": st.booleans(),
        "string": WORDS,
    }[kind]


@st.composite
def answers(draw: st.DrawFn, contract: Contract, order: str) -> Any:
    """A right answer to a request about an order."""
    schema = contract.response_schema
    answer = draw(value_of({**schema, "properties": _without(schema["properties"], contract.events)}))
    if not contract.events:
        return answer
    events = draw(st.lists(events_of(contract, order), max_size=3))
    is_error = [any(value == "error" for value in each.values()) for each in events]
    if "status" in schema["properties"]:
        answer["status"] = "fail" if any(is_error) else "success"
    return {**answer, contract.events[1:]: events}


def _without(properties: dict[str, Any], events: str) -> dict[str, Any]:
    return {name: part for name, part in properties.items() if f"/{name}" != events and name != "status"}


@st.composite
def events_of(draw: st.DrawFn, contract: Contract, order: str) -> Any:
    """A right event about an order: with a code, a message, and associations with what was sent."""
    properties = schema_at(contract.response_schema, f"{contract.events}/*")["properties"]
    event: dict[str, Any] = {}
    for name, part in properties.items():
        if part["type"] == "string":
            severe = name == "status"
            event[name] = draw(st.sampled_from(["error", "warning", "info"]) if severe else value_of(part))
        elif name == "associations":
            kind, identifier = part["items"]["properties"]
            kinds = ["order_id", "order_refnum", "order"] if "enum" not in str(part) else ["order_refnum"]
            event[name] = draw(
                st.sampled_from([[], [{kind: draw(st.sampled_from(kinds)), identifier: order}]])
            )
    return event


@pytest.mark.parametrize("name", sorted(SHIPPED_CONTRACTS.names))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_right_answers_show_nothing(name: tuple[str, str], data: st.DataObject):
    asking = Asking(*name)
    asking.baseline(*(data.draw(answers(asking.contract, FIRST)) for _ in range(2)))
    for order in (FIRST, SECOND):
        body = data.draw(answers(asking.contract, order))
        assume(not any(asking.contract.check_answer(body).by_source.values()))
        assert asking.ask(demand="accept", order=order, body=body) == []
        assert asking.ask("null", field="/version", order=order, body=body) == []
    assert asking.observer.finish() == []
