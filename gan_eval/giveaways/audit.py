"""The audit: every clue, for every model of a stimulus set.

An audit as lines for people.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.giveaways.clues import CLUES, Facts, Group, files_of, groups_of
from gan_eval.giveaways.compare import Finding, Verdict, compare
from gan_eval.giveaways.file_facts import file_facts
from gan_eval.giveaways.pixel_facts import pixel_facts
from gan_eval.multiple_tests import holm
from gan_eval.stimuli.pictures import read_rgb
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tabular import Row


@dataclass(frozen=True)
class GroupAudit:
    """What the clues tell about one model on one data set."""

    group: Group
    findings: tuple[Finding, ...]
    """One for each clue, in the order of `clues.CLUES`."""

    @property
    def p(self) -> NDArray[np.float64]:
        """(clues,) of each clue's test; NaN where there is none."""
        tests = [None if found.separation is None else found.separation.p for found in self.findings]
        return np.array(tests, np.float64)

    @property
    def rows(self) -> list[Row]:
        """The rows of the table `giveaways`."""
        corrected = holm(self.p)
        return [
            {
                "dataset": self.group.dataset,
                "model": self.group.model,
                "clue": found.clue.name,
                "sort": found.clue.sort,
                "n_real": found.n_real,
                "n_fake": found.n_fake,
                "real": found.real or None,
                "fake": found.fake or None,
                "auc": found.separation.auc if found.separation else None,
                "ci_low": found.separation.low if found.separation else None,
                "ci_high": found.separation.high if found.separation else None,
                "certain": found.separation.certain if found.separation else None,
                "p": found.separation.p if found.separation else None,
                "p_holm": None if np.isnan(p_holm) else float(p_holm),
                "verdict": found.verdict,
                "reason": found.reason,
            }
            for found, p_holm in zip(self.findings, corrected, strict=True)
        ]


@dataclass(frozen=True)
class Audit:
    """What an audit found."""

    groups: tuple[GroupAudit, ...]
    problems: tuple[str, ...]
    """One line for each picture that could not be looked at."""

    @property
    def rows(self) -> list[Row]:
        """The table `giveaways`."""
        return [row for group in self.groups for row in group.rows]


def audit(sets: Sequence[StimulusSet], *, on_progress: Callable[[int, int], None] | None = None) -> Audit:
    """Compare real and generated pictures by every clue.

    Args:
        sets: one or several stimulus sets; models of one data set may share their real pictures.
        on_progress: called with (pictures looked at, pictures in all).

    Raises:
        UserError: there are no generated pictures, or no real ones of a data set.
    """
    groups = groups_of(row for stimuli in sets for row in stimuli.rows)
    where = ", ".join(str(stimuli.folder) for stimuli in sets)
    if not groups:
        raise UserError(f"{where}: no generated pictures; there is nothing to compare the real ones with")
    for group in groups:
        if not group.real:
            raise UserError(f"{where}: no real pictures of {group.dataset}; add them to the set")
    facts, problems = _look_at(files_of(sets), on_progress)
    return Audit(tuple(GroupAudit(group, _findings(group, facts)) for group in groups), tuple(problems))


def _look_at(
    files: dict[str, Path], on_progress: Callable[[int, int], None] | None
) -> tuple[dict[str, Facts], list[str]]:
    """The facts of each picture that can be read, and a line for each that cannot."""
    facts: dict[str, Facts] = {}
    problems: list[str] = []
    for done, (stimulus, file) in enumerate(files.items(), start=1):
        try:
            facts[stimulus] = {**file_facts(file), **pixel_facts(read_rgb(file))}
        except UserError as error:
            problems.append(str(error))
        if on_progress:
            on_progress(done, len(files))
    return facts, problems


def _findings(group: Group, facts: dict[str, Facts]) -> tuple[Finding, ...]:
    real, fake = ([facts[name] for name in each if name in facts] for each in (group.real, group.fake))
    return tuple(compare(clue, real, fake) for clue in CLUES.values())


_WORDS: dict[Verdict, str] = {"gives_away": "gives away", "look": "look", "ok": "ok"}


def summary_lines(audit: Audit) -> list[str]:
    """What was found, the most telling first: a head line for each model, and a line for each clue that tells."""
    lines = [f"left out: {problem}" for problem in audit.problems]
    for group in audit.groups:
        lines += [_head(group), *_telling(group)]
    if any(found.verdict == "gives_away" for group in audit.groups for found in group.findings):
        lines.append("what gives away can be evened out: gan-eval stimuli equalise SET --out SET2")
    return lines


def _head(group: GroupAudit) -> str:
    compared = int(np.isfinite(group.p).sum())
    beyond = int((holm(group.p) < 0.05).sum())
    return (
        f"{group.group.dataset}, {group.group.model}: {len(group.group.real)} real and {len(group.group.fake)} "
        f"generated pictures, {compared} clues compared, {beyond} beyond chance (Holm, 5 %)"
    )


def _telling(group: GroupAudit) -> Iterator[str]:
    for verdict in ("gives_away", "look"):
        found = [finding for finding in group.findings if finding.verdict == verdict]
        yield from (_line(finding) for finding in sorted(found, key=_closeness))


def _closeness(finding: Finding) -> float:
    return -abs(finding.separation.auc - 0.5) if finding.separation else 0.0


def _line(finding: Finding) -> str:
    separation, word = finding.separation, _WORDS[finding.verdict or "ok"]
    auc = f"AUC {separation.auc:.2f} ({separation.low:.2f} to {separation.high:.2f})" if separation else ""
    certain = f"; {separation.certain:.0%} told for sure" if separation and separation.certain else ""
    return f"  {word:10}  {finding.clue.name:16}  {auc}  real {finding.real}, fake {finding.fake}{certain}"
