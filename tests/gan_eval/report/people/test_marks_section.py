"""The section on where people saw it, its figure, and the heat maps of the gallery."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
from made_marks import world
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.metrics.maps import PictureMaps
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.report import build_figure, write_report
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.parts.heat import heated
from gan_eval.report.people.marks import marks_figure
from gan_eval.stats.analysis import write_analysis
from gan_eval.stats.marks.tables import mark_tables, marked
from gan_eval.tables import MARKS, TRIALS


def test_each_person_has_one_weight_in_a_heat_map():
    marks = pd.DataFrame({"participant": ["A", "B", "B", "B"], "x": [0.25, 0.75, 0.75, 0.75], "y": 0.5})
    shown = heated(np.full((40, 80, 3), 90, np.uint8), marks, 0.03)
    assert (shown[20, 20] == shown[20, 60]).all()
    assert (shown[20, 20] != shown[0, 0]).any()
    assert (shown[0, 0] == 72).all()


def test_pictures_maps_and_figure_of_marks_are_shown(tmp_path):
    trials, marks, _ = world(tmp_path / "set", people=6, items=6)
    maps = PictureMaps(stimuli_of_sets([tmp_path / "set"]))
    tables = mark_tables(marked(marks, trials, stimuli=None, sessions=None), maps)
    write_analysis(tables, tmp_path / "out", given={TRIALS: trials, MARKS: marks})
    page = write_report(tmp_path / "out", tmp_path / "page.html", stimuli=tmp_path / "set").read_text()
    section = re.search(r'<section id="marks".*?</section>', page, re.DOTALL)[0]
    assert section.count("<img") == 6 * 4
    assert "mark_maps.csv" in section
    assert '"marks.csv"' not in page, "the table of single sessions is not on the page"
    best = pd.read_csv(tmp_path / "out" / "mark_agreement.csv").query("scope == 'stimulus'")
    assert best.sort_values("auc_low").iloc[-1]["id"] in section
    figure = build_figure(tmp_path / "out", tmp_path / "marks.png", content="marks", stimuli=[tmp_path / "set"])
    with Image.open(figure) as drawn:
        assert min(drawn.size) > 300
    narrow = marks_figure(read_folder(tmp_path / "out", stimuli=[tmp_path / "set"]), 85.0)
    narrow.canvas.draw()
    *pictures, aucs = narrow.axes
    assert aucs.get_position().y1 < min(axes.get_position().y0 for axes in pictures), "stacked"
    names = [axes.yaxis.label.get_window_extent() for axes in pictures if axes.get_ylabel()]
    assert all(one.y0 > other.y1 for one, other in pairwise(names)), "names of rows do not overlap"


def test_the_gallery_has_heat_maps_and_maps_of_the_user(tmp_path):
    _, marks, maps = world(tmp_path / "set", people=2, items=2)
    marks.to_csv(tmp_path / "marks.csv", index=False)
    for name, values in maps.items():
        file = (tmp_path / "mine" / name.partition("/")[2]).with_suffix(".npy")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, values)
    command = ["metrics", str(tmp_path / "set"), "--metrics", "l1", "--out", str(tmp_path / "out"), "--no-cache"]
    added = [["--marks", str(tmp_path / "marks.csv")], ["--maps", f"a/b={tmp_path / 'mine'}"]]
    assert [run([*command, *each]) for each in added] == [2, 2], "without a gallery they have no effect"
    command += ["--gallery", str(tmp_path / "gallery.html")]
    assert run([*command, "--maps", f"mine={tmp_path / 'none'}"]) == 2
    assert run([*command, *added[0], *added[1]]) == 0
    files = [path.name for path in (tmp_path / "gallery_files").rglob("*.webp")]
    marked_pictures = marks[marks["x"].notna()]["stimulus"].nunique()
    assert sum(name.endswith("-marks.webp") for name in files) == marked_pictures
    assert sum(name.endswith("-map0.webp") for name in files) == len(maps)
    assert '"a/b"' in (tmp_path / "gallery.html").read_text()
