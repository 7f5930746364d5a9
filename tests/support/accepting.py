"""Accepting the answer to a delivery, as a browser without script does it."""

from __future__ import annotations

import httpx2 as httpx

from tests.support.pages import hidden


def accept(http: httpx.Client, delivery: str, **fields: object) -> httpx.Response:
    """Look at what accepting the answer to a delivery would write, and press *Accept*."""
    shown = hidden(http.get(f"{delivery}/accept").text)["shown"]
    return http.post(f"{delivery}/accept", data={"shown": shown, "do": "accept", **fields})
