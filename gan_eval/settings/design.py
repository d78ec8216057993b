"""A study's design: the settings that decide what participants see, and the exclusions.

Sessions of two designs are never mixed in a store. Keys that are not in the file have their default; if a later version
changes a default, the design changes. A test checks all keys; `packaging/settings_reference.py` gives the reason for
each key that is not here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gan_eval.files.digests import sha256_json
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.words import differences
from gan_eval.tables.frames import Row

IN_DESIGN: Mapping[str, tuple[str, ...]] = {
    "study": ("name", "version", "seed"),
    "quiz": (
        "protocol", "real", "fake", "pairs", "pairs_of", "show_caption", "question",
        "exposure_ms", "exposures_ms", "response_ms", "blank_ms",
        "fixation_mark", "response_cue", "layout", "gap_ms", "picture_size", "viewing_distance_cm", "screen_width_cm",
        "mask", "mask_ms",
        "staircase", "confidence", "grades", "marks", "marks_after", "marks_ms", "mark_question",
        "practice", "feedback_ms", "catch", "break_every", "keys",
        "counterbalance_keys", "corner_patch", "language", "quiz_title", "instructions", "consent", "questions",
    ),
    "analysis": ("exclude", "exclude_participants"),
}  # fmt: skip
"""The keys of the design. Exclusions belong to it because they are fixed before the first answer."""

_HAS_EFFECT: Mapping[str, Callable[[QuizSettings], bool]] = {
    "real": lambda quiz: not quiz.shows_pairs,
    "fake": lambda quiz: not quiz.shows_pairs,
    "pairs": lambda quiz: quiz.shows_pairs,
    "pairs_of": lambda quiz: quiz.pairs_of == "random",
    "show_caption": lambda quiz: quiz.show_caption,
    "question": lambda quiz: quiz.question != "real",
    "layout": lambda quiz: quiz.shows_pairs,
    "gap_ms": lambda quiz: quiz.shows_pairs and quiz.layout == "one_after_other",
    "exposure_ms": lambda quiz: not quiz.exposures_ms and quiz.protocol not in ADAPTIVE_PROTOCOLS,
    "viewing_distance_cm": lambda quiz: quiz.picture_degrees is not None,
    "screen_width_cm": lambda quiz: quiz.picture_degrees is not None,
    "mask_ms": lambda quiz: quiz.mask != "none",
    "staircase": lambda quiz: quiz.protocol in ADAPTIVE_PROTOCOLS,
    "grades": lambda quiz: quiz.protocol == "rating",
    **dict.fromkeys(("marks", "marks_after", "marks_ms", "mark_question"), lambda quiz: quiz.marks > 0),
    "feedback_ms": lambda quiz: quiz.practice > 0,
}
"""Conditions for keys that have an effect only with certain other settings of the quiz."""

_OF_PICTURES = ("stimulus", "item", "kind", "model", "dataset", "sha256")
"""Columns of a stimulus that decide what is shown and to whom."""


def quiz_design(quiz: QuizSettings) -> dict[str, Any]:
    """Return the part of a design that `[quiz]` decides: the values of all keys that have an effect."""
    values = quiz.model_dump(mode="json")
    return {key: values[key] for key in IN_DESIGN["quiz"] if _HAS_EFFECT.get(key, lambda _: True)(quiz)}


def pictures_hash(stimuli: Iterable[Row], *, captions: bool = False) -> str:
    """Return the SHA-256 over the pictures that can be shown and their meaning, without the paths of their files.

    `captions`: and over their captions, which are shown too.
    """
    names = (*_OF_PICTURES, "caption") if captions else _OF_PICTURES
    return sha256_json(sorted({tuple(row.get(name) or "" for name in names) for row in stimuli}))


def design_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the differences between two designs, with old and new values (without values for pictures).

    >>> design_changes({"quiz": {"real": 20}, "pictures": {"shown": "a"}}, {"quiz": {"real": 25}, "pictures": {}})
    'quiz.real was 20, is 25; pictures.shown is gone'
    """
    settings = ({key: value for key, value in design.items() if key != "pictures"} for design in (old, new))
    pictures = (design.get("pictures", {}) for design in (old, new))
    changes = [*differences(*settings), *differences(*pictures, where="pictures", short=True)]
    return "; ".join([*changes[:6], *([f"and {len(changes) - 6} more"] if len(changes) > 6 else [])])
