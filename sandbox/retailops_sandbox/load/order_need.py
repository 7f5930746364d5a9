"""Whether a range has the orders that a load test needs."""

from __future__ import annotations

from retailops_sandbox.engine import Sources
from retailops_sandbox.errors import UsageError
from retailops_sandbox.load.order_numbers import OrderRange
from retailops_sandbox.load.renumbering import Renumbering
from retailops_sandbox.load.setup import LoadSetup


def check(asked: LoadSetup, sources: Sources, *, workers: int) -> None:
    """Raise UsageError where the range of orders is too small for the rates that are asked for.

    Late answers and lost workers need more, which nobody knows before.
    """
    ids = asked.orders
    if ids is None or not asked.scenarios:
        return
    of_each = max(Renumbering(plan, sources).count for plan in asked.plans)
    needed = asked.scenarios * of_each / (2 if asked.collide else 1)
    if not of_each:
        return
    needed += OrderRange(ids).most_left * workers
    if needed > len(ids):
        what = f"the range {ids} has {len(ids):,} orders, and about {needed:,.0f} are needed at these rates"
        raise UsageError(what, mend="give a larger range by --orders, or ask for less")
