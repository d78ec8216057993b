"""Pairs by place: columns or names say which picture is real; the choice may be written in several ways."""

from pathlib import Path

import pandas as pd
import pytest
import small_tables
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.judgements.convert import Imported, import_trials
from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import fill_trials

PEOPLE, PAIRS = 5, 8
SHARE = 0.8
"""Share of choices of the real picture."""
SIDES = ("left", "right")


def table(**change: object) -> pd.DataFrame:
    """Four of five people choose the real picture of each pair; its side alternates."""
    rows = []
    for person in range(PEOPLE):
        for number in range(PAIRS):
            real = number % 2
            chosen = real if person != number % PEOPLE else 1 - real
            names = (f"photo{number}.jpg", f"made{number}.jpg")
            rows.append(
                {"participant": f"P{person}", "left": names[real], "right": names[1 - real],
                 "real_side": SIDES[real], "choice": SIDES[chosen], "correct": ("no", "yes")[chosen == real]}
            )  # fmt: skip
    return pd.DataFrame(rows).assign(**change)


def imported(tmp_path: Path, frame: pd.DataFrame, mapping: dict[str, str] | None = None, **options: object) -> Imported:
    frame.to_csv(tmp_path / "pairs.csv", index=False)
    return import_trials(tmp_path / "pairs.csv", mapping=mapping or {}, **options)


BASE = table()
IS_LEFT = BASE["real_side"] == "left"
CHOSEN = BASE["left"].where(BASE["choice"] == "left", BASE["right"])
NUMBERED = BASE["left"].str.extract(r"(\d+)", expand=False) + ".png"
SHAPES: dict[str, tuple[pd.DataFrame, dict[str, str], dict[str, object]]] = {
    "by place": (BASE, {}, {}),
    "other names": (
        BASE.rename(columns={"left": "img_l", "right": "img_r", "choice": "answer"}),
        {"left": "img_l", "right": "img_r", "choice": "answer"}, {},
    ),
    "the columns' names": (
        BASE.assign(choice="img_" + BASE["choice"].str[0]).rename(columns={"left": "img_l", "right": "img_r"}),
        {"left": "img_l", "right": "img_r"}, {},
    ),
    "digits": (
        BASE.assign(real_side=(~IS_LEFT).astype(int), choice=(BASE["choice"] == "right").astype(int)), {},
        {"words": {"real_side": {"0": "left", "1": "right"}, "choice": {"0": "left", "1": "right"}}},
    ),
    "names of pictures": (BASE.assign(real_side=BASE["left"].where(IS_LEFT, BASE["right"]), choice=CHOSEN.str[:-4]),
                          {}, {}),
    "one column of kinds": (
        BASE.assign(first_kind=IS_LEFT.map({True: "real", False: "fake"}),
                    choice=BASE["correct"].map({"yes": "real", "no": "fake"})).drop(columns="real_side"),
        {"first": "left", "second": "right"}, {},
    ),
    "models, one of them real": (
        BASE.assign(left=NUMBERED, right=NUMBERED, left_model=IS_LEFT.map({True: "real", False: "m"}),
                    right_model=IS_LEFT.map({True: "m", False: "real"})).drop(columns="real_side"), {}, {},
    ),
    "folders": (
        BASE.assign(**{side: BASE[side].replace({"photo": "real/", "made": "m/"}, regex=True) for side in SIDES})
        .drop(columns="real_side"), {}, {},
    ),
    "only whether it was correct": (BASE.drop(columns="real_side"), {}, {}),
    "no choice": (BASE.drop(columns="choice"), {}, {}),
    "which one is fake": (
        BASE.assign(choice=BASE["choice"].map({"left": "right", "right": "left"})), {}, {"asked": "fake"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_real_picture_and_the_choice_are_found(tmp_path: Path, shape: str) -> None:
    frame, mapping, options = SHAPES[shape]
    trials = imported(tmp_path, frame, mapping, **options).trials
    assert len(trials) == PEOPLE * PAIRS
    assert set(trials["protocol"]) == {"paired"}
    assert (trials["choice"] == "a").mean() == pytest.approx(SHARE)
    assert trials["correct"].tolist() == (trials["choice"] == "a").tolist()
    assert trials["stimulus"].str.contains("photo|real").all()
    assert not trials["stimulus_b"].str.contains("photo|real").any()
    assert set(trials["position"]) <= {"left", "right", "first", "second"}


def test_pairs_of_two_models_have_no_real_picture(tmp_path: Path) -> None:
    models = {f"{side}_model": BASE[side].str.startswith("photo").map({True: "ours", False: "base"}) for side in SIDES}
    frame = BASE.assign(**models).drop(columns=["real_side", "correct"])
    trials = imported(tmp_path, frame).trials
    assert set(trials["protocol"]) == {"model_vs_model"}
    assert set(trials["model"]) == {"base|ours"}
    assert (trials["choice"] == "b").mean() == pytest.approx(SHARE)
    assert trials["correct"].isna().all()


UNKNOWN = BASE.drop(columns=["real_side", "correct"])
IN_PLACE = {"stimulus": "left", "stimulus_b": "right"}


@pytest.mark.parametrize(
    ("frame", "mapping"),
    [
        (UNKNOWN, {}),
        (UNKNOWN.assign(choice=UNKNOWN["choice"].map({"left": "A", "right": "B"})), IN_PLACE),
        (
            UNKNOWN.assign(
                **{side: UNKNOWN[side].replace({"photo": "real_esrgan_", "made": "ours"}, regex=True) for side in SIDES}
            ),
            {},
        ),
        (
            UNKNOWN.assign(
                **{side: UNKNOWN[side].replace({"photo": "real_", "made": "gan_"}, regex=True) for side in SIDES}
            ),
            IN_PLACE,
        ),
    ],
)
def test_pairs_without_a_known_real_are_refused(tmp_path: Path, frame: pd.DataFrame, mapping: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"pairs\.csv: .*--map real_side=COLUMN.*left_kind=.*left_model=COLUMN"):
        imported(tmp_path, frame, mapping, words={"choice": {"left": "a", "right": "b"}} if mapping else {})


def test_columns_of_real_and_fake_pictures_need_no_place(tmp_path: Path) -> None:
    frame = UNKNOWN.assign(
        real=UNKNOWN["left"].where(IS_LEFT, UNKNOWN["right"]), gan=UNKNOWN["right"].where(IS_LEFT, UNKNOWN["left"])
    )
    frame["choice"] = (frame["real"] == CHOSEN).map({True: "a", False: "b"})
    trials = imported(tmp_path, frame, {"stimulus": "real", "stimulus_b": "gan"}).trials
    assert (trials["choice"] == "a").mean() == pytest.approx(SHARE)


def test_a_choice_or_a_side_that_is_not_understood_is_left_out(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[0, 1, 2], "choice"] = ["middle", "", "NA"]
    frame.loc[3, "real_side"] = "up"
    frame.loc[4, "left"] = None
    found = imported(tmp_path, frame.drop(columns="correct"))
    assert [(row["row"], row["column"]) for row in found.rejected.to_dict("records")] == [
        (1, "choice"), (4, "real_side"), (5, "left"),
    ]  # fmt: skip
    assert found.rejected["reason"].str.contains("--word choice:middle=MEANING (none: a tie", regex=False).any()
    assert found.trials["choice"].tolist()[:2] == ["none", "none"]


def test_correct_is_compared_wherever_a_pair_is_of_a_real_picture(tmp_path: Path) -> None:
    frame = table(correct=["yes", *["no"] * (PEOPLE * PAIRS - 1)])
    refused(r"--asked.*--map correct=", imported, tmp_path, frame)
    rows = {"participant": "P", "stimulus": ["x", "y"], "stimulus_b": ["v", "w"], "choice": "a", "correct": False}
    refused(r"row 1 .*contradicts choice a", fill_trials, pd.DataFrame(rows))


def test_choices_below_chance_get_a_question(tmp_path: Path) -> None:
    frame = table(choice=BASE["real_side"].map({"left": "right", "right": "left"})).drop(columns="correct")
    (line,) = imported(tmp_path, frame).doubts
    assert "--asked fake" in line
    assert not doubts(imported(tmp_path, BASE).trials)


def test_words_of_one_place_alone_do_not_decide_the_answer(tmp_path: Path) -> None:
    frame = table().replace({"real_side": {"left": "1", "right": "2"}, "choice": {"right": "2"}})
    with pytest.raises(UserError) as error:
        imported(tmp_path, frame.drop(columns="correct"))
    assert "real_side:1=" in str(error.value)
    assert "real_side:2=" in str(error.value)
    assert "choice:2=" in str(error.value)
    kinds = table(left_kind="photo").drop(columns=["correct", "real_side"])
    refused("--word left_kind:photo=", imported, tmp_path, kinds)


def test_choices_name_pictures_without_folder_and_query(tmp_path: Path) -> None:
    addresses = {side: "http://x.org/" + BASE[side] + "?t=" + BASE.index.astype("str") for side in SIDES}
    found = imported(tmp_path, BASE.assign(choice=CHOSEN, **addresses))
    assert found.trials["correct"].mean() == SHARE


def test_models_are_read_from_the_names_of_pictures(tmp_path: Path) -> None:
    frame = BASE.replace({side: {"photo": "r/ours/", "made": "r/base_v2/"} for side in SIDES}, regex=True)
    found = imported(
        tmp_path, frame.drop(columns=["real_side", "correct"]), {"left_model": "left", "right_model": "right"}
    ).trials
    assert set(found["model"]) == {"base_v2|ours"}
    assert (found["choice"] == "b").mean() == SHARE


@pytest.mark.parametrize("words", [("left", "right"), ("a", "right")])
def test_choices_of_which_a_side_is_not_known_are_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    """Before: the rows with a known choice, or none, were all that was taken."""
    choices = [words[n % 3 == 0] for n in range(8)] + ["none"]
    rows = [f"P{n % 3},r{n}.png,f{n}.png,{choice}\n" for n, choice in enumerate(choices)]
    text = "participant,stimulus,stimulus_b,choice\n" + "".join(rows)
    refused("--word choice:right=MEANING|--word choice:left=MEANING", small_tables.imported, tmp_path, text)
