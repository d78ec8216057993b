"""The command `quiz`."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.reading import Place
from gan_eval.settings.design import design_of, pictures_hash
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.sections import check_options, has_effect
from gan_eval.settings.study import StudySettings
from gan_eval.settings.words import as_flag
from gan_eval.study.commands import options
from gan_eval.study.commands.console import print_next_command, say
from gan_eval.study.commands.options import (
    Simulate,
    counted,
    given_options,
    refuse_with_study,
    refuse_without_effect,
    setting,
    values_of_options,
)

if TYPE_CHECKING:
    from gan_eval.quiz.admission import Person, QuizStudy
    from gan_eval.quiz.room import SessionResult
    from gan_eval.quiz.station import Presentation

DEFAULT_STORE = Path("gan-eval.sqlite")
"""Default results store for sessions with --stimuli."""
OF_STUDY = "the study's"


@partial(options.with_settings, [QuizSettings, StudySettings])
def quiz(
    context: typer.Context,
    study: Annotated[Path | None, typer.Argument(help="A study file, with --out; or give --stimuli.")] = None,
    participant: Annotated[str, typer.Option(help="The participant's pseudonym, such as P01.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="With a study: its folder.")] = None,
    stimuli: options.Stimuli = [],
    store: options.Store = None,
    viewing_distance_cm: Annotated[float | None, setting(QuizSettings, "viewing_distance_cm", default=OF_STUDY)] = None,
    screen_width_cm: Annotated[float | None, setting(QuizSettings, "screen_width_cm", default=OF_STUDY)] = None,
    list_number: Annotated[int | None, typer.Option("--list", help="List of pictures; default: by arrival.")] = None,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window instead of the full screen.")] = False,
    screen: Annotated[int | None, typer.Option(min=1, help="The monitor's number; default: the primary one.")] = None,
    intro: options.Intro = True,
    text_size: Annotated[int, typer.Option(min=100, max=200, help="Size of the texts in percent.")] = 100,
    language: Annotated[str | None, setting(QuizSettings, "language", default=OF_STUDY)] = None,
    station: Annotated[str | None, typer.Option(help="This computer's name in the lab.")] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="A line on the page before the first picture.")] = "",
    simulate: Simulate = None,
    self_test: Annotated[bool, typer.Option("--self-test", help="Measure and keep this screen's timing.")] = False,
    **settings: Any,
) -> None:
    """Show real and generated pictures to one participant and store each answer."""
    from gan_eval.quiz.station import Presentation

    here = given_options(language=language, viewing_distance_cm=viewing_distance_cm, screen_width_cm=screen_width_cm)
    check_options(QuizSettings, here)
    presentation = Presentation(windowed=windowed, intro=intro, screen=screen, text_size=text_size, note=note, **here)
    if self_test:
        _test_screen(context, presentation)
        return
    if (study is None) == (not stimuli):
        raise UserError("quiz: give either a study file with --out, or --stimuli SET")
    if not participant:
        raise UserError("quiz: --participant is missing; give a pseudonym such as P01")
    from gan_eval.quiz.admission import Person
    from gan_eval.quiz.simulate import parse_observer

    observer = None if simulate is None else parse_observer(simulate)
    person = Person(participant.strip(), observer, station, list_number)
    say_once = cache(say)  # prints each line once
    how: dict[str, Any] = {"presentation": presentation, "warn": say_once}
    chosen = given_options(**settings)
    if study is None:
        _run_on_sets(study_of_options(context, chosen), store, person, how)
        return
    from gan_eval.study.plan import open_plan
    from gan_eval.study.sessions import pending_sessions, quiz_session

    if out is None:
        raise UserError("quiz: --out is missing; name the study's folder")
    refuse_with_study(chosen, study)
    plan = open_plan(study, out)
    result = quiz_session(plan, person, store=store, **how)
    _print_result(result, how)
    if store is None and result.status in ("complete", "open"):
        for line in pending_sessions(plan):
            say_once(line)


def _test_screen(context: typer.Context, presentation: "Presentation") -> None:
    """Measure this screen's timing and print the result."""
    others = context.params.keys() - {"self_test", "screen", "windowed"}
    refuse_without_effect(context, others, "quiz --self-test measures this screen alone; remove it")
    from gan_eval.quiz.app.self_test import run_self_test

    for line in run_self_test(presentation):
        typer.echo(line)


def _run_on_sets(study: "QuizStudy", store: Place | None, person: "Person", how: dict[str, Any]) -> None:
    """Run a session on stimulus sets without a study file; `how` has options of `run_session`."""
    from gan_eval.quiz.room import run_session

    store = store or DEFAULT_STORE
    result = run_session(study, store, person, **how)
    _print_result(result, how)
    if result.status == "complete":
        print_next_command("analyze", "--store", str(store), "--out", "analysis")


def _print_result(result: "SessionResult", how: Mapping[str, Any]) -> None:
    for line in (*result.warnings, session_summary(result)):
        how["warn"](line)


def study_of_options(context: typer.Context, options: dict[str, Any]) -> "QuizStudy":
    """Return the study described by `--stimuli` and these options, without a study file."""
    belongs = "is a study's folder; answers to --stimuli go into --store (default: gan-eval.sqlite)"
    refuse_without_effect(context, ["out"], belongs)
    from gan_eval.pictures.sets import read_sets
    from gan_eval.quiz.admission import QuizStudy

    seed = 0
    if "seed" in options:  # else the other sections, which this module imports, are not needed
        values = values_of_options(StudySettings, {"seed": options.pop("seed")})
        seed = check_options(StudySettings, {"name": "ad-hoc", **values}).seed
    settings = quiz_of_options(options)
    pool = read_sets(context.params["stimuli"], hash_files=False)
    design = {
        "quiz": design_of(settings),
        "pictures": {"shown": pictures_hash(pool.rows, captions=settings.show_caption)},
    }
    return QuizStudy(name="ad-hoc", settings=settings, shown=[pool], seed=seed, design=design)


def quiz_of_options(options: Mapping[str, Any]) -> QuizSettings:
    """Return the quiz settings given by options.

    Raises:
        UserError: an option's value is not what it must be, or the option has no effect with the others.
    """
    texts = dict(options)
    if "," in texts.get("exposure_ms", ""):
        texts["exposures_ms"] = texts.pop("exposure_ms")
    settings = check_options(
        QuizSettings,
        values_of_options(QuizSettings, texts),
        spelled=lambda name: as_flag("exposure_ms" if name == "exposures_ms" else name),
    )
    for name in texts:
        if not has_effect(settings, name):
            raise UserError(
                f"{as_flag(name)}: has no effect with the protocol {settings.protocol} and the other options; remove it"
            )
    return settings


def session_summary(result: "SessionResult") -> str:
    """Return a one-line summary of a session."""
    answered = sum(
        row["rating"] is not None or any(row[name] not in (None, "none") for name in ("response", "choice"))
        for row in result.trials
    )
    participant = f"{result.participant}{' (simulated)' if result.simulated else ''}"
    advice = "; rerun the command to continue it" if result.status == "open" else ""
    stored = f"{counted(len(result.trials), 'trial')} stored, {answered} answered"
    return f"{participant}: session {result.status}, {stored}{advice}"
