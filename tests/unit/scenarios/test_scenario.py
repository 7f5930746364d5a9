"""scenario.py: every mistake in a file is one line with its place."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Deliver, Expectation, Number, ObjectCapture, Repetition, Scenario, Step
from retailops_sandbox.scenarios import scenario


def step(**fields: object) -> dict[str, object]:
    return {"fixture": "default", **fields}


def text(*steps: dict[str, object], **fields: object) -> str:
    return json.dumps({"format": 1, "name": "n", "steps": list(steps), **fields}, indent=1)


def wired(of: dict[str, object] | None = None, /, **wire: object) -> str:
    """A file of one step with this wire."""
    one = step() if of is None else of
    deliver = one.get("deliver", {})
    assert isinstance(deliver, dict)
    return text({**one, "deliver": {**deliver, "wire": wire}})


def read(source: str) -> scenario.Plan:
    return scenario.read(source, id="scenarios/x.scenario.json", file="x.scenario.json")


def test_steps_without_a_name_get_one():
    assert [each.name for each in read(text(step(), step(name="b"), step())).scenario.steps] == [
        "step 1",
        "b",
        "step 3",
    ]


def test_numbers_keep_their_spelling():
    plan = read('{"steps": [{"fixture": "f", "set": {"/a": 35.00}, "expect": {"body": {"n": 1e5}}}]}')
    value = plan.scenario.steps[0].set["/a"]
    assert isinstance(value, Number)
    assert value.spelling == "35.00"


def test_a_step_knows_its_line():
    plan = read('{\n "steps": [\n  {"fixture": "a"},\n  {"fixture": "b"}\n ]\n}')
    assert [plan.line(0), plan.line(1)] == [3, 4]


@pytest.mark.parametrize(
    ("source", "pointer", "says"),
    [
        ("{", None, "expected"),
        ('{"steps": [], "steps": []}', "/steps", "steps"),
        (text(), "/steps", "no steps"),
        (text(step(fixtrue="x")), "/steps/0/fixtrue", "fixture"),
        (text(step(), speed=1), "/speed", "speed"),
        (text({"name": "nothing"}), "/steps/0", "none of them"),
        (text(step(raw="x")), "/steps/0", "fixture and raw"),
        (text({"raw": "x", "set": {"/a": 1}}), "/steps/0/raw", "set or remove"),
        (text(step(name="a"), step(name="a")), "/steps/1/name", "step 1 is named 'a' too"),
        (text(step(set={"a/b": 1})), "/steps/0/set/a~1b", "must start with /"),
        (text(step(remove=["/a~2"])), "/steps/0/remove/0", "~"),
        (text(step(capture={"code": "events"})), "/steps/0/capture/code", "must start with /"),
        (text(step(capture={"all": "/a/*", "code": "events"})), "/steps/0/capture/code", "must start with /"),
        (text(step(capture={"code": 7})), "/steps/0/capture/code", ""),
        (text(step(capture={"all": {"path": "/a/*"}})), "/steps/0/capture/all", "members"),
        (text(step(capture={"all": {"path": "/a/*", "members": {}}})), "/steps/0/capture/all/members", ""),
        (
            text(step(capture={"all": {"path": "a", "members": {"id": "/id"}}})),
            "/steps/0/capture/all/path",
            "must start with /",
        ),
        (
            text(step(capture={"all": {"path": "/a/*", "members": {"id": "id"}}})),
            "/steps/0/capture/all/members/id",
            "must start with /",
        ),
        (
            text(step(capture={"a": "/a"}, repeat_while={"captured": "b", "at_most": 2})),
            "/steps/0/repeat_while/captured",
            "the step does not capture 'b'",
        ),
        (
            text(step(capture={"a": "/a"}, repeat_while={"captured": "a"})),
            "/steps/0/repeat_while",
            "at_most",
        ),
        (
            text(step(capture={"a": "/a"}, repeat_while={"captured": "a", "at_most": 0})),
            "/steps/0/repeat_while/at_most",
            "at least 1 and at most 1,000",
        ),
        (
            text(step(capture={"a": "/a"}, repeat_while={"captured": "a", "at_most": 2}, expect=[{}])),
            "/steps/0/expect",
            "has one expectation",
        ),
        (text(step(action=1)), "/steps/0/action", ""),
        (text(step(edition=["v1"])), "/steps/0/edition", ""),
        (
            text(step(deliver={"times": 0})),
            "/steps/0/deliver/times",
            "must be at least 1 and at most 100,000",
        ),
        (text(step(deliver={"parallel": 1001})), "/steps/0/deliver/parallel", "at least 1 and at most 1,000"),
        (
            text(step(deliver={"delay_ms": -1})),
            "/steps/0/deliver/delay_ms",
            "at least 0 and at most 86,400,000",
        ),
        (text(step(deliver={"timeout_ms": 0})), "/steps/0/deliver/timeout_ms", "at least 1 and at most 86,4"),
        (text(step(deliver={"drop_after_ms": 1e9})), "/steps/0/deliver/drop_after_ms", "at most 86,400,000"),
        (text(step(deliver={"time": 2})), "/steps/0/deliver/time", "times"),
        (text(step(expect=[{}, {}])), "/steps/0/expect", "2 expectations for 1 deliver"),
        (text(step(expect=[{}, {}], deliver={"times": 2, "parallel": 2})), "/steps/0/expect", "parallel 1"),
        (text(step(expect={"rules": {"/a": {"regex": "("}}})), "/steps/0/expect/rules/~1a", ""),
        (text(step(expect={"rules": {"/a": "ignroe"}})), "/steps/0/expect/rules/~1a", "ignore"),
        (text(step(expect={"rules": {"a": "any"}})), "/steps/0/expect/rules/a", "/"),
        (text(step(expect={"headers": {"X": {"regex": "["}}})), "/steps/0/expect/headers/X", ""),
        (text(step(expect={"fault": "timeout"})), "/steps/0/expect/fault", "timeout"),
        (
            text(step(expect={"status": "4x"})),
            "/steps/0/expect/status",
            "'4x' is no class of statuses (a class",
        ),
        (text(step(expect={"status": "404"})), "/steps/0/expect/status", "a status is a number such as 404"),
        (text(step(expect={"status": [200, "6xx"]})), "/steps/0/expect/status/1", "'6xx' is no class"),
        (
            text(step(expect=[{}, {"status": "0xx"}], deliver={"times": 2})),
            "/steps/0/expect/1/status",
            '"1xx" to "5xx"',
        ),
        (text(step(expect={"status": [1.5]})), "/steps/0/expect/status/0", ""),
        (text(step(together=True)), "/steps/0/together", "no step before the first"),
        (text(step(), step(together="yes")), "/steps/1/together", "true or false"),
        (
            text(
                step(capture={"a": "/a"}, repeat_while={"captured": "a", "at_most": 2}), step(together=True)
            ),
            "/steps/0/repeat_while",
            "is done once (leave it out, or together)",
        ),
        (
            text(
                step(name="first", capture={"code": "/a"}),
                step(together=True),
                step(together=True, set={"/x": [{"y/z": "is ${code}"}]}),
            ),
            "/steps/2/set/~1x/0/y~1z",
            "${code} is captured by 'first', which is sent at the same time",
        ),
        (
            text(step(deliver={"headers": {"X": "${code}"}}), step(together=True, capture={"code": "/a"})),
            "/steps/0/deliver/headers/X",
            "captured by 'step 2'",
        ),
        (text(step(), format=2), "/format", "2"),
        (text(step(expect={"max_ms": "fast"})), "/steps/0/expect/max_ms", ""),
    ],
)
def test_a_mistake_is_told_with_file_line_and_pointer(source: str, pointer: str | None, says: str):
    with pytest.raises(SourceError) as caught:
        read(source)
    error = caught.value
    assert error.file == "x.scenario.json"
    assert error.line >= 1
    if pointer is not None:
        assert error.pointer == pointer
    assert says in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("source", "field", "says"),
    [
        (wired(headers=["A: b", "no line"]), "headers/1", "a header line begins with a name and a colon"),
        (wired(headers=["A b: c"]), "headers/0", "write it as Name: value"),
        (wired(headers=["A : c"]), "headers/0", "a header line begins with a name and a colon"),
        (wired(headers=["A: b\r\nC: d"]), "headers/0", "has a line break"),
        (wired(method="GET /"), "method", "'GET /' is not an HTTP method"),
        (wired(method=""), "method", "is not an HTTP method"),
        (wired(path="x"), "path", "a path begins with /, or is *"),
        (wired(path="*/x"), "path", "write / for the root"),
        (wired(path="/a\nb"), "path", "no control characters"),
        (wired(http="2"), "http", "1.1"),
        (wired(chunked=0), "chunked", "must be at least 1"),
        (wired(compressed="br"), "compressed", "gzip"),
        (wired(charset="utf-8"), "charset", "is not a value of this field"),
        (wired(twice="data"), "twice", "must start with /"),
        (wired(twice=""), "twice", "name a member of an object"),
        (wired(break_off_after=-1), "break_off_after", "must be at least 0"),
        (wired({"raw": "x"}, twice="/a"), "twice", "write the member twice in raw"),
        (wired(http="1.0", chunked=3), "chunked", "HTTP/1.0 has no chunks"),
        (wired(http="1.0", expect_continue=True), "expect_continue", "HTTP/1.0 has no Expect"),
    ],
)
def test_a_mistake_in_how_a_request_is_spelled_is_told_at_its_place(source: str, field: str, says: str):
    with pytest.raises(SourceError) as caught:
        read(source)
    error = caught.value
    assert (error.file, error.pointer) == ("x.scenario.json", f"/steps/0/deliver/wire/{field}")
    assert error.line > 1
    assert says in str(error)


def test_a_path_and_header_lines_may_hold_placeholders():
    made = read(wired(path="${where}/x", headers=["X-Order: ${order}"])).scenario.steps[0].deliver.wire
    assert made is not None
    assert made.path == "${where}/x"
    assert read(wired(path="*")).scenario.steps[0].deliver.wire is not None


def test_a_step_is_of_its_own_contract_or_else_of_the_files():
    plan = read(
        text(step(), step(edition="v1"), step(action="order_pull"), step(action="a", edition="b"), step())
    )
    whole = plan.scenario
    found = [("order_cancel", "draft"), ("order_cancel", "v1"), ("order_pull", "draft"), ("a", "b")]
    assert [whole.contract_of(each) for each in whole.steps] == [*found, found[0]]
    assert whole.contracts == found


def test_a_chain_of_steps_that_are_sent_at_the_same_time_is_a_group():
    whole = read(text(step(), step(), step(together=True), step(together=True), step())).scenario
    assert whole.groups == [range(1), range(1, 4), range(4, 5)]


def test_what_one_group_captures_a_later_step_may_use():
    whole = read(
        text(
            step(capture={"code": "/a"}),
            step(together=True, raw="${code}", fixture=None),
            step(set={"/x": "${code}"}),
        )
    )
    assert len(whole.scenario.groups) == 2


def test_an_expectation_is_checked_like_one_in_a_file():
    assert scenario.expectation('{"body": {"events": []}}').body == {"events": []}
    with pytest.raises(SourceError) as caught:
        scenario.expectation('{"rules": {"/events/*/code": {"regexp": "x"}}}')
    assert caught.value.pointer == "/rules/~1events~1*~1code"


# --- spelling a file ---

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2).map(
    lambda each: Number(f"{each:f}")
)
values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
pointers = st.lists(st.sampled_from(["a", "b", "0", "~1"]), max_size=3).map(
    lambda tokens: "".join(f"/{token}" for token in tokens)
)
expectations = st.builds(
    Expectation,
    status=st.none() | st.integers(100, 599),
    body=values | st.just(msgspec.UNSET),
    rules=st.dictionaries(pointers, st.sampled_from(["ignore", "uuid", {"type": "string"}]), max_size=3),
    contract=st.booleans(),
)
bodies = st.one_of(
    st.fixed_dictionaries({"fixture": names, "set": st.dictionaries(pointers, values, max_size=3)}),
    st.fixed_dictionaries({"payload": values}),
    st.fixed_dictionaries({"raw": names, "deliver": st.builds(Deliver, content_type=names)}),
)
paths = st.lists(st.sampled_from(["a", "*", "0", "~1"]), max_size=3).map(
    lambda tokens: "".join(f"/{token}" for token in tokens)
)
captures = paths | st.builds(
    ObjectCapture, path=paths, members=st.dictionaries(names, paths, min_size=1, max_size=2)
)


@st.composite
def captured(draw: st.DrawFn) -> dict[str, object]:
    """The members of a step that capture, and repeat it while one of the values is not empty."""
    found = draw(st.dictionaries(names, captures, max_size=3))
    watched = draw(st.none() | st.sampled_from(sorted(found))) if found else None
    if watched is None:
        return {"capture": found}
    return {
        "capture": found,
        "repeat_while": Repetition(captured=watched, at_most=draw(st.integers(1, 1000))),
    }


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    bodies_drawn = draw(st.lists(bodies, min_size=1, max_size=3))
    steps = [
        Step(
            name=f"{draw(names)}{number}",
            expect=draw(st.none() | expectations),
            off_contract=draw(st.booleans()),
            action=draw(st.none() | names),
            edition=draw(st.none() | names),
            **draw(captured()),
            **body,
        )
        for number, body in enumerate(bodies_drawn)
    ]
    return Scenario(
        schema=draw(names),
        name=draw(names),
        tags=draw(st.lists(names, max_size=3)),
        edition=draw(st.sampled_from(["draft", "v1"])),
        variables=draw(st.dictionaries(names, values, max_size=2)),
        steps=steps,
    )


@given(scenarios())
def test_a_scenario_that_is_spelled_and_read_is_the_same(original: Scenario):
    written = scenario.spelled(original)
    again = read(written).scenario
    assert again == original
    assert scenario.spelled(again) == written  # also each number, which equality does not mind


def test_a_spelled_file_is_for_reading():
    step = Step(
        name="cancel",
        fixture="default",
        set={"/data/order/grand_total": Number("35.00")},
        expect=Expectation(status=200, body={"events": []}),
    )
    assert scenario.spelled(Scenario(name="Recorded", tags=["recorded"], steps=[step])) == (
        """{
  "format": 1,
  "name": "Recorded",
  "tags": ["recorded"],
  "action": "order_cancel",
  "edition": "draft",
  "steps": [
    {
      "name": "cancel",
      "fixture": "default",
      "set": {"/data/order/grand_total": 35.00},
      "expect": {
        "status": 200,
        "body": {"events": []}
      }
    }
  ]
}
"""
    )


@pytest.mark.parametrize("name", ["already-shipped", "payments", "duplicate"])
def test_a_shipped_scenario_is_spelled_as_what_it_is(name: str):
    from retailops_sandbox import resources

    text = (resources.fixtures_dir() / "scenarios" / f"draft-{name}.scenario.json").read_text(
        encoding="utf-8"
    )
    spelled = scenario.spelled(read(text).scenario)
    assert jsontext.parse(spelled) == jsontext.parse(text)
