"""The study file: defaults, what fits together, and mistakes named by file and field."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_toml
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study, load_study

GOOD = """
[study]
name = "s"
[data.d]
[training]
epochs = 3
[models.m]
data = "d"
"""


def load(tmp_path: Path, text: str) -> Study:
    path = tmp_path / "study.toml"
    path.write_text(text)
    return load_study(path)


def test_a_models_own_keys_override_the_shared_ones(tmp_path):
    text = GOOD + "[models.long]\ndata = 'd'\n[models.long.training]\nsteps = 9\nlambda_l1 = 10.0\n"
    study = load(tmp_path, text)
    assert (study.training_of("long").steps, study.training_of("long").epochs) == (9, None)
    assert study.training_of("long").lambda_l1 == 10.0
    assert study.training_of("m").epochs == 3


def test_files_that_are_absent_or_not_text_are_named(tmp_path):
    refused("no such study file", load_study, tmp_path / "absent.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xff")
    refused("not UTF-8", load_study, tmp_path / "b.toml")
    refused("a folder", load_study, tmp_path)


def test_every_count_has_a_bound():
    def unbounded(schema, name):
        if schema.get("type") in ("integer", "number") and not {"maximum", "exclusiveMaximum"} & schema.keys():
            yield name
        for key, inner in schema.items():
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict):
                    yield from unbounded(one, f"{name}.{key}")

    assert list(unbounded(Study.model_json_schema(), "Study")) == []


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({}, {"real": "j", "fake": "f"}),
        ({"protocol": "paired"}, {"left": "f", "right": "j"}),
        ({"protocol": "paired", "layout": "one_after_other", "exposure_ms": 9}, {"first": "f", "second": "j"}),
        ({"protocol": "rating", "grades": 3}, {"1": "1", "2": "2", "3": "3"}),
        ({"keys": {"fake": "Q", "real": "p"}}, {"fake": "Q", "real": "p"}),
    ],
)
def test_each_protocol_has_its_keys(values: dict[str, Any], keys: dict[str, str]) -> None:
    assert QuizSettings(**values).keys == keys


def test_keys_change_places_on_every_second_list() -> None:
    fixed, swapped = QuizSettings(), QuizSettings(counterbalance_keys=True)
    assert fixed.keys_of_list(2) == fixed.keys_of_list(1) == {"real": "j", "fake": "f"}
    assert swapped.keys_of_list(1) == {"real": "j", "fake": "f"}
    assert swapped.keys_of_list(2) == {"real": "f", "fake": "j"}
    grades = QuizSettings(protocol="rating", counterbalance_keys=True)
    assert grades.keys_of_list(2) == grades.keys


CHANGES = [
    (("epochs = 3", "epoch = 3"), ["training.epoch: ", "did you mean epochs?"]),
    (("[training]", "[trainin]"), ["trainin: ", "training"]),
    (("[training]", "[quiz]\nreel = 1\nfack = 2\n[training]\nepoc = 3"), ["epoc: ", "quiz.reel, quiz.fack"]),
    (("epochs = 3", "epochs = 3\nsteps = 2"), ["epochs or steps"]),
    (("epochs = 3", "beta1 = nan"), ["training.beta1"]),
    (('data = "d"', 'data = "e"'), ["models.m.data", "'e'", "d"]),
    (('data = "d"', 'data = "d"\ntraining = { lambda_l3 = 1 }'), ["models.m.training.lambda_l3", "lambda_l"]),
    (('name = "s"', 'name = "../s"'), ["study.name"]),
    (('name = "s"', ""), ["study.name: "]),
    (("[models.m]", "[quiz]\nexposure_ms = 'until-anser'\n[models.m]"), ["quiz.exposure_ms", "until-answer"]),
    (("[models.m]", "[models.real]"), ["models.real", "ground truth"]),
    (("[models.m]", "[models.m-raw]"), ["models.m-raw: "]),
    (("[models.m]", "[data.d-a]\n[models.b]\ndata = 'd-a'\n[models.a-b]"), ["models.a-b", "folder"]),
    (("[study]", "[study"), ["TOML"]),
    (('name = "s"', "name = s"), ["TOML: Invalid value", "quotes"]),
    (('data = "d"', f'data = "d"\n[data.d.x]\nfolder = "{"x" * 9999}"'), ["data.d.x: "]),
    (("[models.m]", f"[quiz]\nprotocol = '{'x' * 9999}'\n[models.m]"), ["quiz.protocol: found 'xxx", "…; input"]),
    (("[study]", f"x = {'[' * 9999}{']' * 9999}\n[study]"), ["TOML: "]),
    (("[study]", f"x = 1{'0' * 9999}\n[study]"), ["4300 digits"]),
]
"""A text in `GOOD`, its replacement, and parts of the line that refuses it."""
ADDITIONS = [
    ("[quiz]\npractice = 1000000000000000000", ["quiz.practice: found 1000000000000000000"]),
    ('[quiz]\nstrict_counts = "no"', ["quiz.strict_counts: found 'no'"]),
    ("[training]\nsnapshots = [true]", ["training.snapshots.0: found True"]),
    ('[quiz.consent]\ntext = "  "', ["quiz.consent.text: "]),
    ('[[quiz.questions]]\nid = "a"\ntext = "t"\nchoices = []', ["quiz.questions.0.choices: found []"]),
    ('[[quiz.questions]]\nid = "a"\ntext = "t"\nchoices = ["x", "x"]', ["choices: "]),
    ('[stimuli]\ncatch_sets = ["a\\u0000b"]', ["stimuli.catch_sets.0: found"]),
    (f'[quiz]\nlanguage = {{ a = "{"x" * 5000}" }}', ["quiz.language: found"]),
    ("keys = []", ["quiz.keys: ", "table"]),
    ("keys = { left = 'f', right = 'j' }", ["quiz.keys: ", "real", "real = 'j'"]),
    ("protocol = 'paired'\nkeys = { real = 'f', fake = 'j' }", ["quiz.keys: ", "left"]),
    ("keys = { real = 'j', fake = 'J' }", ["quiz.keys: ", "different keys"]),
    ("keys = { real = 'jj', fake = 'f' }", ["quiz.keys: ", "one character"]),
    ("protocol = 'quick_respons'", ["quiz.protocol", "quick_response"]),
    ("exposures_ms = [100]", ["quiz.exposures_ms: ", "yes_no"]),
    ("protocol = 'paired'\nlayout = 'one_after_other'", ["quiz.exposure_ms: ", "1000"]),
    ("response_ms = 4", ["response_ms 4 "]),
    ("exposure_ms = 0.5", ["exposure_ms 0.5 is in milliseconds; 0.5 seconds are 500"]),
    ("protocol = 'yes_no'\nexposures_ms = [0.05, 100]", ["0.05 seconds are 50"]),
    ("[analysis]\nexclude = ['reaction_time_ms<0.2']", ["analysis.exclude: ", "0.2 seconds are 200"]),
    ("[analysis]\nexclude = ['reaction_time_ms>4']", ["analysis.exclude: ", "4 seconds are 4000"]),
    ("[analysis]\nexclude = ['phase=Practice']", ["phase is never 'Practice'; expected one of practice, main, catch"]),
    ("[analysis]\nexclude_participants = ['catch_accuracy<80']", ["a share of 0 to 1"]),
    ("confidence = 1", ["confidence: "]),
    ("exposure_ms = 5000", ["exposure_ms 5000"]),
    ("protocol = 'staircase'\nresponse_ms = 900", ["exposure_ms 1000"]),
    ("[quiz.staircase]\nstart_ms = 50", ["quiz.staircase", "start_ms 50"]),
    ("[quiz.staircase]\ndown_ms = 30\nup_ms = 10", ["down_ms 30"]),
    ("[[quiz.questions]]\nid='a'\ntext='?'\n[[quiz.questions]]\nid='a'\ntext='!'", ["quiz.questions: ", "must differ"]),
    ("[[quiz.questions]]\nid='STUDY_ID'\ntext='?'", ["quiz.questions: ", "browser.other_parameters"]),
    ("[[quiz.questions]]\nid='a b'\ntext='?'", ["quiz.questions.0.id: found 'a b'"]),
    ("confidence = 3\nkeys = { real = '3', fake = 'f' }", ["quiz.keys: ", "confidence"]),
    ("allow_giveaways = ['brightness']", ["quiz.allow_giveaways.0: found 'brightness'", "'format'", "'identical'"]),
    ("picture_size = '512'", ["quiz.picture_size: ", "512", '"8 deg"']),
    ("picture_size = 0", ["quiz.picture_size: found 0", "16384"]),
    ("picture_size = '180 deg'", ["quiz.picture_size: ", '"8 deg"']),
    ("viewing_distance_cm = 5.5", ["quiz.viewing_distance_cm: ", "20"]),
]
"""Further lines of a study file, of the quiz where no header comes first, and parts of the line that refuses them."""


def with_lines(lines: str) -> str:
    header = "" if lines.startswith("[") else "[quiz]\n"
    return f'[study]\nname = "s"\n[data.d]\n{header}{lines}\n'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        *((GOOD.replace(*change), parts) for change, parts in CHANGES),
        *((with_lines(lines), parts) for lines, parts in ADDITIONS),
    ],
    ids=lambda value: str(value)[-60:],
)
def test_a_mistake_is_named_by_its_field_with_its_fix(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_study(path, only_plan=True)
    message = str(caught.value).removeprefix(f"{path}: ")
    assert message != str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"viewing_distance_cm": 60.0, "screen_width_cm": 53.0}, "viewing_distance_cm, screen_width_cm: no effect"),
        ({"protocol": "yes_no", "exposures_ms": (50, 100), "exposure_ms": 200}, "quiz.exposure_ms: no effect"),
        ({"protocol": "paired", "real": 20}, "quiz.real: no effect"),
        ({"picture_size": 8}, 'quiz.picture_size 8 is in pixels; 8 degrees of visual angle are "8 deg"'),
        ({"exposure_ms": 2}, "quiz.exposure_ms 2 is in milliseconds; 2 seconds are 2000"),
        ({"mask": "noise", "mask_ms": 0.15}, "quiz.mask_ms 0.15 is in milliseconds; 0.15 seconds are 150"),
        ({"practice": 4, "feedback_ms": 2.4}, "quiz.feedback_ms 2.4 is in milliseconds; 2.4 seconds are 2400"),
        (
            {"protocol": "staircase",
             "staircase": {"start_ms": 0.5, "shortest_ms": 0.1, "longest_ms": 1, "down_ms": 0.01, "up_ms": 0.03}},
            "quiz.staircase.longest_ms 1 is in milliseconds; 1 seconds are 1000",
        ),
        ({"picture_size": "8 deg", "viewing_distance_cm": 60.0}, ""),
        ({"picture_size": 32, "exposure_ms": 16.7, "mask": "noise"}, ""),
        ({"protocol": "staircase"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_settings_without_effect_or_in_another_unit_are_one_line(settings: dict[str, object], said: str) -> None:
    lines = QuizSettings.model_validate(settings).doubts
    assert len(lines) == bool(said)
    assert said in " ".join(lines)


def test_one_size_on_the_screen_has_one_spelling() -> None:
    spelled = ["8 deg", "8deg", " 8.0 deg", "8°", "8.000 °"]
    assert {QuizSettings(picture_size=text).picture_size for text in spelled} == {"8 deg"}
    assert QuizSettings(picture_size="7.25°").picture_degrees == 7.25
    assert [QuizSettings(picture_size=size).picture_degrees for size in ("native", 512)] == [None, None]
    assert QuizSettings().picture_size == "native"


def test_editors_of_windows_put_a_mark_before_the_text(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_toml(file) == tomllib.loads(GOOD)
