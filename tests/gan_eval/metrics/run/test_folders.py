"""Two folders, paired by stem: pictures without a partner are reported, the others are measured."""

import unicodedata

import pytest

from gan_eval.errors import UserError
from gan_eval.metrics.run.inputs import folder_pair, stimuli_of_sets


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
    assert pair.problems == ()


def test_what_has_no_partner_is_listed_and_kept(touch):
    real, fake = touch(["a.png", "b.png"], ["a.png", "c.png"])
    pair = folder_pair(real, fake, dataset="d", model="m")
    assert pair.problems == (
        f"{fake}/c.png: no picture with the stem 'c' in {real}",
        f"{real}/b.png: no picture with the stem 'b' in {fake}",
    )
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
    assert pair.problems == (of_b, of_a)
    found = _by_name(pair)
    assert len(found) == 6
    assert found["d/real/b"].problem == of_b
    assert (found["d/m/b"].problem, found["d/m/b"].reference, found["d/m/b"].no_reference) == (None, None, of_b)
    assert (found["d/m/a"].problem, found["d/m/a"].reference) == (of_a, real.absolute() / "a.png")
    assert found["d/m/c"].problem is None


def test_names_that_nearly_match_are_pointed_out(touch):
    accents = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    real, fake = touch(["a.png", "IMG_1.png", f"{accents[0]}.png"], ["a.png", "img_1.png", f"{accents[1]}.png"])
    lines = folder_pair(real, fake).problems
    assert len(lines) == 4
    assert any(
        line.endswith(f"'img_1' in {real}; 'IMG_1' differs only in capitals or in how accents are encoded")
        for line in lines
    )
    assert all("differs only in capitals or in how accents are encoded" in line for line in lines)


@pytest.mark.parametrize(
    ("real_names", "fake_names", "fix"),
    [
        (
            ["1_real_B.png", "2_real_B.png"],
            ["1_fake_B.png", "2_fake_B.png"],
            r"they match but for their endings '_real_B' and '_fake_B': rename them, or put both into one folder for "
            "`gan-eval stimuli import`",
        ),
        (["1.png", "2.png"], ["1-out.png", "2-out.png"], r"they match but for their endings '' and '-out': rename"),
        (["a.png", "b.png"], ["1.png", "2.png"], "rename the pictures of one folder so that partners share a stem"),
        (["a.png"], ["b.png"], "rename the pictures of one folder so that partners share a stem"),
    ],
)
def test_no_stem_in_common(touch, real_names, fake_names, fix):
    real, fake = touch(real_names, fake_names)
    with pytest.raises(UserError) as caught:
        folder_pair(real, fake)
    line = str(caught.value)
    assert line.startswith(
        f"{fake}: no picture shares its stem with one in {real} (here {fake_names[0]!r}, there {real_names[0]!r}); "
    )
    assert fix in line


def test_without_partners_any_two_folders_will_do(touch):
    real, fake = touch(["a.png", "b.png"], ["1.png", "a.png"])
    assert folder_pair(real, fake, partners=False).problems == ()
    (fake / "a.png").unlink()
    pair = folder_pair(real, fake, dataset="d", model="m", partners=False)
    assert pair.problems == ()
    assert list(_by_name(pair)) == ["d/real/a", "d/real/b", "d/m/1"]
    assert all(stimulus.reference is None for stimulus in _by_name(pair).values())


def test_what_is_no_pair_of_folders(touch):
    real, fake = touch(["a.png"], ["a.png"])
    with pytest.raises(UserError, match="no such folder"):
        folder_pair(real, fake / "absent")
    with pytest.raises(UserError, match="no such folder"):
        folder_pair(real, real / "a.png")
    (fake / "a.png").unlink()
    with pytest.raises(UserError, match="no pictures in this folder"):
        folder_pair(real, fake)
    for given in ({"model": "real"}, {}):
        with pytest.raises(UserError, match="--model real: the name real is kept for the ground truth"):
            folder_pair(fake, real, **given)
