"""JSON text: what is refused and where, what survives, what an edit touches."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import jsontext
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Json, Number, Receiver, Scenario

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from(["35.00", "-0", "1E+5", "0.10", "-0.0", "12e-3"]).map(Number)
    | st.text(max_size=8)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
containers = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=4), values, max_size=4)


def written(value: Json, manner: str) -> str:
    """The value as different people write it."""
    if manner == "tight":
        return jsontext.compact(value).decode()
    if manner == "one line":
        return msgspec.json.format(jsontext.compact(value), indent=0).decode()
    if manner == "windows":
        return jsontext.pretty(value).replace("\n", "\r\n") + "\r\n"
    if manner == "tabs":
        return msgspec.json.format(jsontext.compact(value), indent=2).decode().replace("\n  ", "\n\t")
    return jsontext.pretty(value) + "\n"


manners = st.sampled_from(["tight", "one line", "windows", "tabs", "pretty"])


def spelled(value: Json) -> str:
    """The value with each number as it was spelled, and the order of keys left out."""
    return repr(
        _sorted(
            json.loads(jsontext.compact(value), parse_int=lambda s: "#" + s, parse_float=lambda s: "#" + s)
        )
    )


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _sorted(member)) for key, member in value.items())
    return [*map(_sorted, value)] if isinstance(value, list) else (type(value).__name__, value)


def refusal(text: bytes | str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        jsontext.parse(text, file="f.json")
    return caught.value


# --- Parsing -----------------------------------------------------------------------------------------


@given(values, manners)
def test_what_is_written_is_read_back_as_it_was_spelled(value: Json, manner: str) -> None:
    text = written(value, manner)
    assert jsontext.compact(jsontext.parse(text)) == jsontext.compact(value)
    assert jsontext.compact(jsontext.parse(text.encode())) == jsontext.compact(value)


@given(st.lists(st.tuples(st.text('a:"\u00e9', max_size=2), st.text('a:"\u00e9', max_size=2))), st.booleans())
def test_a_key_that_comes_twice_is_refused_whatever_colons_are_about(
    members: list[tuple[str, str]], escaped: bool
) -> None:
    def spelled(text: str) -> str:
        return json.dumps(text).replace(":", "\\u003a") if escaped else json.dumps(text, ensure_ascii=False)

    text = "{" + ", ".join(f"{spelled(key)} : {spelled(value)}" for key, value in members) + "}"
    if len(dict(members)) == len(members):
        assert jsontext.parse(text) == dict(members)
    else:
        assert refusal(text).what.startswith("duplicate key")


def test_numbers_keep_value_and_spelling() -> None:
    read = jsontext.parse("[35.00, 1E+5, -0, 35, 123456789012345678901234567890, -0.5, 1e9999]")
    assert jsontext.compact(read) == b"[35.00,1E+5,-0,35,123456789012345678901234567890,-0.5,1e9999]"
    assert isinstance(read, list)
    assert [type(item) for item in read] == [Number, Number, Number, int, int, Number, Number]


def test_a_number_may_be_long_but_not_longer() -> None:
    longest = "9" * jsontext.MAX_DIGITS
    assert jsontext.parse(f"[-{longest}]") == [-int(longest)]
    assert jsontext.parse(f"[0.{longest[1:]}]") == [Number(f"0.{longest[1:]}")]


@pytest.mark.parametrize("digits", [1001, 1499, 1500, 4300, 4301, 10_000])
@pytest.mark.parametrize("before", [0, 1, 499, 777])
def test_too_many_digits_are_refused_wherever_they_stand(digits: int, before: int) -> None:
    error = refusal(" " * before + "[" + "7" * digits + "]")
    assert "more than 1,000 digits" in error.what
    assert (error.column, error.pointer) == (before + 2, "/0")


def test_long_digits_inside_a_string_are_text() -> None:
    text = "7" * 5000
    assert jsontext.parse(f'["{text}", 1]') == [text, 1]


def test_depth_counts_brackets_and_not_those_inside_strings() -> None:
    deepest = "[" * jsontext.MAX_DEPTH + "]" * jsontext.MAX_DEPTH
    assert jsontext.parse(deepest) is not None
    assert jsontext.parse('["' + "[{" * 500 + '\\"[", "\\\\", "]"]') is not None
    assert jsontext.parse('["\\"' + "[" * 500 + '"]') is not None
    assert jsontext.parse("[" + "{}," * 500 + "[]]") is not None
    assert "nested deeper than 200" in refusal("[" + deepest + "]").what


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_a_hostile_depth_is_an_ordinary_error(text: str) -> None:
    assert "nested deeper" in refusal(text).what


def test_surrogate_pairs_are_characters_and_halves_are_not() -> None:
    assert jsontext.parse(r'["\ud83d\uDE00", "\\ud83d"]') == ["😀", r"\ud83d"]
    for half in (r"\ud83d", r"\uD83D", r"\ude00", r"\ud83d\u0041", r"\ude00\ud83d", r"\\\ud83d"):
        assert "half of a surrogate pair" in refusal(f'{{"a": "{half}"}}').what
        assert "half of a surrogate pair" in refusal(f'{{"{half}": 1}}').what


@pytest.mark.parametrize(
    ("text", "place", "what", "mend"),
    [
        ("", (1, 1, ""), "the text is empty", "write"),
        ("{", (1, 2, ""), "expected a key in double quotes, found the end", "cut off"),
        ('{"a": 1,\n}', (1, 8, "/a"), "a comma before }", "remove the comma"),
        ("[1,\n 2,\n]", (2, 3, "/1"), "a comma before ]", "remove the comma"),
        ("[1,,2]", (1, 4, "/1"), "expected a value, found ,", ""),
        ("{'a': 1}", (1, 2, ""), "expected a key in double quotes, found '", "double quotes"),
        ('{"a": 1 "b": 2}', (1, 9, "/a"), 'expected a comma or }, found "', "add the comma"),
        ('{"a" 1}', (1, 6, "/a"), 'expected a colon after "a", found 1', ""),
        ('{"x": {"é": 1,\n  "é": 2}}', (2, 3, "/x/é"), 'duplicate key "é"', "the first is on line 1"),
        ('{"a": 1, "\\u0061": 2}', (1, 10, "/a"), 'duplicate key "a"', "remove one"),
        ("[01]", (1, 2, "/0"), "01 is not a number", "leading zero"),
        ("[+1]", (1, 2, "/0"), "+1 is not a number", "remove the +"),
        ("[.5]", (1, 2, "/0"), ".5 is not a number", "a 0 before"),
        ("[1.]", (1, 2, "/0"), "1. is not a number", "string"),
        ("[1e99999]", (1, 2, "/0"), "exponent has more than 4 digits", "string"),
        ("[NaN]", (1, 2, "/0"), "found NaN", "no NaN"),
        ("[-Infinity]", (1, 2, "/0"), "-Infinity is not a number", "no Infinity"),
        ('{"a": True}', (1, 7, "/a"), "found True", "spells it true"),
        ("[yes]", (1, 2, "/0"), "found yes", "double quotes"),
        ('["a\nb"]', (1, 4, "/0"), "control character", "\\n"),
        (r'["\x41"]', (1, 3, "/0"), "no escape of JSON", "backslash"),
        (r'["\u00g0"]', (1, 3, "/0"), "no escape of JSON", "backslash"),
        ('["abc', (1, 2, "/0"), "not closed", "closing quote"),
        ("[1] x", (1, 5, ""), "expected the end of the text, found x", ""),
        ("// x\n1", (1, 1, ""), "found /", "no comments"),
        ("[1\u00a0]", (1, 3, "/0"), "expected a comma or ]", ""),
        ("\ufeff{}", (1, 1, None), "byte order mark", "without"),
        (b'\n["\xc3\xa9\xff"]', (2, 4, None), "byte 0xff is not UTF-8", "UTF-8"),
        (b'["\xed\xa0\x80"]', (1, 3, None), "byte 0xed is not UTF-8", "UTF-8"),
        ("[]".encode("utf-16"), (1, 1, None), "UTF-16", "UTF-8"),
        ('["\udc80"]', (1, 3, None), "lone surrogate", ""),
    ],
)
def test_an_error_says_what_is_wrong_where_and_how_to_mend_it(
    text: bytes | str, place: tuple[int, int, str | None], what: str, mend: str
) -> None:
    error = refusal(text)
    assert (error.line, error.column, error.pointer) == place
    assert what in error.what
    assert mend in error.mend
    assert str(error).startswith(f"f.json:{place[0]}:{place[1]}")
    assert "\n" not in str(error)


broken = st.text(st.sampled_from(list('[]{}:,"\\ \n0123456789.-+eEtrufalsnNI\ud800d8éu/')), max_size=24)


def outcome(text: bytes | str) -> Json | SourceError:
    try:
        return jsontext.parse(text)
    except SourceError as error:
        return error


@given(broken | values.map(jsontext.pretty), st.integers(0, 40), broken)
def test_any_text_is_a_value_or_a_place(text: str, at: int, inserted: str) -> None:
    text = text[:at] + inserted[:2] + text[at + 1 :]
    result = outcome(text)
    if isinstance(result, SourceError):
        lines = text.split("\n")
        assert 1 <= result.line <= len(lines)
        assert 1 <= result.column <= len(lines[result.line - 1]) + 1
    else:
        assert spelled(json.loads(text, parse_float=Number, parse_int=Number)) == spelled(result)


@given(st.binary(max_size=16))
def test_any_bytes_are_a_value_or_a_place(data: bytes) -> None:
    result = outcome(data)
    assert not isinstance(result, SourceError) or result.line >= 1


# --- Places -------------------------------------------------------------------------------------------


def pointers_of(value: Json, path: tuple[str | int, ...] = ()) -> list[str]:
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict | list):
        inner = [*(value.items() if isinstance(value, dict) else enumerate(value))]
    return [pointer.join(path), *(found for key, item in inner for found in pointers_of(item, (*path, key)))]


@given(values, manners)
def test_the_span_at_each_pointer_spells_its_value(value: Json, manner: str) -> None:
    text = written(value, manner)
    for place in pointers_of(value):
        start, end = jsontext.span(text, place) or (0, 0)
        assert jsontext.compact(jsontext.parse(text[start:end])) == jsontext.compact(
            pointer.resolve(value, place)
        )


few_names = st.sampled_from(["a", "b", '"a"', "a:", "0", "\\", "\u0061\u00e9"])
with_few_names: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers(0, 1) | few_names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(few_names, inner, max_size=3),
    max_leaves=8,
)


@given(with_few_names, manners, st.booleans())
def test_the_value_of_a_text_does_not_change_what_its_spans_are(
    value: Json, manner: str, escaped: bool
) -> None:
    text = written(value, manner)
    if escaped:
        text = text.replace("a", "\\u0061", 1)
    for place in [*pointers_of(value), "/a", "/b/a", "/0", "/a/0"]:
        assert jsontext.span(text, place, value) == jsontext.span(text, place)


def test_locate_counts_lines_and_characters() -> None:
    text = '{\n  "é": [1, {"b": "x"}],\r\n\t"a/b": {}\n}'
    assert jsontext.locate(text, "") == (1, 1)
    assert jsontext.locate(text, "/é/1/b") == (2, 18)
    assert jsontext.locate(text.encode(), "/a~1b") == (3, 9)


def test_locate_gives_the_nearest_ancestor_of_what_does_not_exist() -> None:
    text = '{\n "a": [1,\n  {"b": 2}]}'
    assert jsontext.places(text, ["/a/1/c/d", "/a/7", "/z", "/a/0/x"]) == [(3, 3), (2, 7), (1, 1), (2, 8)]
    assert jsontext.span(text, "/a/7") is None


# --- Edits --------------------------------------------------------------------------------------------


@given(values, values, manners)
def test_a_rewritten_text_spells_the_new_value(old: Json, new: Json, manner: str) -> None:
    text = written(old, manner)
    assert spelled(jsontext.parse(jsontext.rewrite(text, new))) == spelled(new)
    assert jsontext.rewrite(text, old) == text


@given(containers, st.data(), values, manners)
def test_replace_touches_only_the_value_it_replaces(
    document: Json, data: st.DataObject, value: Json, manner: str
) -> None:
    place = data.draw(st.sampled_from(pointers_of(document)))
    text = written(document, manner)
    start, end = jsontext.span(text, place) or (0, 0)
    edited = jsontext.replace(text, place, value)
    assert edited.startswith(text[:start])
    assert edited.endswith(text[end:])
    assert spelled(pointer.resolve(jsontext.parse(edited), place)) == spelled(value)


@given(containers, st.data(), manners)
def test_insert_undoes_remove(document: Json, data: st.DataObject, manner: str) -> None:
    places = pointers_of(document)[1:]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    text = written(document, manner)
    removed = jsontext.remove(text, place)
    expected = deepcopy(document)
    pointer.remove_at(expected, place)
    assert spelled(jsontext.parse(removed)) == spelled(expected)
    again = jsontext.insert(removed, place, pointer.resolve(document, place))
    assert spelled(jsontext.parse(again)) == spelled(document)


SCENARIO = """\
{
  "steps": [
    {"name": "one", "fixture": "default",
     "expect": {"status": 200, "body": {"events": []}}},

    {
      "name": "two",
      "price":  35.00,
      "text": "\\u00e9\\/",
      "expect": {
        "body": {
          "events": [
            {"code": "A"},
            {"code": "B"}
          ]
        }
      }
    }
  ]
}
"""


def changed_lines(before: str, after: str) -> list[str]:
    kept = before.splitlines()
    return [line for line in after.splitlines() if line not in kept]


def test_an_accepted_answer_changes_one_line() -> None:
    body: Json = {"events": [{"code": "A"}, {"code": "C"}]}
    after = jsontext.replace(SCENARIO, "/steps/1/expect/body", body)
    assert changed_lines(SCENARIO, after) == ['            {"code": "C"}']
    assert len(after.splitlines()) == len(SCENARIO.splitlines())
    inline = jsontext.replace(
        SCENARIO, "/steps/0/expect/body", {"events": [{"code": "A", "n": Number("1.0")}]}
    )
    assert changed_lines(SCENARIO, inline) == [
        '     "expect": {"status": 200, "body": {"events": [{"code": "A", "n": 1.0}]}}},'
    ]


def test_a_new_event_in_front_is_an_inserted_line() -> None:
    events: Json = [{"code": "N"}, {"code": "A"}, {"code": "B"}]
    after = jsontext.replace(SCENARIO, "/steps/1/expect/body/events", events)
    new = '            {"code": "N"},\n'
    assert after == SCENARIO.replace('            {"code": "A"}', new + '            {"code": "A"}')


def test_insert_follows_the_manner_of_its_neighbours() -> None:
    after = jsontext.insert(SCENARIO, "/steps/1/expect/status", 200)
    assert '        },\n        "status": 200\n      }' in after
    after = jsontext.insert(SCENARIO, "/steps/0/tags", ["x"])
    assert '{"events": []}},\n     "tags": [' not in after
    assert '{"events": []}}, "tags": ["x"]}' in after
    assert jsontext.insert('{"a":1}', "/b/c", [1, {"d": 2}]) == '{"a":1,"b":{"c":[1,{"d":2}]}}'
    assert jsontext.insert('{"a": 1}\n', "/b", 2) == '{"a": 1, "b": 2}\n'
    assert jsontext.insert("[1, 3]", "/1", 2) == "[1, 2, 3]"
    assert jsontext.insert("[1, 3]", "/-", 4) == "[1, 3, 4]"
    assert jsontext.insert("[\r\n\t1\r\n]", "/0", []) == "[\r\n\t[],\r\n\t1\r\n]"
    assert jsontext.insert('{\r\n\t"a": 1\r\n}', "/b", {"c": 2}) == (
        '{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}'
    )


def test_remove_takes_its_comma_along() -> None:
    assert jsontext.remove('{"a": 1, "b": 2}', "/a") == '{"b": 2}'
    assert jsontext.remove('{"a": 1, "b": 2}', "/b") == '{"a": 1}'
    assert jsontext.remove('{ "a": 1 }', "/a") == "{}"
    assert jsontext.remove("[\n  1,\n  2\n]", "/1") == "[\n  1\n]"


@pytest.mark.parametrize("edit", [jsontext.replace, jsontext.insert])
def test_an_edit_of_nothing_is_refused(edit: Any) -> None:
    with pytest.raises(pointer.PointerError):
        edit("[1]", "/2", 0)
    with pytest.raises(pointer.PointerError):
        jsontext.remove("[1]", "/1")


def test_a_changed_item_is_not_taken_for_a_moved_one() -> None:
    text = "[[0, 0],\n [ 1, 0],  [0,0 ]]"
    assert jsontext.replace(text, "/0/0", 1) == "[[1, 0],\n [ 1, 0],  [0,0 ]]"


def test_large_arrays_of_equal_items_are_edited_by_position() -> None:
    text = jsontext.compact([None] * 3000).decode()
    assert jsontext.insert(text, "/-", 1) == text[:-1] + ",1]"


# --- Typed files ----------------------------------------------------------------------------------------


def misfit(text: str, type: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        jsontext.convert(jsontext.parse(text), type, text, file="s.json")
    return caught.value


def test_convert_takes_each_number_as_its_field_wants_it() -> None:
    text = """{"steps": [
        {"payload": {"price": 35.00}, "deliver": {"times": 2.0}, "expect": {"max_ms": 1500.5}},
        {"expect": {"max_ms": 1500}}
    ]}"""
    scenario = jsontext.convert(jsontext.parse(text), Scenario, text, file="s.json")
    first, second = (step.expect for step in scenario.steps)
    assert not isinstance(first, list)
    assert not isinstance(second, list)
    assert first is not None
    assert second is not None
    assert (first.max_ms, second.max_ms) == (1500.5, 1500)
    assert scenario.steps[0].deliver.times == 2
    assert jsontext.compact(scenario.steps[0].payload) == b'{"price":35.00}'


@pytest.mark.parametrize(
    ("text", "type", "line"),
    [
        (
            '{"steps": [\n {"nme": "x"}]}',
            Scenario,
            's.json:2:10 at /steps/0/nme: unknown field "nme" (did you mean "name"?)',
        ),
        (
            '{"steps": [{"fixture": 5}]}',
            Scenario,
            "s.json:1:24 at /steps/0/fixture: expected a string or null, found an integer",
        ),
        (
            '{"steps": [{"capture": {"a": "/x", "b/c": 1}}]}',
            Scenario,
            "s.json:1:43 at /steps/0/capture/b~1c: expected a string or an object, found an integer",
        ),
        ("{}", Scenario, 's.json:1:1: the field "steps" is missing (add it)'),
        ("[]", Scenario, "s.json:1:1: expected an object, found an array"),
        (
            '{"steps": [{"expect": {"fault": "dsn"}}]}',
            Scenario,
            's.json:1:33 at /steps/0/expect/fault: "dsn" is not a value of this field (did you mean "dns"? '
            "known here: cancelled, closed, connect timeout, deadline, dns, malformed, refused, tls, "
            "too large)",
        ),
        (
            '{"steps": [{"deliver": {"times": 2.5}}]}',
            Scenario,
            "s.json:1:34 at /steps/0/deliver/times: 2.5 does not fit: expected an integer",
        ),
        (
            '{"format": 2, "steps": []}',
            Scenario,
            "s.json:1:12 at /format: 2 is not a value of this field (known here: 1)",
        ),
        (
            '{"name": "n", "base_url": "", "auth": {"kind": "basic", "usrname": ""}}',
            Receiver,
            's.json:1:68 at /auth/usrname: unknown field "usrname" (did you mean "username"?)',
        ),
        (
            '{"name": "n", "base_url": "", "auth": {"kind": "bsic"}}',
            Receiver,
            's.json:1:48 at /auth/kind: "bsic" is not a value of this field (did you mean "basic"? '
            "known here: basic, bearer, netrc)",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_one_line_with_its_place(text: str, type: Any, line: str) -> None:
    assert str(misfit(text, type)) == line


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_a_number_beyond_a_float_is_an_error_and_not_infinity(number: str) -> None:
    error = misfit(f'{{"steps": [{{"expect": {{"max_ms": {number}}}}}]}}', Scenario)
    assert error.pointer == "/steps/0/expect/max_ms"


def test_keys_are_renamed_all_at_once_and_where_they_stand() -> None:
    text = '{"rules": {"/0" : 1,\n  "/1": [2], "é/": 3}, "/0": 4}'
    renamed = jsontext.rename(text, "/rules", {"/0": "/1", "/1": "/2", "/9": "/8"})
    assert renamed == '{"rules": {"/1" : 1,\n  "/2": [2], "é/": 3}, "/0": 4}'
    with pytest.raises(pointer.PointerError):
        jsontext.rename(text, "/nothing", {})


def test_an_item_that_changes_keeps_its_text_beside_one_that_is_new() -> None:
    text = '[\n  {"a": 1,  "b": [1,2], "c": 3}\n]'
    value: Json = [{"x": 1}, {"a": 1, "b": [1, 2], "c": 4}]
    assert jsontext.rewrite(text, value) == '[\n  {"x": 1},\n  {"a": 1,  "b": [1,2], "c": 4}\n]'
    two = '[\n  {"a": 1,  "b": 2},\n  {"c": 1,  "d": 2}\n]'
    assert jsontext.rewrite(two, [{"c": 1, "d": 3}]) == '[\n  {"c": 1,  "d": 3}\n]'
    assert jsontext.rewrite(two, [{"y": 0}, {"a": 1, "b": 3}]) == '[\n  {"y": 0},\n  {"a": 1,  "b": 3}\n]'


def test_two_items_change_places_and_nothing_else():
    text = '{"a": [ 1.0,\n  {"b" :2} , [3],4 ]}'
    assert jsontext.swap(text, "/a", 0, 1) == '{"a": [ {"b" :2},\n  1.0 , [3],4 ]}'
    assert jsontext.swap(text, "/a", 3, 0) == '{"a": [ 4,\n  {"b" :2} , [3],1.0 ]}'
    for place, one, other in (("/a", 0, 4), ("/a", -1, 0), ("/a", 1, 1), ("", 0, 1), ("/b", 0, 1)):
        with pytest.raises(pointer.PointerError):
            jsontext.swap(text, place, one, other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', '{"n": [1.50], "a": 1}'),
        ('{"b":2,"a":1}', '{"b":2,"n":[1.50],"a":1}'),
        ('{\n  "b": 2,\n  "a": 1\n}', '{\n  "b": 2,\n  "n": [1.50],\n  "a": 1\n}'),
    ],
)
def test_a_member_is_put_before_another(text: str, expected: str):
    value = jsontext.parse("[1.50]")
    assert jsontext.insert_before(text, "/a", "n", value) == expected
    for place in ("/c", "/a/0"):
        with pytest.raises(pointer.PointerError):
            jsontext.insert_before(text, place, "n", value)


def test_the_text_of_a_value_has_not_the_indentation_of_its_line():
    text = '{\r\n    "a": {\r\n        "b": 1.0\r\n    }\r\n}'
    assert jsontext.excerpt_at(text, "/a") == '{\n    "b": 1.0\n}'
    assert jsontext.excerpt_at(text, "/c") == ""
