"""One simulated study: assumptions about people and pictures, their answers, and the verdict of the analysis.

A single picture is called fake with log-odds

    base[group] + bias + kind * skill + view of the model + effect of the item + its own effect

where kind is +½ for fakes and -½ for reals, and views are differences from their mean over the data set's models. For a
pair, the log-odds are those of choosing picture a (the real one, or the first model's). Participants differ in them by
their bias and by the difference of their views over √2. docs/power_model.md explains the model.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.base.errors import UserError
from gan_eval.base.inference import holm
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.stats.estimate.contrast import population_proportions
from gan_eval.stats.estimate.detection_rates import RatesOfTable
from gan_eval.stats.estimate.differences import Difference
from gan_eval.stats.estimate.grades import HIGHER, MEAN, superiority
from gan_eval.stats.mixed.fit import too_many
from gan_eval.stats.power.design import Asked, PlannedQuestion, Scenario, SimulatedGroup, StudyDesign
from gan_eval.stats.questions import (
    TOLD_APART,
    Comparison,
    grade_questions,
    kind_questions,
    model_questions,
    pair_questions,
)
from gan_eval.stats.recruitment import ALPHA
from gan_eval.stats.tables.comparisons import estimate_of
from gan_eval.tables.names import BETWEEN_MODELS

MAX_PAIRS = 6
"""Maximum number of pairs of models to compare, and of models to test one by one."""


@dataclass(frozen=True)
class Truth:
    """True values in a simulation."""

    base: np.ndarray
    """(G,) log-odds of the typical participant's answers to the typical picture of each group."""
    people: np.ndarray
    """(G, E) weights of a participant's E standard normal effects on the log-odds of each group."""
    sd_stimulus: float
    sd_item: float

    def sd(self) -> np.ndarray:
        """Return the standard deviation (G,) of the log-odds, over people and pictures."""
        return np.asarray(np.sqrt((self.people**2).sum(axis=1) + self.sd_stimulus**2 + self.sd_item**2))

    def shares(self) -> np.ndarray:
        """Return the share of answers (G,) in each group, over all people and all pictures."""
        return population_proportions(self.base, self.sd()).share

    def below(self, grades: int) -> np.ndarray:
        """Return the share of grades 1..j (G, J-1) in each group, over all people and all pictures."""
        eta = grade_thresholds(grades) + self.base[:, None]
        share = population_proportions(eta.ravel(), np.repeat(self.sd(), grades - 1)).share
        return np.asarray(share.reshape(eta.shape))


def grade_thresholds(grades: int) -> np.ndarray:
    """Return the log-odds (J-1,) of grades 1..j for a picture that half of the people call real."""
    steps = np.arange(1, grades) / grades
    return np.asarray(logit(steps))


def truth_of(groups: Sequence[SimulatedGroup], settings: PowerSettings, scenario: Scenario = "assumed") -> Truth:
    """Return the truth of a design's groups in a scenario; equal models have the mean of the assumed log-odds."""
    is_pair, is_fake = groups[0].is_pair, np.array([not group.is_real for group in groups])
    base = np.array([_log_odds(group, settings) for group in groups])
    if scenario == "guessing":
        base[:] = 0.0 if is_pair else logit(settings.false_alarm_rate)
    elif scenario == "equal_models":
        base[is_fake] = 0.0 if is_pair else base[is_fake].mean()
    views = _views(groups)
    if is_pair:
        sd_bias = 0.0 if BETWEEN_MODELS in groups[0].role else settings.sd_participant
        people = np.column_stack([np.full(len(groups), sd_bias), settings.sd_model / np.sqrt(2) * views])
        return Truth(base, people, settings.sd_stimulus, 0.0)  # a pair is of one item
    others = [np.full(len(groups), settings.sd_participant), settings.sd_slope * (is_fake - 0.5)]
    people = np.column_stack([*others, settings.sd_model * views])
    return Truth(base, people, settings.sd_stimulus, settings.sd_item)


def _views(groups: Sequence[SimulatedGroup]) -> np.ndarray:
    """Return (G, M) the weight of each model in a person's view of each group, less the mean of its data set."""
    versions = [(group.dataset, name) for group in groups for name in filter(None, group.role.split(BETWEEN_MODELS))]
    models = {version: index for index, version in enumerate(dict.fromkeys(versions))}
    views = np.zeros((len(groups), len(models)))
    for view, group in zip(views, groups, strict=True):
        members = [index for (dataset, _), index in models.items() if dataset == group.dataset]
        if not group.is_real:
            for name, sign in zip(group.role.split(BETWEEN_MODELS), (1.0, -1.0), strict=False):
                view[models[group.dataset, name]] = sign
            view[members] -= view.sum() / len(members)
    return views


def questions_of(design: StudyDesign, analysis: AnalysisSettings, *, where: str = "study") -> list[PlannedQuestion]:
    """Return the questions of a study: rows of `comparisons` that its trials have.

    Single pictures: `told apart`, at most `MAX_PAIRS` models one by one, and `MODEL against MODEL` for the planned
    pairs. Without planned pairs, all pairs of each data set are compared if there are at most `MAX_PAIRS`. Grades: the
    same by data set, in both measures. Pairs of pictures: the share of choices over all, by data set and by model. With
    a margin, there is a question on equivalence for each of these.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    groups, is_pair = design.groups, design.groups[0].is_pair
    fakes = [group for group in groups if not group.is_real]
    pairs = [{one.role, other.role} for one, other in combinations(fakes, 2) if one.dataset == other.dataset]
    if not is_pair:
        _require_pairs(analysis, fakes, pairs, where)
    too_many_pairs = analysis.comparisons is None and len(pairs) > MAX_PAIRS
    _, first = np.unique(design.stimulus_group, return_index=True)  # one answer to a picture of each group
    of_groups = replace(design, participant=np.zeros(len(first), int), stimulus=first)
    questions = [
        _planned(asked, design)
        for asked in compared(of_groups, np.zeros(len(first), int), analysis)
        if _is_planned(asked, is_pair=is_pair, n_fakes=len(fakes), too_many_pairs=too_many_pairs)
    ]
    questions.sort(key=lambda question: (question.measure, question.of_models) if design.grades else ())
    return questions if analysis.margin is None else [*questions, *map(_equivalence, questions)]


def _require_pairs(
    analysis: AnalysisSettings, fakes: Sequence[SimulatedGroup], pairs: Sequence[Collection[str]], where: str
) -> None:
    """Refuse a plan that compares models without pictures of one data set."""
    for names in analysis.comparisons or ():
        if set(names) not in pairs:
            raise UserError(
                f"{where}: analysis.comparisons: {names[0]} and {names[1]} have no pictures of one data set; "
                f"there are {', '.join(sorted({group.role for group in fakes}))}"
            )


def _equivalence(question: PlannedQuestion) -> PlannedQuestion:
    """Return the question whether a difference is within the margin."""
    scenario: Scenario = "equal_models" if question.of_models else "guessing"
    return replace(question, name=f"equivalence: {question.name}", scenario=scenario, equivalence=True)


def _planned(asked: Comparison, design: StudyDesign) -> PlannedQuestion:
    """Return the question of a row of `comparisons` that has one answer to a picture of each group."""
    members = design.stimulus_group[asked.trials["stimulus"].to_numpy()].tolist()
    groups = [design.groups[index] for index in members]
    sides = [tuple(index for index in members if design.groups[index].is_real == is_real) for is_real in (False, True)]
    if asked.of_models and not groups[0].is_pair:
        sides = [(index,) for index in members]
    name = _name_of(asked, groups, graded=design.grades > 0)
    if len({group.dataset for group in design.groups}) > 1 and not asked.is_overall:
        name += f" on {groups[0].dataset}"
    name += f": {asked.measure}" * (design.grades > 0)
    a, b = sides
    return PlannedQuestion(name, asked.family, _asked(asked), a, b, asked.of_models)


def _name_of(asked: Comparison, groups: Sequence[SimulatedGroup], *, graded: bool) -> str:
    """Return what a row of `comparisons` asks about these groups."""
    if asked.of_models:
        return " against ".join(role for group in groups for role in group.role.split(BETWEEN_MODELS))
    if graded:
        return "fakes against reals"
    return TOLD_APART if asked.model is None else f"{asked.model} {TOLD_APART}"


def _is_planned(asked: Comparison, *, is_pair: bool, n_fakes: int, too_many_pairs: bool) -> bool:
    """Return whether a row of `comparisons` is a question of the simulated study."""
    if asked.of_models:
        return is_pair or (asked.planned and not too_many_pairs)
    if asked.question == "detection":
        is_of_dataset = not is_pair and asked.dataset is not None and asked.model is None
        return not is_of_dataset and (asked.is_overall or 1 < n_fakes <= MAX_PAIRS)
    return asked.question != "bias"


def compared(design: StudyDesign, answers: np.ndarray, analysis: AnalysisSettings) -> Iterator[Comparison]:
    """Yield the questions that the analysis asks of answers (N,)."""
    trials = trials_of(design, answers)
    if design.grades:
        return grade_questions(trials, analysis, design.grades)
    if design.groups[0].is_pair:
        return pair_questions(trials, analysis)
    return chain(kind_questions(trials, analysis), model_questions(trials, analysis))


def _asked(asked: Comparison) -> Asked:
    return asked.comparison, frozenset((asked.a, asked.b)), asked.measure


def effect_of(question: PlannedQuestion, design: StudyDesign, truth: Truth) -> float:
    """Compute the true difference of shares or grades over all people and pictures.

    For shares, each row (a model on a data set) has the same weight; for grades, the weights are the numbers of trials.
    """
    if question.measure in (HIGHER, MEAN):
        trials = np.bincount(design.group, minlength=len(design.groups))
        below = truth.below(design.grades)
        sides = [np.average(below[[*side]], axis=0, weights=trials[[*side]]) for side in (question.a, question.b)]
        if question.measure == MEAN:
            return float((sides[1] - sides[0]).sum())
        return superiority(*(np.diff(side, prepend=0.0, append=1.0) for side in sides))
    shares = truth.shares()
    if not question.b:
        return float(shares[list(question.a)].mean() - 0.5)
    if question.of_models:
        return float(shares[list(question.b)].mean() - shares[list(question.a)].mean())  # of pictures called real
    reals = {design.groups[at].dataset: shares[at] for at in question.b}
    rows = [shares[at] - reals[design.groups[at].dataset] for at in question.a if design.groups[at].dataset in reals]
    return float(np.mean(rows))


@dataclass(frozen=True)
class World:
    """Design, truths and questions of all simulated studies."""

    design: StudyDesign
    truths: Mapping[Scenario, Truth]
    questions: tuple[PlannedQuestion, ...]
    analysis: AnalysisSettings
    assumed: PowerSettings


class Verdict(NamedTuple):
    """Result of one simulated study for one question."""

    positive: bool
    """Different; for a question on equivalence, equivalent."""
    width: float
    """Width of the difference's 95% interval; NaN without an estimate."""


def one_study(world: World, task: tuple[int, ...]) -> list[Verdict]:
    """Return the verdicts of one simulated study, which depend on the world and the task only.

    All questions of one scenario use the same answers; other scenarios have independent answers.

    Args:
        task: number of people invited, number of the simulated study, and the indices of the questions, which include
            all that are corrected together; without indices: all questions.
    """
    participants, number, *asked = task
    design = world.design.first(participants)
    questions = [world.questions[index] for index in asked or range(len(world.questions))]
    tests: dict[str, Difference] = {}
    for index, (scenario, truth) in enumerate(sorted(world.truths.items())):
        random = np.random.default_rng([world.assumed.seed, participants, number, index])
        if in_scenario := [question for question in questions if question.scenario == scenario]:
            answers = simulate(design, truth, random)
            seen = answers_that_count(design, world.assumed, random)
            tests |= analysed(design.only(seen), answers[seen], in_scenario, world.analysis)
    return verdicts(questions, [tests[question.name] for question in questions])


def verdicts(questions: Sequence[PlannedQuestion], tests: Sequence[Difference]) -> list[Verdict]:
    """Return the verdicts of the tests; the differences of each family are corrected together (Holm)."""
    p, p_equivalent = np.array([(test.p, test.p_equivalent) for test in tests]).T
    is_equivalence = np.array([question.equivalence for question in questions])
    families = np.array([question.family for question in questions])
    for family in set(families[~is_equivalence]):
        tested = (families == family) & ~is_equivalence
        p[tested] = holm(p[tested])
    positive = np.where(is_equivalence, p_equivalent, p) < ALPHA
    width = np.diff([test.interval(0.95) for test in tests])[:, 0]
    return [Verdict(*cells) for cells in zip(positive.tolist(), width.tolist(), strict=True)]


def analysed(
    design: StudyDesign, answers: np.ndarray, questions: Sequence[PlannedQuestion], analysis: AnalysisSettings
) -> dict[str, Difference]:
    """Return the test of each question by the question's name; NaN if the answers have no such row.

    Args:
        answers: (N,) bool: called fake, or chosen a; or int: the grade.
    """
    tests = {question.name: Difference(np.nan) for question in questions}
    left: dict[Asked, list[PlannedQuestion]] = {}
    for question in questions:
        left.setdefault(question.asked, []).append(question)
    rates = RatesOfTable(analysis, too_many(len(answers)))
    for one in compared(design, answers, analysis):
        same = left.pop(_asked(one), [])
        if same:
            tests |= dict.fromkeys([question.name for question in same], estimate_of(one, rates))
        if not left:
            break
    return tests


def simulate(design: StudyDesign, truth: Truth, random: np.random.Generator) -> np.ndarray:
    """Return answers (N,) of new people to new pictures: bool, called fake or chosen a; or int, the grade."""
    people = int(design.participant[-1]) + 1
    effects = random.standard_normal((people, truth.people.shape[1])) @ truth.people.T
    pictures = truth.sd_stimulus * random.standard_normal(len(design.stimulus_group))
    pictures += truth.sd_item * random.standard_normal(int(design.item.max()) + 1)[design.item]
    group = design.group
    log_odds = truth.base[group] + effects[design.participant, group] + pictures[design.stimulus]
    uniform = random.random(len(group))
    if not design.grades:
        return np.asarray(uniform < expit(log_odds))
    above = uniform[:, None] > expit(log_odds[:, None] + grade_thresholds(design.grades))
    return np.asarray(1 + above.sum(axis=1))


def answers_that_count(design: StudyDesign, assumed: PowerSettings, random: np.random.Generator) -> np.ndarray:
    """Return (N,) bool: True for an answered trial of a person who completes the session and is not excluded."""
    people = int(design.participant[-1]) + 1
    dropout, excluded = random.random((2, people))
    counts = (dropout >= assumed.dropout) & (excluded >= assumed.excluded)
    return np.asarray(random.random(len(design.participant)) < (counts * (1 - assumed.unanswered))[design.participant])


def trials_of(design: StudyDesign, answers: np.ndarray) -> pd.DataFrame:
    """Return the trials with the columns that all questions read, in the form of `gan_eval.judgements.trials`."""
    groups, number = design.groups, design.group
    is_fake = np.array([not group.is_real for group in groups])[number]
    trials = pd.DataFrame(
        {
            "session": design.participant,
            "participant": design.participant,
            "stimulus": design.stimulus,
            "item": design.item[design.stimulus],
            "dataset": np.array([group.dataset for group in groups], dtype=object)[number],
            "model": np.array([group.role or None for group in groups], dtype=object)[number],
            "study": "planned",
            "simulated": True,
            "fraction": 1.0,
            "answered": True,
        }
    )
    if design.grades:
        kind = np.where(is_fake, "fake", "real").astype(object)
        return trials.assign(kind=kind, rating=answers.astype(float))
    if groups[0].is_pair:
        protocol = TWO_MODELS if BETWEEN_MODELS in groups[0].role else PAIRED
        return trials.assign(protocol=protocol, choice=np.where(answers, "a", "b"))
    return trials.assign(is_fake=is_fake, says_fake=answers, correct=answers == is_fake)


def _log_odds(group: SimulatedGroup, settings: PowerSettings) -> float:
    """Return the log-odds of calling a group's pictures fake, or of choosing picture a of its pairs."""
    if group.is_real:
        return float(logit(settings.false_alarm_rate))
    first, between, second = group.role.partition(BETWEEN_MODELS)
    rate = settings.fooling_rates.get(first, settings.fooling_rate)
    if not group.is_pair:
        return -float(logit(rate))
    if settings.choice_rate is not None:
        return float(logit(settings.choice_rate))
    # a choice between two pictures depends on the difference of their evidence, d' / sqrt(2) (Macmillan & Creelman
    # 2005, Detection Theory, ch. 7)
    realness = ndtri(rate if between else 1 - settings.false_alarm_rate)
    other = settings.fooling_rates.get(second, settings.fooling_rate) if between else rate
    return float(logit(ndtr((realness - ndtri(other)) / np.sqrt(2))))
