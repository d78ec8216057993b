"""Columns and rows of another program's table that are not read as the user may think: a question on each."""

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from gan_eval.stats.contradictions import Source, Sources
from gan_eval.stats.doubts import SYNONYMS
from gan_eval.stats.importing.names import PICTURE_FILE
from gan_eval.stats.importing.rejections import MAX_WORDS
from gan_eval.stats.importing.wide import columns_by_number, numbered_columns
from gan_eval.tables.names import common_start

MIN_REPEATED = 10
"""Minimum number of pictures that a person judged twice, always alike, for the conclusion that rows are copies."""


def _maps(**sources: str) -> str:
    return " ".join(f"--map {shlex.quote(f'{name}={source}')}" for name, source in sources.items())


def models_as_words(words: Mapping[str, Mapping[str, str]], foreign: pd.DataFrame, sources: Sources) -> list[str]:
    """Return a question if several words mean `fake` and no column has the model: the words may be models."""
    source = sources.get("kind", Source("kind"))
    if source is None or source.column not in foreign or "model" in foreign or sources.get("model"):
        return []
    meant = {word.strip().lower() for word, ours in words.get("kind", {}).items() if ours == "fake"} | {"fake"}
    cells = foreign[source.column].dropna().str.strip()
    found = cells[cells.str.lower().isin(list(meant))].unique()
    if len(found) < 2:
        return []
    return [
        f"column {source.column} has {len(found)} words for fake ({', '.join(found[:MAX_WORDS])}), counted as one "
        f"model; {_maps(kind=source.column, model=source.column)} reads them as models"
    ]


def unread_answers(before: pd.DataFrame, mapping: Mapping[str, str]) -> list[str]:
    """Return warnings of numbered columns that are not read: with no other words than those read, or of a usual name.

    Args:
        before: the table before it became long.
    """
    pattern = mapping.get("response") or mapping.get("choice") or mapping.get("rating") or ""
    columns = list(map(str, before))
    read = list(columns_by_number(pattern, columns).values())
    mapped = {name for source in mapping.values() for name in columns_by_number(source, columns).values()}

    def words(names: Sequence[str]) -> set[str]:
        return {str(word).strip().lower() for name in names for word in before[name].dropna().unique()}

    lines = []
    for other in numbered_columns([name for name in columns if name not in mapped]):
        bare = re.sub(r"[\W_]", "", other.lower())
        target = next((name for name, more in SYNONYMS.items() if bare in (name.replace("_", ""), *more)), None)
        if target and target not in mapping:
            lines.append(f"columns {other} are not read; if they are that: {_maps(**{target: other})}")
    answers = words(read)
    others = [
        (other, names)
        for other, names in numbered_columns([name for name in columns if name not in mapped]).items()
        if len(names) > 2 and words(names) and words(names) <= answers
    ]
    if not others:
        return lines
    named = ", ".join(f"{other} ({len(names)})" for other, names in others[:MAX_WORDS])
    both = [*read, *(name for _, names in others for name in names)]
    advice = f"; --map 'response={every}' reads all" if (every := _pattern_of(both, columns)) else ""
    line = f"the answers are those of {pattern} ({len(read)} columns); not read, with the same words: {named}{advice}"
    return [*lines, line]


def pictures_of_pair(foreign: pd.DataFrame) -> list[str]:
    """Return the two columns in which most cells are files of pictures; none if there are not two."""
    is_file = {str(name): foreign[name].dropna().str.contains(PICTURE_FILE, regex=True) for name in foreign}
    found = [shlex.quote(name) for name, cells in is_file.items() if len(cells) and cells.mean() > 0.9]
    return found if len(found) == 2 else []


def with_own_sessions(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Name sessions after their participant where a column numbers them: 1 or `day1` of each person; and say so."""
    if not {"session", "participant"} <= set(frame):
        return frame, []
    people = frame.groupby("session")["participant"].nunique()
    if people.empty or (people < 2).any() or len(people) >= frame["participant"].nunique():
        return frame, []
    named = ", ".join(map(str, people.index[:MAX_WORDS]))
    own = (frame["participant"] + "-" + frame["session"]).where(frame["session"].notna(), frame["session"])
    line = f"session is {named} for several participants: read as a session of each, such as {own.dropna().iloc[0]}"
    return frame.assign(session=own), [line]


def without_named_blocks(frame: pd.DataFrame, sources: Sources) -> tuple[pd.DataFrame, list[str]]:
    """Leave out a column `block` that was not asked for and has words, such as practice and main, not numbers."""
    if "block" not in frame or "block" in sources:
        return frame, []
    words = frame["block"].dropna().unique()
    if not len(words) or any(re.fullmatch(r"\s*\d+(\.0+)?\s*", word) for word in words):
        return frame, []
    named = ", ".join(words[:MAX_WORDS])
    return frame.drop(columns="block"), [
        f"column block has words, not numbers ({named}): left out; --where block=WORD takes the rows of one"
    ]


def copied_answers(trials: pd.DataFrame) -> bool:
    """Return True if people judged pictures again, later, and never otherwise, as where an export is there twice."""
    by_picture = trials.groupby(["session", "stimulus", trials["stimulus_b"].fillna("")], observed=True)
    answers = trials["response"].fillna("") + trials["choice"].fillna("") + trials["rating"].astype("str").fillna("")
    numbers = answers.groupby(by_picture.ngroup()).agg(["size", "nunique"])
    several = numbers[numbers["size"] > 1]
    if 2 * by_picture.ngroup().diff().eq(0).sum() > len(several):  # questions about it
        return False
    return len(several) >= MIN_REPEATED and bool((several["nunique"] == 1).all())


def _pattern_of(names: Sequence[str], columns: Sequence[str]) -> str:
    """Return the pattern with * for any text that these columns, and no others, have; "" if there is none."""
    (numbers, count), *_ = Counter(re.sub(r"\d+", "*", name) for name in names).most_common(1)
    start, end = common_start(names), common_start([name[::-1] for name in names])[::-1]
    end = re.sub(f"^{PICTURE_FILE.removesuffix('$')}(?=.)", "", end)  # a picture's ending belongs to its name
    candidates = [numbers] * (count == len(names)) + [f"{start}*{end}"] * bool(start or end)
    return next((each for each in candidates if len(columns_by_number(each, columns)) == len(names)), "")
