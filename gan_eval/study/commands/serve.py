"""The command `serve`."""

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import is_study_folder
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import StudySettings
from gan_eval.study.commands import options
from gan_eval.study.commands.console import Console, print_next_command, say
from gan_eval.study.commands.options import given_options, needs_web, refuse_with_study, refuse_without_effect

if TYPE_CHECKING:
    from gan_eval.study.plan import Plan

LOCAL = "127.0.0.1"


def is_page_address(text: str) -> bool:
    """Return whether links to a page can begin with a text.

    >>> [is_page_address(f"https://example.org{end}") for end in ("", ":8443/quiz/", "/?list=1", ":99999")]
    [True, True, False, False]
    """
    try:
        port = urlsplit(text).port
    except ValueError:  # not a number, or above 65535
        return False
    return port != 0 and re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", text) is not None


def _check_usage(study: Path | None, stimuli: list[Path], public_url: str | None, *, demo: bool) -> None:
    """Refuse several studies or none, an address that is none, and a stimulus set in place of a study file."""
    if demo + (study is not None) + bool(stimuli) != 1:
        raise UserError("serve: give one of: a study file with --out, --stimuli SET, or --demo")
    if public_url is not None and not is_page_address(public_url):
        raise UserError(
            f"--public-url {public_url}: expected an address such as https://quiz.example.org or "
            "https://example.org/quiz, without ? or #"
        )
    if study is not None and (study / "stimuli.csv").is_file():
        raise UserError(f"serve: {study} is a stimulus set; give --stimuli {study}, or a study file")


def _plan(study: Path, out: Path | None) -> "Plan":
    """Return the plan of a study's folder, which is made if it is new."""
    from gan_eval.study.plan import make_plan, open_plan

    if out is None:
        raise UserError("serve: --out is missing; name the study's folder")
    return open_plan(study, out) if is_study_folder(out) else make_plan(study, out)


@partial(options.with_settings, [QuizSettings, StudySettings])
def serve(
    context: typer.Context,
    study: Annotated[Path | None, typer.Argument(help="A study file, with --out; or give --stimuli or --demo.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="With a study: its folder; with --demo, default: demo-online.")
    ] = None,
    stimuli: options.Stimuli = [],
    store: options.Store = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: reachable from other computers.")] = LOCAL,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8700,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; several need a PostgreSQL store.")] = 1,
    public_url: Annotated[str | None, typer.Option(help="Address for participants, if a proxy is in front.")] = None,
    intro: options.Intro = True,
    demo: Annotated[bool, typer.Option("--demo", help="Serve a small study on photographs of a package.")] = False,
    **settings: Any,
) -> None:
    """Serve a study to browsers: participants open a link, and each answer is stored before the next picture.

    Prints two addresses: the participants', and the experimenter's with live numbers, pause, links and QR codes.

    Rerun the command after a crash: open sessions continue at their next trial.
    """
    _check_usage(study, stimuli, public_url, demo=demo)
    chosen = given_options(**settings)
    more: dict[str, Any] = {}
    if study is not None or demo:
        from gan_eval.study.sessions import require_one_design

        refuse_with_study(chosen, study or Path("--demo"))
        if study is None:
            from gan_eval.study.demo import make_online_demo, refresh_report

            refuse_without_effect(context, ["store"], "the demo keeps its answers in its folder (--out)")
            console = Console()
            plan = make_online_demo(out or Path("demo-online"), console)
            more["refresh"] = partial(refresh_report, plan, console)
        else:
            plan = _plan(study, out)
        where = store or plan.store
        more["report"] = plan.folder / "report.html"
        shown = require_one_design(plan, where)
    else:
        from gan_eval.study.commands.quiz import DEFAULT_STORE, study_of_options

        where = store or DEFAULT_STORE
        shown = study_of_options(context, chosen)
    with needs_web("serve"):
        from gan_eval.quiz.serve.run import run_server
    run_server(shown, where, host=host, port=port, workers=workers, public_url=public_url, intro=intro, say=say, **more)
    say("ended; every answer is stored; rerun the command to continue")
    if study is not None:
        print_next_command("run", str(study), "--out", str(out), remark="statistics and report")
