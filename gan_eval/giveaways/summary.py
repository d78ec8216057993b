"""An audit as lines for people."""

from collections.abc import Iterator

import numpy as np

from gan_eval.giveaways.audit import Audit, GroupAudit
from gan_eval.giveaways.compare import Finding, Verdict
from gan_eval.multiple_tests import holm

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
