"""Words of another program's table: translate them into those of the schema, name the unknown ones."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.stats.contradictions import Source, Sources
from gan_eval.stats.exclusions import column_named, parse_rule
from gan_eval.stats.importing.rejections import ENUMERATIONS, MAX_WORDS
from gan_eval.stats.trials import OUTCOMES, REQUIRED
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import faults


def in_schema_words(frame: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return enumerations in lower case and in the words of the schema; an empty response is `none`."""
    frame = frame.copy()
    for name, meanings in words.items():
        column = column_named(name, frame, where="--word")
        translations = {foreign.strip().lower(): meaning or None for foreign, meaning in meanings.items()}
        plain = frame[column].str.strip().str.lower()
        frame[column] = frame[column].mask(plain.isin(list(translations)), plain.map(translations))
    for enumeration in TRIALS.columns:
        if enumeration.words and enumeration.name in frame:
            frame[enumeration.name] = frame[enumeration.name].str.strip().str.lower()
    if "response" in frame:
        frame["response"] = frame["response"].fillna("none")
    return frame


def misfits(foreign: pd.DataFrame) -> set[str]:
    """Return those of the columns `choice` and `rating` in which no cell is a choice or a grade."""
    found = set()
    for name in ("choice", "rating"):
        if name in foreign:
            cells = foreign[[name]].dropna().apply(lambda series: series.str.strip().str.lower())
            if len(cells) and len(faults(cells, TRIALS)) == len(cells):
                found.add(name)
    return found


def foreign_table_error(
    file: Path, problem: str, foreign: pd.DataFrame, known: Sources, words: Mapping[str, Mapping[str, str]]
) -> UserError:
    """Return the error with the file's unknown words and the options that name columns and words."""
    findings = [f"{file}: {problem}"]
    options = [f"--map {name}=COLUMN" for name in REQUIRED if name not in foreign and name not in known]
    for name in ENUMERATIONS:
        source = known.get(name, Source(name))
        if source and source.column in foreign:
            meant = {*TRIALS.by_name[name].words, *(word.strip().lower() for word in words.get(name, {}))}
            cells = foreign[source.column].dropna().str.strip()
            counts = cells[~cells.str.lower().isin(meant)].value_counts()
            if len(counts):
                listed = ", ".join(f"{word} {count}" for word, count in counts.head(MAX_WORDS).items())
                more = f" and {len(counts) - MAX_WORDS} others" if len(counts) > MAX_WORDS else ""
                findings.append(f"not known in {source.column} ({name}): {listed}{more}")
                options.append(f"--word {shlex.quote(f'{name}:{counts.index[0]}')}=MEANING")
    if options:
        each = " (an option for each word)" if "--word" in options[-1] else ""
        command = f"name them with: gan-eval trials import {shlex.quote(str(file))} {{}} --out trials.csv"
        findings.append(("add {}" if known else command).format(" ".join(options)) + each)
    return UserError("; ".join(findings))


def refuse_choice_by_outcome(
    rules: Sequence[str],
    foreign: pd.DataFrame,
    known: Sources,
    words: Mapping[str, Mapping[str, str]],
    *,
    file: str,
) -> None:
    """Refuse rules that drop judgements by their outcome; they may drop fillers and rows without an answer."""
    sources = {name: known.get(name, Source(name)) for name in OUTCOMES}
    outcomes = {source.column: name for name, source in sources.items() if source}
    for text in rules:
        rule = parse_rule(text)
        outcome = outcomes.get(rule.column)
        if outcome is None:
            continue
        dropped = foreign.loc[~rule.holds(foreign, where=file), rule.column]
        meant = TRIALS.by_name[outcome].words
        of_column = {name: meanings for name, meanings in words.items() if name == outcome}
        cells = in_schema_words(pd.DataFrame({outcome: dropped}), of_column)[outcome]
        judged = cells.isin([word for word in meant if word != "none"]) if meant else cells.notna()
        if judged.any():
            raise UserError(
                f"{file}: --where {text}: drops {int(judged.sum())} judgements by their outcome ({outcome}), so "
                "it would decide the answer; choose rows by another column"
            )
