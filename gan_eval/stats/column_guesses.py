"""What the columns and words of a foreign table of judgements mean, guessed by the names that are usual.

A guess is only ever suggested: it becomes part of the command that a refusal prints, and whoever copies that sees it.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from gan_eval.stats.trials import missing_answers, sessions_of
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import faults

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "participant": (
        "participant_id", "participantid", "participant_nr", "subject", "subject_id", "subjectid", "subject_nr", "subj",
        "subj_id", "sub", "sub_id", "worker", "worker_id", "workerid", "prolific_id", "prolific_pid", "user",
        "user_id", "userid", "observer", "observer_id", "rater", "rater_id", "respondent", "respondent_id",
        "annotator", "annotator_id", "judge", "person", "viewer", "ppt", "pid", "vp", "who", "id",
        "versuchsperson", "proband",
    ),
    "stimulus": (
        "stimulus_id", "stimulus_name", "stimulus_file", "stim", "stim_id", "stim_file", "image", "image_id",
        "image_name", "image_file", "image_path", "img", "img_id", "picture", "picture_id", "pic", "filename",
        "file_name", "file", "path", "url", "photo", "sample", "sample_id", "item",
        "bild", "datei",
    ),
    "kind": (
        "truth", "true_label", "ground_truth", "groundtruth", "gt", "is_fake", "fake", "is_real", "real",
        "is_generated", "generated", "is_ai", "is_synthetic", "label", "target", "correct_answer", "correct_response",
        "corr_ans", "authenticity", "condition", "category", "class", "image_type", "stimulus_type", "type", "source",
        "origin", "model", "generator", "method", "wahrheit", "art",
    ),
    "response": (
        "resp", "answer", "ans", "judgement", "judgment", "judged", "decision", "choice", "said", "says", "verdict",
        "reply", "response_label", "key_resp_keys", "prediction", "predicted", "guess", "vote", "rating", "called",
        "antwort", "urteil",
    ),
    "item": ("item_id", "scene", "scene_id", "source_image", "pair_id", "photo_id"),
    "model": ("generator", "gan", "network", "method", "algorithm", "architecture", "model_name"),
    "dataset": ("data_set", "dataset_name", "database"),
    "reaction_time_ms": (
        "reaction_time", "rt", "rt_ms", "rt_s", "rt_sec", "rt_secs", "rt_seconds", "reaction_time_s",
        "reaction_time_sec", "response_time", "response_time_ms", "response_time_s", "resp_time", "latency",
        "latency_ms", "latency_s", "time_taken", "answer_time", "key_resp_rt", "elapsed", "duration_s", "reaktionszeit",
        "reaktionszeit_s", "reaktionszeit_ms",
    ),
}  # fmt: skip
"""By our column, what others call it in lower case, the most telling first; a column of our own name goes before."""
GUESSED = ("kind", "response", "phase")
"""Our columns whose words are guessed."""
_REAL = {
    "real", "photo", "photos", "photograph", "photographs", "photographic", "natural", "nature", "human", "authentic",
    "genuine", "original", "camera", "true", "actual", "r", "echt",
}  # fmt: skip
_FAKE = {
    "fake", "generated", "synthetic", "synthesized", "synthesised", "synth", "gan", "ai", "artificial", "computer",
    "machine", "cg", "cgi", "deepfake", "diffusion", "manipulated", "false", "f", "g", "ki", "falsch", "unreal",
}  # fmt: skip
_NOT = {"not", "no", "non"}
_YES, _NO = {"1", "1.0", "true", "t", "yes", "y"}, {"0", "0.0", "false", "f", "no", "n"}
_NONE = {"na", "n/a", "nan", "null", "none", "-", "timeout", "missed", "miss", "no response", "no_response", "too slow"}
_UNSURE = {"dunno", "don't know", "dont know", "unsure", "not sure", "other", "both", "neither", "?"}
_PHASES = {
    "test": "main", "experiment": "main", "experimental": "main", "training": "practice", "train": "practice",
    "attention": "catch",
}  # fmt: skip
_OPPOSITE = {"real": "fake", "fake": "real"}
_ALSO = {"stimulus": {"item"}, "kind": {"model"}}
"""Columns of our own names that hold something else where the one that must be there is missing."""
_MOST_MODELS = 20
"""So many words beside one for the reals are names of models; more are something else."""
_LARGEST_S = 60.0
"""Reaction times with a median up to here are seconds: nobody answers within 60 ms."""


class Suggestion(NamedTuple):
    """What `import_trials` may be given for a table."""

    mapping: dict[str, str]
    words: dict[str, dict[str, str]]
    remarks: list[str]
    """What was guessed without a name that tells it, and what could not be guessed."""


class _Meanings(NamedTuple):
    """What the words of a column may mean."""

    words: dict[str, str]
    """Ours by theirs, without those that are ours already."""
    unknown: list[str]
    remark: str = ""


def suggest(
    foreign: pd.DataFrame,
    mapping: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
) -> Suggestion:
    """What a table's columns and words may mean; what is given already stays.

    Args:
        foreign: the table, every cell as text, an empty one missing.
        mapping: what is mapped already, by our column.
        words: what words mean already.
        sources: the foreign columns of `mapping`, by our column.
    """
    found = dict(mapping)
    meant = {name: dict(meanings) for name, meanings in words.items()}
    remarks: list[str] = []
    columns = {name: column for name, column in sources.items() if column}
    unfit = misfits(foreign, meant) - mapping.keys()
    # pairs and grades need neither kind nor response
    required = missing_answers(
        foreign[[name for name in ("choice", "rating") if name in foreign and name not in unfit]]
    )
    for target in USUAL_NAMES:
        if target in mapping:
            continue
        if target in foreign and (target not in unfit or target in ("kind", "response")):
            columns[target] = target
            continue
        ours = {*TRIALS.names} - unfit - _ALSO.get(target, set())
        free = [str(name) for name in foreign if name not in columns.values() and name not in ours]
        column = _column_for(target, foreign, free, columns)
        if column is None:
            if target in required:
                remarks.append(f"nothing looks like {target}: put its column in place of COLUMN")
                found[target] = "COLUMN"
            continue
        columns[target] = column
        found[target] = column
        if target == "reaction_time_ms":
            factor, remark = _unit(column, foreign[column])
            found[target] = f"{column}{factor}"
            remarks.append(remark)
    for target in GUESSED:
        source = columns.get(target, target)
        if source not in foreign:
            continue
        guess = _meanings(target, source, foreign[source], meant.get(target, {}))
        guess = _with_the_other_word(target, source, foreign[source], guess)
        meant[target] = meant.get(target, {}) | guess.words
        remarks += [guess.remark] if guess.remark else []
        of_models = target == "kind" and _names_models(guess)
        if target == "kind" and (of_models or _plain(source) in ("model", *USUAL_NAMES["model"])):
            meant[target] |= dict.fromkeys(guess.unknown, "fake")
            remarks.append(f"{source}: whatever is not real is taken for a model's name")
            if columns.get("model", source) == source and "model" not in mapping:
                found["model"] = columns["model"] = source
        elif guess.unknown:
            some, rest = ", ".join(guess.unknown[:5]), len(guess.unknown) - 5
            some += f" and {rest} others" if rest > 0 else ""
            remarks.append(f"{some} in {source}: say what it means with --word {target}:WORD=...")
    if "model" in columns and "model" not in mapping:
        reals = [word for word in _distinct(foreign[columns["model"]]) if _sense(word) == "real" or word in _NONE]
        meant["model"] = dict.fromkeys(reals, "") | meant.get("model", {})
    for name in sorted(unfit - set(columns.values()) - {"phase"}):
        found[name] = ""
        remarks.append(f"{name}: no cell of it fits our column of that name, which is left empty")
    if "trial" in foreign and not {"trial", "participant"} & unfit and "trial" not in mapping:
        named = {name: foreign[columns[name]] for name in ("participant",) if columns.get(name) in foreign}
        if named:
            key = pd.DataFrame({"session": sessions_of(foreign.assign(**named)), "trial": foreign["trial"]}).dropna()
            if key.duplicated().mean() > 0.1:
                found["trial"] = ""
                remarks.append("trial: counts anew within a session, so the rows' order is taken")
    return Suggestion(found, {name: meanings for name, meanings in meant.items() if meanings}, remarks)


def guessed_words(target: str, cells: pd.Series) -> dict[str, str]:
    """What unknown words of a column of ours may mean, by the word; those that cannot be guessed are not in it.

    >>> guessed_words("kind", pd.Series(["GAN", "photograph", "dunno"]))
    {'gan': 'fake', 'photograph': 'real'}
    """
    return _meanings(target, target, cells, {}).words


def _column_for(target: str, foreign: pd.DataFrame, free: list[str], columns: Mapping[str, str]) -> str | None:
    """The free column that is most likely ours: by name; kind and response also by what is in them."""
    by_name = {_plain(name): name for name in reversed(free)}
    candidates = [by_name[usual] for usual in (target, *USUAL_NAMES[target]) if usual in by_name]
    if target == "reaction_time_ms":
        numbers = ((name, pd.to_numeric(foreign[name].dropna(), errors="coerce")) for name in candidates)
        return next((name for name, cells in numbers if cells.notna().mean() >= 0.9), None)
    if target not in ("kind", "response"):
        return next((name for name in candidates if foreign[name].notna().any()), None)
    if target == "kind" and "stimulus" in columns:  # a picture's truth does not change from row to row
        pictures = foreign.groupby(foreign[columns["stimulus"]])
        constant = {name for name in free if pictures[name].nunique().le(1).all()}
        candidates = [name for name in candidates if name in constant] or candidates
        free = [name for name in free if name in constant]
    guesses = {
        name: _with_the_other_word(target, name, foreign[name], _meanings(target, name, foreign[name], {}))
        for name in dict.fromkeys((*candidates, *free))
    }
    for name in candidates:
        if not guesses[name].unknown and foreign[name].notna().any():
            return name
    if target == "kind" and (models := [name for name in candidates if _names_models(guesses[name])]):
        return models[0]
    telling = [name for name in free if not guesses[name].unknown and guesses[name].words and not guesses[name].remark]
    by_words = [name for name in telling if _plain(name) not in ("model", *USUAL_NAMES["model"])]
    return next(iter((*by_words, *candidates) if target == "kind" else (*candidates, *by_words)), None)


def _meanings(target: str, column: str, cells: pd.Series, known: Mapping[str, str]) -> _Meanings:
    """What the words of a column mean as our kind, response or phase."""
    ours = TRIALS.by_name[target].words
    given = {word.strip().lower() for word in known}
    every = _distinct(cells)
    words = [word for word in every if word not in ours and word not in given]
    if target == "phase":
        return _Meanings(
            {word: _PHASES[word] for word in words if word in _PHASES}, [word for word in words if word not in _PHASES]
        )
    found: dict[str, str] = {}
    remark = ""
    if words and set(words) <= _YES | _NO | (_NONE if target == "response" else set()):
        sense = _sense(_plain(column))
        yes = sense or ("real" if "true" in words else "fake")
        found = {word: yes if word in _YES else _OPPOSITE[yes] for word in words if word in _YES | _NO}
        if not sense:
            remark = f"{column}: {', '.join(f'{word} is taken for {meaning}' for word, meaning in found.items())}"
    if target == "response":
        found |= {word: "none" for word in words if word in _NONE}
    found |= {word: sense for word in words if word not in found and (sense := _sense(word))}
    return _Meanings(found, [word for word in words if word not in found], remark)


def _with_the_other_word(target: str, column: str, cells: pd.Series, guess: _Meanings) -> _Meanings:
    """Of a column of two words, one of which is known: the other is its opposite."""
    words = _distinct(cells)
    known = [guess.words.get(word, word) for word in words if word not in guess.unknown]
    if target == "phase" or len(words) != 2 or len(known) != 1 or known[0] not in _OPPOSITE:
        return guess
    (other,) = guess.unknown
    if other in _UNSURE:
        return guess
    meaning = _OPPOSITE[known[0]]
    return _Meanings(
        guess.words | {other: meaning}, [], f"{column}: {other} is taken for {meaning}, as the only other word"
    )


def _sense(word: str) -> str:
    """Real or fake, where a word or a part of it says so; else empty."""
    parts = set(re.split(r"[^a-z0-9]+", word.lower())) - {""}
    if re.match(r"^(style|cycle|pro|big)?gan\d*$|^pix2pix(hd)?$", word.lower()):
        parts.add("fake")
    real, fake = bool(parts & _REAL), bool(parts & _FAKE)
    if real == fake:
        return ""
    sense = "real" if real else "fake"
    return _OPPOSITE[sense] if parts & _NOT else sense


def _names_models(guess: _Meanings) -> bool:
    """Whether a column holds one word for the reals, and models' names."""
    return "fake" not in guess.words.values() and 1 <= len(guess.unknown) <= _MOST_MODELS


def misfits(foreign: pd.DataFrame, words: Mapping[str, Mapping[str, str]]) -> set[str]:
    """The columns with a name of ours that hold something else in every cell."""
    found = set()
    for column in TRIALS.columns:
        if column.name not in foreign or column.name in words:
            continue
        cells = foreign[[column.name]].dropna()
        if column.words:
            cells = cells.apply(lambda series: series.str.strip().str.lower())
        if len(cells) and len(faults(cells, TRIALS)) == len(cells):
            found.add(column.name)
    return found


def _unit(column: str, cells: pd.Series) -> tuple[str, str]:
    """What makes a column's times milliseconds, and why."""
    parts = set(_plain(column).split("_"))
    if parts & {"ms", "msec", "millis", "milliseconds"}:
        return "", f"{column} is in milliseconds by its name"
    if parts & {"s", "sec", "secs", "second", "seconds"}:
        return "*1000", f"{column} is in seconds by its name"
    median = float(pd.to_numeric(cells, errors="coerce").median())
    unit = "seconds" if median <= _LARGEST_S else "milliseconds"
    return "*1000" if unit == "seconds" else "", f"{column} is taken for {unit}: its median is {median:g}"


def _distinct(cells: pd.Series) -> list[str]:
    """The words of a column in lower case."""
    return [str(word) for word in cells.dropna().str.strip().str.lower().unique()]


def _plain(name: str) -> str:
    """A column's name in lower case with underscores: `participantId` and `Participant.ID` are one."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
