"""The commands `export page` and `store import-page`: a study's page without a server, and its answers."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gan_eval.base.atomic import remove_leftovers_of
from gan_eval.base.errors import UserError, naming
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import check_output_file
from gan_eval.study.commands.console import Console, print_next_command, say
from gan_eval.study.commands.options import (
    LargestMember,
    RequiredStore,
    counted,
    needs_web,
    one_of,
    refuse_without_effect,
)
from gan_eval.study.commands.serve import is_page_address

if TYPE_CHECKING:
    from gan_eval.study.plan import Plan

KEY = "study.key"
OPEN = "whoever has it can open and compare all lists, which shows of many pictures whether they are real"
"""Consequence of the one link for all."""
INCOMPLETE = 3
"""Exit status if some answers were not imported."""


def export_page(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="A study file.")],
    out: Annotated[Path | None, typer.Option("--out", help="A study archive for JATOS, such as study.jzip.")] = None,
    static: Annotated[Path | None, typer.Option("--static", help="A folder for any other web host.")] = None,
    people: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Number of lists; default: quiz.participants.")
    ] = None,
    post: Annotated[str | None, typer.Option(help="Address that gets a POST with JSON for each answer.")] = None,
    datapipe: Annotated[
        str | None, typer.Option(help="DataPipe's experiment ID; gets a file for each session.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="File that the answers are read with; default: study.key next to the archive, "
            "with --static next to the study file."
        ),
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="With --static: the page's address on its host, for the links.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="The study's folder, if its models were trained; default: the file's name without .toml."),
    ] = None,
) -> None:
    """Write a study's page for JATOS or any web host; the page needs no server of gan_eval.

    Keep the key private: it has the truth, and the answers cannot be read without it.
    """
    usage = "export page: give one of --out STUDY.jzip (for JATOS) and --static DIR (for any web host)"
    page, is_static = one_of(static, out, usage=usage), static is not None
    if out is not None:
        alone = "with JATOS the answers are results of its study, and JATOS makes the links; remove the option"
        refuse_without_effect(context, ["post", "datapipe", "public_url"], alone)
    _check_addresses(post, datapipe, public_url)
    with needs_web("export page"):
        from gan_eval.quiz.serve.page_export import Destination, export_page, links_file
    from gan_eval.study.sessions import quiz_study

    plan = _checked_plan(study, folder or study.with_suffix(""))
    key = key or _default_key(study, page, is_static=is_static)
    _check_places(study, page, key, is_static=is_static)
    people = people or plan.study.quiz.participants
    address = (public_url or "ADDRESS").rstrip("/")
    written = [("--key", key), ("--key", links_file(key)) if is_static else ("--out", page)]
    with _files_held(written):
        made, pictures = export_page(
            quiz_study(plan),
            Destination(path=page, jatos=not is_static, post=post, datapipe=datapipe, address=address),
            people=people,
            key_file=key,
            say=say,
        )
    say(f"page {made.page}: {counted(people, 'list')}, {counted(pictures, 'picture')}; key (private): {key}")
    for line in _lines_on_links(links_file(key) if is_static else None, public_url):
        say(line)
    store = plan.store if plan.folder.is_dir() else "answers.sqlite"
    print_next_command("store", "import-page", "RESULTS", "--key", str(key), "--store", str(store))
    typer.echo(page)


def _checked_plan(study: Path, folder: Path) -> "Plan":
    """Return the plan of a study whose sessions could be run and analysed, and whose page needs no server."""
    from gan_eval.quiz.serve.page_export import require_no_server
    from gan_eval.study.plan import check_analysis, check_sets, plan_of_file

    plan = plan_of_file(study, folder)
    check_sets(plan)
    check_analysis(plan)
    with naming(f"{study}: "):
        require_no_server(plan.study.quiz)
    return plan


def _lines_on_links(file: Path | None, public_url: str | None) -> list[str]:
    """Return where the participants' links are, and who can open what; `file` has the links, None: JATOS makes them."""
    if file is None:
        return [f"JATOS has one link for all: {OPEN}; personal links do not (--static, docs/without_server.md)"]
    where = "" if public_url else "; put the page's address in place of ADDRESS, or give --public-url"
    return [f"links (private): {file}{where}", f"the last link is for all: {OPEN}; prefer the personal ones"]


def _check_addresses(post: str | None, datapipe: str | None, public_url: str | None) -> None:
    """Refuse options that are not an address, or not an experiment's ID."""
    if post is not None and (datapipe is not None or not re.fullmatch(r"https?://[^/\s]+\S*", post)):
        raise UserError(f"--post {post}: expected one address such as https://example.org/answers, without --datapipe")
    if datapipe is not None and not re.fullmatch(r"[\w-]+", datapipe):
        raise UserError(f"--datapipe {datapipe!r}: expected the experiment's ID at DataPipe, letters and digits")
    if public_url is not None and not is_page_address(public_url):
        raise UserError(f"--public-url {public_url}: expected an address such as https://example.org/study")


def _default_key(study: Path, page: Path, *, is_static: bool) -> Path:
    """Return the default place of the key: never in the folder that a web host serves, nor next to it."""
    if not is_static:
        return page.absolute().parent / KEY
    key, earlier = study.absolute().parent / KEY, page.absolute().parent / KEY
    if earlier.exists() and not key.exists():
        raise UserError(
            f"{earlier}: a key in a folder that a web host may serve; move it to {key}, or name it with --key"
        )
    return key


def _check_places(study: Path, page: Path, key: Path, *, is_static: bool) -> None:
    """Refuse a key that would be published, and files that would replace each other."""
    from gan_eval.quiz.serve.page_export import links_file

    if is_static and Path(os.path.realpath(key)).is_relative_to(os.path.realpath(page)):
        raise UserError(f"--key {key}: would be published with --static {page}; name a file elsewhere")
    for option, file in (("--static" if is_static else "--out", page), ("--key", key), ("--key", links_file(key))):
        others = [other for other in (page, key, study) if other is not file and _is_same(file, other)]
        if others:
            raise UserError(f"{option} {file}: would replace {others[0]}; name another file")


def _is_same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)  # noqa: PTH110, PTH121


@contextmanager
def _files_held(files: Iterable[tuple[str, Path]]) -> Iterator[None]:
    """Keep other commands from writing these files, each with its option; remove what killed ones left there."""
    with ExitStack() as stack:
        for option, file in files:
            check_output_file(file, option=option)
            lock = file.with_name(f".{file.name}.lock")
            stack.enter_context(hold_lock(lock, f"{option} {file}", "exporting a page to it"))
            remove_leftovers_of(file)
        yield


def import_page(
    results: Annotated[
        list[Path], typer.Argument(help="JATOS' results, answers saved by the page, or folders of them; also zipped.")
    ],
    key: Annotated[Path, typer.Option(help="The key that `export page` wrote.")],
    store: RequiredStore,
    largest_member: LargestMember = None,
) -> None:
    """Add the answers of a page to a store, each row once; rerun the command when there are more."""
    from gan_eval.quiz.serve.page_import import import_page

    with Console() as console, console.working("import-page"):
        done = import_page(results, key, store)
    if done.empty:
        names = ", ".join(done.empty[:3]) + (f" and {len(done.empty) - 3} more" if len(done.empty) > 3 else "")
        say(f"empty: {names}; if its participant has answered, download the file again")
    problems = done.problems or ([] if done.sessions else [f"{results[0]}: no answers of a page in it"])
    for line in problems[not done.sessions :]:
        say(line)
    if not done.sessions:
        raise UserError(problems[0])
    if done.forgotten:
        left_out = f"{counted(len(done.forgotten), 'session')} left out, because the participants' data are deleted"
        say(f"{left_out}; delete them in the files, too: {', '.join(done.forgotten)}")
    new = f"{counted(done.new_sessions, 'new session')}, {counted(done.new_trials, 'new trial')}"
    say(f"{counted(done.sessions, 'session')} in the files; {new}")
    typer.echo(store)
    if done.problems:
        raise typer.Exit(INCOMPLETE)
