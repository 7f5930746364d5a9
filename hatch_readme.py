"""Metadata hook: makes the text of the package's page from README.md.

A package page has no files beside it, and the project has no address that links could lead to. So a link to a
file becomes the file's path, and the page says where that file is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_CODE = r"```.*?```|`[^`\n]*`"
_LINK = r"!?\[(?P<text>[^\]]*)\]\((?!https?:)(?P<path>[^)#\s]*)(?:#[^)\s]*)?\)"
_CODE_OR_LINK = re.compile(f"{_CODE}|{_LINK}", re.DOTALL)
NOTE = "*`make` and the files that this page names are in the source distribution of the package.*"


class PackagePage(MetadataHookInterface):
    """Fills the field `readme`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": package_page(readme)}


def package_page(readme: str) -> str:
    """The README with paths of files in place of links to them, and with a note about these at its start."""
    title, _, rest = _CODE_OR_LINK.sub(_spelled, readme).partition("\n")
    return f"{title}\n\n{NOTE}\n{rest}"


def _spelled(found: re.Match[str]) -> str:
    text, path = found["text"], found["path"]
    if text is None:
        return found[0]
    return f"{text} (`{path}`)" if path not in ("", text) else text
