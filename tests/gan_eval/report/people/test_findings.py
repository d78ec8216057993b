"""Published findings in words and metric values, with what was measured here on the same matter."""

import json
from pathlib import Path

import pytest

from gan_eval.report.parts.blocks import Table as View
from gan_eval.report.parts.folder import read_folder
from gan_eval.report.people.published import published_tables
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.metrics_and_people.correlations import CORRELATIONS
from gan_eval.tables import IMAGE_METRICS, PLATEAUS, SET_METRICS, TRAINING_LOG, TRAINING_WARNINGS, VALIDATION
from gan_eval.tables.frames import write_rows

FINDINGS = """study,subject,finding
{study},protocol,"20 epochs"
{study},GAN:L1 1:100,recommended
{study},L2 at 1:100,blurrier
{study},GAN loss alone,said to risk exploding gradients
{study},high L1 share,L1 falls
{study},low L1 share,oscillation
{study},losses,saturate
{study},pictures,little change
{study},discriminator,overpowers the generator
{study},"maps and facades",confused some
{study},labels,simple label pictures do better
{study},result grid,four pictures
{study},future work,an SSIM loss
elsewhere,protocol,another publication
"""
WEIGHTS = {
    "l1": {"lambda_l1": 100.0},
    "weak_l1": {"lambda_l1": 1.0},
    "l2": {"lambda_l2": 100.0},
    "alone": {},
    "ssim": {"lambda_l1": 16.0, "lambda_ssim": 84.0},
}
SETTINGS = {
    "adversarial_weight": 1.0, "batch_size": 1, "image_size": 64, "learning_rate": 2e-4, "beta1": 0.5, "beta2": 0.999,
    "d_loss_factor": 1.0,
}  # fmt: skip


def make(folder: Path, *, study: str = "pix2pix_mix_loss", own: str = "mix_loss") -> Path:
    """A study of five models whose log falls from 8 to 1 over eight steps, each an eighth of the way."""
    folder.mkdir(parents=True)
    models = "".join(f'[models.{model}]\ndata = "facades"\n' for model in WEIGHTS)
    (folder / "study.toml").write_text(f'[study]\nname = "{own}"\n[data.facades]\n{models}')
    (folder / "published").mkdir()
    (folder / "published" / "findings.csv").write_text(FINDINGS.format(study=study))
    for model, weights in WEIGHTS.items():
        place = folder / "models" / model
        terms = ("g_l1", "g_adversarial", "d_accuracy", "g_gradient_norm", "g_gradient_norm_max")
        log = [
            {"step": step, "images": step, "term": term, "value": 9.0 - step, "fraction": 0.5}
            for step in range(1, 9)
            for term in terms
        ]
        write_rows(log, place / "training_log.csv", TRAINING_LOG)
        (place / "config.json").write_text(json.dumps({"settings": SETTINGS | weights}))
    warned = [{"step": 6, "warning": "discriminator_overpowers", "detail": "so it is"}]
    write_rows(warned, folder / "models" / "l2" / "training_warnings.csv", TRAINING_WARNINGS)
    diversity = [
        {"step": step, "mode": "train", "metric": "diversity", "value": value}
        for step, value in ((0, 0.01), (4, 0.5), (8, 0.25))
    ]
    write_rows(diversity, folder / "models" / "l1" / "validation.csv", VALIDATION)
    sets = [
        {"dataset": "facades", "model": model, "metric": "fid", "value": 100.0 + place, "n_real": 9, "n_fake": 9}
        for place, model in enumerate(WEIGHTS)
    ]
    write_rows(sets, folder / "metrics" / "set_metrics.csv", SET_METRICS)
    images = [
        {"stimulus": f"{place}", "item": f"{place}", "kind": "fake", "model": "l1", "dataset": "facades",
         "metric": "label_detail", "value": value}
        for place, value in enumerate((1.0, 2.0, 3.0))
    ]  # fmt: skip
    write_rows(images, folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    agreement = {"level": "stimulus", "dataset": "facades", "metric": "label_detail", "measure": "fooling_rate"}
    write_rows(
        [agreement | {"n": 3, "spearman": 0.9, "within": -0.5, "within_low": -0.9, "within_high": 0.1}],
        folder / "tables" / "correlations.csv",
        CORRELATIONS,
    )
    plateau = {"model": "l1", "metric": "psnr", "mode": "train", "n": 9, "verdict": "plateau"}
    write_rows([plateau | {"plateau_step": 5, "ci_low": 4, "ci_high": 6}], folder / "tables" / "plateaus.csv", PLATEAUS)
    counts = {"n_real": 10, "n_fake": 20, "n_none": 0, "hits": 15, "misses": 5, "false_alarms": 1}
    share = {"real_correct": 0.9, "real_low": 0.6, "real_high": 0.98, "fake_correct": 0.75}
    rates = [
        counts | share | {"correct_rejections": 9, "scope": scope, "id": name}
        for scope, name in (("dataset", "facades"), ("model", "l1"))
    ]
    write_rows(rates, folder / "tables" / "rates.csv", RATES)
    return folder


def view_of(folder: Path) -> View:
    return next(view for view in published_tables(read_folder(folder)) if view.caption.startswith("Findings"))


def test_published_metric_values_stand_above_all_models_of_their_data_set(tmp_path):
    folder = make(tmp_path / "study")
    (folder / "published" / "metric_values.csv").write_text(
        "source,model,dataset,metric,value,note\nA paper,unet,facades,fid,119.135,training mode\n"
        "A paper,unet,maps,fid,99,\nA paper,resnet,facades,fid,120,\nA paper,unet,facades,kid,0.1,\n"
    )
    view = next(view for view in published_tables(read_folder(folder)) if view.caption.startswith("Metric values"))
    assert {row[0] for row in view.rows} == {"facades: FID"}
    assert [row[1:3] for row in view.rows[:3]] == [
        ["published: unet", "119.135"], ["published: resnet", "120"], ["here: l1", "100.0"],
    ]  # fmt: skip
    assert view.rows[0][4] == "A paper, facades; training mode"
    assert len(view.rows) == 2 + len(WEIGHTS)


def here(view: View, subject: str) -> dict[str, str]:
    """What stands below a finding, by whose it is."""
    return {str(row[1]): str(row[2]) for row in view.rows if row[0] == subject and row[1] != "published"}


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return view_of(make(tmp_path_factory.mktemp("findings") / "study"))


def test_each_finding_of_the_studys_publication_stands_once(view):
    published = {row[0]: row[2] for row in view.rows if row[1] == "published"}
    assert published["losses"] == "saturate"
    assert published["protocol"] == "20 epochs"
    assert len(published) == len([row for row in view.rows if row[1] == "published"]) == 13


def test_a_ratio_in_a_subject_finds_its_model(view):
    assert list(here(view, "GAN:L1 1:100")) == ["here: l1"]
    assert here(view, "L2 at 1:100") == {"here: l2": "on facades: FID 102.0"}
    alone = here(view, "GAN loss alone")
    assert list(alone) == ["here: alone"]
    assert "norm of the generator's gradient: 7.500, 5.500, 3.500, 1.500" in alone["here: alone"]
    assert "its largest norm: 8.000, in the log's row of step 1" in alone["here: alone"]
    assert list(here(view, "future work")) == ["here: ssim"]


def test_proposals_and_source_sizes_find_their_models(tmp_path):
    folder = make(tmp_path / "study", study="context_encoder", own="context_encoder")
    with (folder / "published" / "findings.csv").open("a") as file:
        file.write(
            'context_encoder,future work,"noise, a pre-trained encoder"\ncontext_encoder,source size,64 is easier\n'
        )
    for model, settings in {
        "weak_l1": {"inpainting": {"fill": "noise", "source_size": 32}},
        "l2": {"inpainting": {"fill": "zero", "source_size": None}, "init_encoder": "encoder.pth"},
    }.items():
        (folder / "models" / model / "config.json").write_text(json.dumps({"settings": SETTINGS | settings}))
    filled = {"item": "0", "kind": "fake", "dataset": "facades", "metric": "psnr_hole"}
    write_rows(
        [filled | {"stimulus": m, "model": m, "value": psnr} for m, psnr in (("weak_l1", 15.0), ("l2", 14.0))],
        folder / "metrics" / "image_metrics.csv",
        IMAGE_METRICS,
    )
    view = view_of(folder)
    assert set(here(view, "future work")) == {"here: ssim", "here: weak_l1", "here: l2"}
    assert here(view, "source size") == {
        "here: weak_l1": "photographs of 32 pixels: PSNR in the hole on facades 15.0 dB",
        "here: l2": "photographs of 64 pixels: PSNR in the hole on facades 14.0 dB",
    }


def test_judgements_stand_beside_what_they_are_of(view):
    assert "25.0\u202f% of 20 answers took it for real" in here(view, "GAN:L1 1:100")["here: l1"]
    assert here(view, "maps and facades") == {
        "here: facades": "90.0\u202f% (60.0–98.0) of 10 answers to real pictures right; "
        "75.0\u202f% of 20 answers to generated pictures right"
    }


def test_how_simple_labels_are_stands_with_its_rank_correlation(view):
    (said,) = here(view, "labels").values()
    assert said.endswith(
        "2.0 (−0.5–4.5), rank correlation within models with being taken for real −0.50 (−0.90 to 0.10) over 3 pictures"
    )


def test_what_training_says_stands_beside_its_matter(view):
    assert here(view, "high L1 share") == {"here: l1": "GAN:L1 1:100, L1: 7.500, 5.500, 3.500, 1.500"}
    assert list(here(view, "low L1 share")) == ["here: weak_l1"]
    assert here(view, "losses") == {
        "here: 5 models": "L1: 7.500, 5.500, 3.500, 1.500; "
        "adversarial loss of the generator: 7.500, 5.500, 3.500, 1.500"
    }
    overpowered = here(view, "discriminator")
    assert "warned at step 6 that it overpowers" in overpowered["here: l2"]
    assert "no warning that it overpowers" in overpowered["here: 4 models"]
    assert here(view, "pictures") == {
        "here: l1": "PSNR in train mode no longer improves after step 5 (4 to 6); "
        "diversity of the pictures (1: that of the ground truths) 0.50 at step 4 and 0.25 at step 8"
    }
    assert here(view, "protocol")["here: 5 models"].startswith("8 steps (0.5 of the planned way), 8 pictures")


def test_what_nothing_was_measured_on_is_said(view):
    assert here(view, "result grid") == {}
    assert "Of what the publication calls result grid nothing was measured here." in view.notes


def test_findings_of_other_publications_alone_are_shown_as_such(tmp_path):
    view = view_of(make(tmp_path / "study", study="somebody", own="mine"))
    assert len([row for row in view.rows if row[1] == "published"]) == 14
    assert "These are findings of somebody and elsewhere; none is of this study." in view.notes
