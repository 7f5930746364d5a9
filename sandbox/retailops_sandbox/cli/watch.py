"""`run --watch`: runs again when a file changes, or when the receiver comes back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NoReturn

from retailops_sandbox.cli import job
from retailops_sandbox.cli.options import here, reports_asked_for
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.engine import Options
from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.model import Verdict
from retailops_sandbox.session.signals import stopping
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.session.waiting import listening_url
from retailops_sandbox.session.watching import (
    Change,
    Watched,
    forget_returns,
    settled,
    watching,
    worth_repeating,
)
from retailops_sandbox.workspace import settings

Verdicts = Mapping[str, Verdict]
"""The last verdict of each scenario, by its id."""


def execute(
    watched: Watched,
    read: Callable[[], job.Found],
    choose: Callable[[job.Found, Options], job.Chosen],
    **given: Any,
) -> NoReturn:
    """Run, and run the failed scenarios again after each change, until Ctrl-C.

    `read` reads the scenarios as they are now, and `choose` keeps those that the receiver can answer.
    """
    if asked := reports_asked_for(dict(given)):
        named = " and ".join(report.option for report in asked)
        raise UsageError(f"--watch goes on and on, so there is no end for {named} to report")
    url = _port_of(watched, dict(given))
    verdicts: Verdicts = {}
    change = Change("")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        happened = runner.run(stack.enter_async_context(watching(url, watched)))
        while True:
            try:
                found = read()
                again = partial(_again, choose, found, verdicts, change)
                finished = job.run_once(
                    watched.workspace, again, found.unreadable, kind="run", in_loop=runner.run, **given
                )
            except SandboxError as error:
                complain(f"error: {error}")
            else:
                if finished.interrupted:
                    sys.exit(130)
                if given["wait"]:
                    forget_returns(happened)
                verdicts = {**verdicts, **{each.plan.id: each.verdict for each in finished.results}}
                _entitle(verdicts)
            coming = runner.run(_next(happened, watched, url))
            if coming is None:
                sys.exit(130)
            change = coming
            say("")
            say(change.words, flush=True)


async def _next(happened: asyncio.Queue[Change], watched: Watched, url: str) -> Change | None:
    """Wait for the next change; None at Ctrl-C or SIGTERM."""
    with stopping() as stopped:
        say("")
        say("watching; Ctrl-C ends it", flush=True)
        coming = asyncio.create_task(settled(happened, watched, url))
        ending = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
            return None if stopped.is_set() else coming.result()
        finally:
            coming.cancel()
            ending.cancel()


def _port_of(watched: Watched, given: dict[str, Any]) -> str:
    """The URL of the receiver whose port is watched; empty for the stand-in, which each run starts anew."""
    reports_asked_for(given)
    book = watched.workspace.receivers()
    for unused in ("wait", "verbose", "log_level"):
        given.pop(unused)
    options = job.sending(book, settings.read(os.environ, here()), given.pop("jobs"), **given)
    if options.receiver.stand_in:
        return ""
    return listening_url(options.receiver, options.variables, settings.readable(os.environ))


def _again(
    choose: Callable[[job.Found, Options], job.Chosen],
    found: job.Found,
    verdicts: Verdicts,
    change: Change,
    options: Options,
) -> job.Chosen:
    """The scenarios that are worth another run."""
    chosen = choose(found, options)
    kept = worth_repeating(chosen.plans, verdicts, change)
    return job.Chosen(list(kept), chosen.left_out + len(chosen.plans) - len(kept))


def _entitle(verdicts: Verdicts) -> None:
    """Name the terminal's window after the verdict."""
    if not sys.stdout.isatty():
        return
    failed = sum(verdict in ("failed", "errored") for verdict in verdicts.values())
    said = f"✗ {failed} of {len(verdicts)} did not pass" if failed else f"✓ {len(verdicts)} passed"
    write_out(f"\033]0;{said}\a", flush=True)
