"""The tables of a study as one self-contained HTML file. Open `sections.py` first: it lists the sections in order.

`parts/` has the blocks and formats of sections; `people/`, `metrics/` and `training.py` have the sections.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from gan_eval.base.atomic import share_with_group, write_bytes, write_text
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import check_output_file
from gan_eval.tables.names import MODELS_TEX

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.metrics.run.inputs import Stimulus

__all__ = ["build_figure", "build_metrics_report", "write_report"]


def check_page(page: Path, *, option: str) -> None:
    """Check before any work that a page can be written; create nothing.

    Raises:
        UserError: its name does not end in .html, it is a folder, or such a file cannot be created.
    """
    if page.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{option} {page}: the page is HTML; name it {page.stem}.html (a browser prints it as PDF)")
    check_output_file(page, option=option)


def write_report(
    tables: "Path | str | Mapping[str, pd.DataFrame]",
    out: Path | str,
    *,
    title: str | None = None,
    stimuli: Path | str | Sequence[Path | str] = (),
    maps: Mapping[str, Path] | None = None,
    with_raw_tables: bool = False,
) -> Path:
    """Write the report of a study's folder, of any folder with tables, or of frames, and return its path.

    Sections without a table are absent. Equal input gives equal bytes. In the folder itself, the table of metrics and
    fooling rates is also written as `MODELS_TEX`, next to the table `paper`.

    Args:
        tables: a folder with `study.toml`, `.gan-eval/facts.json`, `tables/`, `metrics/`, `stimuli/`, `models/` and
            `published/`, each of which may be absent; or a folder that itself contains the tables; or frames by the
            names of their tables, such as the result of `gan_eval.analyze` with `trials`, `image_metrics` and
            `set_metrics`.
        title: heading; default: the study's title, else its name, else the number of participants, else the folder.
        stimuli: folders of stimulus sets that were shown, besides those that the study's folder holds or names.
        maps: folders of your maps by name, as in `analyze`: the best one is shown next to people's marks.
        with_raw_tables: put the tables of single sessions (trials, sessions) into the file too.

    Raises:
        UserError: no such folder, nothing in it, a table that does not fit its schema, a frame with no table's name, or
            as for `check_page`.

    >>> import pandas as pd
    >>> from tempfile import mkdtemp
    >>> from gan_eval import analyze
    >>> trials = pd.DataFrame({"participant": ["P1"] * 4, "stimulus": list("abcd"),
    ...     "kind": ["real", "real", "fake", "fake"], "response": ["real", "fake", "fake", "fake"]})
    >>> write_report(analyze(trials) | {"trials": trials}, Path(mkdtemp()) / "report.html").name
    'report.html'
    """
    from gan_eval.report.page import render
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.people.first_page import models_latex
    from gan_eval.report.sections import study_report

    out = Path(out)
    if isinstance(tables, Path | str):
        folders = [Path(folder) for folder in ([stimuli] if isinstance(stimuli, Path | str) else stimuli)]
        study_folder = read_folder(Path(tables), stimuli=folders, maps=maps)  # first, as the page may be in this folder
        check_page(out, option="write_report:")
        report = study_report(study_folder, title=title, with_raw_tables=with_raw_tables)
        write_text(out, render(report))
        share_with_group(out)
        is_its_own = out.absolute().parent == Path(tables).absolute() and "paper" in study_folder.files
        if is_its_own and (text := models_latex(study_folder)):
            write_text(study_folder.files["paper"].with_name(MODELS_TEX), text)
        return out
    if not (isinstance(tables, Mapping) and tables):
        kind = "" if isinstance(tables, Mapping) else f" in a {type(tables).__name__}"
        raise UserError(f"write_report: no tables by name{kind}; give those of gan_eval.analyze, or a folder")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / out.stem  # its name is the default heading
        _write_frames(tables, folder)
        return write_report(folder, out, title=title, stimuli=stimuli, maps=maps, with_raw_tables=with_raw_tables)


def _write_frames(tables: "Mapping[str, pd.DataFrame]", folder: Path) -> None:
    """Write frames by the names of their tables into a folder."""
    from gan_eval.judgements.trials import prepare_trials
    from gan_eval.stats.all_tables import ALL_TABLES
    from gan_eval.tables.frames import write_table

    for name, frame in tables.items():
        if name not in ALL_TABLES:
            raise UserError(f"write_report: no table {name!r}; name the frames as `gan_eval.analyze` does")
        whole = prepare_trials(frame).trials if name == "trials" else frame
        write_table(whole, folder / f"{name}.csv", ALL_TABLES[name])


def build_figure(
    folder: Path,
    out: Path,
    *,
    content: Literal["1", "marks"] = "1",
    stimuli: Sequence[Path] = (),
    maps: Mapping[str, Path] | None = None,
    width_mm: float | None = None,
    panels: str | None = None,
    on_message: Callable[[str], object] = warnings.warn,
) -> Path:
    """Write a figure of a study for a paper and return its path. Equal input gives equal bytes.

    Args:
        content: figure 1, or where people saw it.
        out: the file: `.pdf`, `.svg` or `.png`.
        width_mm: default: 180; below 130 panels are stacked.
        panels: letters of the panels of figure 1 to draw, such as `ab`; default: all that fit.
        on_message: called with a line on the panels that do not fit.
    """
    from gan_eval.report.figure import WIDTH_MM, write_figure
    from gan_eval.report.parts.chart import figure_file
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.people.marks import CAPTION, HEADING, marks_figure

    study, width = read_folder(Path(folder), stimuli=stimuli, maps=maps), width_mm or WIDTH_MM
    if content == "1":
        return write_figure(study, Path(out), width, panels=panels, on_message=on_message)
    words = CAPTION + " Simulated participants, which say nothing about people." * study.simulated
    write_bytes(out, figure_file(marks_figure(study, width), out.suffix, title=HEADING, description=words))
    return out


def build_metrics_report(frames: "Mapping[str, pd.DataFrame]", stimuli: "Sequence[Stimulus]", out: Path) -> Path:
    """Write the report of metric tables and return its path. Equal input gives equal bytes.

    Args:
        frames: by table name: image_metrics, set_metrics, metric_comparisons, runs; each may be absent.
        stimuli: the pictures that were measured, for holes and spectra.
    """
    from gan_eval.report.metrics.summaries import Measured
    from gan_eval.report.page import render
    from gan_eval.report.sections import metrics_report

    write_text(Path(out), render(metrics_report(Measured(frames, stimuli))))
    share_with_group(Path(out))
    return Path(out)
