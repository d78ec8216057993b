"""Who took part, how, and who is left out by a preset rule."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from gan_eval.stats.rules import parse_rule
from gan_eval.stats.shares import share
from gan_eval.stats.trials import possible_times
from gan_eval.tables import PARTICIPATION
from gan_eval.tabular import conform

WHERE = "participation"
PLANNED = "analysis.exclude_participants"
"""What an error names where the rule is the plan's."""


def participation(
    trials: pd.DataFrame,
    *,
    sessions: pd.DataFrame | None = None,
    rules: Sequence[str] = (),
    planned: Collection[str] = (),
    excluded_trials: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """The table `participation`: one row a participant, in sorted order.

    Args:
        trials: the table `trials`, nothing excluded.
        sessions: the table `sessions`; it tells of sessions without a trial and how each ended.
        rules: such as `catch_accuracy<0.8`, on the columns of this table; a participant who fulfils any is left out.
            An empty cell fulfils no rule.
        planned: those of them that the plan has.
        excluded_trials: for each rule on trials, the trials (N,) bool that it leaves out.

    Raises:
        UserError: a rule is not understood, or names a column that the table does not have.
    """
    measured = _measured(trials, sessions)
    left_out = {rule: parse_rule(rule).holds(measured, where=PLANNED if rule in planned else WHERE) for rule in rules}
    excluded = np.any([np.zeros(len(measured), bool), *left_out.values()], axis=0)
    of_trials = {
        rule: _count(trials, _is_main(trials) & mask, measured["participant"])
        for rule, mask in (excluded_trials or {}).items()
    }
    any_rule = np.any([np.zeros(len(trials), bool), *(excluded_trials or {}).values()], axis=0)
    dropped = _count(trials, _is_main(trials) & any_rule, measured["participant"])
    named = [
        "; ".join(rule for rule, rows in (*left_out.items(), *of_trials.items()) if rows[position])
        for position in range(len(measured))
    ]
    table = measured.assign(
        excluded=excluded,
        n_excluded=np.where(excluded, measured["n_trials"], dropped).astype(int),
        rule=pd.Series(named, index=measured.index, dtype="object").replace("", None),
    )
    return conform(table, PARTICIPATION, where=WHERE)


def _measured(trials: pd.DataFrame, sessions: pd.DataFrame | None) -> pd.DataFrame:
    """All columns but those of exclusion."""
    sittings = trials[["participant", "session", "simulated"]].drop_duplicates(["participant", "session"])
    if sessions is not None:
        sittings = pd.concat([sessions[["participant", "session", "simulated"]], sittings])
        sittings = sittings.drop_duplicates(["participant", "session"])
    who = pd.Series(sorted(sittings["participant"].dropna().unique()), dtype="object")
    answer, right = _answers(trials), is_right(trials)
    given = answer.notna().to_numpy(bool)
    main, catch = _is_main(trials), (trials["phase"] == "catch").to_numpy(bool)
    graded = right.notna().to_numpy(bool)
    correct = right.fillna(False).to_numpy(bool)
    flagged = trials["flags"].fillna("").str.strip().ne("").to_numpy(bool)

    def count(chosen: np.ndarray) -> np.ndarray:
        return _count(trials, chosen, who)

    def per_person(values: pd.Series) -> np.ndarray:
        return who.map(values).to_numpy("float64", na_value=np.nan)

    times = trials["reaction_time_ms"].where(main & given & possible_times(trials))
    commonest = pd.DataFrame({"who": trials["participant"], "answer": answer})[main & given].value_counts()
    mixed = sittings.groupby("participant")["simulated"].nunique()
    n_catch = count(catch & given)
    fractions = trials.groupby("participant")["fraction"].agg(["min", "max"]).reindex(who).reset_index(drop=True)
    return pd.DataFrame(
        {
            "participant": who,
            "sessions": who.map(sittings.groupby("participant").size()),
            "status": who.map(_last_status(sessions)),
            "n_trials": count(main),
            "n_answered": count(main & given),
            "n_catch": n_catch,
            "catch_accuracy": share(count(catch & given & graded & correct), count(catch & given & graded)),
            "accuracy": share(count(main & given & graded & correct), count(main & given & graded)),
            "same_answer_share": share(per_person(commonest.groupby("who").max()), count(main & given)),
            "median_reaction_time_ms": per_person(times.groupby(trials["participant"]).median()),
            "flagged_share": share(count(main & flagged), count(main)),
            "fraction": np.where(fractions["min"] == fractions["max"], fractions["min"], np.nan),
            "simulated": who.map(sittings.groupby("participant")["simulated"].any()),
            "note": who.map(
                lambda name: "a person and a simulated participant of one name" if mixed[name] > 1 else None
            ),
        }
    )


def _count(trials: pd.DataFrame, chosen: np.ndarray, who: pd.Series) -> np.ndarray:
    """How many of the chosen trials each participant has."""
    counts = trials["participant"][np.asarray(chosen, bool)].value_counts()
    return np.asarray(who.map(counts).fillna(0).to_numpy(int))


def _is_main(trials: pd.DataFrame) -> np.ndarray:
    return (trials["phase"] == "main").to_numpy(bool)


def _answers(trials: pd.DataFrame) -> pd.Series:
    """The judgement of any protocol's kind as text; missing where there is none."""
    response, choice = (trials[name].astype("object").where(trials[name] != "none") for name in ("response", "choice"))
    grade = trials["rating"].astype("object").where(trials["rating"].notna())
    return response.where(response.notna(), choice.where(choice.notna(), grade)).map(str, na_action="ignore")


def is_right(trials: pd.DataFrame) -> pd.Series:
    """From kind and answer where both are known, else the column `correct`."""
    judged = trials["kind"].notna() & trials["response"].isin(["real", "fake"])
    agrees = (trials["kind"] == trials["response"]).astype("boolean")
    return agrees.where(judged, trials["correct"])


def _last_status(sessions: pd.DataFrame | None) -> dict[str, str]:
    if sessions is None:
        return {}
    ordered = sessions.sort_values("started_at", na_position="first", kind="stable")
    return dict(zip(ordered["participant"], ordered["status"], strict=True))
