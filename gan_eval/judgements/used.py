"""Columns of the files that an import uses, and contents of the others: the parts of `gan_eval.judgements.read_as`."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.mapping import BY_PLACE
from gan_eval.judgements.paths import unread_entries, unread_fields
from gan_eval.judgements.read_as import Words, words_of
from gan_eval.judgements.reading import Foreign
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.sources import columns_of_source, parts_of_source
from gan_eval.judgements.wide import numbered_columns
from gan_eval.tables import TRIALS


def mapped_columns(columns: Iterable[str], sources: Sources) -> dict[str, str]:
    """Return the source, as `--map` names it, of each column of `trials` or of pairs by place among these columns."""
    given = {name: sources.get(name) or Source(name) for name in columns if name in (*TRIALS.names, *BY_PLACE)}
    return {name: source.typed() for name, source in given.items()}


def unused_columns(
    files: Foreign, rows: pd.Index, sources: Iterable[str], rules: Sequence[str], *, personal: Collection[str]
) -> dict[str, Words | int]:
    """Return the words of each column of the files, and of each field of their objects, that nothing reads.

    They are those in the rows that were taken. If a column is empty there, its words are those of all rows. Numbered
    columns of a wide table are one.

    Args:
        files: the rows before a wide table became long.
        rows: the rows that were taken.
        sources: the columns and paths that were read.
        personal: columns with addresses of people, of which only the number of values is given.
    """
    sources = [*sources, *(parse_rule(rule).column for rule in rules)]
    taken = files.cells.loc[rows.unique()]
    found: dict[str, Words | int] = {}
    for name, names in _unread(files.cells, sources, is_wide=rows.has_duplicates).items():
        cells = taken if taken[names].notna().any(axis=None) else files.cells
        words = words_of(pd.concat([cells[each] for each in names]))
        found[name] = len(words) if name in personal and isinstance(words, dict) else words
    for source in sources:
        found |= unread_entries(source, taken)
    parts = [part for source in sources for part in parts_of_source(source, [*map(str, taken)])]
    return found | {path: words_of(pd.Series(texts)) for path, texts in unread_fields(parts, taken).items()}


def _unread(cells: pd.DataFrame, sources: Iterable[str], *, is_wide: bool) -> dict[str, list[str]]:
    """Return the columns that no source reads under their names; numbered ones of a wide table under their pattern."""
    columns = [str(name) for name in cells]
    used = {name for source in sources for name in columns_of_source(source, columns)}
    left = [name for name in columns if name not in used]
    numbered = numbered_columns(left) if is_wide else {}
    groups = {pattern: names for pattern, names in numbered.items() if len(names) > 2}
    grouped = {name for names in groups.values() for name in names}
    return {name: [name] for name in left if name not in grouped} | groups


def rules_with_counts(rules: Sequence[str], cells: pd.DataFrame) -> list[str]:
    """Return each rule with the number of rows that it leaves out, of all."""
    kept = {text: parse_rule(text).holds(cells, where=text) for text in rules}
    return [f"{text} ({int((~rows).sum())} of {len(cells)} rows left out)" for text, rows in kept.items()]


def meant_words(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the meanings of those words that the columns have."""
    meant = {}
    for name, meanings in words.items():
        if name in frame:
            cells = {str(cell).strip().lower() for cell in frame[name].dropna().unique()}
            meant[name] = {word: ours for word, ours in meanings.items() if word.strip().lower() in cells}
    return meant
