"""What the workbench shows: the whole page, and its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

import msgspec

from retailops_sandbox.composing.editions import SpokenEditions
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.compose.answer import AnswerPanel
from retailops_sandbox.web.compose.expectation import ExpectationNotice, ExpectationPanel
from retailops_sandbox.web.compose.findings import Finding, Findings, examine_expectation
from retailops_sandbox.web.compose.fixtures import FixtureNotice, FixturePanel
from retailops_sandbox.web.compose.payload import PayloadPanel
from retailops_sandbox.web.compose.unsaved import UnsavedNotice, UnsavedPanel
from retailops_sandbox.web.shell.context import Action, Target
from retailops_sandbox.web.shell.send_form import SendForm
from retailops_sandbox.workspace.undo import stamp


class ComposeNotices(msgspec.Struct, frozen=True, kw_only=True):
    """The notices about the action that was just done."""

    problems: Mapping[str, str] = {}
    notice: str = ""
    fixture: FixtureNotice | None = None
    unsaved: UnsavedNotice | None = None
    expectation: ExpectationNotice | None = None
    is_reset: bool = False
    """Whether the stand-in was just reset."""
    advice: str = ""
    """`on` or `off` where advice was just switched."""


class ComposePage(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The page, or a part of it: what a template does not show is not made."""

    form: SendForm
    target: Target
    receivers: Sequence[Receiver]
    broken_contracts: Sequence[str]
    """Why files of the workspace hold no contract that can be used."""
    notices: ComposeNotices
    problems: Mapping[str, str]
    """By field."""
    gives_advice: bool
    """Whether advice is switched on."""
    can_advise: bool
    """Whether the contract has rules of advice."""
    unsaved: UnsavedPanel
    speaks: SpokenEditions
    """The editions that the receiver speaks."""
    part: str
    """The template of what is shown."""
    make_actions: Callable[[], Sequence[Action]]
    make_edited_actions: Callable[[], Collection[str]]
    make_edited: Callable[[], Collection[str]]
    make_findings: Callable[[], Findings]
    make_fixtures: Callable[[Collection[str]], FixturePanel]
    make_payload: Callable[[Findings], PayloadPanel]
    make_expectation: Callable[[], ExpectationPanel]
    make_answer: Callable[[], AnswerPanel]

    @cached_property
    def actions(self) -> Sequence[Action]:
        return self.make_actions()

    @cached_property
    def edited_actions(self) -> Collection[str]:
        """The actions with unsaved edits."""
        return self.make_edited_actions()

    @property
    def action(self) -> Action:
        """The action that the form is about."""
        return next(each for each in self.actions if each.name == self.form.action)

    def edition_of(self, action: Action) -> str:
        """The edition in which an action is opened."""
        return self.form.edition if action.name == self.form.action else action.edition_for(self.speaks)

    @cached_property
    def edited(self) -> Collection[str]:
        """The names of the fixtures with unsaved edits."""
        return self.make_edited()

    @cached_property
    def findings(self) -> Findings:
        return self.make_findings()

    @cached_property
    def expectation_finding(self) -> Finding | None:
        """What is wrong with the expectation, where its text is shown."""
        return examine_expectation(self.form.expectation) if self.form.expectation_view == "json" else None

    @cached_property
    def fixtures(self) -> FixturePanel:
        return self.make_fixtures(self.edited)

    @cached_property
    def payload(self) -> PayloadPanel:
        return self.make_payload(self.findings)

    @cached_property
    def expectation(self) -> ExpectationPanel:
        return self.make_expectation()

    @cached_property
    def answer(self) -> AnswerPanel:
        return self.make_answer()

    @property
    def is_written(self) -> bool:
        """Whether the expectation is the open fixture's own, as its file has it."""
        typed, loaded = self.form.expectation, self.form.expectation_loaded
        return bool(loaded) and stamp(typed) == loaded


class AnswerPart(msgspec.Struct, frozen=True):
    """The answer's pane alone."""

    answer: AnswerPanel
