"""Reviews of failed runs: differences are decided one at a time, and files are written at the end only.

Decisions are kept in the process alone. After a restart a review begins anew from the log and the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from retailops_sandbox import accepting, redaction
from retailops_sandbox.accepting import ACCEPT, KEEP, Decision, Key, ProposedRule, saving
from retailops_sandbox.accepting.saving import FileChange, Judged
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.review.alike import Group, groups
from retailops_sandbox.web.review.items import Item, Subject
from retailops_sandbox.web.shell.recent import Recent
from retailops_sandbox.web.shell.scenario_index import ScenarioIndex
from retailops_sandbox.workspace.workspace import Workspace

_REMEMBERED = 50
"""How many reviews a process keeps."""

Word = Literal["accept", "keep", "rule", "skip"]


class Choice(msgspec.Struct, frozen=True):
    """A decision about an item. A skipped one keeps its expectation and counts as open."""

    word: Word
    decision: Decision

    @property
    def says(self) -> str:
        """The decision in words."""
        if self.word == "rule":
            rule = self.decision.rule
            spelled = rule if isinstance(rule, str) else " ".join(f"{word} {it}" for word, it in rule.items())
            return f"rule {spelled}"
        return {"accept": "accepted", "keep": "kept as expected", "skip": "skipped"}[self.word]


ACCEPTED, KEPT, SKIPPED = Choice("accept", ACCEPT), Choice("keep", KEEP), Choice("skip", KEEP)


class OfferedRule(msgspec.Struct, frozen=True):
    """A rule that is proposed for an accepted value that looks volatile."""

    id: str
    """Unique in a review."""
    step: str
    proposal: ProposedRule
    is_taken: bool


class Change(msgspec.Struct, frozen=True):
    """The change of one file by the decisions."""

    change: FileChange
    name: str
    """The file in the workspace that it is written to."""
    diff: list[changes.Line]
    rules: Sequence[OfferedRule] = ()

    @property
    def added(self) -> int:
        return changes.counts(self.diff)[0]

    @property
    def removed(self) -> int:
        return changes.counts(self.diff)[1]


class Review:
    """The differences of some judged deliveries, and the decisions about them."""

    def __init__(self, workspace: Workspace, index: ScenarioIndex, judged: Sequence[Judged]) -> None:
        self._workspace = workspace
        self.items: list[Item] = []
        self.problems: list[str] = []
        """Why some failed deliveries cannot be reviewed."""
        self.choices: dict[int, Choice] = {}
        """The decisions by the numbers of the items, from 1."""
        self.written: list[str] = []
        """The names of the files that were written at the end."""
        self._write: list[FileChange] = []
        """The changes that were written at the end."""
        self._order: list[tuple[int, ...]] = []
        """The items that were decided about at once, in the order of the decisions."""
        self._rules: dict[str, bool] = {}
        """Whether a proposed rule is taken, by its id, where that was decided."""
        self._plans: dict[str, Plan] = {}
        self._changes: list[Change] | None = None
        """The changes by the present decisions; None before they are made."""
        by_scenario: dict[str, list[Judged]] = {}
        for each in judged:
            by_scenario.setdefault(each.delivery.scenario, []).append(each)
        for id, own in by_scenario.items():
            if not any(each.failed for each in own):
                continue
            try:
                self._add(index.plan(id), workspace.scenario_file(id), own)
            except SandboxError as error:
                self._problem(str(error))
        self._subjects: dict[str, dict[str, list[int]]] = {}
        """The items' numbers by the place of their expectation, by the id of its scenario."""
        for number, item in enumerate(self.items, 1):
            places = self._subjects.setdefault(item.subject.plan.id, {})
            places.setdefault(item.subject.place, []).append(number)
        self.groups = groups(self.items)
        self._group_of = {number: group for group in self.groups for number in group.numbers}

    def _add(self, plan: Plan, file: Path, judged: Sequence[Judged]) -> None:
        self._plans[plan.id] = plan
        contracts = self._workspace.contracts
        judged = [each for each in judged if self._has_place(plan, each)]
        for each in judged:
            if each.failed and not each.judgement.differences:
                for objection in accepting.objections(each.delivery, each.judgement):
                    self._problem(f"{plan.id}, step {each.delivery.step!r}: {objection}")
        for place, group in saving.cases(plan, judged).items():
            first = next(each for each in group if each.failed)
            objections = accepting.objections(first.delivery, first.judgement)
            subject = Subject(plan, file, place, group, objections)
            case_of = saving.case(place, first, contracts)
            try:
                accepting.accept(plan.text, case_of, {}, file=plan.file)
            except accepting.ExpectationChanged as error:
                self._problem(str(error))
                continue
            sets = tuple(contracts.load(first.delivery.action, first.delivery.edition).arrays)
            differences = first.judgement.differences
            for difference in differences:
                options = accepting.decision_options(difference, sets)
                if objections and difference.part != "latency":
                    options = msgspec.structs.replace(options, accept=False)
                self.items.append(Item(subject, difference, options))

    def _has_place(self, plan: Plan, judged: Judged) -> bool:
        """Whether the file still has the expectation that judged a delivery."""
        try:
            accepting.place(plan, judged.delivery)
        except accepting.ExpectationChanged as error:
            self._problem(str(error))
            return False
        return True

    def _problem(self, line: str) -> None:
        if line not in self.problems:
            self.problems.append(line)

    # --- deciding ---

    @property
    def decided(self) -> int:
        # A copy: pages are made in threads of their own.
        return sum(choice is not SKIPPED for choice in list(self.choices.values()))

    @property
    def skipped(self) -> int:
        return len(self.choices) - self.decided

    def group_of(self, number: int) -> Group:
        """The group of an item."""
        return self._group_of[number]

    def said_of(self, group: Group) -> str:
        """What was decided about a group, in words; empty before anything was."""
        found = [self.choices[number] for number in group.numbers if number in self.choices]
        words = dict.fromkeys(each.says for each in found)
        if len(words) == 1 and len(found) == len(group.numbers):
            return next(iter(words))
        return f"{len(found):,} of {len(group.numbers):,} decided" if found else ""

    def choose(self, choices: Mapping[int, Choice]) -> None:
        """Decide about items by their numbers, at once; new decisions replace earlier ones."""
        self.choices.update(choices)
        self._order.append(tuple(choices))
        self._changes = None

    def undo(self) -> int:
        """Undo the latest decision; the number of its first item, or 0 where there is none."""
        if not self._order:
            return 0
        numbers = self._order.pop()
        for number in numbers:
            self.choices.pop(number, None)
        self._changes = None
        return numbers[0]

    @property
    def can_undo(self) -> bool:
        return bool(self._order)

    def open_after(self, number: int) -> int:
        """The number of the next item without a decision, after the last one from 1 again; 0 for none."""
        numbers = range(1, len(self.items) + 1)
        later = (each for each in numbers if each > number and each not in self.choices)
        first = (each for each in numbers if each not in self.choices)
        return next(later, next(first, 0))

    def first_of(self, scenario: str) -> int:
        """The number of a scenario's first item; 0 where it has none."""
        found = (at for at, item in enumerate(self.items, 1) if item.subject.plan.id == scenario)
        return next(found, 0)

    # --- the end ---

    def changes(self) -> list[Change]:
        """The changes of the files that the decisions change. Blocks."""
        if self._changes is None:
            self._changes = self._made()
        return self._changes

    def _made(self) -> list[Change]:
        found = []
        for id, plan in self._plans.items():
            change, rules = self._change(id, plan)
            if change is not None:
                name = _shown(self._workspace, change.target)
                diff = changes.unified(change.before, change.after, old=plan.id, new=name)
                found.append(Change(change, name, diff, rules))
        return found

    def take_rules(self, offered: Collection[str], taken: Collection[str]) -> None:
        """Decide which of some proposed rules are taken."""
        wanted = set(taken)
        decided = {id: id in wanted for id in offered}
        now = {each.id: each.is_taken for change in self.changes() for each in change.rules}
        if any(now.get(id) != is_taken for id, is_taken in decided.items()):
            self._rules.update(decided)
            self._changes = None

    def _change(self, id: str, plan: Plan) -> tuple[FileChange | None, list[OfferedRule]]:
        text = plan.text
        offered: list[OfferedRule] = []
        left: list[str] = []
        subjects = self._subjects.get(id, {})
        if not any(number in self.choices for numbers in subjects.values() for number in numbers):
            return None, []
        for numbers in subjects.values():
            subject = self.items[numbers[0] - 1].subject
            decisions = {
                accepting.key(self.items[number - 1].difference): self.choices[number].decision
                for number in numbers
                if number in self.choices
            }
            done = self._decided(text, subject, decisions)
            text = done.text
            left += done.left
            offered += self._offered(subject, done.proposals)
        if text == plan.text:
            return None, []
        file = self._workspace.scenario_file(id)
        change = FileChange(
            source=file,
            target=saving.target(self._workspace, file),
            before=plan.text,
            after=text,
            left=tuple(left),
        )
        return change, offered

    def _decided(self, text: str, subject: Subject, decisions: Mapping[Key, Decision]) -> saving.Outcome:
        """The outcome of the decisions on an expectation, with those of its proposed rules that are taken."""
        done = self._decide(text, subject, decisions)
        offered = self._offered(subject, done.proposals)
        if all(each.is_taken == each.proposal.taken for each in offered):
            return done
        rules = [each.proposal.path for each in offered if each.is_taken]
        return self._decide(text, subject, decisions, rules)

    def _decide(
        self,
        text: str,
        subject: Subject,
        decisions: Mapping[Key, Decision],
        rules: Collection[str] | None = None,
    ) -> saving.Outcome:
        place, group, contracts = subject.place, subject.group, self._workspace.contracts
        file = subject.plan.file
        return saving.decide(text, place, group, decisions, KEEP, contracts, rules=rules, file=file)

    def _offered(self, subject: Subject, proposals: Sequence[ProposedRule]) -> list[OfferedRule]:
        step = subject.first.delivery.step
        found = []
        for each in proposals:
            id = f"{subject.plan.id} {subject.place} {each.path}"
            found.append(OfferedRule(id, step, each, self._rules.get(id, each.taken)))
        return found

    def write(self) -> list[str]:
        """Write all files, or none where one must not be written; returns the reasons, one in a line."""
        found = [each.change for each in self.changes()]
        refused = [line for line in map(_objection, found) if line]
        if not refused:
            for change in found:
                saving.write(change)
                self._write.append(change)
                self.written.append(_shown(self._workspace, change.target))
        return refused

    def take_back(self) -> list[str]:
        """Take back what was written; returns why some files could not be, one in a line."""
        refused = []
        for change in list(self._write):
            try:
                saving.undo(change)
            except SandboxError as error:
                refused.append(str(error))
                continue
            self._write.remove(change)
            self.written.remove(_shown(self._workspace, change.target))
        return refused

    @property
    def is_stale(self) -> bool:
        """Whether a file has changed since the review began, while nothing is decided yet."""
        return not self.choices and any(self._is_changed(id, plan) for id, plan in self._plans.items())

    def _is_changed(self, id: str, plan: Plan) -> bool:
        try:
            return self._workspace.read_scenario(id) != plan.text
        except SandboxError:
            return True


def _objection(change: FileChange) -> str:
    """Why a file must not be written; empty where it may be."""
    try:
        saving.check(change)
    except SandboxError as error:
        return str(error)
    return ""


def fingerprint(found: Sequence[Change]) -> str:
    """A hash of changes, by which later changes are compared with those on a page."""
    texts = "\0".join(f"{each.change.target}\0{each.change.after}" for each in found)
    return hashlib.sha256(texts.encode()).hexdigest()


def _shown(workspace: Workspace, path: Path) -> str:
    return workspace.scenario_id(path)


def judged(entries: Sequence[Entry], first: str = "") -> list[Judged]:
    """Deliveries of scenarios with the judgements from their run, the delivery with the id `first` first."""
    found = [
        Judged(entry.delivery, redaction.listing.judged(entry.judgements[0]))
        for entry in entries
        if entry.judgements and entry.delivery.scenario
    ]
    return sorted(found, key=lambda each: each.delivery.id != first)


class Reviews:
    """The reviews of a process, by their addresses."""

    def __init__(self, workspace: Workspace, index: ScenarioIndex) -> None:
        self._workspace = workspace
        self._index = index
        self._reviews: Recent[Review] = Recent(_REMEMBERED)

    def known(self, key: str) -> Review | None:
        """The review of this key; None where there is none, or it is stale."""
        review = self._reviews.get(key)
        return None if review is None or review.is_stale else review

    def begin(self, key: str, judged: Sequence[Judged]) -> Review:
        """Begin a review, which replaces any other of this key."""
        self._reviews[key] = review = Review(self._workspace, self._index, judged)
        return review
