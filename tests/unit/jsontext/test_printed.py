"""jsontext/printed.py: structures that languages print are told apart, and JSON is none of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.jsontext.printed import printed, wholly_printed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab '\"\\:=>{}[]é", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab '", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Array\n(\n    [0] => a\n)\n", "PHP's print_r"),
        ("Array\n(\n)\n", "PHP's print_r"),
        (r"App\Order Object" + "\n(\n    [id:protected] => 7\n)\n", "PHP's print_r"),
        ('array(1) {\n  ["a"]=>\n  int(1)\n}\n', "PHP's var_dump"),
        ('object(stdClass)#3 (1) {\n  ["a"]=>\n  int(1)\n}\n', "PHP's var_dump"),
        ("array (\n  'a' => 1,\n)", "PHP's var_export"),
        ("[\n  'a' => 1,\n]", "PHP's var_export"),
        ("{'a': 1}", "Python's repr"),
        ("[{'a': None}]", "Python's repr"),
        ("OrderedDict([('a', 1)])", "Python's repr"),
        ('{"a"=>1}', "Ruby's inspect"),
        ('{"a" => nil}', "Ruby's inspect"),
        ("{:a=>1}", "Ruby's inspect"),
        ('{a: 1, "b c": 2}', "Ruby's inspect"),
        ("#<Order:0x000 @id=1>", "Ruby's inspect"),
        ("hello", ""),
        ('INFO {"a": 1} it\'s', ""),
    ],
)
def test_what_printed_a_structure(text: str, name: str):
    found = printed(text)
    assert (found.name if found else "") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Array\n(\n)\n", "PHP's print_r"),
        ("[{'a': None}]", "Python's repr"),
        ("{'a': 1}", "Python's repr"),
        ("['a', 'b']", "Python's repr"),
        ("b'{\"a\": 1}'", "Python's repr"),
        ("<shop.Answer object at 0x7f01>", "Python's repr"),
        ('[{"a"=>1}]', "Ruby's inspect"),
        ('a:1:{s:1:"a";i:1;}', "PHP's serialize"),
        ('string(2) "{}"\n', "PHP's var_dump"),
        ("Array", "PHP's echo"),
        ("$VAR1 = {};", "Perl's Data::Dumper"),
        ("HASH(0x55d0)", "Perl's print"),
        ("[object Object]", "JavaScript's String(object)"),
        ("map[events:[]]", "Go's fmt"),
        ("&{[] ok}", "Go's fmt"),
        ("System.Collections.Generic.List`1[Shop.Event]", ".NET's ToString"),
        ("com.shop.Answer@1a2b3c4d", "Java's toString"),
        ("{events=[], status=ok}", "Java's toString"),
        ("Answer[events=[], status=ok]", "Java's toString"),
        ("%{events: []}", "Elixir's inspect"),
        ("INFO {'a': 1}", ""),
        ("it is an Array", ""),
        ("hello", ""),
        ("[1, 2]", ""),
    ],
)
def test_what_printed_a_whole_text(text: str, name: str):
    found = wholly_printed(text)
    assert (found.name if found else "") == name


@given(VALUES)
def test_json_is_never_printed_as_a_whole(value):
    if isinstance(value, (list, dict)):
        assert (
            wholly_printed(json.dumps(dict.fromkeys(value) if isinstance(value, dict) else value[:1])) is None
        )


@given(st.dictionaries(st.text("ab", min_size=1, max_size=4), VALUES, max_size=3))
def test_json_is_no_printed_structure(value):
    outline = dict.fromkeys(value)
    assert printed(json.dumps(outline)) is None


@given(st.dictionaries(st.text("ab", min_size=1, max_size=4), VALUES, min_size=1, max_size=3))
def test_a_dictionary_of_python_is_told(value):
    found = printed(repr(value))
    assert found is not None
    assert found.name == "Python's repr"
