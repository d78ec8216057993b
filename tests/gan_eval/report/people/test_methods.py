"""Methods paragraphs, and the BibTeX entry of this program."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
from answers_of_people import study_of_two_levels
from make_trials import simulated
from synthetic_tables import folder_of, told_apart
from synthetic_tables import rates as rates_row

from gan_eval import __address__
from gan_eval.judgements.external_values import read_image_metrics
from gan_eval.report.people.answer import answer_sentences
from gan_eval.report.people.methods import citation, method_blocks, paper_methods
from gan_eval.report.people.participants import participation_sentences
from gan_eval.report.people.pictures import _said_of_pictures
from gan_eval.stats.analysis import analyze

CFF = Path(__file__).resolve().parents[4] / "CITATION.cff"


def test_there_are_short_paragraphs_and_each_as_latex():
    folder = study_of_two_levels()
    text = paper_methods(folder)
    assert len(text.split("\n\n")) >= 4
    assert [block.text for block in method_blocks(folder)] == [text, citation()]


def test_the_software_is_cited_as_citation_cff_says():
    text, entry = CFF.read_text(encoding="utf-8"), citation().replace("\\_", "_")
    (title,) = re.findall(r'^title: "(.*)"$', text, re.MULTILINE)
    (name,) = re.findall(r'^  - name: "(.*)"$', text, re.MULTILINE)
    assert f"title = {{{{{title}}}}}" in entry
    assert f"author = {{{{{name}}}}}" in entry
    assert re.search(r"^  year = \{20\d\d\},$", entry, re.MULTILINE)


def test_only_an_address_that_exists_is_cited_and_it_is_the_same_everywhere():
    project = tomllib.loads(CFF.with_name("pyproject.toml").read_text(encoding="utf-8"))["project"]
    addresses = [__address__] if __address__ else []
    assert re.findall(r'^url: "(.*)"$', CFF.read_text(encoding="utf-8"), re.MULTILINE) == addresses
    assert [*project.get("urls", {}).values()] == addresses
    assert re.findall(r"^  url = \{(.*)\},$", citation(), re.MULTILINE) == addresses
    assert "url = {https://example.org}," in citation("https://example.org").splitlines()[-2]
    assert not re.search(r"\.(example|invalid|test)\b", __address__)  # names that can never exist


def test_holms_method_is_named_only_where_it_changed_a_p() -> None:
    one, two = told_apart(), [told_apart(a="x", p=0.01, p_holm=0.02), told_apart(p=0.02, p_holm=0.02)]
    assert "Holm" not in paper_methods(folder_of(rates=[rates_row()], comparisons=[one]))
    assert "Holm" in paper_methods(folder_of(rates=[rates_row()], comparisons=two))


def test_how_often_intervals_hold_the_truth_is_said_of_rates_by_the_crossed_model() -> None:
    by_basis = {
        basis: paper_methods(folder_of(rates=[rates_row()], comparisons=[told_apart(basis=basis)]))
        for basis in ("crossed_model", "two_way_cluster")
    }
    assert "93 to 99.6%" in by_basis["crossed_model"]
    assert "99.6%" not in by_basis["two_way_cluster"]
    assert by_basis["crossed_model"].count(" ~ ") == 1
    assert " ~ " not in by_basis["two_way_cluster"]


def test_the_methods_count_the_participants_of_the_result() -> None:
    """Three of 12 people judged only real pictures, and one only generated ones: the result has N = 8."""
    trials = simulated(participants=12, each=24, models=("gan",)).assign(simulated=False)
    names = [*trials["participant"].unique()]
    is_real, who = (trials["kind"] == "real").to_numpy(bool), trials["participant"]
    dropped = (~is_real & who.isin(names[:3])) | (is_real & who.isin(names[3:4]))
    trials = trials[~dropped.to_numpy(bool)].reset_index(drop=True)
    of = folder_of(**analyze(trials), trials=trials)
    left_out = "Left out of the result: 3 participants who judged no generated pictures, and 1 who judged no real ones."
    assert "(N = 8)" in next(answer_sentences(of))
    assert f"The answers of 8 participants are analysed. {left_out}" in paper_methods(of).replace("\u202f", " ")
    assert left_out in participation_sentences(of)


def test_methods_say_only_what_applies() -> None:
    """They named roundings of 0.0% of sessions, HYPE scores without one, flags of no trial, and intervals of no set."""
    trials = simulated(participants=4, each=12, models=("gan",)).assign(simulated=False, flags=None)
    session = {"protocol": "quick_response", "status": "complete", "simulated": False, "refresh_hz": 60.0}
    sessions = [session | {"session": name, "participant": name, "rounded": False} for name in set(trials["session"])]
    settings = {"interval": "jackknife over items"}
    measured = {"model": "gan", "dataset": "d", "metric": "fid", "n_real": 9, "n_fake": 9}
    picture = {"stimulus": "d/gan/1", "item": "d/1", "kind": "fake", "model": "gan", "dataset": "d", "run": "r"}
    tables = {
        "sessions": sessions,
        "hype": [{"score": "hype_time", "dataset": "d", "n_participants": 0, "unit": "ms"}],
        "set_metrics": [measured | {"reason": "too few pictures", "run": "r"}],
        "image_metrics": [picture | {"metric": "psnr", "value": 20.0}],
        "runs": [{"run": "r", "command": "metrics", "settings": json.dumps(settings)}],
    }
    text = paper_methods(folder_of(trials=trials, **{**analyze(trials), **tables}))
    for words in ("rounded", "HYPE", "late", "jackknife"):
        assert words not in text
    trials = trials.assign(flags=["late focus_lost", *[None] * (len(trials) - 1)])
    tables["sessions"] = [row | {"rounded": True} for row in sessions]
    tables["hype"] = [tables["hype"][0] | {"value": 250.0}]
    tables["set_metrics"] = [measured | {"value": 9.0, "ci_low": 7.0, "ci_high": 12.0, "run": "r"}]
    text = paper_methods(folder_of(trials=trials, **{**analyze(trials), **tables}))
    for words in ("rounded to whole frames", "HYPE", "have a flag: late and focus lost", "jackknife"):
        assert words in text


def test_a_picture_that_nobody_was_shown_says_so() -> None:
    trials = simulated(participants=4, each=12, models=("gan",))
    folder = folder_of(trials=trials, **analyze(trials))
    (shown, *_) = trials.loc[trials["kind"] == "fake", "stimulus"]
    said = _said_of_pictures(replace(folder, stimuli={"s": pd.DataFrame({"stimulus": [shown, "other"]})}))
    assert said("other") == "shown to nobody"
    assert said(shown).startswith("called real ")
    elsewhere = replace(folder, stimuli={"s": pd.DataFrame({"stimulus": ["other"]})})
    assert _said_of_pictures(elsewhere)("other") == "", "the answers name their pictures otherwise"
    assert _said_of_pictures(replace(folder_of(), stimuli=elsewhere.stimuli))("other") == "", "nobody has answered"


def test_values_of_another_program_are_said_to_be_from_its_file(tmp_path: Path) -> None:
    """Before: a column psnr of any program was described as the PSNR of this one."""
    trials = simulated(participants=4, each=12, models=("gan",))
    fakes = trials.loc[trials["kind"] == "fake", "stimulus"].unique()
    pd.DataFrame({"image": fakes, "psnr": range(20, 20 + len(fakes))}).to_csv(tmp_path / "theirs.csv", index=False)
    theirs, _ = read_image_metrics([tmp_path / "theirs.csv"], trials)
    ours = theirs.assign(run="r")
    for images, start in ((theirs, "values of another program, from theirs.csv)"), (ours, "10 log")):
        text = paper_methods(folder_of(trials=trials, image_metrics=images, **analyze(trials)))
        assert text.partition("PSNR (")[2].startswith(start)
