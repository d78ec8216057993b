"""The commands that come in groups: `stimuli`, `weights`, `trials`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gan_eval.cli_options import Out, pairs

stimuli_app = typer.Typer(help="Stimulus sets: pictures that can be shown.", no_args_is_help=True)
weights_app = typer.Typer(help="Pretrained weights that metrics need.", no_args_is_help=True)
trials_app = typer.Typer(help="Trials from other programs.", no_args_is_help=True)


@stimuli_app.command("import")
def stimuli_import(
    source: Annotated[Path, typer.Argument(help="Folder with real/ and fake/, or *_real_A/_fake_B/_real_B.png.")],
    out: Out,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set; default: the folder's.")] = None,
    model: Annotated[str, typer.Option(help="Name of the generator.")] = "generated",
) -> None:
    """Make a stimulus set from any generator's result folder."""
    from gan_eval.console import Console
    from gan_eval.stimuli import import_folder

    with Console() as console:
        imported = import_folder(
            source,
            out,
            dataset=dataset,
            model=model,
            on_progress=lambda done, total: console.progress("import", done, total),
        )
        for problem in imported.problems:
            console.message(f"left out: {problem}")
        console.message(f"{imported.items} items imported, {len(imported.problems)} left out")
    typer.echo(out)


@weights_app.command("list")
def weights_list() -> None:
    """Tell which weights are known, and which are in the cache."""
    from gan_eval import weights

    for status in weights.list_weights():
        typer.echo(f"{status.name}: {status.path or 'not in the cache'} ({status.description})")


@weights_app.command("fetch")
def weights_fetch(name: Annotated[str, typer.Argument(help="Which, such as inception; all: every one.")]) -> None:
    """Fetch weights into the cache, checked by SHA-256."""
    from gan_eval import weights
    from gan_eval.console import Console
    from gan_eval.errors import UserError

    failures = []
    with Console() as console:
        for each in weights.names() if name == "all" else [name]:
            try:
                path = weights.fetch(each, on_progress=partial(console.progress, f"fetch {each}"))
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
) -> None:
    """Bring a foreign table of judgements into a trials table."""
    from gan_eval import tables, tabular
    from gan_eval.stats import import_trials

    frame = import_trials(file, mapping=pairs(mapping or [], "--map"), where=where or ())
    tabular.write_table(frame, out, tables.TRIALS)
    typer.echo(f"{len(frame)} trials", err=True)
    typer.echo(out)
