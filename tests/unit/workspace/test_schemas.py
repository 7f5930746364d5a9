"""schemas.py: what an editor is told of a file is what its reader takes."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retailops_sandbox import resources
from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.contracts import contract
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.model import Basic, Bearer, Netrc, Receiver
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.workspace import schemas
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import documents
from tests.support.contracts import ACTION, EDITION, contract_document, with_own

NAMED = {"order_cancel": ["default", "mine"], "order_pull": ["second-page"]}


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    schema = schemas.everything(SHIPPED_CONTRACTS, NAMED)[name + schemas.SUFFIX]
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.validator_for(schema)


def mistakes(name: str, document: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in validator(name).iter_errors(document)]


def is_read(document: Any) -> bool:
    try:
        scenario.read(json.dumps(document), id="", file="f")
    except SandboxError:
        return False
    return True


# --- scenarios ---------------------------------------------------------------------------------------------

SCENARIOS = sorted(resources.fixtures_dir().glob("scenarios/*.json"))
OWN_EXPECTATIONS = sorted(resources.fixtures_dir().glob("order_cancel/*/*.expect.json"))
FIXTURES = sorted({*resources.fixtures_dir().glob("order_cancel/*/*.json")} - {*OWN_EXPECTATIONS})


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_the_shipped_scenarios_are_valid(path: Path):
    assert mistakes("scenario", json.loads(path.read_text())) == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_shipped_fixtures_are_valid_for_their_edition_alone(path: Path):
    document = json.loads(path.read_text())
    action = path.parent.parent.name
    editions = [edition for each, edition in SHIPPED_CONTRACTS.names if each == action]
    valid = [edition for edition in editions if not mistakes(f"fixture.{action}.{edition}", document)]
    assert valid == [path.parent.name]


@pytest.mark.parametrize("path", OWN_EXPECTATIONS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_shipped_expectations_are_valid(path: Path):
    assert mistakes("expectation", json.loads(path.read_text())) == []


POINTERS = st.sampled_from(["", "/a", "/b", "/c/d", "/a/*/b", "/a~1b/0/-", "a", "/a~", "$.a", "/~2"])
WORDS = st.sampled_from(["", "x", "${x}", "default"])
NUMBERS = st.sampled_from([1, 1, 1, 2, 2, 1_000, 0, -1, 100_001, 10**9, 1.5])
VALUES = st.sampled_from([None, True, 0, 1.5, "x", [], ["x"], {}, {"a": 1}])
RULES = VALUES | st.sampled_from(
    [
        *matchers.MATCHERS,
        *({word: argument} for word in matchers.MATCHERS for argument in (
            "x", "string", "allow", True, [], ["x"], [0, None], [None, 1, 2], [None, None], {"a": 1},
            {"a": {"regex": "x"}}, {"a": {"regx": "x"}}, {"a": "unordered"}, None)),
        {"type": "string", "regex": "x"},
        {"regex": "^(?P<x>[a-z]+)$"},
    ]
)  # fmt: skip


def record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields, now and then with a value that is none of theirs."""
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(each, each, each, VALUES) for name, each in fields.items()}
    )


EXPECTATIONS = record(
    status=st.sampled_from([200, [200, 201], "200", [1.5], "4xx", [200, "4xx"], "4XX", "6xx", ["4xx "]]),
    max_ms=NUMBERS,
    headers=st.dictionaries(WORDS, RULES, max_size=1),
    body=VALUES,
    rules=st.dictionaries(POINTERS, RULES, max_size=1),
    contract=st.booleans(),
    fault=st.sampled_from(["refused", "connect timeout", "slow"]),
)
WIRES = record(
    method=st.sampled_from(["PUT", "get", "GET /", "", "${method}"]),
    path=st.sampled_from(["/x?y=1", "*", "x", "/a b", "*/a", "", "/\n", "${x}", "http://a"]),
    http=st.sampled_from(["1.0", "1.1", "2"]),
    headers=st.lists(st.sampled_from(["a: b", "A:", "a", "a : b", "a: b\nc: d", "X: \xe9"]), max_size=2),
    chunked=NUMBERS,
    compressed=st.sampled_from(["gzip", "br"]),
    charset=st.sampled_from(["utf-16", "utf-8"]),
    twice=POINTERS,
    expect_continue=st.booleans(),
    bytes_per_second=NUMBERS,
    break_off_after=NUMBERS,
)
DELIVERS = record(
    wire=WIRES,
    times=NUMBERS,
    parallel=NUMBERS,
    delay_ms=NUMBERS,
    timeout_ms=NUMBERS,
    headers=st.dictionaries(WORDS, WORDS, max_size=1),
    content_type=WORDS,
    drop_after_ms=NUMBERS,
)
CAPTURES = POINTERS | record(path=POINTERS, members=st.dictionaries(WORDS, POINTERS, max_size=2))
STEPS = record(
    name=WORDS,
    fixture=WORDS,
    payload=VALUES,
    raw=WORDS,
    remove=st.lists(POINTERS, max_size=2),
    set=st.dictionaries(POINTERS, VALUES, max_size=1),
    deliver=DELIVERS,
    expect=EXPECTATIONS | st.lists(EXPECTATIONS, max_size=2),
    action=st.sampled_from(["order_cancel", "order_pull", None]),
    edition=st.sampled_from(["draft", "v1", None]),
    capture=st.dictionaries(WORDS, CAPTURES, max_size=1),
    repeat_while=record(captured=WORDS, at_most=NUMBERS),
    together=st.booleans(),
    off_contract=st.booleans(),
)
DOCUMENTS = record(
    **{"$schema": WORDS},
    format=st.sampled_from([1, 2]),
    name=WORDS,
    description=WORDS,
    tags=st.lists(WORDS, max_size=2),
    action=st.just("order_cancel"),
    edition=st.sampled_from(["draft", "v1"]),
    variables=st.dictionaries(WORDS, VALUES, max_size=1),
    steps=st.lists(STEPS, max_size=2),
)
LIKELY = st.fixed_dictionaries(
    {"fixture": st.just("default")},
    optional={"deliver": DELIVERS, "expect": EXPECTATIONS | st.lists(EXPECTATIONS, max_size=2)},
)
WIRED = st.fixed_dictionaries(
    {"fixture": st.just("default"), "deliver": st.fixed_dictionaries({"wire": WIRES})}
)


@given(DOCUMENTS | st.builds(lambda step: {"steps": [step]}, LIKELY | WIRED | STEPS))
def test_what_the_reader_takes_is_valid(document):
    # Of which contracts there are, the reader knows nothing: a run does.
    assume(document.get("action", "order_cancel") == "order_cancel")
    assume(document.get("edition", "draft") in ("draft", "v1"))
    if is_read(document):
        assert mistakes("scenario", document) == []


BEYOND = re.compile(
    "named .* too|expectations for|does not capture|is not a regular expression|is more than|at most one"
    "|no step before the first"
)
"""What a reader checks and JSON Schema cannot say."""


@given(st.builds(lambda step: {"steps": [step]}, LIKELY | WIRED | STEPS))
def test_what_is_valid_the_reader_takes(document):
    if mistakes("scenario", document):
        return
    try:
        scenario.read(json.dumps(document), id="", file="f")
    except SandboxError as error:
        said = str(error)
    else:
        return
    assert BEYOND.search(said), said


BROKEN: list[tuple[Any, str]] = [
    ([], "steps"),
    ({}, "steps"),
    ({"steps": []}, "no steps"),
    ({"steps": [{}]}, "none of the bodies"),
    ({"steps": [{"fixture": "a", "payload": 1}]}, "two bodies"),
    ({"steps": [{"fixture": "a", "raw": "x"}]}, "two bodies"),
    ({"steps": [{"raw": "x", "set": {"/a": 1}}]}, "raw with changes"),
    ({"steps": [{"fixtrue": "a"}]}, "misspelled"),
    ({"steps": [{"fixture": "a", "set": {"data": 1}}]}, "no pointer"),
    ({"steps": [{"fixture": "a", "remove": ["data"]}]}, "no pointer"),
    ({"steps": [{"fixture": "a", "capture": {"x": "data"}}]}, "no pointer"),
    ({"steps": [{"fixture": "a", "capture": {"x": {"path": "/a/*"}}}]}, "no members"),
    ({"steps": [{"fixture": "a", "capture": {"x": {"path": "/a/*", "members": {}}}}]}, "no members"),
    ({"steps": [{"fixture": "a", "capture": {"x": {"path": "a", "members": {"b": "/c"}}}}]}, "no pointer"),
    ({"steps": [{"fixture": "a", "repeat_while": {"captured": "x", "at_most": 2}}]}, "nothing captured"),
    (
        {"steps": [{"raw": "a", "capture": {"x": "/y"}, "repeat_while": {"captured": "x", "at_most": 0}}]},
        "never",
    ),
    (
        {
            "steps": [
                {
                    "fixture": "a",
                    "capture": {"x": "/y"},
                    "repeat_while": {"captured": "x", "at_most": 2},
                    "expect": [{}],
                }
            ]
        },
        "a list of expectations",
    ),
    ({"steps": [{"fixture": "a", "deliver": {"times": 0}}]}, "too few"),
    ({"steps": [{"fixture": "a", "deliver": {"timeout_ms": 0}}]}, "too short"),
    ({"steps": [{"fixture": "a", "expect": [{}], "deliver": {"parallel": 2}}]}, "in parallel"),
    ({"steps": [{"fixture": "a", "expect": {"rules": {"/a": "ignor"}}}]}, "no matcher"),
    ({"steps": [{"fixture": "a", "expect": {"rules": {"/a": "regex"}}}]}, "no argument"),
    ({"steps": [{"fixture": "a", "expect": {"rules": {"/a": {"ignore": 1}}}}]}, "an argument"),
    ({"steps": [{"fixture": "a", "expect": {"rules": {"/a": {"range": [1]}}}}]}, "half a range"),
    ({"steps": [{"fixture": "a", "expect": {"rules": {"a": "any"}}}]}, "no pointer"),
    ({"steps": [{"fixture": "a", "expect": {"headers": {"A": {"range": [1, 2]}}}}]}, "no matcher of headers"),
    ({"steps": [{"fixture": "a", "expect": {"headers": {"A": "ordered"}}}]}, "no matcher of headers"),
    ({"steps": [{"fixture": "a", "expect": {"fault": "slow"}}]}, "no fault"),
    ({"steps": [{"fixture": "a", "expect": {"status": "404"}}]}, "no class of statuses"),
    ({"steps": [{"fixture": "a", "expect": {"status": [200, "6xx"]}}]}, "no class of statuses"),
    (
        {
            "steps": [
                {"fixture": "a"},
                {
                    "fixture": "a",
                    "together": True,
                    "capture": {"x": "/y"},
                    "repeat_while": {"captured": "x", "at_most": 2},
                },
            ]
        },
        "repeated at once",
    ),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"headers": ["A : b"]}}}]}, "no header line"),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"headers": ["A: b\nC: d"]}}}]}, "two header lines"),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"method": "GET /"}}}]}, "no method"),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"path": "x"}}}]}, "no path"),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"twice": ""}}}]}, "no member"),
    ({"steps": [{"raw": "a", "deliver": {"wire": {"twice": "/a"}}}]}, "a member of raw bytes"),
    ({"steps": [{"fixture": "a", "deliver": {"wire": {"http": "1.0", "chunked": 1}}}]}, "old and chunked"),
    (
        {"steps": [{"fixture": "a", "deliver": {"drop_after_ms": 1, "wire": {"break_off_after": 1}}}]},
        "hung up on twice",
    ),
    ({"format": 2, "steps": [{"fixture": "a"}]}, "another format"),
]  # fmt: skip


@pytest.mark.parametrize(
    "document", [each for each, _ in BROKEN], ids=[f"{n} {why}" for n, (_, why) in enumerate(BROKEN)]
)
def test_a_broken_scenario_is_invalid(document: Any):
    assert mistakes("scenario", document)
    assert not is_read(document)


@pytest.mark.parametrize("field", ["action", "edition"])
def test_a_contract_that_there_is_not_is_invalid(field: str):
    assert mistakes("scenario", {field: "order_cancle", "steps": [{"fixture": "a"}]})
    assert mistakes("scenario", {"steps": [{"fixture": "a", field: "order_cancle"}]})


def offered(document: dict[str, Any], step: int) -> set[str]:
    """The fixtures that an editor offers for a step: those of each `then` whose `if` holds."""
    schema = schemas.scenario(SHIPPED_CONTRACTS, NAMED)

    def holds(condition: dict[str, Any], value: Any) -> bool:
        return jsonschema_rs.validator_for(condition).is_valid(value)

    of_steps = [each["then"] for each in schema["definitions"]["Step"]["allOf"]
                if holds(each["if"], document["steps"][step])]  # fmt: skip
    for each in schema["definitions"]["Scenario"]["allOf"]:
        items = each["then"]["properties"]["steps"]["items"]
        if holds(each["if"], document) and holds(items["if"], document["steps"][step]):
            of_steps.append(items["then"])
    choices = [each["properties"]["fixture"]["anyOf"] for each in of_steps if "fixture" in each["properties"]]
    return {name for choice in choices for option in choice for name in option.get("enum", ())}


def test_an_editor_offers_a_step_the_fixtures_of_its_action_and_takes_others():
    cancel, pull = set(NAMED["order_cancel"]), set(NAMED["order_pull"])
    steps = [{}, {"action": "order_pull"}, {"action": "order_cancel"}, {"action": None}]
    assert [offered({"steps": steps}, each) for each in range(4)] == [cancel, pull, cancel, cancel]
    of_pull = {"action": "order_pull", "steps": steps}
    assert [offered(of_pull, each) for each in range(4)] == [pull, pull, cancel, pull]
    assert mistakes("scenario", {"steps": [{"fixture": "of my own"}]}) == []


# --- the others --------------------------------------------------------------------------------------------


@given(EXPECTATIONS)
def test_what_the_reader_of_an_expectation_takes_is_valid(document):
    try:
        scenario.expectation(json.dumps(document))
    except SandboxError:
        return
    assert mistakes("expectation", document) == []


def test_receivers_as_the_workspace_writes_them_are_valid(tmp_path: Path):
    workspace = Workspace(tmp_path)
    workspace.save_receiver(
        Receiver(name="a", base_url="http://a", auth=Basic("u", "${env:P}"), timeout_ms=1)
    )
    bearer = Receiver(name="b", base_url="http://b", auth=Bearer("${env:T}"), protected=True)
    workspace.save_receiver(bearer, is_default=True)
    workspace.save_receiver(Receiver(name="c", base_url="http://c", auth=Netrc(), paths={"order_cancel": ""}))
    document = json.loads(workspace.receivers_file.read_text())
    assert mistakes("receivers", document) == []
    for broken in (
        {"name": "a"},
        {"name": "a", "base_url": "x", "auth": {"kind": "other"}},
        {"name": "a", "base_url": "x", "timeout_ms": 0},
        {"name": "a", "base_url": "x", "url": "y"},
    ):
        assert mistakes("receivers", {"receivers": {"1": broken}})
    assert mistakes("receivers", {"receiver": {}})


def test_a_fixture_may_hold_placeholders_and_nothing_else_of_a_wrong_type():
    payload = SHIPPED_CONTRACTS.load("order_cancel", "v1").examples.request
    name = "fixture.order_cancel.v1"
    assert mistakes(name, payload) == []
    assert mistakes(name, {**payload, "client_id": "${client}"}) == []
    assert mistakes(name, {**payload, "client_id": "497"})
    assert mistakes(name, {**payload, "client_id": "x${client}"})
    draft = SHIPPED_CONTRACTS.load("order_cancel", "draft").examples.request
    assert mistakes("fixture.order_cancel.draft", {**draft, "version": 1.0})


def test_every_field_is_described():
    for name, schema in schemas.everything(SHIPPED_CONTRACTS).items():
        for struct, definition in schema.get("definitions", {}).items():
            for field, value in definition.get("properties", {}).items():
                if struct not in ("Rule", "HeaderRule"):
                    assert value.get("description"), f"{name}: {struct}.{field}"


def test_every_matcher_is_told_with_an_example_that_it_takes():
    rules = schemas.scenario(SHIPPED_CONTRACTS)["definitions"]["Rule"]["oneOf"]
    examples = [example for rule in rules for example in rule.get("examples", [rule.get("const")])]
    told = [example if isinstance(example, str) else next(iter(example)) for example in examples]
    assert told == list(matchers.MATCHERS)
    compile_rules({f"/{number}": example for number, example in enumerate(examples)})


# --- what the documentation tells editors ------------------------------------------------------------------


def test_the_documented_settings_of_editors_name_every_schema_and_fit_the_files():
    section = documents.section("docs/workspace.md", "Completion in editors")
    (snippet,) = documents.blocks(section, "json")
    settings = json.loads(snippet)["json.schemas"]
    folder = "./.sandbox/schemas/"
    files = {each["url"].removeprefix(folder): each["fileMatch"] for each in settings}
    assert set(files) == set(schemas.everything(SHIPPED_CONTRACTS))
    for path in [*SCENARIOS, *FIXTURES, *OWN_EXPECTATIONS, Path("/w/receivers.json")]:
        kinds = [name for name, globs in files.items() if fits(globs, path)]
        wanted = {
            "scenarios": "scenario.schema.json",
            "w": "receivers.schema.json",
        }.get(path.parent.name, f"fixture.{path.parent.parent.name}.{path.parent.name}.schema.json")
        assert kinds == ["expectation.schema.json" if path in OWN_EXPECTATIONS else wanted], path


def fits(globs: list[str], path: Path) -> bool:
    """As editors match: some pattern fits, and of those with `!` before them none."""
    excluded = [glob[1:] for glob in globs if glob.startswith("!")]
    included = [glob for glob in globs if not glob.startswith("!")]
    return any(_fits(glob, path) for glob in included) and not any(_fits(glob, path) for glob in excluded)


def _fits(glob: str, path: Path) -> bool:
    """As editors match: `**` is any folders, `*` anything in a name."""
    pattern = "".join(
        {"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*)", glob)
    )
    return re.fullmatch(f"(?:.*/)?{pattern}", path.as_posix()) is not None


# --- contracts -------------------------------------------------------------------------------------------


def test_the_schema_of_contracts_takes_every_shipped_one_and_one_of_a_workspace():
    for name in resources.contract_names():
        assert mistakes("contract", json.loads(resources.contract_text(name))) == []
    assert mistakes("contract", contract_document()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"ok_statuses": ["200"]},
        {"unknown": 1},
        {"summary": None},
        {"request_schema": {"type": "object"}},
        {"auth": {"status": 401, "signature": {"algorithm": "md5", "encoding": "hex"}}},
    ],
)
def test_the_schema_of_contracts_refuses_what_its_reader_refuses(change: dict[str, object]):
    document = contract_document(**change)
    assert mistakes("contract", document)
    with pytest.raises(SourceError):
        contract.read(json.dumps(document))


def test_schemas_know_the_contracts_of_a_workspace():
    made = schemas.everything(with_own(contract_document()))
    assert f"fixture.{ACTION}.{EDITION}{schemas.SUFFIX}" in made
    known = made[f"scenario{schemas.SUFFIX}"]["definitions"]
    assert ACTION in known["Scenario"]["properties"]["action"]["enum"]
    assert ACTION in known["Step"]["properties"]["action"]["anyOf"][0]["enum"]
    broken = schemas.everything(with_own(contract_document(codes=["/nope"])))
    assert broken.keys() == schemas.everything(SHIPPED_CONTRACTS).keys()
