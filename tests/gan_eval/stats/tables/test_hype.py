"""HYPE scores and the thresholds of staircases and QUEST+, against sums by hand and R."""

import numpy as np
import pandas as pd
import pytest
from cited_tables import cited_tables
from make_trials import from_counts, simulated

from gan_eval.judgements.trials import fill_trials
from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.tables.hype import hype, mean_threshold, mean_thresholds, thresholds
from gan_eval.stats.tables.rates import rates


def answers(**errors: tuple[int, int]) -> pd.DataFrame:
    """Return ten reals and five fakes per participant; `errors` is the number of wrong answers to (reals, fakes)."""
    parts = [
        from_counts(5 - fakes, fakes, reals, 10 - reals, participant=name, requested_exposure_ms=np.inf)
        for name, (reals, fakes) in errors.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_error_rate_weighs_reals_and_fakes_alike_and_participants_alike() -> None:
    table = hype(answers(P1=(2, 3), P2=(5, 0)))
    assert table["model"].fillna("").tolist() == ["", "gan"]
    row = table.iloc[0]
    assert row["value"] == pytest.approx((100 * (0.2 + 0.6) / 2 + 100 * (0.5 + 0) / 2) / 2)
    assert (row["error_real"], row["error_fake"]) == pytest.approx((35.0, 30.0))
    assert (row["n_participants"], row["unit"], row["score"]) == (2, "%", "hype_infinity")


WRONG = "100 100  110 010  000 101  111 110"
"""Errors of four people on three reals and on three fakes."""


def untimed(*, items: bool) -> pd.DataFrame:
    rows = [
        {
            "participant": f"P{index // 6}",
            "stimulus": f"d/{kind}/{index % 3}",
            "item": f"d/{index % 3}" if items else None,
            "kind": kind,
            "model": "gan" if kind == "fake" else None,
            "response": {"real": "fake", "fake": "real"}[kind] if wrong == "1" else kind,
            "dataset": "d",
            "requested_exposure_ms": np.inf,
        }
        for index, wrong in enumerate(WRONG.replace(" ", ""))
        for kind in ["fake" if index // 3 % 2 else "real"]
    ]
    return fill_trials(pd.DataFrame(rows))


def test_the_interval_of_the_error_rate_is_over_people_and_pictures() -> None:
    """R 4.2.2, sandwich 3.0-2: `vcovCL(lm(wrong ~ 0 + kind), cluster = data.frame(p, s), type = "HC0")`.

    Variance of half the sum of both coefficients; `qt(.975, 3)`, of four people. Versions of one item are one cluster,
    and the interval ends at 0 and at 100%.
    """
    row = hype(untimed(items=False)).iloc[0]
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx((50, 12.494511, 87.505489))
    row = hype(untimed(items=True)).iloc[0]
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx((50, 0, 100))


def test_equal_error_rates_of_people_and_pictures_have_no_interval() -> None:
    row = hype(answers(P1=(0, 0), P2=(0, 0))).iloc[0]
    assert row["value"] == 0
    assert np.isnan(row["ci_low"])
    assert "the same error rate: no interval" in row["note"]


def test_where_the_exposure_is_not_known_there_is_no_score() -> None:
    """Only what was measured to stay up to the key press stayed until the answer."""
    trials = simulated(participants=3, each=12)
    assert hype(trials).empty
    assert hype(trials.assign(exposure_ms=100.0)).empty
    stayed = trials.assign(exposure_ms=trials["reaction_time_ms"] + 9)
    half = pd.concat([stayed, trials.assign(session="other", participant="P9")], ignore_index=True)
    pd.testing.assert_frame_equal(hype(half), hype(trials.assign(requested_exposure_ms=np.inf)))


def test_without_reals_or_with_one_participant_the_note_says_so() -> None:
    fakes = answers(P1=(0, 2), P2=(0, 1))
    fakes = fakes[fakes["kind"] == "fake"]
    row = hype(fakes).iloc[0]
    assert np.isnan(row["value"])
    assert row["error_fake"] == pytest.approx(30.0)
    assert "no real pictures" in row["note"]
    alone = hype(answers(P1=(1, 1))).iloc[0]
    assert alone["value"] == pytest.approx(15.0)
    assert (alone["ci_low"], alone["note"]) == (0, ONE_PARTICIPANT), "over pictures alone"
    some = hype(pd.concat([answers(P1=(1, 1), P2=(2, 2)), fakes.assign(participant="P3", session="P3")])).iloc[0]
    assert some["n_participants"] == 2
    assert "without both kinds of picture, left out: 1" in some["note"]


ANSWERS = [True, False, True, False, True, False, True, True, False, True]
"""Turns at trials 2, 3, 4, 5 (left out) and 6, 7, 9, 10."""
EXPOSURES = [500, 490, 520, 510, 540, 530, 560, 550, 540, 570]
THRESHOLD = (530 + 560 + 540 + 570) / 4


def climb(participant: str = "P1", *, shift: float = 0, answers: list[bool] = ANSWERS, **more: object) -> pd.DataFrame:
    """The trials of one staircase."""
    rows = [
        {
            "participant": participant,
            "stimulus": f"d/real/{number}",
            "kind": "real",
            "response": "real" if right else "fake",
            "dataset": "d",
            "protocol": "staircase",
            "block": 1,
            "requested_exposure_ms": exposure + shift,
            "fraction": 0.5,
        }
        for number, (right, exposure) in enumerate(zip(answers, EXPOSURES, strict=False))
    ]
    return fill_trials(pd.DataFrame(rows).assign(**more))


def test_a_staircase_by_hand() -> None:
    trials = pd.concat([climb(), climb("P2", protocol="yes_no")])
    (row,) = thresholds(trials).to_dict("records")
    assert (row["session"], row["participant"], row["block"], row["dataset"]) == ("P1", "P1", 1, "d")
    assert (row["reversals"], row["threshold_ms"], row["mode_ms"]) == (8, THRESHOLD, 530)
    assert (row["simulated"], row["fraction"]) == (False, 0.5)
    assert pd.isna(row["bound"])


def test_the_range_comes_from_the_settings() -> None:
    narrow = StaircaseSettings(start_ms=500, shortest_ms=100, longest_ms=530)
    assert thresholds(climb(), settings=narrow)["bound"].tolist() == ["longest"]
    assert analyze(climb(), staircase=narrow)["thresholds"]["bound"].tolist() == ["longest"]


def test_the_mean_over_participants() -> None:
    table = thresholds(
        pd.concat([climb("P1"), climb("P2", shift=30), climb("P3", shift=90), climb("P4", answers=[True])])
    )
    (found,) = mean_thresholds(table)
    values = [THRESHOLD, THRESHOLD + 30, THRESHOLD + 90]
    assert found.dataset == "d"
    assert found.counts == {"n_participants": 3, "n_without": 1, "n_bound": 0}
    assert found.estimate == mean_threshold(np.array(values))
    assert found.estimate.value == pytest.approx(sum(values) / 3)


def test_the_interval_of_thresholds_is_coxs_around_their_mean() -> None:
    """R 4.2.2: `mean(x) * exp(c(-1, 1) * qt(.975, 2) * sqrt(var(log(x)) / 3 + var(log(x))^2 / 4))`."""
    found = mean_threshold(np.array([530.0, 560.0, 620.0]))
    assert found == pytest.approx((570, 467.5461684, 694.9046361))
    for values in ([530.0], [530.0, 530.0], [0.0, 530.0]):
        assert np.isnan(mean_threshold(np.array(values))[1:]).all()
    assert np.isnan(mean_threshold(np.array([]))).all()


def test_hype_time_is_the_mean_of_the_modal_exposures() -> None:
    trials = pd.concat([climb("P1"), climb("P2", shift=30), climb("P3", shift=90)])
    row = hype(trials).iloc[0]
    assert (row["score"], row["unit"], row["n_participants"]) == ("hype_time", "ms", 3)
    assert row["value"] == pytest.approx(thresholds(trials)["mode_ms"].mean())
    assert tuple(row[["value", "ci_low", "ci_high"]]) == mean_threshold(np.array([530.0, 560.0, 620.0]))
    same = hype(pd.concat([climb("P1"), climb("P2")])).iloc[0]
    assert np.isnan(same["ci_low"])
    assert "the same threshold" in same["note"]
    narrow = StaircaseSettings(start_ms=500, shortest_ms=100, longest_ms=530)
    (alone,) = hype(pd.concat([climb(), climb("P2", answers=[True])]), settings=narrow).to_dict("records")
    assert "1 of 1 thresholds" in alone["note"]
    assert "1 of 2 staircases" in alone["note"]


def quest(participant: str = "P1", *, share: float = 0.75, model: str = "gan") -> pd.DataFrame:
    """Forty trials of QUEST+ at 400 ms, that share of them right."""
    return fill_trials(
        pd.DataFrame(
            {
                "participant": participant,
                "stimulus": f"d/{'real' if kind == 'real' else model}/{number}",
                "kind": kind,
                "model": None if kind == "real" else model,
                "response": kind if number < 20 * share else {"real": "fake", "fake": "real"}[kind],
                "dataset": "d",
                "protocol": "quest_plus",
                "block": 1,
                "requested_exposure_ms": 400.0,
            }
            for kind in ("real", "fake")
            for number in range(20)
        )
    )


def test_quest_plus_has_a_threshold_between_the_ends_of_its_interval() -> None:
    (row,) = thresholds(quest()).to_dict("records")
    assert (row["protocol"], row["model"], row["answers"]) == ("quest_plus", "gan", 40)
    assert pd.isna(row["reversals"])
    assert pd.isna(row["mode_ms"])
    assert row["threshold_ms_low"] < 400 < row["threshold_ms_high"]
    assert row["threshold_ms"] == pytest.approx(400, abs=60)
    better, worse = (thresholds(quest(share=share))["threshold_ms"].item() for share in (0.9, 0.6))
    assert better < row["threshold_ms"] < worse
    assert hype(quest()).empty


def test_the_table_to_cite_has_the_mean_threshold_of_each_model() -> None:
    trials = pd.concat([quest("P1"), quest("P2", share=0.8), quest("P3", share=0.6, model="vae")])
    frames = cited_tables(trials)
    each = frames["thresholds"].set_index("participant")["threshold_ms"]
    cited = frames["paper"].set_index("model")
    assert set(cited["protocol"]) == {"quest_plus"}
    assert cited.loc["gan", "threshold_ms"] == pytest.approx(each[["P1", "P2"]].mean())
    assert cited.loc["vae", "threshold_ms"] == pytest.approx(each["P3"])
    assert cited.loc["all", ["dataset", "threshold_ms"]].tolist() == ["d", pytest.approx(each.mean())]
    assert cited["fooling_rate"].isna().all()


def test_steps_are_no_levels_of_exposure() -> None:
    levels = climb("P2", protocol="yes_no").assign(requested_exposure_ms=[100.0, 250.0] * 5)
    table = rates(pd.concat([climb(), levels]))
    assert table.loc[table["scope"] == "exposure", "id"].tolist() == ["100", "250"]
    assert table.iloc[0]["n_real"] == 20
