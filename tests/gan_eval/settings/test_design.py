"""The design: every key of a study file is in it or is left out for a reason, and values in force count."""

import pytest

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.design import design_changes, design_of, keys_of_design, pictures_hash
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study, StudySettings


def test_the_design_has_what_is_seen_and_judged_and_leaves_out_whole_sections() -> None:
    assert keys_of_design(Study) == ["study", "quiz", "analysis"]
    assert keys_of_design(StudySettings) == ["name", "version", "seed"]
    assert keys_of_design(AnalysisSettings) == ["exclude", "exclude_participants"]
    assert set(QuizSettings.model_fields) - set(keys_of_design(QuizSettings)) == {
        "participants", "strict_counts", "push_to", "browser", "allow_giveaways", "show_score", "show_review",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("others", "key", "value"),
    [
        ({}, "show_score", False), ({}, "show_review", False), ({}, "strict_counts", True), ({}, "participants", 3),
        ({}, "allow_giveaways", ("format",)), ({}, "pairs", 9), ({}, "layout", "one_after_other"),
        ({}, "gap_ms", 99), ({}, "mask_ms", 99), ({}, "grades", 7), ({}, "feedback_ms", 99),
        ({}, "screen_width_cm", 53), ({}, "staircase", {"start_ms": 400}), ({}, "marks_ms", 900.0),
        ({"protocol": "staircase"}, "exposure_ms", 300), ({"protocol": "quest_plus"}, "exposure_ms", 300),
    ],
)  # fmt: skip
def test_what_nobody_sees_is_not_in_the_design(others: dict[str, object], key: str, value: object) -> None:
    changed, base = QuizSettings(**others, **{key: value}), QuizSettings(**others)
    assert changed != base
    assert design_of(changed) == design_of(base)


@pytest.mark.parametrize(
    ("others", "key", "value"),
    [
        ({}, "blank_ms", 900), ({}, "real", 9), ({}, "quiz_title", "Which one?"), ({}, "instructions", "Look."),
        ({}, "consent", {"text": "Yes?"}), ({}, "corner_patch", True), ({"mask": "noise"}, "mask_ms", 99),
        ({"protocol": "paired"}, "pairs", 9), ({"protocol": "rating"}, "grades", 7),
        ({"practice": 2}, "feedback_ms", 9), ({}, "show_caption", True),
        ({"protocol": "model_vs_model", "show_caption": True}, "question", "fits"),
        ({"picture_size": "8 deg"}, "screen_width_cm", 53), ({"marks": 2}, "marks_after", "every"),
        ({"protocol": "staircase"}, "staircase", {"start_ms": 400}),
    ],
)  # fmt: skip
def test_what_is_seen_is_in_the_design(others: dict[str, object], key: str, value: object) -> None:
    changed, base = design_of(QuizSettings(**others, **{key: value})), design_of(QuizSettings(**others))
    assert {name for name in {*changed, *base} if changed.get(name) != base.get(name)} - {"keys"} == {key}


def test_another_default_is_another_design() -> None:
    study = Study(study=StudySettings(name="s"))
    before = study.design_hash, study.analysis_hash
    quiz = study.quiz.model_copy(update={"blank_ms": 400.0})  # as a later version would make it of the same file
    analysis = AnalysisSettings().model_copy(update={"slope": False})
    assert study.model_copy(update={"quiz": quiz}).design_hash != before[0]
    assert study.model_copy(update={"analysis": analysis}).analysis_hash != before[1]


def test_the_hash_of_pictures_is_of_what_they_are_not_of_where() -> None:
    row = {"stimulus": "s", "item": "i", "kind": "real", "model": None, "dataset": "d", "sha256": "1", "file": "a.png"}
    assert pictures_hash([row]) == pictures_hash([{**row, "file": "b.png", "seen": 1}, row])
    for name in ("item", "kind", "model", "dataset", "sha256"):
        assert pictures_hash([{**row, name: "other"}]) != pictures_hash([row])


def test_marks_of_a_fake_need_an_answer_fake() -> None:
    with pytest.raises(ValueError, match="marks_after: "):
        QuizSettings(protocol="rating", marks=1)
    assert QuizSettings(protocol="rating", marks=1, marks_after="every").marks == 1
    assert not {"marks", "marks_after", "marks_ms", "mark_question"} & design_of(QuizSettings()).keys()


def test_captions_are_in_the_design_where_they_are_shown() -> None:
    assert not {"show_caption", "question"} & design_of(QuizSettings()).keys()
    row = dict.fromkeys(("stimulus", "item", "kind", "model", "dataset", "sha256"), "x")
    captioned = [{**row, "caption": "a house"}]
    assert pictures_hash(captioned) == pictures_hash([row])
    assert pictures_hash(captioned, captions=True) != pictures_hash([{**row, "caption": "a cat"}], captions=True)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"protocol": "paired", "question": "fits", "show_caption": True}, "question"),
        ({"protocol": "model_vs_model", "question": "fits"}, "question"),
        ({"protocol": "paired", "pairs_of": "random", "show_caption": True}, "show_caption"),
    ],
)
def test_a_question_about_captions_needs_them(settings: dict[str, object], key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: "):
        QuizSettings(**settings)


def test_many_changes_are_shortened() -> None:
    old = {"quiz": {f"key{number}": "x" * 500 for number in range(9)}}
    reported = design_changes(old, {"quiz": {}})
    assert reported.endswith("; and 3 more")
    assert len(reported) < 1000
