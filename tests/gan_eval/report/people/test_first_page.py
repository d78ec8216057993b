"""The first page: what stands on it, what is folded below, and the contact sheets of its pictures."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_reader import Page
from PIL import Image
from synthetic_study import make_study

from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.report import build, build_figures
from gan_eval.report.parts.blocks import RankedPicture, Ranking, Section, Table, without_empty_tables
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.answer import _parts_text, parts_sentences
from gan_eval.report.people.first_page import metrics_sentence, people_charts
from gan_eval.report.people.pictures import contact_sheet
from gan_eval.stats.answers.detection import DETECTION
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.paper import PAPER
from gan_eval.tables.frames import frame_of


def all_answered(study: Path, folder: Path) -> Path:
    """A copy for which nobody is awaited."""
    copy = Path(shutil.copytree(study, folder / "answered"))
    file = copy / OWN_FOLDER / "facts.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sessions": {"people": 5, "wanted": 5}}))
    return copy


def first_page(page: Page) -> str:
    """What is seen before anything is opened."""
    return page.source.partition("<main>")[2].partition('<details class="asked">')[0]


def test_one_page_has_verdict_figure_table_and_pictures_and_the_rest_is_folded(study, tmp_path):
    page = Page(build(all_answered(study, tmp_path), tmp_path / "report.html"))
    seen = first_page(page)
    marks = ['class="lead"', 'class="figures beside"', "Cite this", "fooled most", "fooled least", "Do metrics follow"]
    places = [seen.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "called real: " in seen
    assert "the verdict by the crossed mixed model, the other intervals by clustering" in page.words
    assert len(re.findall("<figure", seen)) == 1
    folded = [found for tag, found in page.tags if tag == "details" and found.get("class") == "asked"]
    assert len(folded) == len(page.sections()) - 1
    assert not any("open" in found for found in folded)
    table = seen[seen.index("Cite this") :].partition("</table>")[0]
    assert re.search(r">\d+\.\d \[\d+\.\d,\u00a0\d+\.\d\]<", table), "no line ends within an interval"


def test_while_people_are_awaited_there_is_no_verdict_and_nothing_to_cite(study_page):
    seen = first_page(study_page)
    assert "Interim: no verdict (5 of 9 sessions)." in seen
    assert "Cite this" not in seen
    assert "by guessing" not in seen
    assert "told real from generated" not in study_page.words


@pytest.mark.slow
def test_a_rehearsal_shows_the_whole_page_and_nothing_to_cite(tmp_path):
    page = Page(build(make_study(tmp_path / "s", simulated=True, datasets=("facades",)), tmp_path / "report.html"))
    seen = first_page(page)
    assert "7 simulated participants told real from generated pictures" in seen
    assert "A rehearsal, not to cite" in seen
    assert "Cite this" not in seen
    assert "Interim: 0 of 9 sessions (7 simulated)" in page.words


def part(share, low, high, verdict):
    ends = {"balanced_accuracy": share, "balanced_accuracy_low": low, "balanced_accuracy_high": high}
    return ends | {"verdict": verdict, "protocol": "single"}


def test_each_model_has_the_verdict_that_holds_after_holm():
    few = [("A", part(0.6, 0.51, 0.69, "undecided")), ("B", part(0.7, 0.6, 0.8, "different"))]
    text = _parts_text("model", few).replace("\u202f", " ")
    assert "A 60.0 % (51.0 to 69.0 %), undecided; B 70.0 % (60.0 to 80.0 %), told apart" in text
    many = [*few, ("C", part(0.5, 0.47, 0.53, "equivalent")), ("D", part(0.4, 0.3, 0.45, "different"))]
    assert _parts_text("model", many) == (
        "By model, undecided: A; told apart: B; as by guessing: C; taken for each other: D."
    )


def test_the_figure_has_the_models_in_the_order_of_the_table_to_cite():
    rows = [
        {"protocol": "single", "model": model, "dataset": "d", "n_participants": 9, "fooling_rate": rate,
         "fooling_rate_low": rate - 0.1, "fooling_rate_high": rate + 0.1, "n_real_stimuli": 8, "n_trials": 90}
        for model, rate in (("a", 0.3), ("b", 0.6), ("c", 0.5))
    ]  # fmt: skip
    tables = {"paper": frame_of(rows, PAPER)}
    folder = StudyFolder(Path(), None, {}, tables, stimuli={}, training={}, published={})
    (chart,) = people_charts(folder)
    assert re.findall("([a-z]): ", chart.alternative) == ["a", "b", "c"]


def test_exposures_have_no_verdict_but_their_intervals():
    rows = [("100 ms", part(0.52, 0.45, 0.6, None)), ("500 ms", part(0.7, 0.6, 0.8, None))]
    text = _parts_text("exposure", rows)
    assert "as guesses may be; 500 ms" in text
    assert "told apart" not in text


def test_nothing_is_said_of_intervals_that_there_are_not():
    none = [(f"{exposure} ms", part(0.6, np.nan, np.nan, None)) for exposure in (50, 100, 200, 400)]
    assert _parts_text("exposure", none) == ""
    surely, perhaps = ("500 ms", part(0.7, 0.6, 0.8, None)), ("600 ms", part(0.5, 0.4, 0.6, None))
    said = [
        _parts_text("exposure", rows).replace("\u202f", " ")
        for rows in ([*none[:2], surely, surely], [*none, surely], [*none[:1], surely, perhaps, surely])
    ]
    assert said == [
        "By exposure, none of the 2 intervals of what was judged rightly includes 50 %; 2 others have no interval.",
        "By exposure, the one interval of what was judged rightly does not include 50 %; 4 others have no interval.",
        "By exposure, of the intervals of what was judged rightly that of 600 ms includes 50 %; those of the other 2 "
        "do not; 1 other has no interval.",
    ]


def test_models_without_a_data_set_are_told_from_the_total():
    def said(*rows: tuple[str | None, str | None, float]) -> list[str]:
        frame = frame_of(
            [
                {"protocol": "single", "model": model, "dataset": dataset, "n_participants": 9, "n_fake_stimuli": 8,
                 "n_real_stimuli": 8, "n_trials": 90, "balanced_accuracy": share}
                for model, dataset, share in rows
            ],
            PAPER,
        )  # fmt: skip
        folder = StudyFolder(Path(), None, {}, {"paper": frame}, stimuli={}, training={}, published={})
        return [sentence.replace("\u202f", " ") for sentence in parts_sentences(folder)]

    assert said(("A", "d", 0.6), ("A", None, 0.7)) == [
        "Judged rightly by model: A on d 60.0 %; A on everything 70.0 %."
    ]
    assert said(("A", "d", 0.6), ("A", None, 0.7), ("B", "d", 0.8), (None, None, 0.65)) == [
        "Judged rightly by model: A on d 60.0 %; A on no data set 70.0 %; B on d 80.0 %."
    ]
    assert said(("A", "d", 0.6), ("B", "d", 0.8), (None, "d", 0.7)) == ["Judged rightly by model: A 60.0 %; B 80.0 %."]


def test_tables_without_a_value_are_one_sentence():
    head = ["model", "n", "estimate", "p"]
    sections = [
        Section("a", "A", [Table("Mixed models", head, [["x", "12", "–", "–"], ["y", "0", "–", "–"]])]),
        Section("b", "B", [Table("Rates", head, [["x", "12", "1.5", "–"], ["y", "3", "–", "–"]])]),
    ]
    (without, kept), empty = without_empty_tables(sections)
    assert empty == ["Mixed models"]
    assert without.blocks == ()
    (table,) = kept.blocks
    assert isinstance(table, Table)
    assert table.head == ["model", "n", "estimate"]
    assert table.rows == [["x", "12", "1.5"]]
    assert table.notes == ["1 row without a value is left out; the file holds it."]


def held(*rows: tuple[str, float, float | None, float | None], better: str | None = None, p: float = 0.01) -> str:
    """What is said of correlations: metric, Spearman within models, ends of the interval; `better` leads the others."""
    cells = [
        {"level": "stimulus", "dataset": "maps", "metric": metric, "measure": "fooling_rate", "n": 40}
        | {"spearman": 0.9, "ci_low": 0.8, "ci_high": 0.95}  # pooled: differences between models
        | {"within": value, "within_low": low, "within_high": high, "within_p_holm": p}
        for metric, value, low, high in rows
    ]
    others = [metric for metric, *_ in rows if metric != better]
    leads = [
        {"level": "stimulus", "dataset": "maps", "metric_a": better, "metric_b": other, "measure": "fooling_rate"}
        | {"n": 40, "follows_better": better}
        for other in others
        if better
    ]
    tables = {"correlations": frame_of(cells, CORRELATIONS)}
    tables |= {"correlation_differences": frame_of(leads, CORRELATION_DIFFERENCES)} if leads else {}
    folder = StudyFolder(Path(), None, {}, tables, stimuli={}, training={}, published={})
    return metrics_sentence(folder).replace("\u202f", " ").replace("\u2212", "-")


def test_a_metric_follows_people_only_where_its_interval_says_so():
    assert held() == ""
    assert "On maps none is shown to (PSNR: Spearman 0.07, 95 % interval -0.20 to 0.30" in held(
        ("psnr", 0.07, -0.2, 0.3)
    )
    assert "On maps it does (PSNR: Spearman 0.50" in held(("psnr", 0.5, 0.2, 0.7))
    assert "too few pictures to say (n = 40)" in held(("psnr", 0.5, None, None))
    assert "none is shown to" in held(("niqe", 0.5, 0.2, 0.7))  # lower is better: it runs against people
    assert "NIQE does, better than each of the others" in held(
        ("psnr", 0.2, 0.1, 0.4), ("niqe", -0.6, -0.8, -0.4), better="niqe"
    )
    assert "PSNR and NIQE do; highest is NIQE" in held(("psnr", 0.2, 0.1, 0.4), ("niqe", -0.6, -0.8, -0.4))
    assert "On maps none is shown to (PSNR: Spearman 0.50" in held(("psnr", 0.5, 0.2, 0.7), p=0.06)


def test_metrics_are_held_against_grades_too():
    row = {
        "level": "stimulus",
        "dataset": "maps",
        "n": 40,
        "within_low": 0.2,
        "within_high": 0.7,
        "within_p_holm": 0.01,
    }
    rows = [
        row | {"metric": metric, "measure": measure, "within": value}
        for metric, measure, value in (
            ("psnr", "fooling_rate", 0.4), ("ssim", "fooling_rate", 0.3), ("psnr", "mean_grade", 0.5),
            ("ssim", "mean_grade", 0.6),
        )
    ]  # fmt: skip
    lead = {"level": "stimulus", "dataset": "maps", "metric_a": "psnr", "metric_b": "ssim", "n": 40}
    leads = [lead | {"measure": "fooling_rate", "follows_better": "psnr"}, lead | {"measure": "mean_grade"}]
    tables = {
        "correlations": frame_of(rows, CORRELATIONS),
        "correlation_differences": frame_of(leads, CORRELATION_DIFFERENCES),
    }
    said = metrics_sentence(StudyFolder(Path(), None, {}, tables, stimuli={}, training={}, published={}))
    of_answers, of_grades = said.split("Do metrics follow people's grades, picture by picture of a model?")
    assert of_answers.startswith("Do metrics follow people, picture by picture of a model? On maps PSNR does, better")
    assert "PSNR and SSIM do; highest is SSIM: Spearman 0.60" in of_grades
    assert "that it leads is not shown" in of_grades


def test_what_describes_the_input_does_not_follow_people():
    words = held(("psnr", 0.4, 0.2, 0.6), ("label_information", 0.7, 0.5, 0.8), better="psnr")
    assert "On maps it does (PSNR: Spearman 0.40" in words
    assert "abel" not in words
    assert held(("label_information", 0.7, 0.5, 0.8)) == ""


def ranked(folder: Path, sides: list[tuple[int, int]]) -> Ranking:
    rng = np.random.default_rng(0)
    pictures = []
    for place, (height, width) in enumerate(sides):
        Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8)).save(folder / f"{place}.png")
        caption = f"called real: {10 * place}\u202f% of 10"
        pictures.append(RankedPicture(f"d/m/{'long' * 30}{place}", caption, "", source=(folder, f"{place}.png")))
    return Ranking("Fooled", pictures)


def test_a_contact_sheet_shows_each_picture_in_whole_pixels(tmp_path):
    ranking = ranked(tmp_path, [(256, 256), (100, 200), (2000, 1000), (64, 64)])
    data = contact_sheet(ranking)
    assert data == contact_sheet(ranking)
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    assert sheet.shape[1] >= 1500
    with Image.open(tmp_path / "0.png") as first:
        doubled = np.kron(np.asarray(first), np.ones((2, 2, 1), np.uint8))
    rows, columns = np.nonzero((sheet[:, : 36 + 512] == doubled[0, 0]).all(-1))
    assert any(
        (sheet[row : row + 512, column : column + 512] == doubled).all()
        for row, column in zip(rows, columns, strict=True)
        if row + 512 <= len(sheet) and column == 36
    )


@pytest.mark.slow
def test_pictures_of_sets_elsewhere_are_on_the_page_and_on_contact_sheets(study, tmp_path):
    copy = all_answered(study, tmp_path)
    sets = [shutil.move(place, tmp_path / place.name) for place in sorted((copy / "stimuli").iterdir())]
    page = Page(build(copy, tmp_path / "without.html"))
    assert "fooled most" not in first_page(page)
    page = Page(build(copy, tmp_path / "with.html", stimuli=[Path(place) for place in sets]))
    assert first_page(page).count("<img") == 12
    names = {path.name for path in build_figures(copy, tmp_path / "figures", stimuli=[Path(place) for place in sets])}
    assert {"fooled_most.png", "fooled_least.png", "doubted.png", "people-single.svg"} <= names


@pytest.mark.slow
def test_models_are_ranked_by_strength_in_one_sentence(tmp_path):
    from test_other_answers import page_of

    rows = [
        {"participant": f"P{person}", "stimulus": f"d/{a}/{item}", "stimulus_b": f"d/{b}/{item}", "dataset": "d"}
        | {"kind": None, "response": None, "protocol": "model_vs_model", "model": f"{a}|{b}"}
        | {"choice": "b" if (item + person) % 8 == 0 else "a"}
        for person in range(8)
        for a, b in (("one", "two"), ("two", "three"), ("one", "three"))
        for item in range(12)
    ]
    page = page_of(pd.DataFrame(rows).to_dict("records"), tmp_path)
    assert "one looked most real on d, then two, then three; every step of this is shown" in page.words


def test_of_several_metrics_the_one_that_is_named_is_the_highest():
    words = held(("psnr", 0.07, -0.2, 0.3), ("ssim", 0.11, -0.1, 0.3))
    assert "On maps none is shown to (highest: SSIM: Spearman 0.11, 95 % interval" in words


def test_no_line_ends_between_a_number_and_its_sign(study_page):
    assert not re.search(r"\d %", study_page.source.partition("</style>")[2])


def test_intervals_without_a_model_are_drawn_with_their_own_basis():
    fooled = {"n_participants": 9, "fooling_rate": 0.2, "fooling_rate_low": 0.1, "fooling_rate_high": 0.3}
    clustered = {"scope": "all", "id": "all", "n_real": 45, "n_fake": 45, "basis": "two_way_cluster"}
    tables = {
        "paper": frame_of([{"protocol": "single", "n_real_stimuli": 8, "n_trials": 90, **fooled}], PAPER),
        "detection": frame_of([clustered], DETECTION),
    }
    (chart,) = people_charts(StudyFolder(Path(), None, {}, tables, stimuli={}, training={}, published={}))
    assert "by clustering by participant and by picture" in chart.caption
