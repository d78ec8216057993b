"""The audit: every clue, for every model of a stimulus set; as a table and as messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.giveaways.clues import CLUES, Facts, Group, files_of, groups_of
from gan_eval.giveaways.compare import Finding, compare
from gan_eval.giveaways.file_facts import file_facts
from gan_eval.giveaways.pixel_facts import pixel_facts
from gan_eval.multiple_tests import holm
from gan_eval.stimuli.pictures import read_rgb
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.tabular import Row


@dataclass(frozen=True)
class GroupAudit:
    """The findings about one model on one data set."""

    group: Group
    findings: tuple[Finding, ...]
    """One for each clue, in the order of `clues.CLUES`."""

    @property
    def p(self) -> NDArray[np.float64]:
        """(clues,) of each clue's test; NaN where there is none."""
        p = [None if finding.separation is None else finding.separation.p for finding in self.findings]
        return np.array(p, np.float64)

    @property
    def rows(self) -> list[Row]:
        """The rows of the table `giveaways`."""
        corrected = holm(self.p)
        return [
            {
                "dataset": self.group.dataset,
                "model": self.group.model,
                "clue": finding.clue.name,
                "sort": finding.clue.sort,
                "n_real": finding.n_real,
                "n_fake": finding.n_fake,
                "real": finding.real or None,
                "fake": finding.fake or None,
                "auc": finding.separation.auc if finding.separation else None,
                "ci_low": finding.separation.low if finding.separation else None,
                "ci_high": finding.separation.high if finding.separation else None,
                "certain": finding.separation.certain if finding.separation else None,
                "p": finding.separation.p if finding.separation else None,
                "p_holm": None if np.isnan(p_holm) else float(p_holm),
                "verdict": finding.verdict,
                "reason": finding.reason,
            }
            for finding, p_holm in zip(self.findings, corrected, strict=True)
        ]


@dataclass(frozen=True)
class Audit:
    """The result of an audit."""

    groups: tuple[GroupAudit, ...]
    problems: tuple[str, ...]
    """A message for each picture that could not be read."""

    @property
    def rows(self) -> list[Row]:
        """The table `giveaways`."""
        return [row for group in self.groups for row in group.rows]


def audit(sets: Sequence[StimulusSet], *, on_progress: Callable[[int, int], None] | None = None) -> Audit:
    """Compare real and generated pictures by every clue.

    Args:
        sets: one or several stimulus sets; models of one data set may share their real pictures.
        on_progress: called with (pictures read, pictures in all).

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
    facts: dict[str, Facts] = {}
    problems: list[str] = []
    files = files_of(sets)
    for done, (stimulus, file) in enumerate(files.items(), start=1):
        try:
            facts[stimulus] = {**file_facts(file), **pixel_facts(read_rgb(file))}
        except UserError as error:
            problems.append(str(error))
        if on_progress:
            on_progress(done, len(files))
    audits = []
    for group in groups:
        real, fake = ([facts[name] for name in names if name in facts] for names in (group.real, group.fake))
        audits.append(GroupAudit(group, tuple(compare(clue, real, fake) for clue in CLUES.values())))
    return Audit(tuple(audits), tuple(problems))


def summary_lines(audit: Audit) -> list[str]:
    """The most telling clues first: a headline for each model, and a line for each clue that separates."""
    lines = [f"left out: {problem}" for problem in audit.problems]
    for group in audit.groups:
        compared = int(np.isfinite(group.p).sum())
        significant = int((holm(group.p) < 0.05).sum())
        lines.append(
            f"{group.group.dataset}, {group.group.model}: {len(group.group.real)} real and {len(group.group.fake)} "
            f"generated pictures, {compared} clues compared, {significant} beyond chance (Holm, 5 %)"
        )
        for verdict, label in (("gives_away", "gives away"), ("look", "look")):
            separated = [
                (finding, finding.separation)
                for finding in group.findings
                if finding.verdict == verdict and finding.separation is not None
            ]
            for finding, separation in sorted(separated, key=lambda pair: -abs(pair[1].auc - 0.5)):
                auc = f"AUC {separation.auc:.2f} ({separation.low:.2f} to {separation.high:.2f})"
                certain = f"; {separation.certain:.0%} told for sure" if separation.certain else ""
                values = f"real {finding.real}, fake {finding.fake}"
                lines.append(f"  {label:10}  {finding.clue.name:16}  {auc}  {values}{certain}")
    if any(finding.verdict == "gives_away" for group in audit.groups for finding in group.findings):
        lines.append("what gives away can be evened out: gan-eval stimuli equalise SET --out SET2")
    return lines
