"""The receivers of one request, as they were when it began."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from retailops_sandbox.errors import SourceError, UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.known_receivers import KnownReceivers, ReceiversFile
from retailops_sandbox.workspace import files
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


def settle(workspace: Workspace) -> None:
    """Let the file be as it is for a minute."""
    past = time.time() - 60
    os.utime(workspace.receivers_file, (past, past))


def test_the_file_is_read_again_only_where_it_has_changed(tmp_path: Path):
    workspace = Workspace(tmp_path)
    file = ReceiversFile(workspace, STAND_IN)
    assert file.read().names == ["stand-in"]
    workspace.save_receiver(SHOP)
    settle(workspace)
    known = file.read()
    assert known.names == ["stand-in", "shop"]
    assert file.read() is known
    workspace.delete_receiver("shop")
    assert file.read().names == ["stand-in"]
    workspace.receivers_file.unlink()
    assert file.read().names == ["stand-in"]


def test_a_file_that_was_just_written_may_change_within_its_time(tmp_path: Path):
    workspace = Workspace(tmp_path)
    workspace.save_receiver(SHOP)
    file = ReceiversFile(workspace, STAND_IN)
    now = time.time_ns()
    os.utime(workspace.receivers_file, ns=(now, now))
    assert file.read().names == ["stand-in", "shop"]
    text = workspace.receivers_file.read_text()
    workspace.receivers_file.write_text(text.replace('"shop"', '"lamp"'))
    os.utime(workspace.receivers_file, ns=(now, now))
    assert file.read().names == ["stand-in", "lamp"]


def test_a_file_that_could_not_be_read_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    workspace = Workspace(tmp_path)
    workspace.save_receiver(SHOP)
    settle(workspace)
    file = ReceiversFile(workspace, STAND_IN)

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(files, "regular", refuse)
        assert "permission denied" in file.read().problem
    assert file.read().names == ["stand-in", "shop"]
