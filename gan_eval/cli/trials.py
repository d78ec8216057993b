"""The command `trials import`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gan_eval.cli.options import counted, parse_pairs, print_next_command, say
from gan_eval.errors import UserError, naming

KindOption = Literal["real", "fake"]
NamesOption = Literal["file", "stem", "as-is"]
trials_app = typer.Typer(help="Trials from other programs.", no_args_is_help=True)
ROWS_LEFT_OUT = 3
"""Exit status of an import that rejected rows."""
MAX_NAMED = 20
"""Number of rejected cells that are printed; OUT.rejected.csv has all."""


@trials_app.command("import")
def trials_import(
    file: Annotated[Path, typer.Argument(help="A CSV file with one judgement a row.")],
    out: Annotated[Path | None, typer.Option("--out", help="The trials table to write (.csv or .parquet).")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="Our column=theirs: participant=subject, reaction_time_ms=rt_s*1000."),
    ] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="Keep rows such as passed_check=True.")] = None,
    word: Annotated[list[str] | None, typer.Option("--word", help="Meaning of a word: kind:synthetic=fake.")] = None,
    picture_names: Annotated[
        NamesOption | None,
        typer.Option(
            help="Name pictures by their file, by its stem, or as in the table; default: by file, if that is safe."
        ),
    ] = None,
    asked: Annotated[KindOption, typer.Option(help="Pairs: the picture that participants were to choose.")] = "real",
    rating_high: Annotated[KindOption | None, typer.Option(help="Ratings: the pictures that get high ones.")] = None,
) -> None:
    """Convert another program's table of judgements into a trials table.

    If columns are missing or words are unknown, one message lists them all. A row that does not fit is left out,
    printed, and kept in OUT.rejected.csv; the last line counts such rows, and the exit status is 3.
    """
    from gan_eval import tables
    from gan_eval.files.output_folders import check_output_file
    from gan_eval.stats.analysis import import_trials
    from gan_eval.stats.exclusions import parse_rule
    from gan_eval.stats.importing import WRONG_LENGTH, rejection_summary
    from gan_eval.tables import frames as tabular

    if out is not None:
        check_output_file(out)
        if out.suffix not in (".csv", ".parquet"):
            raise UserError(f"--out {out}: expected a name that ends in .csv or .parquet, such as {out.stem}.csv")
        written = [place for place in (out, rejected_file_of(out)) if place.exists()]
        if file.exists() and any(place.samefile(file) for place in written):
            raise UserError(f"--out {out}: {file} would be overwritten; name another file")
    for rule in where or ():
        with naming("--where: "):
            parse_rule(rule)
    words: dict[str, dict[str, str]] = {}
    for text in word or ():
        place, equals, ours = text.rpartition("=")
        column, colon, theirs = place.partition(":")
        if not (equals and colon and theirs):
            raise UserError(f"--word {text}: expected COLUMN:THEIRS=OURS, such as kind:synthetic=fake")
        words.setdefault(column, {})[theirs] = ours
    imported = import_trials(
        file,
        mapping=parse_pairs(mapping or [], "--map"),
        where=where or (),
        words=words,
        asked=asked,
        picture_names=picture_names,
        rating_high=rating_high,
    )
    if out is None:
        raise UserError(f"{file}: its columns fit; give --out trials.csv, the table to write")
    rows = imported.rejected.to_dict("records")
    alike: dict[str, list[int]] = {}
    for row in rows:
        place = "" if row["reason"].startswith(WRONG_LENGTH) else f"column {row['column']}: "
        alike.setdefault(f"{place}{row['reason']}", []).append(row["row"])
    for problem, numbers in list(alike.items())[:MAX_NAMED]:
        say(f"{file}: row {numbers[0]}{f' and {len(numbers) - 1} more' if numbers[1:] else ''}: {problem}")
    if names := imported.renamed:
        ends = (f"/{names[0]}", f"/{Path(names[0]).stem}")
        own_name = next(name for name in imported.trials["stimulus"] if name.endswith(ends))
        many = f"{len(names)} names stand" if len(names) > 1 else "a name stands"
        say(
            f"{file}: {many} for several pictures (real and generated, or of several models); each picture has its own "
            f"now, such as {own_name}"
        )
    for line in imported.doubts:
        say(f"{file}: {line}")
    rejected_file = rejected_file_of(out)
    tabular.write_table(imported.trials, out, tables.TRIALS)
    typer.echo(out)
    trials = counted(len(imported.trials), "trial")
    if not rows:
        rejected_file.unlink(missing_ok=True)  # from an earlier import
        say(trials)
        print_next_command("analyze", str(out), "--out", "analysis")
        return
    tabular.write_table(imported.rejected, rejected_file, tables.REJECTED)
    count = imported.rejected["row"].nunique()
    say(
        f"{trials}; {count} of {count + len(imported.trials)} rows left out: "
        f"{rejection_summary(imported.rejected)}; all in "
        f"{rejected_file}"
    )
    raise typer.Exit(ROWS_LEFT_OUT)


def rejected_file_of(out: Path) -> Path:
    """Return the file of the rejected rows of an import."""
    return out.with_name(f"{out.stem}.rejected.csv")
