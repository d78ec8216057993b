"""The plan's lists are those of the quiz's draw."""

import numpy as np
import pytest

from gan_eval.quiz.draw import Dealer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.power.design import deal_design, planned_stimuli

VERSIONS = [("maps", "one"), ("maps", "two"), ("shoes", "one")]


@pytest.mark.parametrize(
    "settings",
    [
        QuizSettings(real=4, fake=5),
        QuizSettings(real=9, fake=9),
        QuizSettings(protocol="paired", pairs=7, keys={"left": "f", "right": "j"}),
    ],
    ids=["pool", "nearly one list", "pairs"],
)
def test_every_list_is_the_one_that_the_quiz_deals(settings: QuizSettings) -> None:
    rows = planned_stimuli(VERSIONS, 20)
    design = deal_design(rows, settings, seed=5, participants=9)
    names, dealer = _names(rows, settings), Dealer(rows, settings, seed=5)
    for number in range(9):
        planned = design.stimulus[design.participant == number]
        dealt = dealer.deal(number + 1).plan
        wanted = sorted((row["stimulus"], row["stimulus_b"] or "") for row in dealt)
        assert sorted(names[stimulus] for stimulus in planned) == wanted


def _names(rows: list[dict[str, object]], settings: QuizSettings) -> list[tuple[str, str]]:
    """The stimuli of the pool in the order of their numbers: data set, role, item."""
    ordered = []
    for dataset in ("maps", "shoes"):
        own = [row for row in rows if row["dataset"] == dataset]
        real = {row["item"]: str(row["stimulus"]) for row in own if row["kind"] == "real"}
        for model in ["", *sorted({str(row["model"]) for row in own if row["model"]})]:
            named = {row["item"]: str(row["stimulus"]) for row in own if (row["model"] or "") == model}
            if settings.shows_pairs and model:
                ordered += [(real[item], named[item]) for item in sorted(named, key=str)]
            elif not settings.shows_pairs:
                ordered += [(named[item], "") for item in sorted(named, key=str)]
    return ordered


def test_nobody_sees_two_versions_of_an_item_and_models_are_balanced() -> None:
    design = deal_design(planned_stimuli(VERSIONS, 30), QuizSettings(real=6, fake=6), seed=1, participants=12)
    for number in range(12):
        items = design.item[design.stimulus[design.participant == number]]
        assert len(set(items)) == len(items) == design.trials == 24
    counts = np.bincount(design.group)
    fake = {group.dataset + group.role: count for group, count in zip(design.groups, counts, strict=True)}
    assert fake["mapsone"] == fake["mapstwo"] == 36
    assert fake["shoesone"] == 72
