"""Figure 1: the numbers that it draws are the table's, nothing is too small or cut off, at any width."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from synthetic_tables import NASTY, cited, folder_of, told_apart, write_tables

from gan_eval.base.errors import UserError
from gan_eval.judgements.trials import fill_trials
from gan_eval.report import figure as figure_module
from gan_eval.report.figure import WIDTH_MM, write_figure
from gan_eval.report.figure_content import content_of
from gan_eval.report.parts.chart import ON_PAGE, svg_element
from gan_eval.report.parts.folder import StudyFolder, read_folder
from gan_eval.report.parts.words import number
from gan_eval.settings.facts import Facts
from gan_eval.stats.analysis import analyze
from gan_eval.stats.exclusions import Rules, apply_rules
from gan_eval.stats.metrics_and_people.correlations import rank_interval
from gan_eval.tables import IMAGE_METRICS, SESSIONS, SET_METRICS
from gan_eval.tables.frames import frame_of
from gan_eval.tables.names import NOT_KNOWN

MM = 72 / 25.4
"""Points."""


def answers(models: dict[str, float], *, people: int = 12, datasets: tuple[str, ...] = ("d",)) -> pd.DataFrame:
    """Trials in which fakes of each model are called fake with a probability, and reals with one of 0.3."""
    rng = np.random.default_rng(0)
    rows = [
        {"participant": f"P{person}", "stimulus": f"{dataset}/{model}/{k}", "dataset": dataset}
        | {"kind": "real" if model == "real" else "fake", "model": None if model == "real" else model}
        | {"response": "fake" if rng.random() < probability else "real"}
        for dataset in datasets
        for person in range(people)
        for model, probability in {"real": 0.3, **models}.items()
        for k in range(8)
    ]
    return fill_trials(pd.DataFrame(rows))


@pytest.fixture(scope="module")
def study_of_two() -> StudyFolder:
    trials = answers({"gan": 0.6, "l1": 0.85})
    return folder_of(**analyze(trials, margin=0.1), trials=trials)


def given(models: dict[str, float], datasets: tuple[str, ...] = ("d",)) -> StudyFolder:
    """A study whose table to cite is given, not computed; its verdict is the longest one."""
    paper = [cited(model=model, dataset=dataset) for dataset in datasets for model in models]
    return folder_of(paper=paper, comparisons=[told_apart()], trials=answers(models, datasets=datasets))


@pytest.fixture(scope="module")
def study_of_three() -> StudyFolder:
    """Three panels on a line, the second one narrow next to names of usual length."""
    return given({"cyclegan": 0.4, "diffusion": 0.55, "pix2pix": 0.3})


@pytest.fixture(scope="module")
def equivalent() -> StudyFolder:
    """One model on two data sets: three panels that are close to each other in one line."""
    return given({"g": 0.3}, datasets=("d", "e"))


@pytest.fixture(scope="module")
def folder(study) -> StudyFolder:
    """Two data sets, and metrics."""
    return read_folder(study)


def panels(figure: Figure) -> list[str]:
    return [axes.get_xlabel() for axes in figure.axes]


def texts(figure: Figure) -> list[Text]:
    """Return the texts that are drawn: not those of ticks beyond the ends of an axis."""
    beyond = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for at, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        if not min(axis.get_view_interval()) <= at <= max(axis.get_view_interval())
    }
    return [
        text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible() and text not in beyond
    ]


def figure_1(folder: StudyFolder, width_mm: float = WIDTH_MM) -> Figure:
    return figure_module.figure_1(content_of(folder), width_mm)


def caption_of_figure_1(folder: StudyFolder) -> str:
    return figure_module.caption_of_figure_1(folder, content_of(folder))


def words(figure: Figure) -> list[str]:
    return [text.get_text().replace("\u202f", " ") for text in texts(figure)]


def test_panels_draw_the_numbers_of_the_tables(study_of_two):
    figure = figure_1(study_of_two)
    rates, accuracy, people = figure.axes
    paper = study_of_two.tables["paper"].query("model != 'all'")
    for at, row in enumerate(paper.to_dict("records")):
        drawn = {tuple(np.round([line.get_xdata()[0], line.get_xdata()[-1]], 6)) for line in rates.lines}
        assert tuple(np.round([100 * row["fooling_low"], 100 * row["fooling_high"]], 6)) in drawn
        assert tuple(np.round([100 * row["fooling_rate"]] * 2, 6)) in drawn
        band = rates.collections[at].get_paths()[0].get_extents()
        assert (band.x0, band.x1) == pytest.approx((100 * row["shared_real_low"], 100 * row["shared_real_high"]))
        drawn = {tuple(np.round([*line.get_xdata()], 6)) for line in accuracy.lines}
        for name in ("accuracy", "accuracy90"):
            assert tuple(np.round([100 * row[f"{name}_low"], 100 * row[f"{name}_high"]], 6)) in drawn
    margin = accuracy.patches[0].get_extents().transformed(accuracy.transData.inverted())
    assert (margin.x0, margin.x1) == pytest.approx((40, 60))
    trials = study_of_two.tables["trials"]
    said = (
        trials.assign(real=trials["response"] == "real").groupby(["participant", "model"], dropna=False)["real"].mean()
    )
    said = 100 * said.unstack()
    for model, line in zip(("gan", "l1"), (line for line in rates.lines if line.get_alpha()), strict=True):
        assert sorted(line.get_xdata()) == pytest.approx(sorted(said[model]))
    drawn = {tuple(np.round(point, 6)) for cloud in people.collections for point in cloud.get_offsets()}
    reals = said[said.columns[said.columns.isna()][0]]
    expected = {tuple(np.round([100 - reals[p], 100 - said.loc[p, m]], 6)) for p in said.index for m in ("gan", "l1")}
    assert drawn == expected
    assert {"gan (n = 12)", "l1 (n = 12)", "chance ± 10 points", "grey: real pictures", "told apart"} <= set(
        words(figure)
    )
    assert "12 participants, 288 answers" in caption_of_figure_1(study_of_two)


PAPER = [cited(dataset="d")]
"""The table to cite of the model gan on the data set d."""


def dots(folder: StudyFolder) -> list[float]:
    return sorted(x for line in figure_1(folder).axes[0].lines if line.get_alpha() for x in line.get_xdata())


def test_who_and_what_was_left_out_has_no_dot():
    trials = answers({"gan": 0.6}).assign(passed_check=True)
    trials["passed_check"] = trials["participant"].ne("P1") | (trials["trial"] % 3 > 0)
    rules = Rules(["passed_check=False"], participants=["participant=P0"])
    kept = trials[(trials["participant"] != "P0") & trials["passed_check"] & (trials["kind"] == "fake")]
    expected = 100 * (kept["response"] == "real").groupby(kept["participant"]).mean()
    tables = {"paper": PAPER, "participation": apply_rules(trials, None, rules, Rules()).participation}
    assert dots(folder_of(**tables, trials=trials)) == pytest.approx(sorted(expected))
    assert dots(folder_of(**tables, trials=trials[:-1])) == [], "the trials are not those that were analysed"


def test_unfinished_sessions_have_no_dot():
    """One participant has only an unfinished session, another one also has a finished session."""
    trials = answers({"gan": 0.6}, people=6)
    trials["session"] = trials["session"].mask((trials["participant"] == "P4") & (trials["trial"] % 2 == 0), "again")
    rows = trials[["session", "participant", "simulated"]].drop_duplicates().to_dict("records")
    for row in rows:
        row |= {"protocol": "single", "status": "open" if row["session"] in ("P5", "again") else "complete"}
    sessions = frame_of(rows, SESSIONS)
    participation = apply_rules(trials, sessions, Rules(), Rules()).participation
    folder = folder_of(paper=PAPER, participation=participation, trials=trials, sessions=sessions)
    kept = trials[~trials["session"].isin(["P5", "again"]) & (trials["kind"] == "fake")]
    assert dots(folder) == pytest.approx(sorted(100 * (kept["response"] == "real").groupby(kept["participant"]).mean()))
    (entry,) = content_of(folder).entries
    assert (len(entry.participant_values), len(entry.participant_rates)) == (5, 5)


def test_a_metric_is_drawn_against_its_pictures_and_nothing_judges_an_interim_study(folder):
    folder = replace(folder, facts=Facts.model_validate({"sessions": {"people": 5, "wanted": 9}}))
    figure = figure_1(folder)
    assert panels(figure) == ["fooling rate (%)", "balanced accuracy (%)", "false alarms (%)", "SSIM ↑"]
    judged = folder.scope("stimulus").query("n_fake > 0")
    points = [point for cloud in figure.axes[3].collections for point in cloud.get_offsets()]
    assert {x for x, _ in points} <= {*folder.table(IMAGE_METRICS).query("metric == 'ssim'")["value"]}
    drawn = sorted(y for _, y in points)
    assert drawn == pytest.approx(sorted(100 - 100 * judged["fake_correct"]), abs=1e-9) or len(drawn) == len(judged) - 1
    said = words(figure)
    assert "INTERIM: NO VERDICT" in said
    assert not {"told apart", "undecided", "equivalent to chance"} & set(said)
    assert {"facades", "maps"} <= set(said)


def test_a_metric_of_models_has_the_interval_over_models():
    """If the models were kept, seven models and many people would have a narrow interval for any metric."""
    trials = answers({f"m{k}": 0.2 + 0.1 * k for k in range(7)})
    sets = frame_of(
        [
            {"model": f"m{k}", "dataset": "d", "metric": "fid", "value": value, "n_real": 8, "n_fake": 8}
            for k, value in enumerate((10.0, 40.0, 30.0, 20.0, 60.0, 70.0, 50.0))
        ],
        SET_METRICS,
    )
    tables = analyze(trials, set_metrics=sets)
    folder = folder_of(**tables, set_metrics=sets, trials=trials)
    row = tables["correlations"].iloc[0]
    low, high = rank_interval(row["spearman"], 7)
    assert content_of(folder).correlations == [
        f"ρ = {number(row['spearman'])} [{number(low)}, {number(high)}]",
    ]
    assert "95% interval over models by Fisher's z" in caption_of_figure_1(folder)


def test_simulated_answers_are_marked(filled):
    folder = read_folder(filled)
    assert "SIMULATED PARTICIPANTS" in words(figure_1(folder))
    caption = caption_of_figure_1(folder).replace("\u202f", " ")
    assert "10%" in caption


def rows_of(protocol: str, **cells: object) -> list[dict[str, object]]:
    return [
        {"protocol": protocol, "model": model, "dataset": "d", "n_participants": 9, "n_real": 8, "n_answers": 90}
        | cells
        for model in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [
        (rows_of("paired", fooling_rate=0.3, accuracy=0.7), ["taken for the real one (%)", "real picture found (%)"]),
        (rows_of("model_vs_model", preference=0.4), ["preferred (%)"]),
        (rows_of("rating", grade=3.2), ["mean grade"]),
        (rows_of("quest_plus", threshold_ms=120.0), ["threshold (ms)"]),
        (rows_of("single", fooling_rate=0.4), ["fooling rate (%)"]),
        (rows_of("single"), None),
    ],
)
def test_panels_without_data_are_left_out(rows, drawn):
    folder = folder_of(paper=rows)
    assert (content_of(folder) and panels(figure_1(folder))) == drawn
    assert drawn is None or caption_of_figure_1(folder)


def test_pairs_and_grades_have_the_participants_own_values():
    shared = {"dataset": "d", "kind": None, "response": None, "participant": ["P1", "P1", "P2", "P2"] * 2}
    pairs = {**shared, "protocol": "model_vs_model", "model": "a|b", "stimulus": [f"d/{k}" for k in range(8)]}
    table = fill_trials(pd.DataFrame({**pairs, "choice": list("aaababbb")}))
    paper = rows_of("model_vs_model", preference=0.4)
    assert dots(folder_of(paper=paper, trials=table)) == pytest.approx([25, 25, 75, 75])
    grades = {**shared, "kind": ["real", "fake"] * 4, "model": [None, "a"] * 4, "protocol": "rating"}
    grades |= {"stimulus": [f"d/{k % 2}/{k}" for k in range(8)], "rating": [5.0, 1, 4, 2, 4, 3, 5, 2]}
    paper = [row | {"model": model} for row, model in zip(rows_of("rating", grade=3), ("a", "real"), strict=True)]
    found = dots(folder_of(paper=paper, trials=fill_trials(pd.DataFrame(grades))))
    assert found == pytest.approx([2, 2, 4.5, 4.5])


@pytest.fixture(scope="module")
def crowd() -> StudyFolder:
    """Thirteen models with long names that are hard to print."""
    paper = [
        rows_of("single", model=f"{k}{name}", dataset="$d_")[0]
        | {"fooling_rate": 0.4, "fooling_low": 0.2, "fooling_high": 0.6, "real_low": 0.6, "real_high": 0.8}
        | {"real_called_real": 0.7, "accuracy": 0.6, "accuracy_low": 0.5, "accuracy_high": 0.7}
        | {"accuracy90_low": 0.52, "accuracy90_high": 0.68, "verdict": "undecided"}
        for k, name in enumerate((*NASTY, *("$x^2$", "_", "a_model_with_a_long_name") * 3))
    ]
    return folder_of(paper=paper)


def test_two_models_are_drawn_where_one_was_always_chosen():
    rows = [
        {"participant": f"P{person}", "stimulus": f"d/{number}", "protocol": "model_vs_model", "model": "one|two"}
        | {"kind": None, "response": None, "dataset": "d", "choice": "a"}
        for person in range(4)
        for number in range(6)
    ]
    trials = fill_trials(pd.DataFrame(rows))
    content = content_of(folder_of(**analyze(trials), trials=trials))
    assert content is not None
    assert [entry.value[0] for entry in content.entries] == [100.0, 0.0]


def test_counted_answers_have_no_dots_and_no_number_of_people():
    trials = answers({"gan": 0.6}, people=3).assign(participant=NOT_KNOWN, session="s")
    trials = trials.assign(trial=range(1, len(trials) + 1))
    content = content_of(folder_of(**analyze(trials), trials=trials))
    assert content is not None
    (entry,) = content.entries
    assert (entry.n_label, len(entry.participant_values), content.panels) == ("", 0, ["rates", "accuracy"])


def test_of_very_many_models_the_first_are_drawn():
    rows = [rows_of("single", fooling_rate=0.5)[0] | {"model": f"m{k}"} for k in range(50)]
    folder = folder_of(paper=rows)
    assert sum(word.endswith("(n = 9)") for word in words(figure_1(folder))) == 40
    assert "40 models" in caption_of_figure_1(folder)


@pytest.mark.parametrize("width", [180.0, *(pytest.param(wide, marks=pytest.mark.nightly) for wide in (130.0, 85.0))])
@pytest.mark.parametrize(
    "name", ["study_of_three", "equivalent", "folder", pytest.param("study_of_two", marks=pytest.mark.nightly)]
)
def test_letters_are_large_enough_and_inside_and_apart(name, width, request):
    require_legible(figure_1(request.getfixturevalue(name), width), width)


@pytest.mark.parametrize("width", [85.0, *(pytest.param(wide, marks=pytest.mark.nightly) for wide in (130.0, 180.0))])
def test_letters_of_many_models_are_apart(crowd, width):
    require_legible(figure_1(crowd, width), width)


def require_legible(figure, width):
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    shown = texts(figure)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in shown]
    assert min(text.get_fontsize() for text in shown) >= 7
    for text, box in zip(shown, boxes, strict=True):
        assert box.x0 >= -0.5, text
        assert box.x1 <= figure.bbox.x1 + 0.5, text
        assert box.y0 >= -0.5, text
        assert box.y1 <= figure.bbox.y1 + 0.5, text
    clashes = [
        (one.get_text(), other.get_text())
        for n, one in enumerate(shown)
        for m, other in enumerate(shown[:n])
        if boxes[n].shrunk(0.98, 0.7).overlaps(boxes[m].shrunk(0.98, 0.7))
    ]
    assert not clashes


def test_many_participants_are_counted_by_bars(study_of_two):
    entry, *_ = content_of(study_of_two).entries
    values = np.repeat([0.0, 25.0, 50.0], [100, 200, 50])
    content = replace(content_of(study_of_two), entries=[replace(entry, participant_values=values)])
    (bars,) = (lines for lines in figure_module.figure_1(content).axes[0].collections if lines.get_alpha() == 0.4)
    ends = np.array(bars.get_segments())
    assert ends[:, :, 0].tolist() == [[0, 0], [25, 25], [50, 50]]
    assert ends[:, 1, 1] - ends[:, 0, 1] == pytest.approx([0.35, 0.7, 0.175])
    assert "bars: numbers of participants" in figure_module.caption_of_figure_1(study_of_two, content)
    assert "dots: participants" in caption_of_figure_1(study_of_two)


def test_markers_of_coinciding_participants_stay_small(study_of_two):
    entry, *_ = content_of(study_of_two).entries
    for count, areas in ((2, [16, 8]), (36, [144, 4])):
        rates = np.repeat([[20.0, 40.0], [30.0, 60.0]], [count, 1], axis=0)
        content = replace(content_of(study_of_two), entries=[replace(entry, participant_rates=rates)])
        (people,) = (axes for axes in figure_module.figure_1(content).axes if axes.get_ylabel() == "hits (%)")
        assert people.collections[0].get_sizes() == pytest.approx(areas)


def test_files_have_text_and_one_page_and_equal_bytes(tmp_path):
    folder = folder_of(paper=rows_of("single", fooling_rate=0.4))
    data, again = (
        {name: write_figure(folder, tmp_path / name, 90).read_bytes() for name in ("f.svg", "f.pdf", "f.png")}
        for _ in range(2)
    )
    assert data == again
    svg, pdf = data["f.svg"].decode(), data["f.pdf"]
    ElementTree.fromstring(svg)
    assert float(re.search(r'width="([\d.]+)pt"', svg)[1]) == pytest.approx(90 * MM, abs=0.01)
    assert "a (n = 9)" in re.findall(">([^<]*)</text>", svg)
    assert not set(ON_PAGE) & set(re.findall("#[0-9a-f]{6}", svg)), "the page replaces these by those of its dark mode"
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert b"/FontFile2" in pdf
    assert b"CreationDate" not in pdf
    assert data["f.png"].startswith(b"\x89PNG")
    with pytest.raises(UserError, match=r"g\.pdf:.*figure 1 can show"):
        write_figure(folder_of(), tmp_path / "g.pdf")


def test_the_last_bits_of_a_layout_change_no_byte():

    def drawn(left: float) -> str:
        figure = Figure()
        figure.add_axes((left, 0.2, 0.6, 0.6)).plot([0, 1])
        return svg_element(figure, "f")

    assert drawn(0.2) == drawn(np.nextafter(0.2, 1))
    assert drawn(0.2) != drawn(0.3)


@pytest.mark.parametrize("name", ["study_of_two", "study_of_three", "equivalent", "folder"])
def test_labels_of_curves_are_clear_of_markers(name, request):
    """A marker hid "d'" of "d' = 0", and participants' dots the numbers."""
    figure = figure_1(request.getfixturevalue(name))
    figure.draw_without_rendering()
    (axes,) = (axes for axes in figure.axes if axes.get_ylabel() == "hits (%)")
    points = [line.get_xydata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    points += [point for cloud in axes.collections for point in cloud.get_offsets()]
    places = axes.transData.transform(np.array(points)[np.all(np.array(points) > 1, axis=1)])
    labels = [text for text in axes.texts if re.match(r"d′ = 0|\d$", text.get_text())]
    assert [text.get_text() for text in labels] == ["d′ = 0", "1", "2", "3"]
    for text in labels:
        box = text.get_window_extent()
        assert not [place for place in places if box.contains(*place)], text


def test_a_label_among_too_many_points_is_where_it_hides_least() -> None:
    curve = np.column_stack([np.linspace(0, 100, 101)] * 2)
    room = np.array([10.0, 5.0])
    assert figure_module.clear_place(curve, np.empty((0, 2)), 80.0, room).tolist() == [80, 80]
    assert figure_module.clear_place(curve, np.array([[80.0, 80.0]]), 80.0, room).tolist() in ([75, 75], [85, 85])
    crowd = np.array([(x, x) for x in range(0, 101, 4)], float)
    assert figure_module.clear_place(curve, crowd, 80.0, room)[0] % 4 == 2


@pytest.mark.parametrize(
    "chosen",
    ["a", "ab", "c", pytest.param("ac", marks=pytest.mark.nightly), pytest.param("abc", marks=pytest.mark.nightly)],
)
@pytest.mark.parametrize("name", ["study_of_three", "crowd", "folder"])
def test_chosen_panels_of_one_column_are_at_most_120_mm_high(name, chosen, request):
    content = content_of(request.getfixturevalue(name))
    if name == "crowd" and "c" in chosen:
        with pytest.raises(UserError, match="letters of figure 1 of this study: ab"):
            content.with_panels(chosen)
        return
    kinds = ["rates", "accuracy", "people"]
    content = content.with_panels(chosen)
    assert content.panels == [kinds["abc".index(letter)] for letter in chosen]
    figure = figure_module.figure_1(content, 85)
    assert figure.get_figheight() * 25.4 <= 120.05
    require_legible(figure, 85)


@pytest.mark.parametrize(("name", "kept"), [("folder", "abc"), ("crowd", "ab")])
def test_a_figure_of_one_column_has_the_panels_that_fit_and_names_the_others(name, kept, request, tmp_path):
    folder, lines = request.getfixturevalue(name), list[str]()
    letters = "abcd"[: len(content_of(folder).panels)]
    file = write_figure(folder, tmp_path / "f.svg", 85, on_message=lines.append)
    height = float(re.search(r'height="([\d.]+)pt"', file.read_text())[1])
    assert height / MM <= 120.05
    rest = letters.removeprefix(kept)
    assert [line.rpartition("--panels ")[2] for line in lines] == ([rest] if rest else [])


def test_a_figure_of_two_columns_has_all_panels_without_a_word(folder, tmp_path):
    lines = list[str]()
    write_figure(folder, tmp_path / "wide.svg", on_message=lines.append)
    assert lines == []


def test_the_command_takes_panels(tmp_path, command):
    file, study = tmp_path / "f.svg", write_tables(tmp_path / "study")
    status, _, err = command("report", study, "--out", tmp_path / "r.html", "--figure", file, "--panels", "b")
    assert status == 0, err
    assert "balanced accuracy" in file.read_text()
    assert "fooling rate (%)" not in file.read_text()
    for words in (["--panels", "a"], ["--figure", file, "--panels", "ax"], ["--figure", file, "--panels", "aa"]):
        status, _, err = command("report", study, "--out", tmp_path / "r.html", *words)
        assert (status, "--panels" in err) == (2, True)


def test_the_width_is_for_a_figure(study_of_two, tmp_path, command):
    assert figure_1(study_of_two, 120).get_size_inches()[0] * 25.4 == pytest.approx(120)
    for words in (["--figure-width", 85], ["--figure", tmp_path / "f.svg", "--figure-width", 10]):
        status, _, err = command("report", tmp_path / "study", *words)
        assert (status, "--figure-width" in err) == (2, True)
