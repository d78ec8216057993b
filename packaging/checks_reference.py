"""The tables of `docs/data_checks.md` and `docs/checks.md`: every check, with its threshold and what it does.

`python packaging/checks_reference.py pictures` and `python packaging/checks_reference.py judgements` print them.
"""

import sys
from collections.abc import Iterable

from gan_eval.judgements.checks import CHECKS as OF_JUDGEMENTS
from gan_eval.pictures.checks import CHANGES
from gan_eval.pictures.checks import CHECKS as OF_PICTURES
from gan_eval.tables.checks import Check

_HEAD = ["| check | sees | threshold | does |", "| --- | --- | --- | --- |"]


def of_pictures() -> str:
    """Return the checks of pictures as a table in Markdown: the changes of pictures, then the others."""
    changes = [
        f"| changed: {each.id} | better {each.name.partition(',')[0].partition(':')[0]}, in {each.share:.0%} of the "
        f"pictures | {each.threshold:g} | asks |"
        for each in CHANGES
    ]
    return "\n".join([*_HEAD, *changes, *_rows(check for check in OF_PICTURES.values() if check.id != "changed")])


def of_judgements() -> str:
    """Return the checks of judgements as a table in Markdown."""
    return "\n".join([*_HEAD, *_rows(OF_JUDGEMENTS.values())])


def _rows(checks: Iterable[Check]) -> list[str]:
    sees = {check: check.sees.replace("|", r"\|") for check in checks}
    return [f"| {check.id} | {text} | {check.threshold:g} | {check.does} |" for check, text in sees.items()]


if __name__ == "__main__":
    print({"pictures": of_pictures, "judgements": of_judgements}[sys.argv[1]]())
