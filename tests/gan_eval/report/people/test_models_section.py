"""What the report says of mixed models and of the checks beside them."""

from pathlib import Path

import pandas as pd
import pytest

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.models import _model_tables, model_sentences
from gan_eval.stats.compare.looks import LOOKS
from gan_eval.stats.mixed.checks import MODEL_CHECKS
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.tabular import frame_of

WAITING = frame_of([{"look": 1, "due_at": 20, "current": False, "n_people": 7, "n_wanted": 20}], LOOKS)
"""Of a study that has no verdict yet."""


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "The one check that assumes less agrees with the mixed models on which effects differ from 0."),
        (2, "All 2 checks that assume less agree with the mixed models on which effects differ from 0."),
    ],
)
def test_checks_that_agree_are_counted_in_words(count: int, sentence: str) -> None:
    checks = pd.DataFrame([dict.fromkeys(MODEL_CHECKS.names) | {"method": "two_way_cluster", "agrees": True}] * count)
    folder = StudyFolder(Path(), None, {}, {"model_checks": checks}, {}, {}, {})
    assert model_sentences(folder) == [sentence]


def test_while_people_are_awaited_nothing_agrees_or_disagrees() -> None:
    checks = pd.DataFrame([dict.fromkeys(MODEL_CHECKS.names) | {"method": "two_way_cluster", "agrees": False}])
    folder = StudyFolder(Path(), None, {}, {"model_checks": checks, "looks": WAITING}, {}, {}, {})
    (sentence,) = model_sentences(folder)
    assert sentence.startswith("Interim:")


@pytest.mark.parametrize(("df", "sentences"), [(1, 1), (5, 0)])
def test_wald_tests_of_one_level_are_not_held_against_the_ratio_of_all_levels(df: int, sentences: int) -> None:
    row = {"formula": "rating ~ model", "term": "model[b]", "link": "cumulative_logit", "p": 0.5, "lrt_p": 0.02}
    models = frame_of([row | {"lrt_df": df}], MIXED_MODELS)
    assert len(model_sentences(StudyFolder(Path(), None, {}, {"mixed_models": models}, {}, {}, {}))) == sentences


@pytest.mark.parametrize(
    ("links", "scale"),
    [(["cumulative_logit"], "log-odds"), (["logit", "probit"], "log-odds"), (["probit"], "probit")],
)
def test_the_scale_of_estimates_is_that_of_the_links(links: list[str], scale: str) -> None:
    rows = [{"formula": link, "term": "intercept", "link": link, "estimate": 0.1, "n_trials": 9} for link in links]
    tables = {"mixed_models": frame_of(rows, MIXED_MODELS)}
    table, *_ = _model_tables(StudyFolder(Path(), None, {}, tables, {}, {}, {}))
    assert table.notes[0].startswith(f"Estimates on the {scale} scale;")
