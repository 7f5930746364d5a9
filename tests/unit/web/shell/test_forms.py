"""What comes in with a form stays within bounds."""

from __future__ import annotations

import asyncio
import threading
from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from retailops_sandbox.web.shell import forms

_BOUNDARY = "between"
_HEADERS = [(b"content-type", f"multipart/form-data; boundary={_BOUNDARY}".encode())]


def received(content: bytes, largest: int) -> tuple[FormData | HTTPException, int]:
    """What becomes of a file that comes piece by piece, and how many pieces were taken of it."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
    whole = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    pieces = [whole[start : start + 1000] for start in range(0, len(whole), 1000)]
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": pieces[taken - 1], "more_body": taken < len(pieces)}

    async def read() -> FormData | HTTPException:
        request = Request({"type": "http", "method": "POST", "headers": _HEADERS}, receive)
        try:
            return await forms.read(request, largest=largest, hint="Do it otherwise.")
        except HTTPException as error:
            return error

    return asyncio.run(read()), taken


def test_a_file_within_the_bound_comes_whole():
    form, _ = received(b"x" * 5000, 1 << 20)
    assert isinstance(form, FormData)
    file = form["file"]
    assert isinstance(file, UploadFile)
    assert file.file.read() == b"x" * 5000
    file.file.close()


@pytest.mark.parametrize("size", [3 << 20, 30 << 20])
def test_of_a_larger_one_no_more_is_taken_than_the_bound(size: int):
    refused, taken = received(b"x" * size, 1 << 20)
    assert isinstance(refused, HTTPException)
    assert refused.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert refused.detail == "A form may have up to 1 MB. Do it otherwise."
    assert taken == (1 << 20) // 1000 + 1


def posted(body: bytes, largest: int = forms.LARGEST) -> FormData:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return asyncio.run(forms.read(request, largest=largest))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=30)), max_size=9))
def test_a_form_comes_as_it_was_typed(fields: list[tuple[str, str]]):
    assert posted(urlencode(fields).encode()).multi_items() == fields


@pytest.mark.parametrize("start", range(4))
def test_a_large_form_is_decoded_beside_the_loop_and_in_pieces(start: int, monkeypatch: pytest.MonkeyPatch):
    threads = []
    decode = forms.unquote_to_bytes

    def noted(piece: bytes) -> bytes:
        threads.append(threading.current_thread())
        assert len(piece) <= 64 * 1024
        return decode(piece)

    monkeypatch.setattr(forms, "unquote_to_bytes", noted)
    typed = "x" * start + "é +&=%" * 40_000
    assert posted(urlencode({"payload": typed}).encode())["payload"] == typed
    assert threading.main_thread() not in threads


def test_a_selection_of_a_page_is_decoded_beside_the_loop(monkeypatch: pytest.MonkeyPatch):
    threads = []
    decode = forms.unquote_to_bytes

    def noted(piece: bytes) -> bytes:
        threads.append(threading.current_thread())
        return decode(piece)

    monkeypatch.setattr(forms, "unquote_to_bytes", noted)
    picked = [("pick", f"scenarios/case {number}.scenario.json") for number in range(200)]
    assert posted(urlencode(picked).encode()).multi_items() == picked
    assert len(threads) == 400
    assert threading.main_thread() not in threads


def test_a_form_that_no_browser_makes_is_read_all_the_same():
    form = posted(b"a&b=&&=c&d=%zz%e9%&e=%C3%A9+%2B&d=2")
    assert form.multi_items() == [
        ("a", ""), ("b", ""), ("", "c"), ("d", "%zz\ufffd%"), ("e", "é +"), ("d", "2")
    ]  # fmt: skip


def test_the_fields_of_a_form_are_bounded():
    posted(b"&".join([b"a=1"] * 20_000))
    with pytest.raises(HTTPException) as caught:
        posted(b"&".join([b"a=1"] * 20_001))
    assert (caught.value.status_code, caught.value.detail) == (400, "A form may have up to 20,000 fields.")
