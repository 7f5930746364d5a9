"""A page that is made piece by piece is seen piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request

from retailops_sandbox.web.shell.pages import Pages


def test_a_streamed_page_ends_a_piece_before_it_asks_for_more(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<ul>{{ flush }}{% for row in rows %}<li>{{ row }}{{ flush }}{% endfor %}</ul>"
    )
    (tmp_path / "manifest.json").write_text("{}")
    taken: list[str] = []

    def rows() -> Iterator[str]:
        for each in ("a", "<b>"):
            taken.append(each)
            yield each

    request = Request({"type": "http", "path": "/", "headers": []})
    pages = Pages(tmp_path, tmp_path)
    pieces = pages.streamed(request, "page.html", rows=rows())
    seen = [(next(pieces), len(taken)) for _ in range(3)]
    assert seen == [("<ul>", 0), ("<li>a", 1), ("<li>&lt;b&gt;", 2)]
    assert list(pieces) == ["</ul>"]
    assert pages.text(request, "page.html", rows=rows()) == "<ul><li>a<li>&lt;b&gt;</ul>"
