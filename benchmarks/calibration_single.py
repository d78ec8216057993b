"""Simulated studies of single pictures that are called real or fake."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from calibration_numbers import Design, Number, difference, named, numbers_of_items, prepared, share
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from gan_eval.judgements.trials import TypedTrials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.tables.comparisons import compare


@dataclass(frozen=True)
class SingleWorld:
    """Assumptions about people and pictures; standard deviations (SD) are of log-odds of the answer `fake`."""

    people: int = 20
    fakes: int = 20
    reals: int = 20
    each: int | None = None
    """Number of pictures of either kind that a person judges; None: all."""
    poll: bool = False
    """Each person judges one picture."""
    skill: float = 0.0
    """Log-odds of calling a fake fake less those of calling a real picture fake."""
    leaning: float = 0.0
    """Log-odds of the answer `fake`."""
    sd_leaning: float = 0.5
    sd_skill: float = 0.5
    sd_picture: float = 0.8
    sd_item: float = 0.0
    """SD of an item's difficulty in both versions, the real and the generated one."""
    times: int = 1
    """Number of times that a person judges each picture."""
    sd_person_picture: float = 0.0
    sessions: int = 1
    """All pictures are judged in each session."""
    sd_session: float = 0.0
    """SD of a person's skill between sessions."""
    kind_by_session: bool = False
    """One session has the fakes, another the real pictures; a person's leaning differs between them by `sd_session`."""
    datasets: int = 1
    sd_dataset: float = 0.0
    """SD of a person's skill between data sets."""
    always_real: float = 0.0
    """Share of people who always say real."""
    learning: float = 0.0
    """Skill gained from the first to the last trial."""
    drift: float = 0.0
    """SD of the change of a person's leaning from the first to the last trial."""
    unsure: float = 0.0
    """Half of the width, in log-odds, of the range in which the answer is `not sure`."""


def answers(world: SingleWorld, random: np.random.Generator) -> TypedTrials:
    """Return the trials of new people who judge new pictures; real picture n is the partner of fake n."""
    places = [_dealt(world, random) for _ in range(world.people)]
    person = np.repeat(np.arange(world.people), [len(of_person) for of_person in places])
    picture, dataset, session = np.concatenate(places).T
    is_fake = picture < world.fakes
    item = np.where(is_fake, picture, picture - world.fakes)
    time = np.concatenate([(random.permutation(len(of)) + 0.5) / len(of) - 0.5 for of in places])

    def normal(spread: float, *size: int) -> np.ndarray:
        return spread * random.standard_normal(size) if spread else np.zeros(size)

    people, total = world.people, world.fakes + world.reals
    skill = world.skill + normal(world.sd_skill, people)[person] + world.learning * time
    skill += normal(world.sd_dataset, people, world.datasets)[person, dataset]
    skill += 2 * normal(world.sd_item, world.datasets, max(world.fakes, world.reals))[dataset, item]
    leaning = world.leaning + normal(world.sd_leaning, people)[person] + normal(world.drift, people)[person] * time
    of_session = normal(world.sd_session, people, world.sessions)[person, session]
    skill, leaning = (skill, leaning + of_session) if world.kind_by_session else (skill + of_session, leaning)
    eta = leaning + (is_fake - 0.5) * skill + normal(world.sd_picture, world.datasets, total)[dataset, picture]
    eta += normal(world.sd_person_picture, people, world.datasets, total)[person, dataset, picture]
    latent = eta + random.logistic(size=len(eta))
    latent[(random.random(people) < world.always_real)[person]] = -np.inf
    response = np.select([latent > world.unsure, latent < -world.unsure], ["fake", "real"], "none")
    kind = np.where(is_fake, "fake", "real")
    return prepared(
        {
            "participant": [f"P{number}" for number in person],
            "session": [f"P{number}/{sitting}" for number, sitting in zip(person, session, strict=True)],
            "stimulus": named(dataset, kind, item),
            "item": named(dataset, item),
            "dataset": [f"d{number}" for number in dataset],
            "kind": kind,
            "model": np.array([None, "m"])[is_fake.astype(int)],
            "response": response,
        }
    )


def _dealt(world: SingleWorld, random: np.random.Generator) -> np.ndarray:
    """Return (n, 3) the picture, data set and session of a person's trials; fakes are numbered before real pictures."""
    total = world.fakes + world.reals
    if world.poll:
        return np.array([[random.integers(total), 0, 0]])
    kinds = [np.arange(world.fakes), np.arange(world.fakes, total)]
    if world.each is not None:
        kinds = [random.choice(kind, world.each, replace=False) for kind in kinds]
    if world.kind_by_session:
        return np.array([[picture, 0, session] for session, kind in enumerate(kinds) for picture in kind])
    pictures = np.repeat(np.concatenate(kinds), world.times)
    return np.array([[p, d, s] for s in range(world.sessions) for d in range(world.datasets) for p in pictures])


def true_shares(world: SingleWorld) -> tuple[float, float]:
    """Return the shares of the answer `fake` to fakes and to real pictures over all people, pictures and trials."""
    times = np.linspace(-0.5, 0.5, 201) if world.learning or world.drift else np.zeros(1)
    spreads = [world.sd_leaning, world.sd_skill / 2, world.sd_picture, world.sd_item, world.sd_person_picture]
    spreads += [world.sd_session if world.kind_by_session else world.sd_session / 2, world.sd_dataset / 2]
    shares = []
    for side in (0.5, -0.5):
        yes, no = 0.0, 0.0
        for time in times:
            eta = world.leaning + side * (world.skill + world.learning * time)
            of_time = (*spreads, world.drift * time)
            yes += (1 - world.always_real) * float(share(eta - world.unsure, *of_time)) / len(times)
            no += (1 - world.always_real) * float(share(-eta - world.unsure, *of_time)) / len(times)
        shares.append(yes / (yes + no + world.always_real))
    return shares[0], shares[1]


def detection(
    trials: TypedTrials,
    shares: tuple[float, float],
    *,
    margin: float | None = None,
    bias: bool = False,
) -> list[Number]:
    """Return the numbers of the row `all` of the table to cite, from the row of `comparisons` that has them.

    Args:
        shares: the truth: shares of the answer `fake` to fakes and to real pictures.
        margin: of accuracy, where the truth is this far from 1/2.
        bias: also the difference of correct answers to real pictures and to fakes.
    """
    result = compare(trials, plan=AnalysisSettings(margin=margin), only_overall=not bias)
    found = result.detections[0].numbers
    fake, real = shares
    is_null = abs(fake - real) < 1e-9
    numbers = [
        Number("fooling rate", 1 - fake, *found.fooling_rate),
        Number("real called real", 1 - real, *found.real_called_real),
        Number(
            "accuracy",
            (1 + fake - real) / 2,
            *found.accuracy,
            p=found.p if is_null else np.nan,
            p_equivalent=np.nan if margin is None else found.p_equivalent,
        ),
        Number("d′", float(ndtri(fake) - ndtri(real)), *found.dprime),
    ]
    if bias:
        row = result.table[(result.table["question"] == "bias").to_numpy(bool)].iloc[0].to_dict()
        truth = 1 - fake - real
        numbers.append(difference(row, "real vs fake", 0.0 if abs(truth) < 1e-9 else truth))
    return numbers


def single_study(world: SingleWorld, random: np.random.Generator, **options: float | bool | None) -> list[Number]:
    """Return the numbers of the row `all` of a new study."""
    return detection(answers(world, random), true_shares(world), **options)  # type: ignore[arg-type]


def datasets_study(world: SingleWorld, random: np.random.Generator) -> list[Number]:
    """Return the accuracy of the row `all` and of each data set's row."""
    fake, real = true_shares(world)
    result = compare(answers(world, random), plan=AnalysisSettings())
    rows = {tuple(row.dataset for row in one.question.rows): one.numbers for one in result.detections}
    is_null = abs(fake - real) < 1e-9
    return [
        Number(
            f"accuracy on {datasets[0]}" if len(datasets) == 1 else "accuracy of all",
            (1 + fake - real) / 2,
            *found.accuracy,
            p=found.p if is_null else np.nan,
        )
        for datasets, found in rows.items()
    ]


@dataclass(frozen=True)
class DropOutWorld:
    """People who know more judge more pictures."""

    people: int = 24
    pictures: int = 20
    """Pictures of either kind."""
    least: int = 6
    most: int = 40
    skill: float = 0.9
    sd_skill: float = 1.5
    sd_leaning: float = 0.5
    sd_picture: float = 0.8


def drop_out(world: DropOutWorld, random: np.random.Generator) -> list[Number]:
    """Return the numbers of the row `all` where the number of a person's answers follows the skill."""
    z = random.standard_normal(world.people)
    number = numbers_of_items(z, world.least, world.most)
    leaning = world.sd_leaning * random.standard_normal(world.people)
    effect = world.sd_picture * random.standard_normal(2 * world.pictures)
    person = np.repeat(np.arange(world.people), number)
    picture = np.concatenate([random.permutation(2 * world.pictures)[:n] for n in number])
    is_fake = picture < world.pictures
    eta = leaning[person] + (is_fake - 0.5) * (world.skill + world.sd_skill * z[person]) + effect[picture]
    kind, item = np.where(is_fake, "fake", "real"), picture % world.pictures
    trials = prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named(kind, item),
            "item": named("item", item),
            "kind": kind,
            "model": np.array([None, "m"])[is_fake.astype(int)],
            "response": np.where(random.random(len(eta)) < expit(eta), "fake", "real"),
        }
    )
    spreads = (world.sd_leaning, world.sd_skill / 2, world.sd_picture)
    fake, real = (float(share(side * world.skill, *spreads)) for side in (0.5, -0.5))
    return detection(trials, (fake, real))


@dataclass(frozen=True)
class PromptsWorld:
    """Models whose pictures of one prompt are alike; real pictures belong to no prompt."""

    models: int = 3
    prompts: int = 25
    people: int = 20
    every_version: bool = False
    """People judge a prompt from every model; else from one."""
    sd_generated: float = 1.0
    of_prompt: float = 0.8
    """Share of the variance of generated pictures that is the prompt's."""
    sd_real: float = 0.8
    sd_leaning: float = 0.5
    sd_skill: float = 0.5
    skill: float = 0.0


def prompts_study(world: PromptsWorld, random: np.random.Generator) -> list[Number]:
    """Return the numbers of the row `all` of several models on the same prompts."""
    people, prompts, models = np.arange(world.people), np.arange(world.prompts), np.arange(world.models)
    if world.every_version:
        person, prompt, model = (index.ravel() for index in np.meshgrid(people, prompts, models, indexing="ij"))
    else:
        person, prompt = (index.ravel() for index in np.meshgrid(people, prompts, indexing="ij"))
        model = (person + prompt) % world.models
    real_person, real = (index.ravel() for index in np.meshgrid(people, prompts, indexing="ij"))
    leaning = world.sd_leaning * random.standard_normal(world.people)
    skill = world.skill + world.sd_skill * random.standard_normal(world.people)
    of_prompt = np.sqrt(world.of_prompt) * random.standard_normal(world.prompts)
    own = np.sqrt(1 - world.of_prompt) * random.standard_normal((world.models, world.prompts))
    of_real = world.sd_real * random.standard_normal(world.prompts)
    fakes = leaning[person] + skill[person] / 2 + world.sd_generated * (of_prompt[prompt] + own[model, prompt])
    reals = leaning[real_person] - skill[real_person] / 2 + of_real[real]
    eta = np.concatenate([fakes, reals])
    kind = ["fake"] * len(fakes) + ["real"] * len(reals)
    trials = prepared(
        {
            "participant": [f"P{number}" for number in (*person, *real_person)],
            "stimulus": [*named("m", model, prompt), *named("real", real)],
            "item": [*named("prompt", prompt), *named("real", real)],
            "kind": kind,
            "model": [*(f"m{number}" for number in model), *[None] * len(reals)],
            "response": np.where(random.random(len(eta)) < expit(eta), "fake", "real"),
        }
    )
    spreads = (world.sd_leaning, world.sd_skill / 2)
    fake = float(share(world.skill / 2, *spreads, world.sd_generated))
    return detection(trials, (fake, float(share(-world.skill / 2, *spreads, world.sd_real))))


def _at_accuracy(world: SingleWorld, accuracy: float) -> SingleWorld:
    """Return the world with the skill that gives this true accuracy."""

    def missing(skill: float) -> float:
        fake, real = true_shares(replace(world, skill=skill))
        return (1 + fake - real) / 2 - accuracy

    return replace(world, skill=float(brentq(missing, 0.0, 6.0, xtol=1e-12)))


MARGIN = 0.1
PARTNERS = {
    "partners strong": SingleWorld(people=40, fakes=12, reals=12, sd_item=1.0, sd_picture=0.3),
    "partners half": SingleWorld(people=30, sd_item=0.8, sd_picture=0.8),
    "partners none": SingleWorld(people=30),
    "partners strong, 24 of 100 items a person": SingleWorld(
        people=30, fakes=100, reals=100, each=24, sd_item=1.0, sd_picture=0.3
    ),
}
AT_MARGIN = _at_accuracy(SingleWorld(people=40, fakes=30, reals=30, sd_item=1.0, sd_picture=0.3), 0.5 + MARGIN)
WORLDS = {
    "6 pictures of each kind, 20 people": SingleWorld(fakes=6, reals=6),
    "100 people x 6 pictures of each kind": SingleWorld(people=100, fakes=6, reals=6),
    "poll, 200 people, 10 + 10 pictures": SingleWorld(people=200, fakes=10, reals=10, poll=True),
    "poll, 60 people, 6 + 6 pictures": SingleWorld(people=60, fakes=6, reals=6, poll=True),
    "not sure as a third answer, skill 1.5": SingleWorld(skill=1.5, unsure=0.5),
    "20% real": SingleWorld(fakes=40, reals=10),
    "80% real, leaning": SingleWorld(fakes=10, reals=40, leaning=-1.0),
    "learning": SingleWorld(learning=1.5, sd_skill=1.0),
    "drift, people differ": SingleWorld(drift=1.5),
    "one in five people always says real": SingleWorld(people=30, always_real=0.2),
    "each picture 4 times": SingleWorld(fakes=10, reals=10, times=4, sd_person_picture=1.5),
    "each picture 3 times": SingleWorld(fakes=12, reals=12, times=3, sd_person_picture=1.0),
    "two sessions of the same pictures": SingleWorld(fakes=15, reals=15, sessions=2, sd_session=0.8),
    "one kind in each session": SingleWorld(sessions=2, sd_session=0.8, kind_by_session=True),
}
DATASETS = SingleWorld(fakes=15, reals=15, datasets=2, sd_dataset=0.8)
DROP_OUT = {"skills differ (SD 1.5)": DropOutWorld(), "skills differ (SD 0.8)": DropOutWorld(sd_skill=0.8)}
PROMPTS = {
    "prompts of 3 models, one version a person": PromptsWorld(),
    "prompts of 6 models, one version a person": PromptsWorld(models=6),
    "12 prompts of 3 models, every version": PromptsWorld(prompts=12, every_version=True),
}
DESIGNS = [
    *(Design(name, partial(single_study, world, bias=True)) for name, world in PARTNERS.items()),
    Design("partners at the margin of 10 points", partial(single_study, AT_MARGIN, margin=MARGIN)),
    *(Design(name, partial(prompts_study, world)) for name, world in PROMPTS.items()),
    *(Design(f"drop-out, {name}", partial(drop_out, world)) for name, world in DROP_OUT.items()),
    *(Design(name, partial(single_study, world)) for name, world in WORLDS.items()),
    Design("two data sets", partial(datasets_study, DATASETS)),
]
