"""The user's table of the pictures (`--pictures`): which one a row is of, and its kind, model and data set."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.contradictions import some
from gan_eval.judgements.parts import title_of
from gan_eval.judgements.reading import Foreign, read_foreign
from gan_eval.judgements.rejections import MAX_WORDS
from gan_eval.judgements.words import translated

_FACTS = ("stimulus", "kind", "model", "dataset", "item")
_KEYS = ("number", "name", "stimulus")
"""Columns that say which picture a row is, before others."""
_ASKED_OF = re.compile(r"\[([^\[\]]+)\]$")
"""What a question of a grid is about, as LimeSurvey and Google Forms write it: `Is it real? [a.png]`."""
Words = Mapping[str, Mapping[str, str]]


class TableOfPictures(NamedTuple):
    """The rows of a table of pictures."""

    file: Path
    cells: pd.DataFrame
    sources: Mapping[str, str] = {}
    """The columns of the table, by those of `trials`."""

    def columns_in(self, columns: Sequence[str]) -> dict[str, str]:
        """Return the columns of a form that are called as the pictures, by the pictures' names.

        Of one grid of questions, what stands in brackets at their end is their name, too.

        Raises:
            UserError: most pictures have a column, others have none.
        """
        asked = [(title_of(of[1]), column) for column in columns if (of := _ASKED_OF.search(column))]
        titles = dict(asked) if len(dict(asked)) == len(asked) else {}
        titles |= {title_of(column): column for column in columns}
        names = self.names()
        found = {name: titles[title_of(name)] for name in names if title_of(name) in titles}
        if 2 * len(found) <= len(names):
            return {}
        if lacking := [name for name in names if name not in found]:
            named = some(lacking, str, MAX_WORDS)
            raise UserError(f"{self.file}: no column is called {named}; correct or remove the row")
        return found

    def names(self) -> list[str]:
        return self.cells["name"].dropna().str.strip().tolist() if "name" in self.cells else []


def read_pictures(file: Path | None) -> TableOfPictures | None:
    return None if file is None else TableOfPictures(file, read_foreign([file]).cells)


def without_pictures(
    table: TableOfPictures | None, mapping: Mapping[str, str], columns: Sequence[str], words: Words
) -> tuple[TableOfPictures | None, dict[str, str]]:
    """Return the table with the columns that `--map` names in it and its words, and the mapping of the answers' files.

    Args:
        columns: those of the answers' files, which come first.
    """
    if table is None:
        return None, {**mapping}
    cells = table.cells
    mapped = {ours: source for ours, source in mapping.items() if source in cells and source not in columns}
    if other := mapped.keys() - {*_FACTS}:
        ours = min(other)
        raise UserError(f"{table.file}: --map {ours}={mapped[ours]}: expected one of {', '.join(_FACTS)} there")
    sources = {name: name for name in _FACTS if name in cells} | mapped
    facts = cells[[*sources.values()]].set_axis([*sources], axis="columns")
    facts = translated(facts, {name: meanings for name, meanings in words.items() if name in facts})
    facts = facts.set_axis([f"@{name}" for name in sources], axis="columns")
    rest = {ours: source for ours, source in mapping.items() if ours not in mapped}
    return TableOfPictures(table.file, pd.concat([cells, facts], axis="columns"), sources), rest


def with_pictures(
    frame: pd.DataFrame, foreign: Foreign, table: TableOfPictures | None, mapping: Mapping[str, str]
) -> pd.DataFrame:
    """Return the frame with the facts about each picture; the table's column that has all pictures says which is which.

    Args:
        frame: columns of `trials`, as text.
        mapping: of the answers' files.

    Raises:
        UserError: nothing says which picture a row is of, a picture is lacking or twice, or a kind is neither real nor
            fake.
    """
    if table is None:
        return frame
    key, asked = _key(frame, foreign, table)
    listed = _plain_keys(table.cells[key])
    if (double := listed[listed.duplicated() & listed.isin(asked)]).size:
        raise UserError(f"{table.file}: {key} {double.iloc[0]} occurs twice; remove one row")
    if lacking := asked[~asked.isin(listed)].dropna().unique().tolist():
        column = mapping.get("stimulus") or "stimulus"
        column = "@name" if column not in foreign.cells and foreign.numbers is not None else column
        raise UserError(
            f"{table.file}: no row with the {key} {some(lacking, str, MAX_WORDS)}; add it, or leave it out "
            f"(--where '{column}!={lacking[0]}')"
        )
    rows = table.cells.set_index(pd.Index(listed))
    rows = rows[~rows.index.duplicated()].reindex(asked)
    given = {name: rows[f"@{name}"].set_axis(frame.index) for name in table.sources}
    given.setdefault("stimulus", frame.get("stimulus", asked.set_axis(frame.index)))
    _require_kinds(given.get("kind"), table)
    return frame.assign(**given)


def _key(frame: pd.DataFrame, foreign: Foreign, table: TableOfPictures) -> tuple[str, pd.Series]:
    """Return the column of the table that says which picture a row is of, and the cells of the rows for it."""
    keys = [*(name for name in _KEYS if name in table.cells), *table.cells]
    numbers = None if foreign.numbers is None else foreign.numbers["number"].reindex(frame.index)
    shared = dict[str, pd.Series]()
    for key in dict.fromkeys(key for key in keys if not key.startswith("@")):
        asked = frame.get("stimulus") if key != "number" or numbers is None else numbers
        if (asked := numbers if asked is None else asked) is None:
            column = next((name for name in foreign.cells if name in table.cells), "COLUMN")
            raise UserError(f"{table.file}: nothing says which picture a row is of; add --map stimulus={column}")
        shared[key] = _plain_keys(asked)
    listed = {key: _plain_keys(table.cells[key]) for key in shared}
    found = {key: asked.dropna().isin(listed[key]).mean() for key, asked in shared.items()}
    best = max(found, key=lambda key: (found[key] == 1 and listed[key].is_unique, key in _KEYS, found[key]))
    if not found[best] and best not in _KEYS:
        example = next(iter(shared[best].dropna()), "")
        raise UserError(
            f"{table.file}: none of its columns {', '.join(shared)} has the pictures of the answers, such as "
            f"{example}; add a column stimulus"
        )
    return best, shared[best]


def _require_kinds(kinds: pd.Series | None, table: TableOfPictures) -> None:
    """Refuse kinds that are neither real nor fake, with the name of the table of pictures."""
    if kinds is None:
        return
    counts = kinds[~kinds.str.strip().str.lower().isin(["real", "fake"]) & kinds.notna()].value_counts()
    if counts.size:
        words = some(counts.index, str, MAX_WORDS)
        raise UserError(
            f"{table.file}: column {table.sources['kind']}: found {words}, expected real and fake; add --word "
            f"'kind:{counts.index[0]}=MEANING' (an option for each word)"
        )


def _plain_keys(cells: pd.Series) -> pd.Series:
    """Return names without spaces around them, and whole numbers without zeros before and after them."""
    return cells.str.strip().str.replace(r"^0*(\d+)(\.0+)?$", r"\1", regex=True)
