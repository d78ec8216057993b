"""The power that `./run power` predicts, and that of studies simulated trial by trial.

The second simulation shares nothing with the first but the assumptions: people come one after the other, each is dealt
pictures of different items by lot, leaves where he leaves, and what he answered goes through `trials` to `comparisons`.
"""

from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.compare.comparisons import comparisons
from gan_eval.stats.power.design import deal_design, planned_stimuli
from gan_eval.stats.power.planning import make_world
from gan_eval.stats.power.simulate import World, one_study
from gan_eval.stats.trials import fill_trials

PEOPLE, TRIALS, ITEMS, GRADES = 24, 24, 60, 5
UNANSWERED, DROPOUT, EXCLUDED = 0.05, 0.15, 0.1
ASKED = {
    "choices": ("yes_no", {"false_alarm_rate": 0.25, "fooling_rate": 0.52}, ("told apart", "called_fake")),
    "pairs": ("paired", {"choice_rate": 0.69}, ("told apart in pairs", "chosen")),
    "grades": ("rating", {"false_alarm_rate": 0.25, "fooling_rate": 0.54}, ("grades on d", "higher_grade")),
}
"""Protocol, rates, and the row of `comparisons`."""


def power_told_and_found(column: int, random: np.random.Generator) -> list[float]:
    """Return whether a study of `./run power` finds the difference, and whether a simulated one does."""
    name = list(ASKED)[column]
    _, _, row = ASKED[name]
    told = one_study(_world(name), (PEOPLE, int(random.integers(2**31))))[0]
    table = comparisons(fill_trials(_played(name, random))).set_index(["comparison", "measure"])
    return [float(told.positive), float(table["p_holm"].astype("float64").get(row, np.nan) < 0.05)]


@cache
def _world(name: str) -> World:
    protocol, rates, _ = ASKED[name]
    counts = {"pairs": TRIALS, "real": TRIALS // 2, "fake": TRIALS // 2}
    quiz = QuizSettings.model_validate({"protocol": protocol, **counts})
    design = deal_design(planned_stimuli([("d", "m")], ITEMS), quiz, seed=0, participants=PEOPLE)
    lost = {"unanswered": UNANSWERED, "dropout": DROPOUT, "excluded": EXCLUDED}
    return make_world(design, PowerSettings.model_validate({**rates, **lost}), AnalysisSettings())


def _played(name: str, random: np.random.Generator) -> pd.DataFrame:
    """The trials of those who are not left out, until they leave."""
    protocol, rates, _ = ASKED[name]
    assumed = PowerSettings.model_validate(rates)
    pictures = {kind: random.normal(0, assumed.sd_stimulus, ITEMS) for kind in ("real", "fake", "pair")}
    rows = []
    for person in range(PEOPLE):
        leaning, skill = random.normal(0, assumed.sd_participant), random.normal(0, assumed.sd_slope)
        kinds = random.permutation(["real", "fake"] * (TRIALS // 2)) if name != "pairs" else ["pair"] * TRIALS
        items = random.choice(ITEMS, TRIALS, replace=False)
        stays = int(random.integers(TRIALS)) if random.random() < DROPOUT else TRIALS
        if random.random() < EXCLUDED:
            continue
        for kind, item in zip(kinds[:stays], items[:stays], strict=True):
            log_odds = leaning + pictures[kind][item]
            if kind == "pair":
                log_odds += logit(rates["choice_rate"])
            elif kind == "real":
                log_odds += logit(rates["false_alarm_rate"]) - skill / 2
            else:
                log_odds += skill / 2 - logit(rates["fooling_rate"])
            row: dict[str, object] = dict.fromkeys(("response", "choice", "rating"))
            row |= {"participant": f"P{person}", "item": f"I{item}", "stimulus": f"{kind}{item}", "dataset": "d"}
            row |= {"protocol": protocol, "model": "m" if kind != "real" else None}
            row |= {"kind": None if kind == "pair" else kind}
            if random.random() >= UNANSWERED:
                yes = random.random() < expit(log_odds)
                if name == "grades":  # a picture that half of the people call real gets all grades alike
                    latent = random.logistic() - log_odds
                    row["rating"] = 1 + sum(latent > logit(j / GRADES) for j in range(1, GRADES))
                elif name == "pairs":
                    row["choice"] = "a" if yes else "b"
                else:
                    row["response"] = "fake" if yes else "real"
            rows.append(row)
    return pd.DataFrame(rows)
