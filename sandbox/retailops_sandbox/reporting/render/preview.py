"""The output of `run --dry-run`: the requests that would be sent, and why others would not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retailops_sandbox.contracts import auth
from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.model import Receiver
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.render.wire_words import line_of, spelled


def text(
    previews: Sequence[Preview], unreadable: Sequence[SandboxError], receiver: Receiver
) -> Iterator[str]:
    """The lines; the last has the counts and the receiver."""
    last = None
    for each in previews:
        if each.plan is not last:
            last = each.plan
            place = f"  {last.id}" if last.id and last.scenario.name else ""
            yield lines.in_line(last.name + place)
        yield from _step(each)
    for error in unreadable:
        yield f"! unreadable  {lines.in_line(str(error))}"
    yield _count(previews, unreadable, receiver)


def _step(each: Preview) -> Iterator[str]:
    step, name = each.step, quoted(each.step.name)
    if each.mistake:
        yield f"  ! {name}  {lines.in_line(each.mistake)}"
        return
    glyph = "✗" if each.is_refused else "→"
    if each.request is None:
        waits = f"its request shows only when it runs: {lines.in_line(each.waits)}"
        yield f"  {glyph} {name}  {waits}{lines.together(step)}"
        return
    times = f", {each.deliveries} times" if each.deliveries > 1 else ""
    request = lines.in_line(line_of(each.request, each.wire))
    yield f"  {glyph} {name}  {request}  {each.size:,} bytes{times}{lines.again(step)}{lines.together(step)}"
    if each.wire is not None:
        yield f"      sent {lines.in_line(spelled(each.wire))}"
    if each.proof is not None:
        yield f"      {lines.in_line(auth.how_made(each.proof))}"
    if each.violations:
        place = f"{lines.in_line(each.plan.file)}:{each.plan.line(each.number)}: "
        reason = "sent although" if step.off_contract else f"{place}not sent, because"
        yield f"      {reason} the payload breaks the contract:"
        yield from (f"        {lines.violation(found)}" for found in each.violations)


def _count(previews: Sequence[Preview], unreadable: Sequence[SandboxError], receiver: Receiver) -> str:
    deliveries = sum(each.deliveries for each in previews)
    scenarios = len({id(each.plan) for each in previews if each.would_send})
    is_least = any(each.step.repeat_while is not None and each.would_send for each in previews)
    words = [
        f"{'at least ' if is_least else ''}{deliveries:,} {_plural('delivery', 'deliveries', deliveries)}"
        f" of {scenarios:,} {_plural('scenario', 'scenarios', scenarios)} would be sent"
    ]
    refused = sum(each.is_refused for each in previews)
    mistakes = sum(bool(each.mistake) for each in previews)
    if refused:
        words.append(f"{refused:,} {_plural('step breaks', 'steps break', refused)} the contract")
    if mistakes:
        words.append(f"{mistakes:,} {_plural('step', 'steps', mistakes)} cannot be composed")
    if unreadable:
        words.append(f"{len(unreadable):,} unreadable")
    what = "the stand-in" if receiver.stand_in else lines.in_line(receiver.name)
    return f"{', '.join(words)}; nothing was sent, receiver: {what}"


def _plural(one: str, several: str, count: int) -> str:
    return one if count == 1 else several
