"""What the editor of a scenario shows: the form that is open, or the file, with what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.scenarios import wire_form
from retailops_sandbox.web.scenarios.step_form import HeadForm, StepForm
from retailops_sandbox.web.scenarios.vocabulary import scenario_vocabulary
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.contract_examples import ContractExamples, examples_of
from retailops_sandbox.web.shell.pages import problems
from retailops_sandbox.web.shell.vocabulary import Word
from retailops_sandbox.workspace.undo import stamp
from retailops_sandbox.workspace.workspace import Workspace

HEAD = "head"
"""The name of the form for what the file says besides its steps."""
STEPS, FILE = "steps", "file"
"""The views of the editor."""


class FileFinding(msgspec.Struct, frozen=True):
    """A mistake in the text of a scenario's file, and where it is."""

    message: str
    line: int
    column: int
    pointer: str | None


class FileFindings(msgspec.Struct, frozen=True):
    """The mistakes in the text of a scenario's file."""

    rows: Sequence[FileFinding] = ()


class EditClash(msgspec.Struct, frozen=True):
    """A file that somebody else changed meanwhile, with its difference from what is typed."""

    now: str
    """The `stamp` of the file as it is now; empty where it is gone."""
    diff: Sequence[changes.Line]


class OfferedCases(msgspec.Struct, frozen=True):
    """The cases of a contract, of which one can be chosen for a step that is added."""

    contract: str
    """The action and edition."""
    cases: Sequence[tuple[str, str]]
    """The value of each choice, and its name: the value of a case of another contract than the file's says
    that contract, too."""


class EditorPanel(msgspec.Struct, frozen=True, kw_only=True):
    """The editor of a scenario."""

    id: str
    seen: str
    """The `stamp` of the file that the form was made from; empty where there was none."""
    base: str
    """The text of that file."""
    view: str = STEPS
    opened: str = ""
    """Which form is open: HEAD, the number of a step, from 0, or none."""
    head: HeadForm | None = None
    step: StepForm | None = None
    contract: str = ""
    """The action and edition of the file."""
    contracts: Sequence[str] = ()
    """Those that a step can have, in the same words."""
    cases: Sequence[str] = ()
    """The names of the cases that the open step can send."""
    examples: ContractExamples | None = None
    """Those of the open step's contract; None where there is no such contract."""
    offered: Sequence[OfferedCases] = ()
    """The cases with which a step can be added; those of the file's contract come first."""
    wire_choices: Mapping[str, Sequence[tuple[str, str]]] = {}
    """The values of fields of a wire that have few, each with its words."""
    own_expectation: str = ""
    """What the case of the open step expects; empty where it expects nothing."""
    text: str = ""
    """The text of the file as typed."""
    vocabulary: Sequence[Word] = ()
    """What the editor of the file offers."""
    findings: FileFindings = FileFindings()
    clash: EditClash | None = None
    problems: Mapping[str, str]


def step_number(opened: str) -> int | None:
    """The number of a step, from 0, that the name of a form is; None for any other text."""
    is_number = opened.isascii() and opened.isdecimal() and len(opened) < 9
    return int(opened) if is_number else None


def examine(text: str) -> FileFindings:
    """The mistakes in the text of a scenario's file: the first one."""
    try:
        scenario.read(text, id="", file="")
    except SourceError as error:
        return FileFindings([FileFinding(error.message, error.line, error.column, error.pointer)])
    return FileFindings()


def steps_panel(
    context: AppContext,
    plan: Plan,
    opened: str = "",
    *,
    step: StepForm | None = None,
    head: HeadForm | None = None,
    wrong: Mapping[str, str] | None = None,
) -> EditorPanel:
    """The editor with the steps; `step` and `head` are what was typed into the open form."""
    workspace, whole = context.workspace, plan.scenario
    agreed = whole.action, whole.edition
    known = [(action.name, edition) for action in context.actions() for edition in action.editions]
    own = ""
    number = step_number(opened)
    if number is not None and number < len(plan.scenario.steps):
        step = step or StepForm.read(plan.text, number)
        agreed = step.contract_in(whole)
        own = _own_expectation(workspace, *agreed, step.fixture)
    elif opened == HEAD:
        head = head or HeadForm.read(plan.text)
    else:
        opened, step, head = "", None, None
    return EditorPanel(
        id=plan.id,
        seen=stamp(plan.text),
        base=plan.text,
        opened=opened,
        step=step,
        head=head,
        contract=f"{whole.action} {whole.edition}",
        contracts=[" ".join(each) for each in known],
        cases=_cases(workspace, agreed) if agreed in known else (),
        examples=examples_of(context.contracts.load(*agreed)) if agreed in known else None,
        wire_choices=wire_form.CHOICES,
        offered=_offered(workspace, (whole.action, whole.edition), known),
        own_expectation=own,
        problems=problems(wrong),
    )


def _cases(workspace: Workspace, agreed: tuple[str, str]) -> list[str]:
    return [info.name for info in workspace.fixtures(*agreed)]


def _offered(
    workspace: Workspace, of_file: tuple[str, str], known: Iterable[tuple[str, str]]
) -> list[OfferedCases]:
    offered = []
    for agreed in sorted(known, key=lambda each: each != of_file):
        words = " ".join(agreed)
        begin = "" if agreed == of_file else f"{words} "
        names = _cases(workspace, agreed)
        if names:
            offered.append(OfferedCases(words, [(begin + name, name) for name in names]))
    return offered


def file_panel(
    workspace: Workspace,
    id: str,
    base: str,
    typed: str | None = None,
    *,
    seen: str | None = None,
    clash: EditClash | None = None,
    wrong: Mapping[str, str] | None = None,
) -> EditorPanel:
    """The editor with the whole file; `typed` is its text as it was typed."""
    text = base if typed is None else typed
    return EditorPanel(
        id=id,
        seen=stamp(base) if seen is None else seen,
        base=base,
        view=FILE,
        text=text,
        vocabulary=_vocabulary(workspace, text),
        findings=examine(text),
        clash=clash,
        problems=problems(wrong),
    )


def edit_clash(name: str, disk: str | None, typed: str) -> EditClash:
    """The clash of what is typed with a file; `disk` is its text, None where it is gone."""
    found = changes.unified(
        (disk or "").replace("\r\n", "\n"), typed.replace("\r\n", "\n"), old=name, new=name
    )
    diff = [line for line in found if line.kind != "file"]
    return EditClash("" if disk is None else stamp(disk), diff)


def _vocabulary(workspace: Workspace, text: str) -> list[Word]:
    contracts = workspace.contracts
    of_steps = _contracts_of(text, contracts)
    fixtures = [name for each in of_steps for name in _cases(workspace, (each.action, each.edition))]
    return scenario_vocabulary(of_steps, contracts, fixtures)


def _contracts_of(text: str, contracts: Contracts) -> list[Contract]:
    """The contracts of a file's steps; where all that it names cannot be used, the default one."""
    try:
        named = scenario.read(text, id="", file="").scenario.contracts
    except SourceError:
        named = []
    return [found for each in named if (found := contracts.find(*each))] or [
        contracts.load(*contracts.default)
    ]


def _own_expectation(workspace: Workspace, action: str, edition: str, fixture: str) -> str:
    if not fixture:
        return ""
    try:
        return workspace.read_expectation(action, edition, fixture) or ""
    except SandboxError as error:
        return str(error)
