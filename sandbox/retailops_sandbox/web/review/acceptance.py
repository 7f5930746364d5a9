"""Accepting the answer to one delivery: what it would write, and writing it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from retailops_sandbox import accepting, redaction
from retailops_sandbox.accepting import ACCEPT, KEEP, ProposedRule, saving
from retailops_sandbox.accepting.saving import FileChange, Judged
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, Expectation
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.rows import EDITED
from retailops_sandbox.web.review.state import OfferedRule, judged
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.recent import Recent
from retailops_sandbox.workspace.fixtures import Fixtures
from retailops_sandbox.workspace.undo import stamp

_REMEMBERED = 50
"""How many changes of scenario files a process can take back."""


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """What accepting the answer to a delivery would write."""

    expectation: Expectation
    file: str
    """The file in the workspace; empty where no file expects anything of such a delivery."""
    before: str = ""
    after: str = ""
    rules: Sequence[OfferedRule] = ()
    left: Sequence[str] = ()
    """What is not accepted along with it, and why."""
    note: str = ""
    """What somebody should know before accepting."""
    change: FileChange | None = None
    """The change of a scenario's file; None for a fixture's expectation."""

    @property
    def diff(self) -> list[changes.Line]:
        return changes.unified(self.before, self.after, old=self.file, new=self.file)

    @property
    def fingerprint(self) -> str:
        """A hash by which a later acceptance is compared with the one that a page showed."""
        return hashlib.sha256(f"{self.file}\0{self.before}\0{self.after}".encode()).hexdigest()


class Acceptances:
    """Accepts answers of the log into the files of a workspace."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._fixtures = Fixtures(context.workspace)
        self._written: Recent[FileChange] = Recent(_REMEMBERED)
        """The changes of scenario files by their id."""

    def of(self, entry: Entry, ticks: Mapping[str, bool]) -> Acceptance:
        """What accepting the answer would write. `ticks` say which proposed rules are taken, by path.

        Raises SandboxError where nothing can be accepted. Blocks.
        """
        if entry.judgement is None:
            raise UsageError("it was not judged, so there is nothing to accept", mend="re-check it first")
        if entry.delivery.scenario:
            return self._into_scenario(entry.delivery, ticks)
        return self._into_fixture(Judged(entry.delivery, redaction.listing.judged(entry.judgement)), ticks)

    def write(self, sent: Delivery, found: Acceptance) -> str:
        """Write what an acceptance shows; the id by which it can be taken back, empty without a file."""
        if found.change is not None:
            saving.write(found.change)
            id = hashlib.sha256(f"{sent.id} {found.fingerprint}".encode()).hexdigest()[:32]
            self._written[id] = found.change
            return id
        if not found.file:
            return ""
        done = self._fixtures.save_expectation(
            sent.action, sent.edition, _fixture(sent), found.after, seen=stamp(found.before)
        )
        return done.id if done is not None else ""

    def undo(self, id: str) -> None:
        """Take back what was written; SandboxError where that cannot be."""
        change = self._written.pop(id, None)
        if change is not None:
            saving.undo(change)
        else:
            self._fixtures.undo(id)

    def expected_by(self, sent: Delivery) -> str:
        """The name of the file of what a fixture expects, as judgements have it."""
        path = self._context.workspace.own_expectation(sent.action, sent.edition, _fixture(sent))
        return self._context.workspace.fixture_id(path)

    # --- a fixture's own expectation ---

    def _into_fixture(self, one: Judged, ticks: Mapping[str, bool]) -> Acceptance:
        sent = one.delivery
        name = _fixture(sent)
        has_file = self._is_of_fixture(sent, name)
        before = self._fixtures.expectation(sent.action, sent.edition, name) if has_file else None
        file = self.expected_by(sent) if has_file else ""

        def accepted(rules: Collection[str] | None) -> accepting.Accepted:
            return saving.accept_for_fixture(before, one, self._context.contracts, rules=rules, file=file)

        made = accepted(None)
        offered = _offered(made.proposals, sent.step, ticks)
        if any(each.is_taken != each.proposal.taken for each in offered):
            made = accepted([each.id for each in offered if each.is_taken])
        note = ""
        if not has_file:
            note = (
                "No fixture expects what was sent, so this is kept with the delivery alone, and in no file."
            )
        elif sent.fixture.endswith(EDITED):
            note = f"What was sent is not {name} as it is saved: it was edited before it was sent."
        return Acceptance(
            expectation=made.expectation,
            file=file,
            before=before or "",
            after=made.text if has_file else "",
            rules=offered,
            note=note,
        )

    def _is_of_fixture(self, sent: Delivery, name: str) -> bool:
        """Whether a fixture's own expectation is about such a delivery."""
        known = self._context.workspace.find_fixture(sent.action, sent.edition, name) if name else None
        return known is not None and not sent.off_contract

    # --- a step of a scenario ---

    def _into_scenario(self, sent: Delivery, ticks: Mapping[str, bool]) -> Acceptance:
        workspace = self._context.workspace
        plan = self._context.scenario_index.plan(sent.scenario)
        entries = self._context.log.deliveries(sent.run, {sent.scenario})
        own = judged([each for each in entries if each.delivery.step == sent.step], first=sent.id)
        place = accepting.place(plan, sent)
        group = saving.cases(plan, own).get(place, [])
        if not group or group[0].delivery.id != sent.id or not group[0].failed:
            raise UsageError("nothing here differs from what the step expects")
        decisions = {
            accepting.key(each): KEEP for each in group[0].judgement.differences if each.part == "latency"
        }

        def decided(rules: Collection[str] | None) -> saving.Outcome:
            return saving.decide(
                plan.text, place, group, decisions, ACCEPT, workspace.contracts, rules=rules, file=plan.file
            )

        done = decided(None)
        offered = _offered(done.proposals, sent.step, ticks)
        if any(each.is_taken != each.proposal.taken for each in offered):
            done = decided([each.id for each in offered if each.is_taken])
        assert done.expectation is not None
        file = workspace.scenario_file(sent.scenario)
        change = FileChange(
            source=file, target=saving.target(workspace, file), before=plan.text, after=done.text
        )
        return Acceptance(
            expectation=done.expectation,
            file=workspace.scenario_id(Path(change.target)),
            before=plan.text,
            after=done.text,
            rules=offered,
            left=done.left,
            note="A copy of the shipped scenario is written." if change.is_copy else "",
            change=change,
        )


def _fixture(sent: Delivery) -> str:
    """The name of the fixture that was sent, also where it was edited before."""
    return sent.fixture.removesuffix(EDITED)


def _offered(proposals: Sequence[ProposedRule], step: str, ticks: Mapping[str, bool]) -> list[OfferedRule]:
    return [OfferedRule(each.path, step, each, ticks.get(each.path, each.taken)) for each in proposals]
