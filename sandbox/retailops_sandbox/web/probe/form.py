"""The form that starts a probe: what was typed, and the probe that it asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from starlette.datastructures import FormData, QueryParams

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.probing import MAX_SECONDS, ProbeOptions
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.send_form import Refused

SENT_AREAS: tuple[Area, ...] = tuple(each for each in AREAS if each != "answers")
"""The areas for which requests are sent, in their order."""
_LONGEST_SECONDS = 24 * 60 * 60


class ProbeForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form that starts a probe, as it was typed. An empty field leaves the choice to the probe."""

    receiver: str = ""
    contract: str = ""
    """The action and the edition, with a blank between them."""
    area: tuple[str, ...] = ()
    """The areas to try; none for all."""
    fixture: str = ""
    """The fixture that is tried first as what must be accepted."""
    orders: str = ""
    seed: str = ""
    max_time: str = ""
    said_seed: str = ""
    """The seed that the page told, for a probe without a typed one."""
    said_orders: str = ""
    """The order ids that the page told, for a probe without typed ones."""
    confirmed: str = ""
    """The protected receiver that this probe was confirmed for."""
    shown: str = ""
    """The URLs that the page showed."""

    @classmethod
    def of(cls, asked: FormData | QueryParams) -> ProbeForm:
        """The form in a request."""
        typed = {
            name: str(asked.get(name, "")).strip() for name in cls.__struct_fields__ if name not in ("area",)
        }
        return cls(**typed, area=tuple(str(each) for each in asked.getlist("area")))

    @property
    def agreed(self) -> tuple[str, str]:
        """The action and the edition; both empty where the form names none."""
        action, _, edition = self.contract.partition(" ")
        return action, edition

    @property
    def is_changed(self) -> bool:
        """Whether an option is another than what is proposed."""
        is_part = not all(self.takes(each) for each in SENT_AREAS)
        return is_part or bool(self.fixture or self.orders or self.seed or self.max_time)

    def takes(self, area: Area) -> bool:
        """Whether an area is to be tried."""
        return not self.area or area in self.area


def probe_options(context: AppContext, form: ProbeForm, contract: Contract) -> ProbeOptions:
    """The options of the probe that a form asks for; Refused names a field that cannot be used. Blocks."""
    return ProbeOptions(
        fixtures=_fixtures(context, form.fixture, contract),
        areas=_areas(form.area),
        seed=_number(form.seed or form.said_seed),
        max_seconds=_seconds(form.max_time),
        orders=_orders(form.orders) or form.said_orders,
    )


def _fixtures(context: AppContext, first: str, contract: Contract) -> tuple[str, ...]:
    """The names of the fixtures, the one that was chosen first."""
    try:
        names = [each.name for each in context.workspace.fixtures(contract.action, contract.edition)]
    except SandboxError as error:
        raise Refused("fixture", str(error)) from error
    if first and first not in names:
        raise Refused("fixture", f"There is no fixture {first!r} of {contract.action} {contract.edition}.")
    return tuple(sorted(names, key=lambda name: name != (first or "default")))


def _areas(chosen: Sequence[str]) -> tuple[Area, ...]:
    if not chosen:
        return AREAS
    # What the answers show comes of every request.
    return tuple(each for each in AREAS if each in chosen or each == "answers")


def _orders(typed: str) -> str:
    if typed:
        try:
            OrderIds.read(typed)
        except SandboxError as error:
            raise Refused("orders", str(error)) from error
    return typed


def _number(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 18):
        raise Refused("seed", "The seed is a number of up to 18 digits; leave it empty to have one drawn.")
    return int(typed)


def _seconds(typed: str) -> float:
    if not typed:
        return MAX_SECONDS
    try:
        seconds = float(typed)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise Refused("max_time", "The time is a number of seconds above 0, such as 30.")
    return seconds
