"""The methods paragraphs: three numbers of pictures and answers, exposures by level, and as LaTeX with BibTeX."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rehashed import rehash

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.parts.references import (
    as_bibtex,
    as_latex,
    as_text,
    cited_keys,
    keys_in_brief,
    references,
    sources,
)
from gan_eval.report.people.paper import _between_pictures, _models, method_section, paper_methods
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import STIMULI, TRIALS
from gan_eval.tables.frames import write_rows, write_table

CITATION = Path(__file__).resolve().parents[4] / "CITATION.cff"


def study_of(folder: Path, *, levels: tuple[float, ...] = (100.0, 500.0)) -> str:
    """The paragraphs of a study with a pool of 8 and 8 pictures, of which 12 were shown, in 24 trials."""
    number = np.arange(24)
    kind = np.where(number % 2, "fake", "real")
    picture = (number // 2) % 6
    trials = fill_trials(
        pd.DataFrame(
            {
                "participant": np.where(number < 12, "P1", "P2"),
                "stimulus": [f"d/{'m' if k == 'fake' else 'real'}/{n}" for k, n in zip(kind, picture, strict=True)],
                "kind": kind,
                "model": np.where(kind == "fake", "m", None),
                "dataset": "d",
                "response": np.where(number == 5, "none", np.where(number % 3, "real", "fake")),
                "requested_exposure_ms": np.resize(levels, 24),
                "exposure_ms": np.resize(levels, 24) + 2.0,
            }
        )
    )
    write_table(trials, folder / "tables" / "trials.csv", TRIALS)
    write_analysis(analyze(trials), folder / "tables")
    rows = [
        {"stimulus": f"d/{'m' if k == 'fake' else 'real'}/{n}", "item": f"d/{n}", "kind": k, "dataset": "d"}
        | {"model": "m" if k == "fake" else None, "file": f"{k}/{n}.png", "split": "test"}
        for k in ("real", "fake")
        for n in range(8)
    ]
    write_rows(rows, folder / "stimuli" / "d-m" / "stimuli.csv", STIMULI)
    rehash(folder / "stimuli" / "d-m")
    return paper_methods(read_folder(folder))


@pytest.mark.slow
def test_pool_shown_and_answered_are_three_numbers(tmp_path):
    text = study_of(tmp_path)
    assert "The pool held 8 real pictures (d) and 8 generated ones of 1 model (m)." in text
    assert "12 different pictures were shown, in 24 trials; 23 of these were answered." in text


@pytest.mark.slow
def test_exposures_are_told_by_level_and_not_as_one_median(tmp_path):
    text = study_of(tmp_path, levels=(100.0, 500.0)).replace("\u202f", " ")
    assert (
        "shown for 100 ms (achieved 102.0 ms, SD of the error 0.00 ms, worst 2.0 ms); or for 500 ms (achieved" in text
    )
    assert "median" not in text


@pytest.mark.slow
def test_there_are_short_paragraphs_and_each_as_latex(tmp_path):
    text = study_of(tmp_path)
    paragraphs = text.split("\n\n")
    assert len(paragraphs) >= 4
    assert paragraphs[-1].startswith("Software: gan_eval")
    quote, latex, bibtex = (block.text for block in method_section(read_folder(tmp_path)).blocks)
    assert quote == as_text(text)
    assert "[@" not in quote
    cited = {key for keys in re.findall(r"\\cite\{([^}]*)\}", latex) for key in keys.split(",")}
    assert cited == set(re.findall(r"^@\w+\{(\w+),$", bibtex, flags=re.MULTILINE)) >= {"gan_eval", "hautus1995"}


def test_every_source_has_the_fields_of_its_kind():
    needed = {
        "article": {"journal", "volume", "pages", "year"},
        "inproceedings": {"booktitle", "year"},
        "book": {"publisher", "year"},
        "misc": {"note"},
    }
    assert len(sources()) == as_bibtex([*sources()]).count("@")
    for key, source in sources().items():
        entry = as_bibtex([key])
        fields = set(re.findall(r"^  (\w+) =", entry, flags=re.MULTILINE))
        assert needed[entry[1 : entry.index("{")]] <= fields, key
        assert key == "gan_eval" or key.endswith(source.year), key
        assert entry.isascii(), key
        assert entry.count("{") == entry.count("}"), key


def test_whatever_the_metrics_cite_is_known():
    for metric in METRICS.values():
        cited = re.findall(r"[A-Z]\S+ (?:et al\.|and \S+) (?:19|20)\d{2}", metric.source)
        assert len(keys_in_brief(metric.source)) == len(cited), metric.name
    assert references(["Isola et al. 2017; Binkowski et al. 2018"]) == [
        "M. Bińkowski, D. J. Sutherland, M. Arbel and A. Gretton (2018). Demystifying MMD GANs. International "
        "Conference on Learning Representations.",
        "P. Isola, J.-Y. Zhu, T. Zhou and A. A. Efros (2017). Image-to-image translation with conditional adversarial "
        "networks. IEEE Conference on Computer Vision and Pattern Recognition.",
    ]


def test_graded_models_are_not_called_probit(tmp_path):
    links = {"correct ~ 1": "logit", "rating ~ model": "cumulative_logit"}
    shared = {"term": "intercept", "estimate": 0.1}
    rows = [{"formula": formula, "link": link, **shared} for formula, link in links.items()]
    write_rows(rows, tmp_path / "tables" / "mixed_models.csv", MIXED_MODELS)
    (sentence,) = _models(read_folder(tmp_path))
    assert sentence.endswith("by Student's t: logistic (correct ~ 1) and cumulative-logit (rating ~ model).")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"exposure_ms": 300}, ["a fixation mark", "the keys below its place"]),
        ({"exposure_ms": 300, "response_cue": False}, ["a fixation mark"]),
        ({"exposure_ms": "until-answer"}, ["a fixation mark"]),
        ({"protocol": "staircase", "fixation_mark": False}, ["the keys below its place"]),
        ({"exposure_ms": "until-answer", "fixation_mark": False}, []),
    ],
)
def test_what_is_on_the_grey_screen_is_told(settings, said):
    text = " ".join(_between_pictures(QuizSettings(**settings)))
    assert [part for part in ("a fixation mark", "the keys below its place") if part in text] == said


def test_the_software_is_cited_as_citation_cff_says():
    text = CITATION.read_text(encoding="utf-8")
    assert f'title: "{sources()["gan_eval"].title}"' in text
    assert f'- name: "{sources()["gan_eval"].authors[0]}"' in text


def test_several_sources_stand_in_one_bracket():
    text = "Thresholds [@levitt1971, kaernbach1991] and Holm's [@holm1979]."
    assert as_text(text) == "Thresholds (Levitt 1971; Kaernbach 1991) and Holm's (Holm 1979)."
    assert as_latex(text) == "Thresholds~\\cite{levitt1971,kaernbach1991} and Holm's~\\cite{holm1979}.\n"
    assert cited_keys(text) == ["levitt1971", "kaernbach1991", "holm1979"]
