"""contracts/catalogue.py: what is known of shipped contracts without reading them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from retailops_sandbox import resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, heading_of
from retailops_sandbox.errors import UsageError
from tests.support.contracts import ACTION, EDITION, contract_document, with_own

USE = """
import sys
read = []
sys.addaudithook(lambda event, args: read.append(str(args[0])) if event == "open" else None)
from retailops_sandbox.contracts import recognition
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS as contracts
from retailops_sandbox.composing.editions import spoken
from retailops_sandbox.model import Receiver
spoken(Receiver("r", "http://h/any", token="t"), contracts)
recognition.at_end("/order_cancel", contracts)
contracts.load(*contracts.default)
print(*sorted(each.rpartition("/")[2] for each in read if "/contracts/data/" in each))
"""


def test_the_headings_are_those_of_the_contracts():
    found = [heading_of(resources.contract_text(name)) for name in resources.contract_names()]
    written = b"[\n  " + b",\n  ".join(map(msgspec.json.encode, found)) + b"\n]\n"
    assert resources.contract_headings() == written


def test_a_start_reads_no_contract_but_the_one_that_it_uses():
    done = subprocess.run([sys.executable, "-c", USE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["default.json", "headings.json", "order_cancel.draft.json"]


def test_a_workspaces_contract_has_a_heading_before_it_is_proved():
    contracts = with_own(contract_document(codes=["/nope"]))
    assert (ACTION, EDITION) in {each.name for each in contracts.headings}
    assert (ACTION, EDITION) not in contracts.names
    assert {each.name for each in SHIPPED_CONTRACTS.headings} == set(SHIPPED_CONTRACTS.names)


def test_the_default_action_is_named_by_a_data_file():
    assert msgspec.json.decode(resources.default_contract()) == {
        "action": SHIPPED_CONTRACTS.default[0],
        "edition": SHIPPED_CONTRACTS.default[1],
    }
    assert (Path(resources.__file__).parent / "contracts" / "data" / "default.json").is_file()


@pytest.mark.parametrize(
    ("action", "edition", "fix"),
    [
        ("order_pull", "draft", "order_pull has v1: say the edition v1"),
        ("order_cancel", "v9", "order_cancel has draft and v1: say the edition draft"),
        ("order_acknowlege", "v1", "did you mean order_acknowledge?"),
        ("x", "v1", "there are order_cancel, catalog_get_config"),
    ],
)
def test_an_unknown_contract_says_what_is_meant(action: str, edition: str, fix: str):
    with pytest.raises(UsageError) as caught:
        SHIPPED_CONTRACTS.load(action, edition)
    assert fix in str(caught.value)
