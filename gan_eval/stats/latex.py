"""LaTeX: the table to cite as `paper.tex`, any table for the package booktabs, and the escape of texts."""

import re
from collections.abc import Sequence

import pandas as pd

from gan_eval.stats.paper import INTERIM, distinct_rows, printed, shared_reals, skill_note, unadjusted


def latex(table: pd.DataFrame) -> str:
    """Return the table `paper`, which has rows, as LaTeX for the package booktabs."""
    heads, rows = printed(table)
    words = {"Asked", "Model", "Data set", "Verdict"}
    has_rates = table[["fooling_rate", "real_called_real", "accuracy", "preference", "grade"]].notna().any(axis=None)
    caption = ["Real or generated?"]
    if table["simulated"].fillna(False).any():
        caption.append("Simulated participants: a rehearsal, not evidence about people.")
    if (table["verdict"] == INTERIM).any():
        caption.append("Interim: no verdict, because the study waits for more people.")
    fractions = table["fraction"].dropna()
    if (fractions < 1).any():
        caption.append(f"Models trained for {100 * fractions.min():.3g}% of the planned steps.")
    if "Balanced accuracy, %" in heads:
        caption.append("Accuracy counts real and generated pictures alike; chance is 50%.")
    if has_rates and table["n_participants"].max() <= 1:
        allowing = " that allow for differences between pictures and say nothing about other people"
    else:
        allowing = " that allow for differences between participants and between pictures" * bool(has_rates)
    caption.append(f"In brackets 95% intervals{allowing}.")
    caption += [
        text for text in (unadjusted(distinct_rows(table)["verdict"]), shared_reals(table), *skill_note(table)) if text
    ]
    if "Threshold, ms" in heads:
        caption.append("Those of thresholds are over participants only.")
    return booktabs(
        [escape_latex(head) for head in heads],
        [[escape_latex(cell) for cell in row] for row in rows],
        columns="".join("l" if head in words else "r" for head in heads),
        caption=escape_latex(" ".join(caption)),
        label="tab:real-or-generated",
    )


def booktabs(heads: Sequence[str], rows: Sequence[Sequence[str]], *, columns: str, caption: str, label: str) -> str:
    """Return a table for the package booktabs, of texts that are LaTeX already; `columns` are as for `tabular`."""
    body = [" & ".join(row) + r" \\" for row in rows]
    is_foreign = any(not line.isascii() for line in body)
    lines = [
        r"% \usepackage{booktabs}"
        + ("; names beyond ASCII: UTF-8, and LuaLaTeX where pdfLaTeX lacks a letter" * is_foreign),
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


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
