"""Fixtures of what was pasted: commands, HAR archives, payloads and logs.

A large text is read by a process of its own (this module, run), because reading it takes seconds in which the
interpreter would serve no page, and because a process can be stopped.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from retailops_sandbox import importing
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError, SourceError, UsageError, system_reason
from retailops_sandbox.workspace.workspace import Workspace

LARGE = 256 * 1024
"""The characters above which a text is read by a process of its own."""
DEADLINE_S = 30.0
"""The seconds after which that process is stopped."""
_BY_COMMAND = "save it as a file, and give that to `retailops-sandbox import`"


class ImportedFixture(msgspec.Struct, frozen=True):
    """The payload of a pasted text, with its contract, and notes on what became of the rest."""

    action: str
    edition: str
    text: str
    notes: tuple[str, ...]
    expectation: str = ""
    """What its answer lets it expect, as a file holds it; empty for nothing."""


class _Pasted(msgspec.Struct, frozen=True):
    """A pasted text, with the contract of the page."""

    text: str
    action: str
    edition: str
    workspace: str
    """The folder of the workspace, which may have contracts of its own."""
    is_chosen: bool = False
    """Whether the contract was chosen for the text, whatever it looks like."""


class _Answer(msgspec.Struct, frozen=True):
    """What the process answers: a fixture, or why there is none."""

    fixture: ImportedFixture | None = None
    refusal: str = ""
    is_unclear: bool = False
    """Whether it is refused because it fits several contracts."""


class Unclear(UsageError):
    """A pasted text that fits several contracts."""


async def read(
    text: str, action: str, edition: str, workspace: Workspace, *, is_chosen: bool = False
) -> ImportedFixture:
    """The fixture of a pasted text; SandboxError where it holds none, several, or takes too long to read.

    A text that no contract is known by belongs to `action` and `edition`, and any text where these were
    chosen for it. Unclear where it fits several contracts.
    """
    pasted = _Pasted(text, action, edition, str(workspace.root), is_chosen)
    if len(text) <= LARGE:
        return _fixture(pasted, workspace.contracts)
    return await asyncio.to_thread(_in_process, pasted)


def _in_process(pasted: _Pasted) -> ImportedFixture:
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(pasted), stdout=subprocess.PIPE, timeout=DEADLINE_S, check=True
        )
    except subprocess.TimeoutExpired:
        what = f"reading it took longer than {DEADLINE_S:.0f} s, and was stopped"
        raise UsageError(what, mend=_BY_COMMAND) from None
    except subprocess.CalledProcessError as error:
        what = f"reading it failed with the exit code {error.returncode}"
        raise UsageError(what, mend=_BY_COMMAND) from None
    except OSError as error:
        what = f"it could not be read: {system_reason(error)}"
        raise UsageError(what, mend=_BY_COMMAND) from None
    answer = msgspec.json.decode(done.stdout, type=_Answer)
    if answer.fixture is None:
        raise (Unclear if answer.is_unclear else UsageError)(answer.refusal)
    return answer.fixture


def _fixture(pasted: _Pasted, contracts: Contracts) -> ImportedFixture:
    found = importing.read(pasted.text, contracts, file="")
    try:
        action, edition = (pasted.action, pasted.edition) if pasted.is_chosen else ("", "")
        made, _ = importing.as_steps(found, contracts, file="", action=action, edition=edition)
    except importing.SeveralContracts as error:
        names = " and ".join(f"{action} {edition}" for action, edition in error.contracts)
        raise Unclear(f"it fits {names}", mend="choose its contract") from error
    except SourceError:
        # An imported file does not name its contract: that of the page is assumed.
        made, _ = importing.as_steps(found, contracts, file="", action=pasted.action, edition=pasted.edition)
    if len(made) > 1:
        places = ", ".join(each.place for each in made[:5])
        what = f"there are {len(made)} requests ({places})"
        raise UsageError(what, mend="a fixture is one: paste it alone")
    [one] = made
    if not one.text:
        what = "the body is not a JSON object, as a fixture is"
        raise UsageError(what, mend="import it as a scenario: `import -o`")
    notes = [f"{note[0].upper()}{note[1:]}." for note in one.notes]
    if one.headers:
        notes.append(f"Left out: {', '.join(one.headers)}; a fixture is the payload alone.")
    if one.expectation:
        notes.append("It expects the answer that it got.")
    return ImportedFixture(one.contract.action, one.contract.edition, one.text, tuple(notes), one.expectation)


def main() -> None:
    """Read a pasted text from standard input, and write what it holds to standard output."""
    pasted = msgspec.json.decode(sys.stdin.buffer.read(), type=_Pasted)
    try:
        answer = _Answer(_fixture(pasted, Workspace(Path(pasted.workspace)).contracts))
    except SandboxError as error:
        answer = _Answer(refusal=str(error), is_unclear=isinstance(error, Unclear))
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
