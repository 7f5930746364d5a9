"""The documents lead where they say: links, anchors, and the paths that they name."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path

import pytest

from tests.support import documents
from tests.support.documents import DOCUMENTS, PAGES, README, ROOT

PACKAGE = ROOT / "sandbox" / "retailops_sandbox"
FOR_DEVELOPERS = [
    ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions.md")
]
PATH = re.compile(r"(?!\.sandbox/)[\w.*<>-]+(/[\w.*<>-]*)+|[\w-]+\.(py|md)")
"""What looks like a path: `<name>` and `*` stand for any name. URLs begin with a slash."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(document: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(document: Path):
    links = re.findall(r"\]\(([^()\s]+)\)", prose(document))
    for link in links:
        address = urllib.parse.urlsplit(link)
        assert not address.scheme, f"{link}: the documents need no network"
        target = (document.parent / address.path).resolve() if address.path else document
        assert target.exists(), link
        if address.fragment:
            assert address.fragment in anchors(target), link


@pytest.mark.parametrize("document", [page for page in PAGES if page != README], ids=name)
def test_the_readme_leads_to_every_page(document: Path):
    assert f"({name(document)})" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("document", FOR_DEVELOPERS, ids=name)
def test_every_path_in_backticks_exists(document: Path):
    quoted = re.findall(r"`([^`\n]+)`", prose(document))
    paths = [each for each in quoted if PATH.fullmatch(each)]
    assert paths
    for path in paths:
        pattern = re.sub(r"<\w+>", "*", path).rstrip("/")
        assert any(any(base.glob(pattern)) for base in (ROOT, PACKAGE, ROOT / "docs")), path


@pytest.mark.parametrize("document", [page for page in PAGES if page.name != "decisions.md"], ids=name)
def test_a_page_says_first_what_it_is_for_and_what_to_do(document: Path):
    beginning, _, _ = document.read_text(encoding="utf-8").partition("\n## ")
    title, _, rest = beginning.partition("\n\n")
    assert title.startswith("# ")
    assert "\n" not in title
    assert not rest.startswith((" ", "|", "```", "!", "#"))
    assert documents.commands(rest), "a command comes first"


def test_the_readme_is_short_and_begins_with_a_picture_and_the_first_verdict():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    first_screen = "\n".join(lines[:30])
    assert "](docs/result.png)" in first_screen
    assert "make run" in first_screen
    assert "press **Send**" in first_screen
    second_screen = "\n".join(lines[30:80])
    assert "# .github/workflows/" in second_screen
    assert "pip install retailops-sandbox" in "\n".join(lines[20:60])
