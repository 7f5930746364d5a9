"""The events of a run as diagnostics."""

from __future__ import annotations

from retailops_sandbox import diagnostics, engine
from retailops_sandbox.engine import DeliveryFinished, DeliveryStarted, Event, StepResult
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.reporters.reporter import Reporter

_logger = diagnostics.logger(engine.__name__)


class Diagnostics(Reporter):
    """Logs each event."""

    def on_event(self, event: Event) -> None:
        log_event(event)


def log_event(event: Event) -> None:
    """Log one event of a run."""
    if isinstance(event, DeliveryStarted):
        _logger.debug("%s: prepared, sending to %s (step %r)", event.id, event.url, event.step)
    elif isinstance(event, DeliveryFinished):
        _log_delivery(event)
    elif isinstance(event, StepResult):
        _logger.debug("step %r: %s%s", event.name, event.verdict, f": {event.reason}" if event.reason else "")
    elif event.plan.name:
        # The plan of a send by hand has no name.
        _logger.info("scenario %s: %s in %.0f ms", event.plan.name, event.verdict, event.seconds * 1000)


def _log_delivery(event: DeliveryFinished) -> None:
    sent, judgement = event.delivery, event.judgement
    took = f"in {sent.timings.total:.0f} ms"
    if sent.dropped:
        _logger.info("%s: dropped on purpose %s", sent.id, took)
    elif sent.fault is not None:
        again = "" if judgement else f"; attempt {sent.attempt + 1} follows"
        _logger.warning("%s: fault %s %s: %s%s", sent.id, sent.fault.kind, took, sent.fault.message, again)
    else:
        verdict = judgement.verdict if judgement else "not judged"
        _logger.info("%s: answered %s %s: %s", sent.id, lines.outcome(sent), took, verdict)
