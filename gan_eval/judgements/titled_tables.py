"""A text with several tables, each below a line with its title and above an empty line."""

import re

_EMPTY_LINE = re.compile(r"\n[,;\t ]*\r?(?=\n)")


def titled_tables(text: str) -> dict[str, str]:
    """Return the tables of a text by their titles; empty: it is one table.

    The results of QuickEval (quickeval.no) are such a text.

    >>> titled_tables("Observers,,\\nid,age,\\n1,20,\\n,,\\nResults,,\\nid,left,right\\n1,a.png,b.png\\n")
    {'Observers': 'id,age,\\n1,20,', 'Results': 'id,left,right\\n1,a.png,b.png'}
    >>> titled_tables("A study\\n\\nid,left,right\\n1,a.png,b.png\\n")
    {}
    """
    if not _EMPTY_LINE.search(text):
        return {}
    tables = {}
    for block in filter(None, (each.strip("\n\r") for each in _EMPTY_LINE.split(f"{text}\n"))):
        first, _, rest = block.partition("\n")
        title = first.strip(",;\t \r")
        if not title or re.search(r"[,;\t]", title) or "\n" not in rest:
            return {}
        tables[title] = rest
    return tables if len(tables) > 1 else {}
