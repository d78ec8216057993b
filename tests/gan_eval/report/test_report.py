"""The report of a whole study: pages for readers and screen readers, figures as files, and what is refused."""

import base64
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from page_reader import Page
from rehashed import rehash
from synthetic_tables import folder_of

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.report import build
from gan_eval.report.parts.folder import StudyFolder, read_folder
from gan_eval.report.people.caveats import badges
from gan_eval.report.people.pictures import samples
from gan_eval.report.people.published import published_section
from gan_eval.settings.study import load_study
from gan_eval.stats.analysis import analyze
from gan_eval.stats.answers.rates import RATES
from gan_eval.tables import CHECKS, SESSIONS, TRIALS
from gan_eval.tables.frames import frame_of, write_table

PAGES = ("study_page", "filled_page", "tables_page", "metrics_page")


@pytest.fixture
def copy(study, tmp_path) -> Path:
    return Path(shutil.copytree(study, tmp_path / "copy"))


@pytest.fixture(params=PAGES)
def page(request) -> Page:
    return request.getfixturevalue(request.param)


def test_every_section_is_there_in_order_and_the_answer_first(study_page):
    assert study_page.sections() == [
        "answer", "comparisons", "agreement", "metrics", "published", "participants", "pictures", "timing", "training",
        "checklist", "files",
    ]  # fmt: skip


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
    assert tables == [tag for tag, _ in page.tags].count("caption") > 3
    drawn = [attributes for tag, attributes in page.tags if tag == "div" and attributes.get("role") == "img"]
    assert len(drawn) == [tag for tag, _ in page.tags].count("figcaption")
    assert all(re.search(r"[0-9]", attributes["aria-label"]) for attributes in drawn)


def test_every_cell_says_its_column_where_a_narrow_page_hides_the_head(page):
    bodies = re.findall(r'<table class="rows.*?<tbody>(.*?)</tbody>', page.source, re.DOTALL)
    cells = [cell for body in bodies for cell in re.findall(r"<td[^>]*>", body)]
    assert cells
    assert all("data-label=" in cell for cell in cells)


def test_texts_from_users_are_escaped(study_page):
    assert not [tag for tag, _ in study_page.tags if tag == "i"]
    assert "Can people recognise <b>these</b>" in study_page.title
    assert "picture <broken>" in study_page.words
    assert "<i>& fewer</i>" in study_page.words


def test_the_first_page_says_what_its_intervals_rest_on(study_page, study):
    row = pd.read_csv(study / "tables" / "paper.csv").iloc[-1]
    assert (row["model"], row["basis"]) == ("all", "crossed_model")
    assert "Intervals of rates and accuracy: the crossed mixed model" in study_page.words


def test_published_numbers_stand_beside_with_interval_and_source(study_page):
    for words in ("96.0 % (80.5–99.3)", "Someone: Something, Table I", "one assessor", "119.1"):
        assert words in study_page.words
    assert "A paper, facades; training mode" in study_page.words
    assert "elsewhere" not in study_page.words


def test_warnings_and_reasons_are_told(study_page):
    assert "FID from fewer than 2000 pictures is biased upwards" in study_page.words
    assert "weights not found: gan-eval weights fetch inception" in study_page.words
    assert "8 + 8 pictures shown instead of 25 + 25" in study_page.words
    assert "Interim: 5 of 9 sessions" in study_page.words
    assert "imulated" not in study_page.title + study_page.words


def test_simulated_participants_fraction_and_title_are_loud(filled_page):
    assert filled_page.title == "Simulated participants: Mine"
    assert filled_page.headings[0] == (1, "Simulated participants Mine")
    assert "Trained for 10 % of the planned steps" in filled_page.words
    assert "No person answered" in filled_page.words


@pytest.mark.parametrize(
    ("cells", "word"), [("fake,0,60", r"\(maps fake\): trials is 0"), ("real,25,130", "percent_correct is 130")]
)
def test_a_published_row_that_is_no_share_is_named(cells, word):
    head = ["study", "source", "dataset", "group", "trials", "percent_correct"]
    rows = [["a", "s", "maps", "real", "25", "96"], ["b", "s", "maps", *cells.split(",")]]
    published = {"quiz.csv": pd.DataFrame(rows, columns=head, dtype="str")}
    with pytest.raises(UserError, match=rf"published/quiz\.csv: row 2.*{word}"):
        published_section(StudyFolder(Path(), None, {}, {}, {}, {}, published))


@pytest.mark.parametrize(("train_split", "said"), [("train", False), ("train+val", False), ("train+val+test", True)])
def test_pictures_that_were_trained_on_are_said_before_any_number(study, tmp_path, train_split, said):
    text = (study / "study.toml").read_text()
    (tmp_path / "study.toml").write_text(text.replace("[data.maps]\n", f'[data.maps]\ntrain_split = "{train_split}"\n'))
    line = "Pictures of maps that are shown and measured were trained on, too"
    assert (line in badges(folder_of(study=load_study(tmp_path / "study.toml")))) == said


def test_only_metrics(study, tmp_path):
    shutil.copy(study / "metrics" / "set_metrics.csv", tmp_path)
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert page.sections() == ["metrics", "checklist", "files"]


def test_a_broken_or_stray_picture_is_left_out(copy, tmp_path):
    base = copy / "stimuli" / "facades-pix2pix_facades"
    (base / "fake" / "000.png").write_bytes(b"not a picture")
    (base / "real" / "004.png").unlink()
    with pytest.raises(UserError, match=r"fake/000\.png: the picture has changed since it entered the stimulus set"):
        read_folder(copy)
    rehash(base)
    shown, _ = samples(read_folder(copy))
    assert shown.caption == "pix2pix_facades on facades"
    assert [bool(picture) for _, pictures in shown.rows for picture in pictures].count(False) == 1
    assert len(shown.rows) == 4
    table = base / "stimuli.csv"
    table.write_text(table.read_text().replace("input/008.png", "../../study.toml"))
    with pytest.raises(UserError, match=r"row 17, column input_file: .* is not below"):
        build(copy, tmp_path / "report.html")


@pytest.mark.parametrize("make", [lambda path: path / "nowhere", lambda path: path])
def test_nothing_to_report(tmp_path, make):
    with pytest.raises(UserError, match=r"no such folder|nothing to report"):
        build(make(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_broken_table_names_itself(copy, tmp_path):
    (copy / "tables" / "rates.csv").write_text("scope,id\nall,all\n")
    with pytest.raises(UserError, match=r"rates\.csv: column .*is missing"):
        build(copy, tmp_path / "report.html")


@pytest.mark.nightly
def test_same_input_same_bytes_in_another_process(study, tmp_path):
    """A study's folder and a copy of it, the second in a process of its own, with another hash seed and time of day."""
    program = (
        "import sys; from pathlib import Path; from gan_eval.report import *; f, o = map(Path, sys.argv[1:]);"
        "build(f, o / 'report.html', title='T'); build_figure(f, o / 'f.svg'); build_figure(f, o / 'f.pdf')"
    )
    moved = shutil.copytree(study, tmp_path / "moved")
    for name, place, seed in (("one", study, "1"), ("two", moved, "7")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        subprocess.run([sys.executable, "-c", program, str(place), str(tmp_path / name)], check=True, env=environment)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 3


@pytest.fixture(scope="module")
def paper(study, tmp_path_factory) -> Path:
    """The table to cite alone, which has the first figure."""
    folder = tmp_path_factory.mktemp("paper")
    shutil.copy(study / "tables" / "paper.csv", folder)
    return folder


SESSION = "01983f5a-secret-session"


def sat(folder: Path) -> Path:
    """Write a study's tables with trials, sessions and a self-test whose identifiers and instants are private."""
    study = {"session": SESSION, "participant": "P-secret", "simulated": False}
    trials = [
        study | {"trial": 1 + n, "phase": "main", "stimulus": f"d/{kind}/{n}", "kind": kind, "response": "real",
                 "dataset": "d", "answered_at": "2031-07-08T09:10:11Z"}
        for n, kind in enumerate(["real", "fake"] * 4)
    ]  # fmt: skip
    session = study | {"status": "complete", "protocol": "quick_response", "started_at": "2031-07-08T09:00:00Z"}
    check = {"session": SESSION, "check": "vsync", "value": 16.7, "unit": "ms", "verdict": "warning"}
    write_table(analyze(frame_of(trials, TRIALS))["rates"], folder / "rates.csv", RATES)
    for rows, table in ((trials, TRIALS), ([session], SESSIONS), ([check], CHECKS)):
        write_table(frame_of(rows, table), folder / f"{table.name}.csv", table)
    return folder


def carried(page: Path) -> str:
    """Return a page with the files that it carries."""
    text = page.read_text(encoding="utf-8")
    files = re.findall(r"data:text/csv;base64,([A-Za-z0-9+/=]+)", text)
    return text + "".join(base64.b64decode(file).decode("utf-8", "replace") for file in files)


def test_tables_of_single_sessions_are_in_the_page_only_when_asked_for(tmp_path: Path) -> None:
    """Neither who sat when and where, nor identifiers that give it, leave in a report that may be mailed."""
    folder, out = sat(tmp_path / "tables"), tmp_path / "report.html"
    build(folder, out)
    everything = carried(out)
    assert "2031-07-08" not in everything
    assert SESSION not in everything
    assert "with-raw-tables" in everything
    assert "P-secret" in everything  # the table of the rates can be saved
    assert "scope,id" in everything
    assert run(["report", str(folder), "--out", str(out), "--with-raw-tables"]) == 0
    assert "2031-07-08T09:10:11Z" in carried(out)
    assert SESSION in carried(out)


def test_the_command_writes_page_and_figure(paper, tmp_path, capsys):
    out, figure = tmp_path / "r.html", tmp_path / "figure.pdf"
    assert run(["report", str(paper), "--out", str(out), "--figure", str(figure)]) == 0
    assert capsys.readouterr().out.split() == [str(out), str(figure)]
    assert figure.read_bytes().startswith(b"%PDF")
