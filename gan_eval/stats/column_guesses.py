"""Usual names of the columns of foreign tables, and usual words in them.

A guess is only suggested: a refusal prints it as part of a command, and the user decides.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from gan_eval.stats.trials import missing_answers
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import faults

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "participant": (
        "participant_id", "subject", "subject_id", "subject_nr", "worker", "worker_id", "prolific_id", "prolific_pid",
        "user", "user_id", "observer", "observer_id", "rater", "annotator", "person", "pid",
    ),
    "stimulus": (
        "stimulus_id", "stim", "stim_id", "image", "image_id", "image_name", "image_file", "img", "picture", "filename",
        "file_name", "file", "photo",
    ),
    "kind": (
        "truth", "ground_truth", "true_label", "is_fake", "is_real", "is_generated", "label", "correct_answer",
        "condition", "class", "type",
    ),
    "response": ("resp", "answer", "judgement", "judgment", "decision", "choice", "guess", "prediction"),
    "model": ("generator", "gan", "method"),
    "dataset": ("data_set",),
    "reaction_time_ms": (
        "reaction_time", "rt", "rt_ms", "rt_s", "response_time", "response_time_ms", "response_time_s", "latency",
    ),
}  # fmt: skip
"""Other names of our columns, in lower case; those on the left come first."""
USUAL_WORDS: dict[str, dict[str, str]] = {
    "kind": dict.fromkeys(("photo", "photograph", "natural", "authentic", "original", "human"), "real")
    | dict.fromkeys(("generated", "synthetic", "gan", "ai", "artificial"), "fake"),
    "phase": {"test": "main", "experiment": "main", "training": "practice", "attention": "catch"},
}
USUAL_WORDS["response"] = USUAL_WORDS["kind"] | dict.fromkeys(("na", "nan", "null", "timeout"), "none")
YES, NO = ("1", "true", "yes"), ("0", "false", "no")
"""Words of a column such as `is_fake`."""


class Suggestion(NamedTuple):
    """Arguments of `import_trials` to try."""

    mapping: dict[str, str]
    """`COLUMN` stands for a column that must be there and has no usual name."""
    words: dict[str, dict[str, str]]


def suggest(
    foreign: pd.DataFrame,
    mapping: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
) -> Suggestion:
    """Guess the columns and words of a table; given ones stay.

    Args:
        foreign: the table, every cell as text.
        mapping: known columns and expressions, by our column.
        words: known words, by our column.
        sources: the foreign columns of `mapping`, by our column.
    """
    others = misfits(foreign)
    by_name = {_plain(name): name for name in reversed(foreign.columns) if name not in sources.values()}
    required = missing_answers(foreign.drop(columns=list(others)))
    found, columns = dict(mapping), dict(sources)
    for target, usual in USUAL_NAMES.items():
        if target in mapping or target in foreign:
            columns.setdefault(target, target)
            continue
        column = next((by_name[name] for name in (target, *usual) if name in by_name), None)
        if column is not None:
            columns[target] = column
            in_seconds = target == "reaction_time_ms" and _plain(column).endswith("_s")
            found[target] = f"{column}*1000" if in_seconds else column
        elif target in required:
            found[target] = "COLUMN"
    found |= dict.fromkeys(others - {*columns.values()} - mapping.keys(), "")
    meant = {name: dict(meanings) for name, meanings in words.items()}
    for target in USUAL_WORDS:
        if columns.get(target, target) in foreign:
            guessed = guessed_words(target, columns.get(target, target), foreign)
            meant[target] = guessed | meant.get(target, {})
    return Suggestion(found, {name: meanings for name, meanings in meant.items() if meanings})


def guessed_words(target: str, column: str, foreign: pd.DataFrame) -> dict[str, str]:
    """Return the meaning of each usual word of a column that is not one of ours.

    >>> guessed_words("kind", "is_fake", pd.DataFrame({"is_fake": ["1", "0", "GAN"]}))
    {'1': 'fake', '0': 'real', 'gan': 'fake'}
    """
    usual = USUAL_WORDS[target]
    if name := re.fullmatch(r"is_(real|fake|generated)", _plain(column)):
        yes, no = ("real", "fake") if name[1] == "real" else ("fake", "real")
        usual = usual | dict.fromkeys(YES, yes) | dict.fromkeys(NO, no)
    words = foreign[column].dropna().str.strip().str.lower().unique()
    return {word: usual[word] for word in words if word in usual}


def misfits(foreign: pd.DataFrame) -> set[str]:
    """Return which of the columns `choice` and `rating` hold something else than a choice or a grade in every cell."""
    found = set()
    for name in ("choice", "rating"):
        if name in foreign:
            cells = foreign[[name]].dropna().apply(lambda series: series.str.strip().str.lower())
            if len(cells) and len(faults(cells, TRIALS)) == len(cells):
                found.add(name)
    return found


def _plain(name: str) -> str:
    """A column's name in lower case with underscores: `participantId` and `Participant.ID` are one."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
