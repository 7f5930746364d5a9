"""The forms of a step and of a scenario's head: what is typed, and what it makes of the file's text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Json, Scenario
from retailops_sandbox.web.scenarios.wire_form import FieldProblem, WireForm
from retailops_sandbox.web.shell import expected_status, forms

SENDS = ("fixture", "payload", "raw")
"""The members of a step of which it has one."""
EXPECTS = ("case", "nothing", "written")


class StepForm(msgspec.Struct, frozen=True, kw_only=True):
    """A step as its form shows it. Objects are JSON texts, as the file spells them."""

    name: str = ""
    contract: str = ""
    """Its action and edition; empty where they are those of the file."""
    sends: str = "fixture"
    """One of SENDS."""
    fixture: str = ""
    payload: str = ""
    raw: str = ""
    remove: str = ""
    """A pointer a line."""
    set: str = ""
    deliver: str = ""
    """All of it but how requests are spelled on the wire."""
    wire: WireForm = WireForm()
    together: bool = False
    expects: str = "case"
    """One of EXPECTS: the case's own expectation, none, or the one that is written."""
    status: str = ""
    """The status of the expectation that is written, or several."""
    expect: str = ""
    """The rest of it; all of it where it is a list of expectations."""
    capture: str = ""
    repeat_while: str = ""
    off_contract: bool = False

    @classmethod
    def of(cls, typed: FormData) -> StepForm:
        """The form as it was typed."""
        form = cls(
            **_texts(cls, typed, "off_contract", "together", "wire"),
            off_contract="off_contract" in typed,
            together="f-together" in typed,
            wire=WireForm.of(typed),
        )
        sends = form.sends if form.sends in SENDS else SENDS[0]
        expects = form.expects if form.expects in EXPECTS else EXPECTS[0]
        return msgspec.structs.replace(form, sends=sends, expects=expects)

    @classmethod
    def read(cls, text: str, number: int) -> StepForm:
        """The form of the step with this number, from 0, in the text of a scenario's file."""
        at = f"/steps/{number}"
        document: Any = jsontext.parse(text)
        step = _steps(document)[number]
        expects = "case" if "expect" not in step else "nothing" if step["expect"] is None else "written"
        deliver, expect = step.get("deliver") or {}, step.get("expect") or {}
        status = expect.get("status") if isinstance(expect, dict) else None
        return cls(
            name=str(step.get("name", "")),
            contract=_contract(document, step),
            sends=next((each for each in SENDS if each in step), SENDS[0]),
            fixture=str(step.get("fixture") or ""),
            raw=str(step.get("raw") or ""),
            remove="\n".join(map(str, step.get("remove", ()))),
            deliver=_without(jsontext.excerpt_at(text, f"{at}/deliver"), deliver, "wire"),
            wire=WireForm.read(deliver.get("wire") or {}),
            together=bool(step.get("together")),
            status=expected_status.shown(status),
            expect=_without(jsontext.excerpt_at(text, f"{at}/expect"), expect, "status")
            if expects == "written"
            else "",
            expects=expects,
            off_contract=bool(step.get("off_contract")),
            **{
                name: jsontext.excerpt_at(text, f"{at}/{name}")
                for name in ("payload", "set", "capture", "repeat_while")
            },
        )

    def applied(self, text: str, number: int, payload_of: Callable[[str], str]) -> str:
        """The text of the file with the step as it is typed; every other byte is as it was.

        FieldProblem for a field that cannot be used. `payload_of` has the text of a fixture's payload, which
        a step begins with that is to send a payload of its own.
        """
        document: Any = jsontext.parse(text)
        step = _steps(document)[number]
        shown = StepForm.read(text, number)
        if self.contract != shown.contract:
            self._contract(document, step)
        if self.name != shown.name:
            _put(step, "name", self.name.strip())
        self._body(step, shown, payload_of)
        if self.remove != shown.remove:
            _put(step, "remove", [line.strip() for line in self.remove.split("\n") if line.strip()] or None)
        if (self.deliver, self.wire) != (shown.deliver, shown.wire):
            self._deliver(step, shown)
        for name in ("set", "capture", "repeat_while"):
            typed = getattr(self, name)
            if typed != getattr(shown, name):
                _put(step, name, _json(name, typed) if typed.strip() else None)
        if (self.expects, self.expect, self.status) != (shown.expects, shown.expect, shown.status):
            self._expect(step, shown)
        if self.together != shown.together:
            _put(step, "together", self.together)
        if self.off_contract != shown.off_contract:
            _put(step, "off_contract", self.off_contract)
        return jsontext.rewrite(text, document)

    def field_of(self, pointer: str, at: str) -> str:
        """The field that a place in the file belongs to; empty for none. `at` is the step's place."""
        names = _names(pointer, at)
        if names[:2] == ["deliver", "wire"] and '"wire"' not in self.deliver:
            return f"wire-{names[2]}" if len(names) > 2 else "deliver"
        if names[:2] == ["expect", "status"] and '"status"' not in self.expect:
            return "status"
        return names[0] if names and names[0] in self.__struct_fields__ else ""

    def contract_in(self, whole: Scenario) -> tuple[str, str]:
        """The action and edition that the step has in a scenario."""
        action, _, edition = self.contract.partition(" ")
        return action or whole.action, edition or whole.edition

    def _contract(self, document: dict[str, Any], step: dict[str, Any]) -> None:
        """Write action and edition where they are not those of the file."""
        chosen = self.contract.split(" ") if self.contract else ["", ""]
        if len(chosen) != 2:
            raise FieldProblem("contract", "choose one of the list")
        for name, value in zip(("action", "edition"), chosen, strict=True):
            _put(step, name, "" if value == _of_file(document, name) else value)

    def _body(self, step: dict[str, Any], shown: StepForm, payload_of: Callable[[str], str]) -> None:
        typed = getattr(self, self.sends)
        if self.sends == shown.sends and typed == getattr(shown, self.sends):
            return
        for other in SENDS:
            if other != self.sends:
                step.pop(other, None)
        if self.sends == "payload":
            step["payload"] = _json("payload", typed if typed.strip() else payload_of(self.fixture))
        elif self.sends == "fixture" and not typed:
            raise FieldProblem("fixture", "choose a case, or a payload of its own")
        else:
            step[self.sends] = typed

    def _deliver(self, step: dict[str, Any], shown: StepForm) -> None:
        deliver: Any = step.get("deliver") or {}
        wire: dict[str, Json] = deliver.get("wire") or {}
        if self.deliver != shown.deliver:
            deliver = _json("deliver", self.deliver) if self.deliver.strip() else {}
        if not isinstance(deliver, dict):
            step["deliver"] = deliver
            return
        if self.deliver != shown.deliver and "wire" in deliver:
            if self.wire != shown.wire:
                raise FieldProblem("deliver", "wire is said here, and in the fields beneath: say it once")
        else:
            wire = self.wire.applied(wire, shown.wire)
            _put(deliver, "wire", wire or None)
        _put(step, "deliver", deliver if deliver or self.deliver.strip() else None)

    def _expect(self, step: dict[str, Any], shown: StepForm) -> None:
        if self.expects != "written":
            step.pop("expect", None)
            if self.expects == "nothing":
                step["expect"] = None
            return
        if not self.expect.strip() and not self.status.strip():
            raise FieldProblem("expect", "write what is expected, or choose another of the three")
        expected: Any = _json("expect", self.expect) if self.expect.strip() else {}
        typed = self.status.strip()
        if isinstance(expected, dict) and "status" in expected:
            if self.status != shown.status and typed != expected_status.shown(expected["status"]):
                raise FieldProblem("status", "the expectation says another status: say it once")
        elif isinstance(expected, dict):
            _put(expected, "status", expected_status.read(typed) if typed else None)
        elif self.status != shown.status and typed:
            raise FieldProblem("status", "each of several expectations says its own status")
        step["expect"] = expected


class HeadForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario's file says besides its steps, as its form shows it."""

    name: str = ""
    description: str = ""
    tags: str = ""
    """Separated by commas."""
    variables: str = ""

    @classmethod
    def of(cls, typed: FormData) -> HeadForm:
        """The form as it was typed."""
        return cls(**_texts(cls, typed))

    @classmethod
    def read(cls, text: str) -> HeadForm:
        """The form of a scenario's text."""
        document: Any = jsontext.parse(text)
        return cls(
            name=str(document.get("name", "")),
            description=str(document.get("description", "")),
            tags=", ".join(map(str, document.get("tags", ()))),
            variables=jsontext.excerpt_at(text, "/variables"),
        )

    def field_of(self, pointer: str, at: str) -> str:
        """The field that a place in the file belongs to; empty for none."""
        names = _names(pointer, at)
        return names[0] if names and names[0] in self.__struct_fields__ else ""

    def applied(self, text: str) -> str:
        """The text of the file with what is typed; FieldProblem as for a step."""
        document: Any = jsontext.parse(text)
        shown = HeadForm.read(text)
        for name in ("name", "description"):
            if getattr(self, name) != getattr(shown, name):
                _put(document, name, getattr(self, name).strip())
        if self.tags != shown.tags:
            _put(document, "tags", [each.strip() for each in self.tags.split(",") if each.strip()] or None)
        if self.variables != shown.variables:
            typed = self.variables
            _put(document, "variables", _json("variables", typed) if typed.strip() else None)
        present: Any = jsontext.parse(text)
        written = jsontext.rewrite(text, {name: each for name, each in document.items() if name in present})
        for name in document:
            if name not in present:
                # New members stand where readers look for them.
                written = jsontext.insert_before(written, "/steps", name, document[name])
        return written


def _names(pointer: str, at: str) -> list[str]:
    """The names on the way from a form's place to a place in it; none for a place elsewhere."""
    return pointer.removeprefix(f"{at}/").split("/") if pointer.startswith(f"{at}/") else []


def _texts(form: type[msgspec.Struct], typed: FormData, *without: str) -> dict[str, Any]:
    return {name: forms.text(typed, f"f-{name}") for name in form.__struct_fields__ if name not in without}


def _of_file(document: Mapping[str, Any], name: str) -> str:
    """The action or the edition that a file says for all steps."""
    return str(document.get(name, getattr(Scenario(steps=[]), name)))


def _contract(document: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    """The action and edition of a step that says one of them; else empty."""
    names = ("action", "edition")
    if not any(step.get(name) for name in names):
        return ""
    return " ".join(str(step.get(name) or _of_file(document, name)) for name in names)


def _steps(document: Any) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = document["steps"]
    return steps


def _without(excerpt: str, value: Any, member: str) -> str:
    """The text of an object without a member; empty where nothing else is in it."""
    if not isinstance(value, dict) or member not in value:
        return excerpt
    return jsontext.remove(excerpt, f"/{member}") if len(value) > 1 else ""


def _put(members: dict[str, Any], name: str, value: Json) -> None:
    """Set a member, or remove it where there is nothing to say."""
    if value is None or value is False or value == "":
        members.pop(name, None)
    else:
        members[name] = value


def _json(field: str, typed: str) -> Json:
    try:
        return jsontext.parse(typed)
    except SourceError as error:
        raise FieldProblem(field, str(error)) from error
