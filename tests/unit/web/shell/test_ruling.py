"""The form that makes a rule: by itself, and as a part of another form."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request

from retailops_sandbox import resources
from retailops_sandbox.accepting import ruling as rules
from retailops_sandbox.accepting.ruling import Preview
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.ruling import RuleForm, RulePane


class PanePage(msgspec.Struct):
    pane: RulePane


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "manifest.json").write_text("{}")
    return Pages(resources.templates_dir(), tmp_path)


def shown(pages: Pages, **more: object) -> str:
    place = rules.place_at({"a": "x"}, {"a": "y"}, "/a", "/a", {})
    form = RuleForm(at="/a", actual="/a", word="type")
    fields = {"action": "/do", "back": "/", "target": "#it", "note": "Here.", "preview": Preview(1, 1, 2)}
    pane = RulePane(form=form, place=place, **{**fields, **more})
    request = Request({"type": "http", "path": "/", "headers": []})
    return pages.text(request, "shell/rule_part.html", PanePage(pane))


def test_it_is_a_form_of_its_own(pages: Pages):
    page = shown(pages)
    assert page.count("<form ") == page.count("</form>") == 1
    assert 'action="/do"' in page
    assert 'name="do" value="rule"' in page
    assert "formaction" not in page
    assert "<b>any text:</b> 1 of the last 2 answers would pass" in page


def test_it_is_a_part_of_another_form(pages: Pages):
    page = shown(pages, is_in_form=True, prefix="value:")
    assert "<form" not in page
    assert "</form>" not in page
    assert page.count("<div") == page.count("</div>")
    assert 'name="do" value="value:rule" formaction="/do"' in page
    assert '{"do": "value:preview"}' in page
