"""One clue over the real and the generated pictures of one model: how far it separates them, and the verdict."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median
from typing import Any, Literal

import numpy as np

from gan_eval.giveaways.clues import Clue, Facts, Sort
from gan_eval.giveaways.separation import Separation, certain_share, separate_categories, separate_numbers

Verdict = Literal["ok", "look", "gives_away"]

LOOK = 0.6
"""An AUC beyond this (or below 1 less this), with an interval without 0.5, is worth a look."""
GIVES_AWAY = 0.65
"""A metadata clue whose whole interval lies beyond this (or below 1 less this) gives the truth away."""
CERTAIN = 0.05
"""Metadata that tell this share of the pictures for sure give the truth away, however little of the rest they tell."""
FEWEST = 5
"""Pictures of each class from which on a perfect separation by metadata gives the truth away."""


@dataclass(frozen=True)
class Finding:
    """What one clue tells."""

    clue: Clue
    n_real: int
    n_fake: int
    real: str = ""
    """The clue in real pictures, in short: the value that tells most with its share, or the median."""
    fake: str = ""
    """The same of generated pictures."""
    separation: Separation | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    """Why there is no separation."""


def compare(clue: Clue, real: Sequence[Facts], fake: Sequence[Facts], *, test: bool = True) -> Finding:
    """Compare one clue between two lists of pictures' facts.

    Args:
        clue: what is compared.
        real, fake: the facts of each picture.
        test: compute the p-value too.
    """
    if clue.shared_formats_only:
        formats = {facts["format"] for facts in real} & {facts["format"] for facts in fake}
        real, fake = ([facts for facts in each if facts["format"] in formats] for each in (real, fake))
    ours, theirs = (_values(clue, each) for each in (real, fake))
    if min(len(ours), len(theirs)) < 2:
        return Finding(clue, len(ours), len(theirs), reason="fewer than 2 pictures of a class have it")
    separation, words = _separate(clue, ours, theirs, test=test)
    verdict = judge(clue.sort, separation, min(len(ours), len(theirs)))
    return Finding(clue, len(ours), len(theirs), words[0], words[1], separation, verdict)


def judge(sort: Sort, found: Separation, fewest: int) -> Verdict:
    """What an AUC and its interval say.

    Args:
        sort: only metadata can give the truth away; pictures may differ in content.
        found: the separation.
        fewest: pictures of the smaller class.
    """
    far = found.low > GIVES_AWAY or found.high < 1 - GIVES_AWAY
    perfect = found.auc in (0.0, 1.0) and fewest >= FEWEST
    certain = found.certain is not None and found.certain >= CERTAIN
    if sort == "metadata" and (far or perfect or certain):
        return "gives_away"
    if (found.low > 0.5 and found.auc > LOOK) or (found.high < 0.5 and found.auc < 1 - LOOK):
        return "look"
    return "ok"


def _separate(
    clue: Clue, real: Sequence[Any], fake: Sequence[Any], *, test: bool
) -> tuple[Separation, tuple[str, str]]:
    """The separation, and the clue in real and in generated pictures in short."""
    match clue.measure:
        case "number":
            return separate_numbers(real, fake), (_number(median(real)), _number(median(fake)))
        case "category":
            return separate_categories(real, fake, test=test), _most_telling(real, fake)
        case "tokens":
            return _best_token(real, fake)


def _values(clue: Clue, pictures: Sequence[Facts]) -> list[Any]:
    """The values that there are: all float, all str or all frozenset[str], as the clue's measure says."""
    return [facts[clue.name] for facts in pictures if facts[clue.name] is not None]


def _most_telling(real: Sequence[str], fake: Sequence[str]) -> tuple[str, str]:
    """The classes' values where each has one; else the value whose shares differ most."""
    ours, theirs = Counter(real), Counter(fake)
    if len(ours) == len(theirs) == 1:
        return real[0], fake[0]
    best = max(sorted(ours | theirs), key=lambda value: abs(ours[value] / len(real) - theirs[value] / len(fake)))
    return f"{best} in {_percent(ours[best], len(real))}", f"{best} in {_percent(theirs[best], len(fake))}"


def _best_token(real: Sequence[frozenset[str]], fake: Sequence[frozenset[str]]) -> tuple[Separation, tuple[str, str]]:
    """The word whose being in a name separates best; interval and test allow for the number of words tried."""
    in_real, in_fake = Counter(chain.from_iterable(real)), Counter(chain.from_iterable(fake))
    tokens = sorted(in_real | in_fake)
    if not tokens:
        return separate_numbers([0.0] * len(real), [0.0] * len(fake)), ("no words", "no words")
    best = max(tokens, key=lambda token: abs(in_real[token] / len(real) - in_fake[token] / len(fake)))
    has = ([float(best in names) for names in each] for each in (real, fake))
    certain = certain_share(
        np.array([in_real[best], len(real) - in_real[best]]),
        np.array([in_fake[best], len(fake) - in_fake[best]]),
        tried=2 * len(tokens),
    )
    separation = replace(separate_numbers(*has, tried=len(tokens)), certain=certain)
    shares = (_percent(in_real[best], len(real)), _percent(in_fake[best], len(fake)))
    return separation, (f"{best!r} in {shares[0]}", f"{best!r} in {shares[1]}")


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _percent(count: int, total: int) -> str:
    share = 100 * count / total
    return f"{share:.0f} %" if share == round(share) else f"{share:.1f} %"
