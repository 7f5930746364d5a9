"""Pages: what their templates see, and that a page made piece by piece is seen so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import msgspec
import pytest
from jinja2 import meta, nodes
from starlette.requests import Request

from retailops_sandbox import resources
from retailops_sandbox.reporting.probes import html as probe_html
from retailops_sandbox.reporting.reporters import html
from retailops_sandbox.web.shell.pages import Pages

TEMPLATES = resources.templates_dir()
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
REPORTS = {"reporting/report.html": html._template, "reporting/probe.html": probe_html._template}
AROUND_PAGES = ("shell/layout.html", "shell/error.html", "shell/record_switch.html")
OF_RULES = ("shell/rule_part.html", "shell/rule_preview.html")
"""The parts that a script asks for where a rule is made, on pages of several rooms."""


class ListPage(msgspec.Struct):
    rows: Iterator[str]


def given(environment: jinja2.Environment, name: str) -> set[str]:
    """The names that a template uses, and neither imports nor sets itself."""
    tree = environment.parse((TEMPLATES / name).read_text())
    own = {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {each.target for each in tree.find_all(nodes.Import)}
    own |= {each for imported in tree.find_all(nodes.FromImport) for each in imported.names}
    own |= {each.name for each in tree.find_all(nodes.Name) if each.ctx == "store"}
    return meta.find_undeclared_variables(tree) - own - environment.globals.keys()


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("reporting/")])
def test_a_template_sees_its_page_and_the_shell_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    environment = Pages(TEMPLATES, tmp_path)._environment
    # What several rooms use is macros, which see their arguments alone.
    is_part = name.startswith("shell/") and name not in (*AROUND_PAGES, *OF_RULES)
    assert given(environment, name) <= (set() if is_part else {"page", "shell"})


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_sees_its_page_alone(name: str) -> None:
    assert given(REPORTS[name](), name) == {"page"}


def test_a_streamed_page_ends_a_piece_before_it_asks_for_more(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<ul>{{ flush }}{% for row in page.rows %}<li>{{ row }}{{ flush }}{% endfor %}</ul>"
    )
    (tmp_path / "manifest.json").write_text("{}")
    taken: list[str] = []

    def rows() -> Iterator[str]:
        for each in ("a", "<b>"):
            taken.append(each)
            yield each

    request = Request({"type": "http", "path": "/", "headers": []})
    pages = Pages(tmp_path, tmp_path)
    pieces = pages.streamed(request, "page.html", ListPage(rows()))
    seen = [(next(pieces), len(taken)) for _ in range(3)]
    assert seen == [("<ul>", 0), ("<li>a", 1), ("<li>&lt;b&gt;", 2)]
    assert list(pieces) == ["</ul>"]
    assert pages.text(request, "page.html", ListPage(rows())) == "<ul><li>a<li>&lt;b&gt;</ul>"


def test_the_digits_of_a_large_number_stand_apart(tmp_path: Path):
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "page.html").write_text("{% for row in page.rows %}{{ row | length | number }} {% endfor %}")
    request = Request({"type": "http", "path": "/", "headers": []})
    rows = iter(["x" * 200, "x" * 12345])
    assert Pages(tmp_path, tmp_path).text(request, "page.html", ListPage(rows)) == "200 12,345 "


# --- what fields hold ---

EXPRESSION = r"\{\{.*?\}\}"
FIELDS = (
    r'(?<![\w-])(?:value|name|data-[\w-]+)="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\}|\{(?![{%]))*)"',
    r"(?s)<textarea(?:[^>{]|\{\{.*?\}\}|\{%.*?%\}|\{(?![{%]))*>(.*?)</textarea>",
)
OWN_WORDS = re.compile(r"\bif\b|\+|loop\.|^'")


def test_what_a_field_holds_is_sent_back_as_it_was():
    """Pages show control characters spelled out; in a field, that would change what the next form sends."""
    changed = [
        (path.name, expression)
        for path in sorted(resources.templates_dir().rglob("*.html"))
        if path.parent.name != "reporting"
        for field in FIELDS
        for found in re.finditer(field, path.read_text())
        for expression in re.findall(EXPRESSION, found[1])
        if "| typed }}" not in expression and not OWN_WORDS.search(expression.strip("{} "))
    ]
    assert changed == []
