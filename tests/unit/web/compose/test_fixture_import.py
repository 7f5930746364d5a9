"""web/compose/fixture_import.py: a large paste is read by a process of its own, which is stopped in time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from retailops_sandbox.errors import SandboxError, UsageError
from retailops_sandbox.web.compose import fixture_import
from retailops_sandbox.web.compose.fixture_import import LARGE, ImportedFixture
from retailops_sandbox.workspace.workspace import Workspace

BODY = '{"a": 1}'
LARGE_TEXT = f"{BODY}{' ' * LARGE}"


def read(text: str) -> ImportedFixture:
    return asyncio.run(fixture_import.read(text, "order_cancel", "v1", Workspace.shipped()))


def not_here(*_: Any) -> None:
    raise AssertionError("the text was read in this process")


def test_a_large_text_is_read_by_another_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fixture_import, "_fixture", not_here)
    made = read(LARGE_TEXT)
    assert (made.action, made.edition, made.text) == ("order_cancel", "v1", '{\n  "a": 1\n}')


def test_a_small_text_is_read_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fixture_import, "_in_process", not_here)
    assert read(BODY).edition == "v1"


@pytest.mark.parametrize("text", ["hello", "hello" * LARGE], ids=["small", "large"])
def test_what_holds_no_fixture_is_refused_alike(text: str):
    with pytest.raises(SandboxError) as caught:
        read(text)
    assert str(caught.value).startswith("there is no payload of a known contract in it (give ")


def test_a_process_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fixture_import, "DEADLINE_S", 0.0)
    with pytest.raises(UsageError) as caught:
        read(LARGE_TEXT)
    assert "reading it took longer than 0 s, and was stopped" in str(caught.value)
    assert "retailops-sandbox import" in str(caught.value)


def test_a_process_that_fails_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fixture_import.sys, "executable", "/bin/false")
    with pytest.raises(UsageError) as caught:
        read(LARGE_TEXT)
    assert "reading it failed with the exit code 1" in str(caught.value)
    monkeypatch.setattr(fixture_import.sys, "executable", "/nowhere")
    with pytest.raises(UsageError) as caught:
        read(LARGE_TEXT)
    assert "it could not be read: no such file or directory" in str(caught.value)
