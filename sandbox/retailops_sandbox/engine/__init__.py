"""The engine: compose, check, build, send, log, compare, report. Every face runs scenarios with it.

`Run.execute()` passes each event to its listener as it happens; listeners do not influence the run.
Files, sockets and clocks are used only through the ports.

ports        what a run needs from outside, and how it is to run
events       what it reports
target       the receiver as steps see it
preparation  from a step to its request, without sending
preview      what each step of some plans would send
context      what the steps of one run share
step         one step, from its fixture to its verdict
run          one execution of some plans: workers, order, stopping
"""

from retailops_sandbox.engine.events import (
    DeliveryFinished,
    DeliveryStarted,
    Event,
    ScenarioResult,
    StepResult,
    worst,
)
from retailops_sandbox.engine.ports import CaseSource, Clock, DeliveryLog, Options, Ports, Sources, Transport
from retailops_sandbox.engine.preparation import LARGE_BODY, is_large
from retailops_sandbox.engine.run import Run
from retailops_sandbox.engine.target import require_yes

__all__ = [
    "LARGE_BODY",
    "CaseSource",
    "Clock",
    "DeliveryFinished",
    "DeliveryLog",
    "DeliveryStarted",
    "Event",
    "Options",
    "Ports",
    "Run",
    "ScenarioResult",
    "Sources",
    "StepResult",
    "Transport",
    "is_large",
    "require_yes",
    "worst",
]
