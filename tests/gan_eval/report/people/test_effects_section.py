"""The report's section of single participants and pictures, from tables alone."""

import numpy as np
import pytest
from synthetic_tables import NASTY, SCRIPT, folder_of

from gan_eval.report.page import render
from gan_eval.report.parts.blocks import Report, Section
from gan_eval.report.people.effects import effects_blocks

VISIBLE = (NASTY[0], *NASTY[2:])
SHARED = {"dataset": "faces", "measure": "called_fake", "effect_sd": 0.3, "link": "logit", "simulated": False}
SINGLE, PAIRS = "called_fake ~ kind + (1 + kind|participant) + (1|stimulus)", "right ~ 1 + (1|participant) + (1|item)"


def rows(*, people=5, pictures=120, models=("a",), intervals=True, formula=SINGLE):
    """A row for each participant (three, of single pictures) and picture; the first have the highest estimates."""
    found = []
    for model in models:
        kinds = ("fake", "real") if formula == SINGLE else (None,)
        shared = SHARED | {"model": model, "formula": formula}
        own = [("participant", f"Anna{number}", number / people, kind) for number in range(people) for kind in kinds]
        own += [("participant", f"Anna{number}", number / people, None) for number in range(people)] * (
            formula == SINGLE
        )
        own += [("stimulus", f"faces/{kind}/{k}", k / pictures, kind) for k in range(pictures) for kind in kinds]
        for scope, name, share, kind in own:
            at = 0.8 - 0.6 * share
            cells = {"scope": scope, "id": name, "kind": kind, "n": 20, "observed": 1 - share, "estimate": at}
            if intervals:
                cells |= {"estimate_low": at - 0.1, "estimate_high": at + 0.1}
            else:
                cells["note"] = "no interval, it would be too narrow"
            measure = {} if kind else {"measure": "accuracy"}
            found.append(shared | cells | measure)
    return found


def blocks_of(effects):
    return Section("participants", "Participants", effects_blocks(folder_of(effects=effects)))


def section(**given):
    return blocks_of(rows(**given))


@pytest.mark.slow
def test_participants_are_numbered_by_rank_and_pictures_ordered_by_estimate():
    found = section()
    charts, people = found.blocks
    of_people, of_pictures = charts.charts
    assert (len(of_people.figures), len(of_pictures.figures)) == (1, 2)
    (axes,) = of_pictures.figures[0].axes
    assert next(text.get_text() for text in axes.get_yticklabels()) == "1"
    estimates = np.asarray(axes.lines[-1].get_xdata())
    assert (np.diff(estimates) < 0).all()
    sizes = [text.get_fontsize() for text in axes.get_xticklabels() + axes.get_yticklabels()]
    assert min(*sizes, axes.xaxis.label.get_fontsize()) >= 7
    assert people.rows == [["a on faces", "5", *people.rows[0][2:]]]
    assert people.rows[0][-1] == "2"
    assert "Anna" not in render(Report("title", [], [found]))


def test_without_intervals_the_note_says_why():
    charts, people = section(intervals=False, pictures=8).blocks
    assert "A note below the table says why" in charts.charts[0].caption
    assert people.notes[-1] == "a on faces: no interval, it would be too narrow"


def test_pairs_have_right_answers():
    charts, people = section(formula=PAIRS, pictures=8).blocks
    assert charts.charts[0].title == "Participants: a on faces, in pairs"
    assert charts.charts[0].figures[0].axes[0].get_xlabel() == "correct answers, %"
    assert people.rows[0][1] == "5"


def test_of_many_models_the_first_are_drawn():
    charts, people = section(models=(*VISIBLE, SCRIPT, *"abcd"), pictures=3, people=2).blocks
    assert len(charts.charts) == 12
    assert len(people.rows) == 8
    assert "<script>" not in render(Report("title", [], [section(models=(SCRIPT, "$a$"), pictures=3, people=2)]))


def test_pictures_that_do_not_differ_are_said_in_a_sentence() -> None:
    same = [row | {"estimate": 0.5} if row["scope"] == "stimulus" else row for row in rows()]
    charts, lines, *tables = blocks_of(same).blocks
    assert [chart.title for chart in charts.charts] == ["Participants: a on faces"]
    assert lines.lines == [
        "No differences between the pictures of a on faces were found: their variance is estimated as 0."
    ]
    assert [table.caption for table in tables] == ["Participants"]
