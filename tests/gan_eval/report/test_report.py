import itertools
import math
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from page_reader import Page
from rehashed import rehash
from synthetic_study import make_study

from gan_eval.errors import UserError
from gan_eval.report import build
from gan_eval.report.parts.folder import included_trials, read_folder
from gan_eval.report.people.agreement import agreement_charts
from gan_eval.report.people.design import badges
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import ALL_TABLES, analyze, write_analysis
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import read_table, write_table


@pytest.fixture
def folder(study) -> Path:
    return study


@pytest.fixture
def page(study_page) -> Page:
    return study_page


def copy_of(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.slow
def test_every_section_is_there_in_order_and_the_answer_first(page):
    assert page.sections() == [
        "answer", "notes", "rates", "detection", "comparisons", "robustness", "extremes", "agreement", "metrics",
        "published", "models", "times", "design", "pictures", "participants", "timing", "training", "checklist",
        "methods", "files", "versions",
    ]  # fmt: skip


def test_headings_go_down_by_one_and_there_is_one_h1(page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert all(words.strip() for _, words in page.headings)


def test_texts_from_users_are_escaped(page):
    assert "<script" not in page.source
    assert not [tag for tag, _ in page.tags if tag in ("script", "b", "i")]
    assert "<script>alert(1)</script>" in page.words
    assert "Can people recognise <b>these</b>" in page.title
    assert "picture <broken>" in page.words
    assert "<i>& fewer</i>" in page.words


def test_nothing_is_loaded_from_elsewhere(page):
    for name in ("src", "href", "xlink:href", "srcset", "poster", "data"):
        assert all(value.startswith(("data:", "#")) for value in page.attributes(name)), name
    assert "@import" not in page.source
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", page.source))


def test_identifiers_are_unique_and_references_meet_one(page):
    names = page.attributes("id")
    assert len(names) == len(set(names))
    targets = re.findall(r"url\(#([^)]+)\)", page.source) + [ref[1:] for ref in page.attributes("xlink:href")]
    assert targets
    assert set(targets) <= set(names)


def ranked(page: Page) -> int:
    """Thumbnails of the pictures that fooled most and least."""
    return sum(
        len(re.findall("<img", part)) for part in re.findall(r'<ol class="gallery ranked">.*?</ol>', page.source, re.S)
    )


def test_it_can_be_read_without_seeing(page):
    assert ("html", {"lang": "en"}) in page.tags
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 2 * 5 * 3 + ranked(page)
    assert all(attributes["alt"] for attributes in images)
    assert all(attributes.get("scope") in ("row", "rowgroup", "col") for tag, attributes in page.tags if tag == "th")
    tables = [tag for tag, _ in page.tags].count("table")
    assert tables == [tag for tag, _ in page.tags].count("caption") > 8
    drawn = [attributes for tag, attributes in page.tags if tag == "div" and attributes.get("role") == "img"]
    assert len(drawn) == [tag for tag, _ in page.tags].count("figcaption") == 5
    assert all(re.search(r"[0-9]", attributes["aria-label"]) for attributes in drawn)
    assert [tag for tag, _ in page.tags if tag in ("header", "main")] == ["header", "main"]


def test_the_answers_intervals_are_clustered_and_wilsons_are_named(page, folder):
    row = pd.read_csv(folder / "tables" / "detection.csv").iloc[0]
    assert row["basis"] == "two_way_cluster"
    for name in ("hit_rate", "false_alarm_rate", "balanced_accuracy"):
        share, low, high = (100 * row[f"{name}{end}"] for end in ("", "_low", "_high"))
        assert f"{share:.1f} % ({low:.1f}–{high:.1f})" in page.words
    assert "Intervals rest on clustering by participant and by picture" in page.words, "no verdict yet"
    assert "Wilson intervals are of these people and these pictures only" in page.words
    assert "p (½)" not in page.words


@pytest.mark.nightly
def test_exclusions_are_called_what_they_are(study, tmp_path):
    """A plan's rule is preset, an option beyond it exploratory, and without a plan neither."""
    trials = read_table(study / "tables" / "trials.csv", TRIALS)
    plan = AnalysisSettings(exclude=("reaction_time_ms>1500",))
    beyond = ("participant=P3",)
    for name, frames in {
        "plan": analyze(trials, plan=plan),
        "beyond": analyze(trials, plan=plan, exclude_participants=beyond, margin=0.2),
        "none": analyze(trials, exclude_participants=beyond, margin=0.2),
    }.items():
        write_analysis(frames, tmp_path / name)
    words = {name: Page(build(tmp_path / name, tmp_path / f"{name}.html")).words for name in ("plan", "beyond", "none")}
    assert "left out by preset rules" in words["plan"]
    assert "exploratory" not in words["plan"]
    assert "1 participant left out by exploratory rules, not in the plan: P3" in words["beyond"]
    assert "margin is 20.0 points (exploratory, not in the plan)" in words["beyond"].replace("20 points", "20.0 points")
    assert "1 participant left out by rule, no plan given: P3" in words["none"]
    for name in ("beyond", "none"):
        assert "fixed before the data" not in words[name]
        assert "fixed in advance" not in words[name]
        assert "planned margin" not in words[name]
    assert "left out by preset" not in words["none"]


@pytest.mark.nightly
def test_an_infinite_value_is_told_below_its_plot_and_is_no_other_trial(study, tmp_path):
    copy = copy_of(study, tmp_path)
    file = copy / "metrics" / "image_metrics.csv"
    images = read_table(file, ALL_TABLES["image_metrics"])
    psnr = images.index[(images["metric"] == "psnr") & images["value"].notna()]
    images.loc[psnr[:2], "value"] = math.inf
    write_table(images, file, ALL_TABLES["image_metrics"])
    file.with_suffix(".parquet").unlink(missing_ok=True)
    write_analysis(analyze(read_table(copy / "tables" / "trials.csv", TRIALS), image_metrics=images), copy / "tables")
    dataset = images.loc[psnr[0], "dataset"]
    (chart,) = agreement_charts(read_folder(copy))
    assert f"PSNR on {dataset}, pictures: not drawn: 2 infinite values." in chart.caption
    assert "other trials" not in chart.caption


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_dots_and_coefficient_rest_on_the_same_trials(study, tmp_path, known):
    """Exclusions reach the plots; where they are not known, the plot says so."""
    copy = copy_of(study, tmp_path)
    metrics = {
        name: read_table(copy / "metrics" / f"{name}.csv", ALL_TABLES[name])
        for name in ("image_metrics", "set_metrics")
    }
    trials = read_table(copy / "tables" / "trials.csv", TRIALS)
    frames = analyze(trials, exclude=["reaction_time_ms>900"], exclude_participants=["participant=P3"], **metrics)
    if not known:
        del frames["participation"]
    shutil.rmtree(copy / "tables")
    write_table(trials, copy / "tables" / "trials.csv", TRIALS)
    write_analysis(frames, copy / "tables")
    folder = read_folder(copy)
    (chart,) = agreement_charts(folder)
    assert len(chart.figures) >= 2
    assert chart.caption.count("the dots come from other trials") == (0 if known else len(chart.figures))
    if known:
        kept = included_trials(folder)
        expected = trials[(trials["participant"] != "P3") & ~(trials["reaction_time_ms"] > 900)]
        assert len(kept) == len(expected) < len(trials)


def test_published_numbers_stand_beside_with_interval_and_source(page):
    assert "96.0 % (80.5–99.3)" in page.words
    assert "Someone: Something, Table I" in page.words
    assert "one assessor" in page.words
    assert "119.1" in page.words
    assert "A paper, facades; training mode" in page.words
    assert "elsewhere" not in page.words


def test_warnings_and_reasons_are_told(page):
    assert "FID from fewer than 2000 pictures is biased upwards" in page.words
    assert "weights not found: gan-eval weights fetch inception" in page.words
    assert "8 + 8 pictures shown instead of 25 + 25" in page.words
    assert "Interim: 5 of 9 sessions" in page.words


def with_sets(folder: Path, tmp_path: Path, change) -> Page:
    study = copy_of(folder, tmp_path)
    path = study / "metrics" / "set_metrics.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    return Page(build(study, tmp_path / "report.html"))


@pytest.mark.nightly
def test_a_missing_fid_has_no_bias(folder, tmp_path):
    page = with_sets(folder, tmp_path, lambda sets: sets.assign(value=None, reason="no weights"))
    assert "biased upwards" not in page.words


@pytest.mark.nightly
def test_the_method_names_what_is_printed(page, folder, tmp_path):
    assert "FID is the Fréchet distance" in page.words
    assert "KID is the squared maximum mean discrepancy" in page.words
    assert "For independent sets it is unbiased" in page.words
    assert "Spearman's correlation within models" in page.words
    assert "come from a delete-group jackknife" in page.words
    bare = with_sets(folder, tmp_path, lambda sets: sets[sets["metric"] == "fid"].assign(ci_low=None, ci_high=None))
    assert "jackknife" not in bare.words
    assert "KID is" not in bare.words


def lead(rows: pd.DataFrame, folder: Path) -> Page:
    write_analysis(analyze(rows), folder)
    return Page(build(folder, folder / "report.html"))


def judged(kind: str, calls: dict[str, int], people: int = 8) -> list[dict[str, str]]:
    """Each person's answers to pictures of one kind, by how often they gave which."""
    calls_made = [response for response, count in calls.items() for _ in range(count)]
    return [
        {"participant": f"P{person}", "stimulus": f"{kind}{(number + 3 * person) % 50}", "kind": kind, "response": call}
        for person in range(people)
        for number, call in enumerate(calls_made)
    ]


def test_leaning_to_the_commoner_kind_is_not_called_skill(tmp_path):
    """Call nine in ten of 40 reals and of 10 fakes real: 74 % are correct without any sensitivity."""
    rows = pd.DataFrame(judged("real", {"real": 36, "fake": 4}) + judged("fake", {"real": 9, "fake": 1}))
    page = lead(rows, tmp_path)
    assert "The answers of 8 participants do not show" in page.words
    assert "50.0 % were judged correctly (95 % interval" in page.words
    assert "better than by chance" not in page.words
    assert "74.0 %" in page.words


def test_skill_is_seen_behind_a_leaning(tmp_path):
    """The same leaning and fewer than half right, yet fakes are called fake more often than reals."""
    rows = pd.DataFrame(judged("real", {"real": 9, "fake": 1}) + judged("fake", {"real": 26, "fake": 14}))
    page = lead(rows, tmp_path)
    assert "8 participants told real from generated pictures better than by chance" in page.words
    reported = pd.read_csv(tmp_path / "comparisons.csv").set_index("comparison").loc["told apart", "difference"]
    assert (1 + reported) / 2 == pytest.approx(0.625, abs=0.01)  # the plain shares; the crossed model is near them
    assert f"{50 * (1 + reported):.1f} % were judged correctly (95 % interval" in page.words
    assert "46.0 %" in page.words


def test_worse_than_guessing_is_said(tmp_path):
    rows = pd.DataFrame(judged("real", {"real": 5, "fake": 20}) + judged("fake", {"real": 20, "fake": 5}))
    assert "8 participants mistook real and generated pictures for each other" in lead(rows, tmp_path).words


@pytest.mark.nightly
def test_one_kind_gives_no_verdict(tmp_path):
    page = lead(pd.DataFrame(judged("fake", {"real": 2, "fake": 18})), tmp_path)
    assert "cannot be said: only generated ones were judged" in page.words
    assert "by chance" not in page.words


@pytest.mark.nightly
def test_kinds_on_different_data_sets_give_no_verdict(tmp_path):
    rows = pd.DataFrame(judged("real", {"real": 20, "fake": 5}) + judged("fake", {"real": 5, "fake": 20}))
    page = lead(rows.assign(dataset=rows["kind"].map({"real": "facades", "fake": "maps"})), tmp_path)
    assert "cannot be said: on no data set both kinds were judged" in page.words
    assert "better than by chance" not in page.words


@pytest.mark.nightly
def test_rates_alone_still_rest_on_balanced_accuracy(tmp_path):
    rows = pd.DataFrame(judged("real", {"real": 36, "fake": 4}) + judged("fake", {"real": 9, "fake": 1}))
    write_analysis({"rates": analyze(rows)["rates"]}, tmp_path)
    words = Page(build(tmp_path, tmp_path / "report.html")).words
    assert "do not show" in words
    assert "all answers taken as independent" in words


@pytest.mark.nightly
@pytest.mark.parametrize("phase", ["practice", "main"])
def test_only_practice_or_only_pairs(tmp_path, phase):
    rows = pd.DataFrame(judged("real", {"real": 4}) + judged("fake", {"fake": 4})).assign(phase=phase)
    if phase == "main":
        rows = rows.assign(kind=None, response=None, stimulus_b="other", choice="a")
    write_table(fill_trials(rows), tmp_path / "trials.csv", TRIALS)
    page = lead(rows, tmp_path)
    assert "Shown to each participant" not in page.words
    assert page.sections()


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("cells", "word"),
    [("fake,0,60", r"\(maps fake\): trials is 0"), ("real,25,130", "percent_correct is 130")],
)
def test_a_published_row_that_is_no_share_is_named(folder, tmp_path, cells, word):
    study = copy_of(folder, tmp_path)
    header = "study,source,dataset,group,trials,percent_correct,note"
    (study / "published" / "quiz.csv").write_text(f"{header}\na,s,maps,real,25,96,\nb,s,maps,{cells},\n")
    with pytest.raises(UserError, match=rf"published/quiz\.csv: row 2.*{word}"):
        build(study, tmp_path / "report.html")


def test_people_are_not_called_simulated(page):
    assert "imulated" not in page.title
    assert "imulated" not in page.words


@pytest.mark.slow
def test_simulated_participants_fraction_and_title_are_loud(tmp_path):
    study = make_study(tmp_path / "s", simulated=True, fraction=0.1, datasets=("facades",))
    page = Page(build(study, tmp_path / "report.html", title="Mine"))
    assert page.title == "Simulated participants: Mine"
    assert page.headings[0] == (1, "Simulated participants Mine")
    assert "Trained for 10 % of the planned steps" in page.words
    assert "7 simulated participants" in page.words
    assert "No person answered" in page.words


@pytest.mark.nightly
@pytest.mark.parametrize(("train_split", "said"), [("train", False), ("train+val", False), ("train+val+test", True)])
def test_pictures_that_were_trained_on_are_said_before_any_number(folder, tmp_path, train_split, said):
    study = copy_of(folder, tmp_path)
    text = (study / "study.toml").read_text()
    name = re.search(r"\[data\.(\w+)\]", text)[1]
    (study / "study.toml").write_text(
        text.replace(f"[data.{name}]\n", f'[data.{name}]\ntrain_split = "{train_split}"\n')
    )
    line = f"Pictures of {name} that are shown and measured were trained on, too"
    assert (line in badges(read_folder(study))) == said


def test_only_the_analysis(folder, tmp_path):
    for name in ("rates", "reaction_times", "mixed_models", "comparisons", "correlations"):
        shutil.copy(folder / "tables" / f"{name}.csv", tmp_path)
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert page.sections() == [
        "answer", "notes", "rates", "comparisons", "extremes", "agreement", "models", "times", "design", "participants",
        "checklist", "methods", "files", "versions",
    ]  # fmt: skip
    assert page.title == "Real or fake? 5 participants"


def test_only_metrics(folder, tmp_path):
    shutil.copy(folder / "metrics" / "set_metrics.csv", tmp_path)
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert page.sections() == ["metrics", "notes", "files", "versions"]


@pytest.mark.nightly
def test_a_broken_or_stray_picture_is_left_out(folder, tmp_path):
    study = copy_of(folder, tmp_path)
    base = study / "stimuli" / "facades-pix2pix_facades"
    (base / "fake" / "000.png").write_bytes(b"not a picture")
    (base / "real" / "004.png").unlink()
    with pytest.raises(UserError, match=r"fake/000\.png: the picture has changed since it entered the stimulus set"):
        build(study, tmp_path / "report.html")
    rehash(base)
    page = Page(build(study, tmp_path / "report.html"))
    assert [tag for tag, _ in page.tags].count("img") == 2 * 5 * 3 - 3 - 1 + ranked(page)
    table = base / "stimuli.csv"
    table.write_text(table.read_text().replace("input/008.png", "../../study.toml"))
    with pytest.raises(UserError, match=r"row 17, column input_file: .* is not below"):
        build(study, tmp_path / "report.html")


@pytest.mark.nightly
def test_simulated_answers_are_left_out_beside_people(folder, tmp_path):
    study = copy_of(folder, tmp_path)
    trials = read_table(study / "tables" / "trials.csv", TRIALS)
    trials["simulated"] = trials["participant"] == "P5"
    write_table(trials, study / "tables" / "trials.csv", TRIALS)
    write_analysis(analyze(trials[~trials["simulated"]]), study / "tables")
    page = Page(build(study, tmp_path / "report.html"))
    assert "Simulated" not in page.title
    assert "trials of simulated participants left out" in page.words


@pytest.mark.slow
def test_no_answers_yet(tmp_path):
    unanswered = {"participant": ["P1"], "stimulus": ["a"], "kind": ["real"], "response": ["none"]}
    trials = fill_trials(pd.DataFrame(unanswered))
    write_analysis(analyze(trials), tmp_path)
    page = Page(build(tmp_path, tmp_path / "report.html"))
    assert "There is no answer yet" in page.words


@pytest.mark.parametrize("make", [lambda path: path / "nowhere", lambda path: path])
def test_nothing_to_report(tmp_path, make):
    with pytest.raises(UserError, match=r"no such folder|nothing to report"):
        build(make(tmp_path), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_broken_table_names_itself(folder, tmp_path):
    study = copy_of(folder, tmp_path)
    (study / "tables" / "rates.csv").write_text("scope,id\nall,all\n")
    with pytest.raises(UserError, match=r"rates\.csv: column .*is missing"):
        build(study, tmp_path / "report.html")
