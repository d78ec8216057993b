"""The commands of `data`: fetch, check, show and make data sets."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import check_output_file
from gan_eval.base.progress import about, about_download
from gan_eval.settings.choices import Direction
from gan_eval.study.commands.console import Console
from gan_eval.study.commands.options import DataRoot, Out, refuse_without_effect
from trainer.datasets.presets import PRESETS, preset_of

data_app = typer.Typer(help="Data sets: A|B pictures or photographs, DIR/<split>/*.jpg.", no_args_is_help=True)


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The data set's folder, with train/ and others.")]


@data_app.command("list")
def data_list() -> None:
    """List the data sets that have a preset."""
    for preset in PRESETS.values():
        splits = ", ".join(f"{name} {count}" for name, count in preset.splits.items()) or preset.pictures
        if preset.has_photographs:
            archive = f"archive {preset.archive_note}" if preset.url else preset.origin
            typer.echo(f"{preset.name}: photographs, {preset.holds}; {splits}; {archive}")
        else:
            archive = preset.archive_note if preset.url else f"{preset.archive_note}, with --from only: {preset.origin}"
            typer.echo(f"{preset.name}: {preset.direction}, A {preset.a}, B {preset.b}; {splits}; archive {archive}")


@data_app.command("fetch")
def data_fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a preset; `gan-eval data list` prints them.")],
    data_root: DataRoot = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The data set's own folder; default: NAME under --data-root.")
    ] = None,
    source: Annotated[str | None, typer.Option("--from", help="An archive's file or address.")] = None,
) -> None:
    """Download or unpack a data set into DIR/<split>/*.jpg."""
    from trainer.datasets.fetch import fetch

    preset = preset_of(name)
    if out is None and data_root is None:
        raise UserError("data fetch: no folder to write to; give --data-root DIR (or $GAN_EVAL_DATA), or --out DIR")
    if out is not None:
        refuse_without_effect(context, ["data_root"], f"--out {out} names the data set's own folder; give one of them")
    folder = out if out is not None else (data_root or Path()) / preset.name
    with Console() as console:
        fetched = fetch(preset, folder, source=source, on_progress=about_download(f"fetch {name}", console.progress))
        for remark in fetched.remarks:
            console.message(remark)
        splits = ", ".join(f"{split} {count}" for split, count in fetched.splits.items())
        console.message(f"{preset.name}: {splits} pictures; terms: {preset.terms}: {preset.citation}")
    typer.echo(fetched.folder)


@data_app.command("check")
def data_check(
    folder: Folder,
    photographs: Annotated[bool, typer.Option("--photographs", help="Single photographs, for inpainting.")] = False,
) -> None:
    """Report sizes, sides, splits, duplicates and pictures that cannot be used."""
    from trainer.datasets.check import check

    with Console() as console:
        report = check(folder, photographs=photographs, on_progress=about("check", console.progress))
    typer.echo("\n".join(report.lines()))


@data_app.command("preview")
def data_preview(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="The picture to write (.png, .jpg, .webp).")],
    direction: Annotated[
        Direction | None, typer.Option(help="AtoB: the left half is the input; default: the preset's, else AtoB.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="The split; default: train, else the first.")] = None,
) -> None:
    """Draw a contact sheet that marks which half is the input and which the target."""
    from trainer.datasets.check import preview

    check_output_file(out)
    preview(folder, out, direction=direction, split=split, on_message=partial(typer.echo, err=True))
    typer.echo(out)


@data_app.command("pair")
def data_pair(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of the left halves, or of train/, val/, test/.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of the right halves.")],
    out: Out,
) -> None:
    """Join pictures of two folders with the same file stem into A|B pictures."""
    from trainer.datasets.make import pair_folders

    with Console() as console:
        say = partial(typer.echo, err=True)
        counts = pair_folders(a, b, out, on_progress=about("pair", console.progress), on_message=say)
    _report_pairs(counts, out)


@data_app.command("edges")
def data_edges(
    photos: Annotated[Path, typer.Argument(help="Folder of photographs, or of train/, val/, test/.")],
    out: Out,
    sigma: Annotated[float, typer.Option(help="Smoothing in pixels; larger: fewer, longer lines.")] = 2.0,
) -> None:
    """Put photographs next to their edges: A black lines on white, B the photograph."""
    from trainer.datasets.make import pair_edges

    with Console() as console:
        counts = pair_edges(photos, out, sigma=sigma, on_progress=about("edges", console.progress))
    _report_pairs(counts, out)


def _report_pairs(counts: dict[str, int], out: Path) -> None:
    typer.echo(", ".join(f"{split} {count}" for split, count in counts.items()) + " pairs", err=True)
    typer.echo(out)
