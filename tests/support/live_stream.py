"""The live log's stream, as the page of the log listens to it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx2 as httpx


class Event(NamedTuple):
    name: str
    id: str
    data: str

    @property
    def rows(self) -> dict[str, str]:
        """The verdict of each row's delivery, `gone` where it is to go."""
        found = re.findall(r'<tr id="row-([^"]+)"(.*?)</tr>', self.data, re.DOTALL)
        return {id: _verdict(inner) for id, inner in found}


def _verdict(row: str) -> str:
    named = re.search(r'class="verdict ([^"]+)"', row)
    return named[1] if named else "gone"


class Stream:
    """The events of a stream, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self.lines = answer.iter_lines()
        self._pings = 0

    def next(self) -> Event | None:
        """The next one; None where the stream has ended."""
        fields: dict[str, list[str]] = {"event": [], "id": [], "data": []}
        for line in self.lines:
            name, _, value = line.partition(": ")
            self._pings += line.startswith(": ping")
            assert self._pings < 4, "nothing came for a minute"
            if name in fields:
                fields[name].append(value)
            elif not line and fields["data"]:
                return Event(*("\n".join(each) for each in fields.values()))
        return None

    def until_named(self, name: str) -> Event:
        """The next event of this name."""
        while (event := self.next()) is not None:
            if event.name == name:
                return event
        raise AssertionError(f"the stream ended without {name}")

    def until(self, delivery: str, verdict: str) -> Event:
        """The event that tells so of a delivery."""
        while (event := self.next()) is not None:
            if event.rows.get(delivery) == verdict:
                return event
        raise AssertionError(f"the stream ended, and {delivery} was not {verdict}")


@contextmanager
def listening(http: httpx.Client, query: str = "", **headers: str) -> Iterator[Stream]:
    """The stream for a filter, once it listens."""
    with http.stream("GET", f"/deliveries/events?{query}", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        stream = Stream(answer)
        assert next(stream.lines) == ": listening"
        yield stream


def live(http: httpx.Client, query: str = "") -> str:
    """The stream's query, as the log's page carries it."""
    page = http.get(f"/deliveries?{query}").text
    found = re.search(r'data-live="/deliveries/events\?([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])
