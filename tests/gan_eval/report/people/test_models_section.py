"""The report's text on mixed models."""

from pathlib import Path

import pytest

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.comparisons import model_sentences, model_tables
from gan_eval.stats.analysis import ALL_TABLES
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.tables.frames import frame_of

WAITING = frame_of([{"look": 1, "due_at": 20, "current": False, "n_people": 7, "n_wanted": 20}], ALL_TABLES["looks"])
"""Looks of a study that has no verdict yet."""


def test_while_people_are_awaited_the_sentence_says_interim() -> None:
    (sentence,) = model_sentences(StudyFolder(Path(), None, {}, {"looks": WAITING}, {}, {}, {}))
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
    table, *_ = model_tables(StudyFolder(Path(), None, {}, tables, {}, {}, {}))
    assert table.notes[0].startswith(f"Estimates on the {scale} scale;")
