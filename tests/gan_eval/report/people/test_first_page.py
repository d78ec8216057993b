"""The first page: what stands on it, and what is folded below."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from latex_pages import require_fits
from page_reader import Page
from synthetic_tables import cited, folder_of, models, rates, told_apart, write_tables

from gan_eval.report import write_report
from gan_eval.report.page import render
from gan_eval.report.parts.blocks import Report
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people import pictures
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.caveats import caveats, giveaway_lines
from gan_eval.report.people.first_page import first_page, metrics_sentence, models_latex, summary_of_models
from gan_eval.report.people.methods import paper_methods
from gan_eval.report.people.pictures import fooling_galleries, giveaways_tables
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import write_rows


def seen_first(page: Page) -> str:
    """Return the source that is visible before any section is opened."""
    return page.source.partition("<main>")[2].partition('<details id="details">')[0]


def test_the_open_page_has_result_figure_table_pairs_facts_and_methods_and_the_rest_is_folded(study_page):
    seen = seen_first(study_page)
    marks = ['class="lead"', 'class="drawing"', "Table 1. Discrimination by model", "Generated (left) and real (right)"]
    marks += ["<dt>Participants</dt>", "<dt>Caveats</dt>", "Methods, to copy into a paper", "BibTeX"]
    places = [seen.index(mark) for mark in marks]
    assert places == sorted(places)
    assert len(re.findall("<figure", seen)) == 1
    assert seen.count("<img") == 12, "six pairs"
    folded = [found for tag, found in study_page.tags if tag == "details" and found.get("class") == "asked"]
    assert len(folded) == len(study_page.sections()) - 1 <= 12
    assert not any("open" in found for found in folded)
    table = seen[seen.index("Table 1.") :].partition("</table>")[0]
    assert re.search(r">\d+\.\d \[\d+\.\d,\u00a0\d+\.\d\]<", table), "no line ends within an interval"


def test_six_pairs_and_the_metrics_are_there_before_anybody_has_answered(study, tmp_path):
    for name in ("stimuli", "metrics"):
        shutil.copytree(study / name, tmp_path / name)
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    seen = seen_first(page)
    assert seen.count("<img") == 12
    assert "The pictures" in seen
    assert "PSNR" in seen
    assert "called real" not in seen


def test_pictures_are_ranked_by_what_is_sure_also_those_of_sets_that_lie_elsewhere(study, tmp_path, monkeypatch):
    shutil.copytree(study / "tables", tmp_path / "tables")
    folder = read_folder(tmp_path, stimuli=sorted((study / "stimuli").iterdir()))
    monkeypatch.setattr(pictures, "MIN_ANSWERS", 3)
    most, least = fooling_galleries(folder)
    judged = folder.scope("stimulus").query("n_fake >= 3").set_index("id")
    for gallery, bound in ((most, 1 - judged["fake_high"]), (least, judged["fake_low"] - 1)):
        names = [entry.lines[-1] for entry in gallery.entries]
        assert len(names) == 6
        assert all(picture for entry in gallery.entries for picture in entry.pictures)
        assert bound[names].tolist() == sorted(bound, reverse=True)[:6]


def test_a_rehearsal_shows_the_whole_page_and_nothing_to_cite(filled_page):
    seen = seen_first(filled_page)
    assert "Table 1." not in seen


def test_metrics_are_held_against_grades_too():
    shared = {"level": "stimulus", "dataset": "maps", "n": 40}
    row = shared | {"within_low": 0.2, "within_high": 0.7, "within_p_holm": 0.01}
    found = {("psnr", "fooling_rate"): 0.4, ("ssim", "fooling_rate"): 0.3, ("psnr", "mean_grade"): 0.5}
    found |= {("ssim", "mean_grade"): 0.6}
    rows = [row | {"metric": name, "measure": measure, "within": at} for (name, measure), at in found.items()]
    lead = shared | {"metric_a": "psnr", "metric_b": "ssim"}
    leads = [lead | {"measure": "fooling_rate", "follows_better": "psnr"}, lead | {"measure": "mean_grade"}]
    folder = folder_of(rates=[rates()], correlations=rows, correlation_differences=leads)
    assert "mean grades" in paper_methods(folder)
    said = metrics_sentence(folder)
    assert said.index("PSNR: Spearman 0.40") < said.index("SSIM: Spearman 0.60")


@pytest.fixture(scope="module")
def folder_of_16(study, tmp_path_factory) -> Path:
    """The folder of eight models on each of two data sets, with pictures and a metric."""
    folder = tmp_path_factory.mktemp("sixteen")
    names = [(f"a_model_{k}", dataset) for dataset in ("facades", "maps") for k in range(8)]
    verdicts = ["told apart", "undecided", "equivalent to chance", "below chance"] * 4
    paper = [cited(model=m, dataset=d, verdict=v) for (m, d), v in zip(names, verdicts, strict=True)]
    pairs = [models(a, b, dataset=d) for a, d in names for b, e in names if a < b and d == e]
    points = [
        {"stimulus": f"{d}/{m}/{k}", "item": f"{d}/{k}", "kind": "fake", "model": m, "dataset": d, "metric": "psnr"}
        | {"value": 20.0 + k}
        for m, d in names
        for k in range(9)
    ]
    correlations = [
        {"level": "stimulus", "dataset": d, "metric": "psnr", "measure": "fooling_rate", "n": 72, "within": 0.5}
        | {"within_low": 0.3, "within_high": 0.7, "within_p_holm": 0.01}
        for d in ("facades", "maps")
    ]
    judged = [rates(scope="stimulus", id=point["stimulus"]) for point in points]
    tables = {"comparisons": [told_apart(), *pairs], "rates": [rates(), *judged], "image_metrics": points}
    tables |= {"paper": [*paper, cited(model="all", dataset="all")], "correlations": correlations}
    for name, rows in tables.items():
        write_rows(rows, folder / "tables" / f"{name}.csv", ALL_TABLES.get(name, IMAGE_METRICS))
    shutil.copytree(study / "stimuli", folder / "stimuli")
    return folder


def test_many_models_are_grouped_by_verdict_and_each_has_its_sentence_in_a_fold(folder_of_16):
    folder = read_folder(folder_of_16)
    seen = render(Report("", [], [first_page(folder, list(answer_sentences(folder)))]))
    lead, _, rest = seen.partition("<figure")
    assert len(re.findall("<li>", lead)) <= 8
    grouped = [int(count) for count in re.findall(r"\((\d+) of 16\)", lead)]
    assert sum(grouped) == 16
    assert " 56 pairs of models" in lead
    table, _, fold = rest.partition("<details>")
    fold = fold.partition("</details>")[0]
    assert len(re.findall("<li>.*balanced accuracy =\xa0", fold)) == 17, "no line ends between = and its number"
    assert "Table 1. Discrimination by model" in table


def measured(page: Path, script: str, width: int, folder: Path) -> str:
    """Return the result of a script on a page in a browser's window."""
    changed = folder / "page.html"
    changed.write_text(page.read_text().replace("</body>", f"<script>document.title = {script}</script></body>"))
    command = ["chromium", "--headless=new", "--no-sandbox", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([*command, f"--window-size={width},2000", changed.as_uri()], capture_output=True, text=True)
    return re.search(r"<title>(.*)</title>", done.stdout)[1]


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
def test_what_is_open_fits_two_screens_with_16_rows(folder_of_16, tmp_path):
    page = write_report(folder_of_16, tmp_path / "report.html")
    assert 2000 < int(measured(page, "document.documentElement.scrollHeight", 1400, tmp_path)) <= 4000


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
@pytest.mark.parametrize("width", [680, 1000, 1400])
def test_table_1_breaks_no_model_name(tmp_path, width):
    rows = [cited(model=name) for name in ("generated", "context_encoder_large")]
    page = write_report(write_tables(tmp_path / "tables", paper=rows), tmp_path / "report.html")
    lines = """[...document.querySelectorAll(".cite tbody th")].map((cell) => {
      const text = document.createRange();
      text.selectNodeContents(cell);
      return text.getClientRects().length;
    })"""
    assert measured(page, lines, width, tmp_path) == "1,1"


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium")
@pytest.mark.parametrize("width", [1040, 1200, 1290, 1400])
def test_table_1_is_seen_whole_and_in_wide_windows_in_single_lines(tmp_path, width):
    many = cited(model="diffusion", dataset="photos", n_participants=200, n_answers=1772, p_holm=0.0001)
    rows = [cited(model="generated"), many | {"dprime_low": -0.11, "dprime_high": -0.01, "verdict": "below chance"}]
    page = write_report(write_tables(tmp_path / "tables", paper=rows), tmp_path / "report.html")
    hidden = "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.scroll'))"
    assert measured(page, hidden, width, tmp_path) == "0"
    lines = """[...document.querySelectorAll('.cite tbody td:not(:last-child)')].map((cell) => {
      const text = document.createRange();
      text.selectNodeContents(cell);
      return new Set([...text.getClientRects()].map(({top}) => Math.round(top))).size;
    }).reduce((most, found) => Math.max(most, found))"""
    if width > 1280:
        assert measured(page, lines, width, tmp_path) == "1"


def test_one_table_has_every_metric_and_the_fooling_rate_of_each_model(tmp_path):
    values = {("gan", "psnr"): 25.0, ("gan", "mine"): 1.5, ("l1", "psnr"): 27.0}
    measured = [
        {"stimulus": f"maps/{model}/1", "item": "maps/1", "kind": "fake", "model": model, "dataset": "maps"}
        | {"metric": metric, "value": value, "run": "r"}
        for (model, metric), value in values.items()
    ]
    paper = [cited(model="gan", fooling_rate=0.5), cited(model="l1", fooling_rate=0.25), cited(model="all")]
    folder = folder_of(image_metrics=measured, paper=paper)
    (table,) = summary_of_models(folder)
    assert [column if isinstance(column, str) else column.name[:4] for column in table.head] == [
        *("model", "PSNR", "mine", "Fool")
    ]
    shown = [[cell if isinstance(cell, str) else cell.value for cell in row] for row in table.rows]
    assert [row[0] for row in shown] == ["gan", "l1"]
    assert [row[-1] for row in shown] == ["50.0", "25.0"]
    assert shown[1][2] == "–", "not measured"
    text = models_latex(folder)
    require_fits(text, tmp_path)
    assert r"model & PSNR $\uparrow$, dB & " in text
    assert "\ngan & 25.0 & 1.50 & 50.0 \\\\\n &  &  & {}[42.0, 58.0] \\\\\n" in text
    assert "\nl1 & 27.0 & -- & 25.0 " in text
    assert "In brackets 95\\% intervals." in text
    assert "ehearsal" not in text
    rehearsed = folder_of(image_metrics=measured, paper=paper, facts={"sessions": {"simulated": 5}})
    assert "a rehearsal" in models_latex(rehearsed)


def test_a_model_without_a_data_set_is_named_alone():
    """Before: "gan on nan"."""
    row = {"stimulus": "gan/1", "item": "1", "kind": "fake", "model": "gan", "metric": "psnr", "value": 25.0}
    (line,) = [line for line in caveats(folder_of(image_metrics=[row])) if "trained" in line]
    assert line == "It is not known whether these models were trained on the pictures shown: gan."


def test_a_metric_without_a_value_has_its_reason_below_the_table():
    rows = [{"stimulus": "maps/gan/1", "item": "maps/1", "kind": "fake", "model": "gan", "dataset": "maps"}]
    rows = [row | {"metric": "psnr", "value": 25.0, "run": "r"} for row in rows]
    reason = "weights inception: not in the cache; `./run weights fetch inception`"
    sets = [{"model": "gan", "dataset": "maps", "n_real": 1, "n_fake": 1, "reason": reason, "run": "r"}]
    sets = [row | {"metric": metric} for metric in ("fid", "kid") for row in sets]
    (table,) = summary_of_models(folder_of(image_metrics=rows, set_metrics=sets))
    assert [cell.value for cell in table.rows[0][1:]] == ["25.0", "–", "–"]
    assert table.notes[-1] == f"– FID and KID: {reason}"


def test_the_audits_clues_are_a_caveat_and_a_table():
    row = {"dataset": "maps", "sort": "picture", "n_real": 9, "n_fake": 9, "real": "1", "fake": "2", "auc": 0.0}
    row |= {"ci_low": 0.0, "ci_high": 0.1, "verdict": "look"}
    rows = [row | {"model": model, "clue": "border_step"} for model in ("gan", "l1")]
    rows += [row | {"model": "gan", "clue": "format", "auc": 0.5, "verdict": "ok"}]
    folder = folder_of(giveaways=rows)
    (caveat,) = giveaway_lines(folder)
    assert "gan and l1 in border step" in caveat
    (table,) = giveaways_tables(folder)
    assert len(table.rows) == 2
    assert giveaway_lines(folder_of(giveaways=rows[2:])) == []
