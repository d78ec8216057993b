"""Verdicts wait until all people have come, who count with a complete session of their own."""

import pandas as pd
from make_trials import from_counts, simulated

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.cited import printed
from gan_eval.stats.latex import latex
from gan_eval.stats.recruitment import recruitment, waiting_text
from gan_eval.stats.results import results_of
from gan_eval.stats.tables.comparisons import comparisons


def first(people: int) -> pd.DataFrame:
    """The trials of the first people of six."""
    trials = simulated(participants=6, stimuli=40, each=40, intercept=1.4, real=0.0, models=("a", "b"), seed=4)
    return trials[trials["participant"].isin(sorted(trials["participant"].unique())[:people])].reset_index(drop=True)


def test_people_count_with_a_complete_session_of_their_own() -> None:
    trials = first(3)
    assert waiting_text(recruitment(trials, 6)) == "interim: no verdict (3 of 6 people)"
    names = list(trials["session"].unique())
    sessions = pd.DataFrame(
        {"session": names, "participant": names, "status": ["complete", "open", "aborted"], "simulated": False}
    )
    assert waiting_text(recruitment(trials, 6, sessions)) == "interim: no verdict (1 of 6 people)"
    second = trials["participant"] == trials["participant"].unique()[1]
    found = recruitment(trials.assign(simulated=second.to_numpy(bool)), 2)
    assert found is not None
    assert found["n_people"].tolist() == [2]
    assert waiting_text(found) == ""
    assert recruitment(trials.assign(simulated=True), 6) is None, "a rehearsal"


def test_only_verdicts_and_their_intervals_wait() -> None:
    trials, plan = first(3), AnalysisSettings(margin=0.05)
    plain, interim = (comparisons(trials, plan=plan, recruited=recruitment(trials, wanted)) for wanted in (3, 6))
    numbers = [name for name in plain if name not in ("verdict", "simultaneous_low", "simultaneous_high")]
    pd.testing.assert_frame_equal(interim[numbers], plain[numbers])
    assert set(interim["verdict"]) == {"interim"}
    assert interim["simultaneous_low"].isna().all()
    assert plain.set_index("comparison").loc["told apart", "verdict"] == "different"


def test_every_table_says_that_it_is_interim() -> None:
    trials = from_counts(4, 4, 4, 4)
    frames = analyze(trials, recruited=recruitment(trials, 6))
    assert frames["recruitment"]["n_wanted"].tolist() == [6]
    heads, rows = printed(results_of(frames["paper"]))
    assert {row[heads.index("Verdict")] for row in rows} == {"interim: no verdict"}
    assert "Interim: no verdict" in latex(frames["paper"])
