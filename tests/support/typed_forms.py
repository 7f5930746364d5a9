"""The forms of a page, with the fields and buttons that a browser would send."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec


class PageForm(msgspec.Struct):
    """A form, or the fields that a script posts to an address."""

    action: str
    fields: dict[str, str] = {}
    buttons: list[tuple[str, str, str]] = []
    """The action, name and value of each button."""


def forms_of(page: str, path: str) -> list[PageForm]:
    """The forms of the page at a path that are posted, also with their fields that stand outside of them."""
    reader = _Reader(path)
    reader.feed(page)
    reader.close()
    return [form for form in reader.forms if form.action]


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.forms: list[PageForm] = []
        self._by_id: dict[str, PageForm] = {}
        self._open: PageForm | None = None
        self._text: tuple[PageForm, str] | None = None
        self._select: tuple[PageForm, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = of.get("action", self._path) if of.get("method", "").lower() == "post" else ""
            self._open = self._known(of.get("id", ""))
            self._open.action = action or self._open.action
        posts = of.get("hx-post") or of.get("formaction")
        form = self._known(of["form"]) if of.get("form") else self._open
        if form is None:
            if posts:
                self.forms.append(PageForm(posts))
            return
        name, value = of.get("name", ""), of.get("value", "")
        if tag == "button" or (posts and tag == "input"):
            form.buttons.append((posts or form.action, name, value))
        elif posts and posts != form.action:
            form.buttons.append((posts, "", ""))
        if not name:
            return
        if tag == "input":
            if of.get("type") not in ("checkbox", "radio") or "checked" in of:
                form.fields[name] = value
            else:
                form.fields.setdefault(name, value)
        elif tag == "textarea":
            form.fields[name] = ""
            self._text = form, name
        elif tag == "select":
            form.fields[name] = ""
            self._select = form, name
        elif tag == "option" and self._select is not None and "selected" in of:
            self._select[0].fields[self._select[1]] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            form, name = self._text
            form.fields[name] = (form.fields[name] + data).removeprefix("\n")

    def _known(self, id: str) -> PageForm:
        """The form of an id, which may be told of before it begins; a new one for none."""
        form = self._by_id.get(id) if id else None
        if form is None:
            form = PageForm("")
            self.forms.append(form)
            if id:
                self._by_id[id] = form
        return form
