"""The width of LaTeX tables: compiled where TeX is installed, else estimated from their letters."""

import re
import shutil
import subprocess
from pathlib import Path

PAGE = r"""\documentclass[%s]{article}
\usepackage[a4paper,margin=2.5cm]{geometry}
\usepackage{booktabs}
\begin{document}
\input{table}
\end{document}
"""
WIDTH_PT = 455.2
"""Width of the text on this page."""


def require_fits(text: str, folder: Path) -> None:
    """Check that a table is not wider than the text of a page of A4, in 10 and in 11 points."""
    assert widest_line(text) < WIDTH_PT
    (folder / "table.tex").write_text(text, encoding="utf-8")
    for size in ("10pt", "11pt") if shutil.which("pdflatex") else ():
        (folder / "page.tex").write_text(PAGE % size, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "page.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert re.findall(r"^(?:Overfull|!).*", done.stdout, re.MULTILINE) == []
        assert done.returncode == 0


def widest_line(text: str) -> float:
    """Return about the sum of the widest cells of each column, of the widest part, in points."""
    widths = []
    for part in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        rows = [line.removesuffix(r" \\").split(" & ") for line in part.splitlines() if " & " in line]
        cells = [[re.sub(r"\\[a-z]+|[{}$\\]", "", cell) for cell in row] for row in rows]
        widths.append(sum(6 + max(map(_width, column)) for column in zip(*cells, strict=True)))
    return max(widths)


def _width(cell: str) -> float:
    narrow = len(re.findall(r"[][ .,;:()']", cell))
    return 4.3 * (len(cell) - narrow) + 2.6 * narrow
