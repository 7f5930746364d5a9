"""What the editor offers in an expectation: its fields, the response's places, the matchers."""

from __future__ import annotations

from retailops_sandbox.comparing.matchers import HEADER, MATCHERS
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.web.shell.expectation_vocabulary import expectation_vocabulary

WORDS = {
    (each.at, each.key): each
    for each in expectation_vocabulary(SHIPPED_CONTRACTS.load("order_cancel", "draft"))
}


def test_the_fields_of_an_expectation_are_offered_with_what_may_stand_there():
    assert WORDS["", "status"].values == ("200", '"4xx"')
    assert WORDS["", "status"].types == "integer or string or array"
    assert '"deadline"' in WORDS["", "fault"].values
    assert WORDS["", "contract"].values == ("false",)
    assert WORDS["", "rules"].values == ("{}",)
    assert "real answer" in WORDS["", "body"].description


def test_the_body_is_that_of_the_contract():
    assert WORDS["/body", "events"].is_required
    assert WORDS["/body/events/*", "error_code"].values == ('"ERR1234"',)


def test_each_place_of_a_response_is_offered_the_rules_that_fit_it():
    of_text = WORDS["/rules", "/events/*/error_code"].values
    assert '{"regex":"^ERR[0-9]{4}$"}' in of_text
    assert not [each for each in of_text if "unordered" in each or "range" in each]
    assert '"unordered"' in WORDS["/rules", "/events"].values


def test_any_other_place_is_offered_every_matcher():
    assert len(WORDS["/rules", "*"].values) == len(MATCHERS)
    of_header = [kind for kind in MATCHERS.values() if HEADER in kind.applies_to]
    assert len(WORDS["/headers", "*"].values) == len(of_header)
