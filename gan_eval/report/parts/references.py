"""The sources that reports cite, from `references.bib`: texts with `[@key]` as plain text and as LaTeX, their BibTeX
entries, and a list of references."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gan_eval import __version__
from gan_eval.report.parts.words import listed
from gan_eval.stats.paper import escape_latex

_FILE = Path(__file__).parent.parent / "references.bib"
_ENTRY = re.compile(r"^@\w+\{(\w+),\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)
_CITED = re.compile(r" ?\[@([\w, ]+)\]")
_IN_BRIEF = re.compile(r"([A-ZÀ-Þ][\w-]+)(?: et al\.| and [A-ZÀ-Þ][\w-]+)? ((?:19|20)\d{2})\b(?!-)")
"""`Wang et al. 2004`, `Chong and Forsyth 2020`, as the catalogue of metrics cites; not the date `2015-12-05`."""
_ACCENT = re.compile(r"\{\\(['`^\"~]|v )(\w)\}")
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "v ": "\u030c"}
_LETTERS = {r"{\l}": "ł", "$'$": "′", "``": "“", "''": "”", r"\&": "&", r"\_": "_", "{": "", "}": ""}


@dataclass(frozen=True)
class Source:
    """A publication, or a program."""

    entry: str
    """Its BibTeX entry, ASCII."""
    authors: Sequence[str]
    """`Family, Given`."""
    title: str
    year: str
    venue: str

    @property
    def cited(self) -> str:
        """The source as a text cites it, such as `Chong & Forsyth 2020`."""
        families = [author.partition(",")[0] for author in self.authors]
        names = " & ".join(families) if len(families) < 3 else f"{families[0]} et al."
        return f"{names} {self.year}".strip()

    @property
    def reference(self) -> str:
        """The source as a list of references has it."""
        authors = []
        for author in self.authors:
            family, _, given = author.partition(", ")
            initials = " ".join("-".join(f"{part[0]}." for part in name.split("-")) for name in given.split())
            authors.append(f"{initials} {family}".strip())
        return f"{listed(authors)} ({self.year}). {self.title}. {self.venue}."


@cache
def sources() -> dict[str, Source]:
    """Every source of `references.bib` by its key.

    >>> sources()["chong2020"].reference[:35]
    'M. J. Chong and D. Forsyth (2020). '
    """
    text = _FILE.read_text(encoding="utf-8").replace("VERSION", __version__)
    found = {}
    for match in _ENTRY.finditer(text):
        fields = {name: _plain(value) for name, value in _FIELD.findall(match[2])}
        venue = next((fields[name] for name in ("journal", "booktitle", "publisher", "note") if name in fields), "")
        authors = fields["author"].split(" and ")
        found[match[1]] = Source(match[0], authors, fields["title"], fields.get("year", ""), venue)
    return found


def _plain(latex: str) -> str:
    """Return LaTeX letters as Unicode.

    >>> _plain(r"{Bi{\\'n}kowski \\& Miko{\\l}aj}")
    'Bińkowski & Mikołaj'
    """
    text = _ACCENT.sub(lambda match: unicodedata.normalize("NFC", match[2] + _ACCENTS[match[1]]), latex)
    for written, letter in _LETTERS.items():
        text = text.replace(written, letter)
    return text


def cited_keys(text: str) -> list[str]:
    """Return the keys that a text cites, each once.

    >>> cited_keys("One [@holm1979], two [@hautus1995, holm1979].")
    ['holm1979', 'hautus1995']
    """
    return list(dict.fromkeys(key.strip() for keys in _CITED.findall(text) for key in keys.split(",")))


def _cited_in_brief(text: str) -> dict[str, str]:
    """Return the possible keys (first author and year) of what a text cites, with the citations."""
    found = {}
    for match in _IN_BRIEF.finditer(text):
        letters = unicodedata.normalize("NFD", match[1])
        found["".join(letter for letter in letters.lower() if letter.isascii() and letter.isalpha()) + match[2]] = match
    return {key: match[0] for key, match in found.items()}


def keys_in_brief(text: str) -> list[str]:
    """Return the keys of what a metric's record cites by names and year, as far as `references.bib` has them.

    >>> keys_in_brief("Binkowski et al. 2018; cubic kernel; Inception 2015-12-05")
    ['binkowski2018']
    """
    return [key for key in _cited_in_brief(text) if key in sources()]


def references(texts: Iterable[str]) -> list[str]:
    """Return the papers that texts cite, each once, by first author; unknown ones as cited.

    >>> references(["as Somebody and Other 1999; Inception 2015-12-05"])
    ['Somebody and Other (1999).']
    """
    citations = {key: cited for text in texts for key, cited in _cited_in_brief(text).items()}
    return [
        sources()[key].reference if key in sources() else f"{citations[key][:-5]} ({key[-4:]})."
        for key in sorted(citations)
    ]


def as_text(text: str) -> str:
    """Return a text with its citations as names and years in brackets.

    >>> as_text("Corrected [@holm1979].")
    'Corrected (Holm 1979).'
    """
    return _CITED.sub(lambda match: f" ({'; '.join(sources()[key].cited for key in cited_keys(match[0]))})", text)


def as_latex(text: str) -> str:
    r"""Return a text as LaTeX, its citations as `\cite`; a blank line stands between paragraphs.

    >>> as_latex("50 % corrected [@holm1979].")
    '50 \\% corrected~\\cite{holm1979}.\n'
    """
    paragraphs = []
    for paragraph in text.split("\n\n"):
        latex = ""
        for place, part in enumerate(_CITED.split(paragraph)):  # texts and keys in turn
            if place % 2:
                latex += f"~\\cite{{{part.replace(', ', ',')}}}"
            else:
                latex += " " * (place > 0 and part.startswith(" ")) + escape_latex(part)
        paragraphs.append(latex)
    return "\n\n".join(paragraphs) + "\n"


def as_bibtex(keys: Sequence[str]) -> str:
    """Return the entries of these sources, in their order."""
    return "\n".join(sources()[key].entry for key in keys)
