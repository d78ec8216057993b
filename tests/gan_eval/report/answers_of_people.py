"""Folders of answers that are unusual: pairs, grades, staircases, unfinished sessions, browsers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from synthetic_tables import folder_of

from gan_eval.judgements.trials import fill_trials
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.first_page import metrics_sentence
from gan_eval.stats.exclusions import Rules, apply_rules
from gan_eval.stats.tables.rates import rates
from gan_eval.tables import CHECKS, SESSIONS, STIMULI
from gan_eval.tables.frames import frame_of


def pairs(protocol: str, model: str, answers: Sequence[str], **cells: object) -> list[dict[str, object]]:
    shared = {"kind": None, "response": None, "dataset": "d", "protocol": protocol, "model": model, "simulated": False}
    return [
        {**shared, "participant": f"P{number % 2}", "stimulus": f"d/{model}/{number}", "choice": answer} | cells
        for number, answer in enumerate(answers)
    ]


def grades() -> list[dict[str, object]]:
    shared = {"response": None, "dataset": "d", "protocol": "rating", "simulated": True}
    return [
        {**shared, "participant": person, "kind": kind, "stimulus": f"d/{kind}/{number}", "rating": grade}
        | {"model": "gan" if kind == "fake" else None}
        for person, extra in (("P1", 0), ("P2", 1))
        for kind, given in (("real", [3, 4]), ("fake", [1, 2]))
        for number, grade in enumerate(grade + extra for grade in given)
    ]


def judged(
    kinds: Sequence[str], pictures: int, response: str | None = None, **cells: object
) -> list[dict[str, object]]:
    """Answers of four people to some pictures of each kind; without a response, half of them correct."""
    other, shared = {"real": "fake", "fake": "real"}, {"dataset": "d", "simulated": False}
    return [
        {"participant": f"P{person}", "stimulus": f"d/{kind}/{number}", "kind": kind, **shared}
        | {"model": "gan" if kind == "fake" else None}
        | {"response": response or (kind if (person + number) % 2 else other[kind])}
        | cells
        for person in range(4)
        for kind in kinds
        for number in range(pictures)
    ]


def stairs() -> list[dict[str, object]]:
    shared = {"dataset": "d", "protocol": "staircase", "block": 1, "simulated": False}
    return [
        {**shared, "participant": person, "stimulus": f"d/{kind}/{number}", "kind": kind}
        | {"model": "gan" if kind == "fake" else None}
        | {"response": kind if number % 4 else ("real" if kind == "fake" else "fake")}
        | {"requested_exposure_ms": 500.0 + extra + (0, 30, 20, 10)[number % 4]}
        for person, extra in (("P1", 0), ("P2", 20))
        for number in range(24)
        for kind in ["real" if number % 4 < 2 else "fake"]
    ]


def held(
    *rows: tuple[str, float | None, float | None, float | None], better: str | None = None, p: float = 0.01
) -> str:
    """Return the text on correlations from (metric, Spearman within models, interval); `better` leads the others."""
    shared = {"level": "stimulus", "dataset": "maps", "measure": "fooling_rate", "n": 40}
    pooled = {"spearman": 0.9, "ci_low": 0.8, "ci_high": 0.95}  # differences between models
    cells = [
        shared
        | pooled
        | {"metric": metric, "within": value, "within_low": low, "within_high": high, "within_p_holm": p}
        for metric, value, low, high in rows
    ]
    others = [metric for metric, *_ in rows if metric != better] if better else []
    leads = [shared | {"metric_a": better, "metric_b": other, "follows_better": better} for other in others]
    return metrics_sentence(folder_of(correlations=cells, correlation_differences=leads))


STATUS = {"P0": "complete", "P1": "complete", "P2": "complete", "P3": "open", "P4": "complete", "P5": "open"}


def participation(
    *, quick: tuple[str, ...] = ("P0",), rule: bool = False, beyond: Sequence[str] = (), planned: bool = False,
    **cells: object,
) -> StudyFolder:  # fmt: skip
    """Four trials each of five people, of whom P4 answers none, two do not finish, and some are too quick."""
    rows = [
        {"participant": person, "session": person, "stimulus": f"d/{kind}/{place}", "kind": kind, "dataset": "d"}
        | {"response": "none" if person == "P4" else kind if place else "fake"}
        | {"reaction_time_ms": 100.0 if person in quick else 500.0}
        | cells
        for person in STATUS
        if person != "P5"
        for kind in ("real", "fake")
        for place in range(2)
    ]
    trials = fill_trials(pd.DataFrame(rows))
    sat = [
        {"session": person, "participant": person, "protocol": "single", "status": status, "simulated": False}
        for person, status in STATUS.items()
    ]
    sessions = frame_of(sat, SESSIONS)
    rules = Rules(["reaction_time_ms<200"] if rule else [])
    included = apply_rules(trials, sessions, rules, Rules(participants=beyond), planned=planned)
    everything = rates(included.trials).assign(note=included.note or None)
    return folder_of(rates=everything, participation=included.participation, trials=trials, sessions=sessions)


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1"
BROWSERS = ("browser", "browser", "browser")


def browser_folder(*presenters: str) -> StudyFolder:
    """A session of four trials for each presenter, on Chrome and a telephone in turn; one trial has missed frames."""
    rows = [
        {"session": f"P{place}", "participant": f"P{place}", "protocol": "single", "status": "complete"}
        | {"simulated": False, "presenter": presenter, "refresh_hz": (60.0, 120.0)[place % 2]}
        | {"platform": (CHROME, IPHONE)[place % 2] if presenter == "browser" else "Linux-6.1"}
        for place, presenter in enumerate(presenters)
    ]
    shown = participation().tables["trials"]
    shown = shown[shown["session"].isin([row["session"] for row in rows])].assign(missed_frames=0, flags=None)
    shown["missed_frames"] = shown["missed_frames"].where(shown.index != shown.index[0], 2)
    checks = [{"session": "P0", "check": "comprehension", "value": 2.0, "verdict": "failed", "simulated": False}]
    return folder_of(sessions=frame_of(rows, SESSIONS), trials=shown, checks=frame_of(checks, CHECKS))


def study_of_two_levels() -> StudyFolder:
    """A study with a pool of 8 and 8 pictures, of which 12 were shown, in 24 trials."""
    number, levels = np.arange(24), np.resize([100.0, 500.0], 24)
    kind = np.where(number % 2, "fake", "real")
    columns = {
        "participant": np.where(number < 12, "P1", "P2"),
        "stimulus": [f"d/{'m' if k == 'fake' else 'real'}/{n // 2 % 6}" for n, k in enumerate(kind)],
        "kind": kind,
        "model": np.where(kind == "fake", "m", None),
        "dataset": "d",
        "response": np.where(number == 5, "none", np.where(number % 3, "real", "fake")),
        "requested_exposure_ms": levels,
        "exposure_ms": levels + 2.0,
    }
    trials = fill_trials(pd.DataFrame(columns))
    rows = [
        {"stimulus": f"d/{'m' if k == 'fake' else 'real'}/{n}", "item": f"d/{n}", "kind": k, "dataset": "d"}
        | {"model": "m" if k == "fake" else None, "file": f"{k}/{n}.png", "split": "test"}
        for k in ("real", "fake")
        for n in range(8)
    ]
    return replace(folder_of(rates=rates(trials), trials=trials), stimuli={"d-m": frame_of(rows, STIMULI)})
