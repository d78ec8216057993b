"""Inputs of metrics: rows of sets and frames, and two folders paired by stem, become stimuli, each once."""

from zipfile import ZipFile

import pandas as pd
import pytest
from made_sets import write_items
from metric_pictures import texture
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.metrics.run.inputs import Stimulus, folder_pair, stimuli_of_frame, stimuli_of_sets
from gan_eval.pictures.decode import by_stem, write_png
from gan_eval.pictures.sets import StimulusSet, read_set


def _frame(**columns):
    row = {
        "stimulus": "d/m/a", "item": "d/a", "kind": "fake", "model": "m", "dataset": "d", "file": "a.png",
        "reference_file": "r.png",
    }  # fmt: skip
    return pd.DataFrame([{**row, **columns}])


def _set(folder, seed=0):
    """A stimulus set of one real picture."""
    return write_items(folder, {"a": {"real": texture(seed, 16, 16)}})


def test_a_frames_files_are_relative_to_its_root(tmp_path):
    (found,) = stimuli_of_frame(_frame(input_file="in.png", fraction=0.5), tmp_path)
    assert (found.file, found.reference, found.input) == (tmp_path / "a.png", tmp_path / "r.png", tmp_path / "in.png")
    assert (found.item, found.fraction, found.is_fake) == ("d/a", 0.5, True)
    assert (found.problem, found.no_reference) == (None, Stimulus.no_reference)
    (bare,) = stimuli_of_frame(_frame(reference_file=None).drop(columns="item"), tmp_path)
    assert (bare.reference, bare.item) == (None, "d/m/a")


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"file": None}, "row 1, column file:"),
        ({"stimulus": ""}, "row 1, column stimulus:"),
        ({"kind": "odd"}, r"row 1:.*'odd'.*'m'"),
        ({"model": None}, r"row 1:.*'fake'"),
        ({"kind": "real"}, r"row 1:.*'real'.*'m'"),
        ({"model": "all"}, "row 1, column model:"),
        ({"model": "a|b"}, r"row 1, column model:.*'\|'"),
    ],
)
def test_bad_rows_are_named(columns, line):
    refused(line, stimuli_of_frame, _frame(**columns), None)


def test_what_several_sets_share_counts_once(tmp_path):
    first, second = _set(tmp_path / "one"), _set(tmp_path / "two")
    assert [s.file for s in stimuli_of_sets([first, second])] == [first / "real" / "a.png"]
    (first / "real" / "a.png").unlink()
    assert [s.file for s in stimuli_of_sets([first, second])] == [second / "real" / "a.png"]
    (second / "real" / "a.png").unlink()
    assert [s.file for s in stimuli_of_sets([first, second])] == [first / "real" / "a.png"]


def test_different_pictures_of_one_name_are_an_error(tmp_path):
    first, second = _set(tmp_path / "one"), _set(tmp_path / "two", seed=1)
    refused(r"two/real/a\.png:.*'d/real/a'.*one/real/a\.png", stimuli_of_sets, [first, second])


def test_files_that_are_missing_have_reasons_and_the_rest_is_measured(tmp_path):
    write_items(
        tmp_path, {stem: {"real": texture(n, 16, 16), "fake": texture(9, 16, 16)} for n, stem in enumerate("abc")}
    )
    frame = pd.DataFrame(read_set(tmp_path).rows)
    (tmp_path / "fake" / "a.png").unlink()
    (tmp_path / "real" / "b.png").unlink()
    rows = tuple(frame.drop(columns="sha256").astype(object).where(frame.notna(), None).to_dict("records"))
    for given in (tmp_path, StimulusSet(tmp_path, rows), frame):
        found, _ = evaluate(given, ["psnr", "sharpness"], root=tmp_path, cache=False)
        found = found.set_index(["stimulus", "metric"])
        assert found["value"].isna().sum() == 4
        for stimulus, metric, file in (
            ("d/m/a", "psnr", "fake/a.png"),
            ("d/m/a", "sharpness", "fake/a.png"),
            ("d/m/b", "psnr", "real/b.png"),
            ("d/real/b", "sharpness", "real/b.png"),
        ):
            assert found.loc[(stimulus, metric), "reason"] == f"{tmp_path / file}: no such picture"
        assert found.loc[("d/m/c", "psnr"), "value"] > 0


@pytest.fixture
def touch(tmp_path):
    """Makes empty files in `real/` and `fake/` and returns both folders."""

    def make(real, fake):
        folders = tmp_path / "real", tmp_path / "fake"
        for folder, names in zip(folders, (real, fake), strict=True):
            folder.mkdir()
            for name in names:
                (folder / name).touch()
        return folders

    return make


def _by_name(pair):
    return {stimulus.stimulus: stimulus for stimulus in stimuli_of_sets([pair])}


def test_partners_share_a_stem_whatever_their_suffix(touch):
    real, fake = touch(["10.jpg", "2.png"], ["2.PNG", "10.tif"])
    pair = folder_pair(real, fake)
    assert [row["stimulus"] for row in pair.rows] == ["real/real/2", "real/real/10", "real/fake/2", "real/fake/10"]
    assert [row["item"] for row in pair.rows] == ["real/2", "real/10"] * 2
    assert _by_name(pair)["real/fake/10"].reference == real.absolute() / "10.jpg"


def test_an_accent_is_one_letter_or_two(touch):
    real, fake = touch(["\u00fc.png"], ["u\u0308.png"])  # as Linux and as macOS write it
    pair = folder_pair(real, fake)
    assert [row["stimulus"] for row in pair.rows] == ["real/real/\u00fc", "real/fake/\u00fc"]
    assert all(row["no_reference"] is None for row in pair.rows)
    assert by_stem(fake.iterdir()).keys() == by_stem(real.iterdir()).keys()


def test_what_has_no_partner_is_listed_and_kept(touch):
    real, fake = touch(["a.png", "b.png"], ["a.png", "c.png"])
    pair = folder_pair(real, fake, dataset="d", model="m")
    found = _by_name(pair)
    assert list(found) == ["d/real/a", "d/real/b", "d/m/a", "d/m/c"]
    assert found["d/m/c"].reference is None
    assert found["d/m/c"].no_reference == f"no picture with the stem 'c' in {real}"
    assert found["d/m/a"].reference == real.absolute() / "a.png"
    assert all(stimulus.problem is None for stimulus in found.values())
    assert found["d/real/b"].no_reference == f"no picture with the stem 'b' in {fake}"
    assert [name for name, stimulus in found.items() if not stimulus.has_pair_metrics] == ["d/real/a"]


def test_a_stem_of_several_files_is_not_measured(touch):
    real, fake = touch(["a.png", "b.png", "b.jpg", "c.png"], ["a.jpg", "a.png", "b.png", "c.png"])
    pair = folder_pair(real, fake, dataset="d", model="m")
    of_b = f"{real}: several pictures with the stem 'b' (b.jpg, b.png); keep one"
    of_a = f"{fake}: several pictures with the stem 'a' (a.jpg, a.png); keep one"
    found = _by_name(pair)
    assert len(found) == 6
    assert found["d/real/b"].problem == of_b
    assert (found["d/m/b"].problem, found["d/m/b"].reference, found["d/m/b"].no_reference) == (None, None, of_b)
    assert (found["d/m/a"].problem, found["d/m/a"].reference) == (of_a, real.absolute() / "a.png")
    assert found["d/m/c"].problem is None


def test_no_stem_in_common(touch):
    real, fake = touch(["1_real_B.png", "2_real_B.png"], ["1_fake_B.png", "2_fake_B.png"])
    with pytest.raises(UserError) as caught:
        folder_pair(real, fake)
    assert str(caught.value).startswith(
        f"{fake}: no picture shares its stem with one in {real} (here '1_fake_B.png', there '1_real_B.png'); "
    )


def test_what_is_no_pair_of_folders(touch):
    real, fake = touch(["a.png"], ["a.png"])
    refused("no such folder", folder_pair, real, fake / "absent")
    refused("is a file, not a folder", folder_pair, real, real / "a.png")
    (fake / "a.png").unlink()
    refused("no pictures in this folder", folder_pair, real, fake)
    for given in ({"model": "real"}, {}):
        refused("--model real:", folder_pair, fake, real, **given)


def test_a_damaged_picture_of_a_container_is_named_by_container_and_member(tmp_path):
    for kind in ("real", "fake"):
        with ZipFile(tmp_path / f"{kind}.zip", "w") as archive:
            for stem in "ab":
                write_png(tmp_path / "one.png", texture(ord(stem), 16, 16))
                content = (tmp_path / "one.png").read_bytes()
                archive.writestr(f"{stem}.png", content[:200] if (kind, stem) == ("fake", "b") else content)
    found, _ = evaluate(real=tmp_path / "real.zip", fake=tmp_path / "fake.zip", metrics="psnr", cache=False)
    reasons = found.set_index("stimulus")["reason"]
    assert reasons["real/fake/b"].startswith(f"{tmp_path / 'fake.zip'}/b.png: ")
