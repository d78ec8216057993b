"""Refuse sessions with stimuli whose files give the truth away, unless the study allows it."""

from collections.abc import Sequence
from contextlib import suppress

from gan_eval.base.errors import UserError
from gan_eval.pictures.clues import (
    IDENTICAL,
    METADATA_CLUES,
    Facts,
    Group,
    equalise_command,
    file_facts,
    files_of,
    folder_of,
    groups_of,
)
from gan_eval.pictures.compare import Finding, compare
from gan_eval.pictures.sets import StimulusSet, identical_pictures


def require_no_identical(sets: Sequence[StimulusSet], *, allow: Sequence[str]) -> None:
    """Refuse generated pictures that are real ones, byte for byte, in the same set or in another.

    Raises:
        UserError: there are such pictures, and `allow` does not name `identical`.
    """
    problem = identical_pictures(row for stimuli in sets for row in stimuli.rows)
    if problem and IDENTICAL not in allow:
        raise UserError(f"{problem}; no answer can be correct: replace them, or {_allowing([*allow, IDENTICAL])}")


def _allowing(names: Sequence[str]) -> str:
    """Return the end of a message: the options that allow these clues."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"allow it: --allow-giveaways {','.join(names)}, in a study quiz.allow_giveaways = [{quoted}]"


def require_no_giveaways(sets: Sequence[StimulusSet], *, allow: Sequence[str]) -> None:
    """Refuse stimuli whose metadata separate the classes; only the headers of the pool's files are read.

    A missing or damaged file is ignored here; the session checks the pictures that it shows.

    Args:
        sets: the sets that stimuli are drawn from.
        allow: names of allowed clues; `quiz.allow_giveaways` of the study.
    """
    clues = [clue for clue in METADATA_CLUES if clue.name not in allow]
    files = files_of(sets)
    facts: dict[str, Facts] = {}
    for stimulus, file in files.items():
        with suppress(UserError):
            facts[stimulus] = file_facts(file)
    separating: dict[Group, list[Finding]] = {}
    for group in groups_of(row for stimuli in sets for row in stimuli.rows):
        real, fake = ([facts[name] for name in names if name in facts] for names in (group.real, group.fake))
        compared = (compare(clue, real, fake) for clue in clues)
        separating[group] = [finding for finding in compared if finding.verdict == "gives_away"]
    names = dict.fromkeys([*allow, *(finding.clue.name for findings in separating.values() for finding in findings)])
    for group, findings in separating.items():
        if findings:
            folder = folder_of(files[group.fake[0]])
            rows = [row for stimuli in sets for row in stimuli.rows if folder_of(files[row["stimulus"]]) == folder]
            by = "; ".join(f"{finding.clue.name} (real {finding.real}, fake {finding.fake})" for finding in findings)
            raise UserError(
                f"{folder}: real and {group.model}'s pictures differ in {by}, which reveals the fakes; "
                f"bring both to one form with `{equalise_command(folder, rows)}`, "
                f"or {_allowing(list(names))}"
            )
