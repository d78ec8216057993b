"""Sources that reports cite by names and year, such as `Zhou et al. 2019`, with their entries in `references.bib`."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gan_eval import __version__
from gan_eval.stats.latex import escape_latex

_FILE = Path(__file__).parent.parent / "references.bib"
_ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_CITED = re.compile(r"\b([A-ZÀ-Þ][\w'-]+)(?: et al\.| and [A-ZÀ-Þ][\w'-]+)? ((?:19|20)\d{2})\b(?!-)")
"""`Wang et al. 2004`, `Agresti and Caffo 2000`, `Holm 1979`; not the date `2015-12-05`."""


@cache
def sources() -> dict[str, str]:
    """Return the BibTeX entries of `references.bib` by key: the first author's family name and the year."""
    text = _FILE.read_text(encoding="utf-8").replace("VERSION", __version__)
    return {match[1]: match[0] for match in _ENTRY.finditer(text)}


def _key(cited: re.Match[str]) -> str:
    letters = unicodedata.normalize("NFD", cited[1].lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha()) + cited[2]


def cited_keys(text: str) -> list[str]:
    """Return the keys of the sources in `references.bib` that a text cites, each once.

    >>> cited_keys("Bińkowski et al. 2018; cubic kernel; Inception 2015-12-05; Holm 1979 and Holm 1979")
    ['binkowski2018', 'holm1979']
    """
    keys = map(_key, _CITED.finditer(text))
    return [key for key in dict.fromkeys(keys) if key in sources()]


def as_latex(text: str) -> str:
    r"""Return a text as LaTeX, the years of its sources as `\cite`; a blank line stands between paragraphs.

    >>> as_latex("50% corrected (Holm 1979).")
    '50\\% corrected (Holm~\\cite{holm1979}).\n'
    """

    def linked(cited: re.Match[str]) -> str:
        key = _key(cited)
        return f"{cited[0][:-5]}~\\cite{{{key}}}" if key in sources() else cited[0]

    return "\n\n".join(_CITED.sub(linked, escape_latex(part)) for part in text.split("\n\n")) + "\n"


def as_bibtex(keys: Sequence[str]) -> str:
    """Return the entries of these sources, in their order."""
    return "\n".join(sources()[key] for key in keys)
