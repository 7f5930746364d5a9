"""What was sent, or is to be sent, as a file for another tool: curl, HAR, pytest or a scenario."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import msgspec

from retailops_sandbox import jsontext, recording, redaction
from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, Receiver, Scenario, Step
from retailops_sandbox.recording import FixtureSource, Recorded
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.exporters import curl, har, pytest_file
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.workspace.payloads import fixture_payloads
from retailops_sandbox.workspace.workspace import Workspace

Format = Literal["curl", "har", "pytest", "scenario"]
FORMATS: tuple[Format, ...] = get_args(Format)

ReceiverSource = Callable[[str], Receiver | None]
"""A receiver's name to the receiver, where there still is one."""


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and what is to be said of it."""

    name: str
    """A name that any system can take."""
    media_type: str
    text: str
    notes: tuple[str, ...] = ()
    """What whoever uses it should know, such as what was struck out."""


class Sources(msgspec.Struct, frozen=True):
    """Where exports find what the log does not hold."""

    receiver: ReceiverSource
    fixture: FixtureSource
    """The workspace's."""
    shipped: FixtureSource
    """The shipped ones alone, which a file for pytest can name."""
    policy: SecretPolicy


def sources(workspace: Workspace, receiver: ReceiverSource, policy: SecretPolicy) -> Sources:
    """What a workspace can add."""
    return Sources(receiver, fixture_payloads(workspace), fixture_payloads(Workspace.shipped()), policy)


def deliveries(entries: Sequence[Entry], format: Format, sources: Sources, *, name: str) -> Export:
    """Deliveries, the oldest first, as a file named like this.

    UsageError where the format cannot hold them.
    """
    if not entries:
        raise UsageError(f"{name} has no such deliveries", mend="export something that was sent")
    entries = [_redacted(each, sources.policy) for each in entries]
    sent = [each.delivery for each in entries]
    struck_out = redaction.struck_out(*(side for each in sent for side in (each.request, each.response)))
    notes = [f"struck out: {', '.join(struck_out)}"] if struck_out else []
    if format == "curl":
        text = "\n".join(_commented(each, sources) for each in sent)
        return Export(name=_name(name, ".sh"), media_type="text/x-shellscript", text=text, notes=tuple(notes))
    if format == "har":
        text = har.document(entries)
        return Export(name=_name(name, ".har"), media_type="application/json", text=text, notes=tuple(notes))
    if format == "scenario":
        return _recorded(entries, sources.fixture, notes, name)
    return _tests(entries, sources.shipped, notes, name)


def _redacted(entry: Entry, policy: SecretPolicy) -> Entry:
    """The entry without what has become known as secret since it was sent."""
    secrets = policy.everywhere
    judgements = tuple(
        msgspec.structs.replace(each, expectation=redaction.expectation(each.expectation, secrets))
        if each.expectation
        else each
        for each in entry.judgements
    )
    return Entry(redaction.delivery(entry.delivery, secrets), judgements)


def _reached(receiver: Receiver, policy: SecretPolicy) -> Receiver:
    """The receiver without a password that its proxy's URL spells out."""
    secrets = policy.secrets(receiver)
    proxy = secrets.plain(receiver.proxy)
    # A reference stays: it is no secret, and the command reads it from the environment.
    return msgspec.structs.replace(receiver, proxy=proxy if "${" in proxy else secrets.url(proxy))


def _commented(sent: Delivery, sources: Sources) -> str:
    receiver = sources.receiver(sent.receiver)
    what = f"{sent.scenario} / {sent.step}" if sent.scenario else sent.fixture
    head = " ".join(f"# {sent.id} {what}".split())
    reached = None if receiver is None else _reached(receiver, sources.policy)
    return f"{head}\n{curl.command(sent.request, reached)}\n"


def _recorded(entries: Sequence[Entry], fixture: FixtureSource, notes: list[str], name: str) -> Export:
    drafts = [each for each in _drafts(entries, fixture) if each.scenario.steps]
    notes += [note for each in drafts for note in each.notes]
    if not drafts:
        raise UsageError(f"nothing of {name} can be repeated by a scenario", mend="export it as HAR")
    if len(drafts) > 1:
        kinds = ", ".join(f"{each.scenario.action} {each.scenario.edition}" for each in drafts)
        raise UsageError(
            f"{name} is of several contracts ({kinds})",
            mend="a scenario is of one: choose by action and edition",
        )
    notes += _proposed(drafts)
    text = scenario.spelled(recording.finished(drafts[0]))
    return Export(
        name=_name(name, scenario.SUFFIX), media_type="application/json", text=text, notes=tuple(notes)
    )


def _tests(entries: Sequence[Entry], shipped: FixtureSource, notes: list[str], name: str) -> Export:
    """A test for each scenario that was run, and one for each contract of what was sent by hand."""
    groups: dict[str, list[Entry]] = {}
    for each in entries:
        groups.setdefault(each.delivery.scenario, []).append(each)
    made: list[Scenario] = []
    for id, group in groups.items():
        drafts = [each for each in _drafts(group, shipped) if each.scenario.steps]
        notes += [note for each in drafts for note in each.notes] + _proposed(drafts)
        title = scenario_name(id) if id else None
        made += [recording.finished(each, name=title) for each in drafts]
    if not made:
        raise UsageError(f"nothing of {name} can be repeated by a test", mend="export it as HAR")
    return _pytest(made, f"{name}, as it was answered", notes, name)


def _drafts(entries: Iterable[Entry], fixture: FixtureSource) -> list[recording.ScenarioDraft]:
    return recording.drafts((Recorded(each.delivery, each.judgement) for each in entries), fixture)


def _proposed(drafts: Iterable[recording.ScenarioDraft]) -> list[str]:
    """What was made of volatile values and secrets."""
    taken = [each for draft in drafts for each in draft.proposals if each.taken]
    rules = [f"a rule for {each.pointer}: it {each.reason}" for each in taken if each.kind == "rule"]
    secrets = [f"set {each.reference[6:-1]} in the environment" for each in taken if each.kind == "secret"]
    return rules + secrets


# --- scenario files ----------------------------------------------------------------------------------------


def scenario_file(plan: Plan, format: Format, sources: Sources) -> Export:
    """A scenario file, before it is run; UsageError for a format that tells what was sent."""
    name = scenario_name(plan.id)
    if format == "scenario":
        return Export(name=_name(name, scenario.SUFFIX), media_type="application/json", text=plan.text)
    if format == "pytest":
        steps = [_carried(plan.scenario, step, sources) for step in plan.scenario.steps]
        whole = msgspec.structs.replace(plan.scenario, name=plan.scenario.name or name, steps=steps)
        return _pytest([whole], plan.file, [], name)
    raise UsageError(
        f"{plan.file} has sent nothing, and {format} tells what was sent",
        mend="run it, then export its run, or use --format pytest",
    )


def commands(previews: Sequence[Preview], receiver: Receiver, policy: SecretPolicy, *, name: str) -> Export:
    """The steps of a scenario file as curl commands, as they would be sent to this receiver.

    UsageError for a step that cannot be composed.
    """
    parts: list[str] = []
    notes: list[str] = []
    reached = _reached(receiver, policy)
    for each in previews:
        if each.mistake:
            raise UsageError(each.mistake)
        if each.request is None:
            notes.append(f"step {each.step.name!r} is left out, as it shows only when it runs: {each.waits}")
            continue
        times = f", {each.deliveries} times" if each.deliveries > 1 else ""
        head = " ".join(f"# {each.step.name}{times}".split())
        parts.append(f"{head}\n{curl.command(each.request, reached)}\n")
    if not parts:
        raise UsageError(f"no step of {name} can be told before it runs", mend="run it, then export its run")
    struck_out = redaction.struck_out(*(each.request for each in previews))
    notes += [f"struck out: {', '.join(struck_out)}"] if struck_out else []
    text = "\n".join(parts)
    return Export(name=_name(name, ".sh"), media_type="text/x-shellscript", text=text, notes=tuple(notes))


def _carried(whole: Scenario, step: Step, sources: Sources) -> Step:
    """The step, with the payload of a fixture that is not shipped: nobody else has that."""
    if step.fixture is None:
        return step
    name = (whole.action, whole.edition, step.fixture)
    payload = sources.fixture(*name)
    if payload is msgspec.UNSET:
        raise UsageError(f"there is no {whole.action} {whole.edition} fixture {step.fixture!r}")
    shipped = sources.shipped(*name)
    if shipped is not msgspec.UNSET and jsontext.compact(shipped) == jsontext.compact(payload):
        return step
    return msgspec.structs.replace(step, fixture=None, payload=payload)


def _pytest(scenarios: Sequence[Scenario], title: str, notes: Sequence[str], name: str) -> Export:
    file = _name("test_" + name.replace("-", "_").replace(".", "_"), ".py")
    notes = list(dict.fromkeys(notes))
    text = pytest_file.document(scenarios, title=title, notes=notes)
    return Export(name=file, media_type="text/x-python", text=text, notes=tuple(notes))


def scenario_name(id: str) -> str:
    """A scenario's name by its file's."""
    return re.split("[/:]", id)[-1].removesuffix(scenario.SUFFIX)


def _name(stem: str, suffix: str) -> str:
    """A file's name without anything that a system or a header could trip over."""
    safe = re.sub(r"[^0-9A-Za-z._-]+", "-", stem).strip("-._")[:100]
    return (safe or "export") + suffix
