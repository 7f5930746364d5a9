"""The list of scenarios, page by page: which ones the filter accepts, and which of these are shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from starlette.datastructures import FormData, QueryParams

from retailops_sandbox.runlog.entries import LoggedResult
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.scenario_index import IndexedScenario, IndexedScenarios

NOT_RUN = "not run"
"""Stands for the verdict of a scenario without a result."""
_PAGE = 200
"""The most scenarios on a page."""


class ScenarioForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the scenarios as typed: the filter, the page, the selection, and the receiver."""

    q: str = ""
    tag: str = ""
    verdict: str = ""
    page: str = ""
    """The number of the page, from 1; empty for the first."""
    receiver: str = ""
    confirmed: str = ""
    """The name of the protected receiver that the user confirmed for this run."""
    shown: str = ""
    """The URLs that the page showed for a run."""
    pick: tuple[str, ...] = ()
    """The ids of the scenarios that are selected."""

    @classmethod
    def of(cls, typed: FormData | QueryParams) -> ScenarioForm:
        """The form as sent; `to` is the page that a button leads to, `page` the one that it is on."""
        fields = {name: str(typed.get(name, "")).replace("\r\n", "\n") for name in cls.__struct_fields__[:-1]}
        number = _page_number(str(typed.get("to", fields["page"])))
        fields["page"] = str(number) if number > 1 else ""
        return cls(**fields, pick=tuple(str(each) for each in typed.getlist("pick")))

    @property
    def is_filter_empty(self) -> bool:
        """Whether the filter accepts everything."""
        return not (self.q or self.tag or self.verdict)

    @property
    def address(self) -> str:
        """The query string of the filter and the page; empty for the first page of everything."""
        return query_string(self, without=("receiver", "confirmed", "shown", "pick"))

    @property
    def address_with_selection(self) -> str:
        """The query string of the filter, the page and the selection."""
        return query_string(self, without=("receiver", "confirmed", "shown"))


class ScenarioRow(msgspec.Struct, frozen=True):
    """A scenario in one line."""

    plan: Plan
    last: LoggedResult | None
    """Its latest result."""
    is_selected: bool


class ScenarioList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the scenarios that the filter accepts."""

    rows: Sequence[ScenarioRow]
    page: int
    """The number of the page, from 1."""
    pages: int
    before: int
    """The number of scenarios on earlier pages."""
    listed: int
    """The number of scenarios that the filter accepts, on all pages."""
    total: int
    elsewhere: Sequence[str]
    """The ids of the selected scenarios on other pages."""
    unlisted: Sequence[str]
    """The ids of the selected scenarios that the filter does not accept."""


def accepted(
    indexed: IndexedScenarios, latest: Mapping[str, LoggedResult], form: ScenarioForm
) -> list[IndexedScenario]:
    """The scenarios that the filter accepts: words anywhere in name, path, tags, action and edition."""
    found: Sequence[IndexedScenario] = indexed.scenarios
    for word in form.q.casefold().split():
        found = [each for each in found if word in each.searched]
    if form.tag:
        found = [each for each in found if form.tag in each.plan.scenario.tags]
    if form.verdict:
        found = [each for each in found if last_verdict(each, latest) == form.verdict]
    return list(found)


def last_verdict(scenario: IndexedScenario, latest: Mapping[str, LoggedResult]) -> str:
    """The verdict of a scenario's latest result."""
    found = latest.get(scenario.plan.id)
    return NOT_RUN if found is None else found.result.verdict


def scenario_list(
    indexed: IndexedScenarios, latest: Mapping[str, LoggedResult], form: ScenarioForm
) -> ScenarioList:
    """The page of the list that is asked for; the last one where that is beyond it."""
    found = accepted(indexed, latest, form)
    pages = max(1, -(-len(found) // _PAGE))
    page = min(_page_number(form.page), pages)
    before = (page - 1) * _PAGE
    shown = [each.plan for each in found[before : before + _PAGE]]
    selected = set(form.pick)
    elsewhere = _selected(indexed, selected.difference(plan.id for plan in shown))
    listed = {each.plan.id for each in found} if elsewhere else ()
    return ScenarioList(
        rows=[ScenarioRow(plan, latest.get(plan.id), plan.id in selected) for plan in shown],
        page=page,
        pages=pages,
        before=before,
        listed=len(found),
        total=len(indexed.scenarios),
        elsewhere=[id for id in elsewhere if id in listed],
        unlisted=[id for id in elsewhere if id not in listed],
    )


def _selected(indexed: IndexedScenarios, ids: Collection[str]) -> list[str]:
    """Those of the ids that scenarios have, in the order of the list."""
    return [plan.id for plan in indexed.plans if plan.id in ids] if ids else []


def _page_number(typed: str) -> int:
    """The number of a page as typed; 1 for what is no number of a page."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) else 1
