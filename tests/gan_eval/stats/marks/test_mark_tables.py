"""Agreement of people's marks, maps against marks, and shares of marks in regions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_marks import HEIGHT, WIDTH, world
from PIL import Image
from refusals import refused

from gan_eval.__main__ import run
from gan_eval.metrics.maps import PictureMaps
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.room import run_session
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.marks.auc import Aucs, Marks, estimate, height_at, people_aucs, shuffled_aucs, smoothed
from gan_eval.stats.marks.tables import mark_tables, marked


def null_marks(rng: np.random.Generator, people: int = 10, pictures: int = 12) -> Marks:
    """Return marks that do not depend on the picture: each person has a place of their own near the centre."""
    person, picture = np.nonzero(rng.random((people, pictures)) < 0.6)
    person, picture = person.repeat(2), picture.repeat(2)
    place = rng.normal(0.5, 0.15, (people, 2))[person] + rng.normal(0, 0.1, (len(person), 2))
    alone = np.zeros(pictures, int)
    return Marks(person, picture, place, np.arange(pictures), alone, alone + 0.75)


def map_aucs(marks: Marks, spots: np.ndarray) -> Aucs:
    """Return the AUCs by a map that falls with the distance from the spot of each picture."""
    return shuffled_aucs(
        marks, lambda picture, points: (np.array([-1]), -((points - spots[picture]) ** 2).sum(axis=1)[None])
    )


def tables_of(trials: pd.DataFrame, marks: pd.DataFrame, maps: PictureMaps) -> dict[str, pd.DataFrame]:
    """Return the tables of marks."""
    return mark_tables(marked(marks, trials, stimuli=None, sessions=None), maps)


def test_the_auc_of_people_is_that_of_its_definition():
    marks = null_marks(np.random.default_rng(0), 4, 5)
    sigma, scaled, cells = 0.1, marks.place * (1, 0.75), []
    for p in range(4):
        for s in range(5):
            own = scaled[(marks.person == p) & (marks.picture == s)]
            others = scaled[(marks.person == p) & (marks.picture != s)]
            sources = [scaled[(marks.person == q) & (marks.picture == s)] for q in range(4) if q != p]
            sources = [source for source in sources if len(source)]
            if not (len(own) and len(others) and sources):
                continue

            def height(at, sources=sources):
                return sum(np.exp(-((at - source) ** 2).sum(axis=1) / (2 * sigma**2)).mean() for source in sources)

            cells.append(np.mean([[height(a) > height(b) for b in others] for a in own]))
    found = estimate(marks, people_aucs(marks, sigma), np.ones(5, bool))
    assert found.value == pytest.approx(np.mean(cells), abs=1e-12)
    assert found.low < found.value < found.high


def test_habits_of_people_and_the_centre_are_no_agreement():
    """People with places of their own would seem to disagree if others' marks were the negatives."""
    values = []
    for seed in range(16):
        marks = null_marks(np.random.default_rng(seed))
        every = np.ones(12, bool)
        values.append(estimate(marks, people_aucs(marks, 0.05), every).value)
        centre = map_aucs(marks, np.full((12, 2), (0.5, 0.375)))
        assert abs(estimate(marks, centre, every).value - 0.5) < 0.06
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values) / 4


@pytest.mark.nightly
def test_false_alarms_are_those_of_the_level():
    alarms = {"people": 0, "map": 0}
    for seed in range(400):
        rng = np.random.default_rng([1, seed])
        marks = null_marks(rng, 20, 24)
        spots, every = rng.random((24, 2)), np.ones(24, bool)
        of_map = map_aucs(marks, spots)
        alarms["people"] += estimate(marks, people_aucs(marks, 0.05), every).p < 0.05
        alarms["map"] += estimate(marks, of_map, every).p < 0.05
    assert all(8 <= count <= 32 for count in alarms.values()), alarms


def test_pixels_without_a_value_have_no_weight_and_sizes_do_not_matter():
    values = np.zeros((10, 20))
    values[2, 15] = 1
    values[:, 0] = np.nan
    at = np.array([[15.5 / 20, 0.25], [0.1, 0.9]])
    high, low = height_at(smoothed(values, (0.1, 0.05)), at)
    assert high > 0.1 > low >= 0
    places = np.random.default_rng(0).random((50, 2))
    flat = height_at(smoothed(np.full((99, 70), 7.3, np.float32), (0.05, 0.07)), places)
    assert (flat == flat[0]).all(), "rounding does not order the places of a flat map"
    large = height_at(smoothed(values.repeat(64, axis=0).repeat(64, axis=1), (0.1, 0.05)), at)
    np.testing.assert_allclose(large, [high, low], atol=0.05)


def test_a_right_map_beats_its_mirror_image(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    trials, marks, maps = world(tmp_path / "set")
    for name, values in maps.items():
        for kind, of_kind in {"right": values, "mirrored": values[:, ::-1], "turned": values.T}.items():
            model, stem = name.split("/")[1:]
            (tmp_path / kind / model).mkdir(parents=True, exist_ok=True)
            np.save(tmp_path / kind / model / f"{stem}.npy", of_kind)
    given = {kind: tmp_path / kind for kind in ("right", "mirrored", "turned")}
    found = tables_of(trials, marks, PictureMaps(stimuli_of_sets([tmp_path / "set"]), given))
    everything = found["mark_agreement"].set_index(["scope", "id"]).loc[("all", "all")]
    assert everything["auc_low"] > 0.6
    assert everything["n_nothing"] == marks["x"].isna().sum()
    assert everything["n_marks"] == marks["x"].notna().sum()
    by_map = found["mark_maps"][found["mark_maps"]["model"] == "all"].set_index("map")
    assert set(by_map.index) == {"l1", "ssim", "niqe", "lpips", "right", "mirrored", "turned"}
    for name in ("right", "l1", "ssim"):
        assert by_map.loc[name, "p_holm"] < 0.01
    assert by_map.loc["mirrored", "auc"] < 0.6
    assert by_map["ceiling"].nunique() == 1
    assert by_map.loc["lpips", "n_stimuli"] == by_map.loc["turned", "n_stimuli"] == 0
    assert "save it as (H, W), not (W, H)" in by_map.loc["turned", "note"]
    assert by_map.loc["lpips", "note"]
    pairs = found["mark_map_differences"].set_index(["map_a", "map_b", "model"])
    difference = pairs.loc[("right", "mirrored", "all")]
    assert difference["difference"] == pytest.approx(by_map.loc["right", "auc"] - by_map.loc["mirrored", "auc"])
    assert difference["p_holm"] < 0.05


def test_a_map_that_all_pictures_share_has_no_test_and_a_perfect_one_has_the_sign_test():
    rng = np.random.default_rng(3)
    person, picture = np.indices((6, 8)).reshape(2, -1)
    spots = np.stack([np.linspace(0.1, 0.9, 8), np.full(8, 0.5)], axis=1)
    alone = np.zeros(8, int)
    marks = Marks(person, picture, spots[picture] + rng.normal(0, 0.005, (48, 2)), np.arange(8), alone, alone + 1.0)
    flat = shuffled_aucs(marks, lambda _, points: (np.array([-1]), np.zeros((1, len(points)))))
    centre, right = map_aucs(marks, np.full((8, 2), 0.5)), map_aucs(marks, spots)
    found = {name: estimate(marks, aucs, alone == 0) for name, aucs in zip("fcr", (flat, centre, right), strict=True)}
    assert [found[name].value for name in "fcr"] == pytest.approx([0.5, 0.5, 1])
    assert [found[name].p for name in "fcr"] == pytest.approx([np.nan, np.nan, 2 / 2**8], nan_ok=True)
    assert estimate(marks, right.minus(centre), alone == 0, chance=0).p < 0.01


def test_one_person_gives_values_without_intervals_and_tests(tmp_path):
    trials, marks, _ = world(tmp_path / "set", people=1)
    found = tables_of(trials, marks, PictureMaps(stimuli_of_sets([tmp_path / "set"])))
    row = found["mark_agreement"].iloc[0]
    assert np.isnan(row["auc"])
    assert row["note"]
    l1 = found["mark_maps"].set_index(["map", "model"]).loc[("l1", "all")]
    assert 0 <= l1["auc"] <= 1
    assert l1["note"]
    assert l1[["auc_low", "p_holm", "ceiling"]].isna().all()
    nowhere = marks.drop_duplicates("stimulus").assign(mark=pd.NA, x=np.nan, y=np.nan)
    nothing = tables_of(trials, nowhere, PictureMaps(stimuli_of_sets([tmp_path / "set"])))
    row = nothing["mark_agreement"].iloc[0]
    assert (row["n_marks"], row["n_nothing"]) == (0, marks["stimulus"].nunique())


def test_shares_of_marks_are_counted_in_holes_and_labels(tmp_path):
    trials, marks, _ = world(tmp_path / "set", people=3, items=3)
    stimuli = stimuli_of_sets([tmp_path / "set"])
    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    mask[:, : WIDTH // 4] = 255
    write_png(tmp_path / "mask.png", mask)
    labels = np.where(mask > 0, np.uint8(170), np.uint8(0)) * np.array([0, 0, 1], np.uint8)
    Image.fromarray(labels).save(tmp_path / "labels.jpg", quality=90)
    inside = (marks["x"] < 0.25).where(marks["x"].notna()).dropna().astype(float)
    by_cell = inside.groupby([marks["participant"], marks["stimulus"]]).mean()
    for given, region in (({"mask": "mask.png"}, "hole"), ({"input": "labels.jpg"}, "#0000aa")):
        files = {name: tmp_path / file for name, file in given.items()}
        maps = PictureMaps([replace(stimulus, **files) for stimulus in stimuli])
        rows = tables_of(trials, marks, maps)["mark_regions"].set_index(["region", "model"])
        assert rows.loc[(region, "all"), "share"] == pytest.approx(by_cell.mean())
        assert rows.loc[(region, "all"), "area"] == pytest.approx(0.25, abs=0.01)


def test_marks_are_read_next_to_the_trials_and_places_in_pixels_are_refused(tmp_path, capsys):
    trials, marks, maps = world(tmp_path / "set")
    trials.to_csv(tmp_path / "trials.csv", index=False)
    marks.to_csv(tmp_path / "marks.csv", index=False)
    (tmp_path / "given").mkdir()
    for name, values in maps.items():
        model, stem = name.split("/")[1:]
        (tmp_path / "given" / model).mkdir(exist_ok=True)
        Image.fromarray((255 * values).astype(np.uint8)).save(tmp_path / "given" / model / f"{stem}.png")
    command = ["analyze", str(tmp_path / "trials.csv"), "--stimuli", str(tmp_path / "set")]
    assert run([*command, "--maps", f"mine={tmp_path / 'given'}", "--out", str(tmp_path / "out")]) == 0
    names = pd.read_csv(tmp_path / "out" / "mark_maps.csv")["map"]
    assert "mine" in set(names)
    assert run([*command, "--maps", f"mine={tmp_path / 'nowhere'}", "--out", str(tmp_path / "out")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert run([*command[:2], "--maps", f"mine={tmp_path / 'given'}", "--out", str(tmp_path / "out")]) == 2
    marks.assign(x=marks["x"] * WIDTH).to_csv(tmp_path / "marks.csv", index=False)
    assert run([*command, "--out", str(tmp_path / "out")]) == 2
    assert "column x" in capsys.readouterr().err


def test_marks_in_pairs_of_any_real_and_generated_picture_are_analysed_with_their_set(tmp_path):
    world(tmp_path / "set", people=1, items=6)
    settings = QuizSettings(protocol="paired", pairs_of="random", pairs=6, marks=2)
    study = QuizStudy(name="study", settings=settings, shown=[read_set(tmp_path / "set")], seed=1, design={})
    run_session(study, tmp_path / "x.sqlite", Person("P01", Observer(dprime=3)))
    command = ["analyze", "--store", str(tmp_path / "x.sqlite"), "--stimuli", str(tmp_path / "set")]
    assert run([*command, "--out", str(tmp_path / "out")]) == 0
    assert pd.read_csv(tmp_path / "out" / "mark_maps.csv").set_index("map").loc["l1", "n_stimuli"].max() > 0


def test_a_map_in_colours_and_one_map_for_two_models_are_refused(tmp_path):
    world(tmp_path / "set", people=1, items=2)
    stimuli = stimuli_of_sets([tmp_path / "set"])
    (tmp_path / "flat").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "flat" / "00.png")
    refused("d/a/00 and d/b/00", PictureMaps, stimuli, {"mine": tmp_path / "flat"})
    (tmp_path / "in colours" / "a").mkdir(parents=True)
    coloured = np.random.default_rng(0).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coloured).save(tmp_path / "in colours" / "a" / "00.png")
    maps = PictureMaps(stimuli, {"mine": tmp_path / "in colours"})
    for stimulus, reason in (("d/a/00", "in colours/a/00.png"), ("d/a/01", "no file")):
        refused(reason, maps, "mine", stimulus)
    refused("l1", PictureMaps, stimuli, {"l1": tmp_path / "flat"})
    (tmp_path / "flat" / "00.png").rename(tmp_path / "flat" / "e\u0301.png")  # as macOS writes it
    fake = next(stimulus for stimulus in stimuli if stimulus.is_fake)
    assert PictureMaps([replace(fake, stimulus="d/a/\u00e9")], {"mine": tmp_path / "flat"}).given["mine"]
