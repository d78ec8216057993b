"""The commands that come in groups: `weights`, `trials`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gan_eval.cli.options import naming, pairs

weights_app = typer.Typer(help="Pretrained weights that metrics and training need.", no_args_is_help=True)
trials_app = typer.Typer(help="Trials from other programs.", no_args_is_help=True)
MOST_NAMED = 20
"""So many rejected cells are told on the screen; the file beside has all."""


@weights_app.command("list")
def weights_list() -> None:
    """Tell which weights are known, and which are in the cache."""
    from gan_eval.weights import cache

    for status in cache.list_weights():
        place = status.path or f"not in the cache; {status.mend}"
        typer.echo(f"{status.name}: {place} ({status.description})")


@weights_app.command("fetch")
def weights_fetch(name: Annotated[str, typer.Argument(help="Which, such as inception; all: every one.")]) -> None:
    """Fetch weights into the cache, checked by SHA-256."""
    from gan_eval.cli.console import Console
    from gan_eval.errors import UserError
    from gan_eval.weights import cache

    failures = []
    with Console() as console:
        for each in cache.names() if name == "all" else [name]:
            try:
                path = cache.fetch(each, on_progress=partial(console.progress, f"fetch {each}"))
                typer.echo(path)
            except UserError as error:
                failures.append(str(error))
    if failures:
        raise UserError("; ".join(failures))


@trials_app.command("import")
def trials_import(
    file: Annotated[Path, typer.Argument(help="A CSV file with one judgement a row.")],
    out: Annotated[Path, typer.Option("--out", help="The trials table to write (.csv or .parquet).")],
    mapping: Annotated[list[str] | None, typer.Option("--map", help="Such as participant=subject; rt_s*1000.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="Keep rows such as passed_check=True.")] = None,
    word: Annotated[
        list[str] | None, typer.Option("--word", help="What the file's words mean, such as kind:synthetic=fake.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take nothing where a row does not fit.")] = False,
) -> None:
    """Bring a foreign table of judgements into a trials table.

    A row that does not fit is left out, named here and kept in OUT.rejected.csv.
    """
    from gan_eval import tables, tabular
    from gan_eval.errors import UserError
    from gan_eval.files import check_output_file
    from gan_eval.stats import import_trials
    from gan_eval.stats.rules import parse_rule

    check_output_file(out)
    for rule in where or ():
        with naming("--where"):
            parse_rule(rule)

    found = import_trials(file, mapping=pairs(mapping or [], "--map"), where=where or (), words=_meanings(word or []))
    rows = found.rejected.to_dict("records")
    for row in rows[:MOST_NAMED]:
        typer.echo(f"{file}: row {row['row']}: column {row['column']}: {row['reason']}", err=True)
    beside = out.with_name(f"{out.stem}.rejected.csv")
    if rows and strict:
        raise UserError(f"{file}: {len(rows)} cells do not fit; mend them, or leave --strict away")
    if rows:
        tabular.write_table(found.rejected, beside, tables.REJECTED)
        left_out = found.rejected["row"].nunique()
        typer.echo(f"{left_out} of {left_out + len(found.trials)} rows left out, all named in {beside}", err=True)
    else:
        beside.unlink(missing_ok=True)  # an earlier import's
    tabular.write_table(found.trials, out, tables.TRIALS)
    typer.echo(f"{len(found.trials)} trials", err=True)
    typer.echo(out)


def _meanings(texts: list[str]) -> dict[str, dict[str, str]]:
    """`column:theirs=ours` texts by column."""
    from gan_eval.errors import UserError

    found: dict[str, dict[str, str]] = {}
    for text in texts:
        place, equals, ours = text.rpartition("=")
        column, colon, theirs = place.partition(":")
        if not (equals and colon and theirs and ours):
            raise UserError(f"--word {text}: wanted COLUMN:THEIRS=OURS, such as kind:synthetic=fake")
        found.setdefault(column, {})[theirs] = ours
    return found
