"""Every page of the browser application, in each state that looks different."""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import httpx2 as httpx
import msgspec

from retailops_sandbox import resources
from retailops_sandbox.model import Basic, Receiver
from retailops_sandbox.probe.keeping import KeptReports
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.probe_reports import CRASH, NULL_ARRAY, PATHS, probe_report
from tests.support.receivers import receiver, unused_port
from tests.support.serving import Served, serving
from tests.support.shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
TOKEN = "a-token-of-some-length"

_DAY = 86_400_000
_EXPECTED = {
    "status": 200,
    "body": {
        "events": [
            {"error_code": "ERR1409", "error_message": "The order was shipped on Tuesday", "status": "error"},
            {"error_code": "ERR2001", "error_message": "Nothing was refunded", "status": "warning"},
        ]
    },
}
_CAME = {
    "events": [
        {
            "error_code": "ERR1409",
            "error_message": "The order was shipped on Monday",
            "status": "error",
            "diagnostic_data": [{"parcel": "1Z999AA10123456784", "carrier": "UPS"}],
        },
        {"error_code": "ERR3000", "error_message": "The till is closed", "status": "info"},
    ]
}
_STOCK = [{"sku": f"S{number}", "quantity_available": number, "quantity_detail": []} for number in range(5)]
_NOTHING = {"status": 200, "body": {"events": []}}


class Place(NamedTuple):
    """A page of the tour, with the way to get it."""

    name: str
    path: str
    """The path of the page, with names of `Tour.known` in braces."""
    form: Mapping[str, str] | None = None
    """The form that is posted to the path; None for a GET."""
    within: Literal["full", "fresh", "guarded"] = "full"
    """The workspace: one with all kinds of runs, an empty one, or one whose token was not given yet."""

    @property
    def page(self) -> str:
        """The path without its query and ids: equal for all places of one page."""
        return re.sub(r"\{\w+\}", "{}", self.path.partition("?")[0])


_COMPOSED = {"action": "order_cancel", "edition": "draft", "fixture": "default", "receiver": "shop"}
_EXPECTATION = (
    '{"status": "soon", "max_ms": 900, "headers": {"X-Id": "uuid"}, "body": {"events": [{"error_code": "E1", '
    '"error_message": "It is too late", "associations": [{"type": "sku", "identity": "S1"}]}]}, '
    '"rules": {"/events/*/error_message": "ignore", "/gone": "any"}}'
)
_CARDS = {**_COMPOSED, "payload": "{}", "expectation_view": "cards", "expectation": _EXPECTATION}
_RULE = {
    "rule_at": "/body/events/0/error_code",
    "rule_for": "/body/events/0/error_code",
    "rule_word": "regex",
}
_RECEIVER = {"name": "", "base_url": "till.example", "timeout_ms": "soon", "connect_timeout_ms": "5000"}

PLACES = [
    Place("compose", "/"),
    Place("compose-fresh", "/", within="fresh"),
    Place("compose-v1", "/?edition=v1"),
    Place("compose-delivery", "/?from={failed}"),
    Place("compose-failed", "/?fixture=already-shipped&delivery={failed}"),
    Place("compose-recorded", "/?fixture=already-shipped&delivery={recorded}"),
    Place("compose-without-events", "/?action=catalog_get_config&edition=v1&delivery={config}"),
    Place("compose-many", "/?action=inventory_push&edition=v1&delivery={stock}"),
    Place("compose-errored", "/?fixture=already-shipped&delivery={errored}"),
    Place("compose-broken", "/compose", {**_COMPOSED, "payload": '{"version": 1,\n "data"'}),
    Place(
        "compose-violations", "/compose", {**_COMPOSED, "payload": '{"version": "1", "data": {"order": 5}}'}
    ),
    Place(
        "compose-form",
        "/compose",
        {
            **_COMPOSED,
            "view": "form",
            "payload": '{"version": "1", "data": {"order": 5, "channel": {"id": 2}}}',
        },
    ),
    Place("compose-form-broken", "/compose", {**_COMPOSED, "view": "form", "payload": '{"version": 1,'}),
    Place("compose-sent", "/compose", {**_COMPOSED, "view": "sent", "payload": '{"version": "${now}"}'}),
    Place("compose-unsent", "/compose", {**_COMPOSED, "view": "sent", "payload": '{"version": "${no}"}'}),
    Place(
        "compose-refused",
        "/send",
        {
            **_COMPOSED,
            "receiver": "live",
            "payload": '{"version": "1"}',
            "expectation": '{"stauts": 200}',
            "variables": '{"order_id": }',
        },
    ),
    Place("compose-cards", "/compose", {**_CARDS, "do": "expect-unrule:/gone"}),
    Place("compose-cards-empty", "/compose", {**_CARDS, "expectation": ""}),
    Place("compose-rule", "/compose", {**_CARDS, **_RULE, "do": "expect-rule:", "rule_pattern": "("}),
    Place(
        "compose-clash",
        "/compose",
        {**_COMPOSED, "payload": '{"mine": 1}', "save_as": "default", "do": "save"},
    ),
    Place(
        "compose-import-refused",
        "/compose",
        {**_COMPOSED, "do": "import", "import_text": "curl -d @a.json x"},
    ),
    Place("compose-fixture-refused", "/compose", {**_COMPOSED, "do": "duplicate", "fixture_name": "../x"}),
    Place("compose-nothing-found", "/?q=nothing+is+called+so"),
    Place("scenarios", "/scenarios"),
    Place("scenarios-fresh", "/scenarios", within="fresh"),
    Place("scenarios-none", "/scenarios?q=nothing+is+called+so"),
    Place("scenarios-refused", "/scenarios/run", {"receiver": "live", "do": "selected"}),
    Place("scenario", "/scenarios/show?id=scenarios/refused.scenario.json"),
    Place("scenario-fresh", "/scenarios/show?id=shipped:v1-refusals.scenario.json", within="fresh"),
    Place("scenario-new", "/scenarios/new", within="fresh"),
    Place("scenario-new-refused", "/scenarios/new", {"contract": "order_cancel v1", "file": "../x"}),
    Place("scenario-step", "/scenarios/show?id=scenarios/refused.scenario.json&open=0"),
    Place("scenario-head", "/scenarios/show?id=scenarios/refused.scenario.json&open=head"),
    Place("scenario-file", "/scenarios/show?id=scenarios/refused.scenario.json&view=file"),
    Place(
        "scenario-clash",
        "/scenarios/edit",
        {
            "id": "scenarios/refused.scenario.json",
            "seen": "another",
            "view": "file",
            "typed": '{"steps": [{"fixture": "default"}]}',
            "do": "save",
        },
    ),
    Place(
        "scenario-step-refused",
        "/scenarios/edit",
        {
            "id": "scenarios/refused.scenario.json",
            "base": '{"steps": [{"fixture": "default"}]}',
            "view": "steps",
            "opened": "0",
            "f-sends": "fixture",
            "f-fixture": "default",
            "f-expects": "written",
            "f-status": "200, 4xx",
            "f-wire-method": "PUT",
            "f-wire-chunked": "many",
            "do": "save",
        },
    ),
    Place("scenario-file-refused", "/scenarios/file", {"id": "scenarios/refused.scenario.json"}),
    Place("runs", "/runs"),
    Place("runs-fresh", "/runs", within="fresh"),
    Place("runs-refused", "/runs/open", {}),
    Place("run", "/runs/{run}"),
    Place("run-pinned", "/runs/{written}"),
    Place("run-foreign", "/runs/{foreign}"),
    Place("run-foreign-scenario", "/runs/{foreign}/scenario?id=scenarios/refused.scenario.json"),
    Place("run-none", "/runs/{run}?verdict=passed&trend=regressed"),
    Place("run-running", "/runs/{running}"),
    Place("run-scenario", "/runs/{run}/scenario?id=scenarios/refused.scenario.json"),
    Place("probe", "/probe/{probe}?finding=crash/null"),
    Place("probe-table", "/probe/{probe}?view=table&show=new"),
    Place("probe-fresh", "/probe", within="fresh"),
    Place("probe-refused", "/probe/start", {"receiver": "live", "contract": "order_cancel v1", "seed": "x"}),
    Place("probe-deliveries", "/probe/{probe}/deliveries?finding=crash/null"),
    Place("palette", "/palette?q=shipped"),
    Place("log", "/deliveries"),
    Place("log-fresh", "/deliveries", within="fresh"),
    Place("log-refused", "/record/from-log", {}),
    Place("log-filtered", "/deliveries?verdict=failed&order=4897"),
    Place("log-preview", "/deliveries?show={failed}"),
    Place("log-many", "/deliveries?action=inventory_push&show={stock}"),
    Place("log-again", "/deliveries/again?delivery={failed}&delivery={passed}&delivery=none"),
    Place("log-compare", "/deliveries/compare?a={passed}&b={failed}"),
    Place("log-story", "/deliveries/story?order=4897"),
    Place("log-story-many", "/deliveries/story?order=S3"),
    Place("log-nothing-found", "/deliveries?order=none&text=nothing"),
    Place("log-asked-wrongly", "/deliveries?status=7&since=soon"),
    Place("latency", "/deliveries/latency"),
    Place("latency-none", "/deliveries/latency?order=none"),
    Place("delivery-passed", "/deliveries/{passed}"),
    Place("delivery-failed", "/deliveries/{failed}"),
    Place(
        "delivery-rule",
        "/deliveries/{failed}/rule?at=/events/0/error_message&actual=/events/0/error_message",
    ),
    Place("delivery-errored", "/deliveries/{errored}"),
    Place("delivery-recorded", "/deliveries/{recorded}"),
    Place("delivery-flying", "/deliveries/{flying}"),
    Place("delivery-off-contract", "/deliveries/{off_contract}"),
    Place("delivery-page-500", "/deliveries/{page_500}"),
    Place("delivery-foreign", "/deliveries/{foreign}.000002"),
    Place("delivery-refused", "/deliveries/{failed}/judge", {"expectation": '{"stauts": 200}'}),
    Place("receivers", "/receivers"),
    Place("receivers-fresh", "/receivers", within="fresh"),
    Place("receivers-deleted", "/receivers?deleted=doomed"),
    Place("receiver-new", "/receivers/new"),
    Place("receiver-edit", "/receivers/edit?name=live"),
    Place("receiver-refused", "/receivers/save", _RECEIVER),
    Place("record", "/record", within="fresh"),
    Place("record-refused", "/record/start", {"receiver": "stand-in", "port": "99999"}, within="fresh"),
    Place("record-running", "/record"),
    Place("record-review", "{review}"),
    Place("record-review-refused", "{review}", {"do": "save", "file": "../elsewhere"}),
    Place("record-review-saved", "{saved}"),
    Place("record-review-discarded", "{discarded}"),
    Place("accept", "/runs/{run}/review"),
    Place("accept-one", "/runs/{run}/review?at=1"),
    Place("accept-answer", "/deliveries/{failed}/accept"),
    Place("accept-answer-refused", "/deliveries/{page_500}/accept"),
    Place("accept-refused", "/runs/{run}/review", {"at": "1", "do": "rule", "rule": "regex", "pattern": "("}),
    Place("accept-changes", "/runs/{run}/review/changes"),
    Place("accept-changes-refused", "/runs/{run}/review/changes", {"shown": "something else"}),
    Place("accept-written", "/runs/{written}/review/changes"),
    Place("accept-empty", "/deliveries/{recorded}/review"),
    Place("error-nothing-here", "/nothing/of/the/kind"),
    Place("error-mend", "/?action=no_such_action"),
    Place("login", "/", within="guarded"),
    Place("login-refused", "/login", {"token": "another"}, within="guarded"),
]

_POST = """([action, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action});
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("textarea");
    Object.assign(field, {name, value});
    form.append(field);
  }
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""


class Tour:
    """The served workspaces, and the ids in their logs by name."""

    def __init__(self, served: Mapping[str, Served], known: Mapping[str, str]) -> None:
        self.served = served
        self.known = known

    @contextlib.contextmanager
    def visit(self, browser: Browser, place: Place, **options: Any) -> Iterator[Page]:
        """A window of its own that shows the place."""
        from tests.support import contexts  # many use the tour without a browser

        base_url = self.served[place.within].url
        options = {"viewport": WIDE, **options}
        with contexts.fresh(browser, base_url=base_url, locale="en-GB", **options) as context:
            page = context.new_page()
            self.show(page, place)
            yield page

    def status(self, place: Place) -> int:
        """The HTTP status of the place, without a browser."""
        path = place.path.format_map(self.known)
        with httpx.Client(base_url=self.served[place.within].url, timeout=60) as client:
            answer = client.get(path) if place.form is None else client.post(path, data=dict(place.form))
        return answer.status_code

    def show(self, page: Page, place: Place) -> None:
        """Show the place in an existing window."""
        path = place.path.format_map(self.known)
        if place.form is None:
            page.goto(path)
            return
        # Whatever is of the same origin may post it; this has nothing to load.
        page.goto("/static/manifest.json")
        with page.expect_navigation():
            page.evaluate(_POST, [path, place.form])


@contextlib.contextmanager
def prepared(folder: Path, **environment: str) -> Iterator[Tour]:
    """Serve workspaces in which every place is to be found, until the block ends."""
    with contextlib.ExitStack() as stack:
        served: dict[str, Served] = {}
        for name, options in {"full": [], "fresh": [], "guarded": ["--token", TOKEN]}.items():
            (folder / name).mkdir()
            served[name] = stack.enter_context(serving(folder / name, options, **environment))
        shop = Shop()
        shop.url = stack.enter_context(receiver(shop.act)).url
        with httpx.Client(base_url=served["full"].url, timeout=60) as client:
            known = _History(served["full"], shop, client).made()
        yield Tour(served, known)


def _of_cancels() -> list[str]:
    """The ids of the shipped scenarios that only cancel."""
    files = sorted((resources.fixtures_dir() / "scenarios").glob("*.scenario.json"))
    read = {path.name: json.loads(path.read_text()) for path in files}
    return [
        f"shipped:{name}"
        for name, each in read.items()
        if each["action"] == "order_cancel" and not any("action" in step for step in each["steps"])
    ]


_OWN = ("cancel", "refused", "lost", "nothing")
RUN = [*(f"scenarios/{name}.scenario.json" for name in _OWN), *_of_cancels()]
"""The ids of the scenarios that are run."""


class _History:
    """Makes everything happen that a place shows."""

    def __init__(self, served: Served, shop: Shop, client: httpx.Client) -> None:
        self._served = served
        self._shop = shop
        self._http = client
        self._workspace = Workspace(served.workspace)
        self._forms = 0

    def made(self) -> dict[str, str]:
        self._receivers()
        self._scenarios()
        # All that ship would make each list longer, and each look at it take longer.
        picked = {"do": "selected", "pick": RUN}
        self._run("shop", **picked)
        self._shop.answer = _CAME
        known = {"run": self._run("shop", **picked), "written": self._written()}
        known["foreign"] = self._foreign(known["run"])
        self._post(f"/runs/{known['written']}/pin", do="pin")
        known |= self._deliveries()
        known |= self._reviews()
        known["probe"] = self._probe(known)
        self._post("/receivers/use", url="http://127.0.0.1:9/pasted")
        self._relay()
        known["running"] = self._started("hanging", do="listed")
        return known

    def _receivers(self) -> None:
        long = "the one with a rather long name that somebody once gave it"
        url = self._served.stand_in
        for each in [
            Receiver("shop", self._shop.url, variables={"order_id": "4897"}),
            Receiver(
                "live", "https://shop.example/retailops", protected=True, auth=Basic("till", "${env:TILL}")
            ),
            Receiver("hanging", f"{url}/misbehave/hang", timeout_ms=_DAY),
            Receiver("page-500", f"{url}/misbehave/html-500"),
            Receiver("nobody", f"http://127.0.0.1:{unused_port()}"),
            Receiver(long, "http://localhost:8000/" + "a/rather/long/path/" * 8),
            Receiver("doomed", "http://localhost:8001"),
        ]:
            self._workspace.save_receiver(each, is_default=each.name == "shop")
        self._http.post("/receivers/delete", data={"name": "doomed"})

    def _scenarios(self) -> None:
        fixture = {"fixture": "default"}
        lost = [
            {
                "name": "take",
                **fixture,
                "expect": {"status": 200},
                "capture": {"code": "/events/7/error_code"},
            },
            {"name": "use", **fixture, "set": {"/data/order/id": "${code}"}, "expect": {"status": 200}},
        ]
        long = "A name that goes on and on, to see what it does to the lists and the tables that show it " * 2
        for name, title, steps, tags in [
            ("cancel", "An order is cancelled", [{**fixture, "expect": {"status": 200}}], ["smoke"]),
            (
                "refused",
                "A shipped order is refused",
                [{**fixture, "expect": _EXPECTED}],
                ["refusal", "smoke"],
            ),
            ("lost", long.strip(), lost, ["captures", "a-tag-that-is-long-for-a-tag"]),
            ("nothing", "Nothing is expected", [{**fixture, "expect": None}], []),
        ]:
            self._workspace.save_scenario(name, json.dumps({"name": title, "steps": steps, "tags": tags}))
        broken = self._served.workspace / "scenarios" / "broken.scenario.json"
        broken.write_text('{\n "steps": [{"fixtrue": "default"}]\n}\n')

    # --- what a person does ---

    def _post(self, path: str, **fields: Any) -> str:
        """Post a form; the address that the answer redirects to."""
        self._forms += 1
        answer = self._http.post(path, data={"form_id": f"form-{self._forms}", **fields})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def _send(self, to: str, url: str, expectation: Any = None, **fields: str) -> str:
        """Send a payload; the delivery's id."""
        path = resources.fixtures_dir() / "order_cancel" / "draft" / "default.json"
        typed = {**_COMPOSED, "payload": path.read_text(), "receiver": to, "shown": f"{url}/order_cancel"}
        if expectation is not None:
            typed["expectation"] = json.dumps(expectation)
        return self._post("/send", **{**typed, **fields}).rpartition("/")[2]

    def _send_of(self, action: str, to: str, url: str, expectation: Any = None, **changes: Any) -> str:
        """Send the example of another action; the delivery's id."""
        example = json.loads(resources.contract_text(f"{action}.v1"))["examples"]["request"]
        example.pop("integration_auth_token", None)
        fields = {"action": action, "edition": "v1", "payload": json.dumps({**example, **changes}, indent=2)}
        return self._send(to, url, expectation, **fields, shown=f"{url}/{action}_v1")

    def _started(self, to: str, **fields: Any) -> str:
        """Start a run; its id."""
        part = self._http.post("/scenarios", data={"receiver": to}, headers={"HX-Target": "target"})
        seen = re.search(r'name="shown" value="([^"]*)"', part.text)
        assert seen is not None, part.text
        there = self._post("/scenarios/run", receiver=to, shown=html.unescape(seen[1]), **fields)
        return there.rpartition("/")[2]

    def _run(self, to: str, **fields: Any) -> str:
        id = self._started(to, **fields)
        self._ended(f"/runs/{id}")
        return id

    def _ended(self, path: str) -> None:
        with self._http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())

    # --- what is in the log ---

    def _deliveries(self) -> dict[str, str]:
        url, hanging = self._served.stand_in, "/misbehave/hang"
        nobody = self._workspace.receivers().named("nobody").base_url
        known = {
            "passed": self._send("stand-in", url, _NOTHING),
            "failed": self._send("shop", self._shop.url, _EXPECTED),
            "errored": self._send("nobody", nobody, _NOTHING),
            "recorded": self._send("shop", self._shop.url),
            "config": self._send_of("catalog_get_config", "stand-in", url),
            "stock": self._send_of(
                "inventory_push", "shop", self._shop.url, _NOTHING, inventory_updates=_STOCK
            ),
            "page_500": self._send("page-500", f"{url}/misbehave/html-500", _NOTHING),
            "off_contract": self._send(
                "shop", self._shop.url, _NOTHING, off_contract="yes", payload='{"version": "one"}'
            ),
        }
        for id in known.values():
            self._ended(f"/deliveries/{id}")
        return {**known, "flying": self._send("hanging", f"{url}{hanging}", _NOTHING)}

    def _probe(self, known: Mapping[str, str]) -> str:
        """Keep the report of a probe with some of the known deliveries; the id of its run."""
        run = "20261129T040000Z-aaaaaa"
        seen = (known["page_500"], known["failed"], known["errored"])
        smallest = msgspec.structs.replace(CRASH.smallest, delivery=known["page_500"])
        crash = msgspec.structs.replace(CRASH, smallest=smallest, deliveries=seen)
        KeptReports(self._workspace).save(
            probe_report(run=run, receiver="shop", url=self._shop.url, findings=(crash, NULL_ARRAY, PATHS))
        )
        return run

    def _written(self) -> str:
        """Run a scenario and accept all differences of its answer."""
        path = "scenarios/mended.scenario.json"
        step = {"fixture": "default", "expect": _EXPECTED}
        self._workspace.save_scenario("mended", json.dumps({"name": "Mended", "steps": [step]}, indent=1))
        run = self._run("shop", do="selected", pick=path)
        review = f"/runs/{run}/review"
        where = review
        for number in range(1, 100):
            where = self._post(review, at=str(number), do="accept")
            if where.endswith("/changes"):
                break
        shown = re.search(r'name="shown" value="([^"]*)"', self._http.get(where).text)
        assert shown is not None
        self._post(where, shown=shown[1])
        return run

    def _foreign(self, run: str) -> str:
        """Open a run file from elsewhere that has a long name, merged of shards; the id of its run."""
        id = "20200101T000000Z-cccccc"
        document = json.loads(self._http.get(f"/runs/{run}/export/run").text.replace(run, id))
        head = document["run"]["1"]
        for number, result in enumerate(document["results"].values()):
            result["shard"] = 1 + 2 * (number % 2)
        shard = {"run": "20200101T000000Z-dddddd", "started_at": head["started_at"], "scenarios": 200}
        ended = {"finished_at": head["finished_at"], "results": 200}
        head |= {"divided_into": 3, "shards": [{"number": 1, **shard, **ended}, {"number": 3, **shard}]}
        name = "the-file-that-the-job-of-last-night-kept-as-an-artifact.json"
        self._http.post("/runs/open", files={"file": (name, json.dumps(document).encode())})
        return id

    def _reviews(self) -> dict[str, str]:
        """Make three reviews of recorded deliveries, by name: an open, a saved and a discarded one."""
        log = self._http.get("/deliveries").text
        selected = list(dict.fromkeys(re.findall(r'name="delivery" value="([^"]+)"', log)))[:4]
        known = {
            name: self._post("/record/from-log", delivery=selected)
            for name in ("review", "saved", "discarded")
        }
        self._post(known["saved"], do="save", name="Recorded", file="recorded", keep=selected)
        self._post(known["discarded"], do="discard")
        return known

    def _relay(self) -> None:
        """Start a relay, and send requests through it."""
        self._post("/record/start", receiver="shop", bind="127.0.0.1", port="0")
        page = self._http.get("/record").text
        found = re.search(r'id="relay-url">([^<]+)<', page)
        assert found is not None, page
        url = html.unescape(found[1]).rstrip("/")
        with httpx.Client(timeout=60) as caller:
            caller.post(f"{url}/order_cancel", json={"version": 1})
            caller.post(f"{url}/order_cancel?a=" + "long" * 40, content=b"this is no JSON")
