"""Simulated studies of two models: which one fools more, and which one is preferred."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from calibration_numbers import Design, Number, compared, difference, named, numbers_of_items, prepared, share
from scipy.optimize import brentq
from scipy.special import expit

from gan_eval.judgements.trials import TypedTrials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.paper import paper
from gan_eval.stats.tables.choices import bradley_terry, preference_results
from gan_eval.stats.tables.comparisons import compare

MARGIN = 0.1


@dataclass(frozen=True)
class ModelsWorld:
    """Assumptions about people who judge models' pictures one at a time; SDs are of log-odds of `real`."""

    people: int = 20
    items: int = 20
    models: int = 2
    both: bool = True
    """People judge every version of an item; else each version is judged by a part of the people."""
    poll: bool = False
    """Each person judges one picture."""
    effect: float = 0.0
    """Log-odds of the first model less those of the second."""
    sd_person: float = 0.5
    sd_item: float = 0.6
    sd_person_model: float = 0.0
    """SD of a person's difference of two models."""
    sd_item_model: float = 0.0
    """SD of an item's difference of two models."""
    least: int | None = None
    """People stop after this number of items or more, the earlier the less the first model fools them."""


def model_answers(world: ModelsWorld, random: np.random.Generator) -> TypedTrials:
    """Return the trials of new people who judge new pictures."""
    if world.poll:
        person, item = np.arange(world.people), random.integers(world.items, size=world.people)
        model = random.integers(world.models, size=world.people)
    else:
        size = (world.people, world.items, world.models if world.both else 1)
        person, item, model = (index.ravel() for index in np.indices(size))
        model = model if world.both else (person + item) % world.models

    def views(spread: float, number: int) -> np.ndarray:
        return spread / np.sqrt(2) * random.standard_normal((number, world.models))

    of_person, of_item = views(world.sd_person_model, world.people), views(world.sd_item_model, world.items)
    strength = np.zeros(world.models)
    strength[:2] = world.effect / 2, -world.effect / 2
    eta = strength[model] + of_person[person, model] + of_item[item, model]
    eta += world.sd_person * random.standard_normal(world.people)[person]
    eta += world.sd_item * random.standard_normal(world.items)[item]
    if world.least is not None:
        number = numbers_of_items(of_person[:, 0] - of_person[:, 1], world.least, world.items)
        place = np.array([random.permutation(world.items) for _ in range(world.people)])
        stays = place[person, item] < number[person]
        person, item, model, eta = person[stays], item[stays], model[stays], eta[stays]
    return prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named("m", model, item),
            "item": named("item", item),
            "kind": "fake",
            "model": [f"m{number}" for number in model],
            "response": np.where(random.random(len(eta)) < expit(eta), "real", "fake"),
        }
    )


def models_study(world: ModelsWorld, random: np.random.Generator, *, margin: float | None = None) -> list[Number]:
    """Return the difference of the fooling rates of a new study."""
    row = compared(model_answers(world, random), "models", margin=margin).iloc[0].to_dict()
    return [difference(row, "difference of fooling rates", true_difference(world), margin=margin)]


def together_study(world: ModelsWorld, random: np.random.Generator) -> list[Number]:
    """Return all differences of equal models: held if all simultaneous intervals have 0; the smallest corrected p."""
    rows = compared(model_answers(world, random), "models")
    low, high = float(rows["simultaneous_low"].max()), float(rows["simultaneous_high"].min())
    return [Number("all differences at once", 0.0, 0.0, low, high, p=float(rows["p_holm"].min()))]


def true_difference(world: ModelsWorld) -> float:
    """Return the difference of the fooling rates over all people and items."""
    if not world.effect:
        return 0.0
    spreads = (world.sd_person, world.sd_item, world.sd_person_model / np.sqrt(2), world.sd_item_model / np.sqrt(2))
    return float(share(world.effect / 2, *spreads) - share(-world.effect / 2, *spreads))


@dataclass(frozen=True)
class PairsWorld:
    """Assumptions about people who choose between two pictures; SDs are of log-odds of choosing the first one."""

    people: int = 20
    items: int = 20
    poll: bool = False
    strengths: tuple[float, ...] = (0.0, 0.0)
    """Log-odds of each model; `real` against fake: of the real picture and of the fake."""
    neighbours: bool = False
    """Only models next to each other meet."""
    of_reals: bool = False
    """Pairs are of a real and a generated picture."""
    tie: float = 0.0
    """Half of the width, in log-odds, of the range without a choice."""
    sd_side: float = 0.0
    """SD of a person's leaning to the left picture."""
    side: float = 0.0
    """Mean leaning to the left picture."""
    drift: float = 0.0
    """SD of the change of a person's skill from the first to the last trial."""
    sd_person: float = 0.5
    sd_item: float = 0.8


def pairs_study(world: PairsWorld, random: np.random.Generator, *, margin: float | None = None) -> list[Number]:
    """Return the shares of choices of a new study."""
    meetings = _meetings(world)
    person, item, meeting = (index.ravel() for index in np.indices((world.people, world.items, len(meetings))))
    if world.poll:
        person, item = np.arange(world.people), random.integers(world.items, size=world.people)
        meeting = random.integers(len(meetings), size=world.people)
    first, second = np.array(meetings)[meeting].T
    size, models = len(person), len(world.strengths)
    of_person, of_item = (
        spread * random.standard_normal((number, models)) / np.sqrt(2)
        for spread, number in ((world.sd_person, world.people), (world.sd_item, world.items))
    )
    strength = np.array(world.strengths) + of_person[person] + of_item[item]
    left = random.random(size) < 0.5
    leaning = world.side + world.sd_side * random.standard_normal(world.people)[person]
    time = np.concatenate([(random.permutation(n) + 0.5) / n - 0.5 for n in np.bincount(person)])
    change = world.drift * random.standard_normal(world.people)[person] * time
    each = np.arange(size)
    latent = strength[each, first] - strength[each, second] + np.where(left, leaning, -leaning) + change
    latent += random.logistic(size=size)
    choice = np.select([latent > world.tie, latent < -world.tie], ["a", "b"], "none")
    names = ["real", "m"] if world.of_reals else [f"m{number}" for number in range(models)]
    trials = prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named([names[number] for number in first], item),
            "stimulus_b": named([names[number] for number in second], item),
            "item": named("item", item),
            "kind": None,
            "model": "m" if world.of_reals else [f"{names[a]}|{names[b]}" for a, b in zip(first, second, strict=True)],
            "protocol": "paired" if world.of_reals else "model_vs_model",
            "position": np.where(left, "left", "right"),
            "choice": choice,
        }
    )
    return _of_choices(world, trials, margin)


def _of_choices(world: PairsWorld, trials: TypedTrials, margin: float | None) -> list[Number]:
    truth = true_choices(world)
    result = compare(trials, plan=AnalysisSettings(margin=margin))
    numbers = []
    if len(world.strengths) == 2:
        row = result.table.iloc[0].to_dict()
        name = "share of correct choices" if world.of_reals else "share of choices of a model"
        is_null = abs(truth[0, 1] - 0.5) < 1e-9
        numbers.append(difference(row, name, 0.0 if is_null else truth[0, 1] - 0.5, margin=margin))
    if not world.of_reals:
        table = paper(trials, preference_results(bradley_terry(trials)), result).set_index("model")
        numbers += [
            Number(f"preference of {name}", win, *_cells(table.loc[name]))
            for name, win in zip(sorted(table.index), _win_shares(truth, _meetings(world)), strict=True)
        ]
    return numbers


def _cells(row: pd.Series) -> list[float]:
    return [float(row[name]) for name in ("preference", "preference_low", "preference_high")]


def _meetings(world: PairsWorld) -> list[tuple[int, int]]:
    models = range(len(world.strengths))
    return [(a, b) for a in models for b in models if a < b and (b == a + 1 or not world.neighbours)]


def true_choices(world: PairsWorld) -> np.ndarray:
    """Return (M, M) the share of choices of the first model over the second among choices of all people and items."""
    ability = np.array(world.strengths)
    eta = ability[:, None] - ability
    spreads = (world.sd_person, world.sd_item, world.sd_side)
    times = np.linspace(-0.5, 0.5, 201) if world.drift else np.zeros(1)
    chosen = [
        np.mean([share(sign * (eta + side * world.side) - world.tie, *spreads, world.drift * time)
                 for side in (1, -1) for time in times], axis=0)
        for sign in (1, -1)
    ]  # fmt: skip
    return chosen[0] / (chosen[0] + chosen[1])


def _win_shares(truth: np.ndarray, meetings: list[tuple[int, int]]) -> np.ndarray:
    """Return (M,) logistic strengths, which sum to 0 and fit the true shares of these meetings best.

    Bradley and Terry's iteration, a model's strength = its wins / sum of meetings / (sum of both strengths).
    """
    met = np.zeros_like(truth)
    for a, b in meetings:
        met[a, b] = met[b, a] = 1
    ability = np.ones(len(truth))
    for _ in range(5000):
        ability = (met * truth).sum(axis=1) / (met / (ability[:, None] + ability)).sum(axis=1)
        ability /= np.exp(np.log(ability).mean())
    return expit(np.log(ability))


def _models_at_margin(world: ModelsWorld) -> ModelsWorld:
    effect = brentq(lambda effect: true_difference(replace(world, effect=effect)) - MARGIN, 0.01, 6.0, xtol=1e-12)
    return replace(world, effect=float(effect))


def _pairs_at_margin(world: PairsWorld) -> PairsWorld:
    def missing(strength: float) -> float:
        return float(true_choices(replace(world, strengths=(strength, 0.0)))[0, 1]) - 0.5 - MARGIN

    return replace(world, strengths=(float(brentq(missing, 0.0, 6.0, xtol=1e-12)), 0.0))


MODELS = {
    "two models, one version of each item a person": ModelsWorld(both=False, sd_person_model=0.8, sd_item_model=0.8),
    "3 people x 60 items, people's views SD 1.5": ModelsWorld(people=3, items=60, sd_person_model=1.5),
    "60 people x 10 items, items' differences SD 1.5": ModelsWorld(people=60, items=10, sd_item_model=1.5),
    "60 people x 6 items, items' differences SD 1.5": ModelsWorld(people=60, items=6, sd_item_model=1.5),
    "5 people x 20 items, people's views SD 1.5": ModelsWorld(people=5, sd_person_model=1.5),
    "20 people x 20 items, both SD 1.5": ModelsWorld(sd_person_model=1.5, sd_item_model=1.5),
    "poll of two models, 200 people": ModelsWorld(people=200, poll=True),
}
STOPPING = ModelsWorld(people=24, items=40, both=False, sd_person_model=1.5, least=6)
TOGETHER = ModelsWorld(models=4, items=40, both=False, sd_person_model=0.8, sd_item_model=0.5)
PAIRS = {
    "pairs of two models, ties, side bias": PairsWorld(tie=0.5, sd_side=0.5, side=0.3),
    "poll of pairs of two models, ties, side bias": PairsWorld(people=200, poll=True, tie=0.5, sd_side=0.5, side=0.3),
    "pairs of 4 models, 8 items": PairsWorld(items=8, strengths=(0.6, 0.2, -0.2, -0.6)),
    "pairs of 5 models, only neighbours meet": PairsWorld(
        people=12, strengths=(0.8, 0.4, 0.0, -0.4, -0.8), neighbours=True
    ),
    "real and fake, side bias, people differ": PairsWorld(of_reals=True, side=0.5, sd_side=0.8),
    "real and fake, drift, people differ": PairsWorld(of_reals=True, drift=1.5),
}
DESIGNS = [
    *(Design(name, partial(models_study, world)) for name, world in MODELS.items()),
    Design(
        "two models at the margin of 10 points",
        partial(models_study, _models_at_margin(ModelsWorld(people=30, items=30, sd_person_model=0.5)), margin=MARGIN),
    ),
    Design("drop-out, two models, people's views SD 1.5", partial(models_study, STOPPING)),
    Design("4 equal models, simultaneous intervals", partial(together_study, TOGETHER)),
    *(Design(name, partial(pairs_study, world)) for name, world in PAIRS.items()),
    Design(
        "pairs at the margin of 10 points",
        partial(pairs_study, _pairs_at_margin(PairsWorld(people=30, items=30)), margin=MARGIN),
    ),
]
