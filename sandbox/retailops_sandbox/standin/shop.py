"""The stand-in's shop: its orders, catalog and stock, and the rules by which it answers.

`shop.json` has the rules: what a payload of an action names, what becomes of it, what the answer holds. The
code knows what an action can be: a move of orders, a page of orders, records to keep, a constant answer. In a
path of the rules, `*` is every item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from retailops_sandbox.jsontext import pointer

Identifiers = dict[str, str]
"""The path of each type of identifier, seen from what it identifies; the first that is there counts."""


_MADE = re.compile(r"9[0-9]{8}")
_MOST_MADE = 10_000
"""The number of orders made on demand that a shop keeps; the oldest goes first."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order, and what a page holds of it; None where no page lists it."""

    id: str
    refnum: str
    state: str
    content: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer tells of an order or a record."""

    severity: Literal["error", "warning", "info"]
    code: str
    message: str


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a move does to an order in one state: the next state and the event, where there are any."""

    to: str = ""
    event: str = ""


class Edition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identifiers of an order, and the templates of an event and of an association."""

    order: Identifiers
    event: Any
    association: Any


class Keep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The paths of records, of which a list keeps values by key; `known` is a list that must have the key."""

    list: str
    records: tuple[str, ...]
    key: Identifiers
    value: str
    no_key: str
    known: str = ""
    unknown_key: str = ""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the orders in some states, and the paths of its token and of specific orders to answer."""

    states: tuple[str, ...]
    size: int
    token: str
    specific: str


class Items(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The path of items that the answer repeats, each with these members; without those that lack one."""

    path: str
    members: dict[str, str]


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with a payload, and the templates of the answer and of the answer with an error event.

    `orders` is the path of the orders that make the move; those of a page make it without one.
    """

    answer: Any
    refusal: Any = None
    move: str = ""
    orders: str | None = None
    keep: Keep | None = None
    page: Page | None = None
    items: Items | None = None


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules by which a shop answers; actions have names such as `name.v1`.

    A move has a step for each state. An order that is not in the shop has the state `unknown`. Those with `9`
    and eight digits as id and reference number are made when a payload first names them, in the state that
    `made` says for its move.
    """

    states: dict[str, str]
    events: dict[str, Event]
    moves: dict[str, dict[str, Step]]
    editions: dict[str, Edition]
    actions: dict[str, Action]
    lists: dict[str, dict[str, Any]]
    made: dict[str, str] = {}
    """By move, the state in which an order is made on demand."""


class Told(NamedTuple):
    """An event, and the type and text of the identifier of what it is about, if it has one."""

    event: Event
    detail: str
    about: tuple[str, str]


class Outcome(NamedTuple):
    """What became of a payload: what there is to tell, and the values of the answer's template."""

    told: tuple[Told, ...]
    values: dict[str, Any]

    @property
    def is_refused(self) -> bool:
        """Whether an error is told."""
        return any(each.event.severity == "error" for each in self.told)


class Shop:
    """The orders and lists in their present states."""

    def __init__(self, rules: Rules, orders: tuple[Order, ...]) -> None:
        self.rules = rules
        self._first = orders
        self._ids = {("order_id", order.id): order.id for order in orders}
        self._ids |= {("order_refnum", order.refnum): order.id for order in orders}
        self.reset()

    def reset(self) -> None:
        """Put every order and list back to what the data says."""
        self._orders = {order.id: order for order in self._first}
        self._made: dict[str, Order] = {}
        self.lists = {name: dict(kept) for name, kept in self.rules.lists.items()}

    @property
    def orders(self) -> list[Order]:
        """The orders in their present states, without those made on demand."""
        return list(self._orders.values())

    def is_as_made(self, action: str, edition: str, identifier: str) -> bool:
        """Whether the data has an order in the state in which one would be made for this action."""
        made = self.rules.made.get(self.rules.actions[f"{action}.{edition}"].move)
        return any(order.state == made for order in self._first if identifier in (order.id, order.refnum))

    def knows(self, action: str, edition: str) -> bool:
        """Whether there are rules for an action in an edition."""
        return f"{action}.{edition}" in self.rules.actions

    def answer(self, action: str, edition: str, payload: Any) -> Any:
        """Do what a payload asks for, and return the answer. The payload keeps its contract."""
        return self.spelled(action, edition, self.carried_out(action, edition, payload))

    def carried_out(self, action: str, edition: str, payload: Any) -> Outcome:
        """Do what a payload asks for, and return what became of it."""
        rules, spelling = self.rules.actions[f"{action}.{edition}"], self.rules.editions[edition]
        told: list[Told] = []
        values: dict[str, Any] = {}
        if rules.orders is not None:
            told += self._moved(rules.move, _at(payload, rules.orders), spelling.order)
        if rules.keep:
            told += self._kept(rules.keep, payload)
        if rules.page:
            values = self._paged(rules.page, rules.move, payload)
        if rules.items:
            values["items"] = _repeated(rules.items, payload)
        return Outcome(tuple(told), values)

    def spelled(self, action: str, edition: str, outcome: Outcome) -> Any:
        """The answer that tells an outcome."""
        rules, spelling = self.rules.actions[f"{action}.{edition}"], self.rules.editions[edition]
        values = {**outcome.values, "events": [_spelled(each, spelling) for each in outcome.told]}
        return _filled(rules.refusal if rules.refusal and outcome.is_refused else rules.answer, values)

    def named(self, action: str, edition: str, payload: Any) -> list[tuple[str, str]]:
        """The type and text of the identifier of each order or record that a payload names."""
        rules, spelling = self.rules.actions[f"{action}.{edition}"], self.rules.editions[edition]
        found = [] if rules.orders is None else [(rules.orders, spelling.order)]
        if rules.keep:
            found += [(path, rules.keep.key) for path in rules.keep.records]
        abouts = (_identifier(each, key) for path, key in found for each in _at(payload, path))
        return [about for about in abouts if about[1]]

    def _moved(self, move: str, named: Iterator[Any], identifiers: Identifiers) -> Iterator[Told]:
        for each in named:
            about = _identifier(each, identifiers)
            made = about[1] if move in self.rules.made and _MADE.fullmatch(about[1]) else ""
            event, state = self._move(move, self._ids.get(about, made))
            if event:
                yield Told(event, f"order state: {state}", about)

    def _move(self, move: str, id: str) -> tuple[Event | None, str]:
        """Move an order; the result is the event, if there is one, and the state after the move."""
        orders = self._made if _MADE.fullmatch(id) else self._orders
        if orders is self._made and id not in orders:
            self._make(Order(id, id, self.rules.made[move]))
        order = orders.get(id)
        state = order.state if order else "unknown"
        step = self.rules.moves[move][state]
        if order and step.to:
            state = step.to
            orders[id] = msgspec.structs.replace(order, state=state)
        return self.rules.events.get(step.event), state

    def _make(self, order: Order) -> None:
        if len(self._made) == _MOST_MADE:
            del self._made[next(iter(self._made))]
        self._made[order.id] = order

    def _kept(self, keep: Keep, payload: Any) -> Iterator[Told]:
        for record in (each for path in keep.records for each in _at(payload, path)):
            about = _identifier(record, keep.key)
            key = about[1]
            if not key:
                yield Told(self.rules.events[keep.no_key], f"list: {keep.list}", about)
            elif keep.known and key not in self.lists[keep.known]:
                yield Told(self.rules.events[keep.unknown_key], f"list: {keep.known}", about)
            else:
                self.lists[keep.list][key] = pointer.get(record, keep.value, "")

    def _paged(self, page: Page, move: str, payload: Any) -> dict[str, Any]:
        listed = [order for order in self.orders if order.content]
        found = [order for order in listed if order.refnum in _at(payload, page.specific)]
        rest = []
        if not found and not pointer.get(payload, page.specific.partition("/*")[0], ""):
            # A token is the last refnum of the page before, so that no order is left out where some are
            # acknowledged between two pages.
            refnums = ["", *(order.refnum for order in listed)]
            after: Any = pointer.get(payload, page.token, "")
            start = refnums.index(after) if after in refnums else len(listed)
            waiting = [order for order in listed[start:] if order.state in page.states]
            found, rest = waiting[: page.size], waiting[page.size :]
        for order in found:
            self._move(move, order.id)
        token = found[-1].refnum if rest else ""
        return {"orders": [order.content for order in found], "token": token}


def _repeated(items: Items, payload: Any) -> list[Any]:
    found = (
        {name: pointer.get(item, path, "") for name, path in items.members.items()}
        for item in _at(payload, items.path)
    )
    return [each for each in found if "" not in each.values()]


def _identifier(value: Any, identifiers: Identifiers) -> tuple[str, str]:
    """Type and text of the first identifier that is neither empty nor 0; empty where there is none."""
    found = ((type, pointer.get(value, path, "")) for type, path in identifiers.items())
    return next(((type, str(each)) for type, each in found if each), ("", ""))


def _at(value: Any, path: str) -> Iterator[Any]:
    """The values at a path; None where one without `*` leads nowhere."""
    array, has_items, rest = path.partition("/*")
    found: Any = pointer.get(value, array, None)
    if not has_items:
        yield found
    elif isinstance(found, list):
        for item in found:
            yield from _at(item, rest)


def _spelled(told: Told, spelling: Edition) -> Any:
    about = _filled(spelling.association, dict(zip(("type", "identity"), told.about, strict=True)))
    values = {**msgspec.structs.asdict(told.event), "detail": told.detail}
    return _filled(spelling.event, {**values, "associations": [about] if told.about[1] else []})


def _filled(template: Any, values: dict[str, Any]) -> Any:
    """A template in which each string `${name}` is the value of that name."""
    if isinstance(template, dict):
        return {key: _filled(child, values) for key, child in template.items()}
    if isinstance(template, list):
        return [_filled(child, values) for child in template]
    is_name = isinstance(template, str) and template.startswith("${")
    return values[template[2:-1]] if is_name else template
