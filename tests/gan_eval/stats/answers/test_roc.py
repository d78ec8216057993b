"""The area by confidence and its interval against sums over all pairs, one cluster at a time, and against new draws."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import t as student

from gan_eval.stats.answers.detection import Judged, areas


def answers(seed: int, *, people: int, stimuli: int, each: int, spread: float = 0.7) -> pd.DataFrame:
    """Grades 0..5 of crossed participants and stimuli, who differ."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    stimulus = np.concatenate([rng.choice(stimuli, each, replace=False) for _ in range(people)])
    is_fake = stimulus % 2 == 1
    of_person, of_stimulus = rng.normal(0, spread, people), rng.normal(0, spread, stimuli)
    latent = 0.8 * is_fake + of_person[person] * is_fake + of_stimulus[stimulus] + rng.normal(size=len(person))
    grade = np.digitize(latent, [-1, -0.3, 0.4, 1.0, 1.8])
    return pd.DataFrame({"participant": person, "stimulus": stimulus, "grade": grade, "is_fake": is_fake})


def graded(frame: pd.DataFrame, group: np.ndarray) -> Judged:
    person, stimulus, is_fake, grade = (
        frame[name].to_numpy() for name in ("participant", "stimulus", "is_fake", "grade")
    )
    return Judged(group, person, stimulus, is_fake, is_fake, grade, cell=person * 1000 + stimulus)


def by_hand(frame: pd.DataFrame) -> tuple[float, pd.Series]:
    """Area, and each answer's structural component, from all pairs of a fake and a real."""
    fake, real = frame[frame["is_fake"]], frame[~frame["is_fake"]]
    above = np.sign(fake["grade"].to_numpy()[:, None] - real["grade"].to_numpy()[None, :])
    wins = (above + 1) / 2
    area = wins.mean()
    parts = [
        pd.Series((wins.mean(axis=1) - area) / len(fake), index=fake.index),
        pd.Series((wins.mean(axis=0) - area) / len(real), index=real.index),
    ]
    return float(area), pd.concat(parts).reindex(frame.index)


def clustered(frame: pd.DataFrame, influence: pd.Series, cluster: pd.Series) -> float:
    number = {kind: cluster[frame["is_fake"] == kind].nunique() for kind in (True, False)}
    total = 0.0
    for place in frame.groupby(cluster).groups.values():
        rows = frame.loc[place]
        total += (
            sum(
                influence[place][rows["is_fake"] == kind].sum() * np.sqrt(number[kind] / (number[kind] - 1))
                for kind in (True, False)
            )
            ** 2
        )
    return total


def test_crossed_interval_is_the_two_way_sum_one_cluster_at_a_time() -> None:
    """Check the second of two groups, so that the groups must be kept separate."""
    frames = [answers(seed, people=14, stimuli=30, each=18) for seed in (2, 3)]
    both, group = pd.concat(frames, ignore_index=True), np.repeat([0, 1], 14 * 18)
    found = areas(graded(both, group), 2)
    frame = frames[1]
    area, influence = by_hand(frame)
    cell = frame["participant"].astype(str) + "/" + frame["stimulus"].astype(str)
    person, stimulus, single = (
        clustered(frame, influence, cluster) for cluster in (frame["participant"], frame["stimulus"], cell)
    )
    variance = max(person + stimulus - single, person, stimulus, single)
    half = student.ppf(0.975, 13) * np.sqrt(variance) / (area * (1 - area))
    assert found.value[1] == pytest.approx(area)
    assert (found.low[1], found.high[1]) == pytest.approx((expit(logit(area) - half), expit(logit(area) + half)))


@pytest.mark.nightly
def test_intervals_cover_the_area_of_new_people_and_pictures() -> None:
    frames = [answers(seed, people=16, stimuli=40, each=20) for seed in range(300)]
    columns = pd.concat(frames, ignore_index=True)
    group = np.repeat(np.arange(300), len(frames[0]))
    area, low, high = areas(graded(columns, group), 300)
    truth = area.mean()  # of 300 studies: its own error is a seventeenth of one study's
    covered = ((low <= truth) & (truth <= high)).mean()
    assert 0.92 <= covered <= 0.99
    alone = graded(columns, group)._replace(participant=np.zeros(len(group), int))
    _, low, high = areas(alone, 300)
    assert ((low <= truth) & (truth <= high)).mean() < 0.85


def test_what_allows_no_interval_has_none() -> None:
    frame = answers(4, people=4, stimuli=10, each=10)
    zeros = np.zeros(len(frame), int)
    sharp = areas(graded(frame.assign(grade=frame["is_fake"].astype(int)), zeros), 1)
    assert (sharp.value[0], np.isnan(sharp.low[0])) == (1.0, True)
    fakes = frame[frame["is_fake"]]
    assert np.isnan(areas(graded(fakes, zeros[: len(fakes)]), 1)).all()
    one_real = frame[frame["is_fake"] | (frame["stimulus"] == 0)]
    found = areas(graded(one_real, zeros[: len(one_real)]), 1)
    assert np.isfinite(found.value[0])
    assert np.isnan(found.low[0])
    assert np.isnan(areas(graded(frame.iloc[:0], zeros[:0]), 2)).all()
