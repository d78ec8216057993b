"""Methods paragraphs, LaTeX and BibTeX, and the reporting checklist."""

import inspect
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from synthetic_tables import folder_of, told_apart
from synthetic_tables import rates as rates_row

from gan_eval.metrics.catalogue import METRICS
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.references import as_bibtex, as_latex, cited_keys, sources
from gan_eval.report.people import methods
from gan_eval.report.people.methods import checklist_section, method_blocks, paper_methods, size_on_screen
from gan_eval.settings.study import Study
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.exclusions import Rules, apply_rules
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import SESSIONS, STIMULI
from gan_eval.tables.frames import frame_of

CITATION = Path(__file__).resolve().parents[4] / "CITATION.cff"


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
    quote, latex, bibtex = (block.text for block in method_blocks(folder))
    assert quote == text
    cited = {key for keys in re.findall(r"\\cite\{([^}]*)\}", latex) for key in keys.split(",")}
    assert cited == set(re.findall(r"^@\w+\{(\w+),$", bibtex, flags=re.MULTILINE)) >= {"gan_eval"}


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


def test_whatever_the_methods_cite_is_known():
    source = re.sub(r'"\s+f?"', "", inspect.getsource(methods))  # texts of several lines
    cited = {*re.findall(r"[A-Z][\w']+(?: et al\.| (?:and|&) [A-Z]\w+)? (?:19|20)\d{2}", source)}
    assert len(cited_keys(source)) == len(cited) > 10


def test_the_software_is_cited_as_citation_cff_says():
    text, entry = CITATION.read_text(encoding="utf-8"), sources()["gan_eval"].replace("\\_", "_")
    (title,) = re.findall(r'^title: "(.*)"$', text, re.MULTILINE)
    (name,) = re.findall(r'^  - name: "(.*)"$', text, re.MULTILINE)
    assert f"title = {{{{{title}}}}}" in entry
    assert f"author = {{{{{name}}}}}" in entry
    assert re.search(r"^  year = \{20\d\d\},$", entry, re.MULTILINE)
    (address,) = re.findall(r'^url: "(.*)"$', text, re.MULTILINE)
    assert f"url = {{{address}}}" in entry
    project = tomllib.loads(CITATION.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == address


def test_every_source_in_brackets_is_cited():
    text = "Thresholds (Watson 2017; Kaernbach 1991) and not Nobody 1999."
    assert cited_keys(text) == ["watson2017", "kaernbach1991"]
    assert as_latex(text) == (
        "Thresholds (Watson~\\cite{watson2017}; Kaernbach~\\cite{kaernbach1991}) and O'Brien and "
        "Fleming~\\cite{obrien1979}, not Nobody 1999.\n"
    )


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


def checklist(*, sessions: bool = True, session: str = "1", **sections: object) -> tuple[str, dict[str, str]]:
    study = Study(**(STUDY | sections))
    included = apply_rules(ANSWERS, None, Rules(study.analysis.exclude), Rules())
    tables = {"rates": rates(included.trials), "participation": included.participation, "trials": included.trials}
    if sessions:
        row = {"session": session, "participant": "P1", "protocol": "yes_no", "status": "complete", "simulated": False}
        tables["sessions"] = frame_of([row], SESSIONS)
    says, facts = checklist_section(folder_of(study=study, **tables)).blocks[-2:]
    return says.lines[0], dict(facts.items)


def test_every_gap_is_named():
    says, items = checklist()
    assert says == "Of 11 points 4 are not given: ethics, recruitment, data availability and code availability."
    assert items["Question"] == "Can people recognise them?"
    assert items["Recruitment"] == "Not given: recruitment in [reporting] of the study file."
    assert items["Consent"].startswith("Version 1: You will judge pictures.")
    assert items["Exclusions"] == "0 participants and 0 trials were excluded."
    assert "25 real and 25 generated pictures of each data set" in items["Design"]


def test_the_design_has_the_numbers_that_were_shown_where_a_pool_was_too_small():
    _, items = checklist(session=str(ANSWERS["session"].iloc[0]))
    own = ANSWERS[ANSWERS["session"] == ANSWERS["session"].iloc[0]]["kind"]
    real, fake = (int((own == kind).sum()) for kind in ("real", "fake"))
    assert 0 < real < 25
    assert f"each person saw {real} real and {fake} generated pictures of each data set" in items["Design"]


def test_what_the_study_file_says_stands_there():
    analysis = {"exclude": ["reaction_time_ms<200"], "margin": 0.05}
    says, items = checklist(reporting=FULL, analysis=analysis, quiz={"instructions": "Look, then press."})
    assert says == "Every point is given."
    assert items["Ethics"] == "Board 12/3."
    assert items["Instructions"] == "Look, then press."
    assert items["Exclusions"] == "0 participants and 1 trial were excluded (by preset rules: reaction_time_ms<200)."
    assert items["Plan"].startswith("Margin: 5 points; analysis plan ")


def test_rules_on_the_outcome_leave_nobody_out():
    _, items = checklist(analysis={"exclude_participants": ["accuracy<0.9", "catch_accuracy<0.5"]})
    assert items["Exclusions"] == "0 participants and 0 trials were excluded (by preset rules: catch_accuracy<0.5)."


def test_defaults_of_the_quiz_are_not_claimed_of_answers_of_another_program():
    says, items = checklist(sessions=False, reporting=FULL)
    assert says == "Of 11 points 3 are not given: design, instructions and consent."
    assert "another program" in items["Consent"]


def test_without_a_study_file_the_tables_alone_speak():
    included = apply_rules(ANSWERS, None, Rules(), Rules())
    says, facts = checklist_section(folder_of(rates=rates(included.trials))).blocks[-2:]
    assert says.lines[0].startswith("Of 11 points 10 are not given")
    assert dict(facts.items)["Exclusions"] == "None."
    assert not checklist_section(folder_of()).blocks


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
