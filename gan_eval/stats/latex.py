"""LaTeX: the table to cite as `paper.tex`, any table for the package booktabs, and the escape of texts."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import pandas as pd

from gan_eval.stats.cited import UNNAMED, printed, shared_reals, skill_note, unadjusted
from gan_eval.stats.results import INTERIM, Result, Results, results_of

TEXT_WIDTH_PT = 440.0
"""Width of a table in points; A4 with margins of 2.5 cm has 455."""
COLUMN_GAP_PT = 6.0
_SIZES = (("footnotesize", 1.0), ("scriptsize", 8 / 9))
"""Sizes of letters, and their widths compared with the first."""
LONG = 14
"""Number of letters from which a heading, a name or a verdict is set in two lines, if it has a place for that."""


@dataclass(frozen=True)
class TexCell:
    """A cell of a LaTeX table, not yet escaped."""

    text: str
    below: str = ""
    """Second line, such as an interval."""
    form: str = "%s"
    r"""LaTeX around the first line, such as `\textbf{%s}`."""


def latex(table: pd.DataFrame) -> str:
    """Return the table `paper`, which has rows, as LaTeX for the package booktabs.

    Counts, and a model or data set that all rows have in common, are in the caption.
    """
    results = results_of(table)
    heads, rows = printed(results)
    columns = {head: [row[index] for row in rows] for index, head in enumerate(heads)}
    common = {head: {*columns[head]} for head in ("Model", "Data set")}
    caption = ["Real or generated?"]
    for head, names in common.items():
        if len(names) == 1 and (head == "Data set" or len(rows) > 1 or names == {UNNAMED}):
            caption += [f"{head}: {name}." for name in names - {UNNAMED}]
            del columns[head]
    cells = _cells(columns)
    return booktabs(
        list(cells),
        [list(row) for row in zip(*cells.values(), strict=True)],
        words=_WORDS,
        caption=" ".join([*caption, *_facts(results, heads)]),
        label="tab:real-or-generated",
    )


def _cells(columns: Mapping[str, Sequence[str]]) -> dict[str, list[TexCell]]:
    """Return the cells without counts; model and data set are two lines of one column."""
    cells = {
        head: [TexCell(*folded(text)) if head in _WORDS else _number(text) for text in texts]
        for head, texts in columns.items()
        if head not in _COUNTED
    }
    if not {"Model", "Data set"} <= cells.keys():
        return cells
    both = [TexCell(*names) for names in zip(columns["Model"], columns["Data set"], strict=True)]
    renamed = {_BOTH if head == "Model" else head: cells[head] for head in cells if head != "Data set"}
    return renamed | {_BOTH: both}


def _facts(results: Results, heads: Sequence[str]) -> list[str]:
    """Return the sentences of the caption that follow from the rows: counts, who answered, what intervals allow for."""
    rows = results.every
    caption = [_counts(results.cited)]
    if any(row.simulated for row in rows):
        caption.append("Simulated participants: a rehearsal, not evidence about people.")
    if any(row.verdict == INTERIM for row in rows):
        caption.append("Interim: no verdict, because the study waits for more people.")
    if partial := [row.fraction for row in rows if row.fraction < 1]:
        caption.append(f"Models trained for {100 * min(partial):.3g}% of the planned steps.")
    if "Balanced accuracy, %" in heads:
        caption.append("Accuracy counts real and generated pictures alike; chance is 50%.")
    if results.has_intervals:
        caption.append(f"In brackets 95% intervals{_allowing(results)}.")
    caption += filter(None, (unadjusted(results.cited), shared_reals(results), skill_note(results)))
    if "Threshold, ms" in heads:
        caption.append("Those of thresholds are over participants only.")
    return caption


def _allowing(results: Results) -> str:
    """Return what the intervals of rates, preferences and grades allow for; empty if there are others only."""
    if results.known.isdisjoint(_OVER_PICTURES):
        return ""
    if all((row.counts["n_participants"] or 0) <= 1 for row in results.every):
        return " that allow for differences between pictures and say nothing about other people"
    return " that allow for differences between participants and between pictures"


_OVER_PICTURES = ("fooling_rate", "real_called_real", "accuracy", "preference", "grade")
"""Numbers whose intervals allow for differences between pictures."""
_BOTH = "Model, data set"
_WORDS = ("Asked", "Model", "Data set", _BOTH, "Verdict")
_COUNTED = ("People", "Pictures", "Pictures, fake + real", "Answers")


def _number(text: str) -> TexCell:
    value, bracket, interval = text.partition("[")
    return TexCell(value.strip(), bracket + interval)


def _counts(rows: Sequence[Result]) -> str:
    """Return a sentence with the numbers of people, pictures and answers of rows of `paper`."""
    names = {
        "n_participants": ("participant", "participants"),
        "n_fake": ("generated picture", "generated pictures"),
        "n_real": ("real picture", "real pictures"),
        "n_unknown": ("picture", "pictures"),
        "n_answers": ("answer", "answers"),
    }
    parts = []
    for name, (one, several) in names.items():
        counts = [row.counts.get(name) or 0 for row in rows if row.counts.get(name) is not None]
        if any(counts):
            ends = dict.fromkeys((min(counts), max(counts)))
            parts.append(f"{' to '.join(map(str, ends))} {one if max(counts) == 1 else several}")
    return f"{'Each row: ' * (len(rows) > 1)}{', '.join(parts)}."


def folded(text: str) -> tuple[str, str]:
    """Return a text as one line or, if it is long, as two of about the same length; the second may be empty.

    >>> folded("equivalent to chance"), folded("told apart"), folded("a_rather_long_name")
    (('equivalent', 'to chance'), ('told apart', ''), ('a_rather_', 'long_name'))
    """
    breaks = [match.end() for match in re.finditer(r"[ _/-]", text)]
    if len(text) < LONG or not breaks:
        return text, ""
    at = min(breaks, key=lambda at: abs(2 * at - len(text)))
    return text[:at].rstrip(" "), text[at:]


def booktabs(
    heads: Sequence[str], rows: Sequence[Sequence[TexCell]], *, words: Collection[str], caption: str, label: str
) -> str:
    """Return a table for the package booktabs; one too wide for a page of A4 is continued below.

    Args:
        heads: headings, not escaped.
        rows: as many cells each.
        words: the headings of columns of words, which are set flush left; those at the left are repeated below.
        caption: not escaped.
        label: for `\\ref`.
    """
    folded_heads = [TexCell(*folded(head)) for head in heads]
    widths = [max(map(_width, column)) for column in zip(folded_heads, *rows, strict=True)]
    size, scale = next((size for size in _SIZES if size[1] * sum(widths) <= TEXT_WIDTH_PT), _SIZES[-1])
    parts = list[str]()
    for columns in _parts(
        [scale * width for width in widths], lead=sum(1 for _ in takewhile(lambda head: head in words, heads))
    ):
        parts += [
            rf"\begin{{tabular}}{{{''.join('l' if heads[index] in words else 'r' for index in columns)}}}",
            r"\toprule",
            *_lines([folded_heads[index] for index in columns]),
            r"\midrule",
            *_body([[row[index] for index in columns] for row in rows]),
            r"\bottomrule",
            r"\end{tabular}",
            r"\\[1ex]",
        ]
    is_foreign = any(not line.isascii() for line in (*parts, escape_latex(caption)))
    lines = [
        r"% \usepackage{booktabs}"
        + ("; names beyond ASCII: UTF-8, and LuaLaTeX where pdfLaTeX lacks a letter" * is_foreign),
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        rf"\label{{{label}}}",
        rf"\{size}\setlength{{\tabcolsep}}{{{COLUMN_GAP_PT / 2:g}pt}}",
        *parts[:-1],
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _parts(widths: Sequence[float], *, lead: int) -> list[list[int]]:
    """Return the indices of the columns of each part of a table; each part begins with the first `lead` columns."""
    first = list(range(lead))
    parts, used = [[*first]], sum(widths[:lead])
    for index in range(lead, len(widths)):
        if used + widths[index] > TEXT_WIDTH_PT and len(parts[-1]) > lead:
            parts.append([*first])
            used = sum(widths[:lead])
        parts[-1].append(index)
        used += widths[index]
    return parts


def _body(rows: Sequence[Sequence[TexCell]]) -> list[str]:
    """Return the lines of rows; those of two lines have a gap between them."""
    lines = list[str]()
    for row in rows:
        if lines and any(cell.below for cell in row):
            lines.append(r"\addlinespace[2pt]")
        lines += _lines(row)
    return lines


def _lines(row: Sequence[TexCell]) -> list[str]:
    """Return a row as one line, or as two."""
    lines = [" & ".join(cell.form % escape_latex(cell.text) for cell in row) + r" \\"]
    if any(cell.below for cell in row):
        lines.append(" & ".join(escape_latex(cell.below) for cell in row) + r" \\")
    return lines


def _width(cell: TexCell) -> float:
    """Return about the width of a cell in points, at 9 points: `footnotesize` in a text of 11 points."""
    return COLUMN_GAP_PT + max(sum(map(_letter_width, line)) for line in (cell.text, cell.below))


def _letter_width(letter: str) -> float:
    if letter in " ijl.,;:!|()[]'":
        return 3.0
    return 7.5 if letter.isupper() or letter in "mw%+<>" or not letter.isascii() else 4.8


_BREAK = "\ue000"
"""Separator of letters that LaTeX would join, such as two hyphens."""
_JOINED = re.compile(r"([-'`,])(?=\1)")
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "′": "$'$",
    "−": "$-$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "°": r"$^\circ$",
    "²": "$^2$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "χ": r"$\chi$",
    "λ": r"$\lambda$",
    "–": "--",
    "…": r"\ldots{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "“": "``",
    "”": "''",
    '"': "''{}",
    _BREAK: "{}",
}


def escape_latex(text: str) -> str:
    """Escape a text for LaTeX, so that it contains no commands and does not end a cell.

    >>> print(escape_latex("a_b & 50% {x}"))
    a\\_b \\& 50\\% \\{x\\}
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = _JOINED.sub(rf"\1{_BREAK}", " ".join(line.split()))
    escaped = "".join(_COMMANDS.get(letter, letter) for letter in line)
    # a first [ or * would be read as part of the command before
    return f"{{}}{escaped}" if escaped.startswith(("[", "*")) else escaped
