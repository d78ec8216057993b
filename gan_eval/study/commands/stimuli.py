"""The commands of `stimuli`: import, audit, equalise."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import check_output_folder, claim_output_folder
from gan_eval.base.progress import about
from gan_eval.pictures.sets import read_set
from gan_eval.settings.choices import Direction
from gan_eval.study.commands.console import Console
from gan_eval.study.commands.options import FitOption, LargestMember, Out, Paired, TarKey, White
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import write_rows, write_table

stimuli_app = typer.Typer(help="Stimulus sets: pictures that can be shown.", no_args_is_help=True)


@stimuli_app.command("import")
def stimuli_import(
    out: Out,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Folder (or zip, npz, Parquet, tar) with real/ and fake/, or *_real_A/_fake_B/_real_B.png."
        ),
    ] = None,
    real: Annotated[Path | None, typer.Option(help="Instead: folder or container of real pictures.")] = None,
    fakes: Annotated[list[Path], typer.Option("--fake", help="With --real: those of a model. Repeatable.")] = [],
    paired: Paired = None,
    tar_key: TarKey = None,
    largest_member: LargestMember = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set; default: the folder's.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the generator; default: that of its --fake folder, or generated.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Inpainting: folder of masks, of the pictures' stems; default: SOURCE/mask.")
    ] = None,
    mask_hole: Annotated[
        Literal["white", "black"] | None, typer.Option(help="Colour of the holes in the masks; default: white.")
    ] = None,
    mask_kind: Annotated[str | None, typer.Option(help="Kind of the holes; default: folder.")] = None,
    fit: Annotated[
        FitOption | None,
        typer.Option(
            help="If real and fake differ in size: scale the larger one down (crop, stretch), or, if one was padded, "
            "cut both at the top left (corner) or to their centre (centre)."
        ),
    ] = None,
    white: White = None,
) -> None:
    """Make a stimulus set from any generator's results: a folder, a container of pictures, or several of them."""
    from gan_eval.pictures.importing import import_folder

    if (source is None) == (real is None) or (real is None) != (not fakes):
        raise UserError("stimuli import: give either a folder (or container), or --real and --fake")
    with Console() as console:
        imported = import_folder(
            source or real or Path(),
            out,
            fakes=fakes,
            paired=paired,
            tar_key=tar_key,
            dataset=dataset,
            model=model,
            masks=masks,
            mask_kind=mask_kind,
            fit=fit,
            white=white,
            mask_hole=mask_hole,
            on_progress=about("import", console.progress),
        )
        for problem in imported.problems:
            console.message(f"left out: {problem}")
        for remark in imported.remarks:
            console.message(f"note: {remark}")
        counts = f"{imported.pictures['real']} real and {imported.pictures['fake']} generated pictures"
        console.message(f"{imported.items} items imported ({counts}), {len(imported.problems)} left out")
    typer.echo(out)


@stimuli_app.command("audit")
def stimuli_audit(
    sets: Annotated[list[Path], typer.Argument(metavar="SET", help="Sets; models may share real pictures.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for giveaways.csv; must be empty or made by gan_eval.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table to stdout as JSON.")] = False,
) -> None:
    """Report differences between real and generated pictures other than their content."""
    from gan_eval import tables
    from gan_eval.pictures.audit import audit, summary_lines

    opened = [read_set(folder) for folder in sets]
    if out is not None:
        claim_output_folder(out)
    with Console() as console:
        giveaways = audit(opened, on_progress=about("audit", console.progress))
        for line in summary_lines(giveaways):
            console.message(line)
    if out is not None:
        write_rows(giveaways.rows, out / "giveaways.csv", tables.GIVEAWAYS)
    if as_json:
        typer.echo(json.dumps({tables.GIVEAWAYS.name: giveaways.rows}, ensure_ascii=False))
    elif out is not None:
        typer.echo(out)


@stimuli_app.command("equalise")
def stimuli_equalise(
    source: Annotated[Path, typer.Argument(metavar="SET", help="The stimulus set.")],
    out: Out,
    size: Annotated[str | None, typer.Option(help="Common size, such as 256x256; default: the smallest sides.")] = None,
    fit: Annotated[FitOption | None, typer.Option(help="Crop or stretch pictures of another shape.")] = None,
    jpeg: Annotated[
        int | None, typer.Option(min=1, max=95, help="Code all pictures once as JPEG of this quality (4:2:0).")
    ] = None,
) -> None:
    """Bring real and generated pictures to one format, size and naming."""
    from gan_eval.pictures.equalise import Form, equalise, parse_size

    form = Form(parse_size(size) if size else None, fit, jpeg)
    with Console() as console:
        equalised = equalise(source, out, form, on_progress=about("equalise", console.progress))
        for problem in equalised.problems:
            console.message(f"left out: {problem}")
        width, height = equalised.size
        console.message(
            f"{equalised.items} items of {width}x{height} pixels, {len(equalised.problems)} left out; "
            "written as PNG under neutral names"
        )
    typer.echo(out)


@stimuli_app.command("copies")
def stimuli_copies(
    sets: Annotated[list[Path], typer.Argument(metavar="SET", help="Stimulus sets.")],
    out: Out,
    training: Annotated[
        Path | None, typer.Option(help="Folder of the training pictures; default: duplicates in the sets alone.")
    ] = None,
    direction: Annotated[
        Direction | None, typer.Option(help="Training pictures are A|B pairs; the target is compared.")
    ] = None,
) -> None:
    """Find the training picture nearest to each picture, and duplicates inside a set; with a page of the pairs."""
    from gan_eval.pictures.clues import files_of
    from gan_eval.pictures.copies import Half, copy_lines, find_copies
    from gan_eval.report.copies import write_copies_page

    if direction and training is None:
        raise UserError("--direction: says which half of the training pictures to compare; add --training DIR")
    opened = [read_set(folder) for folder in sets]
    half: Half | None = None if direction is None else "right" if direction == "AtoB" else "left"
    check_output_folder(out)
    with Console() as console:
        pairs = find_copies(opened, training, half=half, on_progress=about("copies", console.progress))
        for line in copy_lines(pairs):
            console.message(line)
        claim_output_folder(out)
        write_table(pairs, out / "image_metrics.csv", IMAGE_METRICS, also=[out / "image_metrics.parquet"])
        write_copies_page(pairs, files_of(opened), training, out / "copies.html", half=half)
    typer.echo(out)
