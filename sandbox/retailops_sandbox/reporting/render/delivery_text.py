"""A delivery or a run of the log as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.model import Delivery, Headers, Judgement, Request, Response, Result, RunInfo
from retailops_sandbox.reporting.render import lines, shown, sidebyside_text
from retailops_sandbox.reporting.render.wire_words import body_note, request_line, spelled
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.runs import RunSummary

_MOST = 40
"""The most lines of one judgement or step."""


def delivery(entry: Entry, contracts: Contracts, *, width: int, colour: bool) -> Iterator[str]:
    """The lines of a delivery: request, response or fault, timings, and judgements.

    `contracts` are those of the workspace; its own may be none of them.
    """
    sent, latest = entry.delivery, entry.judgement
    said = lines.remarks(latest) if latest else ""
    note = f"  ({said})" if said else ""
    yield f"{verdict(latest.verdict if latest else 'not judged')}  {lines.outcome(sent)}  {sent.id}{note}"
    if sent.fault is not None:
        yield f"  {lines.in_line(sent.fault.message)}"
    elif latest is not None and latest.reason:
        yield f"  {lines.in_line(latest.reason)}"
    yield from _facts(_of_delivery(sent))
    if latest is not None:
        yield from _judged(sent, latest, contracts, width=width, colour=colour)
    yield from _message("request", request_line(sent), sent.request, body_note(sent))
    if sent.response is not None:
        yield from _message("response", lines.start_line(sent.response), sent.response)
    if entry.judgements:
        yield ""
        yield "judgements, the newest first"
        for each in reversed(entry.judgements):
            said = lines.in_line(each.reason or f"as {lines.expected_by(each) or 'expected'}")
            remarks = lines.remarks(each)
            said = f"{said}, {remarks}" if remarks else said
            yield f"  {verdict(each.verdict)}  {shown.clock(each.at)}  {said}"


def run(found: RunSummary, results: Sequence[Result], entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of a run and its scenarios; `entries` are deliveries of those that did not pass."""
    pinned = ", ◆ pinned" if found.is_pinned else ""
    yield f"run {found.id}  {found.state}{pinned}"
    yield from (f"  ! {lines.in_line(str(problem))}" for problem in found.problems)
    yield from _facts(_of_run(found))
    if found.info is not None:
        yield from (f"  ! unreadable: {lines.in_line(each)}" for each in found.info.unreadable)
        yield from (
            f"  ! incomplete: shard {number}/{found.info.divided_into} is missing"
            for number in found.info.missing_shards
        )
    spoiled: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.judgements and entry.judgements[0].verdict in ("failed", "errored"):
            spoiled.setdefault((entry.delivery.scenario, entry.delivery.step), []).append(entry)
    if results:
        yield ""
    for result in results:
        yield from _result(result, spoiled)


def verdict(word: str) -> str:
    """A verdict with its glyph."""
    return f"{lines.GLYPHS[word]} {word}" if word in lines.GLYPHS else f"· {word}"


def _result(result: Result, spoiled: dict[tuple[str, str], list[Entry]]) -> Iterator[str]:
    name = lines.in_line(f"{result.name}  {result.scenario}")
    yield f"{verdict(result.verdict)}  {name}  {shown.took(result.seconds)}"
    for step in result.steps:
        if notes := ", ".join(filter(None, (lines.repeated(step), lines.remarks(step)))):
            yield f"    {verdict(step.verdict)}  step {quoted(step.name)}: {notes}"
        if step.verdict not in ("failed", "errored", "skipped"):
            continue
        reason = f": {lines.in_line(step.reason)}" if step.reason else ""
        yield f"    {verdict(step.verdict)}  step {quoted(step.name)}{reason}"
        for entry in spoiled.get((result.scenario, step.name), ()):
            yield f"      {entry.delivery.id}  {lines.outcome(entry.delivery)}"
            said = lines.judgement(entry.judgements[0], most=_MOST)
            yield from (f"        {line}" for line in lines.cut(said, _MOST))


def _of_delivery(sent: Delivery) -> Iterator[tuple[str, str]]:
    times = sent.timings
    yield "to", _receiver(sent)
    yield "sent", shown.clock(sent.sent_at)
    yield "action", f"{sent.action} {sent.edition}"
    if sent.fixture:
        yield "fixture", sent.fixture
    if sent.scenario:
        yield "scenario", sent.scenario
        yield "step", f"{sent.step}, delivery {sent.number}, attempt {sent.attempt}"
    yield "run", sent.run
    if sent.parent:
        yield "resend of", sent.parent
    if sent.wire is not None:
        yield "spelled", f"sent {spelled(sent.wire)}"
    for each in sent.redirects:
        yield "redirect", lines.redirect(each)
    if sent.dropped:
        yield "dropped", "the sandbox hung up on purpose, so it is not judged"
    phases = {"name lookup": times.lookup, "connect": times.connect, "TLS": times.tls}
    told = [f"{name} {value:.1f}" for name, value in phases.items() if value >= 0.05]
    yield "ms", ", ".join([*told, f"first byte {times.first_byte:.1f}", f"total {times.total:.1f}"])


def _of_run(found: RunSummary) -> Iterator[tuple[str, str]]:
    info = found.info
    if info is not None:
        if info.receiver:
            yield "to", _receiver(info)
        yield "kind", info.kind
        if info.shard is not None:
            count = info.shard.scenarios
            yield "shard", f"{info.shard}, {info.scenarios} of {count} scenario{'' if count == 1 else 's'}"
        if info.divided_into:
            yield "shards", f"{len(info.shards)} of {info.divided_into}"
        yield "started", shown.clock(info.started_at)
        if info.finished_at:
            yield "ended", shown.clock(info.finished_at)
        if info.tool:
            yield "by", f"{info.tool} on {info.host}" if info.host else info.tool
    counts = lines.counts({word: found.verdicts[word] for word in lines.GLYPHS})
    if found.verdicts[""]:
        counts.append(f"{found.verdicts['']} not judged")
    yield "deliveries", f"{found.deliveries}: {', '.join(counts)}" if counts else str(found.deliveries)


def _receiver(of: Delivery | RunInfo) -> str:
    return f"{of.receiver} {lines.NO_PROOF}" if of.stand_in else of.receiver


def _facts(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    told = list(facts)
    width = max(len(name) for name, _ in told)
    return (f"  {name.ljust(width)}  {lines.in_line(value)}" for name, value in told)


def _judged(
    sent: Delivery, found: Judgement, contracts: Contracts, *, width: int, colour: bool
) -> Iterator[str]:
    said = lines.judgement(found)
    if not said:
        return
    yield ""
    yield from said
    try:
        agreed = contracts.load(sent.action, sent.edition)
        beside = sidebyside_text.compared(sent, found, agreed, width=width, colour=colour)
    except SandboxError as error:
        beside = f"not shown beside each other: {error}"
    if beside:
        yield ""
        yield from beside.split("\n")


def _message(side: str, start: str, message: Request | Response, note: str = "") -> Iterator[str]:
    yield ""
    yield side
    yield f"  {lines.in_line(start)}"
    headers: Headers = message.headers
    yield from (f"  {lines.in_line(f'{name}: {value}', shown.MOST_SHOWN)}" for name, value in headers)
    if message.body:
        body = shown.body(message.body)
        yield ""
        if note:
            yield f"  ({lines.in_line(note)})"
        if message.base64:
            yield "  (no UTF-8; as base64)"
        yield from (f"  {line}" for line in body.best.split("\n"))
        if body.is_cut:
            yield f"  … cut after {shown.MOST_SHOWN // 1024} KB of {shown.size(message.body)}"
