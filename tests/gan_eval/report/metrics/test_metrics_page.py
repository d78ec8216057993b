import itertools
import math
import re
from pathlib import Path

import pytest
from page_reader import Page
from synthetic_metrics import QUALITY, SHA, frames_of, pictures_of, sets, values

from gan_eval.report import build_metrics_report
from gan_eval.tables import EXTERNAL_VALUES
from gan_eval.tables.frames import frame_of

EVIL = "<script>alert(1)</script>"


def built(frames, stimuli, tmp_path: Path, **options) -> Page:
    return Page(build_metrics_report(frames, stimuli, tmp_path / "report.html", **options))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    images = values()
    return frames_of(images, sets()), pictures_of(images, tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def page(material, tmp_path_factory) -> Page:
    return built(*material, tmp_path_factory.mktemp("page"))


def test_every_section_is_there_in_order_and_the_answer_first(page):
    assert page.sections() == [
        "answer", "values", "distributions", "differences", "extremes", "agreement", "methods",
    ]  # fmt: skip
    assert page.title == "Metrics of 3 models on houses"


def test_raw_sets_have_values_and_are_compared_with_nobody(tmp_path):
    models = {"clear": 3.0, "mid": 0.0, "clear-raw": 3.0, "mid-raw": 4.0}
    images = values(models)
    page = built(frames_of(images, sets(tuple(models))), pictures_of(images, tmp_path / "pictures"), tmp_path)
    assert page.title == "Metrics of 2 models on houses"
    parts = page.source.split('<section id="')
    naming = {part.partition('"')[0] for part in parts[1:] if "-raw" in part}
    assert naming <= {"values", "methods"}
    assert "mid-raw" in page.source.partition('<section id="values"')[2].partition("</section>")[0]
    assert "A model NAME-raw is the raw output of the generator NAME" in page.words


def test_headings_go_down_by_one_and_there_is_one_h1(page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_needed(page):
    for name in ("src", "href", "xlink:href"):
        assert all(value.startswith(("data:image/jpeg;base64,", "#")) for value in page.attributes(name)), name
    assert "script" not in {tag for tag, _ in page.tags}
    assert "@import" not in page.source


def test_identifiers_are_unique_and_references_meet_one(page):
    names = page.attributes("id")
    assert len(names) == len(set(names))
    targets = re.findall(r"url\(#([^)]+)\)", page.source)
    targets += [ref[1:] for ref in (*page.attributes("xlink:href"), *page.attributes("href")) if ref.startswith("#")]
    assert set(targets) <= set(names)


def test_each_picture_is_in_the_page_once_however_many_lists_show_it(page):
    embedded = [uri for uri in page.attributes("href") if uri.startswith("data:")]
    shown = [attributes["href"] for tag, attributes in page.tags if tag == "use" and attributes.get("href")]
    assert len(embedded) == len(set(embedded))
    assert len(set(shown)) == len(embedded) < len(shown)
    assert len(embedded) <= (len(QUALITY) + 1) * 24  # all models share the real picture of an item


def test_it_can_be_read_without_seeing(page):
    assert ("html", {"lang": "en"}) in page.tags
    assert all(attributes["aria-label"] for _, attributes in page.tags if attributes.get("role") == "img")
    assert all(attributes.get("scope") in ("row", "rowgroup", "col") for tag, attributes in page.tags if tag == "th")
    tables = [tag for tag, _ in page.tags].count("table")
    assert tables == [tag for tag, _ in page.tags].count("caption")


def test_equal_input_gives_equal_bytes(material, page, tmp_path):
    assert built(*material, tmp_path).source == page.source


def test_the_answer_names_the_winner_and_the_tied(page):
    answer = page.words.partition(" The answer ")[2].partition(" The values ")[0]
    assert "clear is best by PSNR" in answer
    assert "By NIQE, middling and alike cannot be told apart at the top" in answer
    assert "do metrics put the models into the same order? Kendall's tau over 3 models" in page.words
    assert "FID from fewer than 2000 pictures is biased upwards" in answer


def test_the_paragraph_for_a_paper_has_what_is_needed_to_compute_it_again(page):
    paragraph = page.words.partition("To copy into a paper")[2].partition("Sources")[0]
    for said in ("24 generated pictures of each of 3 models", "24 real ones", "10 log10(255² / MSE)", "rule tf1",
                 f"inception (SHA-256 {SHA[:12]}…)", "fp32", "jackknife, 10 groups of items", "Student's t",
                 "gan_eval 0.1.0; numpy 2.4.6 on cpu"):  # fmt: skip
        assert said in paragraph, said
    assert SHA not in paragraph
    assert SHA in page.words
    assert "M. Heusel" in page.words


def test_texts_from_users_are_escaped(tmp_path):
    images = values({EVIL: 1.0, "b&c": 0.0}, dataset="<b>x</b>")
    images[-1] |= {"value": None, "reason": "<i>broken</i>"}
    page = built(frames_of(images), [], tmp_path, title="<u>T</u>")
    assert not {tag for tag, _ in page.tags} & {"script", "b", "i", "u"}
    for words in (EVIL, "b&c", "<b>x</b>", "<i>broken</i>", "<u>T</u>"):
        assert words in page.words


CASES = {
    "nothing": lambda: {},
    "one model": lambda: frames_of(values({"only": 0.0}), sets(["only"])),
    "two models": lambda: frames_of(values({"a": 0.0, "b": 5.0}), sets(["a", "b"])),
    "only sets": lambda: frames_of([], sets()),
    "one picture": lambda: frames_of(values({"a": 0.0, "b": 1.0}, n=1)),
    "nothing readable": lambda: frames_of([{**row, "value": None, "reason": "broken"} for row in values()]),
    "all equal": lambda: frames_of([{**row, "value": math.inf} for row in values() if row["metric"] == "psnr"]),
    "constant": lambda: frames_of([{**row, "value": 1.0} for row in values()]),
    "no runs": lambda: {"image_metrics": frames_of(values())["image_metrics"]},
    "unheard of": lambda: frames_of([{**row, "metric": "my_own_" * 6 + row["metric"]} for row in values()]),
}


@pytest.mark.nightly
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES)
def test_any_tables_give_a_page(case, tmp_path):
    page = built(CASES[case](), [], tmp_path)
    assert page.sections()[0] == "answer"
    assert not re.search(r"\bnan\b|\bNone\b|<NA>", page.words)


def test_a_metric_without_known_direction_has_values_but_no_mark(tmp_path):
    page = built(CASES["unheard of"](), [], tmp_path)
    assert "mark best" not in page.attributes("class")
    assert "nobody said which way is better" in page.words
    assert "The highest 10" in page.words
    assert "The lowest 10" in page.words


def test_other_programs_values_stand_beside_ours_with_their_difference(material, tmp_path):
    row = {"model": "clear", "dataset": "houses", "metric": "fid", "value": 47.5, "source": "their program 1.0"}
    frames = {**material[0], "beside": frame_of([row], EXTERNAL_VALUES)}
    words = built(frames, [], tmp_path).words
    assert re.search(r"FID clear 50\.00 49\.50 to 50\.50 24 47\.50 −2\.50 their program 1\.0", words)


@pytest.mark.slow
def test_other_programs_values_of_data_sets_not_measured_are_counted(material, tmp_path):
    rows = [
        {"model": "clear", "dataset": dataset, "metric": metric, "value": 47.5, "source": "their program 1.0"}
        for dataset, metric in (("houses", "fid"), ("roads", "fid"), ("roads", "kid"), ("towns", "fid"))
    ]
    frames = {**material[0], "beside": frame_of(rows, EXTERNAL_VALUES)}
    words = built(frames, [], tmp_path).words
    assert "3 values of other programs are not shown: roads and towns were not measured here." in words
    assert "of other programs" not in built(material[0], [], tmp_path).words


def test_every_cell_says_its_metric_where_a_narrow_page_hides_the_head(page):
    bodies = re.findall(r'<table class="rows.*?<tbody>(.*?)</tbody>', page.source, re.DOTALL)
    cells = [cell for body in bodies for cell in re.findall(r"<td[^>]*>", body)]
    assert cells
    assert all("data-label=" in cell for cell in cells)
    assert "PSNR\u00a0↑" in page.attributes("data-label")


def test_a_data_set_is_named_only_where_there_is_something_of_it(material, tmp_path):
    two = frames_of([*values(), *values({"only": 0.0}, dataset="roads")])
    page = built(two, [], tmp_path)
    assert [words for level, words in page.headings if level == 3 and words == "houses"] == ["houses"] * 5
    assert [words for level, words in page.headings if level == 3 and words == "roads"] == ["roads"] * 4


def test_a_missing_picture_leaves_a_place_and_the_page(material, tmp_path):
    frames, stimuli = material
    page = built(frames, stimuli[:1], tmp_path)
    assert "no picture" in page.words
