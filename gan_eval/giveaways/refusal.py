"""The quiz's guard: no session begins on stimuli whose files tell the truth, unless the study allows it."""

from collections.abc import Sequence
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.giveaways.clues import CLUES, METADATA_CLUES, Clue, Facts, Group, files_of, folder_of, groups_of
from gan_eval.giveaways.compare import Finding, compare
from gan_eval.giveaways.file_facts import file_facts
from gan_eval.stimuli.sets import StimulusSet


def require_no_giveaways(sets: Sequence[StimulusSet], *, allow: Sequence[str]) -> None:
    """Refuse stimuli that metadata tells apart; headers alone are read, of every file of the pool.

    A file that is gone or broken is passed over here: the session's own check of what it shows names it.

    Args:
        sets: where stimuli are drawn from.
        allow: names of clues that may tell the truth; `quiz.allow_giveaways` of the study.

    Raises:
        UserError: a clue gives the truth away, or `allow` names what is no metadata clue.
    """
    looked_at = _clues_but(allow)
    files = files_of(sets)
    facts = _facts_of(files)
    telling: dict[Group, list[Finding]] = {}
    for group in groups_of(row for stimuli in sets for row in stimuli.rows):
        real, fake = ([facts[name] for name in each if name in facts] for each in (group.real, group.fake))
        found = (compare(clue, real, fake, test=False) for clue in looked_at)
        telling[group] = [finding for finding in found if finding.verdict == "gives_away"]
    for group, findings in telling.items():
        if findings:
            names = dict.fromkeys([*allow, *(each.clue.name for others in telling.values() for each in others)])
            raise UserError(_refusal(group, findings, folder_of(files[group.fake[0]]), list(names)))


def require_known_clues(names: Sequence[str], *, named: str) -> None:
    """
    Args:
        names: of clues that may tell the truth.
        named: the setting or the option that names them.

    Raises:
        UserError: one of them is no metadata clue.
    """
    known = [clue.name for clue in METADATA_CLUES]
    for name in names:
        if name not in known:
            what = "is never refused" if name in CLUES else "is no clue of `gan-eval stimuli audit`"
            raise UserError(f"{named}: {name!r} {what}; known: {', '.join(known)}")


def _clues_but(allow: Sequence[str]) -> list[Clue]:
    require_known_clues(allow, named="quiz.allow_giveaways")
    return [clue for clue in METADATA_CLUES if clue.name not in allow]


def _facts_of(files: dict[str, Path]) -> dict[str, Facts]:
    facts: dict[str, Facts] = {}
    for stimulus, file in files.items():
        try:
            facts[stimulus] = file_facts(file)
        except UserError:
            continue
    return facts


def _refusal(group: Group, findings: Sequence[Finding], folder: Path, allow: Sequence[str]) -> str:
    clues = "; ".join(f"{found.clue.name} (real {found.real}, fake {found.fake})" for found in findings)
    names, listed = ", ".join(f'"{name}"' for name in allow), ",".join(allow)
    return (
        f"{folder}: real and {group.model}'s pictures can be told apart without a look at them, by {clues}; "
        f"bring both to one form with `gan-eval stimuli equalise {folder} --out {folder}-equal`, "
        f"or allow it: --allow-giveaways {listed}, in a study quiz.allow_giveaways = [{names}]"
    )
