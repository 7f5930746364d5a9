"""The fixtures' panel of the compose page, and its buttons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import FileError, SandboxError, UsageError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.web.compose import fixture_import, opening
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import MOST_TYPED, Refused, SendForm
from retailops_sandbox.workspace.fixtures import Clash as FileClash
from retailops_sandbox.workspace.fixtures import Fixtures
from retailops_sandbox.workspace.names import EXPECTATION, fixture_name
from retailops_sandbox.workspace.undo import Done, stamp
from retailops_sandbox.workspace.workspace import FixtureInfo, Workspace

Place = Literal["save", "manage", "import"]
"""The part of the page that shows a notice, in which the button was pressed."""

_FIELDS: dict[str, str] = {"save": "save_as", "manage": "fixture_name", "import": "import_text"}
_SHOWN_SCENARIOS = 3


class Opened(msgspec.Struct, frozen=True):
    """The form's fields before a fixture was opened, by which undo restores them."""

    action: str
    edition: str
    fixture: str
    loaded: str
    payload: str
    expectation: str
    expectation_loaded: str

    @classmethod
    def of(cls, send_form: SendForm) -> Opened:
        return cls(**{name: getattr(send_form, name) for name in cls.__struct_fields__})

    def restore(self, send_form: SendForm, contracts: Contracts) -> None:
        """Put it back into the form; SandboxError where it is of none of the contracts."""
        contracts.load(self.action, self.edition)
        send_form.action, send_form.edition = self.action, self.edition
        send_form.payload, send_form.expectation = self.payload, self.expectation
        _open(send_form, self.fixture, self.loaded, self.expectation_loaded)


class FixtureClash(msgspec.Struct, frozen=True):
    """A file that would be overwritten, with its difference from the typed text."""

    name: str
    seen: str
    """The `stamp` of the payload's file as it is shown."""
    expectation_seen: str
    """That of the expectation's file; empty where there is none."""
    diff: Sequence[changes.Line]
    is_open: bool
    """Whether it is the open fixture, changed since it was opened."""


class FixtureNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a fixture, and how to undo it."""

    place: Place
    text: str = ""
    notes: Sequence[str] = ()
    diff: Sequence[changes.Line] = ()
    undo: str = ""
    """The id of the change that can be undone; empty for none."""
    was: str = ""
    """The form's fields before the change (`Opened`), as JSON."""
    redo: bool = False
    """Whether the change was an undo, so that undoing it is a redo."""
    clash: FixtureClash | None = None


class FixtureFiles(msgspec.Struct, frozen=True):
    """The fixtures of an action and edition, as they were read once."""

    infos: Sequence[FixtureInfo]
    """The fixtures that can be opened."""
    opened: str | None
    """The text of the open one; None where none is open, or its file is gone or cannot be read."""
    problem: str = ""
    """Why that file cannot be read; empty where it can."""


class FixturePanel(msgspec.Struct, frozen=True, kw_only=True):
    """The fixtures of the action and edition, and the one that is open."""

    found: Sequence[FixtureInfo]
    """The fixtures that the search finds."""
    count: int
    """The number of fixtures in all."""
    origin: str
    """The origin of the open fixture; empty where none is open."""
    gone: Sequence[str]
    """The names that have unsaved edits and no fixture; empty for those of a new one."""
    verdicts: Mapping[str, str]
    """The latest verdict of each fixture that was sent to the chosen receiver, by its name."""
    changed_on_disk: str
    """What happened to the open fixture's file since it was opened; empty where nothing did."""


def available(workspace: Workspace, action: str, edition: str) -> list[FixtureInfo]:
    """The fixtures that can be opened, without files whose names no fixture can have."""
    return [info for info in workspace.fixtures(action, edition) if _can_be_opened(info)]


class FixtureButtons:
    """Save, duplicate, rename, delete, restore, import; and undo for each of them."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._fixtures = Fixtures(context.workspace)

    def press(self, word: str, argument: str, send_form: SendForm, form: FormData) -> FixtureNotice | None:
        """Press a button; None for a button of something else. Refused names the field."""
        actions = {
            "save": lambda: self._save(send_form),
            "save-as": lambda: self._save_as(send_form),
            "overwrite": lambda: self._save(send_form, (text(form, "seen"), text(form, "expectation_seen"))),
            "compare": lambda: self._compare(send_form),
            "take": lambda: self._take(send_form),
            "duplicate": lambda: self._duplicate(send_form),
            "rename": lambda: self._rename(send_form),
            "delete": lambda: self._delete(send_form),
            "restore": lambda: self._restore(send_form),
            "undo": lambda: self._undo(argument, send_form, text(form, "was")),
        }
        if word not in actions:
            return None
        place = argument.partition(":")[0] if word == "undo" else _place(word)
        try:
            return actions[word]()
        except FileClash as clash:
            return FixtureNotice(place="save", clash=self._clash(clash, send_form))
        except SandboxError as error:
            raise Refused(_FIELDS.get(place, "save_as"), str(error)) from error

    def read(self, send_form: SendForm) -> FixtureFiles:
        """The fixtures as they are now."""
        infos = available(self._context.workspace, send_form.action, send_form.edition)
        if not send_form.fixture:
            return FixtureFiles(infos, None)
        try:
            opened = self._text(send_form, send_form.fixture)
        except SandboxError as error:
            return FixtureFiles(infos, None, str(error))
        return FixtureFiles(infos, opened)

    def panel(self, send_form: SendForm, files: FixtureFiles, edited: Collection[str]) -> FixturePanel:
        """The panel of what is typed; `edited` are the names with unsaved edits."""
        infos = files.infos
        words = send_form.q.casefold().split()
        return FixturePanel(
            found=[info for info in infos if all(word in info.name.casefold() for word in words)],
            count=len(infos),
            gone=sorted({*edited} - {info.name for info in infos}),
            origin=next((info.origin for info in infos if info.name == send_form.fixture), ""),
            verdicts=self._verdicts(send_form),
            changed_on_disk=_changed_on_disk(send_form, files),
        )

    def _verdicts(self, send_form: SendForm) -> Mapping[str, str]:
        """The latest verdict of each case; none where the log cannot be read, which Send and its page say."""
        try:
            return self._context.log.latest_verdicts(send_form.receiver, send_form.action, send_form.edition)
        except FileError:
            return {}

    # --- writing what is typed ---

    def _save(self, send_form: SendForm, shown: tuple[str, str] | None = None) -> FixtureNotice:
        """Write payload and expectation; `shown` are the stamps of both files in a clash that was shown."""
        before = self._text(send_form, send_form.save_as)
        if shown is None:
            is_open = send_form.save_as == send_form.fixture
            shown = (send_form.loaded, send_form.expectation_loaded) if is_open else ("", "")
        done = self._fixtures.save(
            send_form.action,
            send_form.edition,
            send_form.save_as,
            send_form.payload,
            seen=shown[0],
            opened=send_form.fixture,
            expectation=send_form.expectation,
            expectation_seen=shown[1],
        )
        path = self._context.workspace.own_fixture(send_form.action, send_form.edition, send_form.save_as)
        self._open_as_it_is(send_form, send_form.save_as)
        if done is None:
            return FixtureNotice(place="save", text=f"{send_form.save_as} says just this already.")
        after = self._text(send_form, send_form.save_as) or ""
        diff = [] if before is None else _diff(before, after, send_form.save_as)
        return FixtureNotice(place="save", text=f"Saved as {path}.", undo=done.id, diff=diff)

    def _save_as(self, send_form: SendForm) -> FixtureNotice:
        before, send_form.save_as = send_form.save_as, send_form.fixture_name
        try:
            return self._save(send_form)
        except SandboxError:
            send_form.save_as = before
            raise

    def _text(self, send_form: SendForm, name: str) -> str | None:
        return self._fixtures.text(send_form.action, send_form.edition, name)

    def _compare(self, send_form: SendForm) -> FixtureNotice:
        current = self._text(send_form, send_form.fixture)
        if current is None:
            raise UsageError(f"{send_form.fixture} is gone from the disk", mend="save it to write it anew")
        return FixtureNotice(
            place="save", clash=self._clash(FileClash(send_form.fixture, current), send_form)
        )

    def _take(self, send_form: SendForm) -> FixtureNotice:
        was = Opened.of(send_form)
        name = send_form.save_as
        workspace = self._context.workspace
        send_form.payload = workspace.read_fixture(send_form.action, send_form.edition, name)
        expected = self._fixtures.expectation(send_form.action, send_form.edition, name)
        send_form.expectation = expected or ""
        self._open_as_it_is(send_form, name)
        return FixtureNotice(place="save", text=f"{name} is here as it is on disk.", was=_kept(was))

    def _clash(self, clash: FileClash, send_form: SendForm) -> FixtureClash:
        send_form.save_as = clash.name
        payload = self._text(send_form, clash.name)
        expected = self._fixtures.expectation(send_form.action, send_form.edition, clash.name)
        both = [(clash.name, payload, send_form.payload)]
        if send_form.expectation.strip() or expected is not None:
            both.append((clash.name + EXPECTATION, expected, send_form.expectation))
        diff = [
            line
            for name, there, here in both
            for line in _diff(there or "", _ended(here), name, "what is typed")
        ]
        return FixtureClash(
            clash.name,
            opening.stamp_of(payload),
            opening.stamp_of(expected),
            diff,
            clash.name == send_form.fixture,
        )

    # --- whole files ---

    def _duplicate(self, send_form: SendForm) -> FixtureNotice:
        wanted = send_form.fixture_name if send_form.fixture_name != send_form.fixture else ""
        done = self._fixtures.duplicate(send_form.action, send_form.edition, send_form.fixture, wanted)
        self._open_as_it_is(send_form, done.change.now)
        return FixtureNotice(place="manage", text=f"Copied as {done.change.now}.", undo=done.id)

    def _rename(self, send_form: SendForm) -> FixtureNotice:
        old = send_form.fixture
        if send_form.fixture_name == old:
            raise UsageError(f"{old} has this name already", mend="type another")
        notes = self._named_by(send_form, old)
        done = self._fixtures.rename(send_form.action, send_form.edition, old, send_form.fixture_name)
        self._open_as_it_is(send_form, done.change.now)
        if self._text(send_form, old) is not None:
            notes = (f"The shipped {old} shows again.",)
        return FixtureNotice(
            place="manage", text=f"{old} is {done.change.now} now.", notes=notes, undo=done.id
        )

    def _delete(self, send_form: SendForm) -> FixtureNotice:
        name = send_form.fixture
        notes = self._named_by(send_form, name)
        done = self._fixtures.delete(send_form.action, send_form.edition, name)
        _open(send_form, "", "", "")
        send_form.save_as = name
        what = f"{name} is deleted; what is typed stays."
        return FixtureNotice(place="manage", text=what, notes=notes, undo=done.id)

    def _restore(self, send_form: SendForm) -> FixtureNotice:
        name = send_form.fixture
        infos = self._context.workspace.fixtures(send_form.action, send_form.edition)
        if FixtureInfo(name, "changed") not in infos:
            raise UsageError(f"{name!r} is not a changed copy of a shipped fixture: nothing to restore")
        was = Opened.of(send_form)
        done = self._fixtures.delete(send_form.action, send_form.edition, name)
        send_form.payload = self._text(send_form, name) or ""
        send_form.expectation = self._fixtures.expectation(send_form.action, send_form.edition, name) or ""
        self._open_as_it_is(send_form, name)
        return FixtureNotice(
            place="manage", text=f"{name} is the shipped one again.", undo=done.id, was=_kept(was)
        )

    def _named_by(self, send_form: SendForm, name: str) -> tuple[str, ...]:
        """A line with the scenarios that refer to the fixture, and can no longer find it."""
        ids = [
            plan.id
            for plan in self._context.scenario_index.read().plans
            if any(
                step.fixture == name
                and plan.scenario.contract_of(step) == (send_form.action, send_form.edition)
                for step in plan.scenario.steps
            )
        ]
        if not ids:
            return ()
        more = f" and {len(ids) - _SHOWN_SCENARIOS} more" if len(ids) > _SHOWN_SCENARIOS else ""
        return (f"Named {name} still: {', '.join(ids[:_SHOWN_SCENARIOS])}{more}.",)

    # --- what others wrote down ---

    async def take_in(self, send_form: SendForm) -> FixtureNotice:
        """Make a fixture of the pasted text. Refused names the field."""
        action, _, edition = send_form.import_as.partition(" ")
        named = (action, edition) if edition else (send_form.action, send_form.edition)
        try:
            imported = await fixture_import.read(
                send_form.import_text, *named, self._context.workspace, is_chosen=bool(edition)
            )
        except fixture_import.Unclear as error:
            raise Refused("import_as", str(error)) from error
        except SandboxError as error:
            raise Refused("import_text", str(error)) from error
        if len(imported.text) > MOST_TYPED:
            what = f"the payload has {len(imported.text):,} characters, and this page takes {MOST_TYPED:,}"
            raise Refused("import_text", f"{what} (give the file to `retailops-sandbox import`)")
        try:
            name = fixture_name(send_form.import_name) if send_form.import_name else ""
            name = name or self._fixtures.free_name(imported.action, imported.edition, "imported")
            done = self._fixtures.create(
                imported.action,
                imported.edition,
                name,
                imported.text,
                opened=send_form.fixture,
                expectation=imported.expectation or None,
            )
        except SandboxError as error:
            raise Refused("import_name", str(error)) from error
        was = Opened.of(send_form)
        send_form.action, send_form.edition = imported.action, imported.edition
        send_form.payload, send_form.expectation = imported.text, ""
        self._open_as_it_is(send_form, name)
        send_form.import_text = send_form.import_name = send_form.import_as = send_form.parent = ""
        made = f"Made {name}, of {imported.action} {imported.edition}."
        return FixtureNotice(place="import", text=made, notes=imported.notes, undo=done.id, was=_kept(was))

    # --- taking back ---

    def _undo(self, argument: str, send_form: SendForm, was: str) -> FixtureNotice:
        place, _, id = argument.partition(":")
        now = Opened.of(send_form)
        done = self._fixtures.undo(id) if id else None
        if was:
            _opened(was).restore(send_form, self._context.contracts)
        if done is not None and send_form.fixture in ("", *done.change.stems):
            self._open_as_it_is(send_form, done.change.now)
        what = _undone(done) if done is not None else "What was typed is back."
        shown: Place = place if place in ("save", "manage", "import") else "save"  # type: ignore[assignment]
        return FixtureNotice(
            place=shown,
            text=what,
            undo=done.id if done else "",
            was=_kept(now) if was else "",
            redo=True,
        )

    def _open_as_it_is(self, send_form: SendForm, name: str) -> None:
        """Make the fixture of this name the open one, as its file is now, and leave the payload as typed."""
        current = self._text(send_form, name) if name else None
        if current is None:
            _open(send_form, "", "", "")
            return
        expected = self._fixtures.expectation(send_form.action, send_form.edition, name)
        _open(send_form, name, stamp(current), opening.stamp_of(expected))


def _changed_on_disk(send_form: SendForm, files: FixtureFiles) -> str:
    """What happened to the open fixture's file since it was opened; empty where nothing did."""
    if not send_form.loaded or not send_form.fixture:
        return ""
    if files.opened is None:
        gone = f"{send_form.fixture} is gone from the disk since it was opened. Saving writes it anew."
        return files.problem or gone
    if stamp(files.opened) != send_form.loaded:
        return f"{send_form.fixture} was changed on disk meanwhile."
    return ""


def _can_be_opened(info: FixtureInfo) -> bool:
    try:
        fixture_name(info.name)
    except UsageError:
        return False
    return True


def _open(send_form: SendForm, name: str, loaded: str, expectation_loaded: str) -> None:
    send_form.fixture = send_form.fixture_name = name
    send_form.save_as = name or send_form.save_as
    send_form.loaded, send_form.expectation_loaded = loaded, expectation_loaded


def _place(word: str) -> Place:
    return "manage" if word in ("save-as", "duplicate", "rename", "delete", "restore") else "save"


def _ended(text: str) -> str:
    """A text as its file would end it."""
    return text.rstrip("\n") + "\n" if text.strip() else ""


def _diff(before: str, after: str, name: str, new: str = "") -> list[changes.Line]:
    before = before.replace("\r\n", "\n")
    found = changes.unified(before, after.replace("\r\n", "\n"), old=name, new=new or name)
    return [line for line in found if line.kind != "file"]


def _undone(done: Done) -> str:
    """What an undo or redo made of the files."""
    files = done.change.stems
    words = [
        f"{_named(stem)} is deleted" if each.after is None else f"{_named(stem)} is back"
        if each.before is None else f"{_named(stem)} is as it was"
        for stem, each in files.items()
        if stem.removesuffix(EXPECTATION) == stem or stem.removesuffix(EXPECTATION) not in files
    ]  # fmt: skip
    return f"{', '.join(words)}."


def _named(stem: str) -> str:
    """The file of a change in words."""
    name = stem.removesuffix(EXPECTATION)
    return name if name == stem else f"what {name} expects"


def _kept(opened: Opened) -> str:
    return msgspec.json.encode(opened).decode()


def _opened(kept: str) -> Opened:
    try:
        return msgspec.json.decode(kept, type=Opened)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the page says nothing of what was there before: {error}") from error
