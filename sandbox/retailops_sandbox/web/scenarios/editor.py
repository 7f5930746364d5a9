"""Editing a scenario: its steps by forms, or its file as JSON. Every button first saves what is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.model import Json
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.scenarios import editor_panel
from retailops_sandbox.web.scenarios.editor_panel import FILE, HEAD, STEPS, step_number
from retailops_sandbox.web.scenarios.files import scenario_page, shown
from retailops_sandbox.web.scenarios.pages import ScenarioPages
from retailops_sandbox.web.scenarios.step_form import HeadForm, StepForm
from retailops_sandbox.web.scenarios.wire_form import FieldProblem
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.workspace.names import free_name
from retailops_sandbox.workspace.scenarios import Edited, ScenarioClash, ScenarioFiles
from retailops_sandbox.workspace.undo import stamp

_FIELDS = ("id", "seen", "base", "view", "opened", "typed", "case")


class _Edit(msgspec.Struct, kw_only=True):
    """An edit as it was asked for, and what has become of it so far."""

    id: str
    seen: str
    """The `stamp` of the file that the page was made from."""
    base: str
    """The text of that file."""
    do: str
    argument: str
    view: str
    opened: str
    """The form that is open."""
    case: str
    """The case that is chosen for a step that is added."""
    next_opened: str = ""
    """The form that is open after the edit."""
    next_view: str = STEPS
    step: StepForm
    head: HeadForm
    typed: str
    """The whole file as typed."""
    current: str | None = None
    """The text of the file as it is; None where it is gone."""
    text: str = ""
    """The text of the file after the edit."""
    words: list[str] = msgspec.field(default_factory=list)

    @classmethod
    def of(cls, form: FormData) -> _Edit:
        do, _, argument = forms.text(form, "do").partition(":")
        named: dict[str, Any] = {name: forms.text(form, name) for name in _FIELDS}
        return cls(**named, do=do, argument=argument, step=StepForm.of(form), head=HeadForm.of(form))


class ScenarioEditorPages(RoomPages):
    """`/scenarios/edit`."""

    section = "Scenarios"

    def __init__(
        self, context: AppContext, pages: Pages, files: ScenarioFiles, scenarios: ScenarioPages
    ) -> None:
        super().__init__(context, pages)
        self._files = files
        self._scenarios = scenarios

    def routes(self) -> list[Route]:
        return [
            Route("/scenarios/edit", self.edit, methods=["POST"]),
            Route("/scenarios/check", self.check, methods=["POST"]),
        ]

    async def edit(self, request: Request) -> Response:
        """Save what is typed and do what a button asks for: 303 to the page, or the page with its problem."""
        return await asyncio.to_thread(self._edit, request, await forms.read(request))

    async def check(self, request: Request) -> Response:
        """The mistakes in the file as typed."""
        typed = forms.text(await forms.read(request), "typed")
        found = await asyncio.to_thread(editor_panel.examine, typed)
        return self._part(request, "scenarios/findings.html", found)

    def _edit(self, request: Request, form: FormData) -> Response:
        edit = _Edit.of(form)
        seen = forms.text(form, "now") if edit.do == "overwrite" else edit.seen
        try:
            done = self._files.save(edit.id, lambda current: self._applied(edit, current), seen=seen)
        except FieldProblem as problem:
            return self._refused(request, edit, {problem.field: problem.message})
        except ScenarioClash as clash:
            return self._clashed(request, edit, clash.text)
        except SandboxError as error:
            return self._refused(request, edit, self._fields(edit, error))
        query = f"&view={FILE}#editor" if edit.next_view == FILE else _opened(edit.next_opened)
        return shown(done, query) if done is not None else scenario_page(edit.id, query)

    # --- what becomes of the text ---

    def _applied(self, edit: _Edit, current: str | None) -> Edited:
        """The text of the file after the edit, with its words; the edit says the form that is open then."""
        edit.current = current
        if current is not None and stamp(current) == edit.seen:
            # A form has no line ends but LF.
            edit.base = current
        self._take_typed(edit)
        edit.words = ["Saved."] if edit.text != edit.base else []
        edit.next_opened, edit.next_view = edit.opened, edit.view
        if edit.do == "view":
            edit.next_view, edit.next_opened = (edit.argument if edit.argument == FILE else STEPS), ""
        elif edit.do in ("open", "close"):
            edit.next_opened = edit.argument
        elif edit.do in ("up", "down"):
            self._move(edit, _number(edit.argument), -1 if edit.do == "up" else 1)
        elif edit.do == "delete":
            self._delete(edit, _number(edit.argument))
        elif edit.do == "add":
            self._add(edit)
        elif edit.do not in ("save", "overwrite"):
            raise UsageError("this page has no such button", mend="reload it")
        return Edited(edit.text, " ".join(edit.words))

    def _take_typed(self, edit: _Edit) -> None:
        """The text with what is typed into the open form."""
        edit.text = edit.base
        if edit.view == FILE:
            # A form has no other line ends than LF: what is typed is compared with the file without its own.
            if edit.typed != edit.base.replace("\r\n", "\n"):
                edit.text = edit.typed
        elif edit.opened == HEAD:
            edit.text = edit.head.applied(edit.base)
        elif edit.opened:
            planned = _plan(edit.base).scenario

            def payload_of(fixture: str) -> str:
                if not fixture:
                    raise FieldProblem("payload", "write a payload, or choose a case to copy its payload")
                return self._context.workspace.read_fixture(*edit.step.contract_in(planned), fixture)

            number = _number(edit.opened)
            if number >= len(planned.steps):
                raise UsageError("there is no such step", mend="reload the page")
            edit.text = edit.step.applied(edit.base, number, payload_of)
        if edit.text != edit.base:
            _plan(edit.text)

    def _move(self, edit: _Edit, number: int, by: int) -> None:
        steps = _plan(edit.text).scenario.steps
        other = number + by
        if not (0 <= number < len(steps) and 0 <= other < len(steps)):
            raise UsageError("there is no step to change places with", mend="reload the page")
        edit.text = jsontext.swap(edit.text, "/steps", number, other)
        edit.words.append(f"Moved {steps[number].name} {'up' if by < 0 else 'down'}.")
        moved = {str(number): str(other), str(other): str(number)}
        edit.next_opened = moved.get(edit.opened, edit.opened)

    def _delete(self, edit: _Edit, number: int) -> None:
        steps = _plan(edit.text).scenario.steps
        if number >= len(steps):
            raise UsageError("there is no such step", mend="reload the page")
        if len(steps) == 1:
            raise UsageError("a scenario has at least one step", mend="edit this one, or delete the file")
        edit.text = jsontext.remove(edit.text, f"/steps/{number}")
        edit.words.append(f"Deleted {steps[number].name}.")
        opened = step_number(edit.opened)
        if opened == number:
            edit.next_opened = ""
        elif opened is not None and opened > number:
            edit.next_opened = str(opened - 1)

    def _add(self, edit: _Edit) -> None:
        """Add a step behind the others that sends the chosen case, or a copy of its payload; it opens."""
        planned = _plan(edit.text).scenario
        if not edit.case:
            raise UsageError("there is no case of this contract", mend="make one in the workbench")
        *other, case = edit.case.split(" ")
        agreed = StepForm(contract=" ".join(other)).contract_in(planned)
        wanted = case if agreed == (planned.action, planned.edition) else agreed[0]
        name = free_name(wanted, {step.name for step in planned.steps}.__contains__, separator=" ")
        step: dict[str, Json] = {"name": name}
        of_file = {"action": planned.action, "edition": planned.edition}
        for member, value in zip(of_file, agreed, strict=True):
            if value != of_file[member]:
                step[member] = value
        if edit.argument == "payload":
            step["payload"] = jsontext.parse(self._context.workspace.read_fixture(*agreed, case))
        else:
            step["fixture"] = case
        edit.text = jsontext.insert(edit.text, "/steps/-", step)
        edit.words.append(f"Added {name}.")
        edit.next_opened = str(len(planned.steps))

    # --- showing what cannot be saved ---

    def _fields(self, edit: _Edit, error: SandboxError) -> Mapping[str, str]:
        """The problem by the field of the open form that it belongs to; `edit` for none."""
        if isinstance(error, SourceError) and error.pointer:
            is_head = edit.opened == HEAD
            form: HeadForm | StepForm = edit.head if is_head else edit.step
            field = form.field_of(error.pointer, "" if is_head else f"/steps/{edit.opened}")
            if field:
                return {field: f"{error.pointer}: {error.message}"}
        return {"edit": str(error)}

    def _refused(self, request: Request, edit: _Edit, wrong: Mapping[str, str]) -> Response:
        panel = None
        if edit.view != FILE:
            try:
                plan = scenario.read(edit.base, id=edit.id, file="")
            except SandboxError:
                # Only the whole file can be mended.
                plan = None
            if plan is not None:
                panel = editor_panel.steps_panel(
                    self._context, plan, edit.opened, step=edit.step, head=edit.head, wrong=wrong
                )
        if panel is None:
            typed = edit.typed if edit.view == FILE else None
            panel = editor_panel.file_panel(self._context.workspace, edit.id, edit.base, typed, wrong=wrong)
        panel = msgspec.structs.replace(panel, seen=edit.seen)
        return self._scenarios.refused(request, edit.id, editor=panel, text=edit.current)

    def _clashed(self, request: Request, edit: _Edit, disk: str | None) -> Response:
        name = self._context.workspace.own_scenario(edit.id).name
        clash = editor_panel.edit_clash(name, disk, edit.text)
        panel = editor_panel.file_panel(
            self._context.workspace, edit.id, edit.base, edit.text, seen=edit.seen, clash=clash
        )
        return self._scenarios.refused(request, edit.id, editor=panel, text=disk)


def _plan(text: str) -> Plan:
    return scenario.read(text, id="", file="")


def _number(argument: str) -> int:
    """The number of a step; UsageError for text that is none."""
    number = step_number(argument)
    if number is None:
        raise UsageError("there is no such step", mend="reload the page")
    return number


def _opened(form: str) -> str:
    """The part of an address that opens a form; none for a form that no page has."""
    number = step_number(form)
    if number is None and form != HEAD:
        return "#editor"
    return f"&open={form}#{HEAD if number is None else f'step-{number + 1}'}"
