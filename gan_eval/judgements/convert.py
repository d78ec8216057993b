"""Convert another program's table of judgements into a trials table."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError, naming, shortened
from gan_eval.judgements.answers import with_counted_answers, with_graded_answers, with_kinds, with_responses
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import (
    Source,
    Sources,
    answered,
    in_milliseconds,
    require_agreement,
    require_plausible_times,
    some,
)
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.habits import of_answers, of_files, of_trials
from gan_eval.judgements.mapping import GRADE, NUMBERS, known_names, renamed, scaled
from gan_eval.judgements.names import distinct_names
from gan_eval.judgements.pairs import Kind, Placed, by_truth, places_in, require_known_truth, with_choice_of_real
from gan_eval.judgements.people import people_of_rows, with_own_sessions, without_named_blocks
from gan_eval.judgements.picture_table import TableOfPictures, read_pictures, with_pictures, without_pictures
from gan_eval.judgements.pictures import PictureNames, with_picture_names
from gan_eval.judgements.read_as import ReadAs, read_as
from gan_eval.judgements.reading import Foreign, Labels, TableLayout, read_foreign
from gan_eval.judgements.refusals import Chosen, Places, no_row_error, require_answers
from gan_eval.judgements.rejections import MAX_CELL, MAX_WORDS, WHOLE_ROW, rejections_of
from gan_eval.judgements.rules import rows_fulfilling
from gan_eval.judgements.sources import ANSWER, with_sources
from gan_eval.judgements.tools import TOOLS, Options, detected, options_for, rules_of_tools, title_of, tool_named
from gan_eval.judgements.trials import RATING_HIGH, fill_trials, high_grade, missing_answers, typed
from gan_eval.judgements.used import mapped_columns, meant_words, rules_with_counts, unused_columns
from gan_eval.judgements.words import (
    graded,
    in_schema_words,
    refuse_choice_by_outcome,
    refuse_one_sided,
    translated,
    with_named_classes,
    without_missing_words,
)
from gan_eval.tables import REJECTED, TRIALS
from gan_eval.tables.cells import require_clear_numbers
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.personal import is_address, left_out_line, without_personal


class Imported(NamedTuple):
    """The result of `import_trials`."""

    trials: pd.DataFrame
    rejected: pd.DataFrame
    """The table `rejected`: each row that was left out, with the reason."""
    n_left_out: int
    """Number of judgements that were left out; a row of a wide table has several."""
    read_as: ReadAs
    renamed: tuple[str, ...] = ()
    """Stimuli that shared a name and now have different names."""
    doubts: tuple[str, ...] = ()
    """Conclusions, counts and warnings (`gan_eval.judgements.doubts.doubts`)."""
    words: Mapping[str, Mapping[str, str]] = {}
    """The meanings of the files' words, for the text of `read_as`."""


class _Ours(NamedTuple):
    """The chosen rows under the names of `trials`, as text."""

    frame: pd.DataFrame
    places: Places
    origins: Mapping[str, str]
    """The source of each column of `trials`."""
    lines: list[str]


def import_trials(
    files: Path | str | Sequence[Path | str],
    *,
    mapping: Mapping[str, str],
    where: Sequence[str] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
    asked: Kind = "real",
    picture_names: PictureNames | None = None,
    rating_high: Kind | None = None,
    grade: str | None = None,
    tool: str | None = None,
    skip_rows: int = 0,
    sheet: str | None = None,
    columns: Sequence[str] = (),
    pictures: Path | None = None,
    say: Callable[[str], object] | None = None,
) -> Imported:
    """Convert other programs' tables of judgements into a trials table; report and leave out rows that do not fit.

    Columns that are not mapped are taken from a column of the same name. Otherwise they are filled: session =
    participant, trial = order, phase = main, simulated = false; `correct` is computed. Additional columns are kept,
    except those that say who people are (`gan_eval.tables.personal`).

    Args:
        files: tables of one form, joined by column name (`gan_eval.judgements.reading`).
        mapping: for a column of `trials` its source, as after `--map`; empty: nothing is taken from that column.
        where: rules (`gan_eval.judgements.rules`) on the files' own columns; only rows that fulfil all are imported.
        words: for a column of `trials` the meanings of the files' words; empty: nothing.
        asked: which picture of a pair participants were to choose.
        picture_names: how to name pictures (`gan_eval.judgements.pictures`).
        rating_high: the pictures that look so have high ratings; None: not known.
        grade: the scale of the column mapped to `grade`, such as `1..7`: 1 is surely real, 7 surely fake.
        tool: the program that wrote the files (`tools.toml`); None: it is known by its columns.
        skip_rows, sheet, columns: the layout of the files (`TableLayout`).
        pictures: a table of the pictures (`picture_table`) with stimulus, kind, model and dataset, which `mapping` may
            name there; columns of the files that are called as its `name` have the answers.
        say: prints the options that a tool stands for, before anything else; None: they are in `doubts`.

    Raises:
        UserError: no such file, a required column is missing, no row fits, a rule is not understood or drops answers by
            their outcome, a number may have a thousands separator, rows contradict each other, or times are not
            milliseconds.
    """
    paths = [Path(file) for file in ([files] if isinstance(files, Path | str) else files)]
    file = str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    layout = {"--from": tool, "--skip-rows": skip_rows, "--sheet": sheet, "--columns": ",".join(columns)}
    command = _typed(paths, {**layout, "--pictures": pictures})

    of_user = read_pictures(pictures)
    read = read_foreign(paths, TableLayout(skip_rows, sheet, columns, of_user.names() if of_user else ()))
    of_user, given = without_pictures(of_user, mapping, [*map(str, read.cells)], words or {})
    read, given = _with_named_pictures(read, of_user, given)
    read, tool, options, of_tool = _of_tool(read, Options(given, where, words or {}), tool, file, say)
    table, of_counts = _chosen_rows(read, tool, options, file, command)
    ours = _in_our_columns(table, of_user, grade)
    frame, not_scaled, of_words = _in_our_words(table, ours.frame)
    frame, not_placed, of_truth, of_one_name = _with_answers(table, frame, ours.places, asked)
    frame, of_habits = of_answers(tool, _with_direction(frame, rating_high, file))
    rejected = _all_rejected(frame, [*table.read.rejected, *not_scaled, *not_placed])
    accepted = _without_rows(frame, rejected)
    if accepted.empty or _lacks_all_answers(accepted, rejected):
        raise no_row_error(table, rejected, ours.places)
    trials, of_several, of_names = _as_trials(table, accepted, picture_names)
    _require_an_answer(ours, trials, where=file)
    trials, summary, asked_of_user = _summed_up(table, ours.origins, trials, accepted)
    return Imported(
        trials=trials,
        rejected=_rejected_table(rejected, table.read),
        n_left_out=len({row["row"] for row in rejected}),
        read_as=summary,
        renamed=(*of_one_name, *of_several),
        doubts=(*of_tool, *of_counts, *ours.lines, *of_words, *of_habits, *of_truth, *of_names, *asked_of_user),
        words=meant_words(ours.frame, options.words),
    )


def _typed(files: Sequence[Path], options: Mapping[str, object]) -> str:
    """Return files and options as a user types them; all files of one ending in a folder by a star."""
    folder, ending = files[0].parent, files[0].suffix
    words = shlex.join(map(str, files))
    if len(files) > 1 and sorted(folder.glob(f"*{ending}")) == sorted(files):
        words = f"{shlex.quote(str(folder))}/*{ending}" if folder != Path() else f"*{ending}"
    return " ".join([words, *(f"{name} {shlex.quote(str(value))}" for name, value in options.items() if value)])


def _with_named_pictures(
    read: Foreign, of_user: TableOfPictures | None, mapping: dict[str, str]
) -> tuple[Foreign, dict[str, str]]:
    """Return the rows and the mapping, of a form with the columns that are called as the pictures of a table."""
    named = of_user.columns_in([*map(str, read.cells)]) if of_user else {}
    if not named:
        return read, mapping
    is_mapped = mapping.keys() & {"response", "rating", "choice", GRADE}
    answers = {} if is_mapped else {"response": ANSWER}
    return replace(read, pictures=named), answers | {"stimulus": "@name"} | {**mapping}


def _of_tool(
    read: Foreign, given: Options, asked: str | None, file: str, say: Callable[[str], object] | None
) -> tuple[Foreign, str | None, Options, list[str]]:
    """Return the rows corrected for their tool, its name, its options with those given, and lines for the user.

    A tool that is only known by its columns adds no options to a complete `--map`.
    """
    tool = tool_named(asked, read) if asked is not None else detected(read)
    read, lines = of_files(tool, read)
    on_files = list(dict.fromkeys(_lines_on_files(read)))
    rules = rules_of_tools(read, given)
    options = given._replace(where=[*rules, *given.where])
    if tool is not None and (asked is not None or not _is_complete(read, given, tool)):
        its, said = options_for(tool, read, options)
        its = its._replace(where=[*rules, *its.where])
        where = list(dict.fromkeys([*its.where, *given.where]))
        options = Options({**its.mapping, **given.mapping}, where, {**its.words, **given.words})
        lines += said
        line = f"{'looks like' if asked is None else 'read as'} {title_of(tool, read)}; the same as "
        line += its.typed() or "no option"
        if any("#" in source for source in its.mapping.values()):
            line += " (a wide table, one row a person: each number for # becomes a row)"
        on_files.append(line if say is None else f"{file}: {line}")
    if say is None:
        return read, tool, options, [*reversed(on_files), *lines]
    for line in on_files:  # before an error about the columns
        say(line)
    return read, tool, options, lines


def _lines_on_files(read: Foreign) -> Iterator[str]:
    """Yield what was not read of the files."""
    for part in read.parts:
        if part.unread:
            yield (
                f"{part.file}: the first sheet is read, not {', '.join(part.unread)}; choose one with --sheet NAME, or "
                "all with --sheet '*'"
            )
        if part.note:
            yield f"{part.file}: {part.note}"
        if part.titles and not part.begins_again:
            named = "; ".join(shortened(title, MAX_CELL) for title in part.titles[:MAX_WORDS])
            yield f"{part.file}: not read above the header: {named}"
        if part.begins_again:
            count = sum(other.file == part.file for other in read.parts)
            yield f"{part.file}: trial_index begins again: {count} sessions, each with a participant of its own"


def _is_complete(read: Foreign, given: Options, tool: str) -> bool:
    """Return True if the user has mapped all that is required, or the files have it, one row a judgement."""
    mapped = {name for name, source in given.mapping.items() if source}
    if {"participant", "stimulus"} <= mapped and mapped & {"response", "rating", "choice", "correct", GRADE}:
        return bool(mapped & {"kind", "rating", "choice"})
    return not TOOLS[tool].choose and not missing_answers(read.cells)


def _chosen_rows(
    before: Foreign, tool: str | None, options: Options, file: str, command: str
) -> tuple[Chosen, list[str]]:
    """Add the options' sources, and keep the rows that fulfil their rules; a line says which counts became answers."""
    with naming(f"{file}: "):
        read = with_sources(before, options.mapping, options.where)
    sources, problems = known_names(read.cells, options.mapping)
    read, sources, lines = with_counted_answers(read, sources, where=file)
    _require_clear_numbers(read, sources, where=file)
    chosen = rows_fulfilling(read.cells, options.where, where=file)
    refuse_choice_by_outcome(options.where, read.cells, sources, options.words, file=file)
    rows = read.cells[chosen]
    if rows.empty and not read.rejected:
        none = "no row is left under " + ", ".join(options.where) if options.where else "no row below the header"
        raise UserError(f"{file}: {none}; nothing to import")
    return Chosen(file, tool, options, before, read, rows, sources, problems, command), lines


def _require_clear_numbers(read: Foreign, sources: Sources, *, where: str) -> None:
    """Refuse columns of numbers that may have thousands separators."""
    of_numbers = (sources.get(target, Source(target)) for target in NUMBERS)
    for name in dict.fromkeys(source.column for source in of_numbers if source and source.column in read.cells):
        cells = read.cells[name].dropna().drop_duplicates()
        require_clear_numbers(cells.tolist(), f"{where}: column {name}", [*cells.index])


def _in_our_columns(table: Chosen, of_user: TableOfPictures | None, grade: str | None) -> _Ours:
    """Rename the columns, and add those of a table of pictures, of the tool's habits and of the pictures' names."""
    named = renamed(table.rows, table.sources)
    frame = with_pictures(named, table.read, of_user, table.options.mapping)
    of_pictures = [str(name) for name in frame if name not in named or not frame[name].equals(named[name])]
    frame, lines = of_trials(table.tool, frame, table.rows)
    had_kinds = "kind" in frame
    frame, unclear = with_kinds(frame)
    for step in (
        partial(graded, words=table.options.words),
        partial(
            with_graded_answers,
            sources=table.sources,
            scale=grade,
            meanings=table.options.words.get(GRADE, {}),
            where=table.file,
        ),
        with_own_sessions,
        partial(people_of_rows, numbers=table.read.numbers),
    ):
        frame, said = step(frame)
        lines += said
    frame = without_named_blocks(frame, table.sources)
    places = places_in(frame, table.sources)
    require_answers(table, frame, places, unclear)
    origins = mapped_columns(map(str, frame), table.sources)
    if of_user:
        origins |= {name: f"{of_user.sources.get(name, name)} of {of_user.file}" for name in of_pictures}
    if "kind" in frame and not had_kinds:
        origins["kind"] = "names of pictures"
    if {"kind", "correct"} <= {*frame} and not {"response", "rating"} & {*frame} and not places:
        origins["response"] = "kind and correct"
    if source := table.sources.get(GRADE):
        origins |= dict.fromkeys(("response", "confidence"), f"{source.column} ({grade})")
    return _Ours(frame, places, origins, lines)


def _in_our_words(table: Chosen, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Row], list[str]]:
    """Return the rows with words of the schema and times in milliseconds, cells that are no numbers, and lines."""
    frame, of_classes = with_named_classes(frame, table.options.words)
    frame, lines = without_missing_words(translated(frame, table.options.words))
    frame, rejected = scaled(in_schema_words(frame), table.sources)
    return frame, rejected, of_classes + lines


def _with_answers(table: Chosen, frame: pd.DataFrame, places: Places, asked: Kind) -> Placed:
    """Return the rows with answers in the columns of `trials`: pairs by place, responses from `correct`."""
    if places:
        return by_truth(frame, places, table.sources, asked=asked, where=table.file)
    lines = require_known_truth(frame, table.sources, where=table.file)
    refuse_one_sided(frame, ("kind", "correct"), where=table.file)
    frame = with_choice_of_real(frame, asked, where=table.file)
    frame, said = with_responses(frame, where=table.file)
    refuse_one_sided(frame, ("response", "choice"), where=table.file)
    return Placed(frame, [], lines + said, ())


def _with_direction(frame: pd.DataFrame, rating_high: Kind | None, file: str) -> pd.DataFrame:
    if rating_high is None:
        return frame
    if "rating" not in frame:
        raise UserError(
            f"{file}: --rating-high {rating_high}: the table has no rating; name it with --map rating=COLUMN"
        )
    return frame.assign(**{RATING_HIGH: rating_high})


def _all_rejected(frame: pd.DataFrame, rejected: list[Row]) -> list[Row]:
    """Return the rejections so far and those of the other rows, in the order of rows and columns."""
    others = _without_rows(frame, rejected)
    order = {name: at for at, name in enumerate(TRIALS.names)}
    return sorted(rejected + rejections_of(others), key=lambda row: (row["row"], order.get(row["column"], 0)))


def _without_rows(frame: pd.DataFrame, rejected: Sequence[Row]) -> pd.DataFrame:
    return frame[~frame.index.isin([row["row"] for row in rejected])] if rejected else frame


def _lacks_all_answers(accepted: pd.DataFrame, rejected: Sequence[Row]) -> bool:
    """Return True if no answer is known, but there are rows that were left out."""
    answers = accepted[[name for name in ("response", "choice", "rating") if name in accepted]]
    return bool(rejected) and bool((answers.isna() | (answers == "none")).all(axis=None))


def _as_trials(
    table: Chosen, accepted: pd.DataFrame, picture_names: PictureNames | None
) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """Return the table `trials`, the pictures that were renamed, and lines; refuse rows that contradict each other."""
    filled = fill_trials(accepted.set_axis(accepted.index - 1), where=table.file, agree=False)
    with naming(f"{table.file}: "):
        filled, lines = with_picture_names(filled, picture_names)
    trials, of_several = distinct_names(filled)
    require_agreement(trials, where=table.file, numbers=Labels(table.read, accepted.index))
    trials, said = in_milliseconds(trials)
    require_plausible_times(trials, where=table.file, sources=table.sources)
    return trials, of_several, lines + said


def _require_an_answer(ours: _Ours, trials: pd.DataFrame, *, where: str) -> None:
    """Refuse a table in which all answers are empty, as where a program has not calculated them."""
    columns = [name for name in ("response", "choice", "rating") if name in ours.frame]
    if ours.frame[columns].isna().all(axis=None) and answered(trials).sum() < CHECKS["no_answer_at_all"].threshold:
        column = next(ours.origins[name] for name in (*columns, "correct") if name in ours.origins)
        raise UserError(f"{where}: {CHECKS['no_answer_at_all'].line(column=column, n=len(trials))}")


def _summed_up(
    table: Chosen, origins: Mapping[str, str], trials: pd.DataFrame, accepted: pd.DataFrame
) -> tuple[pd.DataFrame, ReadAs, list[str]]:
    """Return the trials without columns that say who people are, what they were read as, and doubts."""
    read, sources = table.read, table.sources
    kept, personal = without_personal(trials, TRIALS)
    read_columns = [(sources.get(name) or Source(name)).column for name in (*origins, GRADE)]
    read_columns += [*read.pictures.values(), *filter(None, table.options.mapping.values())]
    taken = accepted.index if read.numbers is None else pd.Index(read.numbers["row"].loc[accepted.index])
    summary = read_as(
        kept,
        mapped=origins,
        not_used=unused_columns(table.before, taken, read_columns, table.options.where, personal={*trials} - {*kept}),
        tool=title_of(table.tool, read) if table.tool else "",
        rules=rules_with_counts(table.options.where, read.cells),
    )
    source = (sources.get("reaction_time_ms") or Source("reaction_time_ms")).column
    lines = [*doubts(kept.set_axis(accepted.index - 1), time_column=source), *_remarks(kept)]
    if unread := read.groups_without(accepted.index):
        lines.append(f"no row is taken of {some(unread, str, MAX_WORDS)}")
    return kept, summary, lines + ([left_out_line(personal)] if personal else [])


def _remarks(trials: pd.DataFrame) -> Iterator[str]:
    """Yield questions that the user must answer."""
    if not (trials["phase"] == "main").any():
        counts = ", ".join(f"{phase} {count}" for phase, count in trials["phase"].value_counts().items())
        yield CHECKS["no_main_trial"].line(counts=counts)
    if trials["rating"].notna().any() and not (typed(trials).graded.empty or high_grade(trials)):
        yield CHECKS["no_direction"].line()
    if any(map(is_address, trials["participant"].unique())):
        yield "participant holds addresses of people; write codes in their place before you share the table"


def _rejected_table(rejected: Sequence[Row], read: Foreign) -> pd.DataFrame:
    """Return the table `rejected`, each row with its number in its file."""
    rows = {}
    for row in rejected:
        if row["column"] == WHOLE_ROW:  # found before a wide table became long
            part, number = read.part_of(row["row"])
            file, question = part.file, ""
        else:
            file, number, question = read.origin(row["row"])
        reason = row["reason"] + row["advice"] + (f" (# is {question})" if question else "")
        cell = {"row": number, "column": row["column"], "found": row["found"], "reason": reason, "file": file}
        rows[file, number, row["column"], reason] = cell  # a row of counts is one, of however many answers
    return frame_of([*rows.values()], REJECTED)
