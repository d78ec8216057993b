"""The command `trials import`."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gan_eval.base.atomic import write_json
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import check_output_file
from gan_eval.study.commands.console import print_next_command, say
from gan_eval.study.commands.options import LargestMember, check_rules, counted, parse_pairs
from gan_eval.tables.frames import write_table

if TYPE_CHECKING:
    from gan_eval.judgements.convert import Imported

KindOption = Literal["real", "fake"]
NamesOption = Literal["file", "stem", "as-is"]
trials_app = typer.Typer(help="Trials from other programs.", no_args_is_help=True)
ROWS_LEFT_OUT = 3
"""Exit status of an import that rejected rows."""
MAX_NAMED = 20
"""Number of rejected cells that are printed; OUT.rejected.csv has all."""


@trials_app.command("import")
def trials_import(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...", help="Tables of one form (CSV, JSON, .xlsx, .ods, .sav, ... or a zip), joined by name."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The trials table to write (.csv or .parquet).")] = None,
    mapping: Annotated[
        list[str],
        typer.Option(
            "--map",
            help="Our column=theirs: participant=subject, reaction_time_ms=rt_s*1000; also a path into JSON "
            "(response.Q0; answers[*].label: a row of each entry), # for a number, * for any text, @file, "
            '@fill:COLUMN, @previous:COLUMN, @name, @"text".',
        ),
    ] = [],
    tool: Annotated[
        str | None, typer.Option("--from", help="The program that wrote the files; default: known by their columns.")
    ] = None,
    list_tools: Annotated[
        bool, typer.Option("--list-tools", help="List these programs, the file to export and what to know.")
    ] = False,
    where: Annotated[list[str], typer.Option("--where", help="Keep rows such as passed_check=True.")] = [],
    word: Annotated[list[str], typer.Option("--word", help="Meaning of a word: kind:synthetic=fake.")] = [],
    picture_names: Annotated[
        NamesOption | None,
        typer.Option(
            help="Name pictures by their file, by its stem, or as in the table; default: by file, if that is safe."
        ),
    ] = None,
    asked: Annotated[KindOption, typer.Option(help="Pairs: the picture that participants were to choose.")] = "real",
    rating_high: Annotated[KindOption | None, typer.Option(help="Ratings: the pictures that get high ones.")] = None,
    grade: Annotated[
        str | None, typer.Option(help="Scale of --map grade=COLUMN, from surely real to surely fake: 1..7 (or 7..1).")
    ] = None,
    skip_rows: Annotated[
        int, typer.Option(min=0, help="Number of further header rows; those of Qualtrics are found.")
    ] = 0,
    sheet: Annotated[
        str | None,
        typer.Option(help="Sheet of a spreadsheet (default: the first), table of an SQLite file; '*': all."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Names of the columns of files without a header: participant,picture,...")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Table of the pictures: number (of #), name or stimulus; kind, model, dataset (also by --map)."
        ),
    ] = None,
    largest_member: LargestMember = None,
    summary: Annotated[Path | None, typer.Option(help="JSON file of what the files were read as.")] = None,
) -> None:
    """Convert other programs' tables of judgements into a trials table.

    If columns are missing or words are unknown, one message lists them all. A row that does not fit is left out,
    printed, and kept in OUT.rejected.csv; the last line counts such rows, and the exit status is 3.
    """
    from gan_eval.judgements.convert import import_trials
    from gan_eval.judgements.read_as import lines_of

    if list_tools:
        _print_tools()
        return
    if not files:
        raise UserError("FILE: name the files to import (--list-tools: the programs whose files are known)")
    _check_outputs(out, summary, files)
    check_rules("--where", where)
    imported = import_trials(
        files,
        mapping=parse_pairs(mapping, "--map"),
        where=where,
        words=_meanings(word),
        asked=asked,
        picture_names=picture_names,
        rating_high=rating_high,
        grade=grade,
        tool=tool,
        skip_rows=skip_rows,
        sheet=sheet,
        columns=_column_names(columns),
        pictures=pictures,
        say=say,
    )
    for line in lines_of(imported.read_as, imported.words):
        say(line)
    if summary is not None:
        write_json(summary, imported.read_as.as_json())
    where_read = str(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
    if out is None:
        raise UserError(f"{where_read}: its columns fit; give --out trials.csv, the table to write")
    for line in _rejection_lines(imported.rejected.to_dict("records")):
        say(line)
    for line in (*_renamed_lines(imported), *imported.doubts):
        say(f"{where_read}: {line}")
    _write(imported, out)


def _print_tools() -> None:
    """Print the programs whose files are known."""
    from gan_eval.judgements.tools import TOOLS

    for name, tool in TOOLS.items():
        typer.echo(f"{name}: {tool.title}; file: {tool.export}; {tool.note}")


def _write(imported: "Imported", out: Path) -> None:
    """Write the trials and the rejected cells, and print how many rows there are; exit with 3 if some are left out."""
    from gan_eval import tables
    from gan_eval.judgements.rejections import rejection_summary

    rejected_file = _rejected_file(out)
    write_table(imported.trials, out, tables.TRIALS)
    typer.echo(out)
    trials = counted(len(imported.trials), "trial")
    if imported.rejected.empty:
        rejected_file.unlink(missing_ok=True)  # from an earlier import
        say(trials)
        print_next_command("analyze", str(out), "--out", "analysis")
        return
    write_table(imported.rejected, rejected_file, tables.REJECTED)
    count, cells = imported.n_left_out, rejection_summary(imported.rejected)
    say(f"{trials}; {count} of {count + len(imported.trials)} rows left out: {cells}; all in {rejected_file}")
    raise typer.Exit(ROWS_LEFT_OUT)


def _column_names(text: str | None) -> list[str]:
    """Return the names of `--columns`."""
    names = [] if text is None else [name.strip() for name in text.split(",")]
    if not all(names) or len({*names}) < len(names):
        raise UserError(f"--columns {text}: expected names that differ, with a comma between them")
    return names


def _check_outputs(out: Path | None, summary: Path | None, files: Sequence[Path]) -> None:
    """Refuse files that cannot be written, or that would replace a file that is imported."""
    if out is not None:
        _check_output(out, files, "--out")
        if out.suffix not in (".csv", ".parquet"):
            raise UserError(f"--out {out}: expected a name that ends in .csv or .parquet, such as {out.stem}.csv")
        _refuse_input(_rejected_file(out), files, f"--out {out}")
    if summary is not None:
        _check_output(summary, files, "--summary")


def _check_output(target: Path, files: Sequence[Path], option: str) -> None:
    check_output_file(target, option=option)
    _refuse_input(target, files, f"{option} {target}")


def _refuse_input(target: Path, files: Sequence[Path], given: str) -> None:
    for file in files:
        if file.exists() and target.exists() and target.samefile(file):
            raise UserError(
                f"{given}: {file} is one of the files to import, and would be overwritten; leave it out, if an "
                f"earlier import wrote it, or write {given.partition(' ')[0]} into another folder"
            )


def _rejected_file(out: Path) -> Path:
    return out.with_name(f"{out.stem}.rejected.csv")


def _meanings(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return our words of `--word COLUMN:THEIRS=OURS` by column and theirs."""
    words: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, ours = text.rpartition("=")
        column, colon, theirs = left.partition(":")
        if not (equals and colon and theirs):
            raise UserError(f"--word {text}: expected COLUMN:THEIRS=OURS, such as kind:synthetic=fake")
        words.setdefault(column, {})[theirs] = ours
    return words


def _rejection_lines(rejected: Sequence[Mapping[Hashable, Any]]) -> Iterator[str]:
    """Yield a line for each of the first `MAX_NAMED` problems of rejected cells."""
    from gan_eval.judgements.rejections import WHOLE_ROW

    alike: dict[str, list[str]] = {}
    for row in rejected:
        column = "" if row["column"] == WHOLE_ROW else f"column {row['column']}: "
        alike.setdefault(f"{column}{row['reason']}", []).append(f"{row['file']}: row {row['row']}")
    for problem, cells in list(alike.items())[:MAX_NAMED]:
        yield f"{cells[0]}{f' and {len(cells) - 1} more' if cells[1:] else ''}: {problem}"


def _renamed_lines(imported: "Imported") -> Iterator[str]:
    """Describe pictures that shared a name, if there are any, with the new name of one."""
    from gan_eval.judgements.checks import CHECKS

    if not (names := imported.renamed):
        return
    ends = (f"/{names[0]}", f"/{Path(names[0]).stem}")
    own_name = next(name for name in imported.trials["stimulus"] if name.endswith(ends))
    many = f"{len(names)} names stand" if len(names) > 1 else "a name stands"
    yield CHECKS["one_name"].line(names=many, own=own_name)
