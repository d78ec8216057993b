"""One picture under several names: what an import joins, keeps apart, and says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gan_eval.judgements.convert import Imported, import_trials
from gan_eval.judgements.pictures import several_names, with_picture_names
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.matching import named_as_judged

ROOTS = ("C:\\study\\", "/home/u/study/", "D:\\x\\")


def answers(name: Callable[..., str]) -> pd.DataFrame:
    """Six people judge twelve pictures in orders of their own; `name` gets person, place, picture and kind."""
    rng, rows = np.random.default_rng(0), []
    for person in range(6):
        for place, picture in enumerate(rng.permutation(12), start=1):
            kind = "real" if picture % 2 else "fake"
            row = {"participant": f"P{person:02}", "kind": kind, "response": "fake"}
            rows.append(row | {"stimulus": name(person, place, picture, kind)})
    return pd.DataFrame(rows)


def named(name: Callable[..., str]) -> tuple[pd.Series, list[str]]:
    """Return the names of the pictures as an import gives them, and its lines on them."""
    trials, lines = with_picture_names(fill_trials(answers(name)), None)
    return trials["stimulus"], lines


def imported(tmp_path: Path, name: Callable[..., str], **options: object) -> Imported:
    answers(name).to_csv(tmp_path / "theirs.csv", index=False)
    return import_trials(tmp_path / "theirs.csv", mapping={}, **options)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (lambda p, n, i, k: f"https://x.org/a/{k}{i}.png?t={p}{n}", "fake0.png"),
        (lambda p, n, i, k: f"<img src='{k}{i}.{'PNG' if p % 2 else 'png'}' width={p}>", "fake0.png"),
        (lambda p, n, i, k: f"{ROOTS[p % 3]}{k}{i}.png", "fake0.png"),
        (lambda p, n, i, k: f"{ROOTS[p % 3]}{k}/{i // 2}.png", "fake/0.png"),
        (lambda p, n, i, k: f"{ROOTS[p % 3]}{'cars' if i < 6 else 'faces'}/{k}{i % 6}.png", "cars/fake0.png"),
        (lambda p, n, i, k: f"{n:04}_P{p:02}_{k}{i}.png", "fake0.png"),
        (lambda p, n, i, k: f"P{p:02}-{n}-{k}{i}.png", "fake0.png"),
        (lambda p, n, i, k: f"img/{n:04}_{k}{i}.png", "fake0.png"),  # trials in common: 12 numbers, 6 people
        (lambda p, n, i, k: f"{k}{i}_P{p:02}.png", "fake0.png"),
        (lambda p, n, i, k: f"{k}{i}{'.png' if p % 2 else ''}", "fake0.png"),
        (lambda p, n, i, k: f"{k.upper() if p % 2 else k}{i}.png", "fake0.png"),
        (lambda p, n, i, k: f"{'é' if p % 2 else 'e' + chr(0x301)}{k}{i}.png", "éfake0.png"),
        (lambda p, n, i, k: f"{k}{i}_trial{n}.png", "fake0.png"),
        (lambda p, n, i, k: f"a/{k}{'%20' if p % 2 else ' '}{i}.png".removeprefix("a/" * (p % 2)), "fake 0.png"),
    ],
)
def test_names_of_one_picture_are_joined_with_a_line(name: Callable[..., str], first: str) -> None:
    names, lines = named(name)
    assert (names.nunique(), min(names), len(lines)) == (12, first, 1)
    assert answers(name)["stimulus"].nunique() > 12


@pytest.mark.parametrize(
    ("name", "pictures", "lines"),
    [
        (lambda p, n, i, k: f"{k}/{i // 2}.png", 12, 0),
        (lambda p, n, i, k: f"https://x.org/show.php?id={i}", 12, 0),
        (lambda p, n, i, k: f"{k}{i}.{'jpg' if p % 2 else 'png'}", 24, 1),
        (lambda p, n, i, k: f"{i // 2}.{'jpg' if k == 'real' else 'png'}", 12, 0),
        (lambda p, n, i, k: f"{i // 2 // 2}.{'jpg' if i // 2 % 2 else 'png'}" if k == "real" else f"{k}{i}.png", 12, 0),
        (lambda p, n, i, k: f"{p * 12 + i:03}.png", 72, 0),  # everyone has pictures of their own
        (lambda p, n, i, k: f"{p * 12 + i:03}_{k}.png", 72, 0),
        (lambda p, n, i, k: f"{'cars' if i < 6 else 'faces'}/{k}{i % 6}.png", 12, 1),
        (lambda p, n, i, k: f"{1000 + 97 * p + 13 * n}_{k}{i}.png", 72, 1),
        (lambda p, n, i, k: f"{k}{i}-{(97 * p + n) * 7919:08x}.png", 72, 1),
        (lambda p, n, i, k: f"{k if k == 'real' else 'ab'[p % 2]}/{k}{i}.png", 18, 1),  # two models between people
    ],
)
def test_names_that_may_be_of_two_pictures_stay(name, pictures, lines) -> None:
    names, said = named(name)
    assert (names.nunique(), len(said)) == (pictures, lines)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (lambda i, k: f"https://x.org/a/{k}{i}.PNG", "fake0.png"),
        (lambda i, k: f"C:\\stim\\{k}\\{k}{i}.png", "fake0.png"),
        (lambda i, k: f"/home/u/stim/{k}/{i // 2}.png", "fake/0.png"),  # two pictures of one file name
        (lambda i, k: f"faces/{k}/{i}", "faces/fake/0"),  # an identifier, not a file
    ],
)
def test_files_lose_their_folders_so_that_names_match_between_exports(name, first) -> None:
    names, lines = named(lambda p, n, i, k: name(i, k))
    assert (min(names), names.nunique(), lines) == (first, 12, [])


@pytest.mark.parametrize(
    ("name", "is_warned"),
    [
        (lambda p, i, k: f"{ROOTS[p % 3]}{k}{i}.png", True),
        (lambda p, i, k: f"https://x.org/{k}{i}.png?t={(p * 12 + i) * 7919}", True),
        (lambda p, i, k: f"P{p:02}_{k}{i}.png", True),
        (lambda p, i, k: f"{k}/{i // 2}.png", False),
        (lambda p, i, k: f"https://x.org/show.php?id={i}", False),
        (lambda p, i, k: f"{p * 12 + i:03}.png", False),
    ],
)
def test_a_table_that_was_never_imported_is_doubted(name, is_warned) -> None:
    trials = fill_trials(answers(lambda p, n, i, k: name(p, i, k)))
    assert len(several_names(trials)) == is_warned


def test_an_import_has_these_names_and_lines(tmp_path: Path) -> None:
    for device in ("@2x", ""):
        names, lines = named(lambda p, n, i, k: f"img/{k}{i}{device * (p % 2)}.png")  # noqa: B023 - called at once
        found = imported(tmp_path, lambda p, n, i, k: f"img/{k}{i}{device * (p % 2)}.png")  # noqa: B023
        assert (found.trials["stimulus"].tolist(), list(found.doubts)) == (names.tolist(), lines)


def test_an_option_decides_and_the_tables_own_columns_tell_pictures_apart(tmp_path: Path) -> None:
    as_is = imported(tmp_path, lambda p, n, i, k: f"img/{p}/{k}{i}.png", picture_names="as-is")
    assert (min(as_is.trials["stimulus"]), as_is.trials["stimulus"].nunique()) == ("img/0/fake0.png", 72)
    for how, first in (("file", "fake/0.png"), ("stem", "fake/0")):
        trials = imported(tmp_path, lambda p, n, i, k: f"{p}/{k}/{i // 2}.png", picture_names=how).trials
        assert (trials["stimulus"].nunique(), min(trials["stimulus"])) == (12, first)
        assert trials["item"].nunique() == 6


@pytest.mark.parametrize("name", ["stim/{0}/{0}{1}.png", "{0}{1}.png", "https://x.org/{0}{1}.png"])
def test_our_metrics_match_the_file_names_of_other_tools(tmp_path: Path, name: str) -> None:
    trials = imported(tmp_path, lambda p, n, i, k: name.format(k, i)).trials
    names = trials[["stimulus", "kind"]].drop_duplicates()
    own = [f"stim/{kind}/{Path(name).stem}" for name, kind in zip(names["stimulus"], names["kind"], strict=True)]
    metrics = names.assign(stimulus=own, model=None, metric="niqe", value=1.0)
    renamed, lines = named_as_judged(trials, metrics)
    assert renamed["stimulus"].tolist() == names["stimulus"].tolist()
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("name", "is_joined"),
    [
        (lambda p, n, i, k: f"{k}{i}{'@2x' if p % 2 else ''}.png", True),
        (lambda p, n, i, k: f"{k}_{i}_{('640x480', '800x600', '1280x960')[p % 3]}.png", True),
        (lambda p, n, i, k: f"{k}_{i}.png" if p % 2 else f"{k}_{i:03}.png", True),
        (lambda p, n, i, k: f"{k}_{i // 4}_{('64x64', '128x128')[i // 2 % 2]}.png", False),  # a person saw both sizes
        (lambda p, n, i, k: f"{k}_{i // 4}.png" if i // 2 % 2 else f"{k}_{i // 4:03}.png", False),
    ],
)
def test_names_that_differ_by_device_are_of_one_picture_and_said(name, is_joined: bool) -> None:
    """Before, 12 pictures counted as 24 or 36 silently."""
    names, lines = named(name)
    assert names.nunique() == 12
    assert any("names of pictures are 12 without" in line for line in lines) == is_joined
    assert bool(several_names(fill_trials(answers(name)))) == is_joined
