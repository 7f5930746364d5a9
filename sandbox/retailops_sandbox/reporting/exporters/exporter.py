"""The base class of exporters, with their input and output."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from retailops_sandbox.contracts.auth import Auth
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.model import Delivery, Expectation, Receiver, Scenario
from retailops_sandbox.recording import FixtureSource
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan

ReceiverSource = Callable[[str], Receiver | None]
"""The receiver of a name; None where there is none any more."""
ExpectationSource = Callable[[str, str, str], Expectation | None]
"""A fixture's own expectation, by action, edition and name; None without one."""
PreviewSource = Callable[[], tuple[Sequence[Preview], Receiver]]
"""The requests that the steps of a scenario file would send, and their receiver.

UsageError where no receiver is named.
"""


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file for another tool, with notes on it."""

    name: str
    """A name that is valid on any system."""
    media_type: str
    text: str
    notes: tuple[str, ...] = ()
    """What a user of the file should know, such as the secrets that were struck out."""


class Sources(msgspec.Struct, frozen=True):
    """The sources of what the log does not hold."""

    receiver: ReceiverSource
    fixture: FixtureSource
    """The fixtures of the workspace."""
    shipped: FixtureSource
    """The shipped fixtures only, which a pytest file can name."""
    expectation: ExpectationSource
    """What the fixtures of the workspace expect."""
    shipped_expectation: ExpectationSource
    policy: SecretPolicy
    contracts: Contracts

    def proof(self, sent: Delivery) -> Auth | None:
        """How the contract of a delivery proves the sender; None where it does not, or is not known."""
        agreed = self.contracts.find(sent.action, sent.edition)
        return None if agreed is None else agreed.auth


class SentDeliveries(msgspec.Struct, frozen=True):
    """Deliveries for one file."""

    name: str
    """Their common name, such as the id of their run."""
    entries: Sequence[Entry]
    """At least one entry, the oldest first."""
    notes: Sequence[str]
    """The notes that hold for every format."""
    own: bool = True
    """Whether this workspace sent them; False for a run that somebody else may have made.

    Nothing in somebody else's record becomes a reference to the environment.
    """


class Exporter:
    """The base class of the exporters, one for each format."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        """The file of these deliveries; UsageError where the format cannot hold them."""
        raise NotImplementedError

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile | None:
        """The file of a scenario that is not run; None where the format holds only deliveries.

        UsageError where the format cannot hold the scenario.
        """
        return None


def file_name(stem: str, suffix: str) -> str:
    """A file name that is valid on any system and in an HTTP header."""
    safe = re.sub(r"[^0-9A-Za-z._-]+", "-", stem).strip("-._")[:100]
    return (safe or "export") + suffix


def scenario_name(id: str) -> str:
    """The name of a scenario, from its id."""
    return re.split("[/:]", id)[-1].removesuffix(scenario.SUFFIX)


def one_by_one(whole: Scenario) -> list[str]:
    """The note of a format that cannot send steps at the same time; none where no steps are sent so."""
    together = [in_line(step.name) for step in whole.steps if step.together]
    if not together:
        return []
    said = "sent one after the other here, and in the scenario together with the step before"
    return [f"{said}: {', '.join(together)}"]
