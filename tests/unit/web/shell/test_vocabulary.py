"""web/vocabulary.py: what the editor offers, from the contract."""

from __future__ import annotations

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.web.shell.vocabulary import vocabulary


def test_every_key_is_offered_where_it_belongs_with_its_example():
    words = {
        (each.at, each.key): each
        for each in vocabulary(SHIPPED_CONTRACTS.load("order_cancel", "draft").request_schema)
    }
    total = words["/data/order", "grand_total"]
    assert (total.types, total.is_required, total.values) == ("number", True, ("35",))
    assert words["/data/order", "id"].values == ('"4897"',)
    assert words["/data/order/unshipped_items_ref", "*"].types == "integer"
    assert words["/data/order/payment_status/by_account/*", "method"].values == ('"channel"',)


def test_what_may_stand_there_is_offered_once_and_spelled_as_json():
    schema = {
        "properties": {
            "a/b": {"enum": ["x", "y"], "examples": ["y"], "type": ["string", "null"]},
            "long": {"examples": ["z" * 500]},
        }
    }
    first, long = vocabulary(schema)
    assert (first.at, first.key, first.types, first.values) == ("", "a/b", "string or null", ('"y"', '"x"'))
    assert (long.types, long.values) == ("anything", ())
