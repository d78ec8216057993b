"""The formulas of the mixed models, and the design that a frame of answers gives for one.

`correct` is right or wrong, its intercept the fakes and `kind[real]` real minus fake. `called_fake` is the answer
itself, its intercept the reals and `kind[fake]` fake minus real: discrimination free of leaning, which is d′ with the
probit link (DeCarlo 1998, Psychological Methods 3, 186-205). Data sets are coded by their sum, so that the intercept
is their mean: `dataset[NAME]` is what NAME adds, and the last one's part is minus the sum of the others. Covariates are
participants' answers to the study's questions, or columns of the trials table.

Grades and confidence are ordered answers: P(answer <= j) = logistic(θ_j - η) with a threshold between each two
neighbouring ones (McCullagh 1980), so a positive term moves answers up, as in `clmm` of R's ordinal. `model[NAME]` is a
model against the first one by name, among generated pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.trials import answered_trials, graded_trials
from gan_eval.tables.frames import require_clear_texts

PREFIX = "covariate:"
"""A covariate stands in the frame under this and its name, so that no question can replace a column."""
OTHER = "other"
"""The level that holds the rare ones."""
_RARE = 3
"""A level of fewer participants than this says more of them than of the level."""
_MOST_LEVELS = 20
GRADED_LINK = "cumulative_logit"
MOST_GRADES = 12
"""Maximum number of different answers of a graded scale."""
_UNFIT = ("participant", "stimulus", "kind", "response", "correct", "is_fake", "says_fake", "answered")
"""Columns that a model already has, or that hold the answer."""


@dataclass(frozen=True)
class Formula:
    """A mixed model with crossed random intercepts.

    >>> print(Formula("correct"), Formula("called_fake", ("kind",), slope=True), sep=chr(10))
    correct ~ 1 + (1|participant) + (1|stimulus)
    called_fake ~ kind + (1 + kind|participant) + (1|stimulus)
    """

    outcome: Literal["correct", "called_fake", "rating", "confidence"]
    effects: tuple[str, ...] = ()
    """`kind`, `dataset`, then covariates; of grades and confidence `kind` or `model`."""
    slope: bool = False
    """The difference of kinds varies from participant to participant."""

    def __str__(self) -> str:
        people = "(1 + kind|participant)" if self.slope else "(1|participant)"
        return f"{self.outcome} ~ {' + '.join((*(self.effects or ('1',)), people, '(1|stimulus)'))}"


class Planned(NamedTuple):
    """A formula to be fitted."""

    formula: Formula
    link: str
    exploratory: bool | None
    """None without a plan."""


@dataclass(frozen=True)
class Design:
    """A formula's numbers for N answers."""

    trials: pd.DataFrame
    """The answers that can be used."""
    y: np.ndarray
    """(N,) bool; of grades int, 0..J-1."""
    levels: tuple[str, ...] | None
    """J answers of a graded scale that were given, in ascending order; None: answers are right or wrong, or fake."""
    X: np.ndarray
    """(N, K); of grades without a constant: the thresholds stand for it."""
    terms: tuple[str, ...]
    """K names of the columns of X."""
    slope: np.ndarray | None
    """(N,) what the participants' slopes are of."""
    participant: np.ndarray
    """(N,) number of the participant, in the order of the sorted names."""
    stimulus: np.ndarray
    """(N,) number of the stimulus, likewise."""
    notes: tuple[str, ...]
    """Notes for the reader."""
    none_usable: bool
    """There are answers, and none has all that the formula needs."""

    @property
    def trouble(self) -> str | None:
        """Why there can be no estimate; None: the fit says."""
        if self.none_usable:
            return "no answered trial has all that the formula needs"
        return None if self.levels is None else scale_trouble(len(self.levels))

    @property
    def thresholds(self) -> list[str]:
        """Names of the J-1 thresholds."""
        return [f"threshold[{low}|{high}]" for low, high in pairwise(self.levels or ())]

    @property
    def n_participants(self) -> int:
        """Number of participants."""
        return int(self.participant.max()) + 1 if len(self.participant) else 0

    @property
    def n_stimuli(self) -> int:
        """Number of stimuli."""
        return int(self.stimulus.max()) + 1 if len(self.stimulus) else 0


def planned_formulas(answered: pd.DataFrame, plan: AnalysisSettings | None) -> list[Planned]:
    """The formulas that are always fitted, with the logit link, and those that the plan asks for.

    Args:
        answered: as `gan_eval.stats.trials.answered_trials` returns them.
    """
    settings, exploratory = plan or AnalysisSettings(), None if plan is None else False
    several_datasets = (answered.groupby("dataset")["kind"].nunique() == 2).sum() > 1
    plain, kinds = Formula("correct"), Formula("correct", ("kind",))
    detection = Formula("called_fake", ("kind", "dataset") if several_datasets else ("kind",))
    always = [plain, kinds, detection]
    beyond = [replace(formula, slope=True) for formula in (kinds, detection)] if settings.slope else []
    if settings.covariates:
        beyond.append(Formula("correct", ("kind", *dict.fromkeys(settings.covariates)), slope=settings.slope))
    unplanned_link = [Planned(formula, "logit", True) for formula in always] if settings.link != "logit" else []
    return [*unplanned_link, *(Planned(formula, settings.link, exploratory) for formula in (*always, *beyond))]


def graded_formulas(trials: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Formula]]:
    """Yield the formulas of grades, then of confidence, where there are any, each with its answers.

    By model among the fakes of two or more named models, by kind where both kinds have answers; else without either.
    """
    grades, sure = graded_trials(trials), answered_trials(trials)
    outcomes: dict[Literal["rating", "confidence"], pd.DataFrame] = {
        "rating": grades[grades["answered"].to_numpy(bool)],
        "confidence": sure[sure["confidence"].notna()],
    }
    for outcome, answered in outcomes.items():
        answered = answered[np.isfinite(answered[outcome].to_numpy("float64", na_value=np.nan))]
        answered = answered[answered["participant"].notna() & answered["stimulus"].notna()].reset_index(drop=True)
        fakes = answered[((answered["kind"] == "fake") & answered["model"].notna()).to_numpy(bool)]
        several_models = fakes["model"].nunique() > 1
        if several_models:
            yield fakes, Formula(outcome, ("model",))
        if answered["kind"].nunique() == 2:
            yield answered[answered["kind"].notna()], Formula(outcome, ("kind",))
        elif len(answered) and not several_models:
            yield answered, Formula(outcome)


def prepare(answered: pd.DataFrame, plan: AnalysisSettings | None, participants: pd.DataFrame | None) -> pd.DataFrame:
    """The answers with what else the formulas need: `called_fake` and the plan's covariates.

    Raises:
        UserError: a covariate is neither a question nor a column.
    """
    framed = answered.assign(called_fake=answered["says_fake"])
    return with_covariates(framed, plan.covariates if plan else (), participants)


def design(answered: pd.DataFrame, formula: Formula) -> Design:
    """The numbers of a formula for answers as `prepare` returns them.

    Answers with a missing cell in what the formula uses are left out, and rare levels of covariates joined.
    """
    trials, notes = answered, []
    is_graded = formula.outcome in ("rating", "confidence")
    known = ("kind", "model" if is_graded else "dataset")
    for name in ("participant", "stimulus", *(["dataset"] if "dataset" in formula.effects else [])):
        missing = trials[name].isna().to_numpy()
        if missing.any():
            notes.append(f"{int(missing.sum())} trials without {name} left out")
            trials = trials[~missing]
    for effect in formula.effects:
        if effect not in known:
            chosen, values, note = usable(trials[PREFIX + effect], trials["participant"], effect)
            trials = trials.assign(**{PREFIX + effect: values})[chosen]
            notes += [note] if note else []
    trials = trials.reset_index(drop=True)
    y = trials[formula.outcome].to_numpy()
    levels: tuple[str, ...] | None = None
    columns, terms = [np.ones((len(trials), 1))], ["intercept"]
    if is_graded:
        y, given = pd.factorize(y.astype("float64"), sort=True)
        levels = tuple(f"{level:g}" for level in given)
        columns, terms = [np.zeros((len(trials), 0))], []
    kind = "fake" if formula.outcome == "called_fake" else "real"
    for effect in formula.effects:
        if effect == "kind":
            coded = Coded((trials["kind"] == kind).to_numpy(float)[:, None], (f"kind[{kind}]",), None)
        elif is_graded:
            others = sorted(trials["model"].unique())[1:]
            of_models = np.stack([(trials["model"] == name).to_numpy(float) for name in others], axis=1)
            coded = Coded(of_models, tuple(f"model[{name}]" for name in others), None)
        elif effect == "dataset":
            position, names = pd.factorize(trials["dataset"], sort=True)
            summed = np.vstack([np.eye(len(names) - 1), -np.ones(len(names) - 1)])
            coded = Coded(summed[position], tuple(f"dataset[{name}]" for name in names[:-1]), None)
        else:
            coded = code(trials[PREFIX + effect], effect)
        columns.append(coded.columns)
        terms += coded.terms
        notes += [coded.note] if coded.note else []
    X = np.hstack(columns)
    return Design(
        trials=trials,
        y=y.astype(bool) if levels is None else y,
        levels=levels,
        X=X,
        terms=tuple(terms),
        slope=(trials["kind"] == kind).to_numpy(float) if formula.slope else None,
        participant=pd.factorize(trials["participant"], sort=True)[0],
        stimulus=pd.factorize(trials["stimulus"], sort=True)[0],
        notes=tuple(notes),
        none_usable=bool(len(answered) and not len(X)),
    )


def scale_trouble(levels: int) -> str | None:
    """Why answers of this number of levels are no scale of few grades; None: they are.

    >>> scale_trouble(1), scale_trouble(5)
    ('all answers are the same', None)
    """
    if levels > MOST_GRADES:
        return f"{levels} different answers: more than {MOST_GRADES} are no scale of few grades"
    return "all answers are the same" if levels < 2 else None


class Coded(NamedTuple):
    """A covariate as columns of a design."""

    columns: np.ndarray
    """(N, C); a number less its mean, a level as 0 or 1."""
    terms: tuple[str, ...]
    """C names: `age`, or `age_band[50-59]`."""
    note: str | None


def with_covariates(trials: pd.DataFrame, names: Sequence[str], participants: pd.DataFrame | None) -> pd.DataFrame:
    """The trials with each covariate's values in the column `covariate:NAME`: text or numbers, missing where not given.

    A question goes before a column of the same name.

    Raises:
        UserError: a name is neither a question nor a column of the trials; the message lists both.
    """
    questions: dict[str, pd.Series] = {}
    if participants is not None and len(participants):
        last = participants.drop_duplicates(["session", "question"], keep="last")  # where a session answered twice
        questions = {str(name): rows.set_index("session")["answer"] for name, rows in last.groupby("question")}
    added = {}
    for name in names:
        if name in questions:
            added[PREFIX + name] = trials["session"].astype("str").map(questions[name])
        elif name in trials.columns and name not in _UNFIT:
            added[PREFIX + name] = trials[name]
        else:
            columns = [column for column in trials.columns if column not in _UNFIT and trials[column].notna().any()]
            raise UserError(
                f"analysis.covariates: {name}: no such question or column; questions: "
                f"{', '.join(questions) or 'none'}; columns: {', '.join(columns) or 'none'}"
            )
    return trials.assign(**added)


def usable(values: pd.Series, participant: pd.Series, name: str) -> tuple[np.ndarray, pd.Series, str | None]:
    """Return the trials with a usable value, the values with rare levels joined, and a note.

    Levels of few participants become one, `other`, and are missing if that is still rare.
    """
    values = values.mask(values.astype("str").str.strip() == "")
    notes = []
    if not _is_numeric(values):
        values = values.astype("str").str.strip().where(values.notna())
        people = participant.groupby(values).nunique().sort_values(ascending=False, kind="stable")
        rare = people.index[(people < _RARE) | (np.arange(len(people)) >= _MOST_LEVELS)]
        merged = values.mask(values.isin(rare), OTHER)
        if len(rare) == 1 and len(people) > 1 and people[rare[0]] < _RARE:
            values = values.mask(values == rare[0])
        elif len(rare) > 1 and participant[merged == OTHER].nunique() < _RARE:
            values = values.mask(values.isin(rare))
        elif len(rare) > 1:
            values, levels = merged, sorted(str(level) for level in rare)
            more = f" and {len(levels) - 5} more" if len(levels) > 5 else ""
            notes.append(f"{name}: rare answers joined as {OTHER} ({', '.join(levels[:5])}{more})")
    included = values.notna().to_numpy()
    if not included.all():
        notes.insert(0, f"{int((~included).sum())} trials without {name} (or with a rare answer) left out")
    return included, values, "; ".join(notes) or None


def code(values: pd.Series, name: str) -> Coded:
    """The columns of a covariate without missing values.

    A number is centred, so that the intercept is at its mean; its term is for one unit. Anything else is coded
    against its commonest level. A covariate that is the same everywhere gives a column of zeros.

    Raises:
        UserError: it is text in which a mark may separate thousands.
    """
    if _is_numeric(values):
        require_clear_texts(values, where=f"column {name}")
        numbers = pd.to_numeric(values).to_numpy(float)
        mean = float(numbers.mean()) if len(numbers) else 0.0
        varies = len(numbers) and numbers.std() > 1e-12 * max(1.0, abs(mean))
        column = numbers - mean if varies else np.zeros(len(numbers))
        return Coded(column[:, None], (name,), f"{name}: centred at {mean:.6g}" if len(numbers) else None)
    counts = values.value_counts()
    levels = sorted(counts.index, key=lambda level: (-counts[level], level))
    others = sorted(levels[1:])
    if not others:
        return Coded(np.zeros((len(values), 1)), (name,), None)
    columns = np.stack([(values == level).to_numpy(float) for level in others], axis=1)
    return Coded(columns, tuple(f"{name}[{level}]" for level in others), f"{name}: against {levels[0]}")


def _is_numeric(values: pd.Series) -> bool:
    given = values.dropna()
    if pd.api.types.is_bool_dtype(given) or given.map(lambda value: isinstance(value, bool)).any():
        return False
    numbers = pd.to_numeric(given, errors="coerce")
    return bool(np.isfinite(numbers.to_numpy(float, na_value=np.nan)).all())
