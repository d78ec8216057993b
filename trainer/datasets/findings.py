"""What a look at a data set finds."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gan_eval.stimuli.pictures import Picture

LISTED = 20
"""Of the findings of one kind, so many are told to people; JSON has all."""

Kind = Literal["unusable", "duplicate", "count", "sides", "sizes", "shape", "split", "stem", "few"]


@dataclass(frozen=True)
class Finding:
    """Something that the user should know."""

    kind: Kind
    line: str


class Seen(Protocol):
    """A picture that can be used."""

    @property
    def split(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def count_splits(pictures: Iterable[Seen]) -> dict[str, int]:
    """Pictures in each split."""
    return dict(Counter(one.split for one in pictures))


def count_sizes(pictures: Iterable[Seen]) -> dict[str, int]:
    """Pictures of each size, most frequent first."""
    return dict(Counter(f"{one.width}x{one.height}" for one in pictures).most_common())


def as_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """The findings for `--json`."""
    return [{"kind": finding.kind, "line": finding.line} for finding in findings]


def told(findings: Sequence[Finding]) -> Iterable[str]:
    """The lines for people: how many there are, then LISTED of each kind."""
    yield f"findings  {len(findings) or 'none'}"
    counts: Counter[Kind] = Counter()
    for finding in findings:
        counts[finding.kind] += 1
        if counts[finding.kind] <= LISTED:
            yield f"  {finding.kind}: {finding.line}"
    for kind, count in counts.items():
        if count > LISTED:
            yield f"  {kind}: and {count - LISTED} more; --json tells all"


def hash_pixels(picture: Picture) -> str:
    """A hash of the decoded pixels and their shape: equal pictures are found whatever their files are like."""
    return hashlib.blake2b(repr(picture.shape).encode() + picture.tobytes(), digest_size=16).hexdigest()


def equal_ones(things: Iterable[Any], key: Callable[[Any], Hashable]) -> list[list[Any]]:
    """The groups of two or more with the same key, in order of their first."""
    groups: dict[Hashable, list[Any]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return [group for group in groups.values() if len(group) > 1]


def duplicate(what: str, splits: Iterable[str], files: Iterable[str]) -> Finding:
    """Equal pictures: what is equal, and the split and the name of each."""
    across = " across splits" if len(set(splits)) > 1 else ""
    return Finding("duplicate", f"{what}{across}: {', '.join(files)}")
