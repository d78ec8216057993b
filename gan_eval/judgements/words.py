"""Words of another program's table: translate them into those of the schema, refuse half-known ones."""

import shlex
from collections.abc import Mapping, Sequence

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.mapping import GRADE
from gan_eval.judgements.rejections import CORRECT_WORDS, MAX_WORDS, TRUTH_WORDS, listed_words
from gan_eval.judgements.rules import column_named, parse_rule
from gan_eval.judgements.trials import CALLED, OUTCOMES
from gan_eval.tables import TRIALS

MISSING = ("null", "undefined", "none", "na", "n/a", "nan")
"""Words of other programs for a missing cell, in lower case."""
_MISSING_NUMBERS = (*MISSING, ".", "-", "--", "<na>", "#n/a")
TRUTH = {"true": True, "1": True, "false": False, "0": False}
"""Cells of a column of truth values."""
_GRADE = r"\s*([-+]?\d+(?:\.\d+)?)\s*(?:%\s*|[-–—:=(.)\s]\s*\(?[^\W\d_].*)"
"""A grade with its meaning, such as `7 - surely real`."""


def translated(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the frame with the user's meanings in place of the file's words."""
    frame = frame.copy()
    for name, meanings in words.items():
        column = column_named(name, frame, where="--word")
        translations = {foreign.strip().lower(): meaning or None for foreign, meaning in meanings.items()}
        plain = frame[column].str.strip().str.lower()
        frame[column] = frame[column].mask(plain.isin(list(translations)), plain.map(translations))
    return frame


def with_named_classes(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> tuple[pd.DataFrame, list[str]]:
    """Keep the class that each answer names in the column `called`, if several words for `fake` are names of models.

    Args:
        frame: the file's text, before its words are translated.
        words: the meanings of the file's words.

    >>> answers = pd.DataFrame({"model": ["gan", "cg", "real"], "response": ["CG", "cg", "photo"]})
    >>> words = {"response": {"gan": "fake", "cg": "fake", "photo": "real"}}
    >>> with_named_classes(answers, words)[0]["called"].tolist()
    ['cg', 'cg', 'real']
    """
    if CALLED in frame or not {"response", "model"} <= {*frame}:
        return frame, []
    meanings = {word.strip().lower(): meaning for word, meaning in words.get("response", {}).items()}
    models = {name.strip().lower(): name.strip() for name in frame["model"].dropna().unique()}
    classes = {word: models[word] for word, meaning in meanings.items() if meaning == "fake" and word in models}
    if len(classes) < 2:
        return frame, []
    said = {"real": "real", "fake": "fake"} | meanings | classes
    called = frame["response"].str.strip().str.lower().map(said)
    names = " and ".join(classes.values())
    line = (
        f"answers name the classes {names}: kept in the column {CALLED}, and counted in the table classes; in all "
        "other tables they are one answer, fake"
    )
    return frame.assign(**{CALLED: called.where(called.isin(["real", "fake", *classes.values()]))}), [line]


def without_missing_words(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Empty the cells of numbers, truth values and enumerations that say NA, null, ...; return a line that counts them.

    The answers `response` and `choice` become `none` there.
    """
    columns, counts = {}, []
    for column in TRIALS.columns:
        if column.name in frame and (column.is_number or column.words or column.dtype == "bool"):
            cells = frame[column.name]
            plain = cells.str.strip().str.lower()
            missing = plain.isin(_MISSING_NUMBERS if column.is_number else MISSING) & ~plain.isin(column.words)
            if missing.any():
                columns[column.name] = cells.mask(missing, "none" if "none" in column.words else None)
                counts += [f"{n} {word} in {column.name}" for word, n in cells[missing].value_counts().items()]
    return frame.assign(**columns), [f"taken as missing: {', '.join(counts)}"] if counts else []


def graded(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> tuple[pd.DataFrame, list[str]]:
    """Return ratings such as `7 - surely real` and `80%` as the number alone, and a line on them; not the user's words.

    >>> graded(pd.DataFrame({"rating": ["7 - surely real", "6", "1 (fake)", "80 %"]}), {})[0]["rating"].tolist()
    ['7', '6', '1', '80']
    """
    if "rating" not in frame:
        return frame, []
    labels = [word.strip().lower() for word in words.get("rating", {})]
    labelled = frame["rating"].str.fullmatch(_GRADE).fillna(False).astype(bool)
    labelled &= ~frame["rating"].str.strip().str.lower().isin(labels)
    if not labelled.any():
        return frame, []
    numbers = frame["rating"].str.extract(_GRADE, expand=False)
    read = dict(zip(frame["rating"][labelled], numbers[labelled], strict=True))
    named = ", ".join(f"{cell} as {number}" for cell, number in list(read.items())[:MAX_WORDS])
    return frame.assign(rating=frame["rating"].mask(labelled, numbers)), [f"ratings are read by their number: {named}"]


def refuse_one_sided(frame: pd.DataFrame, columns: Sequence[str], *, where: str) -> None:
    """Refuse unknown words next to a single known one, such as 100 next to 0: rows of one outcome would be left out.

    Args:
        frame: text in the words of the schema.
        columns: of `kind`, `response`, `choice`, `correct`.
    """
    for name in (name for name in columns if name in frame):
        is_word = frame[name].isin({*(TRIALS.by_name[name].words or TRUTH)} - {"none"})
        unknown = frame[name][~is_word & frame[name].notna() & frame[name].ne("none")]
        if len(unknown) and frame[name][is_word].nunique() == 1:
            counts = unknown.value_counts()
            options = " ".join(f"--word {shlex.quote(f'{name}:{word}')}=MEANING" for word in counts.index[:2])
            options += "; if these are models, also --map model=COLUMN" * (name == "kind" and len(counts) > 1)
            only = frame[name][is_word].iloc[0]
            raise UserError(
                f"{where}: {listed_words(name, name, counts)}; the only known word is {only}; add {options}"
            )


def in_schema_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return enumerations in lower case, and true and false in the words of the schema; an empty response is `none`."""
    columns = {}
    for column in TRIALS.columns:
        if column.name in frame and (column.words or column.dtype == "bool"):
            plain = frame[column.name].str.strip().str.lower()
            if column.dtype == "bool":
                plain = plain.replace(TRUTH_WORDS | CORRECT_WORDS if column.name == "correct" else TRUTH_WORDS)
            columns[column.name] = plain.fillna("none") if column.name == "response" else plain
    return frame.assign(**columns)


def refuse_choice_by_outcome(
    rules: Sequence[str], foreign: pd.DataFrame, sources: Sources, words: Mapping[str, Mapping[str, str]], *, file: str
) -> None:
    """Refuse rules that drop judgements by their outcome; they may drop fillers and rows without an answer."""
    every = {name: sources.get(name, Source(name)) for name in OUTCOMES} | {GRADE: sources.get(GRADE)}
    outcomes = {source.column: name for name, source in every.items() if source}
    for text in rules:
        rule = parse_rule(text)
        outcome = outcomes.get(rule.column)
        if outcome is None:
            continue
        dropped = foreign.loc[~rule.holds(foreign, where=file), rule.column]
        meant = () if outcome == GRADE else TRIALS.by_name[outcome].words
        of_column = {name: meanings for name, meanings in words.items() if name == outcome}
        given, _ = without_missing_words(translated(pd.DataFrame({outcome: dropped}), of_column))
        cells = in_schema_words(given)[outcome]
        has_outcome = cells.isin([word for word in meant if word != "none"]) if meant else cells.notna()
        if has_outcome.any():
            raise UserError(
                f"{file}: --where {text}: drops {int(has_outcome.sum())} judgements by their outcome ({outcome}), so "
                "it would decide the answer; choose rows by another column, or say which are no answers: --word "
                f"'{outcome}:{dropped[has_outcome.to_numpy(bool)].iloc[0]}='"
            )
