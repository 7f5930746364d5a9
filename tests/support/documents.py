"""The documentation as tests read it: pages, their sections, and what stands in their code blocks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
"""The pages for users."""
DOCUMENTS = [*PAGES, *(each for each in sorted(ROOT.glob("*.md")) if each != README)]
"""The pages for users, and those for developers of the sandbox."""


def text(name: str) -> str:
    """A document by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def everything() -> str:
    """All pages for users, one after the other."""
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def section(name: str, heading: str) -> str:
    """The text below a heading of the second level."""
    _, found, rest = f"\n{text(name)}".partition(f"\n## {heading}\n")
    assert found, f"{name} has no section {heading}"
    return rest.partition("\n## ")[0]


def blocks(markdown: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.DOTALL | re.MULTILINE)


def commands(markdown: str) -> list[str]:
    """The command lines in indented blocks, without the remarks beside them."""
    lines = re.findall(r"^    (\S.*)$", re.sub(r"^```.*?^```$", "", markdown, flags=re.S | re.M), re.M)
    return [re.sub(r"\s+# .*$", "", line) for line in lines]
