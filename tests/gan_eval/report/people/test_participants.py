"""The number of participants counts people whose answers are analysed; a sentence covers studies without answers."""

from dataclasses import replace

from answers_of_people import browser_folder, participation
from synthetic_tables import folder_of

from gan_eval.report.people.participants import demographics, included_count, timing_sentences


def test_people_without_an_answer_are_reported_but_not_counted() -> None:
    assert included_count(participation()) == 3
    assert included_count(participation(quick=("P0", "P3"), rule=True)) == 2


def test_without_a_table_of_participation_rates_tell_how_many_answered() -> None:
    assert included_count(folder_of(rates=participation().tables["rates"])) == 3


def test_answers_to_the_study_s_questions_are_of_the_participants_analysed() -> None:
    names = [f"P{n}" for n in range(20)]
    part = [
        {"participant": name, "excluded": False, "counted": "yes" if name != "P0" else "excluded"} for name in names
    ]
    part = [row | dict.fromkeys(("sessions", "n_trials", "n_answered", "n_catch", "n_excluded"), 1) for row in part]
    answers = [
        {"session": name, "participant": name, "question": question, "answer": str(answer)}
        for n, name in enumerate(names)
        for question, answer in (("age", 20 + n), ("expert", ("no", "yes")[n % 4 == 1]), ("why", f"because {n}"))
    ]
    table = demographics(folder_of(participation=part, participants=answers))
    assert [[cell.replace("\u202f", " ") for cell in row] for row in table.rows] == [
        ["age", "M = 30.0, SD = 5.6, 21 to 39", "19", "–"],
        ["expert", "no", "14", "73.7%"],
        ["expert", "yes", "5", "26.3%"],
        ["why", "19 different answers", "19", "–"],
    ]


def test_times_are_missing_only_where_all_answers_are_simulated() -> None:
    made = browser_folder("raster", "raster")
    shown = made.tables["trials"]
    for simulated in (shown["session"] == "P0", True):
        study = replace(made, tables={**made.tables, "trials": shown.assign(simulated=simulated)})
        assert study.simulated
        assert (len(timing_sentences(study)) == 1) == (simulated is True)
