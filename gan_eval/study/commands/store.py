"""The commands for a results store: `participants`, `store`, `export`."""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gan_eval.base.errors import UserError
from gan_eval.base.reading import Place, place_of
from gan_eval.study.commands.console import Console, say
from gan_eval.study.commands.options import Out, RequiredStore, Store, counted, names_in, table_or_store
from gan_eval.study.commands.page import export_page, import_page

if TYPE_CHECKING:
    from gan_eval.study.forgetting import Traces

participants_app = typer.Typer(help="List participants; delete a participant's data.", no_args_is_help=True)
store_app = typer.Typer(help="Merge results stores, copy one to a server, add a page's answers.", no_args_is_help=True)

StudyOption = Annotated[str | None, typer.Option("--study", help="Only this study's sessions.")]


@participants_app.command("list")
def participants_list(
    store: RequiredStore,
    study: StudyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List each participant's sessions; in a study's folder, also how many are missing and the next command.

    Rows that are missing or contradict each other are named at the end, with exit status 2.
    """
    from gan_eval.store import list_participants, open_store, require_consistent

    problem = None
    with open_store(store, create=False) as opened:
        sittings = list_participants(opened, study)
        try:
            require_consistent(opened, study=study)
        except UserError as error:
            problem = error
    if as_json:
        typer.echo(json.dumps(sittings, ensure_ascii=False))
        if problem:
            raise problem
        return
    for sitting in sittings:
        typer.echo(_line_of_sitting(sitting))
    lines = _pending(store, study)
    if study is not None and not (sittings or lines):
        raise UserError(f"--study {study}: no session of this study in the store; remove it to list all studies")
    for line in lines:
        say(line)
    if problem:
        raise problem


def _pending(store: Place, study: str | None) -> list[str]:
    """Return lines on the missing sessions of the study in whose folder a store is."""
    from gan_eval.study.sessions import pending_sessions, plan_of_store

    try:
        plan = plan_of_store(store, study)
        return pending_sessions(plan) if plan else []
    except UserError as error:
        return [f"the number of planned sessions is not known: {error}"]


def _line_of_sitting(sitting: Mapping[str, Any]) -> str:
    """Return a participant's session in a line."""
    marks = (f"list {sitting['list']}", sitting["started_at"], sitting["station"])
    words = [*filter(None, marks), *(["simulated"] if sitting["simulated"] else [])]
    progress = f"{sitting['status']}, {sitting['trials']} of {sitting['planned']} trials"
    return f"{sitting['participant']}: {sitting['study']}, {sitting['protocol']}, {progress}, {', '.join(words)}"


@participants_app.command("forget")
def participants_forget(
    participant: Annotated[str, typer.Argument(help="The participant's pseudonym, such as P07.")],
    store: RequiredStore,
    study: StudyOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed and deleted.")] = False,
) -> None:
    """Remove every row of a participant, also from the bytes of the file; list the rows and ask first.

    In a study's folder the tables and reports that were made from the answers are deleted, too; `run` makes them again.
    Stores that `run --redo quiz` moved aside are searched, too; if one of them cannot be read, nothing is removed.
    """
    from gan_eval.study.forgetting import UNREACHED, forget_everywhere, traces_of
    from gan_eval.study.plan import open_plan

    traces = traces_of(store, participant, study=study)
    rows, counts = sum(traces.rows.values()), _counts(traces.rows)
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UserError(
            f"participants forget {participant}: would remove {rows} rows for good ({counts}) and cannot ask "
            "without a terminal; give --yes, or --dry-run to see more"
        )
    for line in (*_lines_of_traces(traces, store), UNREACHED):
        say(f"{participant}: {line}")
    if dry_run:
        typer.echo(f"{participant}: {rows} rows would be removed ({counts})")
        return
    if not yes and not typer.confirm(f"Remove {rows} rows for good ({counts})?", err=True):
        say(f"{participant}: nothing was removed")
        return
    with Console() as console, console.working("rewriting the file without the rows"):
        forgotten = forget_everywhere(store, participant, study=study)
    typer.echo(f"{participant}: {sum(forgotten.values())} rows removed ({_counts(forgotten)})")
    if traces.folder is not None and traces.derived:
        command = "gan-eval run"
        with suppress(UserError):  # the study file is missing or has changed
            command = open_plan(None, traces.folder).command()
        say(f"{participant}: tables and report are deleted; make them again with: {command}")


def _lines_of_traces(traces: "Traces", store: Place) -> Iterator[str]:
    """Yield what a removal takes away: sessions, and files that were made from the answers."""
    for where, stored in traces.stores.items():
        aside = "" if where == store else f"; in a store that was moved aside: {where}"
        for session in stored.sessions:
            dates = " to ".join(str(session[name]) for name in ("started_at", "ended_at") if session[name] is not None)
            facts = ", ".join(map(str, filter(None, (session["study"], session["status"], dates))))
            yield f"a session: {facts}{aside}"
    if not any(traces.rows.values()):  # left by an earlier removal that could not rewrite the file
        yield "no rows; the file is to be rewritten, as an earlier removal could not"
    if traces.folder is not None and traces.derived:
        numbers = Counter(path.relative_to(traces.folder).parts[0] for path in traces.derived)
        kinds = ", ".join(f"{name} ({count})" for name, count in numbers.items())
        number = len(traces.derived)
        yield f"made from the answers, to be deleted in {traces.folder}: {number} files and folders: {kinds}"


def _counts(rows: Mapping[str, int]) -> str:
    """Return the tables that have rows, with their number."""
    return ", ".join(f"{name} {count}" for name, count in rows.items() if count) or "none"


store_app.command("import-page")(import_page)


@store_app.command("merge")
def store_merge(
    stores: Annotated[list[Place], typer.Argument(parser=place_of, help="Two or more stores: paths or database URLs.")],
    out: Annotated[Path, typer.Option("--out", help="The new store's file.")],
) -> None:
    """Merge several stores into a new one; contradictions are refused."""
    from gan_eval.store import merge

    if len(stores) < 2:
        raise UserError("store merge: found one store; give two or more")
    with Console() as console, console.working("merge"):
        merged = merge(stores, out)
    say(f"{counted(merged.rows['sessions'], 'session')}, {counted(merged.rows['trials'], 'trial')}")
    if merged.deleted:
        say(f"{counted(merged.deleted, 'session')} left out: deleted from one of these stores")
    typer.echo(out)


@store_app.command("push")
def store_push(
    store: Annotated[Place, typer.Argument(parser=place_of, help="A station's own store: a path or a database URL.")],
    to: Annotated[Place, typer.Argument(parser=place_of, help="The other store: a path or a database URL.")],
) -> None:
    """Copy to another store what it lacks, each row once; refused rows give exit status 2."""
    from gan_eval.store import push

    with Console() as console, console.working("push"):
        pushed = push(store, to)
    copied = f"{counted(pushed.sessions, 'session')}, {counted(pushed.trials, 'trial')} copied"
    say(f"{copied} from {pushed.source} into {'a new store, ' * pushed.is_new}{pushed.target}")
    if pushed.deleted:
        say(f"{counted(len(pushed.deleted), 'session')} left out: deleted from one of the two stores")
    for code in pushed.remaining:
        forget = shlex.join(["gan-eval", "participants", "forget", code, "--store", pushed.target])
        say(f"{code}: deleted from {pushed.source}, but still in {pushed.target}; delete it there with: {forget}")
    if pushed.refused:
        more = f"; and {len(pushed.refused) - 3} more sessions" if len(pushed.refused) > 3 else ""
        raise UserError(
            f"store push: sessions refused: {len(pushed.refused)}: {'; '.join(pushed.refused[:3])}{more}; "
            "their rows are safe in your store"
        )


class _Export(TyperGroup):
    """The group `export`, whose first word may be missing: it is then `tables`, unless a folder has that name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        is_said = args[:1] == ["page"] or (args[:1] == ["tables"] and not Path("tables").is_dir())
        return super().parse_args(ctx, args if is_said else ["tables", *args])


export_app = typer.Typer(
    cls=_Export,
    add_help_option=False,
    help="Write a store's tables for other programs, or a study's page (export page).",
)
export_app.command("page")(export_page)


@export_app.command("tables")
def export(
    out: Out,
    folder: Annotated[
        Place | None, typer.Argument(parser=place_of, help="A folder of analyze or run, not a store; only with r.")
    ] = None,
    store: Store = None,
    formats: Annotated[
        str, typer.Option("--format", help="One or more of csv,parquet,psych-ds,bids,r; commas between.")
    ] = "csv",
    study: StudyOption = None,
) -> None:
    """Write a store's tables for other programs, with a data dictionary; or the trials of an analysis for R.

    `export page STUDY.toml` writes a study's page for JATOS or any web host (`export page --help`).
    """
    from gan_eval.store.export import export_analysis, export_store
    from gan_eval.tables.personal import left_out_line

    names = names_in(formats.lower())
    usage = "export: give either a folder that analyze or run wrote, or --store"
    source, analyzed = table_or_store(folder, store, usage=usage)
    if analyzed is not None and (names != ["r"] or study is not None):
        raise UserError(f"export {folder}: an analyzed folder takes --format r alone; else give --store")
    with Console() as console, console.working("export"):
        if analyzed is None:
            exported = export_store(source, out, formats=names, study=study)
        else:
            exported = export_analysis(analyzed, out)
    console.message(f"{counted(exported.sessions, 'session')}, {counted(exported.trials, 'trial')}")
    if exported.left_out:
        console.message(left_out_line(exported.left_out))
    rows = [[file, "" if count is None else str(count)] for file, count in exported.files.items()]
    console.table(["File", "Rows"], rows)
    typer.echo(exported.folder)
