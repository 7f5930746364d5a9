"""The list of scenarios, page by page."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from starlette.datastructures import FormData, QueryParams

from retailops_sandbox.model import Result, RunInfo, Verdict
from retailops_sandbox.runlog.entries import LoggedResult
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.web.scenarios.scenario_list import ScenarioForm, ScenarioList, scenario_list
from retailops_sandbox.web.shell.scenario_index import IndexedScenario, IndexedScenarios


def indexed(count: int, **tagged: Collection[int]) -> IndexedScenarios:
    """So many scenarios, some of them tagged."""
    scenarios = []
    for number in range(count):
        tags = ",".join(f'"{tag}"' for tag, numbers in tagged.items() if number in numbers)
        text = f'{{"name": "Case {number}", "tags": [{tags}], "steps": [{{"fixture": "default"}}]}}'
        scenarios.append(IndexedScenario.of(scenario.read(text, id=f"{number:04}", file="")))
    return IndexedScenarios(scenarios=tuple(scenarios), plans=tuple(each.plan for each in scenarios))


def results(**verdicts: Collection[int]) -> dict[str, LoggedResult]:
    """The latest results of some scenarios, by their verdicts."""
    run = RunInfo(id="20240501T120000Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
    return {
        f"{number:04}": LoggedResult(run, result(f"{number:04}", verdict))
        for verdict in ("passed", "failed")
        for number in verdicts.get(verdict, ())
    }


def result(id: str, verdict: Verdict) -> Result:
    return Result(scenario=id, name=id, verdict=verdict, at="2024-05-01T12:00:01Z")


def ids(page: ScenarioList) -> list[int]:
    return [int(row.plan.id) for row in page.rows]


@pytest.mark.parametrize(
    ("asked", "page", "shown"),
    [
        ("", 1, range(200)),
        ("2", 2, range(200, 400)),
        ("3", 3, range(400, 401)),
        ("4", 3, range(400, 401)),
        ("999999999999999999999999", 1, range(200)),
        ("0", 1, range(200)),
        ("-1", 1, range(200)),
        ("two", 1, range(200)),
        ("²", 1, range(200)),
    ],
)
def test_a_page_has_200_and_one_that_is_not_there_is_another(asked: str, page: int, shown: range) -> None:
    found = scenario_list(indexed(401), {}, ScenarioForm(page=asked))
    assert (found.page, found.pages, ids(found)) == (page, 3, list(shown))
    assert (found.before, found.listed, found.total) == (shown.start, 401, 401)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (200, 1), (201, 2), (400, 2)])
def test_there_are_as_many_pages_as_it_takes(count: int, pages: int) -> None:
    assert scenario_list(indexed(count), {}, ScenarioForm()).pages == pages


def test_pages_are_those_of_what_the_filter_accepts() -> None:
    some = indexed(900, odd=range(1, 900, 2))
    latest = results(failed=range(300), passed=range(300, 890))
    found = scenario_list(some, latest, ScenarioForm(tag="odd", page="2"))
    assert (found.listed, found.total, ids(found)) == (450, 900, list(range(401, 801, 2)))
    found = scenario_list(some, latest, ScenarioForm(verdict="failed", q="CASE draft 1"))
    assert ids(found) == [each for each in range(300) if "1" in str(each) or "1" in f"{each:04}"]
    assert {row.last.result.verdict for row in found.rows if row.last} == {"failed"}
    found = scenario_list(some, latest, ScenarioForm(verdict="not run"))
    assert ids(found) == list(range(890, 900))
    assert all(row.last is None for row in found.rows)
    found = scenario_list(some, latest, ScenarioForm(q="case no-such", page="3"))
    assert (found.page, found.pages, found.listed, ids(found)) == (1, 1, 0, [])


def test_what_is_selected_stays_so_on_other_pages_and_behind_the_filter() -> None:
    some = indexed(900, odd=range(1, 900, 2))
    picked = ("0899", "0001", "0003", "0002", "0450", "gone")
    found = scenario_list(some, {}, ScenarioForm(pick=picked))
    assert [row.plan.id for row in found.rows if row.is_selected] == ["0001", "0002", "0003"]
    assert (found.elsewhere, found.unlisted) == (["0450", "0899"], [])
    found = scenario_list(some, {}, ScenarioForm(pick=picked, tag="odd", page="3"))
    assert [row.plan.id for row in found.rows if row.is_selected] == ["0899"]
    assert (found.elsewhere, found.unlisted) == (["0001", "0003"], ["0002", "0450"])


def test_a_button_leads_to_a_page_and_every_other_one_stays() -> None:
    form = ScenarioForm.of(FormData([("page", "2"), ("q", "a b"), ("to", "3"), ("pick", "x"), ("pick", "y")]))
    assert (form.page, form.pick) == ("3", ("x", "y"))
    assert form.address == "?q=a+b&page=3"
    assert form.address_with_selection == "?q=a+b&page=3&pick=x&pick=y"
    assert ScenarioForm.of(FormData([("page", "2")])).page == "2"
    assert ScenarioForm.of(FormData([("page", "2"), ("to", "1")])).address == ""
    assert ScenarioForm.of(QueryParams("page=07")).address == "?page=7"
    assert ScenarioForm.of(QueryParams("page=all&tag=a")).address == "?tag=a"
