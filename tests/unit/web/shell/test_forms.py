"""What comes in with a form stays within bounds."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import pytest
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
