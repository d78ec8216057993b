"""A study's tables and figures in one self-contained HTML file: mailed, archived, read on a phone, printed."""

from pathlib import Path

from gan_eval.files import write_text

__all__ = ["build"]


def build(folder: Path, out: Path, *, title: str | None = None) -> Path:
    """Write the report of a study's folder, or of any folder with tables of a study, and return its path.

    Sections whose table is absent are left out. Equal input gives equal bytes.

    Args:
        folder: with `study.toml`, `.gan-eval/facts.json`, `tables/`, `metrics/`, `stimuli/`, `models/` and
            `published/`, each of which may be absent; or with tables that lie in the folder itself.
        out: the HTML file.
        title: heading; default: the study's title, else its name, else the folder's.

    Raises:
        UserError: no such folder, nothing in it, or a table that does not fit its schema.
    """
    from gan_eval.report.folder import read_folder
    from gan_eval.report.page import render

    write_text(Path(out), render(read_folder(Path(folder)), title=title))
    return Path(out)
