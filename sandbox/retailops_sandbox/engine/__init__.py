"""The one path: compose, check, build, send, log, compare, report. Every face runs scenarios through here.

`Run.execute()` tells what happens as it happens, `Run.events()` yields it; whoever listens only listens.
Nothing here knows a file, a socket or a clock.

ports    what a run needs from outside, and how it is to run
events   what it tells
run      one execution of some plans: workers, order, stopping
step     one step, from its fixture to its verdict
preview  all that comes before a send, without one
target   the receiver as steps see it
"""

from retailops_sandbox.engine.events import (
    DeliveryFinished,
    DeliveryStarted,
    Event,
    ScenarioResult,
    StepResult,
    worst,
)
from retailops_sandbox.engine.ports import Clock, DeliveryLog, Options, Ports, Transport
from retailops_sandbox.engine.run import Run
from retailops_sandbox.engine.step import LARGE_BODY

__all__ = [
    "LARGE_BODY",
    "Clock",
    "DeliveryFinished",
    "DeliveryLog",
    "DeliveryStarted",
    "Event",
    "Options",
    "Ports",
    "Run",
    "ScenarioResult",
    "StepResult",
    "Transport",
    "worst",
]
