"""Result folders with the names of well-known programs: what is taken, what it is called, and what is asked for.

Names as in the sources of pytorch-CycleGAN-and-pix2pix d5e62dd and 2a7afba, CUT b3ac297, pix2pixHD 14b3b3c,
SPADE fecacc9, LaMa 786f593, MAT d273d89, StyleGAN2-ADA 03a1942, StyleGAN3 c233a91, PyTorch's examples 13caa07,
Stable Diffusion 21f890f and Keras' examples cca4efb and 7eda41d.
"""

import numpy as np
import pytest
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.layouts import LAYOUTS
from gan_eval.pictures.sets import read_set

STEMS = ("a_1", "b.2", "3")


def write(folder, names, *, seed=0, size=(20, 16)):
    """Write different pictures, or masks with a hole; return the folder."""
    for number, name in enumerate(names):
        levels = np.random.default_rng([seed, number]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(folder / name)
    return folder


def masks(folder, names, size=(20, 16)):
    hole = np.zeros(size[::-1], np.uint8)
    hole[4:12, 4:12] = 255
    for name in names:
        Image.fromarray(hole).save(folder / name)


def named(*patterns, stems=STEMS):
    return [pattern.format(stem) for pattern in patterns for stem in stems]


WITH_PHOTOGRAPHS = {
    "pytorch-CycleGAN-and-pix2pix": named("{}_real_A.png", "{}_fake_B.png", "{}_real_B.png"),
    "pytorch-CycleGAN-and-pix2pix --model colorization": named(
        "{}_real_A.png", "{}_real_B_rgb.png", "{}_fake_B_rgb.png"
    ),
    "CUT": named("real_A/{}.png", "fake_B/{}.png", "real_B/{}.png"),
}
GENERATED = {
    "pytorch-CycleGAN-and-pix2pix --model test": named("{}_real.png", "{}_fake.png"),
    "pix2pixHD": named("{}_input_label.jpg", "{}_synthesized_image.jpg"),
    "SPADE": named("input_label/{}.png", "synthesized_image/{}.png"),
    "LaMa": named("{}_mask001.png"),
}
SAMPLES = {
    "StyleGAN": ["seed0000.png", "seed0001.png", "seed12345.png"],
    "Stable Diffusion's txt2img.py": ["samples/00000.png", "samples/00001.png", "samples/00002.png", "grid-0000.png"],
    "numbered samples, such as Stable Diffusion's": ["00000.png", "00001.png", "00002.png"],
    "Keras tutorials": ["generated_img_0_29.png", "generated_img_1_29.png", "generated_img_2_29.png"],
}


def items(made):
    return {row["item"].partition("/")[2] for row in read_set(made.folder).rows if row["kind"] == "fake"}


def test_each_layout_of_the_table_has_a_test_here():
    tested = {*WITH_PHOTOGRAPHS, *GENERATED, *SAMPLES, *GRIDS, "LaMa's photographs and masks"}
    assert {layout.program for layout in LAYOUTS[1:]} == tested


@pytest.mark.parametrize("program", WITH_PHOTOGRAPHS)
@pytest.mark.parametrize("page", [False, True])
def test_results_with_photographs_are_imported_also_by_the_folder_of_their_page(tmp_path, program, page):
    source = tmp_path / "results" / "horses" / "test_latest"
    write(source / "images", WITH_PHOTOGRAPHS[program])
    (source / "index.html").write_text("")
    made = import_folder(source if page else source / "images", tmp_path / "set")
    assert items(made) == set(STEMS)
    assert made.pictures == {"real": 3, "fake": 3}
    assert any(f"layout: {program}" in line for line in made.remarks)
    rows = read_set(made.folder).rows
    assert {row["dataset"] for row in rows} == {"horses"}
    assert all(row["input_file"] for row in rows if row["kind"] == "fake")
    assert all(bool(row["reference_file"]) is (program != "CUT") for row in rows if row["kind"] == "fake")


def test_results_of_cut_are_pairs_where_the_user_says_so(tmp_path):
    write(tmp_path / "in", WITH_PHOTOGRAPHS["CUT"])
    assert import_folder(tmp_path / "in", tmp_path / "set", paired=True).items == 3
    both = import_folder(tmp_path / "in", tmp_path / "own", fakes=[tmp_path / "in" / "fake_B"])
    assert both.items == 6, "its real_B/ has the stems of its inputs"
    assert any("--paired" in line for line in both.remarks)
    photos = write(tmp_path / "photos", named("{}.png"), seed=1)
    made = import_folder(photos, tmp_path / "truth", fakes=[tmp_path / "in"])
    assert made.items == 3, "photographs of the user's own with these names are partners"
    assert not any("--paired" in line for line in made.remarks)


@pytest.mark.parametrize("program", GENERATED)
def test_results_without_photographs_ask_for_them_and_pair_with_them_by_their_stems(tmp_path, program):
    source = write(tmp_path / "mine", GENERATED[program], seed=1)
    refused(rf"mine: layout: {program}.*--real PHOTOGRAPHS --fake", import_folder, source, tmp_path / "set")
    photos = write(tmp_path / "photos", named("{}.jpg"))
    made = import_folder(photos, tmp_path / "set", fakes=[source])
    assert items(made) == set(STEMS)
    assert made.items == 3
    assert any(f"mine: layout: {program}" in line for line in made.remarks)
    fakes = [row for row in read_set(made.folder).rows if row["kind"] == "fake"]
    assert all(row["reference_file"] for row in fakes)
    assert {row["model"] for row in fakes} == {"mine"}


@pytest.mark.parametrize("program", SAMPLES)
def test_samples_of_a_program_keep_their_names_and_have_no_partners(tmp_path, program):
    source = write(tmp_path / "mine", SAMPLES[program], seed=1)
    refused(rf"mine: layout: {program}.*--real PHOTOGRAPHS --fake", import_folder, source, tmp_path / "set")
    made = import_folder(write(tmp_path / "photos", named("{}.jpg")), tmp_path / "set", fakes=[source])
    assert made.pictures == {"real": 3, "fake": 3}
    assert made.items == 6
    assert any(f"mine: layout: {program}" in line for line in made.remarks)


GRIDS = {
    "StyleGAN's training": ["reals.png", "fakes_init.png", "fakes000200.png"],
    "DCGAN of PyTorch's examples": ["real_samples.png", "fake_samples_epoch_000.png", "fake_samples_epoch_012.png"],
}


@pytest.mark.parametrize("program", GRIDS)
def test_grids_of_a_training_are_refused(tmp_path, program):
    source = write(tmp_path / "run", GRIDS[program])
    for places in ({"source": source}, {"source": write(tmp_path / "p", ["1.png"]), "fakes": [source]}):
        refused(rf"run: layout: {program}.* grid", import_folder, out=tmp_path / "set", **places)


def test_results_of_mat_have_the_names_of_their_photographs_and_masks_whose_hole_is_black(tmp_path):
    photos = write(tmp_path / "photos", named("{}.png"))
    fakes = write(tmp_path / "out", named("{}.png"), seed=1)
    for name in named("{}.png"):  # pasted into the photograph, as MAT does outside the hole
        inside = np.array(Image.open(photos / name))
        inside[4:12, 4:12] = np.asarray(Image.open(fakes / name))[4:12, 4:12]
        Image.fromarray(inside).save(fakes / name)
        (tmp_path / "masks").mkdir(exist_ok=True)
        mask = np.full((16, 20), 255, np.uint8)
        mask[4:12, 4:12] = 0
        Image.fromarray(mask).save(tmp_path / "masks" / name)
    refused("--mask-hole black", import_folder, photos, tmp_path / "set", fakes=[fakes], masks=tmp_path / "masks")
    made = import_folder(photos, tmp_path / "set", fakes=[fakes], masks=tmp_path / "masks", mask_hole="black")
    assert {(row["mask_area"], bool(row["reference_file"])) for row in read_set(made.folder).rows[3:]} == {(0.2, True)}


def test_numbered_samples_of_a_script_with_diffusers_have_their_prompts(tmp_path):
    photos = write(tmp_path / "photos", ["harbour.jpg", "garden.jpg"])
    models = [write(tmp_path / name, ["00000.png", "00001.png"], seed=seed) for seed, name in enumerate(("a", "b"), 1)]
    (models[0] / "prompts.csv").write_text("file,prompt\n00000.png,a harbour\n00001.png,a garden\n")
    made = import_folder(photos, tmp_path / "set", fakes=models)
    fakes = [row for row in read_set(made.folder).rows if row["kind"] == "fake"]
    assert [(row["item"], row["caption"]) for row in fakes if row["model"] == "b"] == [
        ("photos/00000", "a harbour"),
        ("photos/00001", "a garden"),
    ]


def test_metrics_of_result_folders_take_the_pictures_of_their_part(tmp_path):
    source = write(tmp_path / "images", WITH_PHOTOGRAPHS["pytorch-CycleGAN-and-pix2pix"])
    photos = write(tmp_path / "photos", named("{}.png"), seed=2)
    for real in (source, photos):
        values, _ = evaluate(real=real, fake=source, metrics=["l1", "sharpness"], cache=False)
        assert (values["value"].notna().sum(), len(values)) == (9, 9), "3 + 3 pictures, and 3 pairs"
    write(source, named("{}_rec_A.png"))
    values, _ = evaluate(real=source, fake=source, metrics=["l1", "sharpness"], cache=False)
    assert values.loc[values["metric"] == "l1", "reason"].str.contains("--paired").all()
    with pytest.raises(UserError, match="grid"):
        evaluate(real=photos, fake=write(tmp_path / "run", GRIDS["StyleGAN's training"]), metrics="fid", cache=False)


def test_photographs_and_masks_of_lama_stand_in_one_folder_and_padded_results_are_cut(tmp_path):
    photos = write(tmp_path / "in", named("{}.png"))
    masks(photos, named("{}_mask001.png"))
    refused(r"in: layout: LaMa's.*--real.*--fake RESULTS", import_folder, photos, tmp_path / "set")
    source = write(tmp_path / "out", GENERATED["LaMa"], seed=1, size=(24, 16))
    made = import_folder(photos, tmp_path / "set", fakes=[source], fit="corner")
    rows = read_set(made.folder).rows
    assert [(row["kind"], row["mask_area"]) for row in rows] == [("real", 0.2)] * 3 + [("fake", 0.2)] * 3
    assert {(row["width"], row["height"]) for row in rows} == {(20, 16)}
    assert import_folder(photos, tmp_path / "apart", fakes=[source], paired=False, fit="corner").items == 6
    write(source, ["3_mask002.png"])
    refused(r"3_mask002\.png:.*3_mask001\.png", import_folder, photos, tmp_path / "set", fakes=[source])


def test_endings_stay_where_photographs_have_them_too_or_where_other_pictures_have_none(tmp_path):
    photos = write(tmp_path / "photos", ["1_mask.png", "2_mask.png"])
    made = import_folder(photos, tmp_path / "set", fakes=[write(tmp_path / "a", ["1_mask.png", "2_mask.png"], seed=1)])
    assert items(made) == {"1_mask", "2_mask"}
    assert made.items == 2
    photos = write(tmp_path / "halves", ["1_real_B.png", "2_real_B.png"])
    alike = write(tmp_path / "alike", ["1_real_B.png", "2_real_B.png"], seed=1)
    assert import_folder(photos, tmp_path / "b", fakes=[alike]).items == 2
    ended = write(tmp_path / "ended", ["1_fake_B.png", "2_fake_B.png"], seed=1)
    assert items(import_folder(photos, tmp_path / "c", fakes=[ended])) == {"1", "2"}
    mixed = write(tmp_path / "mixed", ["1_fake.png", "other.png"], seed=1)
    assert items(import_folder(photos, tmp_path / "d", fakes=[mixed])) == {"1_fake", "other"}


def test_the_fakes_of_a_whole_result_folder_are_taken_and_two_models_have_the_names_of_their_experiments(tmp_path):
    photos = write(tmp_path / "photos", named("{}.png"))
    folders = [
        write(tmp_path / name / "test_latest" / "images", WITH_PHOTOGRAPHS["pytorch-CycleGAN-and-pix2pix"], seed=seed)
        for seed, name in enumerate(("facades_a", "facades_b"), start=1)
    ]
    made = import_folder(photos, tmp_path / "set", fakes=folders)
    assert (made.items, made.pictures) == (3, {"real": 3, "fake": 6})
    assert {row["model"] for row in read_set(made.folder).rows} == {None, "facades_a", "facades_b"}
    snapshots = write(tmp_path / "web", ["epoch001_fake_B.png", "epoch001_real_B.png"])
    refused("web: 1", import_folder, photos, tmp_path / "other", fakes=[snapshots])
