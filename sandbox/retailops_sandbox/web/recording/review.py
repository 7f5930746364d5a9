"""The review of a recording, before it becomes a file."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import msgspec
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from retailops_sandbox import recording
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Scenario, Step
from retailops_sandbox.recording import Proposal, ScenarioDraft
from retailops_sandbox.reporting.render.lines import outcome
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.recording.state import Drafted, Recording, RecordingReview
from retailops_sandbox.web.shell import forms
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.forms import text
from retailops_sandbox.web.shell.pages import Pages, problems
from retailops_sandbox.web.shell.room import RoomPages
from retailops_sandbox.workspace.names import free_name

_NAME = "name."
"""The prefix of the field with a step's name, before the id of the step's delivery."""
_MOST_SHOWN = 256 * 1024
"""The most characters of the file that the page shows."""


class ReviewInput(msgspec.Struct, frozen=True, kw_only=True):
    """A review's form, as typed."""

    name: str
    file: str
    tags: str
    replace: bool = False
    step_names: dict[str, str]
    """The names of steps by the ids of their deliveries."""
    kept: frozenset[str]
    """The ids of the deliveries that become steps."""
    taken: frozenset[str]
    """The ids of the accepted proposals."""

    @classmethod
    def first(cls, draft: ScenarioDraft, file: str) -> ReviewInput:
        """The form before anything is typed."""
        return cls(
            name=draft.scenario.name,
            file=file,
            tags=", ".join(draft.scenario.tags),
            step_names=dict(zip(draft.deliveries, (step.name for step in draft.scenario.steps), strict=True)),
            kept=frozenset(draft.deliveries),
            taken=frozenset(each.id for each in draft.proposals if each.taken),
        )

    @classmethod
    def of(cls, form: FormData, draft: ScenarioDraft) -> ReviewInput:
        """The form as typed; a step whose delivery ended after the page was made begins as in `first`."""
        first = cls.first(draft, "")
        names = {
            id: text(form, _NAME + id).strip() if _NAME + id in form else name
            for id, name in first.step_names.items()
        }
        new = frozenset(id for id in draft.deliveries if _NAME + id not in form)
        kept = frozenset(map(str, form.getlist("keep")))
        taken = frozenset(map(str, form.getlist("take")))
        of_new = {
            each.id
            for each in draft.proposals
            if each.kind == "rule" and each.taken and draft.deliveries[each.step] in new
        }
        return cls(
            name=text(form, "name").strip(),
            file=text(form, "file").strip(),
            tags=text(form, "tags"),
            replace="replace" in form,
            step_names=names,
            kept=kept | new,
            taken=taken | of_new,
        )

    def scenario(self, draft: ScenarioDraft) -> Scenario:
        """The scenario that the form makes of the draft."""
        ids = draft.deliveries
        return recording.finished(
            draft,
            self.taken,
            name=self.name,
            tags=[tag.strip() for tag in self.tags.split(",") if tag.strip()],
            step_names={number: self.step_names[id] for number, id in enumerate(ids)},
            left_out={number for number, id in enumerate(ids) if id not in self.kept},
        )

    def problems(self, draft: ScenarioDraft) -> dict[str, str]:
        """Why the form makes no scenario, by field."""
        wrong: dict[str, str] = {}
        seen: set[str] = set()
        for id in draft.deliveries:
            if id not in self.kept:
                continue
            name = self.step_names[id]
            if not name:
                wrong[_NAME + id] = "A step needs a name."
            elif name in seen:
                wrong[_NAME + id] = f"Another step is named {name!r}: step names are unique in a file."
            seen.add(name)
        if not seen:
            wrong["steps"] = "Keep at least one step."
        return wrong


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step, and the delivery that it comes from."""

    id: str
    name: str
    is_kept: bool
    what: str
    answer: str
    sent_at: str
    proposals: list[Proposal]


class RecordingReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """The review, open, saved or discarded."""

    review: RecordingReview
    draft: ScenarioDraft | None
    typed: ReviewInput | None
    """None where there is no form."""
    rows: Sequence[StepRow]
    secrets: Sequence[Proposal]
    waiting: int
    """How many deliveries are still in flight."""
    problems: Mapping[str, str]
    """By field."""
    exists: bool
    """Whether there is a file of the typed name already."""
    preview: str
    """The beginning of the file's text."""
    command: str
    """The command that runs the saved file; empty before it is saved."""
    others: Sequence[RecordingReview]
    """The other reviews that are open."""


class ScenarioPreview(msgspec.Struct, frozen=True):
    """The file's text alone."""

    preview: str


class RecordingReviewPages(RoomPages):
    """`/record/reviews/{id}`."""

    section = "Record"

    def __init__(self, context: AppContext, pages: Pages, recording: Recording) -> None:
        super().__init__(context, pages)
        self._recording = recording

    def routes(self) -> list[Route]:
        one = "/record/reviews/{id}"
        return [Route(one, self.show), Route(one, self.change, methods=["POST"])]

    def show(self, request: Request) -> Response:
        review = self._review(request)
        drafted = self._recording.draft(review)
        draft = drafted.draft
        typed = None if draft is None else ReviewInput.first(draft, self._free_name(draft))
        return self._show(request, review, drafted, typed)

    async def change(self, request: Request) -> Response:
        """Show, save, discard or restore the review."""
        form = await forms.read(request)
        review = self._review(request)
        do = text(form, "do")
        if do in ("discard", "undo"):
            review.state = "discarded" if do == "discard" else "open"
            return RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)
        drafted = await asyncio.to_thread(self._recording.draft, review)
        draft = drafted.draft
        if draft is None or review.state != "open":
            return self._show(request, review, drafted, None)
        typed = ReviewInput.of(form, draft)
        if request.headers.get("hx-target") == "preview":
            preview = ScenarioPreview(_preview(draft, typed))
            return self._part(request, "recording/scenario_preview.html", preview)
        wrong = typed.problems(draft)
        if do == "save" and not wrong:
            wrong = self._saved(review, draft, typed)
            if not wrong:
                return RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)
        return self._show(request, review, drafted, typed, wrong)

    def _saved(self, review: RecordingReview, draft: ScenarioDraft, typed: ReviewInput) -> dict[str, str]:
        """Write the file; why it was not written, by field."""
        workspace = self._context.workspace
        try:
            written = scenario.spelled(typed.scenario(draft))
            path = workspace.save_scenario(typed.file, written, replace=typed.replace)
        except SandboxError as error:
            return {"file": str(error)}
        review.state, review.text = "saved", written
        review.file = workspace.scenario_id(path)
        return {}

    def _review(self, request: Request) -> RecordingReview:
        review = self._recording.find(request.path_params["id"])
        if review is None:
            what = "This review is not known any more. What was recorded is in the log: select it there."
            raise HTTPException(HTTPStatus.NOT_FOUND, what)
        return review

    def _free_name(self, draft: ScenarioDraft) -> str:
        """A file name that is not taken."""
        scenario_path = self._context.workspace.scenario_path
        return free_name(f"recorded-{draft.key}", lambda name: scenario_path(name).exists())

    def _show(
        self,
        request: Request,
        review: RecordingReview,
        drafted: Drafted,
        typed: ReviewInput | None,
        wrong: Mapping[str, str] | None = None,
    ) -> Response:
        draft = drafted.draft
        rows: list[StepRow] = []
        preview = _cut(review.text)
        if draft is not None and typed is not None and review.state == "open":
            rows = _rows(draft, typed, drafted.landed)
            preview = _preview(draft, typed)
        page = RecordingReviewPage(
            review=review,
            draft=draft,
            typed=typed,
            rows=rows,
            secrets=[each for each in draft.proposals if each.kind == "secret"] if draft else [],
            waiting=drafted.waiting,
            problems=problems(wrong),
            exists=typed is not None and self._exists(typed.file),
            preview=preview,
            command=self._command(review, drafted) if review.state == "saved" else "",
            others=[each for each in self._recording.reviews if each.id != review.id],
        )
        receivers = self._context.read_receivers()
        target = self._chosen_target(request, receivers, *review.contracts[0])
        return self._page(request, "recording/review.html", page, target=target, refused=bool(wrong))

    def _command(self, review: RecordingReview, drafted: Drafted) -> str:
        """The command that runs the saved file, in the folder that the sandbox was started in."""
        root = self._context.workspace.root
        words = ["retailops-sandbox", "run", _from_here(root / review.file)]
        if _from_here(root) != ".":
            words += ["--workspace", _from_here(root)]
        sent = next(iter(drafted.landed.values()), None)
        if sent is not None:
            words += ["--stand-in"] if sent.stand_in else ["--receiver", self._known_outside(sent.receiver)]
        return shlex.join(words)

    def _known_outside(self, receiver: str) -> str:
        """What a command calls a receiver: its name, or the URL of one that is in no file."""
        unsaved = self._context.read_receivers().unsaved
        return next((each.base_url for each in unsaved if each.name == receiver), receiver)

    def _exists(self, file: str) -> bool:
        try:
            return self._context.workspace.scenario_path(file).exists()
        except SandboxError:
            return False


def _from_here(path: Path) -> str:
    """A path as it is spelled in the folder that the sandbox was started in."""
    try:
        return os.path.relpath(path)
    except ValueError:  # On Windows, on another drive.
        return str(path)


def _rows(draft: ScenarioDraft, typed: ReviewInput, landed: dict[str, Delivery]) -> list[StepRow]:
    proposed: dict[int, list[Proposal]] = {}
    for each in draft.proposals:
        if each.kind == "rule":
            proposed.setdefault(each.step, []).append(each)
    return [
        StepRow(
            id=id,
            name=typed.step_names[id],
            is_kept=id in typed.kept,
            what=_what(draft.scenario, step),
            answer=outcome(landed[id]),
            sent_at=landed[id].sent_at,
            proposals=proposed.get(number, []),
        )
        for number, (id, step) in enumerate(zip(draft.deliveries, draft.scenario.steps, strict=True))
    ]


def _preview(draft: ScenarioDraft, typed: ReviewInput) -> str:
    return _cut(scenario.spelled(typed.scenario(draft)))


def _cut(text: str) -> str:
    """The beginning of a file, short enough to be sent anew at each typed letter."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}\n… only the beginning is shown"


def _what(whole: Scenario, step: Step) -> str:
    """What a step sends, in a few words; of which contract, where there are several."""
    agreed = f"{' '.join(whole.contract_of(step))}, " if len(whole.contracts) > 1 else ""
    if step.raw is not None:
        return f"{agreed}bytes as they came"
    changes = len(step.set) + len(step.remove)
    what = agreed + (f"fixture {step.fixture}" if step.fixture is not None else "a payload of its own")
    if changes and step.fixture is not None:
        what += f", {changes} change{'s' * (changes != 1)}"
    return f"{what}, off contract" if step.off_contract else what
