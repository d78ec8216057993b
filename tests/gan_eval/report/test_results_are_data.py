"""The report reads columns, never words: with every note, name of a comparison and basis replaced, its numbers stay.

It shows a note whole: no part of one is left out because another section of the report says it.
"""

import dataclasses

import pandas as pd
import pytest
from make_grades import simulated_grades
from make_metrics import metric_of
from make_trials import simulated, simulated_pairs
from synthetic_metrics import sets
from synthetic_tables import folder_of

from gan_eval.judgements.trials import fill_trials
from gan_eval.metrics.catalogue import FID_WARNING
from gan_eval.report.figure_content import content_of
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.metrics.values import metric_tables
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.people.agreement import correlation_tables
from gan_eval.report.people.answer import answer_sentences, row_sentences
from gan_eval.report.people.caveats import sensitivity_sentences
from gan_eval.report.people.comparisons import comparison_sentences, comparisons_section
from gan_eval.report.people.first_page import cited_table
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.analysis import analyze
from gan_eval.tables import SET_METRICS
from gan_eval.tables.frames import conform, frame_of

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


def test_notes_are_shown_whole() -> None:
    """The notes: several studies, an exclusion, models pooled in a correlation, and an FID of few pictures."""
    trials = STUDIES["single"].assign(study=lambda each: each["participant"].map(lambda who: "ab"[who > "P04"]))
    fakes = trials.loc[trials["kind"] == "fake", "stimulus"].unique()
    images = metric_of(trials, {name: place % 7 for place, name in enumerate(fakes)})
    frames = analyze(trials, image_metrics=images, exclude=["stimulus=mapsreal/0"], on_message=list)
    fids = frame_of([row | {"note": FID_WARNING} for row in sets() if row["metric"] == "fid"], SET_METRICS)
    frames["set_metrics"] = fids
    notes = {note for frame in frames.values() if "note" in frame for note in frame["note"].dropna()}
    long, short = "; ".join(["x", *sorted(notes)]).replace("'", ""), "x"
    shown = {note: str(shown_with(note, frames)) for note in (long, short)}
    assert len(notes) > 5
    assert shown[short].count("x") > 5
    assert shown[long].replace(long, short) == shown[short]


def shown_with(note: str, frames: dict[str, pd.DataFrame]) -> list[object]:
    """Return tables and sentences of the report if every row has this note."""
    frames = {name: frame.assign(note=note) if "note" in frame else frame for name, frame in frames.items()}
    frames["paper"] = frames["paper"].assign(verdict=["no verdict", *frames["paper"]["verdict"][1:]])
    folder, measured = folder_of(**frames), Measured({"set_metrics": frames["set_metrics"]})
    sentences = [*answer_sentences(folder), *row_sentences(folder)]
    metrics = [table.footnotes for name in measured.datasets for table in metric_tables(measured, name)]
    return [cited_table(folder), comparisons_section(folder).blocks, correlation_tables(folder), sentences, metrics]
