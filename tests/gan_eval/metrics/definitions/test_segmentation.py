"""Label maps and segmentation scores against plain loops and against torchmetrics."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from made_sets import write_items
from metric_pictures import measure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

from gan_eval.metrics.definitions.jackknife import GROUPS, PictureSet
from gan_eval.metrics.definitions.segmentation import (
    CLASSES,
    COLOURS,
    COLOURS_SIZE,
    COUNTS,
    VOID,
    VOID_COLOURS,
    class_accuracy,
    class_iou,
    class_map,
    compare_segmentations,
    confusion,
    label_classes,
    label_colour_spread,
    label_colour_spreads,
    pixel_accuracy,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Picture

ALL = np.array([*COLOURS.values(), *VOID_COLOURS.values()], dtype=np.int64)
CLASS_OF = np.array([*range(19), *[VOID] * len(VOID_COLOURS)])


def _searched(picture):
    """Search plainly: compare every pixel with every colour."""
    differences = picture.reshape(-1, 1, 3).astype(np.int64) - ALL
    return CLASS_OF[(differences**2).sum(axis=2).argmin(axis=1)].reshape(picture.shape[:2])


def test_the_palette_is_that_of_the_data_set():
    assert (COLOURS["road"], COLOURS["sky"], COLOURS["bicycle"]) == ((128, 64, 128), (70, 130, 180), (119, 11, 32))
    assert [CLASSES.index(name) for name in ("road", "vegetation", "bicycle")] == [0, 8, 18]


def test_each_colour_goes_to_the_nearest():
    rng = np.random.default_rng(0)
    anywhere = rng.integers(0, 256, (300, 257, 3), dtype=np.uint8)
    near = np.clip(ALL[rng.integers(0, len(ALL), (99, 101))] + rng.integers(-9, 10, (99, 101, 3)), 0, 255)
    for picture in (anywhere, near.astype(np.uint8), anywhere[:0], anywhere[:, ::2]):
        assert np.array_equal(class_map(picture), _searched(picture))
        assert class_map(picture).dtype == np.uint8


def test_the_label_halves_of_cityscapes_have_its_palette():
    root = Path(os.environ.get("GAN_EVAL_DATA", Path(__file__).parents[5] / "shared" / "data"))
    files = sorted((root / "cityscapes" / "val").glob("*.jpg"))
    if not files:
        pytest.skip("no cityscapes below $GAN_EVAL_DATA or ../shared/data")
    pictures = [images.read_rgb(file) for file in files]
    for picture in pictures:
        assert np.array_equal(label_classes(picture[:, 256:]), class_map(picture[:, 256:]))
        with pytest.raises(Unmeasurable, match="Cityscapes"):
            label_classes(picture[:, :256])
    pixels = np.concatenate([picture[:, 256:].reshape(-1, 1, 3) for picture in pictures])
    classes = class_map(pixels)
    shares = np.bincount(classes.reshape(-1), minlength=256) / classes.size
    assert 0.25 < shares[CLASSES.index("road")] < 0.45
    assert 0.12 < shares[CLASSES.index("building")] < 0.3
    assert 0.05 < shares[VOID] < 0.2
    assert (shares[:19] > 0).sum() >= 17
    distance = np.linalg.norm(pixels[::97].astype(float) - ALL, axis=2).min(axis=1)
    assert np.median(distance) < 4  # with another palette it would be tens of levels


NOTHING = np.empty((0, COUNTS), np.float32)


def _maps(seed, *, classes=19, count=3):
    """`count` label maps of 40 x 50, with what was read in the pictures: right in two thirds of the pixels."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, (count, 40, 50)).astype(np.uint8)
    read = np.where(rng.random(true.shape) < 0.67, true, rng.integers(0, classes, true.shape)).astype(np.uint8)
    true[rng.random(true.shape) < 0.1] = VOID
    return true, read


def _counts(true, read):
    return np.stack([confusion(a, b) for a, b in zip(true, read, strict=True)])


def test_counts_are_scikit_learns():
    true, read = _maps(0, count=1)
    read[0, :3] = VOID
    counted = true != VOID
    wanted = confusion_matrix(true[counted], np.minimum(read[counted], 19), labels=range(20))[:19]
    found = confusion(true[0], read[0])
    assert found.dtype == np.float32
    assert np.array_equal(found, wanted.reshape(-1))


@pytest.mark.parametrize("classes", [19, 7])
def test_scores_are_those_of_torchmetrics(classes):
    """Compare 19 classes, and 7, where the means skip the twelve classes that do not occur."""
    true, read = _maps(2, classes=classes)
    given = torch.from_numpy(read.astype(np.int64)), torch.from_numpy(true.astype(np.int64))
    fake = _counts(true, read)
    for score, theirs in (
        (pixel_accuracy, MulticlassAccuracy(19, average="micro", ignore_index=VOID)),
        (class_accuracy, MulticlassAccuracy(19, average="macro", ignore_index=VOID)),
        (class_iou, MulticlassJaccardIndex(19, average="macro", ignore_index=VOID)),
    ):
        assert score(NOTHING, fake) == pytest.approx(float(theirs(*given)), rel=1e-6)


def test_without_labelled_pixels_there_is_no_score():
    void = np.full((4, 4), VOID, np.uint8)
    for fake in (_counts([void], [void]), NOTHING):
        for score in (pixel_accuracy, class_accuracy, class_iou):
            with pytest.raises(Unmeasurable, match="label maps"):
                score(NOTHING, fake)


def test_only_red_cars_are_seen(tmp_path):
    """Real cars have all colours; one model's are red alone, the other's vary half as much. Roads vary alike."""
    rng = np.random.default_rng(0)
    models: dict[str, dict[str, dict[str, Picture]]] = {"red": {}, "half": {}}
    colours: dict[str, list[NDArray[np.int64]]] = {"real": [], "half": []}
    for number in range(8):
        road, car = rng.integers(40, 200, (2, 3))
        for model, colour in (("red", np.array([200, 10, 10])), ("half", 60 + car // 2)):
            kinds = {"input": (COLOURS["road"], COLOURS["car"]), "real": (road, car), "fake": (road, colour)}
            models[model][str(number)] = {
                kind: np.array([[upper] * 32] * 16 + [[lower] * 32] * 16, np.uint8)
                for kind, (upper, lower) in kinds.items()
            }
        colours["real"].append(car)
        colours["half"].append(60 + car // 2)
    folders = [write_items(tmp_path / model, items, model=model) for model, items in models.items()]
    sets = measure(folders, "label_colour_spread").set_metrics
    spread = {kind: np.sqrt(np.var(np.stack(of), axis=0, ddof=1).sum()) for kind, of in colours.items()}
    found = sets.set_index("model")
    assert found.loc["red", "value"] == pytest.approx(0.5, abs=1e-6)  # roads 1, cars 0
    assert found.loc["half", "value"] == pytest.approx((1 + spread["half"] / spread["real"]) / 2, abs=1e-6)
    assert "road 1.00, car 0.00" in found.loc["red", "note"]
    assert "road 1.00, car 0.5" in found.loc["half", "note"]


def _features(count, **colours):
    """Pictures with the labels named: a grey level for each picture, NaN where the picture lacks the label."""
    features = np.zeros((count, COLOURS_SIZE))
    for name, levels in colours.items():
        place = 4 * CLASSES.index(name)
        there = ~np.isnan(levels)
        features[there, place : place + 3] = np.asarray(levels)[there, None]
        features[there, place + 3] = 99
    return features


def test_a_nearly_constant_real_label_is_dropped():
    """Skies of the real pictures differ by a rounding, those of the generated ones by 30 levels."""
    road, sky = np.arange(20.0) * 10, np.arange(20) % 2 * 0.2
    real = _features(20, road=road, sky=100 + sky)
    fake = _features(20, road=road / 2, sky=sky * 150)
    assert label_colour_spread(real, fake) == pytest.approx(0.5, abs=1e-12)
    assert set(label_colour_spreads(real, fake)) == {"road"}
    with pytest.raises(Unmeasurable, match="1 grey"):
        label_colour_spread(_features(20, sky=100 + sky), _features(20, sky=sky * 150))


def test_a_label_counts_with_16_pixels_in_5_pictures_of_each_kind():
    pixels = 4 * CLASSES.index("car") + 3
    enough = _features(5, car=np.arange(5.0))
    enough[0, pixels] = 16
    few = enough.copy()
    few[0, pixels] = 15
    assert label_colour_spreads(enough, enough) == {"car": 1}
    assert label_colour_spreads(enough, few) == label_colour_spreads(few, enough) == {}


@pytest.mark.parametrize("factor", [0.05, 0.5, 1, 2, 20])
def test_too_much_variety_is_as_bad_as_too_little(factor):
    levels = np.arange(20.0)
    real, fake = _features(20, car=100 + levels), _features(20, car=100 + factor * levels)
    assert label_colour_spread(real, fake) == pytest.approx(min(factor, 1 / factor), abs=1e-12)
    assert label_colour_spreads(real, fake)["car"] == pytest.approx(factor, abs=1e-12)


@pytest.mark.parametrize(("pictures_with_train", "left_out_is_there"), [(3, True), (1, False)])
def test_the_classes_of_all_pictures_stay_in_the_jackknife(pictures_with_train, left_out_is_there):
    """Check for a missing interval: without the only picture of a class, the mean would be over other classes."""
    counts = np.zeros((20, 19, 20), np.float32)
    counts[:, 0, 0], counts[:, 0, 1] = 80, 20  # roads: 0.8
    counts[:pictures_with_train, CLASSES.index("train"), 0] = 10  # trains: 0
    items, groups = tuple(f"i{n}" for n in range(20)), np.arange(20) % GROUPS
    pictures = PictureSet(counts.reshape(20, -1), items, groups)
    found = compare_segmentations(pictures)(pictures, ["pixel_accuracy", "class_accuracy", "class_iou"])
    assert found["class_accuracy"].value == pytest.approx(0.4)
    for name in ("class_accuracy", "class_iou"):
        assert (found[name].left_out is not None) == left_out_is_there
    assert found["pixel_accuracy"].left_out is not None
    if left_out_is_there:
        assert found["class_accuracy"].left_out == pytest.approx(np.full(GROUPS, 0.4))
    else:
        assert found["class_iou"].why_no_interval == "the class 'train' is in the pictures of one group of items alone"
