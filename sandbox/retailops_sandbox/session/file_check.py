"""Checks the files of a workspace without sending anything."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from retailops_sandbox import composing, jsontext
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.engine import Options
from retailops_sandbox.engine.preparation import Preparation
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Json, Receiver, Step, Violation
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import receivers
from retailops_sandbox.session.collect import collect, read_with_mistakes
from retailops_sandbox.session.ports import build_sources
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.names import EXPECTATION, is_expectation
from retailops_sandbox.workspace.workspace import Workspace, scenario_files_in

Kind = Literal["scenario", "fixture", "expectation", "receivers", "contract"]
NOUNS: dict[Kind, tuple[str, str]] = {
    "scenario": ("scenario", "scenarios"),
    "fixture": ("fixture", "fixtures"),
    "expectation": ("expectation", "expectations"),
    "receivers": ("file of receivers", "files of receivers"),
    "contract": ("contract", "contracts"),
}
"""What each kind of file is called: one, and several."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong in a file."""

    text: str
    """One line: the place, what is wrong, and how to mend it."""
    file: str
    line: int
    """0 where it is of the file as a whole."""
    breaks_contract: bool = False
    """Whether a payload breaks its contract; otherwise something cannot be read or composed."""


class Checked(msgspec.Struct, frozen=True):
    """The files that were checked, and what is wrong in them."""

    files: Mapping[Kind, int]
    """How many of each kind; the kinds without files are left out."""
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """2 for what cannot be read or composed, 1 for payloads that break the contract, 5 for no files."""
        if any(not each.breaks_contract for each in self.problems):
            return 2
        if self.problems:
            return 1
        return 0 if self.files else 5


class ExpectedVariables(dict[str, str]):
    """An environment in which every variable is set: one that this process has not stands for its reference.

    Where files are checked, the secrets that a run needs are often missing, and should be.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"${{env:{name}}}"


def check(
    workspace: Workspace,
    paths: Sequence[str],
    environment: Mapping[str, str],
    variables: Mapping[str, Json],
    *,
    whole: bool = False,
) -> Checked:
    """Check files and folders; those of the whole workspace too where none are named, or it is asked for.

    A file of the workspace that is no scenario may be used by any scenario, so that the whole workspace is
    checked where one is named. Raises UsageError for a path that does not exist.
    """
    files, unreadable = _files(workspace)
    if paths:
        named, missed = _named(paths, files)
        is_whole = whole or any(kind != "scenario" for kind in named.values())
        files, unreadable = ({**files, **named}, [*unreadable, *missed]) if is_whole else (named, missed)
    problems = [_problem(error) for error in unreadable]
    problems += _FileCheck(workspace, environment, variables).problems(files)
    counts = Counter(files.values())
    found = {each.text: each for each in problems}
    return Checked({kind: counts[kind] for kind in NOUNS if counts[kind]}, tuple(found.values()))


def _files(workspace: Workspace) -> tuple[dict[str, Kind], list[SandboxError]]:
    """The kinds of a workspace's own files, by path; and the errors of its folders and its contracts."""
    files: dict[str, Kind] = {}
    if workspace.receivers_file.exists():
        files[str(workspace.receivers_file)] = "receivers"
    files.update({each.file: "contract" for each in workspace.contracts.own})
    for path in sorted((workspace.root / "fixtures").glob("*/*/*.json")):
        if not path.name.startswith("."):
            files[str(path)] = "expectation" if is_expectation(path.stem) else "fixture"
    scenarios, unreadable = scenario_files_in(workspace.root / "scenarios", within=workspace.root)
    files.update(dict.fromkeys(scenarios, "scenario"))
    return files, [*unreadable, *workspace.contracts.problems]


def _named(paths: Sequence[str], own: Mapping[str, Kind]) -> tuple[dict[str, Kind], list[SandboxError]]:
    """The kinds of the files at these paths and in these folders: what is none of `own` is a scenario."""
    scenarios, unreadable = collect(paths)
    named: dict[str, Kind] = {}
    for path in paths:
        beneath = os.path.join(os.path.abspath(path), "")
        named.update({file: kind for file, kind in own.items() if file.startswith(beneath)})
    for file in scenarios:
        place = os.path.abspath(file)
        named[place] = own.get(place, "scenario")
    return named, unreadable


class _FileCheck:
    """Checks files with the engine's own means, up to the request that would be sent."""

    def __init__(
        self, workspace: Workspace, environment: Mapping[str, str], variables: Mapping[str, Json]
    ) -> None:
        self._workspace = workspace
        self._environment = ExpectedVariables(environment)
        self._variables = variables

    def problems(self, files: Mapping[str, Kind]) -> Iterator[Problem]:
        """What is wrong in these files, in their order."""
        known: Sequence[Receiver] = ()
        are_known = True
        try:
            known = self._workspace.receivers().receivers
        except SandboxError as error:
            are_known = False
            if "receivers" in files.values():
                yield _problem(error)
        preparation = self._preparation(known)
        for file, kind in files.items():
            if kind == "scenario":
                yield from self._scenario(preparation, file, are_receivers_known=are_known)
            elif kind in ("fixture", "expectation"):
                yield from self._case(preparation, Path(file), kind)

    def _preparation(self, known: Sequence[Receiver]) -> Preparation:
        """Prepares steps for a receiver that has the variables of all of the workspace's."""
        variables = {name: value for each in known for name, value in each.variables.items()}
        # The stand-in has a token, for contracts that want one; nothing is sent to it.
        receiver = msgspec.structs.replace(
            receivers.stand_in(), base_url="http://stand-in", variables=variables
        )
        policy = SecretPolicy(self._environment, receivers=known, named=())
        sources = build_sources(self._workspace, self._environment, policy)
        return Preparation(sources, Options(receiver=receiver, variables=self._variables))

    def _scenario(self, preparation: Preparation, file: str, *, are_receivers_known: bool) -> list[Problem]:
        """What is wrong in a scenario's file, line by line."""
        plan, mistakes = read_with_mistakes(file, self._workspace.scenario_id)
        problems = [_problem(each) for each in mistakes]
        if plan is None:
            return problems
        names = preparation.names(plan)
        if not are_receivers_known:
            # What nothing else defines may be a variable of theirs.
            defined = {*composing.BUILT_IN, *names.given, *names.scenario}
            names.lost = frozenset(composing.references(plan.text)) - defined
        problems += _steps(preparation, plan, names, {each.pointer or "" for each in mistakes})
        return sorted(problems, key=lambda each: each.line)

    def _case(self, preparation: Preparation, path: Path, kind: Kind) -> Iterator[Problem]:
        """What is wrong in a fixture's payload, or in the expectation beside it."""
        action, edition = path.parts[-3:-1]
        try:
            if kind == "expectation":
                name = path.stem[: -len(EXPECTATION)]
                file = self._workspace.find_expectation(action, edition, name)
                if file is not None:
                    mistakes = scenario.expectation_mistakes(read_text(file), file=_shown(file))
                    yield from map(_problem, mistakes)
                return
            text = read_text(self._workspace.fixture_path(action, edition, path.stem))
            plan = scenario.single(Step(fixture=path.stem, expect=None), action=action, edition=edition)
            names = preparation.names(plan)
            # The scenarios that use the fixture say what else its placeholders stand for.
            known = {*composing.BUILT_IN, *names.given, *names.receiver}
            names.lost = frozenset(composing.references(text)) - known
            violations, contract = _broken(preparation, plan, 0, names)
        except composing.MissingCapture:
            return
        except SandboxError as error:
            yield _problem(_placed(error, path))
            return
        for found in violations:
            yield _violation(found, contract, text, _shown(path), found.pointer)


def _steps(
    preparation: Preparation, plan: Plan, names: composing.Names, mistakes: Collection[str]
) -> Iterator[Problem]:
    """What is wrong in the steps of a scenario, each of which is composed as a run would compose it.

    `mistakes` are the pointers of those that were found when the scenario was read.
    """
    for number, step in enumerate(plan.scenario.steps):
        at, environment = f"/steps/{number}", names.environment
        own = {each.removeprefix(at) for each in mistakes if f"{each}/".startswith(f"{at}/")}
        if own.isdisjoint(("", "/raw")):
            usable = _changed(plan, number, **_right_parts(step, own)) if own else plan
            yield from _composing(preparation, usable, number, names, is_whole=not own)
        names.environment = environment
        names.lost |= step.capture.keys()


def _right_parts(step: Step, mistakes: Collection[str]) -> dict[str, Any]:
    """The parts of a step without its mistakes, whose pointers begin in the step."""
    parts: dict[str, Any] = {
        "set": {
            path: value for path, value in step.set.items() if f"/set/{pointer.escape(path)}" not in mistakes
        },
        "remove": [path for place, path in enumerate(step.remove) if f"/remove/{place}" not in mistakes],
    }
    if any(each.startswith("/deliver/") for each in mistakes):
        parts["deliver"] = msgspec.structs.replace(step.deliver, wire=None)
    if "/expect" in mistakes:
        parts["expect"] = None
    elif any(each.startswith("/expect/") for each in mistakes):
        each = step.expect if isinstance(step.expect, list) else [step.expect]
        bodies = [Expectation(body=one.body) for one in each if isinstance(one, Expectation)]
        parts["expect"] = bodies if isinstance(step.expect, list) else bodies[0]
    return parts


def _composing(
    preparation: Preparation, plan: Plan, number: int, names: composing.Names, *, is_whole: bool
) -> Iterator[Problem]:
    """What is wrong where a step is composed: what can be left out or made up is, to find what else is.

    `is_whole` says that nothing of the step was left out yet, so that its payload is the one of a run.
    """
    at, has_made_up = f"/steps/{number}", False
    while True:
        step = plan.scenario.steps[number]
        try:
            violations, contract = _broken(preparation, plan, number, names)
        except composing.MissingCapture:
            return  # what an earlier step captures is known only when the scenario runs
        except composing.UnknownPlaceholder as error:
            yield _problem(error if error.file else _in_step(error, plan, number))
            names.environment = _with_variable(names.environment, error.name)
            has_made_up = True
        except SandboxError as error:
            if has_made_up:
                return  # which may be due to the value that was made up
            yield _problem(error if error.file else _in_step(error, plan, number))
            if error.pointer not in {*step.set, *step.remove}:
                return
            rest = {path: value for path, value in step.set.items() if path != error.pointer}
            remove = [path for path in step.remove if path != error.pointer]
            plan, is_whole = _changed(plan, number, set=rest, remove=remove), False
        else:
            for found in violations if is_whole and not has_made_up else ():
                place = f"{at}/payload{found.pointer}" if step.fixture is None else at
                yield _violation(found, contract, plan.text, plan.file, place)
            return


def _with_variable(environment: Mapping[str, str], name: str) -> Mapping[str, str]:
    """The environment with an empty value for the placeholder `${name}`."""
    return ExpectedVariables({**environment, f"RETAILOPS_SANDBOX_VAR_{name}": ""})


def _changed(plan: Plan, number: int, **parts: Any) -> Plan:
    """The plan with other parts of a step; its text stays, for the places in it."""
    steps = list(plan.scenario.steps)
    steps[number] = msgspec.structs.replace(steps[number], **parts)
    return msgspec.structs.replace(plan, scenario=msgspec.structs.replace(plan.scenario, steps=steps))


def _broken(
    preparation: Preparation, plan: Plan, number: int, names: composing.Names
) -> tuple[Sequence[Violation], Contract]:
    """Where the payload of a step breaks its contract; nothing where the step means it to."""
    prepared = preparation.step(plan, number, names, 1)
    return prepared.violations if prepared.is_refused else (), prepared.contract


def _in_step(error: SandboxError, plan: Plan, number: int) -> SandboxError:
    """The error of composing a step, with its place in the scenario's file."""
    step, at = plan.scenario.steps[number], f"/steps/{number}"
    # Composing names a place in the step, or one in its payload.
    changes = (f"{at}/set/{pointer.escape(path)}" for path in step.set if path == error.pointer)
    places = (*changes, f"{at}/payload{error.pointer or ''}", f"{at}{error.pointer or ''}")
    found = next((each for each in places if jsontext.span(plan.text, each) is not None), None)
    what = (
        error.what
        if found
        else f"in the fixture {quoted(step.fixture or '')} at {error.pointer}: {error.what}"
    )
    return jsontext.error_in(plan.text, found or at, what, mend=error.mend, file=plan.file)


def _placed(error: SandboxError, path: Path) -> SandboxError:
    """The error of a fixture, with the file, and with the line where that is known."""
    if not error.file:
        error.file = str(path)
        if error.pointer is not None:
            error.line, error.column = jsontext.locate(read_text(path), error.pointer)
    return error


def _violation(found: Violation, contract: Contract, text: str, file: str, place: str) -> Problem:
    name = f"{contract.action} {contract.edition}"
    said = f"{found.message} ({found.keyword})" if place.endswith(found.pointer) else lines.violation(found)
    error = jsontext.error_in(
        text,
        place,
        f"the payload breaks the contract {name}: {said}",
        mend=f"`retailops-sandbox contract show {name}` prints it",
        file=file,
    )
    return Problem(str(error), file, error.line, breaks_contract=True)


def _problem(error: SandboxError) -> Problem:
    error.file = _shown(error.file)
    return Problem(str(error), error.file, error.line)


def _shown(file: Path | str) -> str:
    """The path of a file, from the current folder where it is in that."""
    return str(file).removeprefix(os.path.join(os.getcwd(), ""))
