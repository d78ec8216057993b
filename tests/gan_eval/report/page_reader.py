"""A page as a browser or a screen reader would meet it."""

import re
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "link", "br", "hr", "input"}
LINES = {
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "li",
    "tr",
    "caption",
    "summary",
    "dt",
    "dd",
    "figcaption",
    "blockquote",
    "pre",
    "div",
}
"""Elements that begin a line of text."""
CELLS = {"td", "th"}
UNREAD = {"style", "svg", "title"}


class Page(HTMLParser):
    """The content of a page for a browser or a screen reader."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.title = ""
        self.lines = [""]
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in LINES:
            self.lines.append("")
        if tag in CELLS:
            self.lines[-1] += " | "
        if dict(attributes).get("role") == "img":
            self.lines.append(f"[{dict(attributes)['aria-label']}]")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text.append(data)
        if not UNREAD & set(self.open):
            self.lines[-1] += data
        if self.open and self.open[-1] == "title" and "svg" not in self.open:
            self.title += data
        if any(re.fullmatch("h[1-6]", tag) for tag in self.open):
            level, before = self.headings[-1]
            self.headings[-1] = (level, before + data)

    @property
    def content(self) -> list[str]:
        """The text of the page, each paragraph, item, row of a table and drawing in a line."""
        lines = (re.sub(r"\s+", " ", line).strip(" |") for line in self.lines)
        return [line for line in lines if line]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text)).replace("\u202f", " ")

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.tags for key, value in attributes.items() if key == name]

    def sections(self) -> list[str | None]:
        return [attributes.get("id") for tag, attributes in self.tags if tag == "section"]
