"""The command `quiz`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gan_eval.cli.options import (
    design_of_options,
    given,
    quiz_of_options,
    refuse_beside_study,
    refuse_without_effect,
    session_summary,
)
from gan_eval.errors import UserError
from gan_eval.quiz.station import Presentation, PresenterChoice, RoundFrames

_OF_SELF_TEST = ("self_test", "screen", "windowed", "presenter")
"""What `--self-test` heeds."""


def quiz(
    context: typer.Context,
    study: Annotated[
        Path | None, typer.Argument(help="A study file, with --out its folder; or give --stimuli.")
    ] = None,
    participant: Annotated[str, typer.Option(help="The participant's pseudonym, such as P01.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="With a study: its folder.")] = None,
    stimuli: Annotated[list[Path] | None, typer.Option(help="A stimulus set; may be given several times.")] = None,
    store: Annotated[str | None, typer.Option(help="Results store: a path or a database URL.")] = None,
    protocol: Annotated[str | None, typer.Option(help="quick_response (the default), yes_no, paired, ...")] = None,
    real: Annotated[int | None, typer.Option(help="Real pictures of each data set; default: 25.")] = None,
    fake: Annotated[int | None, typer.Option(help="Generated pictures of each data set; default: 25.")] = None,
    pairs: Annotated[int | None, typer.Option(help="Pairs of each data set, for protocols with pairs.")] = None,
    exposure_ms: Annotated[
        str | None,
        typer.Option(help="A flash in ms, or until-answer (the default); for yes_no several: 100,500."),
    ] = None,
    response_ms: Annotated[
        str | None, typer.Option(help="Longest time from onset to the answer in ms, or unlimited; default: 4000.")
    ] = None,
    keys: Annotated[str | None, typer.Option(help="The answers' keys; default: real=j,fake=f.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of the draw; default: 0.")] = None,
    list_number: Annotated[int | None, typer.Option("--list", help="Which dealt list; default: by arrival.")] = None,
    lists: Annotated[
        str | None, typer.Option("--lists", help="This station's share of the lists, such as 1-20; by arrival within.")
    ] = None,
    allow_giveaways: Annotated[
        str | None, typer.Option(help="Clues of `stimuli audit` that may tell real from fake: format,metadata.")
    ] = None,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window instead of the full screen.")] = False,
    screen: Annotated[int | None, typer.Option(min=1, help="The monitor's number; default: the primary one.")] = None,
    intro: Annotated[bool, typer.Option("--intro/--no-intro", help="All pages before and after the trials.")] = True,
    presenter: Annotated[PresenterChoice, typer.Option(help="What puts pictures on the screen.")] = "auto",
    round_frames: Annotated[RoundFrames, typer.Option(help="Exposures in whole frames of the screen.")] = "auto",
    text_size: Annotated[int, typer.Option(min=100, max=200, help="Size of the texts in percent.")] = 100,
    high_contrast: Annotated[bool, typer.Option("--high-contrast", help="Pages in black and white.")] = False,
    language: Annotated[str | None, typer.Option(help="Of the program's words; default: the study's.")] = None,
    station: Annotated[str | None, typer.Option(help="This computer's name in the lab.")] = None,
    simulate: Annotated[
        str | None,
        typer.Option("--simulate", help="Rehearse without people: 'default' or 'dprime=1.2,criterion=0.1,lapse=0.02'."),
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Measure this screen's timing and keep the result.")
    ] = False,
) -> None:
    """Show real and generated pictures to one participant and store each answer."""
    presentation = Presentation(
        windowed=windowed,
        intro=intro,
        screen=screen,
        presenter=presenter,
        round_frames=round_frames,
        text_size=text_size,
        high_contrast=high_contrast,
        language=language,
        station=station,
    )
    if self_test:
        others = context.params.keys() - set(_OF_SELF_TEST)
        refuse_without_effect(context, others, "quiz --self-test measures this screen alone; leave it out")
        _self_test(presentation)
        return
    if (study is None) == (not stimuli):
        raise UserError("quiz: give either a study file with --out, or --stimuli SET")
    if not participant:
        raise UserError("quiz: --participant is missing; give a pseudonym such as P01")
    told: list[str] = []

    def tell(line: str) -> None:
        if line not in told:
            told.append(line)
            typer.echo(line, err=True)

    how: dict[str, Any] = {
        "presentation": presentation,
        "simulate": simulate,
        "list_number": list_number,
        "lists": lists,
        "tell": tell,
    }
    options = given(
        protocol=protocol,
        real=real,
        fake=fake,
        pairs=pairs,
        exposure_ms=exposure_ms,
        response_ms=response_ms,
        keys=keys,
        allow_giveaways=allow_giveaways,
    )
    if study is not None:
        from gan_eval.study.plan import open_plan
        from gan_eval.study.sessions import quiz_session

        if out is None:
            raise UserError("quiz: --out is missing; name the study's folder")
        refuse_beside_study({**options, **given(seed=seed)}, study)
        result = quiz_session(open_plan(study, out), participant, store=store, **how)
    else:
        belongs = "is a study's folder; answers to --stimuli go into --store (default: gan-eval.sqlite)"
        refuse_without_effect(context, ["out"], belongs)
        from gan_eval.quiz import run_session
        from gan_eval.stimuli.sets import read_sets

        settings = quiz_of_options(options)
        pool = read_sets(stimuli or [])
        result = run_session(
            [pool],
            settings,
            participant=participant,
            store=store or "gan-eval.sqlite",
            study_name="ad-hoc",
            design_hash=design_of_options(settings, pool),
            seed=seed or 0,
            **how,
        )
    for line in (*result.warnings, session_summary(result)):
        tell(line)


def _self_test(presentation: Presentation) -> None:
    from gan_eval.quiz.app.self_test import run_self_test

    for line in run_self_test(presentation).lines:
        typer.echo(line)
