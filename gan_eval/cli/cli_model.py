"""The commands for a trained generator's file: `model show` and `model export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from gan_eval.errors import UserError

model_app = typer.Typer(help="Trained generators: what a file holds, and other formats of it.", no_args_is_help=True)


class ModeOption(StrEnum):
    """How BatchNorm and dropout behave in generation."""

    train = "train"
    eval = "eval"


class FormatOption(StrEnum):
    """What a generator can be written as."""

    pth = "pth"
    onnx = "onnx"


Source = Annotated[
    Path, typer.Argument(metavar="RUN|FILE", help="A run's folder, a .safetensors of it, or a latest_net_G.pth.")
]
Dropout = Annotated[
    bool | None,
    typer.Option("--dropout/--no-dropout", help="For a .pth with a U-Net, whose file cannot tell; default: on."),
]


def picture_size(text: str | None) -> int | Literal["native"] | None:
    """The value of --image-size.

    Raises:
        UserError: it is neither a number nor native.
    """
    if text is None or text == "native":
        return "native" if text else None
    if not (text.isascii() and text.isdecimal()):
        raise UserError(f"--image-size {text}: a number of pixels is wanted, or native")
    return int(text)


@model_app.command("show")
def model_show(
    source: Source,
    dropout: Dropout = None,
    as_json: Annotated[bool, typer.Option("--json", help="To stdout as JSON.")] = False,
) -> None:
    """Tell what a generator's file holds; of a foreign file, what its keys and shapes tell."""
    from trainer.files.model import describe, load_model

    model = load_model(source, dropout=dropout)
    facts = describe(model)
    if as_json:
        import json

        typer.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        typer.echo(f"{name}: {'-' if value is None else value}")
    for note in model.notes:
        typer.echo(note, err=True)


@model_app.command("export")
def model_export(
    source: Source,
    form: Annotated[FormatOption, typer.Option("--format", help="pth: as pytorch-CycleGAN-and-pix2pix has it.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    mode: Annotated[
        ModeOption | None,
        typer.Option(help="onnx: BatchNorm's running statistics (eval, the default) or the picture's."),
    ] = None,
    dropout: Dropout = None,
) -> None:
    """Write a generator for other programs."""
    from gan_eval.files import check_output_file
    from trainer.files.model import export_pth, load_model

    check_output_file(out)
    if out.suffix != f".{form.value}":
        raise UserError(f"--out {out}: a file named *.{form.value} is wanted")
    if mode is not None and form is FormatOption.pth:
        raise UserError(f"--mode {mode.value}: a .pth holds the weights for both modes; leave it out")
    model = load_model(source, dropout=dropout)
    if form is FormatOption.pth:
        notes = export_pth(model, out)
    else:
        from trainer.files.onnx import export_onnx

        export_onnx(model, out, mode="train" if mode is ModeOption.train else "eval")
        notes = ()
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(out)
