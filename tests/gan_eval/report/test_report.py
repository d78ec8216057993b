"""The report of a whole study: pages for readers and screen readers, figures as files, and what is refused."""

import base64
import itertools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from page_reader import Page
from refusals import refused
from rehashed import rehash
from synthetic_tables import folder_of

from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.report import write_report
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.caveats import badges
from gan_eval.report.people.pictures import samples
from gan_eval.report.people.published import published_section
from gan_eval.settings.study import load_study
from gan_eval.tables import IMAGE_METRICS, PARTICIPANTS, SESSIONS
from gan_eval.tables.frames import frame_of, read_table

PAGES = ("study_page", "filled_page", "tables_page", "metrics_page")


@pytest.fixture(params=PAGES)
def page(request) -> Page:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("study_page", "answer comparisons agreement metrics published participants pictures timing training caveats "
         "files"),
        ("tables_page", "answer comparisons answers agreement participants caveats files"),
        ("metrics_page", "answer values methods"),
    ],
)  # fmt: skip
def test_every_section_is_there_in_order_and_the_answer_first(name, sections, request):
    assert request.getfixturevalue(name).sections() == sections.split()


def test_headings_go_down_by_one_and_there_is_one_h1(page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert all(words.strip() for _, words in page.headings)


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_needed(page):
    for name in ("src", "href", "xlink:href", "srcset", "poster", "data"):
        assert all(value.startswith(("data:", "#")) for value in page.attributes(name)), name
    assert "@import" not in page.source
    assert "script" not in {tag for tag, _ in page.tags}


def test_identifiers_are_unique_and_references_meet_one(page):
    names = page.attributes("id")
    assert len(names) == len(set(names))
    targets = re.findall(r"url\(#([^)]+)\)", page.source)
    targets += [ref[1:] for ref in (*page.attributes("xlink:href"), *page.attributes("href")) if ref.startswith("#")]
    assert targets or "<svg" not in page.source
    assert set(targets) <= set(names)


def test_it_can_be_read_without_seeing(page):
    assert ("html", {"lang": "en"}) in page.tags
    assert all(attributes["alt"] for tag, attributes in page.tags if tag == "img")
    assert all(attributes.get("scope") in ("row", "rowgroup", "col") for tag, attributes in page.tags if tag == "th")
    tables = [tag for tag, _ in page.tags].count("table")
    assert tables == [tag for tag, _ in page.tags].count("caption") > 2
    drawn = [attributes for tag, attributes in page.tags if tag == "div" and attributes.get("role") == "img"]
    assert len(drawn) == [tag for tag, _ in page.tags].count("figcaption")
    assert all(re.search(r"[0-9]", attributes["aria-label"]) for attributes in drawn)


def test_every_cell_says_its_column_where_a_narrow_page_hides_the_head(page):
    bodies = re.findall(r'<table class="rows.*?<tbody>(.*?)</tbody>', page.source, re.DOTALL)
    cells = [cell for body in bodies for cell in re.findall(r"<td[^>]*>", body)]
    assert cells
    assert all("data-label=" in cell for cell in cells)


def test_only_our_own_sentences_name_the_program_as_it_is_typed(tmp_path, monkeypatch):
    """`./run` took the place of `gan-eval` before a verb in titles, names of models and answers, too."""
    monkeypatch.setattr("gan_eval.base.commands.program", lambda **_: "./run")
    why = "no mask_file: `gan-eval stimuli import --masks DIR` adds it"
    picture = {"item": "d/1", "kind": "fake", "model": "gan-eval run", "dataset": "d", "run": "r"}
    metrics = [picture | {"stimulus": "d/gan-eval run/1", "metric": "psnr_hole", "reason": why}]
    metrics += [picture | {"stimulus": "d/gan-eval run/1", "metric": "psnr", "value": 20.0}]
    said = {"session": "s", "participant": "P1", "question": "tool", "answer": "gan-eval report", "simulated": False}
    frames = {"image_metrics": frame_of(metrics, IMAGE_METRICS), "participants": frame_of([said], PARTICIPANTS)}
    page = write_report(frames, tmp_path / "report.html", title="gan-eval metrics and people").read_text()
    assert "<h1>gan-eval metrics and people</h1>" in page
    assert "`./run stimuli import --masks DIR` adds it" in page
    assert {*re.findall(r"(?:gan-eval|\./run) (?:run|report)", page)} == {"gan-eval run", "gan-eval report"}


def test_texts_from_users_are_escaped(study_page):
    assert not [tag for tag, _ in study_page.tags if tag == "i"]
    assert "<b>these</b>" in study_page.title
    assert "picture <broken>" in study_page.words
    assert "<i>& fewer</i>" in study_page.words


@pytest.mark.parametrize(("cells", "word"), [("fake,0,60", "trials"), ("real,25,130", "percent_correct")])
def test_a_published_row_outside_its_range_is_named(cells, word):
    head = ["study", "source", "dataset", "group", "trials", "percent_correct"]
    rows = [["a", "s", "maps", "real", "25", "96"], ["b", "s", "maps", *cells.split(",")]]
    published = {"quiz.csv": pd.DataFrame(rows, columns=head, dtype="str")}
    with pytest.raises(UserError, match=rf"published/quiz\.csv: row 2, column {word}: "):
        published_section(replace(folder_of(), published=published))


@pytest.mark.parametrize(("train_split", "said"), [("train", False), ("train+val", False), ("train+val+test", True)])
def test_pictures_that_were_trained_on_are_said_before_any_number(study, tmp_path, train_split, said):
    text = (study / "study.toml").read_text()
    (tmp_path / "study.toml").write_text(text.replace("[data.maps]\n", f'[data.maps]\ntrain_split = "{train_split}"\n'))
    assert bool(badges(folder_of(study=load_study(tmp_path / "study.toml")))) == said


def test_only_metrics(study, tmp_path):
    shutil.copy(study / "metrics" / "set_metrics.csv", tmp_path)
    page = Page(write_report(tmp_path, tmp_path / "report.html"))
    assert page.sections() == ["metrics", "caveats", "files"]


def test_a_broken_or_stray_picture_is_left_out(study, tmp_path):
    copy = shutil.copytree(study, tmp_path / "copy")
    base = copy / "stimuli" / "facades-pix2pix_facades"
    (base / "fake" / "000.png").write_bytes(b"not a picture")
    (base / "real" / "004.png").unlink()
    refused(r"fake/000\.png: ", read_folder, copy)
    rehash(base)
    shown, _ = samples(read_folder(copy))
    assert shown.caption == "pix2pix_facades on facades"
    assert [bool(picture) for _, pictures in shown.rows for picture in pictures].count(False) == 1
    assert len(shown.rows) == 4
    table = base / "stimuli.csv"
    table.write_text(table.read_text().replace("input/008.png", "../../study.toml"))
    refused("row 17, column input_file:", write_report, copy, tmp_path / "report.html")


@pytest.mark.parametrize("make", [lambda path: path / "nowhere", lambda path: path])
def test_nothing_to_report(tmp_path, make):
    refused(str(tmp_path), write_report, make(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_broken_table_names_itself(tmp_path):
    (tmp_path / "rates.csv").write_text("scope,id\nall,all\n")
    refused(r"rates\.csv:", write_report, tmp_path, tmp_path / "report.html")


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ("[1]", ""),
        ('{"fraction": "x"}', "fraction: "),
        ('{"sessions": {"wanted": "8"}}', "sessions.wanted: "),
        ('{"notes": 5}', "notes: "),
        ('{"imported_sets": 5}', "imported_sets: "),
    ],
)
def test_damaged_facts_are_named(tmp_path, facts, problem):
    (tmp_path / ".gan-eval").mkdir()
    (tmp_path / ".gan-eval" / "facts.json").write_text(facts)
    refused(rf"facts\.json: {problem}", read_folder, tmp_path)


@pytest.mark.nightly
def test_same_input_same_bytes_in_another_process(study, tmp_path):
    """A study's folder and a copy of it, the second in a process of its own, with another hash seed and time of day."""
    program = (
        "import sys; from pathlib import Path; from gan_eval.report import *; f, o = map(Path, sys.argv[1:]);"
        "write_report(f, o / 'report.html', title='T'); build_figure(f, o / 'f.svg'); build_figure(f, o / 'f.pdf')"
    )
    moved = shutil.copytree(study, tmp_path / "moved")
    for name, place, seed in (("one", study, "1"), ("two", moved, "7")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        subprocess.run([sys.executable, "-c", program, str(place), str(tmp_path / name)], check=True, env=environment)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 3


def carried(page: str) -> str:
    """Return a page with the files that it carries."""
    files = re.findall(r"data:text/csv;base64,([A-Za-z0-9+/=]+)", page)
    return page + "".join(base64.b64decode(file).decode() for file in files)


def test_the_command_writes_figure_and_page_and_on_request_tables_of_single_sessions(finished_study, tmp_path, capsys):
    """Neither who sat when and where, nor identifiers that give it, leave in a report that may be mailed."""
    study = finished_study / "out"
    everything = carried((study / "report.html").read_text())
    session = read_table(study / "tables" / "sessions.csv", SESSIONS)["session"][2]
    assert session not in everything, "the session's identifier"
    assert "with-raw-tables" in everything
    assert "participant,simulated-003" in everything  # the table of the rates can be saved
    out, figure = tmp_path / "r.html", tmp_path / "figure.pdf"
    raw = ["--with-raw-tables"]
    assert run(["report", str(study / "tables"), "--out", str(out), "--figure", str(figure), *raw]) == 0
    assert capsys.readouterr().out.split() == [str(out), str(figure)]
    assert figure.read_bytes().startswith(b"%PDF")
    for table in ("trials", "sessions"):
        assert f'download="{table}.csv"' in out.read_text()
    assert session in carried(out.read_text())
