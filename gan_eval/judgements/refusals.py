"""Another program's table that cannot be imported: one message of all that it lacks, with the options that help."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.mapping import BY_PLACE
from gan_eval.judgements.pairs import OPTIONS, missing_of_pairs
from gan_eval.judgements.paths import columns_of_lists, nested
from gan_eval.judgements.reading import Foreign, Labels
from gan_eval.judgements.rejections import CORRECT_WORDS, ENUMERATIONS, IF_CORRECTNESS, TRUTH_WORDS, listed_words
from gan_eval.judgements.tools import Options
from gan_eval.judgements.trials import REQUIRED, are_missing, missing_answers
from gan_eval.judgements.wide import of_wide_table
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import Row, faults

Places = tuple[str, str] | None
"""The places of pairs by place, if a table has them."""
_OF_A_MODEL = re.compile(r"(?i)(\w*_)?model_?(a|b|1|2|left|right)|(left|right)_model")
"""Names of the two columns of a pair's models."""
_TWO_MODELS = (
    "two models in each row: --map left={0} --map right={1} --map left_model={0} --map right_model={1} --map "
    "choice=COLUMN (where left and right may be columns of pictures); --word choice:tie=none leaves ties out"
)
"""Advice for their names."""


class Chosen(NamedTuple):
    """Files of a tool, and the rows of them to convert."""

    file: str
    """The files, for messages."""
    tool: str | None
    options: Options
    before: Foreign
    """The rows before those of the options' sources and rules."""
    read: Foreign
    rows: pd.DataFrame
    """Chosen rows, one for each trial."""
    sources: Sources
    problems: Sequence[str]
    """Options that name no column."""
    command: str
    """The files and the options of reading them, as a user types them."""


def require_answers(table: Chosen, frame: pd.DataFrame, places: Places, unclear: Sequence[str]) -> None:
    """Refuse a table without a column that an answer needs, together with the problems found before.

    Args:
        frame: the rows under the names of `trials`.
        unclear: further problems.
    """
    unread = _misfits(frame) - table.options.words.keys() - table.sources.keys()
    missing = missing_of_pairs(frame) if places else missing_answers(frame.drop(columns=list(unread)))
    problems = [*table.problems, *unclear, *([are_missing(missing)] if missing else [])]
    if missing and "rating" in unread:
        words = listed_words("rating", "rating", frame["rating"].value_counts())
        problems.append(f"{words}; if these are the answers, give each a number with --word rating:WORD=NUMBER")
    if not places and (of_pairs := table.sources.keys() & {*BY_PLACE}):
        problems.append(f"--map {min(of_pairs)} is of pairs by place, which need {OPTIONS}")
    problems += _ways_out(table, frame, missing)
    if problems:
        problems.append(f"the file's columns are {', '.join(map(str, table.rows))}")
        raise table_error(table, "; ".join(problems), missing=missing)


def _misfits(frame: pd.DataFrame) -> set[str]:
    """Return those of the columns `choice` and `rating` in which no cell is a choice or a grade."""
    names = set()
    for name in {"choice", "rating"} & {*frame}:
        cells = frame[[name]].dropna().apply(lambda series: series.str.strip().str.lower())
        if len(cells) and len(faults(cells, TRIALS)) == len(cells):
            names.add(name)
    return names


def _ways_out(table: Chosen, frame: pd.DataFrame, missing: Sequence[str]) -> Iterator[str]:
    """Yield where missing columns may be."""
    is_long = table.read.numbers is None
    if missing == ["kind"] and not is_long:
        yield "give the truth of each picture: --pictures FILE.csv with number (or name), stimulus and kind"
    elif "kind" in missing and "stimulus" in frame:
        yield "a table of the pictures may have it: --pictures FILE.csv with stimulus and kind"
    if {"participant", "response"} <= {*missing}:
        yield "a row must be one judgement; of counts: --map count=COLUMN --map count_correct=COLUMN"
    if "participant" in missing and len(groups := {part.group for part in table.read.parts}) > 1:
        yield f"is each of the {len(groups)} files a person? --map participant=@file"
    if missing and is_long and (advice := of_wide_table([*map(str, table.rows)])):
        yield advice
    if missing and is_long and (lists := columns_of_lists(table.rows)):
        yield f"a row of each entry of {lists[0]}: --map COLUMN={shlex.quote(f'{lists[0]}[*].NAME')}"


def no_row_error(table: Chosen, rejected: Sequence[Row], places: Places) -> UserError:
    """Return the error of a table of which no row fits, with the reason of the first."""
    first = next((row for row in rejected if row["column"] == "response"), rejected[0])
    names_words = first["column"] in (*ENUMERATIONS, *(() if places else ("choice",)))  # so does the error
    reason = first["reason"] + ("" if names_words else first["advice"])
    row = Labels(table.read, pd.Index([first["row"]]))[0]
    problem = f"no row could be taken; row {row}: column {first['column']}: {reason}"
    if first["column"] in table.rows and first["column"] not in (*REQUIRED, "choice"):
        problem += f"; ignore the column with --map {first['column']}="
    return table_error(table, problem)


def unread_file_error(file: Path, problem: str, frame: pd.DataFrame, missing: Sequence[str]) -> UserError:
    """Return the error of a file that was to be a table `trials`, and may be another program's."""
    read = Foreign(frame, [], [], [], {})
    table = Chosen(str(file), None, Options({}), read, read, frame, {}, [], shlex.quote(str(file)))
    return table_error(table, problem, missing=missing, is_plain=True)


def table_error(table: Chosen, problem: str, *, missing: Sequence[str] = (), is_plain: bool = False) -> UserError:
    """Return the error with the table's unknown words and the options that name columns and words.

    Args:
        is_plain: an import without options may help.
    """
    findings = [f"{table.file}: {problem}"]
    if "response" in missing and "kind" not in missing:
        findings.append("correct may replace it: --map correct=COLUMN, whether the answer was correct")
    models = [shlex.quote(name) for name in map(str, table.rows) if _OF_A_MODEL.fullmatch(name)]
    if missing and len(models) == 2:
        findings.append(_TWO_MODELS.format(*models))
        options = []
    else:
        person = "@file" if len({part.group for part in table.read.parts}) > 1 else "COLUMN"
        options = [f"--map {name}={person if name == 'participant' else 'COLUMN'}" for name in missing]
    of_pairs = "choice" in table.sources or ("choice" in table.rows and "response" not in table.rows)
    has_choice = of_pairs and not table.sources.keys() & {"left", "first"}
    for name in (*ENUMERATIONS, *(["choice"] * has_choice)):
        found, option = _unknown_words(table, name)
        findings += found
        options += option
    return UserError("; ".join([*findings, *_ways_to_import(table, options, is_plain=is_plain and len(findings) == 1)]))


def _ways_to_import(table: Chosen, options: Sequence[str], *, is_plain: bool) -> Iterator[str]:
    """Yield the command with these options or, if the table has no other problem, without one."""
    command = f"gan-eval trials import {table.command}"
    if options:
        each = " (an option for each word)" if "--word" in options[-1] else ""
        typed = " ".join(options)
        yield (f"add {typed}" if table.sources else f"name them with: {command} {typed} --out trials.csv") + each
    elif not table.sources and is_plain:  # words in capitals, or with spaces around them
        yield f"convert it with: {command} --out trials.csv"


def _unknown_words(table: Chosen, name: str) -> tuple[list[str], list[str]]:
    """Return what to say of the unknown words of a column of `trials`, and an option that names one of them."""
    source = table.sources.get(name, Source(name))
    if source is None or source.column not in table.rows:
        return [], []
    words: Mapping[str, str] = table.options.words.get(name, {})
    cells = table.rows[source.column].dropna().str.strip()
    cells = cells.map(_last_of_list) if table.tool == "psychopy" else cells
    meant = {"", *TRIALS.by_name[name].words, *(word.strip().lower() for word in words)}
    counts = cells[~cells.str.lower().isin(meant)].value_counts()
    if counts.empty:
        return [], []
    listed = listed_words(source.column, name, counts)
    if name == "response" and _is_correctness(source.column, list(counts.index)):
        return [listed, IF_CORRECTNESS], []
    if isinstance(answers := nested(counts.index[0]), dict) and answers:
        said = f"column {source.column} has the answers {', '.join(answers)} in each cell"
        return [said], [f"--map {shlex.quote(f'{name}={source.column}.{min(answers)}')}"]
    if name == "response" and len(counts) > 4 and counts.index.str.fullmatch(r"[-+]?[\d.]+").all():
        return [listed, f"if these are grades: --map {shlex.quote(f'rating={source.column}')} --map response="], []
    return [listed], [f"--word {shlex.quote(f'{name}:{counts.index[0]}')}=MEANING"]


def _last_of_list(cell: str) -> str:
    """Return the last one of a list of PsychoPy's keys or names, as that one counts."""
    value = nested(cell)
    return str(value[-1]) if isinstance(value, list) and value else cell


def _is_correctness(column: str, words: Sequence[str]) -> bool:
    """Return True if a column of responses seems to say whether they were correct, by its name or its words."""
    is_named = re.search(r"(?i)corr|acc(?!ept)", column)
    return bool(is_named) or {word.lower() for word in words} <= TRUTH_WORDS.keys() | CORRECT_WORDS.keys()
