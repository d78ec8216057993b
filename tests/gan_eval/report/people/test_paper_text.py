"""The methods paragraphs: three numbers of pictures and answers, exposures by level, and as LaTeX with BibTeX."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import folder_of

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.references import as_bibtex, as_latex, cited_keys, sources
from gan_eval.report.people.paper import _between_pictures, method_section, paper_methods, size_on_screen
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import SESSIONS, STIMULI
from gan_eval.tables.frames import frame_of

CITATION = Path(__file__).resolve().parents[4] / "CITATION.cff"


def study_of(*, levels: tuple[float, ...] = (100.0, 500.0)) -> StudyFolder:
    """A study with a pool of 8 and 8 pictures, of which 12 were shown, in 24 trials."""
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
    rows = [
        {"stimulus": f"d/{'m' if k == 'fake' else 'real'}/{n}", "item": f"d/{n}", "kind": k, "dataset": "d"}
        | {"model": "m" if k == "fake" else None, "file": f"{k}/{n}.png", "split": "test"}
        for k in ("real", "fake")
        for n in range(8)
    ]
    pool = {"d-m": frame_of(rows, STIMULI)}
    return replace(folder_of(rates=rates(trials), trials=trials), stimuli=pool)


def test_pool_shown_and_answered_are_three_numbers():
    text = paper_methods(study_of())
    assert "The pool held 8 real pictures (d) and 8 generated ones of 1 model (m)." in text
    assert "12 different pictures were shown, in 24 trials; 23 of these were answered." in text


def test_exposures_are_told_by_level_and_not_as_one_median():
    text = paper_methods(study_of()).replace("\u202f", " ")
    assert (
        "shown for 100 ms (achieved 102.0 ms, SD of the error 0.00 ms, worst 2.0 ms); or for 500 ms (achieved" in text
    )
    assert "median" not in text


def test_there_are_short_paragraphs_and_each_as_latex():
    folder = study_of()
    text = paper_methods(folder)
    paragraphs = text.split("\n\n")
    assert len(paragraphs) >= 4
    assert paragraphs[-1].startswith("Software: gan_eval")
    quote, latex, bibtex = (block.text for block in method_section(folder).blocks)
    assert quote == text
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
    for key, entry in sources().items():
        fields = set(re.findall(r"^  (\w+) =", entry, flags=re.MULTILINE))
        assert needed[entry[1 : entry.index("{")]] <= fields, key
        assert key == "gan_eval" or f"year = {{{key[-4:]}}}" in entry, key
        assert entry.isascii(), key
        assert entry.count("{") == entry.count("}"), key


def test_whatever_the_metrics_cite_is_known():
    for metric in METRICS.values():
        cited = re.findall(r"[A-Z]\S+ (?:et al\.|and \S+) (?:19|20)\d{2}", metric.source)
        assert len(cited_keys(metric.source)) == len(cited), metric.name


def test_graded_models_are_not_called_probit():
    links = {"correct ~ 1": "logit", "rating ~ model": "cumulative_logit"}
    rows = [{"term": "intercept", "estimate": 0.1, "formula": formula, "link": link} for formula, link in links.items()]
    text = paper_methods(folder_of(mixed_models=rows, trials=study_of().tables["trials"]))
    assert "by Student's t: logistic (correct ~ 1) and cumulative-logit (rating ~ model)." in text


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
    text, entry = CITATION.read_text(encoding="utf-8"), sources()["gan_eval"].replace("\\_", "_")
    (title,) = re.findall(r'^title: "(.*)"$', text, re.MULTILINE)
    (name,) = re.findall(r'^  - name: "(.*)"$', text, re.MULTILINE)
    assert f"title = {{{{{title}}}}}" in entry
    assert f"author = {{{{{name}}}}}" in entry


def test_every_source_in_brackets_is_cited():
    text = "Thresholds (Levitt 1971; Kaernbach 1991) and O'Brien and Fleming 1979, not Nobody 1999."
    assert cited_keys(text) == ["levitt1971", "kaernbach1991", "obrien1979"]
    assert as_latex(text) == (
        "Thresholds (Levitt~\\cite{levitt1971}; Kaernbach~\\cite{kaernbach1991}) and O'Brien and "
        "Fleming~\\cite{obrien1979}, not Nobody 1999.\n"
    )


def size_sentence(picture_size: object, **columns: list[float | None]) -> list[str]:
    """Return the sentence for this setting (None: only the tables exist) and these columns of the sessions."""
    rows = len(next(iter(columns.values())))
    sessions = pd.DataFrame({name: columns.get(name, [None] * rows) for name in SESSIONS.names})
    study = None
    if picture_size is not None:
        study = Study.model_validate(
            {"study": {"name": "s"}, "stimuli": {"sets": ["s"]}, "quiz": {"picture_size": picture_size}}
        )
    return size_on_screen(folder_of(study=study, sessions=sessions))


def test_degrees_are_said_with_their_spread_over_screens() -> None:
    seen = {
        "picture_width_px": [288, 510],
        "picture_width_deg": [8.004, 7.997],
        "pixels_per_degree": [36.0, 63.67],
    }
    (said,) = size_sentence("8 deg", **seen)
    assert said == (
        "On the screen pictures were 288 to 510 physical pixels wide (resampled before the session by Pillow's Lanczos "
        "filter), 8.0° of visual angle at 36.0 to 63.7 pixels per degree."
    )


@pytest.mark.parametrize(
    ("size", "how"), [("native", ", pixel for pixel"), (512, " (resampled before the session by Pillow"), (None, ".")]
)
def test_how_pictures_came_to_their_size_is_said_where_the_study_tells(size: object, how: str) -> None:
    (said,) = size_sentence(size, picture_width_px=[512, None, 512])
    assert f"On the screen pictures were 512 physical pixels wide{how}" in said
    assert "°" not in said


def test_where_no_session_knows_nothing_is_said() -> None:
    assert size_sentence("native", picture_width_px=[None, None]) == []
