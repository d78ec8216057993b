"""Convert another program's table of judgements into a trials table."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.errors import UserError, naming, shortened
from gan_eval.judgements.answers import with_kinds, with_responses
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import (
    Source,
    Sources,
    in_milliseconds,
    require_agreement,
    require_plausible_times,
)
from gan_eval.judgements.counts import with_counted_answers
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.grades import with_graded_answers
from gan_eval.judgements.mapping import BY_PLACE, GRADE, NUMBERS, columns_of, known_names, renamed, scaled
from gan_eval.judgements.names import distinct_names
from gan_eval.judgements.overlooked import (
    counts_in,
    people_of_rows,
    pictures_of_pair,
    with_own_sessions,
    without_named_blocks,
)
from gan_eval.judgements.pairs import (
    OPTIONS,
    Kind,
    Placed,
    by_truth,
    missing_of_pairs,
    places_in,
    require_known_truth,
    with_choice_of_real,
)
from gan_eval.judgements.paths import columns_of_lists
from gan_eval.judgements.picture_table import read_pictures, with_pictures, without_pictures
from gan_eval.judgements.pictures import PictureNames, with_picture_names
from gan_eval.judgements.read_as import ReadAs, read_as
from gan_eval.judgements.reading import Foreign, Labels, TableLayout, read_foreign
from gan_eval.judgements.rejections import (
    ENUMERATIONS,
    MAX_CELL,
    MAX_WORDS,
    WHOLE_ROW,
    listed_words,
    rejections_of,
)
from gan_eval.judgements.rules import rows_fulfilling
from gan_eval.judgements.sources import ANSWER, with_sources
from gan_eval.judgements.tools import TOOLS, Options, detected, options_for, rules_of_tools, title_of, tool_named
from gan_eval.judgements.traps import of_files, of_trials, one_row_a_trial, without_limits, zero_confidences
from gan_eval.judgements.trials import (
    RATING_HIGH,
    REQUIRED,
    are_missing,
    fill_trials,
    high_grade,
    missing_answers,
    typed,
)
from gan_eval.judgements.used import mapped_columns, meant_words, rules_with_counts, unused_columns
from gan_eval.judgements.wide import is_wide, lettered_table, wide_table
from gan_eval.judgements.words import (
    foreign_table_error,
    graded,
    in_schema_words,
    misfits,
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
    read_as: ReadAs
    renamed: tuple[str, ...] = ()
    """Stimuli that shared a name and now have different names."""
    doubts: tuple[str, ...] = ()
    """Conclusions, counts and warnings (`gan_eval.judgements.doubts.doubts`)."""
    words: Mapping[str, Mapping[str, str]] = {}
    """The meanings of the files' words, for the text of `read_as`."""


class _Table(NamedTuple):
    """The rows to convert, and how they are read."""

    file: str
    """The files, for messages."""
    read: Foreign
    rows: pd.DataFrame
    """Chosen rows, one for each trial."""
    sources: Sources
    words: Mapping[str, Mapping[str, str]]
    command: str
    """The files and the options of reading them, as a user types them."""

    def error(self, problem: str, *, missing: Sequence[str] = ()) -> UserError:
        person = "@file" if len({part.group for part in self.read.parts}) > 1 else "COLUMN"
        return foreign_table_error(
            self.file,
            problem,
            self.rows,
            self.sources,
            self.words,
            missing=missing,
            command=self.command,
            person=person,
        )


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
        files: tables of one form, joined by column name: CSV, JSON, `.xlsx`, `.sav` and others, or zip files.
        mapping: for a column of `trials` its source: a column, or a column times or divided by a number
            (`{"participant": "subject", "reaction_time_ms": "rt_s*1000"}`), or one of
            `gan_eval.judgements.sources`; empty: nothing is taken from a column of that name.
        where: rules (`gan_eval.judgements.rules`) on the files' own columns; only rows that fulfil all are imported.
        words: for a column of `trials` the meanings of the file's words: `{"kind": {"synthetic": "fake"}}`; empty:
            nothing.
        asked: which picture of a pair participants were to choose.
        picture_names: how to name pictures (`gan_eval.judgements.pictures`).
        rating_high: the pictures that look so have high ratings; None: not known.
        grade: the scale of the column mapped to `grade`, such as `1..7`: 1 is surely real, 7 surely fake.
        tool: the program that wrote the files (`gan_eval.judgements.tools`), whose options are added to those
            given; None: it is known by its columns.
        skip_rows: number of further header rows.
        sheet: the sheet of a spreadsheet or the table of a database, or `*` for all; default: the first sheet.
        columns: the names of the columns of files without a header.
        pictures: a table of the pictures (`gan_eval.judgements.picture_table`) with stimulus, kind, model and dataset,
            which `mapping` may name there; columns of the files that are called as its `name` have the answers.
        say: prints the options that a tool stands for, before anything else; None: they are in `doubts`.

    Raises:
        UserError: no such file, a required column is missing, no row fits, a rule is not understood or drops answers by
            their outcome, a number may have a thousands separator, rows contradict each other, or times are not
            milliseconds.
    """
    paths = [Path(file) for file in ([files] if isinstance(files, Path | str) else files)]
    file = str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    asked_tool = tool
    of_user = read_pictures(pictures)
    names = of_user.names() if of_user else ()
    read = read_foreign(paths, TableLayout(skip_rows, sheet, columns, names))
    of_user, mapping = without_pictures(of_user, mapping, [*map(str, read.cells)], words or {})
    if of_user and (named := of_user.columns_in([*map(str, read.cells)])):
        read = replace(read, pictures=named)
        is_mapped = mapping.keys() & {"response", "rating", "choice", GRADE}
        mapping = ({} if is_mapped else {"response": ANSWER}) | {"stimulus": "@name"} | mapping
    read, given, tool, lines = _with_options(read, Options(mapping, where, words or {}), tool, file, say)
    mapping, where, words = given
    before = read
    with naming(f"{file}: "):
        read = with_sources(read, mapping, where)
    sources, problems = known_names(read.cells, mapping)
    read, sources, of_counts = with_counted_answers(read, sources, where=file)
    lines += of_counts
    foreign, rejected = read.cells, list(read.rejected)
    _require_clear_numbers(foreign, sources, count=len(foreign) + len(rejected), where=file)
    chosen = rows_fulfilling(foreign, where, where=file)
    refuse_choice_by_outcome(where, foreign, sources, words, file=file)
    foreign, of_rows = one_row_a_trial(tool, foreign[chosen], sources, words.get("response", ()))
    if foreign.empty and not rejected:
        none = "no row is left under " + ", ".join(where) if where else "no row below the header"
        raise UserError(f"{file}: {none}; nothing to import")
    of_layout = {"--skip-rows": skip_rows, "--sheet": sheet, "--columns": ",".join(columns)}
    command = _typed(paths, {"--from": asked_tool, **of_layout, "--pictures": pictures})
    table = _Table(file, read, foreign, sources, words, command)
    ours = renamed(foreign, sources)
    frame = with_pictures(ours, read, of_user, mapping)
    of_pictures = [str(name) for name in frame if name not in ours or not frame[name].equals(ours[name])]
    of_table = {name: f"{of_user.sources.get(name, name)} of {pictures}" for name in of_pictures} if of_user else {}
    frame, of_tool = of_trials(tool, frame, foreign)
    had_kinds = "kind" in frame
    frame, unclear = with_kinds(frame)
    frame, of_grades = graded(frame, words)
    frame, of_scale = with_graded_answers(frame, sources, grade, words.get(GRADE, {}), where=file)
    of_grades += of_scale
    frame, of_sessions = with_own_sessions(frame)
    if read.numbers is not None:
        frame, of_people = people_of_rows(frame, read.numbers["row"])
        of_sessions += of_people
    frame = without_named_blocks(frame, sources)
    places = places_in(frame, sources)
    _require_answers(table, frame, places, [*problems, *unclear])
    origins = _origins(frame, sources, of_table, had_kinds=had_kinds, places=places)
    if source := sources.get(GRADE):
        origins |= dict.fromkeys(("response", "confidence"), f"{source.column} ({grade})")
    meant = meant_words(frame, words)
    is_empty = all(frame[name].isna().all() for name in ("response", "choice", "rating") if name in frame)
    frame, of_classes = with_named_classes(frame, words)
    frame, of_missing = without_missing_words(translated(frame, words))
    frame, of_arithmetic = scaled(in_schema_words(frame), sources)
    frame, of_answers, lines_on_answers, of_one_name = _with_answers(frame, places, sources, asked=asked, where=file)
    frame, of_limits = without_limits(tool, frame)
    if rating_high:
        if "rating" not in frame:
            raise UserError(
                f"{file}: --rating-high {rating_high}: the table has no rating; name it with --map rating=COLUMN"
            )
        frame = frame.assign(**{RATING_HIGH: rating_high})
    rejected = _all_rejected(frame, rejected + of_arithmetic + of_answers)
    accepted = _without_rows(frame, rejected)
    if accepted.empty or _lacks_all_answers(accepted, rejected):
        raise _no_row_error(table, rejected, places)
    filled = fill_trials(accepted.set_axis(accepted.index - 1), where=file, agree=False)
    with naming(f"{file}: "):
        filled, of_names = with_picture_names(filled, picture_names)
    trials, of_several = distinct_names(filled)
    require_agreement(trials, where=file, numbers=Labels(read, accepted.index))
    trials, of_units = in_milliseconds(trials)
    require_plausible_times(trials, where=file, sources=sources)
    if unread_files := read.groups_without(accepted.index):
        more = f" and {len(unread_files) - MAX_WORDS} more" if len(unread_files) > MAX_WORDS else ""
        lines.append(f"no row is taken of {', '.join(unread_files[:MAX_WORDS])}{more}")
    lines += (
        of_rows
        + of_tool
        + of_sessions
        + of_classes
        + of_missing
        + of_limits
        + of_grades
        + of_units
        + lines_on_answers
        + of_names
    )
    if is_empty:
        _require_an_answer(trials, origins, where=file)
    every = [str(name) for name in trials]
    trials, of_people = _without_personal(trials)
    columns = [(sources.get(name) or Source(name)).column for name in (*origins, GRADE)]
    columns += [*read.pictures.values(), *(source for source in mapping.values() if source)]
    taken = accepted.index if read.numbers is None else pd.Index(read.numbers["row"].loc[accepted.index])
    summary = read_as(
        trials,
        mapped=origins,
        not_used=unused_columns(before, taken, columns, where, personal={*every} - {*trials}),
        tool=title_of(tool, read) if tool else "",
        rules=rules_with_counts(where, read.cells),
    )
    lines += zero_confidences(tool, trials) + _remarks(sources, trials, accepted, of_people)
    rejected_rows = _rejected_table(rejected, read)
    return Imported(trials, rejected_rows, summary, (*of_one_name, *of_several), tuple(lines), meant)


def _with_options(
    read: Foreign, given: Options, tool: str | None, file: str, say: Callable[[str], object] | None
) -> tuple[Foreign, Options, str | None, list[str]]:
    """Return the rows corrected for their tool, its options with those given, its name, and lines for the user.

    A tool that is only known by its columns adds no options to a complete `--map`.
    """
    is_asked = tool is not None
    of_sheets = [
        f"{part.file}: the first sheet is read, not {', '.join(part.unread)}; choose one with --sheet NAME, or all "
        "with --sheet '*'"
        for part in read.parts
        if part.unread
    ]
    of_sheets += dict.fromkeys(f"{part.file}: {part.note}" for part in read.parts if part.note)
    for part in read.parts:
        if part.titles and not part.begins_again:
            named = "; ".join(shortened(title, MAX_CELL) for title in part.titles[:MAX_WORDS])
            of_sheets.append(f"{part.file}: not read above the header: {named}")
    for name in dict.fromkeys(part.file for part in read.parts if part.begins_again):
        count = sum(part.file == name for part in read.parts)
        of_sheets.append(f"{name}: trial_index begins again: {count} sessions, each with a participant of its own")
    tool = tool_named(tool, read) if tool is not None else detected(read)
    read, lines = of_files(tool, read)
    if say is None:
        lines += of_sheets
    else:  # before an error about the columns of this sheet
        for line in of_sheets:
            say(line)
    rules = rules_of_tools(read, given)
    given = given._replace(where=[*rules, *given.where])
    if tool is None or (not is_asked and _is_complete(read, given, tool)):
        return read, given, tool, lines
    its, of_tool = options_for(tool, read, given)
    its = its._replace(where=[*rules, *its.where])
    line = f"{'read as' if is_asked else 'looks like'} {title_of(tool, read)}; the same as {its.typed() or 'no option'}"
    if any("#" in source for source in its.mapping.values()):
        line += " (a wide table, one row a person: each number for # becomes a row)"
    if say is None:
        lines.insert(0, line)
    else:
        say(f"{file}: {line}")
    where = list(dict.fromkeys([*its.where, *given.where]))
    merged = Options({**its.mapping, **given.mapping}, where, {**its.words, **given.words})
    return read, merged, tool, [*lines, *of_tool]


def _typed(files: Sequence[Path], options: Mapping[str, object]) -> str:
    """Return files and options as a user types them; all files of one ending in a folder by a star."""
    folder, ending = files[0].parent, files[0].suffix
    words = shlex.join(map(str, files))
    if len(files) > 1 and sorted(folder.glob(f"*{ending}")) == sorted(files):
        words = f"{shlex.quote(str(folder))}/*{ending}" if folder != Path() else f"*{ending}"
    return " ".join([words, *(f"{name} {shlex.quote(str(value))}" for name, value in options.items() if value)])


def _is_complete(read: Foreign, given: Options, tool: str) -> bool:
    """Return True if the user has mapped all that is required, or the files have it, one row a judgement."""
    mapped = {name for name, source in given.mapping.items() if source}
    if {"participant", "stimulus"} <= mapped and mapped & {"response", "rating", "choice", "correct", GRADE}:
        return bool(mapped & {"kind", "rating", "choice"})
    return not TOOLS[tool].choose and not missing_answers(read.cells)


def _require_answers(
    table: _Table, frame: pd.DataFrame, places: tuple[str, str] | None, problems: Sequence[str]
) -> None:
    """Refuse a table without a column that an answer needs, together with the `problems` found before."""
    problems, sources = [*problems], table.sources
    unread = misfits(frame) - table.words.keys() - sources.keys()
    missing = missing_of_pairs(frame) if places else missing_answers(frame.drop(columns=list(unread)))
    if missing:
        problems.append(are_missing(missing))
    if missing and "rating" in unread:
        problems.append(
            listed_words("rating", "rating", frame["rating"].value_counts())
            + "; if these are the answers, give the number of each with --word rating:WORD=NUMBER"
        )
    if not places and (of_pairs := sources.keys() & {*BY_PLACE}):
        problems.append(f"--map {min(of_pairs)} is of pairs by place, which need {OPTIONS}")
    is_wide_table = table.read.numbers is not None
    if missing and not is_wide_table:
        columns = list(table.rows.columns)
        if said := wide_table(columns) if is_wide(columns) else lettered_table(columns):
            raise UserError(f"{table.file}: {'; '.join([*problems, said])}")
    if missing == ["kind"] and is_wide_table:
        problems.append("give the truth of each picture: --pictures FILE.csv with number (or name), stimulus and kind")
    elif "kind" in missing and "stimulus" in frame:
        problems.append("a table of the pictures may have it: --pictures FILE.csv with stimulus and kind")
    if {"participant", "response"} <= {*missing} and len(counts := counts_in(table.rows)) >= CHECKS["counts"].threshold:
        problems.append(CHECKS["counts"].line(columns=", ".join(counts[:MAX_WORDS])))
    if "participant" in missing and len(groups := {part.group for part in table.read.parts}) > 1:
        problems.append(f"is each of the {len(groups)} files a person? --map participant=@file")
    if missing and not is_wide_table and (lists := columns_of_lists(table.rows)):
        problems.append(f"a row of each entry of {lists[0]}: --map COLUMN={shlex.quote(f'{lists[0]}[*].NAME')}")
    if "stimulus" in missing and (pair := pictures_of_pair(table.rows)):
        problems.append(f"pairs? --map left={pair[0]} --map right={pair[1]}")
    if problems:
        raise table.error("; ".join([*problems, f"the file's {columns_of(table.rows)}"]), missing=missing)


def _no_row_error(table: _Table, rejected: Sequence[Row], places: tuple[str, str] | None) -> UserError:
    """Return the error of a table of which no row fits, with the reason of the first."""
    first = next((row for row in rejected if row["column"] == "response"), rejected[0])
    names_words = first["column"] in (*ENUMERATIONS, *(() if places else ("choice",)))  # so does the error
    reason = first["reason"] + ("" if names_words else first["advice"])
    row = Labels(table.read, pd.Index([first["row"]]))[0]
    problem = f"no row could be taken; row {row}: column {first['column']}: {reason}"
    if first["column"] in table.rows and first["column"] not in (*REQUIRED, "choice"):
        problem += f"; ignore the column with --map {first['column']}="
    return table.error(problem)


def _lacks_all_answers(accepted: pd.DataFrame, rejected: Sequence[Row]) -> bool:
    """Return True if no answer is known, but there are some in words that are not."""
    if "response" not in accepted or not accepted["response"].eq("none").all():
        return False
    return any(row["column"] == "response" for row in rejected)


def _origins(
    frame: pd.DataFrame,
    sources: Sources,
    of_pictures: Mapping[str, str],
    *,
    had_kinds: bool,
    places: tuple[str, str] | None,
) -> dict[str, str]:
    """Return the source of each column of `trials` that the frame has, also of those that follow from others.

    Args:
        of_pictures: the columns that a table of pictures has, and its name.
        had_kinds: the truth is not from the names of the pictures.
    """
    origins = {**mapped_columns(map(str, frame), sources), **of_pictures}
    if "kind" in frame and not had_kinds:
        origins["kind"] = "names of pictures"
    if {"kind", "correct"} <= {*frame} and not {"response", "rating"} & {*frame} and not places:
        origins["response"] = "kind and correct"
    return origins


def _require_an_answer(trials: pd.DataFrame, origins: Mapping[str, str], *, where: str) -> None:
    """Refuse a table in which all answers are empty, as where a program has not calculated them."""
    answered = trials["response"].isin(["real", "fake"]) | trials["choice"].isin(["a", "b"]) | trials["rating"].notna()
    if answered.sum() < CHECKS["no_answer_at_all"].threshold:
        column = next(origins[name] for name in ("response", "choice", "rating", "correct") if name in origins)
        raise UserError(f"{where}: {CHECKS['no_answer_at_all'].line(column=column, n=len(trials))}")


def _rejected_table(rejected: Sequence[Row], read: Foreign) -> pd.DataFrame:
    """Return the table `rejected`, each row with its number in its file."""
    rows = []
    for row in rejected:
        if row["column"] == WHOLE_ROW:  # found before a wide table became long
            part, number = read.part_of(row["row"])
            file, question = part.file, ""
        else:
            file, number, question = read.place(row["row"])
        reason = row["reason"] + row["advice"] + (f" (# is {question})" if question else "")
        rows.append({"row": number, "column": row["column"], "found": row["found"], "reason": reason, "file": file})
    return frame_of(rows, REJECTED)


def _require_clear_numbers(foreign: pd.DataFrame, sources: Sources, *, count: int, where: str) -> None:
    """Refuse columns of numbers that may have thousands separators; `count`: rows of the file, for the message."""
    read = (sources.get(target, Source(target)) for target in NUMBERS)
    for name in dict.fromkeys(source.column for source in read if source and source.column in foreign):
        cells = foreign[name].reindex(range(1, count + 1)).fillna("")
        require_clear_numbers(cells.tolist(), f"{where}: column {name}")


def _with_answers(
    frame: pd.DataFrame, places: tuple[str, str] | None, sources: Sources, *, asked: Kind, where: str
) -> Placed:
    """Return the frame with answers in the columns of the table: pairs by place, responses from `correct`."""
    if places:
        return by_truth(frame, places, sources, asked=asked, where=where)
    lines = require_known_truth(frame, sources, where=where)
    refuse_one_sided(frame, ("kind", "correct"), where=where)
    frame = with_choice_of_real(frame, asked, where=where)
    frame, of_correct = with_responses(frame, where=where)
    refuse_one_sided(frame, ("response",), where=where)
    return Placed(frame, [], lines + of_correct, ())


def _all_rejected(frame: pd.DataFrame, rejected: list[Row]) -> list[Row]:
    """Return the rejections so far and those of the other rows, in the order of rows and columns."""
    others = _without_rows(frame, rejected)
    order = {name: place for place, name in enumerate(TRIALS.names)}
    return sorted(rejected + rejections_of(others), key=lambda row: (row["row"], order.get(row["column"], 0)))


def _without_rows(frame: pd.DataFrame, rejected: Sequence[Row]) -> pd.DataFrame:
    return frame[~frame.index.isin([row["row"] for row in rejected])] if rejected else frame


def _remarks(sources: Sources, trials: pd.DataFrame, accepted: pd.DataFrame, of_people: Sequence[str]) -> list[str]:
    """Return doubts about the trials of the accepted rows, and questions that the user must answer."""
    source = (sources.get("reaction_time_ms") or Source("reaction_time_ms")).column
    lines = [*doubts(trials.set_axis(accepted.index - 1), time_column=source), *of_people]
    if not (trials["phase"] == "main").any():
        counts = ", ".join(f"{phase} {count}" for phase, count in trials["phase"].value_counts().items())
        lines.append(CHECKS["no_main_trial"].line(counts=counts))
    if not (typed(trials).graded.empty or high_grade(trials)):
        lines.append(CHECKS["no_direction"].line())
    return lines


def _without_personal(trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out additional columns that say who people are, and say so; also say such codes of people."""
    kept, names = without_personal(trials, TRIALS)
    lines = [left_out_line(names)] if names else []
    if any(map(is_address, trials["participant"].unique())):
        lines.append("participant holds addresses of people; write codes in their place before you share the table")
    return kept, lines
