"""The report reads columns, never words: with every note, name of a comparison and basis replaced, its numbers stay."""

import dataclasses

import pandas as pd
import pytest
from make_grades import simulated_grades
from make_trials import simulated, simulated_pairs
from synthetic_tables import folder_of

from gan_eval.report.figure_content import content_of
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import sensitivity_sentences
from gan_eval.report.people.comparisons import comparison_sentences, comparisons_section
from gan_eval.report.people.first_page import cited_table
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.analysis import analyze
from gan_eval.stats.trials import fill_trials
from gan_eval.tables.frames import conform

WORDS = ("note", "comparison", "basis")


def on_two_sets(**more: object) -> pd.DataFrame:
    """Answers on two data sets; one is called as a comparison is, and has one participant who says `fake` only."""
    parts = [
        simulated(participants=8, stimuli=16, each=16, models=("a", "b", "c"), seed=seed, **more).assign(dataset=name)
        for seed, name in enumerate(("maps", "x told apart on y"))
    ]
    for part in parts:
        part["stimulus"] = part["dataset"] + part["stimulus"]
        part["item"] = part["dataset"] + part["item"]
    whole = pd.concat(parts, ignore_index=True).drop(columns=["trial", "session", "correct"])
    return fill_trials(whole.assign(response=whole["response"].mask(whole["participant"] == "P01", "fake")))


STUDIES = {
    "single": on_two_sets(),
    "one participant": simulated(participants=1, stimuli=20, each=20, models=("a", "b")),
    "pairs": simulated_pairs(people=8, items=12, models=("a", "b")),
    "preferences": simulated_pairs(people=8, items=12, models=("a|b",), protocol="model_vs_model"),
    "grades": simulated_grades(people=6, items=10, with_reals=True),
}


def numbers_of(frames: dict[str, pd.DataFrame]) -> list[object]:
    """Return the report's text and figures, without the cells and lines that repeat a note or a name."""
    folder = folder_of(**frames)
    content = content_of(folder)
    assert content is not None
    tables = [block for block in comparisons_section(folder).blocks if isinstance(block, ShownTable)]
    return [
        list(answer_sentences(folder)),
        [table.rows for table in cited_table(folder)],
        [[row[1:] for row in table.rows] for table in tables],
        sensitivity_sentences(folder),
        comparison_sentences(folder),
        [dataclasses.asdict(entry) | {"participant_values": 0, "participant_rates": 0} for entry in content.entries],
        content.margin,
    ]


@pytest.mark.parametrize("name", STUDIES)
def test_no_number_or_verdict_depends_on_words(name: str) -> None:
    pairs = (("a", "b"),) if name == "single" else None
    plan = AnalysisSettings(margin=0.1, comparisons=pairs)
    frames = analyze(STUDIES[name], plan=plan, exclude_participants=["accuracy<0.4"], on_message=list)
    masked = {
        table: frame.assign(**{column: "x" for column in WORDS if column in frame}) for table, frame in frames.items()
    }
    for table in ("comparisons", "paper"):
        conform(masked[table], ALL_TABLES[table], where=table)  # a report of files reads it, too
    for before, after in zip(numbers_of(frames), numbers_of(masked), strict=True):
        assert str(after) == str(before)
