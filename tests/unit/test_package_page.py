"""The text of the package's page: it has no files beside it that a link could lead to."""

from __future__ import annotations

import re

import pytest

from hatch_readme import NOTE, package_page
from tests.support import documents


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("see [In CI](docs/ci.md).", "see In CI (`docs/ci.md`)."),
        ("[a](docs/a.md#part-two), [b](b/)", "a (`docs/a.md`), b (`b/`)"),
        ("![A picture](docs/a.png)", "A picture (`docs/a.png`)"),
        ("[LICENSE](LICENSE)", "LICENSE"),
        ("[below](#safety)", "below"),
        ("[there](https://example.org/a)", "[there](https://example.org/a)"),
        ("`a[1](2)` is code", "`a[1](2)` is code"),
        ("```\n[a](b)\n```\n[`run`](a.md)", "```\n[a](b)\n```\n`run` (`a.md`)"),
    ],
)
def test_a_link_to_a_file_becomes_its_path(markdown: str, expected: str):
    assert package_page(f"# Title\n\n{markdown}\n") == f"# Title\n\n{NOTE}\n\n{expected}\n"


def test_the_page_of_the_readme_has_no_link_to_a_file_and_names_each():
    readme = documents.text("README.md")
    page = package_page(readme)
    linked = set(re.findall(r"\]\(([^)#]+)", readme))
    assert len(linked) > 10
    assert re.findall(r"\]\((?!https?:)", page) == []
    assert [path for path in linked if f"`{path}`" not in page and path not in page] == []
