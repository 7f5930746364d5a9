"""`record`: a relay before the receiver, whose traffic becomes scenario files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from retailops_sandbox import recording
from retailops_sandbox.cli.log_level import diagnosing, log_level_option
from retailops_sandbox.cli.options import (
    Seconds,
    check_receiver,
    chosen_receiver,
    current_settings,
    found_workspace,
    log_options,
)
from retailops_sandbox.cli.output import complain, note, say
from retailops_sandbox.engine import require_yes
from retailops_sandbox.errors import FileError, UsageError, system_reason
from retailops_sandbox.model import Receiver
from retailops_sandbox.recording import Proposal, Recorded, ScenarioDraft
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.render.lines import in_line, outcome, parting
from retailops_sandbox.runlog.opening import logged_run, open_run
from retailops_sandbox.runlog.runs import new_run
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.session import ports
from retailops_sandbox.session.receivers import without_user
from retailops_sandbox.workspace.cases import CaseReader
from retailops_sandbox.workspace.files import check_writable, checked, write_file
from retailops_sandbox.workspace.names import free_name
from retailops_sandbox.workspace.workspace import Workspace

_EVERY_ADDRESS = ("0.0.0.0", "::")
"""Addresses that listen at every interface, and cannot be posted to."""


@click.command("record")
@click.option("--forward", metavar="URL_OR_NAME", required=True, help="The receiver that it is passed on to.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), required=True,
    help="The scenario file.",
)  # fmt: skip
@click.option("--replace", is_flag=True, help="Write over files that are there.")
@click.option("--exact", is_flag=True, help="Make no rules for values that look volatile.")
@click.option(
    "--bind", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="The address to listen at."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, metavar="N")
@click.option("--insecure", is_flag=True, help="Do not verify the receiver's certificate.")
@click.option("--cacert", metavar="FILE", help="Trust these authorities.")
@click.option("--cert", metavar="FILE", help="The client certificate.")
@click.option("--key", metavar="FILE", help="The client certificate's key.")
@click.option("--proxy", metavar="URL", help="Send through this proxy.")
@click.option("--timeout", type=Seconds(0.001), metavar="SECONDS", help="Per delivery.")
@click.option("--yes", "confirmed", is_flag=True, help="Pass on to a protected receiver.")
@log_options
@log_level_option
def command(
    forward: str,
    output: Path,
    replace: bool,
    exact: bool,
    bind: str,
    port: int,
    timeout: float | None,
    confirmed: bool,
    workspace: str | None,
    log_level: str | None,
    **given: Any,
) -> None:
    """Pass on what is posted to it, return the answers, and write all of it as a scenario at the end.

    Ctrl-C or SIGTERM ends it. What passes through is in the log at once. Off loopback, only a path that
    nobody can guess is answered.
    """
    _check_output(output, replace)
    folder = found_workspace(workspace)
    book = folder.receivers()
    receiver = chosen_receiver(
        book, "", receiver=forward, stand_in=False, receiver_token=None, headers=(), **given
    )
    check_receiver(receiver)
    require_yes(receiver, confirmed=confirmed, mend="give --yes if you mean it")
    chosen = current_settings()
    policy = SecretPolicy(os.environ, receivers=book.receivers, named=chosen.secret_env)
    timeout_ms = int(timeout * 1000) if timeout else None
    records: list[Recorded] = []
    try:
        with diagnosing(log_level, policy.secrets(receiver).plain, folder):
            all_logged = asyncio.run(
                _relay(folder, receiver, policy, output, bind, port, timeout_ms, records)
            )
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        _write(folder, records, output, replace=replace, exact=exact)
    if not all_logged:
        sys.exit(2)


async def _relay(
    workspace: Workspace,
    receiver: Receiver,
    policy: SecretPolicy,
    output: Path,
    bind: str,
    port: int,
    timeout_ms: int | None,
    records: list[Recorded],
) -> bool:
    """Relay until a signal, and add each delivery to the records. Whether all were logged."""
    from retailops_sandbox.httpserver import is_loopback
    from retailops_sandbox.relay.relay import Relay
    from retailops_sandbox.session.signals import stopping
    from retailops_sandbox.transport import Transport

    clock = ports.SystemClock()
    run = open_run(
        workspace.log_place, new_run("record", clock.now(), receiver), lambda: workspace.contracts, note
    )

    def on_recorded(recorded: Recorded) -> None:
        records.append(recorded)
        say(_line(recorded), flush=True)

    async with Transport() as transport:
        relay = Relay(
            receiver,
            transport=transport,
            log=run,
            clock=clock,
            contracts=workspace.contracts,
            environment=os.environ,
            policy=policy,
            timeout_ms=timeout_ms,
            on_recorded=on_recorded,
            on_unlogged=lambda error: complain(f"error: what passes through cannot be logged: {error}"),
        )
        with stopping() as stopped:
            try:
                url = await relay.start(bind, port, secret_path=not is_loopback(bind))
            except OSError as error:
                what = f"cannot listen at {bind}:{port}: {system_reason(error)}"
                raise UsageError(what, mend="choose another --port, or 0 for a free one") from error

            def unfinished(error: FileError) -> None:
                if str(error) not in relay.problems:
                    raise error

            run.begin()
            async with logged_run(run, clock.now, unfinished=unfinished):
                say(f"relay:       {url}  (Ctrl-C ends it)")
                if bind in _EVERY_ADDRESS:
                    say(f"  (in place of {bind}, the address by which the caller reaches this machine)")
                path, exact = relay.example
                say(f"forwards to: {relay.forwards_to}  ({path} to {exact})")
                say(f"records to:  {output}", flush=True)
                try:
                    await stopped.wait()
                finally:
                    await relay.stop()
    return not relay.problems


def _line(recorded: Recorded) -> str:
    """A delivery in one line."""
    sent = recorded.delivery
    url = without_user(sent.request.url)
    judgement = recorded.judgement
    said = []
    if judgement is not None:
        said = [in_line(judgement.reason)] if judgement.verdict == "failed" else []
        said.append(parting(judgement.sources))
    told = f"{sent.request.method} {url}  {outcome(sent)}  {sent.timings.total:.0f} ms"
    return "  ".join([told, *filter(None, said)])


# --- files ---------------------------------------------------------------------------------------------


def _check_output(output: Path, replace: bool) -> None:
    """Raise FileError before anything is recorded, for a file that could not be written at the end."""
    check_writable(output)
    if checked(Path.exists, output) and not replace:
        raise FileError("is there already", file=str(output), mend="name another file, or give --replace")


def _write(
    workspace: Workspace, records: Sequence[Recorded], output: Path, *, replace: bool, exact: bool
) -> None:
    """Write the file of what was recorded, and print the notes on it."""
    draft = recording.draft(records, CaseReader(workspace).payload_if_any, workspace.contracts)
    for line in draft.notes:
        say(f"note: {line}")
    if not draft.scenario.steps:
        say(f"nothing was recorded, and {output} was not written")
        return
    path = _free(output, replace)
    try:
        write_file(path, scenario.spelled(recording.finished(draft, exact=exact)))
    except FileError as error:
        error.mend = "what was recorded is in the log: save it as a scenario from there, in the browser"
        raise
    taken = recording.taken_by_default(draft, exact=exact)
    say(f"wrote {path}: {_summary(draft, taken)}")
    for each in taken:
        if each.kind == "rule":
            say(f"made a rule: {in_line(_rule(draft, each))}")


def _summary(draft: ScenarioDraft, taken: Sequence[Proposal]) -> str:
    count = len(draft.scenario.steps)
    rules = sum(each.kind == "rule" for each in taken)
    parts = [f"{count} step{'s' * (count != 1)}"]
    if rules:
        parts.append(f"{rules} rule{'s' * (rules != 1)} for what looks volatile")
    parts += [f"{each.reference} for a secret" for each in taken if each.kind == "secret"]
    return ", ".join(parts)


def _rule(draft: ScenarioDraft, proposal: Proposal) -> str:
    step = draft.scenario.steps[proposal.step].name
    return f"step {step!r}: {proposal.pointer} {proposal.reason}: rule {proposal.becomes}"


def _free(path: Path, replace: bool) -> Path:
    """The path, or a numbered one where a file was made there meanwhile: neither is lost."""
    ending = _ending(path)

    def is_taken(name: str) -> bool:
        return not replace and checked(Path.exists, path.with_name(name + ending))

    return path.with_name(free_name(path.name.removesuffix(ending), is_taken) + ending)


def _ending(path: Path) -> str:
    return scenario.SUFFIX if path.name.endswith(scenario.SUFFIX) else path.suffix
