"""Methods paragraphs, and the BibTeX entry of this program."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from synthetic_tables import folder_of, told_apart
from synthetic_tables import rates as rates_row

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.methods import CITATION, method_blocks, paper_methods, size_on_screen
from gan_eval.settings.study import Study
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import SESSIONS, STIMULI
from gan_eval.tables.frames import frame_of

CFF = Path(__file__).resolve().parents[4] / "CITATION.cff"


def study_of_two_levels() -> StudyFolder:
    """A study with a pool of 8 and 8 pictures, of which 12 were shown, in 24 trials."""
    number, levels = np.arange(24), np.resize([100.0, 500.0], 24)
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
                "requested_exposure_ms": levels,
                "exposure_ms": levels + 2.0,
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


def test_pool_shown_and_answered_are_three_numbers_and_exposures_are_given_by_level():
    text = paper_methods(study_of_two_levels()).replace("\u202f", " ")
    assert "The pool held 8 real pictures (d) and 8 generated ones of 1 model (m)." in text
    assert "12 different pictures were shown, in 24 trials; 23 of these were answered." in text

    level = "shown for 100 ms (achieved 102.0 ms, SD of the error 0.00 ms, worst 2.0 ms); or for 500 ms (achieved"
    assert level in text


def test_there_are_short_paragraphs_and_each_as_latex():
    folder = study_of_two_levels()
    text = paper_methods(folder)
    paragraphs = text.split("\n\n")
    assert len(paragraphs) >= 4
    assert paragraphs[-1].startswith("Software: gan_eval")
    assert [block.text for block in method_blocks(folder)] == [text, CITATION]


def test_the_software_is_cited_as_citation_cff_says():
    text, entry = CFF.read_text(encoding="utf-8"), CITATION.replace("\\_", "_")
    (title,) = re.findall(r'^title: "(.*)"$', text, re.MULTILINE)
    (name,) = re.findall(r'^  - name: "(.*)"$', text, re.MULTILINE)
    assert f"title = {{{{{title}}}}}" in entry
    assert f"author = {{{{{name}}}}}" in entry
    assert re.search(r"^  year = \{20\d\d\},$", entry, re.MULTILINE)
    (address,) = re.findall(r'^url: "(.*)"$', text, re.MULTILINE)
    assert f"url = {{{address}}}" in entry
    project = tomllib.loads(CFF.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == address


ANSWERS = fill_trials(
    pd.DataFrame(
        {
            "participant": ["P1"] * 4 + ["P2"] * 4,
            "stimulus": list("abcd") * 2,
            "kind": ["real", "real", "fake", "fake"] * 2,
            "response": ["real", "fake", "fake", "fake"] * 2,
            "reaction_time_ms": [150.0, 500, 500, 500, 500, 500, 500, 500],
        }
    )
)
STUDY = {"study": {"name": "s", "question": "Can people recognise them?"}, "stimuli": {"sets": ["set"]}}
FULL = {
    "recruitment": "Students, paid by the hour.",
    "ethics": "Board 12/3.",
    "data_availability": "https://example.org/data, CC BY 4.0",
    "code_availability": "https://example.org/code, v1",
}


def test_degrees_are_said_with_their_spread_over_screens() -> None:
    sessions = pd.DataFrame(dict.fromkeys(SESSIONS.names, [None, None]))
    study = Study.model_validate(STUDY | {"quiz": {"picture_size": "8 deg"}})
    assert size_on_screen(folder_of(study=study, sessions=sessions)) == []
    seen = {"picture_width_px": [288, 510], "picture_width_deg": [8.004, 7.997], "pixels_per_degree": [36.0, 63.67]}
    (said,) = size_on_screen(folder_of(study=study, sessions=sessions.assign(**seen)))
    assert said == (
        "On the screen pictures were 288 to 510 physical pixels wide (resampled before the session by Pillow's Lanczos "
        "filter), 8.0° of visual angle at 36.0 to 63.7 pixels per degree."
    )


def test_holms_method_is_named_only_where_it_changed_a_p() -> None:
    one, two = told_apart(), [told_apart(a="x", p=0.01, p_holm=0.02), told_apart(p=0.02, p_holm=0.02)]
    assert "Holm" not in paper_methods(folder_of(rates=[rates_row()], comparisons=[one]))
    assert "Holm" in paper_methods(folder_of(rates=[rates_row()], comparisons=two))


def test_how_often_intervals_hold_the_truth_is_said_of_rates_by_the_crossed_model() -> None:
    by_basis = {
        basis: paper_methods(folder_of(rates=[rates_row()], comparisons=[told_apart(basis=basis)]))
        for basis in ("crossed_model", "two_way_cluster")
    }
    assert "contained the truth in 93 to 99.6% of studies" in by_basis["crossed_model"]
    assert "contained the truth" not in by_basis["two_way_cluster"]
    assert by_basis["crossed_model"].count(" ~ ") == 1
    assert " ~ " not in by_basis["two_way_cluster"]
