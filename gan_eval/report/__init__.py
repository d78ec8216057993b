"""A study's tables and figures in one self-contained HTML file: mailed, archived, read on a phone, printed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gan_eval.files.atomic import write_bytes, write_text
from gan_eval.machine.commands import as_typed

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.metrics.run.inputs import Stimulus

__all__ = ["build", "build_figures", "build_markdown", "build_metrics_report", "write_report"]


def write_report(
    tables: "Path | str | Mapping[str, pd.DataFrame]",
    out: Path | str,
    *,
    title: str | None = None,
    stimuli: Path | str | Sequence[Path | str] = (),
    with_raw_tables: bool = False,
) -> Path:
    """Write the report of tables and return its path: HTML, or Markdown where `out` ends in `.md`.

    Args:
        tables: a folder as for `build`, or frames by the names of their tables, such as what `gan_eval.analyze` gives,
            with `trials`, `image_metrics` and `set_metrics` beside.
        out: the file.
        title: as for `build`.
        stimuli: one or more stimulus sets, as for `build`.
        with_raw_tables: as for `build`.

    Raises:
        UserError: as for `build`, or a frame has no table's name.

    >>> import pandas as pd
    >>> from tempfile import mkdtemp
    >>> from gan_eval import analyze
    >>> trials = pd.DataFrame({"participant": ["P1"] * 4, "stimulus": list("abcd"),
    ...     "kind": ["real", "real", "fake", "fake"], "response": ["real", "fake", "fake", "fake"]})
    >>> write_report(analyze(trials) | {"trials": trials}, Path(mkdtemp()) / "report.html").name
    'report.html'
    """
    write = build_markdown if Path(out).suffix == ".md" else build
    places = [Path(place) for place in ([stimuli] if isinstance(stimuli, Path | str) else stimuli)]
    if isinstance(tables, Path | str):
        return write(Path(tables), Path(out), title=title, stimuli=places, with_raw_tables=with_raw_tables)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / Path(out).stem  # its name is the heading where nothing else tells one
        _write_frames(tables, folder)
        return write(folder, Path(out), title=title, stimuli=places, with_raw_tables=with_raw_tables)


def _write_frames(frames: "Mapping[str, pd.DataFrame]", folder: Path) -> None:
    """Each frame as the file of its table.

    Raises:
        UserError: there are no frames by name, or one has no table's name or does not fit its table.
    """
    from gan_eval.errors import UserError
    from gan_eval.stats.analysis import ALL_TABLES
    from gan_eval.stats.trials import fill_trials, usable
    from gan_eval.tables.frames import write_table

    if not (isinstance(frames, Mapping) and frames):
        found = "" if isinstance(frames, Mapping) else f" in a {type(frames).__name__}"
        raise UserError(f"write_report: no tables by name{found}; give those of gan_eval.analyze, or a folder")
    for name, frame in frames.items():
        if name not in ALL_TABLES:
            raise UserError(f"write_report: no table {name!r}; name the frames as in docs/tables.md")
        whole = fill_trials(usable(frame).trials) if name == "trials" else frame
        write_table(whole, folder / f"{name}.csv", ALL_TABLES[name])


def build(
    folder: Path,
    out: Path,
    *,
    title: str | None = None,
    stimuli: Sequence[Path] = (),
    with_raw_tables: bool = False,
) -> Path:
    """Write the report of a study's folder, or of any folder with tables of a study, and return its path.

    Sections whose table is absent are left out. Equal input gives equal bytes.

    Args:
        folder: with `study.toml`, `.gan-eval/facts.json`, `tables/`, `metrics/`, `stimuli/`, `models/` and
            `published/`, each of which may be absent; or with tables that lie in the folder itself.
        out: the HTML file.
        title: heading; default: the study's title, else its name, else how many took part, else the folder's name.
        stimuli: folders of stimulus sets that were shown, beside those that the study's folder holds or names.
        with_raw_tables: put the tables of single sessions (trials, sessions) into the file too.

    Raises:
        UserError: no such folder, nothing in it, or a table that does not fit its schema.
    """
    from gan_eval.report.page import render
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.sections import study_report

    study = read_folder(Path(folder), stimuli=stimuli)
    page = render(study_report(study, title=title, with_raw_tables=with_raw_tables))
    write_text(Path(out), as_typed(page, in_file=True))
    return Path(out)


def build_markdown(
    folder: Path,
    out: Path,
    *,
    title: str | None = None,
    stimuli: Sequence[Path] = (),
    with_raw_tables: bool = False,
) -> Path:
    """Write the same report as Markdown, with its figures, pictures and tables as files in `STEM_files` beside it.

    Args:
        folder: as for `build`.
        out: the Markdown file.
        title: as for `build`.
        stimuli: as for `build`.
        with_raw_tables: as for `build`.

    Returns:
        The Markdown file.

    Raises:
        UserError: as for `build`.
    """
    from gan_eval.report.markdown import write_markdown
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.sections import study_report

    study = read_folder(Path(folder), stimuli=stimuli)
    return write_markdown(study_report(study, title=title, with_raw_tables=with_raw_tables), Path(out))


def build_figures(folder: Path, out: Path, *, stimuli: Sequence[Path] = ()) -> list[Path]:
    """Write each figure of the report as SVG and PDF for a paper, and return the paths. Equal input gives equal bytes.

    The pictures that fooled most and least, and the real ones most often doubted, are contact sheets for slides: PNG.

    Args:
        folder: as for `build`.
        out: folder for the figures.
        stimuli: as for `build`.

    Raises:
        UserError: as for `build`, or nothing in the folder can be drawn.
    """
    from gan_eval.errors import UserError
    from gan_eval.report.parts.chart import pdf_file, svg_file
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.parts.palette import PAPER
    from gan_eval.report.people.pictures import contact_sheet
    from gan_eval.report.sections import study_report

    paths = []
    report = study_report(read_folder(Path(folder), stimuli=stimuli))
    for ranking in report.rankings:
        paths.append(Path(out) / f"{ranking.name}.png")
        write_bytes(paths[-1], contact_sheet(ranking))
    for chart in report.charts:
        figure = chart.figure()
        for suffix, as_file in (("svg", svg_file), ("pdf", pdf_file)):
            paths.append(Path(out) / f"{chart.name}.{suffix}")
            write_bytes(paths[-1], as_file(figure, PAPER, title=chart.title))
    if not paths:
        raise UserError(f"{folder}: no figure in its report; expected tables such as tables/rates.csv")
    return paths


def build_metrics_report(
    frames: "Mapping[str, pd.DataFrame]", stimuli: "Sequence[Stimulus]", out: Path, *, title: str | None = None
) -> Path:
    """Write the report of metric tables and return its path: who is best by what, and how far that can be said.

    Equal input gives equal bytes.

    Args:
        frames: by table name: image_metrics, set_metrics, metric_comparisons, runs, beside; each may be absent.
        stimuli: the pictures that were measured, for thumbnails; those whose file cannot be read have none.
        out: the HTML file.
        title: heading; default: made of the models and data sets.

    Raises:
        UserError: the file cannot be written.
    """
    from gan_eval.report.metrics.data import Measured
    from gan_eval.report.page import render
    from gan_eval.report.sections import metrics_report

    write_text(Path(out), as_typed(render(metrics_report(Measured(frames, stimuli), title=title)), in_file=True))
    return Path(out)
