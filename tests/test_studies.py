"""The study files: they load, and say what the publications say."""

import csv
from pathlib import Path

import pytest

from gan_eval.metrics.catalogue import select
from gan_eval.settings.study import Study, load_study

STUDIES = sorted((Path(__file__).resolve().parents[1] / "studies").glob("*.toml"))
OF_RESULTS = sorted((Path(__file__).resolve().parents[1] / "results").rglob("*.toml"))


def study(name: str) -> Study:
    return load_study(Path(__file__).resolve().parents[1] / "studies" / f"{name}.toml")


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_a_study_file_is_whole(file: Path) -> None:
    found = load_study(file)
    assert found.study.name == file.stem
    assert found.study.title
    assert found.study.question
    select(found.metrics.names)
    for model in found.models:
        select(found.training_of(model).validation_metrics)
    for name in found.study.published:
        assert (file.parent / name).is_file()


@pytest.mark.parametrize("file", OF_RESULTS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_study_of_a_shown_result_can_be_run_again(file: Path) -> None:
    assert load_study(file).models


def test_mix_loss_varies_nothing_but_the_loss() -> None:
    found = study("mix_loss")
    settings = {model: found.training_of(model) for model in found.models}
    weights = {
        model: (one.adversarial_weight, one.lambda_l1, one.lambda_l2, one.lambda_ssim)
        for model, one in settings.items()
    }
    assert sorted(weights.values()) == sorted([
        (10, 1, 0, 0), (1, 1, 0, 0), (1, 10, 0, 0), (1, 100, 0, 0), (1, 200, 0, 0), (1, 0, 0, 0),
        (1, 0, 10, 0), (1, 0, 100, 0), (1, 16, 0, 84),
    ])  # fmt: skip
    same = {"adversarial_weight": 1.0, "lambda_l1": 0.0, "lambda_l2": 0.0, "lambda_ssim": 0.0}
    rest = {one.model_copy(update={**same, "lambda_l1": 1.0}).model_dump_json() for one in settings.values()}
    assert len(rest) == 1
    assert next(iter(settings.values())).epochs == 20


def test_cityscapes_convergence_is_the_published_run() -> None:
    found = study("cityscapes_convergence").training_of("pix2pix_cityscapes")
    assert (found.steps, found.batch_size, found.lambda_l1, found.d_loss_factor) == (50_000, 1, 100.0, 1.0)
    assert found.snapshots == (0, 1000, 10_000, 20_000, 30_000, 40_000, 49_000)


def test_cityscapes_segmentation_is_the_same_training_the_other_way_round() -> None:
    there, found = study("cityscapes_convergence"), study("cityscapes_segmentation")
    (data,) = found.data.values()
    assert (data.folder, data.direction, there.data["cityscapes"].direction) == ("cityscapes", "AtoB", "BtoA")
    assert set(found.metrics.names) >= {"pixel_accuracy", "class_accuracy", "class_iou"}
    assert found.metrics.segmenter == "palette"
    watched = {"snapshots": (), "validation_metrics": (), "adversarial_weight": 1.0, "lambda_l1": 100.0}
    same = there.training_of("pix2pix_cityscapes").model_copy(update=watched)
    losses = {}
    for model in found.models:
        settings = found.training_of(model)
        losses[model] = (settings.adversarial_weight, settings.lambda_l1)
        assert settings.model_copy(update=watched) == same
    assert losses == {"l1": (0.0, 100.0), "cgan": (1.0, 0.0), "l1_cgan": (1.0, 100.0)}


def test_the_ablation_takes_one_change_back_in_each_model() -> None:
    """Compare with the full model of the other study, except for the epochs; the pages count the same changes."""
    found, whole = study("inpainting_ablation"), study("inpainting_landscapes_paintings").training_of("landscapes")
    assert found.training_of("full") == whole.model_copy(update={"epochs": 100})
    changed = {}
    for model in found.models:
        one, full = (found.training_of(name).model_dump() for name in (model, "full"))
        one, full = (row | row.pop("inpainting") for row in (one, full))
        changed[model] = frozenset(key for key in full if one[key] != full[key])
    assert changed.pop("full") == frozenset()
    style = frozenset({"style_network", "style_layers", "lambda_style"})
    assert all(len(keys) == 1 or keys == style for keys in changed.values())
    assert len(set(changed.values())) == 9  # the two sizes of patches are one
    root = Path(__file__).resolve().parents[1]
    for page in (root / "docs" / "inpainting.md", root / "studies" / "inpainting_ablation.toml"):
        assert "hich of nine changes" in page.read_text(encoding="utf-8")


def test_context_encoders_have_a_model_for_every_row_that_is_published() -> None:
    """Check that no other row has a model, except for the variants that are future work."""
    models: dict[tuple[str, int], set[int]] = {}
    for name in ("context_encoder", "context_encoder_imagenet"):
        found = study(name)
        for model in found.models:
            settings = found.training_of(model)
            assert settings.inpainting is not None
            assert settings.lambda_l2 + settings.adversarial_weight == pytest.approx(1)
            assert not settings.mirror
            assert not settings.jitter
            assert settings.validation_count(uses_best=True) is None
            assert (settings.learning_rate, settings.discriminator_learning_rate) == (0.02, 0.002)
            assert (settings.beta1, settings.beta2, settings.d_loss_factor) == (0.5, 0.9, 0.5)
            assert settings.inpainting.fill == ("noise" if model.endswith("_noise") else "zero")
            source = settings.inpainting.source_size or settings.image_size
            dataset = "tiny_imagenet" if name == "context_encoder" else "imagenet_1k"
            ratio = settings.lambda_l2 / settings.adversarial_weight
            models.setdefault((dataset, source), set()).add(int(round(ratio, -2)) if ratio > 50 else round(ratio))
            assert found.data[found.models[model].data].split == "test"
    with (Path(__file__).resolve().parents[1] / "results" / "published" / "context_encoder_psnr.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["study"] == "context_encoder"]
    published: dict[tuple[str, int], set[int]] = {}
    for row in rows:
        key = (row["dataset"], int(row["source_size"]))
        published.setdefault(key, set()).add(int(row["lambda_rec_over_lambda_adv"]))
    assert models == published
    assert len(rows) == 8
