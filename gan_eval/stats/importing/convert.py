"""Convert another program's table of judgements into a trials table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.files.sqlite_files import is_store
from gan_eval.stats.contradictions import Source, doubts, require_agreement, require_plausible_times
from gan_eval.stats.exclusions import rows_fulfilling
from gan_eval.stats.importing.foreign import read_foreign
from gan_eval.stats.importing.mapping import NUMBERS, columns_of, known_names, mapped
from gan_eval.stats.importing.names import distinct_names
from gan_eval.stats.importing.rejections import MAX_WORDS, rejections_of
from gan_eval.stats.importing.words import foreign_table_error, in_schema_words, misfits, refuse_choice_by_outcome
from gan_eval.stats.trials import are_missing, fill_trials, missing_answers
from gan_eval.tables import REJECTED, TRIALS
from gan_eval.tables.cells import require_clear_numbers
from gan_eval.tables.frames import frame_of


class Imported(NamedTuple):
    """The result of `import_trials`."""

    trials: pd.DataFrame
    rejected: pd.DataFrame
    """The table `rejected`: each row that was left out, with the reason."""
    renamed: tuple[str, ...] = ()
    """Stimuli that shared a name and now have different names."""
    doubts: tuple[str, ...] = ()
    """Warnings (`gan_eval.stats.contradictions.doubts`)."""


def import_trials(
    file: Path | str,
    *,
    mapping: Mapping[str, str],
    where: Sequence[str] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Imported:
    """Convert another program's table of judgements into a trials table; report and leave out rows that do not fit.

    Columns that are not mapped are taken from a column of the same name. Otherwise they are filled: session =
    participant, trial = order, phase = main, simulated = false; `correct` is computed. Additional columns are kept.

    Args:
        file: CSV with one judgement a row.
        mapping: for a column of `trials` the file's column, or a column times or divided by a number:
            `{"participant": "subject", "reaction_time_ms": "rt_s*1000"}`; empty: nothing is taken from a column of
            that name.
        where: rules (`gan_eval.stats.exclusions`) on the file's own columns; only rows that fulfil all are imported.
        words: for a column of `trials` the meanings of the file's words: `{"kind": {"synthetic": "fake"}}`; empty:
            nothing.

    Raises:
        UserError: no such file, a required column is missing, no row fits, a rule is not understood or drops answers by
            their outcome, a number may have a thousands separator, rows contradict each other, or times are not
            milliseconds.
    """
    file, words = Path(file), words or {}
    if is_store(file):
        raise UserError(f"{file}: a results store, which needs no import; give it to gan-eval analyze")
    foreign, rejected = read_foreign(file)
    known, problems = known_names(foreign, mapping)
    read = (known.get(target, Source(target)) for target in NUMBERS)
    for name in dict.fromkeys(source.column for source in read if source and source.column in foreign):
        cells = foreign[name].reindex(range(1, len(foreign) + len(rejected) + 1)).fillna("")
        require_clear_numbers(cells.tolist(), f"{file}: column {name}")
    chosen = rows_fulfilling(foreign, where, where=str(file))
    refuse_choice_by_outcome(where, foreign, known, words, file=str(file))
    foreign = foreign[chosen]
    if foreign.empty and not rejected:
        none = "no row is left under " + ", ".join(where) if where else "no row below the header"
        raise UserError(f"{file}: {none}; nothing to import")
    frame, of_arithmetic = mapped(foreign, known)
    others = misfits(frame.select_dtypes(exclude="number")) - words.keys()
    if missing := missing_answers(frame.drop(columns=list(others))):
        problems.append(are_missing(missing))
    if problems:
        raise foreign_table_error(
            file, "; ".join([*problems, f"the file's {columns_of(foreign)}"]), foreign, known, words
        )
    frame = in_schema_words(frame, words)
    rejected += of_arithmetic + rejections_of(frame)
    rejected.sort(
        key=lambda row: (row["row"], TRIALS.names.index(row["column"]) if row["column"] in TRIALS.names else 0)
    )
    accepted = frame[~frame.index.isin([row["row"] for row in rejected])]
    if accepted.empty:
        first = rejected[0]
        problem = f"no row could be taken; row {first['row']}: column {first['column']}: {first['reason']}"
        if first["column"] in foreign:
            problem += f"; ignore the column with --map {first['column']}="
        raise foreign_table_error(file, problem, foreign, known, words)
    filled = fill_trials(accepted.set_axis(accepted.index - 1), where=str(file), agree=False)
    trials, renamed = distinct_names(filled)
    require_agreement(trials, where=str(file), numbers=accepted.index)
    require_plausible_times(trials, where=str(file), sources=known)
    lines = doubts(trials.set_axis(accepted.index - 1))
    taken = foreign.loc[accepted.index]
    if "reaction_time_ms" in frame and (equal := taken.index[taken.duplicated()].tolist()):
        named = ", ".join(map(str, equal[:MAX_WORDS])) + ", ..." * (len(equal) > MAX_WORDS)
        lines.append(f"rows that equal an earlier one in every column, reaction time too; remove them: {named}")
    return Imported(trials, frame_of(rejected, REJECTED), renamed, tuple(lines))
