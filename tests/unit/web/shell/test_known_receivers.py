"""The receivers of one request, as they were when it began."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.errors import SourceError, UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.known_receivers import KnownReceivers
from retailops_sandbox.workspace.workspace import Workspace

STAND_IN = Receiver("stand-in", "http://127.0.0.1:9", stand_in=True)
SHOP = Receiver("shop", "http://shop.test")


def test_a_later_change_of_the_file_is_not_seen(tmp_path: Path):
    workspace = Workspace(tmp_path)
    workspace.save_receiver(SHOP, is_default=True)
    known = KnownReceivers.read(workspace, STAND_IN)
    workspace.delete_receiver("shop")
    assert known.all == [STAND_IN, SHOP]
    assert known.named("shop") == known.find("shop") == SHOP
    assert known.default == "shop"


def test_the_stand_in_goes_before_a_receiver_of_its_name(tmp_path: Path):
    workspace, own = Workspace(tmp_path), Receiver("stand-in", "http://shop.test", token="${env:TOKEN}")
    workspace.save_receiver(own)
    known = KnownReceivers.read(workspace, STAND_IN)
    assert known.all == [STAND_IN]
    assert known.named("stand-in") == STAND_IN
    # What is secret there is secret all the same, and it can be edited.
    assert known.own().receivers == (own,)


def test_an_unknown_name_is_said_with_those_there_are(tmp_path: Path):
    workspace = Workspace(tmp_path)
    workspace.save_receiver(SHOP)
    known = KnownReceivers.read(workspace, STAND_IN)
    assert known.find("shpo") is None
    with pytest.raises(UsageError, match=r"receiver 'shpo'.*shop"):
        known.named("shpo")


def test_where_the_file_is_wrong_only_the_stand_in_is_known(tmp_path: Path):
    workspace = Workspace(tmp_path)
    workspace.receivers_file.write_text("{")
    known = KnownReceivers.read(workspace, STAND_IN)
    assert "receivers.json" in known.problem
    assert (known.names, known.default) == (["stand-in"], "")
    assert known.named("stand-in") == STAND_IN
    assert known.find("shop") is None
    with pytest.raises(SourceError):
        known.named("shop")
    with pytest.raises(SourceError):
        known.own()
