"""Which pictures of a data set go into the set metrics, and what a reader must know about those that do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gan_eval.metrics.definitions.jackknife import deal, groups_of
from gan_eval.metrics.facts import ExtractorName
from gan_eval.metrics.run.feature_table import FeatureTable
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.set_references import PictureSet, References


@dataclass(frozen=True)
class Given:
    """What the passes before this one found; see `gan_eval.metrics.run.sets.compare_sets`."""

    features: Mapping[ExtractorName, FeatureTable]
    unreadable: Mapping[str, str]
    unavailable: Mapping[str, str]
    caveats: Mapping[ExtractorName, str]
    hashes: Mapping[str, str]


class Source:
    """The sets of one data set under one extractor; the real pictures' set is named "".

    Args:
        extractor: its name.
        stimuli: by set, its pictures.
        given: what the passes before this one found.
    """

    def __init__(self, extractor: ExtractorName, stimuli: Mapping[str, Sequence[Stimulus]], given: Given) -> None:
        self.extractor = extractor
        self._stimuli = stimuli
        self._given = given
        self._table = given.features.get(extractor)
        self._measurable = {
            name: [s for s in members if self._reason(s.stimulus) is None] for name, members in stimuli.items()
        }
        self._items = {name: frozenset(s.item for s in members) for name, members in self._measurable.items()}
        self._notes: dict[str, list[str]] = {}
        holders: dict[str, list[str]] = {}
        for name, items in self._items.items():
            for item in items:
                holders.setdefault(item, []).append(name)
        self._groups = deal(holders)

    def count(self, name: str) -> int:
        """Pictures of a set that go in."""
        return len(self._measurable[name])

    def items(self, name: str) -> frozenset[str]:
        """The items of a set that go in."""
        return self._items[name]

    def pictures(self, name: str) -> PictureSet:
        """A set, with its features.

        Raises:
            KeyError: the extractor gave no features at all.
        """
        members = self._measurable[name]
        items = tuple(s.item for s in members)
        features = self._given.features[self.extractor].take([s.stimulus for s in members])
        return PictureSet(features, items, groups_of(items, self._groups))

    @cached_property
    def references(self) -> References:
        """The real pictures, ready to be compared with."""
        return References(self.pictures(""))

    def notes(self, model: str) -> list[str]:
        """On the pictures of the real set and of a model's that are left out, and on those that are copies."""
        if model not in self._notes:
            self._notes[model] = [*self._on_left_out(model), *self._on_copies(model)]
        return self._notes[model]

    def why_empty(self, model: str) -> str | None:
        """The first reason why all pictures of the real set or of a model's are left out; None where some are not."""
        for name in ("", model):
            if self._stimuli[name] and not self._measurable[name]:
                return self._reason(self._stimuli[name][0].stimulus)
        return None

    def share_items(self, model: str) -> bool:
        """Whether a real and a generated picture that go in are of one item."""
        return not self.items("").isdisjoint(self.items(model))

    def _reason(self, stimulus: str) -> str | None:
        """Why a picture does not go in."""
        if stimulus in self._given.unreadable:
            return self._given.unreadable[stimulus]
        if self._table is None or stimulus in self._table.place:
            return None
        return self._table.reasons.get(stimulus, f"{stimulus}: no features")

    def _on_left_out(self, model: str) -> list[str]:
        reasons = [self._reason(s.stimulus) for name in ("", model) for s in self._stimuli[name]]
        left_out = [reason for reason in reasons if reason is not None]
        return [f"{len(left_out)} left out, the first: {left_out[0]}"] if left_out else []

    def _on_copies(self, model: str) -> list[str]:
        real, fake = (
            [digest for s in self._measurable[name] if (digest := self._given.hashes.get(s.stimulus))]
            for name in ("", model)
        )
        known = set(real)
        inside = len(real) - len(known) + len(fake) - len(set(fake))
        across = sum(digest in known for digest in fake)
        notes = [f"{_pictures(inside)} of others in the same set"] if inside else []
        return notes + ([f"{_pictures(across, 'generated ')} of real ones"] if across else [])


def _pictures(count: int, which: str = "") -> str:
    """
    >>> _pictures(3)
    '3 pictures are copies'
    """
    return f"1 {which}picture is a copy" if count == 1 else f"{count} {which}pictures are copies"
