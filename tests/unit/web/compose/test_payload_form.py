"""web/fields.py: the form made from contract and raw text, and what is typed into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import jsontext, resources
from retailops_sandbox.composing import Names
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import SourceError
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.web.compose import payload_form
from retailops_sandbox.web.compose.findings import examine
from retailops_sandbox.web.compose.inputs import typed
from retailops_sandbox.web.compose.payload_form import Field, Filter, FormView, Group

DRAFT = SHIPPED_CONTRACTS.load("order_cancel", "draft")
V1 = SHIPPED_CONTRACTS.load("order_cancel", "v1")
DEFAULT = (resources.fixtures_dir() / "order_cancel/draft/default.json").read_text()
SHIPPED = [
    path
    for path in sorted((resources.fixtures_dir() / "order_cancel").rglob("*.json"))
    if not path.name.endswith(".expect.json")
]


def form(text: str, fixture: str | None = None, agreed: Contract = DRAFT) -> FormView:
    findings = examine(text, agreed, Names())
    return payload_form.of(text, agreed, findings, fixture="default", fixture_text=fixture)


def parts(view: FormView) -> dict[str, Field | Group]:
    def walk(part: Field | Group) -> Iterator[Field | Group]:
        yield part
        if isinstance(part, Group):
            for each in part.parts:
                yield from walk(each)

    return {each.pointer: each for each in walk(view.root)}


def inputs(view: FormView) -> dict[str, str]:
    """What the browser posts of the form's inputs."""
    found = [each for each in parts(view).values() if isinstance(each, Field)]
    return {f"{'json' if each.is_json else 'text'}:{each.pointer}": each.text for each in found}


def field(view: FormView, pointer: str) -> Field:
    found = parts(view)[pointer]
    assert isinstance(found, Field)
    return found


def put(text: str, pointer: str, written: str, agreed: Contract = DRAFT) -> str:
    """Type into one input of the form of a text."""
    found = field(form(text, agreed=agreed), pointer)
    name = f"{'json' if found.is_json else 'text'}:{pointer}"
    changed, refused = typed(text, {name: written})
    assert refused == []
    return changed


# --- what is shown ---


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_form_that_nobody_typed_into_touches_no_byte(path: Path):
    text = path.read_text()
    agreed = SHIPPED_CONTRACTS.load("order_cancel", path.parent.name)
    assert typed(text, inputs(form(text, agreed=agreed))) == (text, [])


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["35", "null", '"x"', "a\nb"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_the_form_of_any_json_changes_nothing(value: object):
    text = jsontext.pretty(value)
    # What a browser does to the text of an input: none of it may be lost.
    posted = {name: written.replace("\r\n", "\n") for name, written in inputs(form(text)).items()}
    assert typed(text, posted) == (text, [])


def test_a_field_tells_what_the_contract_says():
    total = field(form(DEFAULT), "/data/order/grand_total")
    assert (total.types, total.example, total.is_required) == ("number", "35", True)
    assert "grand total" in total.description


def test_numbers_are_shown_as_they_are_spelled():
    text = DEFAULT.replace('"grand_total": 35', '"grand_total": 35.00').replace("2572", str(10**40))
    assert field(form(text), "/data/order/grand_total").text == "35.00"
    assert field(form(text), "/data/order/payment_series_id").text == str(10**40)


def test_what_the_contract_does_not_name_is_shown_too():
    view = form('{"version": 1, "extra": {"a": [true]}}')
    assert not parts(view)["/extra"].is_known
    assert field(view, "/extra/a/0").text == "true"


def test_missing_and_invalid_values_are_marked_at_their_own_part():
    text = DEFAULT.replace('"grand_total": 35,', "").replace('"charged": 35', '"charged": "35"', 1)
    view = form(text)
    total = field(view, "/data/order/grand_total")
    assert (total.is_present, total.problem) == (False, "is missing")
    charged = field(view, "/data/order/channel_payment/charged")
    assert charged.text == '"35"'
    assert charged.problem == "must be an integer, not a string"


def test_a_violation_inside_what_a_placeholder_brought_is_marked_at_the_placeholder():
    names = Names(scenario={"order": {"id": 1}})
    text = '{"version": 1, "action": "order_cancel", "data": {"order": "${order}", "channel": {"id": 1}}}'
    view = payload_form.of(text, DRAFT, examine(text, DRAFT, names))
    assert field(view, "/data/order").problem


def test_an_object_where_the_contract_asks_for_a_number_is_edited_as_json():
    text = DEFAULT.replace('"grand_total": 35', '"grand_total": {"a": 1}')
    assert field(form(text), "/data/order/grand_total").text == '{"a":1}'


def test_broken_json_leaves_the_form_empty_and_says_where():
    view = form('{"version": 1')
    assert "line 1, column 14" in view.problem
    assert field(view, "/data/order/grand_total").text == ""
    assert not any(each.problem for each in parts(view).values())


def test_a_payload_with_too_many_values_is_edited_raw():
    assert "Edit it raw" in form(jsontext.pretty({"a": list(range(payload_form.MOST_FIELDS))})).problem


# --- what differs from the fixture ---


def test_changes_are_marked_and_counted():
    text = DEFAULT.replace('"grand_total": 35', '"grand_total": 35.00').replace('"id": "4897",', "")
    view = form(text, DEFAULT)
    assert view.changes == 2
    assert field(view, "/data/order/grand_total").was == "35"
    assert field(view, "/data/order/id").is_changed
    assert not field(view, "/version").is_changed
    assert form(text, None).changes == 0


@pytest.mark.parametrize("pointer", ["/data/order/grand_total", "/data/order/id", "/data/extra", ""])
def test_a_reset_gives_back_what_the_fixture_has(pointer: str):
    changed = put(DEFAULT, "/data/order/grand_total", "1e3")
    changed = jsontext.insert(jsontext.remove(changed, "/data/order/id"), "/data/extra", 1)
    text = payload_form.edited(changed, DRAFT, "reset", pointer, DEFAULT)
    wanted = jsontext.parse(DEFAULT)
    view = form(text, DEFAULT)
    if pointer:
        assert pointer not in parts(view) or not parts(view)[pointer].is_changed
        assert view.changes == 2
    else:
        assert jsontext.parse(text) == wanted
        assert text == DEFAULT


# --- what is typed ---


def test_only_what_was_typed_changes():
    text = put(DEFAULT, "/data/order/grand_total", "35.00")
    assert text == DEFAULT.replace('"grand_total": 35,', '"grand_total": 35.00,')


@pytest.mark.parametrize("written", ["35.00", "1e5", "-0", "123456789012345678901234567890", "null", "true"])
def test_what_is_json_is_kept_as_it_is_spelled(written: str):
    assert f'"grand_total": {written},' in put(DEFAULT, "/data/order/grand_total", written)


@pytest.mark.parametrize("written", ["abc", "007", "1.", "{", "${total}", ""])
def test_what_is_no_json_is_kept_as_text_and_shown_as_it_was_typed(written: str):
    text = put(DEFAULT, "/data/order/grand_total", written)
    assert f'"grand_total": "{written}",' in text
    assert field(form(text), "/data/order/grand_total").text == written


@pytest.mark.parametrize("written", ["35", "null", '"x"', "two\nlines", "\u00e9", "back\\slash"])
def test_text_is_text_where_the_contract_asks_for_it(written: str):
    text = put(DEFAULT, "/data/order/id", written)
    assert field(form(text), "/data/order/id").text == written
    assert jsontext.parse(text)["data"]["order"]["id"] == written


def test_characters_that_an_input_would_lose_are_shown_as_json():
    text = DEFAULT.replace('"4897"', r'"a\r\u0000b"')
    found = field(form(text), "/data/order/id")
    assert found.is_odd
    assert found.text == r'"a\r\u0000b"'
    assert r'"a\tb"' in put(text, "/data/order/id", r'"a\tb"')


def test_an_input_is_read_as_what_it_was_made_for():
    # The first letter makes it a string, but its input still shows JSON.
    text = DEFAULT.replace('"4897"', "4897")
    for written in ('"', '"4', '"4897"'):
        text, _ = typed(text, {"json:/data/order/id": written})
    assert text == DEFAULT


def test_what_is_typed_into_an_empty_input_is_added():
    text = jsontext.remove(DEFAULT, "/data/order/grand_total")
    assert jsontext.parse(put(text, "/data/order/grand_total", "7.10"))["data"]["order"][
        "grand_total"
    ] == 7.1 or ('"grand_total": 7.10' in put(text, "/data/order/grand_total", "7.10"))
    assert typed(text, {"json:/data/order/grand_total": ""}) == (text, [])


def test_what_leads_nowhere_is_told():
    text, refused = typed(DEFAULT, {"json:/data/order/shipments/9": "1", "json:/version": "2"})
    assert '"version": 2' in text
    assert len(refused) == 1
    assert refused[0].startswith("/data/order/shipments/9: ")


def test_broken_json_is_not_typed_into():
    with pytest.raises(SourceError):
        typed("{", {"json:/version": "1"})


# --- entries ---


def test_an_entry_is_added_as_the_contract_documents_it_and_removed():
    longer = payload_form.edited(DEFAULT, DRAFT, "add", "/data/order/unshipped_items_ref", None)
    assert jsontext.parse(longer)["data"]["order"]["unshipped_items_ref"] == [496, 496]
    assert payload_form.edited(longer, DRAFT, "remove", "/data/order/unshipped_items_ref/1", None) == DEFAULT
    accounts = payload_form.edited(DEFAULT, DRAFT, "add", "/data/order/payment_status/by_account", None)
    first, second = jsontext.parse(accounts)["data"]["order"]["payment_status"]["by_account"]
    assert first == second


def test_a_missing_object_is_added_with_its_documented_members():
    text = payload_form.edited("{}", V1, "add", "/channel_info", None)
    assert jsontext.parse(text) == {"channel_info": {"id": 21}}


def test_what_is_not_there_cannot_be_removed():
    with pytest.raises(PointerError):
        payload_form.edited(DEFAULT, DRAFT, "remove", "/nothing", None)


def test_a_list_of_single_values_is_plain_and_one_of_objects_is_not():
    found = parts(form(DEFAULT))
    assert found["/data/order/unshipped_items_ref"].is_plain  # type: ignore[union-attr]
    assert not found["/data/order/payment_status/by_account"].is_plain  # type: ignore[union-attr]


# --- what is folded, and what is found ---


def groups(view: FormView) -> dict[str, Group]:
    return {pointer: each for pointer, each in parts(view).items() if isinstance(each, Group)}


def filtered(text: str = DEFAULT, *, words: str = "", changed_only: bool = False) -> FormView:
    wanted = Filter(words=words, changed_only=changed_only)
    findings = examine(text, DRAFT, Names())
    return payload_form.of(text, DRAFT, findings, fixture="default", fixture_text=DEFAULT, filter=wanted)


def test_groups_that_lead_to_others_are_open_and_all_others_folded_and_summarised():
    found = groups(form(DEFAULT, DEFAULT))
    assert [pointer for pointer, each in found.items() if each.is_open] == ["", "/data", "/data/order"]
    assert found["/data/order/unshipped_items_ref"].summary == "496"
    payment = found["/data/order/channel_payment"]
    assert payment.size == len(payment.parts)
    assert payment.summary.startswith("success 1, unsettled_external 0, ")
    assert payment.summary.endswith("…")


def test_a_summary_is_short_whatever_the_values_are():
    text = DEFAULT.replace('"method": "channel"', f'"method": "{"long " * 100}"')
    assert all(len(each.summary) <= 73 for each in groups(form(text, DEFAULT)).values())


def test_a_group_with_a_problem_is_open_and_counts_it():
    found = groups(form(DEFAULT.replace('"by_account": [', '"by_account": [{"success": "x"}, '), DEFAULT))
    assert found["/data/order/payment_status/by_account"].is_open
    assert found["/data/order"].problems == found["/data/order/payment_status/by_account"].problems > 0
    assert not found["/data/order/channel_payment"].is_open


def test_what_was_touched_is_open():
    pointer = "/data/order/unshipped_items_ref"
    view = payload_form.of(DEFAULT, DRAFT, examine(DEFAULT, DRAFT, Names()), touched=pointer)
    assert groups(view)[pointer].is_open
    view = payload_form.of(DEFAULT, DRAFT, examine(DEFAULT, DRAFT, Names()), touched=f"{pointer}/0")
    assert groups(view)[pointer].is_open


def test_a_folded_group_says_how_much_in_it_has_changed():
    text = DEFAULT.replace('"charged": 35', '"charged": 36')
    found = groups(form(text, DEFAULT))
    assert found["/data/order/channel_payment"].changes == 1
    assert not found["/data/order/channel_payment"].is_open


def test_a_filter_leaves_the_members_whose_path_has_all_words():
    view = filtered(words="Payment  CHARGED")
    fields = [pointer for pointer, each in parts(view).items() if isinstance(each, Field)]
    assert fields
    assert all("payment" in pointer and "charged" in pointer for pointer in fields)
    assert all(each.is_open for each in groups(view).values())
    assert not view.is_nothing_found
    # What is found with its name is whole.
    view = filtered(words="unshipped")
    assert "/data/order/unshipped_items_ref/0" in parts(view)


def test_a_filter_that_finds_nothing_says_so():
    assert filtered(words="nothing-like-this").is_nothing_found
    assert filtered(changed_only=True).is_nothing_found
    assert not filtered().is_nothing_found


def test_only_what_has_changed_is_left_on_demand():
    text = DEFAULT.replace('"charged": 35', '"charged": 36').replace("      496\n", "      496,\n      7\n")
    view = filtered(text, changed_only=True)
    fields = [pointer for pointer, each in parts(view).items() if isinstance(each, Field)]
    assert "/data/order/unshipped_items_ref/1" in fields
    assert all(field(view, pointer).is_changed for pointer in fields)
    assert view.changes == len(fields)
    assert groups(view)["/data/order/unshipped_items_ref"].size == 2
    view = filtered(text, changed_only=True, words="charged")
    assert all("charged" in pointer for pointer, each in parts(view).items() if isinstance(each, Field))


def test_what_a_filter_hides_stays_in_the_payload():
    view = filtered(words="grand_total")
    written = inputs(view)
    assert len(written) == 1
    assert typed(DEFAULT, dict.fromkeys(written, "36"))[0] == DEFAULT.replace(
        '"grand_total": 35', '"grand_total": 36'
    )
