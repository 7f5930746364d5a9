"""Bytes that are not UTF-8 become text and bytes again, wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.redaction import octets

parts = st.sampled_from([b"a", "é".encode(), "€".encode(), "😀".encode(), b"\xff", b"\xe2", b"\x82"])


@pytest.fixture(autouse=True, scope="module")
def _small_pieces() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(octets, "_PIECE", 3)
        yield


@given(st.lists(parts, max_size=9).map(b"".join))
def test_bytes_become_the_same_text_whole_and_in_pieces(body: bytes) -> None:
    text = octets.text_of(body)
    assert text == body.decode("utf-8", "surrogateescape")
    assert octets.bytes_of(text) == body
