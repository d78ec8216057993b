"""Warnings of people whose scale or keys may be reversed: chance alone names nobody, however many people there are."""

import io

import numpy as np
import pandas as pd
import pytest

from gan_eval.judgements.doubts import doubts
from gan_eval.judgements.trials import fill_trials, prepare_trials


def graded(seed: int, people: int, *, gaps: dict[str, float], noise: float, each: int = 17) -> pd.DataFrame:
    """Grades of real pictures, and of each model's by `gaps` lower ones: everybody uses the scale in one direction."""
    rng = np.random.default_rng(seed)
    parts = []
    for kind, model, gap in (("real", None, 0.0), *(("fake", model, gap) for model, gap in gaps.items())):
        own = np.repeat(np.maximum(rng.normal(gap, 0.3 * (gap > 0), people), gap - abs(gap)), each)
        parts.append(
            pd.DataFrame(
                {
                    "participant": np.repeat([f"P{number:03}" for number in range(people)], each),
                    "stimulus": np.tile([f"{model or kind}{number}" for number in range(each)], people),
                    "kind": kind,
                    "model": model,
                    "rating": 4.0 - own + rng.normal(0, noise, people * each),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def lines(frame: pd.DataFrame, words: str) -> list[str]:
    return [line for line in doubts(fill_trials(frame)) if words in line]


def test_chance_reverses_nobodys_scale():
    """Before, one person in 630 was named in half of such studies."""
    studies = (graded(seed, 630, gaps={"m": 0.9}, noise=2.0) for seed in range(6))
    assert [line for study in studies for line in lines(study, "scale reversed")] == []


@pytest.mark.parametrize("gaps", [{"m": 2.0}, {"m": 2.0, "n": 1.0}])
def test_a_person_with_a_reversed_scale_among_twenty_is_named(gaps):
    frame = graded(1, 20, gaps=gaps, noise=1.2)
    assert not lines(frame, "scale reversed")
    is_reversed = frame["participant"] == "P007"
    (line,) = lines(frame.assign(rating=frame["rating"].where(~is_reversed, 8 - frame["rating"])), "scale reversed")
    assert "'P007' graded" in line


def test_a_person_who_never_varies_is_named_if_the_scale_is_reversed():
    frame = graded(1, 20, gaps={"m": 2.0}, noise=1.2)
    is_constant = frame["participant"] == "P007"
    frame.loc[is_constant, "rating"] = np.where(frame["kind"][is_constant] == "real", 1.0, 7.0)
    (line,) = lines(frame, "scale reversed")
    assert "'P007' graded" in line


def test_people_whom_one_model_fools_are_not_named():
    """They grade the few pictures of the poor model as everybody does."""
    frame = graded(2, 40, gaps={"poor": 2.0, "good": 0.5}, noise=1.0)
    frame = frame[~frame["stimulus"].isin([f"poor{number}" for number in range(5, 17)])]
    fooled = (frame["participant"] < "P005") & (frame["model"] == "good").fillna(False)
    assert lines(frame.assign(rating=frame["rating"] + 4.0 * fooled), "scale reversed") == []


def test_chance_exchanges_nobodys_keys():
    """Before, a line named people in 14 of 20 such studies."""
    rng = np.random.default_rng(3)
    people, each = 630, 24
    kind = np.tile(np.repeat(["real", "fake"], each // 2), people)
    skill = np.repeat(1 / (1 + np.exp(-rng.normal(0.85, 0.5, people))), each)
    other = np.where(kind == "real", "fake", "real")
    frame = pd.DataFrame(
        {
            "participant": np.repeat(np.arange(people), each),
            "stimulus": np.tile(np.arange(each), people),
            "kind": kind,
            "response": np.where(rng.random(people * each) < skill, kind, other),
        }
    )
    assert lines(frame, "keys exchanged") == []


def test_grades_without_a_truth_and_with_an_empty_one_are_read():
    rows = "participant,stimulus,rating\nA,s1,3\nA,s2,\nB,s2,4\nB,s1,2\n"
    assert doubts(prepare_trials(pd.read_csv(io.StringIO(rows))).trials) == []
    text = "A,f0,fake,1 A,r1,real, A,f2,fake,3 A,r3,real,4 B,r3,real,1 B,f2,fake,2 B,r1,real,3 B,f0,fake,4"
    frame = pd.read_csv(io.StringIO("participant,stimulus,kind,rating\n" + text.replace(" ", "\n")))
    assert doubts(prepare_trials(frame).trials) == []
