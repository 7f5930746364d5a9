"""What the compose page does with fixtures, and what it says about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.datastructures import FormData

from retailops_sandbox import importing
from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import SandboxError, SourceError, UsageError
from retailops_sandbox.reporting.render import changes
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.send_form import Refused, SendForm
from retailops_sandbox.workspace.fixtures import Clash as FileClash
from retailops_sandbox.workspace.fixtures import Done, Fixtures, stamp
from retailops_sandbox.workspace.workspace import FixtureInfo, safe_name

Place = Literal["save", "manage", "import"]
"""Where on the page something is said: at the buttons that did it."""

_FIELDS: dict[str, str] = {"save": "save_as", "manage": "fixture_name", "import": "import_text"}
_SHOWN_SCENARIOS = 3


class Opened(msgspec.Struct, frozen=True):
    """What stood in the page before something else took its place."""

    action: str
    edition: str
    fixture: str
    loaded: str
    payload: str

    @classmethod
    def of(cls, draft: SendForm) -> Opened:
        return cls(draft.action, draft.edition, draft.fixture, draft.loaded, draft.payload)

    def back_into(self, draft: SendForm) -> None:
        """Let it stand there again."""
        contract.load(self.action, self.edition)
        draft.action, draft.edition = self.action, self.edition
        draft.payload = self.payload
        _open(draft, self.fixture, self.loaded)


class FixtureClash(msgspec.Struct, frozen=True):
    """A file that would be overwritten, beside what is typed."""

    name: str
    seen: str
    """The `stamp` of what is shown of it."""
    diff: Sequence[changes.Line]
    is_open: bool
    """Whether it is the fixture that was opened, and was changed since."""


class FixtureNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about a fixture that was changed, and how to take it back."""

    place: Place
    text: str = ""
    notes: Sequence[str] = ()
    diff: Sequence[changes.Line] = ()
    undo: str = ""
    """The change that can be taken back."""
    was: str = ""
    """What stood in the page before, as JSON."""
    redo: bool = False
    """Taking back means doing it again."""
    clash: FixtureClash | None = None


class FixtureButtons:
    """Save, duplicate, rename, delete, restore, import; and taking each of them back."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._fixtures = Fixtures(context.workspace)

    def press(self, word: str, argument: str, draft: SendForm, form: FormData) -> FixtureNotice | None:
        """Do what a button says; None for a button of something else. Refused names the field."""
        actions = {
            "save": lambda: self._save(draft, self._seen(draft)),
            "overwrite": lambda: self._save(draft, text(form, "seen")),
            "compare": lambda: self._compare(draft),
            "take": lambda: self._take(draft),
            "duplicate": lambda: self._duplicate(draft),
            "rename": lambda: self._rename(draft),
            "delete": lambda: self._delete(draft),
            "restore": lambda: self._restore(draft),
            "import": lambda: self._import(draft),
            "undo": lambda: self._undo(argument, draft, text(form, "was")),
        }
        if word not in actions:
            return None
        place = argument.partition(":")[0] if word == "undo" else _place(word)
        try:
            return actions[word]()
        except FileClash as clash:
            return FixtureNotice(place="save", clash=self._clash(clash, draft))
        except SandboxError as error:
            raise Refused(_FIELDS.get(place, "save_as"), str(error)) from error

    def changed_on_disk(self, draft: SendForm) -> str:
        """What has become of the open fixture's file since it was opened; empty where nothing has."""
        if not draft.loaded or not draft.fixture:
            return ""
        try:
            current = self._fixtures.text(draft.action, draft.edition, draft.fixture)
        except SandboxError as error:
            return str(error)
        if current is None:
            return f"{draft.fixture} is gone from the disk since it was opened. Saving writes it anew."
        return "" if stamp(current) == draft.loaded else f"{draft.fixture} was changed on disk meanwhile."

    # --- writing what is typed ---

    def _seen(self, draft: SendForm) -> str:
        """What of the file that would be written was seen: nothing of one that was not opened."""
        return draft.loaded if draft.save_as == draft.fixture else ""

    def _save(self, draft: SendForm, seen: str) -> FixtureNotice:
        before = self._text(draft, draft.save_as)
        done = self._fixtures.save(
            draft.action, draft.edition, draft.save_as, draft.payload, seen=seen, opened=draft.fixture
        )
        path = self._context.workspace.own_fixture(draft.action, draft.edition, draft.save_as)
        self._open_as_it_is(draft, draft.save_as)
        if done is None:
            return FixtureNotice(place="save", text=f"{draft.save_as} says just this already.")
        after = done.change.files[draft.save_as].after or ""
        diff = [] if before is None else _diff(before, after, draft.save_as)
        return FixtureNotice(place="save", text=f"Saved as {path}.", undo=done.id, diff=diff)

    def _text(self, draft: SendForm, name: str) -> str | None:
        return self._fixtures.text(draft.action, draft.edition, name)

    def _compare(self, draft: SendForm) -> FixtureNotice:
        current = self._text(draft, draft.fixture)
        if current is None:
            raise UsageError(f"{draft.fixture} is gone from the disk", mend="save it to write it anew")
        return FixtureNotice(place="save", clash=self._clash(FileClash(draft.fixture, current), draft))

    def _take(self, draft: SendForm) -> FixtureNotice:
        was = Opened.of(draft)
        name = draft.save_as
        current = self._context.workspace.read_fixture(draft.action, draft.edition, name)
        draft.payload = current
        _open(draft, name, stamp(current))
        return FixtureNotice(place="save", text=f"{name} is here as it is on disk.", was=_kept(was))

    def _clash(self, clash: FileClash, draft: SendForm) -> FixtureClash:
        draft.save_as = clash.name
        diff = _diff(clash.text, draft.payload.rstrip("\n") + "\n", clash.name, "what is typed")
        return FixtureClash(clash.name, stamp(clash.text), diff, clash.name == draft.fixture)

    # --- whole files ---

    def _duplicate(self, draft: SendForm) -> FixtureNotice:
        wanted = draft.fixture_name if draft.fixture_name != draft.fixture else ""
        done = self._fixtures.duplicate(draft.action, draft.edition, draft.fixture, wanted)
        self._open_as_it_is(draft, done.change.now)
        return FixtureNotice(place="manage", text=f"Copied as {done.change.now}.", undo=done.id)

    def _rename(self, draft: SendForm) -> FixtureNotice:
        old = draft.fixture
        if draft.fixture_name == old:
            raise UsageError(f"{old} has this name already", mend="type another")
        notes = self._named_by(draft, old)
        done = self._fixtures.rename(draft.action, draft.edition, old, draft.fixture_name)
        self._open_as_it_is(draft, done.change.now)
        if self._text(draft, old) is not None:
            notes = (f"The shipped {old} shows again.",)
        return FixtureNotice(
            place="manage", text=f"{old} is {done.change.now} now.", notes=notes, undo=done.id
        )

    def _delete(self, draft: SendForm) -> FixtureNotice:
        name = draft.fixture
        notes = self._named_by(draft, name)
        done = self._fixtures.delete(draft.action, draft.edition, name)
        _open(draft, "", "")
        draft.save_as = name
        what = f"{name} is deleted; what is typed stays."
        return FixtureNotice(place="manage", text=what, notes=notes, undo=done.id)

    def _restore(self, draft: SendForm) -> FixtureNotice:
        name = draft.fixture
        infos = self._context.workspace.fixtures(draft.action, draft.edition)
        if FixtureInfo(name, "changed") not in infos:
            raise UsageError(f"{name!r} is not a changed copy of a shipped fixture: nothing to restore")
        was = Opened.of(draft)
        done = self._fixtures.delete(draft.action, draft.edition, name)
        draft.payload = self._text(draft, name) or ""
        self._open_as_it_is(draft, name)
        return FixtureNotice(
            place="manage", text=f"{name} is the shipped one again.", undo=done.id, was=_kept(was)
        )

    def _named_by(self, draft: SendForm, name: str) -> tuple[str, ...]:
        """A line that says which scenarios will not find the fixture any more."""
        ids = [
            plan.id
            for plan in self._context.scenario_index.read().plans
            if (plan.scenario.action, plan.scenario.edition) == (draft.action, draft.edition)
            and any(step.fixture == name for step in plan.scenario.steps)
        ]
        if not ids:
            return ()
        more = f" and {len(ids) - _SHOWN_SCENARIOS} more" if len(ids) > _SHOWN_SCENARIOS else ""
        return (f"Named {name} still: {', '.join(ids[:_SHOWN_SCENARIOS])}{more}.",)

    # --- what others wrote down ---

    def _import(self, draft: SendForm) -> FixtureNotice:
        found = importing.read(draft.import_text, file="")
        try:
            made, _ = importing.drafts(found, file="")
        except SourceError:
            # Told by nothing in it: it is taken for what the page shows.
            made, _ = importing.drafts(found, file="", action=draft.action, edition=draft.edition)
        if len(made) > 1:
            places = ", ".join(each.place for each in made[:5])
            raise UsageError(
                f"there are {len(made)} requests ({places})", mend="a fixture is one: paste it alone"
            )
        [one] = made
        if not one.text:
            raise UsageError(
                "the body is not JSON, as a fixture is", mend="import it as a scenario: `import -o`"
            )
        agreed = one.contract
        try:
            name = safe_name(draft.import_name) if draft.import_name else ""
            name = name or self._fixtures.free_name(agreed.action, agreed.edition, "imported")
            done = self._fixtures.create(agreed.action, agreed.edition, name, one.text, opened=draft.fixture)
        except UsageError as error:
            raise Refused("import_name", str(error)) from error
        was = Opened.of(draft)
        draft.action, draft.edition, draft.payload = agreed.action, agreed.edition, one.text
        self._open_as_it_is(draft, name)
        draft.import_text = draft.import_name = draft.parent = ""
        notes = [f"{note[0].upper()}{note[1:]}." for note in one.notes]
        if one.headers:
            notes.append(f"Left out: {', '.join(one.headers)}; a fixture is the payload alone.")
        said = f"Made {name}, of {agreed.action} {agreed.edition}."
        return FixtureNotice(place="import", text=said, notes=notes, undo=done.id, was=_kept(was))

    # --- taking back ---

    def _undo(self, argument: str, draft: SendForm, was: str) -> FixtureNotice:
        place, _, id = argument.partition(":")
        now = Opened.of(draft)
        done = self._fixtures.undo(id) if id else None
        if was:
            _opened(was).back_into(draft)
        if done is not None and draft.fixture in ("", *done.change.files):
            self._open_as_it_is(draft, done.change.now)
        said = _said(done) if done is not None else "What was typed is back."
        shown: Place = place if place in ("save", "manage", "import") else "save"  # type: ignore[assignment]
        return FixtureNotice(
            place=shown,
            text=said,
            undo=done.id if done else "",
            was=_kept(now) if was else "",
            redo=True,
        )

    def _open_as_it_is(self, draft: SendForm, name: str) -> None:
        """The fixture of this name is the one that is open, as its file is now."""
        current = self._text(draft, name) if name else None
        _open(draft, name if current is not None else "", stamp(current) if current is not None else "")


def _open(draft: SendForm, name: str, loaded: str) -> None:
    draft.fixture = draft.fixture_name = name
    draft.save_as = name or draft.save_as
    draft.loaded = loaded


def _place(word: str) -> Place:
    if word == "import":
        return "import"
    return "manage" if word in ("duplicate", "rename", "delete", "restore") else "save"


def _diff(before: str, after: str, name: str, new: str = "") -> list[changes.Line]:
    before = before.replace("\r\n", "\n")
    found = changes.unified(before, after.replace("\r\n", "\n"), old=name, new=new or name)
    return [line for line in found if line.kind != "file"]


def _said(done: Done) -> str:
    """What taking back, or doing again, has made of the files."""
    words = [
        f"{name} is deleted" if each.after is None else f"{name} is back" if each.before is None
        else f"{name} is as it was"
        for name, each in done.change.files.items()
    ]  # fmt: skip
    return f"{', '.join(words)}."


def _kept(opened: Opened) -> str:
    return msgspec.json.encode(opened).decode()


def _opened(kept: str) -> Opened:
    try:
        return msgspec.json.decode(kept, type=Opened)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the page says nothing of what was there before: {error}") from error
