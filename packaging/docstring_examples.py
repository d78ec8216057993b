"""Show the doctests of docstrings as code on the documentation site: an extension of mkdocstrings' parser, Griffe."""

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"^>>> .*?(?=\n\s*\n|\Z)", re.M | re.S)


class DocstringExamples(griffe.Extension):
    """Put each doctest into a fenced block, as Markdown would join its lines."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
