"""The reporting checklist: filled from the study file, with every gap named."""

import pandas as pd
from synthetic_tables import folder_of

from gan_eval.report.parts.blocks import Facts, Paragraph
from gan_eval.report.people.paper import checklist_section
from gan_eval.settings.study import Study
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.exclusions import Rules, leave_out
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import SESSIONS
from gan_eval.tables.frames import frame_of

TRIALS = fill_trials(
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


def checklist(*, sessions: bool = True, **sections: object) -> tuple[str, dict[str, str]]:
    study = Study(**(STUDY | sections))
    included = leave_out(TRIALS, None, Rules(study.analysis.exclude), Rules())
    tables = {"rates": rates(included.trials), "participation": included.participation, "trials": included.trials}
    if sessions:
        row = {"session": "1", "participant": "P1", "protocol": "yes_no", "status": "complete", "simulated": False}
        tables["sessions"] = frame_of([row], SESSIONS)
    says, facts = checklist_section(folder_of(study=study, **tables)).blocks
    assert isinstance(says, Paragraph)
    assert isinstance(facts, Facts)
    return says.text, dict(facts.items)


def test_every_gap_is_named():
    says, items = checklist()
    assert says == (
        "Of 11 points 4 are not given: ethics, recruitment, data availability and code availability."
    )  # fmt: skip
    assert items["Question"] == "Can people recognise them?"
    assert items["Recruitment"] == "Not given: recruitment in [reporting] of the study file."
    assert items["Consent"].startswith("Version 1: You will judge pictures.")
    assert items["Exclusions"] == "0 participants and 0 trials were left out."
    assert "25 real and 25 generated pictures of each data set" in items["Design"]


def test_what_the_study_file_says_stands_there():
    analysis = {"exclude": ["reaction_time_ms<200"], "margin": 0.05}
    says, items = checklist(reporting=FULL, analysis=analysis, quiz={"instructions": "Look, then press."})
    assert says == "Every point is given."
    assert items["Ethics"] == "Board 12/3."
    assert items["Instructions"] == "Look, then press."
    assert items["Exclusions"] == ("0 participants and 1 trial were left out (by preset rules: reaction_time_ms<200).")
    assert items["Plan"].startswith("Margin: 5 points; analysis plan ")


def test_rules_on_the_outcome_leave_nobody_out():
    _, items = checklist(analysis={"exclude_participants": ["accuracy<0.9", "catch_accuracy<0.5"]})
    assert items["Exclusions"] == ("0 participants and 0 trials were left out (by preset rules: catch_accuracy<0.5).")


def test_defaults_of_the_quiz_are_not_claimed_of_answers_of_another_program():
    says, items = checklist(sessions=False, reporting=FULL)
    assert says == "Of 11 points 3 are not given: design, instructions and consent."
    assert "another program" in items["Consent"]


def test_without_a_study_file_the_tables_alone_speak():
    included = leave_out(TRIALS, None, Rules(), Rules())
    says, facts = checklist_section(folder_of(rates=rates(included.trials))).blocks
    assert says.text.startswith("Of 11 points 10 are not given")
    assert dict(facts.items)["Exclusions"] == "None."
    assert not checklist_section(folder_of()).blocks


def test_words_for_readers_change_neither_design_nor_plan():
    bare, reported = Study(**STUDY), Study(**STUDY, reporting=FULL)
    assert (bare.design_hash, bare.analysis_hash) == (reported.design_hash, reported.analysis_hash)
