"""The commands of `data` for single photographs: crops."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gan_eval.cli.options import Out, refuse_without_effect


class Half(StrEnum):
    """Which half of an A|B picture is the photograph."""

    left = "left"
    right = "right"


Sources = Annotated[
    list[Path], typer.Argument(metavar="SOURCE...", help="Folders of photographs; sub-folders are taken too.")
]


def data_crops(
    context: typer.Context,
    sources: Sources,
    out: Out,
    size: Annotated[int, typer.Option(help="Pixels a side of each crop.")],
    half: Annotated[Half | None, typer.Option(help="Take this half of A|B pictures.")] = None,
    per_picture: Annotated[int, typer.Option(help="1: the centre square; more: random squares too.")] = 1,
    split: Annotated[
        str | None,
        typer.Option(help="Put all there; default: SOURCE's own train, val, test, else by a hash of the path."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random squares.")] = 0,
    min_side: Annotated[int, typer.Option(help="Leave out photographs of fewer pixels a side.")] = 8,
) -> None:
    """Cut square crops from photographs into DIR/{train,val,test}; the same command goes on after a break."""
    from gan_eval.cli.console import Console
    from trainer.datasets.cuts import Cut
    from trainer.datasets.make import make_crops

    if per_picture == 1:
        refuse_without_effect(context, ["seed"], "is of the random squares; ask for some with --per-picture")
    cut = Cut(size, half.value if half else None, per_picture, split, seed, min_side)
    with Console() as console:
        made = make_crops(
            sources, out, cut, on_progress=lambda done, total: console.progress("crops", done, total, unit="pictures")
        )
        for line in made.lines():
            console.message(line)
    typer.echo(out)
