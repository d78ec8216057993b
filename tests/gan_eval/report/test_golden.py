"""The reports' text, word by word: two pages and sentences of unusual cases, compared with reviewed files.

    GAN_EVAL_GOLDEN=write pytest tests/gan_eval/report/test_golden.py

rewrites `golden/`; review the difference, and commit it with what changed it. Words must be equal, numbers up to one
unit in their last decimal. Other tests look for numbers, verdicts, tables and identifiers, not for sentences.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from answers_of_people import (
    BROWSERS,
    browser_folder,
    grades,
    held,
    judged,
    pairs,
    participation,
    stairs,
    study_of_two_levels,
)
from page_reader import Page
from synthetic_metrics import frames_of, of_sets, values
from synthetic_tables import cited, folder_of, models, rates, told_apart

from gan_eval.judgements.trials import fill_trials
from gan_eval.report.metrics.answer import dataset_answer
from gan_eval.report.metrics.summaries import Measured
from gan_eval.report.parts.blocks import Lines, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import (
    answer_sentences,
    grade_sentences,
    models_compared,
    preference_sentences,
    row_sentences,
    threshold_sentences,
)
from gan_eval.report.people.caveats import badges, caveats, sensitivity_sentences
from gan_eval.report.people.comparisons import comparisons_section
from gan_eval.report.people.curves import confidence_section, psychometric_blocks
from gan_eval.report.people.first_page import cited_table
from gan_eval.report.people.methods import design_text, paper_methods, size_on_screen
from gan_eval.report.people.participants import left_out_text, participation_sentences, timing_sentences
from gan_eval.report.sections import study_report
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study, StudySettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.questions import CHOSEN
from gan_eval.stats.tables.rates import rates as rates_of
from gan_eval.tables import SESSIONS
from gan_eval.tables.frames import Row
from gan_eval.tables.names import NOT_KNOWN

GOLDEN = Path(__file__).with_name("golden")
CHANGING = re.compile(r"(?<=gan_eval )\d[\w.+]*\b|(?<=Version )[\d.]+|\b[0-9a-f]{12}\b|\d[\d ]* k?B$")
"""Versions, hashes and sizes of files."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def require_golden(name: str, lines: Iterable[str]) -> None:
    """Compare lines with the file `golden/NAME.txt`, or write it."""
    file = GOLDEN / f"{name}.txt"
    found = [CHANGING.sub("…", re.sub(r"\s+", " ", line)) for line in lines]
    if os.environ.get("GAN_EVAL_GOLDEN") == "write":
        file.write_text("\n".join([*found, ""]), encoding="utf-8")
    wanted = file.read_text(encoding="utf-8").splitlines()
    changed = [line for line in difflib.ndiff(wanted, found) if line[0] in "+-"]
    removed, added = ([line[2:] for line in changed if line[0] == sign] for sign in "-+")
    is_equal = len(removed) == len(added) and all(map(same, removed, added))
    assert is_equal, f"{file}: if this is meant, write it anew as {Path(__file__).name} says\n" + "\n".join(changed)


def same(one: str, other: str) -> bool:
    """Return True if lines have the same words and numbers that differ by at most one unit of the last decimal."""
    numbers = zip(NUMBER.findall(one), NUMBER.findall(other), strict=False)
    return NUMBER.sub("#", one) == NUMBER.sub("#", other) and all(
        abs(float(a) - float(b)) <= ("." in a) * 1.01 * 10.0 ** -len(a.partition(".")[2]) for a, b in numbers
    )


@pytest.mark.parametrize("name", ["study_page", "filled_page", "tables_page", "metrics_page"])
def test_a_page_reads_as_reviewed(name: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(name)
    require_golden(name.removesuffix("_page"), page.content)


def answer(*rows: dict[str, object], paper: Sequence[dict[str, object]] = ()) -> Iterable[str]:
    """Return the answer from these rows of `comparisons` and of the table to cite."""
    return answer_sentences(folder_of(rates=[rates()], paper=paper, comparisons=rows))


def of_one(**cells: object) -> Iterable[str]:
    """Return the answer from a single row of the table to cite."""
    return answer(told_apart(exploratory=False), paper=[cited(**cells)])


def as_text(*tables: object) -> list[str]:
    """Return the rows of tables and their notes."""
    lines = []
    for table in tables:
        assert isinstance(table, ShownTable)
        head = [column if isinstance(column, str) else column.name for column in table.head]
        lines += [" | ".join(map(str, row)) for row in (head, *table.rows)] + list(table.notes)
    return lines


FAR = {"accuracy": 0.7, "accuracy_low": 0.65, "accuracy_high": 0.75, "p": 0.0001, "p_holm": 0.0002}
ALL = {"model": "all", "dataset": "all"}
UNDECIDED = [cited(model=f"m{n}", verdict="undecided", p=0.02 * (n + 1), p_holm=0.08) for n in range(4)]
VERDICTS = ("different", "undecided", "equivalent")
GRADES = {
    "comparison": "x", "question": "grades", "dataset": "d", "measure": "mean_grade", "ci_low": -2.0, "ci_high": -1.2,
    "p_holm": 0.002, "difference": -1.6,
}  # fmt: skip
SMALL = {"difference": 0.1, "ci_low": -0.4, "ci_high": 0.6}
CHOICES = {"comparison": "x", "question": "preference", "dataset": "d", "measure": CHOSEN, "a": "m", "difference": 0.2}
ONE_SIDED = {
    "comparison": "x", "question": "detection", "sensitivity": "one answer only", "measure": "called_fake", "a": "fake",
    "b": "real", "difference": 0.34, "ci_low": 0.2, "ci_high": 0.48,
}  # fmt: skip
COUNTS = {"scope": "participant", "n_real": 10, "n_fake": 10, "n_none": 0}
PEOPLE = [
    COUNTS | {"id": name, "hits": n, "false_alarms": n, "misses": 10 - n, "correct_rejections": 10 - n}
    for name, n in (("P1", 4), ("P2", 10), ("P3", 0))
]


def preferences() -> Iterable[str]:
    """The sentences on choices, and those of a study that asks which picture fits the text."""
    folder = folder_of(comparisons=[CHOICES | {"b": verdict[0], "verdict": verdict} for verdict in VERDICTS[:2]])
    quiz = QuizSettings(protocol="model_vs_model", question="fits", show_caption=True)
    asked = replace(folder, study=Study(study=StudySettings(name="s"), quiz=quiz))
    return [*preference_sentences(folder), *preference_sentences(asked), design_text(asked, quiz)]


def analysed(rows: list[dict[str, object]]) -> StudyFolder:
    trials = fill_trials(pd.DataFrame(rows))
    return folder_of(**analyze(trials), trials=trials)


def page(folder: StudyFolder) -> Iterable[str]:
    """The answer, the notes of the table to cite, the caveats and the Methods."""
    notes = [str(note) for table in cited_table(folder) for note in table.notes]
    return [*answer_sentences(folder), *notes, *caveats(folder), *paper_methods(folder).split("\n")]


COUNTED = [row | {"participant": NOT_KNOWN} for row in judged(["real", "fake"], 3)]
ALL_EQUAL = [row | {"rating": 3, "simulated": False} for row in grades()]
ONE_SIDE = [
    row | {"position": {"a": "left"}.get(str(row["choice"]), "right")} for row in pairs("paired", "m", "ab" * 8)
]
ALWAYS = [row for both in ("x|y", "y|z") for row in pairs("model_vs_model", both, "a" * 8)]
THREE_MODELS = [row for both in ("x|y", "x|z", "y|z") for row in pairs("model_vs_model", both, "a" * 13 + "b" * 3)]
WIDE_SCALE = [
    row | {"participant": f"{row['participant']}{more}", "rating": 20 * int(str(row["rating"])) + more + index}
    for more in range(3)
    for index, row in enumerate(grades())
]


def interim() -> Iterable[str]:
    """The answer while people are missing: there is nothing to cite."""
    waiting = {"sessions": {"people": 5, "wanted": 9}}
    folder = folder_of(paper=[cited()], rates=[rates()], comparisons=[told_apart()], facts=waiting)
    assert cited_table(folder) == []
    return [*answer_sentences(folder), *badges(folder)]


def some_simulated() -> Iterable[str]:
    """The titles of reports in which some, and all, participants are simulated."""
    trials = pd.DataFrame({"participant": [f"P{n}" for n in range(12)], "simulated": [n < 3 for n in range(12)]})
    trials = fill_trials(trials.assign(stimulus="d/1", kind="real", response="real", dataset="d"))
    for each in (trials, trials.assign(simulated=True)):
        yield study_report(folder_of(rates=rates_of(trials), trials=each)).title


def psychometric_lines() -> Iterable[str]:
    """Why two levels give no curve, and confidences of one word no ROC."""
    cells = ({"requested_exposure_ms": level, "confidence": 3} for level in 32 * (100.0, 500.0))
    rows = [row | more for row, more in zip(judged(["real", "fake"], 8), cells, strict=True)]
    folder = analysed(rows)
    blocks = [*psychometric_blocks(folder), *confidence_section(folder).blocks]
    return [line for block in blocks if isinstance(block, Lines) for line in block.lines]


def degrees() -> Iterable[str]:
    """The size of pictures on two screens."""
    study = Study.model_validate({"study": {"name": "s"}, "quiz": {"picture_size": "8 deg"}})
    seen = {"picture_width_px": [288, 510], "picture_width_deg": [8.004, 7.997], "pixels_per_degree": [36.0, 63.67]}
    sessions = pd.DataFrame(dict.fromkeys(SESSIONS.names, [None, None])).assign(**seen)
    return size_on_screen(folder_of(study=study, sessions=sessions))


def best(rows: list[Row]) -> Iterable[str]:
    """Return the sentences on the models of these values."""
    return dataset_answer(Measured(frames_of(rows)), "houses")


SHARP = [
    row | {"metric": "sharpness", "value": -float(str(row["value"]))} for row in values() if row["metric"] == "psnr"
]


CASES: dict[str, Callable[[], Iterable[str]]] = {
    "equivalent": of_one,
    "undecided": lambda: of_one(verdict="undecided"),
    "within the margin": lambda: of_one(verdict="told apart"),
    "told apart, exploratory": lambda: of_one(
        **FAR, verdict="told apart", accuracy90_high=0.74, exploratory=True
    ),
    "below chance": lambda: of_one(verdict="below chance", accuracy90_low=0.2),
    "one person, no interval": lambda: of_one(verdict="undecided", accuracy_low=None, n_participants=1),
    "no verdict": lambda: of_one(verdict="no verdict", note="only generated pictures were judged", accuracy=None),
    "average of models": lambda: of_one(model="all"),
    "no name of a model": lambda: of_one(model=None),
    "a model called generated": lambda: of_one(model="generated"),
    "undecided pairs": lambda: of_one(protocol="paired", verdict="undecided"),
    "many rows": lambda: answer(paper=[cited(model=f"m{n}", dataset=f"d{n % 2}") for n in range(9)] + [cited(**ALL)]),
    "a row of many": lambda: row_sentences(
        folder_of(paper=[cited(model=f"m{n}", dataset=f"d{n % 2}") for n in range(2)])
    ),
    "Holm's family": lambda: answer(
        paper=[*UNDECIDED[:3], UNDECIDED[3] | {"p": 0.08}, cited(**ALL, verdict="told apart", p=0.001, p_holm=0.001)]
    ),
    "pairs of models": lambda: answer(
        told_apart(),
        models("a", "b"),
        models("a", "c", difference=0.01, ci_low=-0.02, ci_high=0.04, p_holm=0.4, verdict="equivalent", margin=0.05,
               margin_exploratory=True),
        models("b", "c", difference=0.02, ci_low=-0.1, ci_high=0.14, p_holm=0.7, verdict="undecided", margin=0.05,
               simultaneous_low=-0.2, simultaneous_high=0.24),
    ),
    "nothing to compare": lambda: [
        sentence
        for dataset, rate in (("maps", 0.0), (None, 0.0), ("maps", 1.0))
        for sentence in models_compared(
            folder_of(
                paper=[cited(model=name, dataset=dataset, fooling_rate=rate) for name in ("a", "b")],
                comparisons=[models("a", "b", dataset=dataset)],
            )
        )
    ],
    "interim": interim,
    "one participant": lambda: of_one(verdict="no verdict", **ALL, n_participants=1, untested="one participant"),
    "constant answers": lambda: of_one(
        verdict="no verdict", **ALL, untested="constant answers", note="one participant alone gave both answers"
    ),
    "one answer only": lambda: [
        sentence
        for untested in ({}, {"untested": "one participant"})
        for sentence in sensitivity_sentences(folder_of(rates=PEOPLE, comparisons=[ONE_SIDED | untested]))
    ],
    "table of differences": lambda: as_text(
        *comparisons_section(
            folder_of(
                comparisons=[
                    told_apart(),
                    models("b", "a", check_p=0.02, margin=0.05, ci90_low=-0.18, ci90_high=-0.06, basis="crossed_model"),
                    models("c", "a", basis="two_way_cluster"),
                    *(models("d", name, simultaneous_low=low, simultaneous_high=high)
                      for name, low, high in (("e", -1.0, -1e-9), ("f", 1e-9, 1.0), ("g", -0.1, 0.0))),
                ]
            )
        ).blocks[-1:]
    ),
    "metrics that follow people": lambda: [
        held(("psnr", 0.07, -0.2, 0.3)),
        held(("psnr", 0.5, 0.2, 0.7)),
        held(("psnr", 0.07, -0.2, 0.3), ("ssim", 0.11, -0.1, 0.3)),
        held(("psnr", 0.5, None, None)),
        held(("psnr", None, None, None)),
        held(("niqe", 0.5, 0.2, 0.7)),  # lower is better: it runs against people
        held(("psnr", 0.2, 0.1, 0.4), ("niqe", -0.6, -0.8, -0.4), better="niqe"),
        held(("psnr", 0.2, 0.1, 0.4), ("niqe", -0.6, -0.8, -0.4)),
        held(("psnr", 0.5, 0.2, 0.7), p=0.06),
        held(("psnr", 0.4, 0.2, 0.6), ("label_information", 0.7, 0.5, 0.8), better="psnr"),  # of the input: left out
    ],
    "grades": lambda: grade_sentences(
        folder_of(
            comparisons=[
                GRADES | {"a": "fake", "b": "real", "verdict": "different"},
                GRADES | SMALL | {"a": "m", "b": "n", "verdict": "undecided"},
                GRADES | {"a": "fake", "b": "real", "verdict": "different", "measure": "higher_grade"},
                GRADES | {"a": "m", "b": "o", "difference": 1.6, "ci_low": 1.2, "ci_high": 2.0, "verdict": "different"},
                *(GRADES | {"a": "m", "b": word[0], "verdict": word, "exploratory": True} for word in VERDICTS),
            ]
        )
    ),
    "simulated grades": lambda: answer_sentences(analysed(grades())),
    "choices": lambda: answer_sentences(analysed(pairs("model_vs_model", "one|two", "a" * 3 + "b" * 17))),
    "preferences": preferences,
    "a staircase": lambda: answer_sentences(analysed(stairs())),
    "QUEST+": lambda: threshold_sentences(
        folder_of(
            thresholds=[
                {"session": person, "participant": person, "block": 1, "dataset": "d", "protocol": "quest_plus"}
                | {"answers": 50, "threshold_ms": threshold}
                for person, threshold in (("P1", 180.0), ("P2", 220.0), ("P3", None))
            ]
        )
    ),
    "one kind of picture": lambda: page(analysed(judged(["fake"], 3))),
    "one picture": lambda: page(analysed(judged(["real"], 1)[:1])),
    "one real picture": lambda: page(
        analysed([row for row in judged(["real", "fake"], 3) if row["stimulus"] not in ("d/real/1", "d/real/2")])
    ),
    "one picture of each kind": lambda: page(analysed(judged(["real", "fake"], 1))),
    "no trial answered": lambda: page(analysed(judged(["real", "fake"], 2, "none"))),
    "counted answers": lambda: [*page(folder := analysed(COUNTED)), study_report(folder).title],
    "simulated answers": lambda: page(analysed(judged(["real", "fake"], 3, simulated=True))),
    "equal grades": lambda: page(analysed(ALL_EQUAL)),
    "choices of one person": lambda: answer_sentences(analysed(pairs("model_vs_model", "one|two", "aabab")[::2])),
    "choices of one side": lambda: page(analysed(ONE_SIDE)),
    "choices of one order": lambda: page(analysed(ALWAYS)),
    "choices of three models": lambda: page(analysed(THREE_MODELS)),
    "grades of one person": lambda: grade_sentences(analysed(grades()[:4])),
    "grades on a wide scale": lambda: page(analysed(WIDE_SCALE)),
    "no curve": psychometric_lines,
    "who took part": lambda: participation_sentences(participation()),
    "everything excluded": lambda: participation_sentences(participation(quick=("P0", "P3"), rule=True)),
    "no answer counts": lambda: [
        line
        for asked in ({}, {"protocol": "paired", "response": None, "kind": None, "choice": "a"})
        for line in answer_sentences(participation(quick=("P0", "P1", "P2", "P3", "P4"), rule=True, **asked))
    ],
    "no answer yet": lambda: answer_sentences(participation(response="none", rule=True)),
    "excluded by": lambda: [
        left_out_text(participation(rule=True, beyond=beyond, planned=planned))
        for planned, beyond in ((True, ()), (True, ("participant=P3",)), (False, ()))
    ],
    "browsers": lambda: [
        *timing_sentences(browser_folder(*BROWSERS)),
        *(line for folder in (BROWSERS, ("browser", "raster"), ("raster", "raster"))
          for line in caveats(browser_folder(*folder)) if "browser" in line),
    ],
    "methods": lambda: paper_methods(study_of_two_levels()).split("\n"),
    "methods of the crossed model": lambda: paper_methods(
        folder_of(
            rates=[rates()],
            comparisons=[told_apart(a="x", p=0.01, p_holm=0.02), told_apart(p=0.02, p_holm=0.02)],
        )
    ).split("\n"),
    "degrees": degrees,
    "some simulated": some_simulated,
    "best by metrics": lambda: [
        *best(values({"clear": 3.0, "middling": 0.0})),
        *best(values({"clear": 3.0, "clear-raw": 2.0})),
        *best(values({"clear": 3.0, "middling": 0.0, "clear-raw": 3.0, "lone-raw": 1.0})),
        *best([row for row in values() if row["metric"] == "psnr"] + SHARP),
        *best(SHARP),  # nobody is the best by sharpness
        *(said for n, metrics in ((1999, ("fid", "kid")), (2000, ("fid", "kid")), (22, ("fid",)))
          for said in dataset_answer(Measured(of_sets(n, *metrics)), "houses")),
    ],
}  # fmt: skip
"""Sentences by what is unusual."""


def test_sentences_read_as_reviewed() -> None:
    lines = [line for name, said in CASES.items() for line in (f"# {name}", *said(), "")]
    require_golden("sentences", lines)
