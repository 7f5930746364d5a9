"""The words of each kind of finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.probe import observers
from retailops_sandbox.probe.findings import findings
from retailops_sandbox.probe.kinds import KINDS
from retailops_sandbox.probe.report import Observation


def seen(kind: str) -> Observation:
    return Observation(kind=kind, probe="p", step="s", area="contract", what="null", field="/order")


@pytest.mark.parametrize("action", ["order_cancel", "inventory_push", "catalog_get_config"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_has_all_its_words(kind: str, action: str):
    (found,) = findings([seen(kind)], SHIPPED_CONTRACTS.load(action, "v1"))
    for words in (found.title, found.why, found.mend):
        assert words
        assert not re.search(r"[{}]|\ban [^aeiouH]|\ba [aeio]", words)
    assert not found.title.endswith(".")
    assert found.why.endswith(".")
    assert found.mend.endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_advice_is_not_presented_as_a_rule(kind: str):
    (found,) = findings([seen(kind)], SHIPPED_CONTRACTS.load("order_cancel", "v1"))
    assert (found.label == "advice") == (found.source == "")
    if found.label == "advice":
        assert "RetailOPS" not in found.title + found.why + found.mend


def test_every_kind_that_is_observed_is_listed():
    sources = (path.read_text(encoding="utf-8") for path in Path(observers.__file__).parent.glob("*.py"))
    shown = {kind for text in sources for kind in re.findall(r'shows\(\s*"([a-z-]+)"', text)}
    assert len(shown) > 15
    assert shown <= KINDS.keys()


def test_a_kind_of_another_version_is_shown_by_its_key():
    (found,) = findings([seen("some-new-kind")], SHIPPED_CONTRACTS.load("order_cancel", "v1"))
    assert found.title == "Some new kind"
