"""What an exporter is, what it is given, and what it makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.model import Receiver
from retailops_sandbox.recording import FixtureSource
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan

ReceiverSource = Callable[[str], Receiver | None]
"""A receiver's name to the receiver, where there still is one."""
PreviewSource = Callable[[], tuple[Sequence[Preview], Receiver]]
"""What the steps of a scenario file would send, and to whom; UsageError where no receiver is named."""


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file for another tool, and what is to be said of it."""

    name: str
    """A name that any system can take."""
    media_type: str
    text: str
    notes: tuple[str, ...] = ()
    """What whoever uses it should know, such as what was struck out."""


class Sources(msgspec.Struct, frozen=True):
    """Where exporters find what the log does not hold."""

    receiver: ReceiverSource
    fixture: FixtureSource
    """The workspace's."""
    shipped: FixtureSource
    """The shipped ones alone, which a file for pytest can name."""
    policy: SecretPolicy


class SentDeliveries(msgspec.Struct, frozen=True):
    """Deliveries to be exported together."""

    name: str
    """What they are called, such as the id of their run."""
    entries: Sequence[Entry]
    """The oldest first; at least one."""
    notes: Sequence[str]
    """What is to be said of them whatever the format."""


class Exporter:
    """Makes files in one format."""

    def deliveries(self, sent: SentDeliveries, sources: Sources) -> ExportedFile:
        """A file of what was sent; UsageError where the format cannot hold it."""
        raise NotImplementedError

    def scenario_file(self, plan: Plan, sources: Sources, previews: PreviewSource) -> ExportedFile | None:
        """A file of a scenario before it is run; None where the format tells only what was sent.

        UsageError where the format cannot hold it.
        """
        return None


def file_name(stem: str, suffix: str) -> str:
    """A file's name without anything that a system or a header could trip over."""
    safe = re.sub(r"[^0-9A-Za-z._-]+", "-", stem).strip("-._")[:100]
    return (safe or "export") + suffix


def scenario_name(id: str) -> str:
    """A scenario's name by its file's."""
    return re.split("[/:]", id)[-1].removesuffix(scenario.SUFFIX)
