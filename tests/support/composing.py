"""The compose page as an HTTP client has it: plain forms, without JavaScript."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx

from tests.support.pages import BROWSER, words


class Page:
    """The compose page as it was last loaded: its fields and its text.

    A new one is in a new browser, unless it is in that of the client.
    """

    def __init__(self, http: httpx.Client, root: Path, *, in_new_browser: bool = True) -> None:
        if in_new_browser:
            http.cookies.delete(BROWSER)
        self.http = http
        self.root = root
        self.text = ""
        self.open("/")

    def open(self, path: str) -> Page:
        self.text = self.http.get(path).text
        return self

    def press(self, do: str, **typed: str) -> Page:
        """Fill fields in, and press a button."""
        answer = self.http.post("/compose", data={**self.fields, **typed, "do": do})
        assert answer.status_code == 200, words(answer.text)
        self.text = answer.text
        return self

    @property
    def expectation(self) -> Any:
        """The expected response as it stands in the form."""
        return json.loads(self.fields["expectation"])

    def undo(self) -> Page:
        """Press the button that undoes the last change."""
        button = re.search(r'name="do" value="(undo:[^"]*)"', self.text)
        assert button, words(self.text)
        return self.press(button[1])

    @property
    def fields(self) -> dict[str, str]:
        inputs = re.findall(r"<input [^>]*>", self.text)
        named = {
            _attribute(each, "name"): _attribute(each, "value") for each in inputs if "checkbox" not in each
        }
        areas = re.findall(r'<textarea[^>]*? name="([^"]+)".*?>\n(.*?)</textarea>', self.text, re.DOTALL)
        named |= {html.unescape(name): html.unescape(value) for name, value in areas}
        for name, options in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', self.text, re.DOTALL):
            chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
            named[name] = html.unescape(chosen[1] or chosen[2]) if chosen else ""
        return named

    @property
    def said(self) -> str:
        return words(self.text)

    @property
    def listed(self) -> list[str]:
        """The names in the list of fixtures."""
        part = re.search(r'<ul class="list" id="fixture-list">.*?</ul>', self.text, re.DOTALL)
        assert part
        return [html.unescape(name) for name in re.findall(r'class="name" title="([^"]*)"', part[0])]

    def file(self, name: str) -> Path:
        return self.root / "fixtures" / "order_cancel" / "draft" / f"{name}.json"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else ""
