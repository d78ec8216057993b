"""Sets of pictures without partners: what is an item, when pictures are paired, and how sizes are brought together."""

import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.sets import read_set
from gan_eval.study.plan import metrics_for


def pictures(folder, stems, *, size=(24, 20), seed=0):
    """Write a folder of different pictures; return it."""
    folder.mkdir(parents=True)
    for number, stem in enumerate(stems):
        levels = np.random.default_rng([seed, number]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{stem}.png")
    return folder


def test_pictures_without_partners_are_items_of_their_own_and_models_share_those_of_equal_stems(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b", "c"])
    gan = pictures(tmp_path / "my gan", ["seed0", "seed1"], seed=1)
    other = pictures(tmp_path / "diffusion", ["seed1", "seed2"], seed=2)
    made = import_folder(photos, tmp_path / "set", fakes=[gan, other])
    rows = read_set(made.folder).rows
    assert {row["stimulus"]: row["item"] for row in rows} == {
        "photos/real/a": "photos/real/a",
        "photos/real/b": "photos/real/b",
        "photos/real/c": "photos/real/c",
        "photos/my-gan/seed0": "photos/seed0",
        "photos/my-gan/seed1": "photos/seed1",
        "photos/diffusion/seed1": "photos/seed1",
        "photos/diffusion/seed2": "photos/seed2",
    }
    assert not any(row["reference_file"] for row in rows)
    assert (made.items, made.pictures) == (6, {"real": 3, "fake": 4})
    assert len(import_folder(photos, tmp_path / "set", fakes=[gan, other]).remarks) == 1, "the same call updates it"


@pytest.mark.parametrize(
    ("reals", "fakes", "choice", "items", "paired"),
    [
        (range(10), range(10), None, 10, True),
        (range(10), range(9), None, 9, True),
        (range(10), range(10, 20), None, 20, False),
        (range(10), range(5), None, None, None),  # half of the names are equal: by chance?
        (range(10), range(5), True, 5, True),
        (range(10), range(5), False, 15, False),
        (range(10), range(10), False, 20, False),
        (range(10), range(10, 20), True, None, None),
    ],
)
def test_pictures_are_paired_where_nine_of_ten_stems_match_and_the_user_decides_in_between(
    tmp_path, reals, fakes, choice, items, paired
):
    places = pictures(tmp_path / "photos", reals), [pictures(tmp_path / "gan", fakes, seed=1)]
    if items is None:
        refused("partner", import_folder, places[0], tmp_path / "set", fakes=places[1], paired=choice)
        return
    made = import_folder(places[0], tmp_path / "set", fakes=places[1], paired=choice)
    rows = [row for row in read_set(made.folder).rows if row["kind"] == "fake"]
    assert (made.items, {bool(row["reference_file"]) for row in rows}) == (items, {paired})
    assert len(rows) == (items if paired else len(fakes))


def test_the_running_numbers_of_a_container_are_no_partners(tmp_path):
    samples = np.random.default_rng(1).integers(0, 256, (2, 3, 12, 10, 3), dtype=np.uint8)
    for name, batch in zip(("photos", "gan"), samples, strict=True):
        np.savez(tmp_path / f"{name}.npz", batch)
    sources = {"source": tmp_path / "photos.npz", "fakes": [tmp_path / "gan.npz"]}
    made = import_folder(out=tmp_path / "set", **sources)
    rows = read_set(made.folder).rows
    assert {(row["dataset"], row["model"]) for row in rows} == {("photos", None), ("photos", "gan")}
    assert Counter(row["item"] for row in rows) == Counter(
        [*(f"photos/real/00000{n}" for n in range(3)), *(f"photos/00000{n}" for n in range(3))]
    )
    assert import_folder(out=tmp_path / "pairs", paired=True, **sources).items == 3


def test_pictures_of_other_sizes_are_brought_to_the_smallest_where_the_user_says_how(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b"], size=(60, 40))
    gan = pictures(tmp_path / "gan", ["0", "1"], size=(20, 20), seed=1)
    sizes = {}
    for fit in (None, "crop"):
        rows = read_set(import_folder(photos, tmp_path / f"{fit}", fakes=[gan], fit=fit).folder).rows
        sizes[fit] = {(row["kind"], row["width"], row["height"]) for row in rows}
    assert sizes == {None: {("real", 60, 40), ("fake", 20, 20)}, "crop": {("real", 20, 20), ("fake", 20, 20)}}
    assert "2 of 4 items " in import_folder(photos, tmp_path / "c", fakes=[gan], fit="crop").remarks[-1]


def test_captions_are_kept_by_picture_and_shared_within_an_item(tmp_path):
    photos = pictures(tmp_path / "photos", ["a"])
    gan, other = (
        pictures(tmp_path / name, ["0", "1", "2", "e\u0301"], seed=seed)
        for seed, name in enumerate(("gan", "other"), 1)
    )
    (gan / "prompts.csv").write_text("file,prompt\n0.png,007\n1.png,None\n\u00e9.png,accent\n", "utf-8")
    (other / "1.txt").write_text("another text\n")
    made = import_folder(photos, tmp_path / "set", fakes=[gan, other])
    assert {row["stimulus"]: row["caption"] for row in read_set(made.folder).rows} == {
        "photos/real/a": None,
        "photos/gan/0": "007",
        "photos/gan/1": "None",
        "photos/gan/2": None,
        "photos/gan/\u00e9": "accent",
        "photos/other/\u00e9": "accent",
        "photos/other/0": "007",
        "photos/other/1": "another text",
        "photos/other/2": None,
    }
    assert [line for line in made.remarks if "captions of" in line and "have none" in line]


def test_masks_belong_to_pairs_of_folders_too(tmp_path):
    photos, gan = (pictures(tmp_path / name, ["a", "b"], seed=seed) for seed, name in enumerate(("photos", "gan")))
    (tmp_path / "masks").mkdir()
    for stem in ("a", "b"):
        Image.fromarray(np.uint8(255) * (np.indices((20, 24))[1] < 12)).save(tmp_path / "masks" / f"{stem}.png")
    made = import_folder(photos, tmp_path / "set", fakes=[gan], masks=tmp_path / "masks", mask_hole="white")
    assert {row["mask_area"] for row in read_set(made.folder).rows} == {0.5}
    with pytest.raises(UserError, match="masks need pairs"):
        import_folder(photos, tmp_path / "b", fakes=[gan], masks=tmp_path / "masks", paired=False)
    (tmp_path / "masks" / "b.png").unlink()
    refused("b: no mask", import_folder, photos, tmp_path / "c", fakes=[gan], masks=tmp_path / "masks")


def save_scenes(folder, seeds, name="{:05}.png", size=48):
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        levels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(levels).resize((size, size), Image.Resampling.BICUBIC).save(folder / name.format(number))
    return folder


def test_running_numbers_that_match_by_chance_are_doubted_and_true_partners_are_not(tmp_path):
    photos = save_scenes(tmp_path / "photos", range(12))
    samples = save_scenes(tmp_path / "samples", range(50, 62))
    outputs = save_scenes(tmp_path / "outputs", range(12), size=44)
    remarks = import_folder(photos, tmp_path / "chance", fakes=[samples]).remarks
    assert sum("no more alike" in line and "--unpaired" in line for line in remarks) == 1
    remarks = import_folder(photos, tmp_path / "apart", fakes=[samples], paired=False).remarks
    assert not any("alike" in line for line in remarks)
    remarks = import_folder(photos, tmp_path / "pairs", fakes=[outputs], fit="stretch").remarks
    assert not any("alike" in line for line in remarks)


def test_grids_of_many_samples_are_no_samples(tmp_path):
    photos = save_scenes(tmp_path / "photos", range(3), "p{}.png")
    samples = save_scenes(tmp_path / "samples", range(5, 8), "s{}.png")
    tile = np.asarray(Image.open(samples / "s0.png"))
    grid = np.zeros((2 * 50 + 2, 3 * 50 + 2, 3), np.uint8)  # as save_image(nrow=3) writes six of 48 pixels
    for row, column in np.ndindex(2, 3):
        grid[2 + 50 * row : 50 + 50 * row, 2 + 50 * column : 50 + 50 * column] = tile
    Image.fromarray(grid).save(samples / "grid.png")
    made = import_folder(photos, tmp_path / "set", fakes=[samples])
    assert made.pictures == {"real": 3, "fake": 3}
    assert any("1 of 4 are grids" in line for line in made.remarks)
    for path in samples.glob("s*.png"):
        path.unlink()
    refused("save each sample", import_folder, photos, tmp_path / "other", fakes=[samples])


def test_pictures_in_sub_folders_and_sizes_of_pictures_without_partners_are_one_line_each(tmp_path):
    photos = save_scenes(tmp_path / "photos", range(3), "p{}.png")
    samples = save_scenes(tmp_path / "samples", range(5, 8), "s{}.png", size=40)
    save_scenes(samples / "more" / "deep", range(8, 10))
    remarks = import_folder(photos, tmp_path / "set", fakes=[samples]).remarks
    assert sum("2 pictures in sub-folders" in line for line in remarks) == 1
    assert sum("40x40 and 48x48" in line for line in remarks) == 1
    save_scenes(photos, [20], "wide.png", size=30)
    made = import_folder(photos, tmp_path / "corner", fakes=[samples], fit="corner")
    assert not made.problems
    assert {row["width"] for row in read_set(made.folder).rows} == {30}


def test_metrics_of_two_places_need_partners_only_for_pairs_and_take_containers(tmp_path):
    photos = save_scenes(tmp_path / "photos", range(3))
    np.savez(tmp_path / "samples.npz", np.zeros((4, 48, 48, 3), np.uint8))
    with pytest.warns(UserWarning, match=r"0.*3 real.*4 generated"):
        values, _ = evaluate(real=photos, fake=tmp_path / "samples.npz", metrics=["psnr", "niqe"], cache=False)
    of_psnr = values[(values["metric"] == "psnr") & values["model"].notna()]
    assert of_psnr["value"].isna().all()
    assert set(of_psnr["model"]) == {"samples"}
    assert of_psnr["reason"].str.contains("running numbers").all()
    refused("need no partners", evaluate, real=photos, fake=tmp_path / "samples.npz", metrics="psnr", cache=False)


def test_partners_by_number_are_the_users_choice_in_metrics_too(tmp_path):
    for name, seeds in (("photos", range(3)), ("outputs", range(9, 12))):
        np.savez(tmp_path / f"{name}.npz", [np.asarray(Image.open(p)) for p in sorted(
            save_scenes(tmp_path / name, seeds).iterdir())])  # fmt: skip
    places = {"real": tmp_path / "photos.npz", "fake": tmp_path / "outputs.npz"}
    assert evaluate(**places, metrics="l1", paired=True, cache=False)[0]["value"].notna().sum() == 3
    folders = {"real": tmp_path / "photos", "fake": tmp_path / "outputs"}
    values, _ = evaluate(**folders, metrics=["l1", "niqe"], paired=False, cache=False)
    assert values.loc[values["metric"] == "l1", "reason"].str.contains("--unpaired").all()
    refused("--unpaired", evaluate, **folders, metrics="l1", paired=False, cache=False)


def test_pair_metrics_of_a_set_without_partners_say_that_it_is_unpaired(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b"])
    made = import_folder(photos, tmp_path / "set", fakes=[pictures(tmp_path / "gan", ["0", "1"], seed=1)])
    values, _ = evaluate(made.folder, ["l1"], cache=False)
    assert len(values) == 2
    assert values["reason"].str.startswith("unpaired").all()


def test_messages_name_the_container_and_not_where_it_is_unpacked(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b"])
    gan = pictures(tmp_path / "gan", ["0", "1"], seed=1)
    (gan / "prompts.csv").write_text("file,prompt\n0.png,a cat\n")
    (gan / "2.png").write_bytes(b"damaged")
    shutil.make_archive(str(tmp_path / "samples"), "zip", gan)
    made = import_folder(photos, tmp_path / "set", fakes=[tmp_path / "samples.zip"])
    said = [*made.problems, *made.remarks]
    for name in ("2.png", "prompts.csv"):
        assert any(f"{tmp_path}/samples.zip/{name}" in line for line in said), said
    (gan / "prompts.csv").write_text("a,b\n0.png,a cat\n")
    shutil.make_archive(str(tmp_path / "samples"), "zip", gan)
    with pytest.raises(UserError, match=rf"^{tmp_path}/samples\.zip/prompts\.csv:"):
        import_folder(photos, tmp_path / "set", fakes=[tmp_path / "samples.zip"])
    pictures(tmp_path / "one" / "images", ["1_fake", "1_real"])
    shutil.make_archive(str(tmp_path / "results"), "zip", tmp_path / "one")
    refused(rf"--fake {tmp_path}/results\.zip$", import_folder, tmp_path / "results.zip", tmp_path / "set")


def test_a_model_without_a_usable_picture_makes_no_set(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b"])
    gan = pictures(tmp_path / "gan", ["0"], seed=1)
    (gan / "0.png").write_bytes(b"damaged")
    refused(r"0\.png", import_folder, photos, tmp_path / "set", fakes=[gan])
    assert not (tmp_path / "set" / "stimuli.csv").exists()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "data-00000-of-00001.arrow").write_bytes(b"")
    refused("to_parquet", import_folder, photos, tmp_path / "set", fakes=[tmp_path / "saved"])


def test_a_study_of_pictures_without_partners_has_the_metrics_that_need_none(tmp_path):
    photos = pictures(tmp_path / "photos", ["a", "b"])
    gan = pictures(tmp_path / "gan", ["0", "1"], seed=1)
    rows = read_set(import_folder(photos, tmp_path / "set", fakes=[gan]).folder).rows
    assert metrics_for(rows) == {"metrics": {"names": ["niqe", "fid", "kid"]}}
    assert metrics_for([row | {"reference_file": "a.png"} for row in rows]) == metrics_for([]) == {}
