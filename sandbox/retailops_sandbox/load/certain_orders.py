"""Which shipped scenarios are about certain orders, and so fail with any other."""

from __future__ import annotations

from collections.abc import Iterable

from retailops_sandbox.engine import Sources
from retailops_sandbox.load.renumbering import named_places
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.standin import StandIn
from retailops_sandbox.standin.shop import Shop
from retailops_sandbox.workspace.workspace import SHIPPED

_MOST_NAMED = 3


def note(plans: Iterable[Plan], sources: Sources) -> str:
    """Which of these scenarios need the orders that they name, in a line; empty where none does.

    Known of shipped ones alone: they tell of the shop that the stand-in is, whose orders have states.
    """
    shop = StandIn().shop
    found = [
        plan.id for plan in plans if plan.id.startswith(SHIPPED) and _needs_its_orders(plan, sources, shop)
    ]
    if not found:
        return ""
    named = ", ".join(found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return (
        f"{named}{more} may fail with other orders than those that the scenarios name, such as one that has "
        "shipped (--orders named keeps these)"
    )


def _needs_its_orders(plan: Plan, sources: Sources, shop: Shop) -> bool:
    """Whether a scenario names an order that is not, at its first step, as one that was made for it is."""
    seen: set[str] = set()
    for step, places in zip(plan.scenario.steps, named_places(plan, sources), strict=True):
        action, edition = plan.scenario.contract_of(step)
        named = {str(place.value) for place in places} - seen
        if shop.knows(action, edition) and any(not shop.is_as_made(action, edition, each) for each in named):
            return True
        seen |= named
    return False
