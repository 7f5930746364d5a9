"""Trials of the contract: the fixtures as they are, and every documented field with what is done to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from retailops_sandbox import composing, jsontext
from retailops_sandbox.jsontext import pointer as pointers
from retailops_sandbox.model import Json, Wire
from retailops_sandbox.probe.fields import Field
from retailops_sandbox.probe.mutations import MUTATIONS, UNKNOWN_MEMBER, Mutation
from retailops_sandbox.probe.orders import Order, Orders
from retailops_sandbox.probe.probes import Demand, Probe
from retailops_sandbox.probe.trials.making import Attempt, Making

LARGE = 64 * 1024
"""The bytes of a payload above which a receiver may say that it is too large."""


def fixtures(making: Making) -> Iterator[Probe]:
    """Every fixture as it is, as a valid request."""
    options = making.options
    own = {options.fixture: options.payload} if options.fixture else {}
    attempts = [_fixture(making, *each) for each in {**own, **options.others}.items()]
    if attempts:
        name = "Every fixture is answered by the contract"
        yield making.probe("contract/fixtures", "contract", name, attempts)


def _fixture(making: Making, name: str, payload: Json) -> Attempt:
    """A fixture as it is. One that names nothing that it is about keeps the schema, and may be refused."""
    is_about_nothing = making.orders.pointers and not Orders(making.contract, payload, None).pointers
    is_large = len(jsontext.compact(payload)) > LARGE
    demand: Demand = "either" if is_about_nothing or is_large else "accept"
    what = "large-fixture" if is_large else "fixture"
    return making.attempt(f"fixture {name}", what, demand, fixture=name)


def probes(making: Making) -> Iterator[Probe]:
    """A probe for each documented field."""
    for field in making.fields:
        attempts = [*_attempts(making, field)]
        if attempts:
            name = f"A receiver copes with whatever {field.name} is"
            id = f"contract{field.pointer or '/'}"
            yield making.probe(id, "contract", name, [*attempts, making.check()])


def _attempts(making: Making, field: Field) -> Iterator[Attempt]:
    """A field with each mutation that applies to it, each with an order of its own."""
    for mutation in MUTATIONS:
        if mutation.applies(field):
            order = making.orders.next(again=True)
            found = mutated(making, field, mutation, order)
            if found is not None:
                yield found


def mutated(making: Making, field: Field, mutation: Mutation, order: Order) -> Attempt | None:
    """A request in which one field is mutated; None where that would leave it as it is."""
    changes = _changes(field, mutation, order)
    if changes is None:
        return None
    set, remove, real = changes
    breaks = making.breaks_contract(real, remove)
    is_unknown = mutation.manner == "add" and field.is_there and not breaks
    return making.attempt(
        f"{field.name} {mutation.key.replace('-', ' ')}",
        mutation.key,
        "accept" if is_unknown else "either",
        order=order,
        set=set,
        remove=remove,
        wire=Wire(twice=field.pointer) if mutation.manner == "twice" else None,
        off_contract=breaks,
        field=field.pointer,
    )


class _Changes(NamedTuple):
    """What a step sets and removes."""

    set: dict[str, Json]
    """As the step spells it."""
    remove: list[str]
    real: dict[str, Json]
    """What it sets once placeholders are filled."""


def _changes(field: Field, mutation: Mutation, order: Order) -> _Changes | None:
    """How a step mutates a field; None where the payload would stay as it is."""
    valid = order.places.get(field.pointer, field.value)
    value = mutation.changed(valid)
    if mutation.manner == "set" and jsontext.compact(value) == jsontext.compact(valid):
        return None
    if mutation.manner == "add" and not isinstance(valid, dict):
        return None
    written = composing.escaped(value) if mutation.written is None else mutation.written
    if field.section_at is None:
        if mutation.manner == "remove":
            return _Changes({}, [field.pointer], {})
        if mutation.manner == "twice":
            return _Changes({}, [], {})
        at = field.pointer + _BESIDE[mutation.manner]
        return _Changes({at: written}, [], {at: value})
    at = field.pointer.removeprefix(field.section_at)
    if mutation.manner == "remove" and not at:
        return None
    real = _section(field.section, at, mutation, value)
    spelled = _section(composing.escaped(field.section), at, mutation, written)
    return _Changes({field.section_at: spelled}, [], {field.section_at: real})


_BESIDE = {"set": "", "add": f"/{UNKNOWN_MEMBER}"}
"""Where a manner sets its value, from the field on."""


def _section(section: Json, at: str, mutation: Mutation, value: Json) -> Json:
    """A section that the payload lacks, mutated at a place within it."""
    section = pointers.copied(section)
    if mutation.manner == "remove":
        pointers.remove_at(section, at)
    elif mutation.manner != "twice":
        section = pointers.set_at(section, at + _BESIDE[mutation.manner], value)
    return section
