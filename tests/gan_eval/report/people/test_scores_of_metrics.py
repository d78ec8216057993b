"""2AFC scores in the report: a sentence on the first page, the tables, the Methods."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.judgements.trials import fill_trials
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.agreement import score_tables
from gan_eval.report.people.first_page import score_sentences
from gan_eval.report.people.methods import paper_methods
from gan_eval.stats.analysis import analyze
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORES
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import frame_of

ITEMS = 24


def studied(metrics: Mapping[str, float]) -> StudyFolder:
    """Choices between two models of 15 people; each metric follows the quality with this noise."""
    rng = np.random.default_rng(0)
    person, item = (index.ravel() for index in np.indices((15, ITEMS)))
    quality = np.linspace(-3, 3, ITEMS)
    names = [[f"d/{model}/{number}" for number in range(ITEMS)] for model in ("a", "b")]
    trials = fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{number}" for number in person],
                "stimulus": np.array(names[0])[item],
                "stimulus_b": np.array(names[1])[item],
                "item": [f"d/{number}" for number in item],
                "dataset": "d",
                "model": "a|b",
                "protocol": "model_vs_model",
                "choice": np.where(rng.random(len(item)) < 1 / (1 + np.exp(-quality[item])), "a", "b"),
            }
        )
    )
    rows = []
    for metric, noise in metrics.items():
        gains = quality + rng.normal(0, noise, ITEMS)
        for number in range(ITEMS):
            for side, model in enumerate(("a", "b")):
                row = {"stimulus": names[side][number], "item": f"d/{number}", "kind": "fake", "model": model}
                rows.append({**row, "dataset": "d", "metric": metric, "value": 0.0 if side else gains[number]})
    frames = analyze(trials, image_metrics=frame_of(rows, IMAGE_METRICS), on_message=lambda _: None)
    return folder_of(**frames, trials=trials)


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    return studied({"psnr": 0.1, "ssim": 20.0})


def test_sentence_names_the_highest_score_with_its_ceiling_and_lead(folder: StudyFolder) -> None:
    row = folder.table(METRIC_SCORES).set_index("metric").loc["psnr"]
    said = score_sentences(folder).replace("\u202f", " ")
    assert said.startswith("Do metrics choose between two pictures as people do? Highest is PSNR on d: 2AFC score ")
    assert f"2AFC score {row['score']:.3f}, 95% CI [{row['score_low']:.3f}, {row['score_high']:.3f}]" in said
    assert f"360 votes on 24 pairs, the majority of the other votes has {row['ceiling']:.3f}" in said
    assert said.endswith("; its lead over SSIM is significant.")


def test_tables_have_each_metric_and_each_pair_of_metrics(folder: StudyFolder) -> None:
    scores, differences = score_tables(folder)
    assert [row[1] for row in scores.rows] == ["PSNR", "SSIM"]
    assert [row[1] for row in differences.rows] == ["PSNR and SSIM"]
    assert differences.rows[0][-1] == "PSNR"
    assert isinstance(scores, ShownTable)


def test_methods_name_the_score(folder: StudyFolder) -> None:
    assert "Metrics were compared with choices by their 2AFC score" in paper_methods(folder)


def test_one_metric_has_no_lead_and_no_metric_no_sentence() -> None:
    one = studied({"psnr": 0.1})
    assert "lead" not in score_sentences(one)
    assert len(score_tables(one)) == 1
    none = studied({})
    assert score_sentences(none) == ""
    assert score_tables(none) == []
    assert "2AFC" not in paper_methods(none)
