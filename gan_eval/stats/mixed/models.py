"""The table `mixed_models`: crossed mixed models of single answers (Baayen, Davidson & Bates 2008).

The intercept of `correct` is that of the fakes, and that of `called_fake` is that of the reals. So `kind[fake]` of
`called_fake` is discrimination without response bias: d′ with the probit link (DeCarlo 1998, Psychological Methods 3,
186-205). Data sets have sum coding: the intercept is their mean, and the last one's term is minus the sum of the
others.

Grades and confidence are ordered answers: P(answer <= j) = logistic(θ_j - η) with a threshold between each two
neighbouring ones (McCullagh 1980). A positive term thus means higher answers, as in `clmm` of R's ordinal.

Each effect that varies within participants has a slope for each participant, and each one that varies within pictures
a slope for each picture; where pictures share items, the second factor is the item. A row whose effect lacks a slope
has no test (`untested`).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import degrees_of_freedom, n_levels, side_of, t_critical, two_sided_p
from gan_eval.judgements.trials import AnyTrials, pictures, typed
from gan_eval.settings.analysis import NO_PLAN, AnalysisSettings
from gan_eval.stats.groups import joined, n_known, one_participant, provenance_cells
from gan_eval.stats.mixed.fit import CrossedFit, Start, fit_crossed, too_many
from gan_eval.stats.mixed.likelihood import NoFitError, Slope, plural
from gan_eval.stats.mixed.random_effects import RandomEffects
from gan_eval.tables.frames import Row, frame_of, require_clear_texts
from gan_eval.tables.schema import CORRELATION, NOTED, Table, boolean, integer, interval_columns, number, text

Untested = Literal["no slope", "shared items", "no fit", "too few"]
"""Reason for no test."""
MIXED_MODELS = Table(
    "mixed_models",
    "Mixed models of single answers with crossed random effects of participants and pictures.",
    (
        text(
            "formula",
            "the model as in R; `centred(x)` is x as one column of numbers with the mean 0, and the effects of two "
            "terms of one factor are not correlated",
            filled=True,
        ),
        text("link", "of the model", words=("logit", "probit", "cumulative_logit"), filled=True),
        text(
            "term",
            "the fixed effect: `intercept`, `kind[real]` (real minus fake), `kind[fake]`, `dataset[NAME]` (coded by "
            "their sum), a covariate (for one unit) or `COVARIATE[LEVEL]` (against the commonest level); of grades "
            "`threshold[1|2]` between two neighbouring ones and `model[NAME]` (against the first model by name)",
            filled=True,
        ),
        number("estimate", "its estimate on the link's scale"),
        number("std_error", "its standard error"),
        number("z", "estimate / standard error"),
        number(
            "p",
            "two-sided Wald test by Student's t; df: the fewest participants, or stimuli or items of the formula, of a "
            "side, minus 1",
        ),
        text(
            "untested",
            "why a test is missing: the effect varies within participants or pictures, and the formula lacks its slope "
            "(no slope); pictures of the same items are taken for unrelated (shared items); the model has no estimate "
            "(no fit); one participant or one picture of a side (too few). `no slope` and `shared items`: read the "
            "formula with slopes or items instead",
            words=get_args(Untested),
            optional=True,
        ),
        *interval_columns("ci", "its Wald 95% interval, by the same t"),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number(
            "sd_stimulus",
            "standard deviation of the intercepts of the stimuli, or of the items if they are in the formula",
        ),
        number(
            "sd_slope",
            "standard deviation of this effect's slopes of participants; of `(1|participant:EFFECT)`: of these "
            "intercepts; empty: it has none",
            optional=True,
        ),
        number("slope_correlation", "of the participants' intercepts and slopes", unit=CORRELATION, optional=True),
        number("sd_slope_stimulus", "as `sd_slope`, of the stimuli or items", optional=True),
        number("log_likelihood", "Laplace approximation"),
        integer("n_trials", "answered trials"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note says which"),
        boolean("exploratory", "not in the plan, or based on exclusions that are not; empty: no plan", optional=True),
        *NOTED,
    ),
    key=("formula", "link", "term"),
)
PREFIX = "covariate:"
"""Start of a covariate's column in the frame, so that no question can replace a column."""
OTHER = "other"
_RARE = 3
"""Minimum number of participants of a level; its estimate would otherwise be about these people."""
_MAX_LEVELS = 20
_FEW = 6
"""Minimum number of groups for a reliable standard deviation."""
MIN_ANSWERS = 2.0
"""Mean number of answers of a picture; not above it, no effect needs a slope by picture."""
GRADED_LINK = "cumulative_logit"
MAX_GRADES = 12
"""Maximum number of different answers on a graded scale."""
_CORRECT_OF_DETECTION = np.array([[1.0, 0.0], [-1.0, -1.0]])
"""Intercept and `kind[real]` of `correct`, from the log-odds of the answer `fake` to fakes and to reals."""
_HALVES = np.array([[1.0, 0.5], [1.0, -0.5]])
"""Log-odds of fakes and of reals, from an intercept and a slope of +1/2 and -1/2."""
_CALLED_FAKE_OF_CORRECT = np.array([[-1.0, -1.0], [2.0, 1.0]])
"""Intercept and `kind[fake]` of `called_fake`, from those of `correct`."""
_UNFIT = ("participant", "stimulus", "kind", "response", "correct", "is_fake", "says_fake", "answered")
"""Columns that cannot be covariates: the model has them already, or they hold the answer."""


class Formula(NamedTuple):
    """Fixed effects of a mixed model with crossed random effects; its text depends on what varies in the answers."""

    outcome: Literal["correct", "called_fake", "rating", "confidence"]
    effects: tuple[str, ...] = ()
    """`kind`, `dataset`, then covariates; for grades and confidence `kind` or `model`."""
    slope: bool = False
    """True: effects that vary within participants or pictures have slopes, and pictures that share items are grouped
    by item. False: random intercepts of participants and stimuli."""
    link: str = "logit"
    exploratory: bool = False


class Design(NamedTuple):
    """The arrays of a formula for N answers."""

    formula: str
    trials: pd.DataFrame
    """The usable answers."""
    y: np.ndarray
    """(N,) bool; for grades int, 0..J-1."""
    thresholds: list[str]
    """J-1 names of the thresholds of grades."""
    X: np.ndarray
    """(N, K); for grades without a constant, which the thresholds replace."""
    terms: list[str]
    """K names of the columns of X."""
    effects: list[str]
    """K names of the columns' effects; that of the constant is empty."""
    participant: np.ndarray
    """(N,) index of the participant among the sorted names."""
    stimulus: np.ndarray
    """(N,) index of the stimulus among the sorted names."""
    people: RandomEffects
    pictures: RandomEffects
    """Random effects of the stimuli, or of the items."""
    ignores_items: bool
    """True: stimuli of the same item are taken for unrelated."""
    notes: list[str]
    trouble: str
    """Reason not to fit the model; empty: none."""

    @property
    def slope(self) -> Slope:
        """The participants' slopes as `fit_crossed` takes them."""
        return self.people.slope

    def untested(self, effect: str) -> Untested | None:
        """Return why a term of this effect (intercept and thresholds: empty) has no test; None: it has one."""
        missing = self.people.missing | self.pictures.missing
        if effect in missing or (missing and not effect):
            return "no slope"
        return "shared items" if self.ignores_items else None


def mixed_models(
    trials: AnyTrials,
    *,
    plan: AnalysisSettings = NO_PLAN,
    participants: pd.DataFrame | None = None,
    detection: CrossedFit | None = None,
) -> pd.DataFrame:
    """Return the table `mixed_models`: each formula's fixed effects on the link's scale.

    `correct ~ 1 + …` and `correct ~ kind + …` with random intercepts are always there, with the logit link. Then come
    the formulas with slopes, if the plan has slopes: `correct ~ kind + …`, `called_fake ~ kind + …` (with data sets if
    there are several) and that of the plan's covariates. Grades and confidence have cumulative-logit models. A row
    without an estimate has the counts and the reason in `note`; with too many trials, that is every row.

    Args:
        detection: the fit behind `told apart` (`Compared.fit`), where the search for `correct ~ kind` starts: it is
            the same model with other fixed effects, and so is `called_fake ~ kind`.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    trials = typed(trials)
    answered = trials.answered
    if plan.covariates:
        answered = with_covariates(answered, plan.covariates, participants)
    asked = [(answered, formula) for formula in planned_formulas(answered, plan)]
    if len(trials.graded) or answered["confidence"].notna().any():
        asked += graded_formulas(trials, plan)
    why_not = too_many(len(trials.every))
    rows: list[Row] = []
    done = set()
    by_kind = _start_by_kind(detection)
    for answers_asked, formula in asked:
        arrays = design(answers_asked, formula)
        if (arrays.formula, formula.link) not in done:  # else nothing varies within people or pictures
            done.add((arrays.formula, formula.link))
            plain = arrays.people.is_correlated and not arrays.pictures.slopes and not arrays.thresholds
            is_by_kind = plain and formula.effects == ("kind",)
            fit = why_not or _fitted(arrays, formula.link, by_kind if is_by_kind else None)
            if is_by_kind and isinstance(fit, CrossedFit):
                by_kind = fit.turned(_CALLED_FAKE_OF_CORRECT, _CALLED_FAKE_OF_CORRECT)
            rows += _rows(arrays, formula, fit)
    return frame_of(rows, MIXED_MODELS)


def _start_by_kind(detection: CrossedFit | None) -> Start | None:
    """Return the start of `correct ~ kind` from the fit behind `told apart`; None if that is of other effects."""
    if detection is None or len(detection.beta) != 2 or detection.first.sd_slope is None:
        return None
    return detection.turned(_CORRECT_OF_DETECTION, _CORRECT_OF_DETECTION @ _HALVES)


def _fitted(arrays: Design, link: str, start: Start | None) -> CrossedFit | str:
    """Return the fit, or the reason why there is none."""
    try:
        return fit_design(arrays, link, start)
    except NoFitError as reason:
        return str(reason)


def fit_design(arrays: Design, link: str, start: Start | None = None) -> CrossedFit:
    """Return the fit of a design; the search begins at `start`.

    Raises:
        NoFitError: the answers allow no estimate.
    """
    if arrays.trouble:
        raise NoFitError(arrays.trouble)
    return fit_crossed(
        arrays.y,
        arrays.X,
        arrays.people.level,
        arrays.pictures.level,
        link=link,
        slope=arrays.slope,
        slope_second=arrays.pictures.slope,
        start=start,
        names=arrays.terms,
        factors=(arrays.people.factor, arrays.pictures.factor),
    )


def _rows(arrays: Design, formula: Formula, fit: CrossedFit | str) -> list[Row]:
    """Return a row for each term; instead of a fit there may be the reason why there is none."""
    units = arrays.people.level, arrays.pictures.level
    notes = [fit] if isinstance(fit, str) else _notes_on(fit, arrays)
    carried = provenance_cells(arrays.trials)
    shared: Row = {
        "formula": arrays.formula,
        "link": formula.link,
        "n_trials": len(arrays.y),
        "n_participants": n_known(arrays.trials["participant"]),
        "n_stimuli": n_levels(arrays.stimulus),
        "exploratory": formula.exploratory,
        **carried,
        "note": joined(*notes, *arrays.notes, carried["note"]),
    }
    terms = [*arrays.thresholds, *arrays.terms]
    if isinstance(fit, str):
        return [shared | {"term": term, "untested": "no fit"} for term in terms or ["thresholds"]]
    shared |= {
        "sd_participant": fit.first.sd,
        "sd_stimulus": fit.second.sd,
        "log_likelihood": fit.log_likelihood,
        "singular": fit.singular,
    }
    estimate, error = np.concatenate([fit.thresholds, fit.beta]), np.concatenate([fit.thresholds_error, fit.std_error])
    before = len(arrays.thresholds)
    effects, sides = [*[""] * before, *arrays.effects], [*[None] * before, *map(side_of, arrays.X.T)]
    df = np.array([degrees_of_freedom(*units, side=side) for side in sides])
    untested = [
        arrays.untested(effect) or ("too few" if few else None) for effect, few in zip(effects, df < 1, strict=True)
    ]
    reach = t_critical(df) * error
    tests = np.stack([estimate / error, two_sided_p(estimate, error, df), estimate - reach, estimate + reach])
    tests[:, [code is not None for code in untested]] = np.nan
    cells: dict[str, Any] = {
        "term": terms,
        "estimate": estimate,
        "std_error": error,
        **dict(zip(("z", "p", "ci_low", "ci_high"), tests, strict=True)),
        "untested": untested,
    }
    slopes = [
        {
            "sd_slope": arrays.people.sd_slope(fit.first, effect),
            "slope_correlation": fit.first.correlation if effect in arrays.people.slopes else None,
            "sd_slope_stimulus": arrays.pictures.sd_slope(fit.second, effect),
        }
        for effect in effects
    ]
    return [
        shared | own | dict(zip(cells, row, strict=True)) for own, *row in zip(slopes, *cells.values(), strict=True)
    ]


def _notes_on(fit: CrossedFit, arrays: Design) -> list[str]:
    """Return the notes on few people or pictures, and on a fit at the boundary."""
    counts = {plural(random.factor): n_levels(random.level) for random in (arrays.people, arrays.pictures)}
    few = [f"few {name} ({n}): their spread is poorly estimated" for name, n in counts.items() if 1 < n < _FEW]
    return [*few, f"singular: {' and '.join(fit.at_boundary)}" if fit.singular else ""]


def planned_formulas(answered: pd.DataFrame, plan: AnalysisSettings) -> list[Formula]:
    """Return the formulas that are always fitted, with the logit link, and those of the plan, for `answered` trials.

    The formula with slopes follows that without.
    """
    several_datasets = (answered.groupby("dataset")["kind"].nunique() == 2).sum() > 1
    always = [Formula("correct"), Formula("correct", ("kind",))]
    planned = [
        formula._replace(slope=slope) for formula in always for slope in (False, True) if plan.slope or not slope
    ]
    planned.append(Formula("called_fake", ("kind", "dataset") if several_datasets else ("kind",), slope=plan.slope))
    if plan.covariates:
        planned.append(Formula("correct", ("kind", *dict.fromkeys(plan.covariates)), slope=plan.slope))
    unplanned = [formula._replace(exploratory=True) for formula in always] if plan.link != "logit" else []
    return unplanned + [formula._replace(link=plan.link) for formula in planned]


def graded_formulas(trials: AnyTrials, plan: AnalysisSettings) -> Iterator[tuple[pd.DataFrame, Formula]]:
    """Yield the formulas of grades, then of confidence, each with its answers.

    There is one by model if there are fakes of several named models, and one by kind if both kinds have answers. If
    there is neither, the formula has thresholds only. Each is followed by the one with slopes, if the plan has slopes.
    """
    grades, sure = typed(trials).graded, typed(trials).answered
    outcomes: dict[Literal["rating", "confidence"], pd.DataFrame] = {"rating": grades, "confidence": sure}
    for outcome, asked in outcomes.items():
        is_given = np.isfinite(asked[outcome].to_numpy("float64", na_value=np.nan))
        answered = asked[is_given].reset_index(drop=True)
        fakes = answered[((answered["kind"] == "fake") & answered["model"].notna()).to_numpy(bool)]
        questions: list[tuple[pd.DataFrame, tuple[str, ...]]] = []
        if fakes["model"].nunique() > 1:
            questions.append((fakes, ("model",)))
        if answered["kind"].nunique() == 2:
            questions.append((answered[answered["kind"].notna()], ("kind",)))
        elif len(answered) and not questions:
            questions.append((answered, ()))
        for own, effects in questions:
            formula = Formula(outcome, effects, link=GRADED_LINK)
            yield own, formula
            if plan.slope:
                yield own, formula._replace(slope=True)


def design(answered: pd.DataFrame, formula: Formula) -> Design:
    """Return the arrays of a formula for answers from `with_covariates` or `graded_formulas`.

    Answers with a missing cell in a column of the formula are left out, and rare levels of covariates are joined.
    """
    is_graded = formula.outcome in ("rating", "confidence")
    trials, notes = _usable_trials(answered, formula, is_graded=is_graded)
    y = trials["says_fake" if formula.outcome == "called_fake" else formula.outcome].to_numpy()
    trouble = "no answered trial has all that the formula needs" if len(answered) and not len(trials) else ""
    if is_graded:
        y, given = pd.factorize(y.astype("float64"), sort=True)
        constant, terms = np.zeros((len(trials), 0)), list[str]()
        thresholds = [f"threshold[{low:g}|{high:g}]" for low, high in pairwise(given)]
        trouble = trouble or scale_trouble(len(given))
    else:
        y = y.astype(bool)
        constant, terms, thresholds = np.ones((len(trials), 1)), ["intercept"], []
    effects: dict[str, np.ndarray] = {}
    for effect in formula.effects:
        effects[effect], names, note = _coded(effect, trials, formula, is_graded=is_graded)
        terms += names
        notes.append(note)
    unit = trials["stimulus"] if trials["item"].isna().all() else pictures(trials)
    participant, stimulus, item = (
        pd.factorize(column, sort=True)[0] for column in (trials["participant"], trials["stimulus"], unit)
    )
    if n_levels(participant) == 1:
        trouble = trouble or one_participant(trials["participant"], "the crossed model needs two participants or more")
    shares_items = n_levels(item) < n_levels(stimulus)
    by_item = shares_items and formula.slope
    people = RandomEffects.of("participant", participant, effects, with_slopes=formula.slope)
    second = ("item", item) if by_item else ("stimulus", stimulus)
    of_pictures = RandomEffects.of(*second, effects, with_slopes=formula.slope, min_answers=MIN_ANSWERS)
    return Design(
        formula=f"{formula.outcome} ~ {' + '.join((*(formula.effects or ('1',)), str(people), str(of_pictures)))}",
        trials=trials,
        y=y,
        thresholds=thresholds,
        X=np.hstack([constant, *effects.values()]),
        terms=terms,
        effects=[*("" for _ in constant.T), *(name for name, columns in effects.items() for _ in columns.T)],
        participant=participant,
        stimulus=stimulus,
        people=people,
        pictures=of_pictures,
        ignores_items=shares_items and not by_item,
        notes=[note for note in notes if note],
        trouble=trouble,
    )


def _usable_trials(answered: pd.DataFrame, formula: Formula, *, is_graded: bool) -> tuple[pd.DataFrame, list[str]]:
    """Return the answers that have all that a formula needs, with rare levels joined, and notes on the others."""
    trials, notes = answered, []
    missing = trials["dataset"].isna().to_numpy()
    if "dataset" in formula.effects and missing.any():
        notes.append(f"{int(missing.sum())} trials without dataset left out")
        trials = trials[~missing]
    for effect in formula.effects:
        if effect not in ("kind", "model" if is_graded else "dataset"):
            chosen, values, note = usable(trials[PREFIX + effect], trials["participant"], effect)
            trials = trials.assign(**{PREFIX + effect: values})[chosen]
            notes += [note] if note else []
    return trials.reset_index(drop=True), notes


def _coded(
    effect: str, trials: pd.DataFrame, formula: Formula, *, is_graded: bool
) -> tuple[np.ndarray, list[str], str]:
    """Return the columns (N, M) of one effect, their M names, and a note."""
    if effect == "kind":
        kind = "fake" if formula.outcome == "called_fake" else "real"
        return (trials["kind"] == kind).to_numpy(float)[:, None], [f"kind[{kind}]"], ""
    if is_graded:
        others = sorted(trials["model"].unique())[1:]
        return _indicators(trials["model"], others), [f"model[{name}]" for name in others], ""
    if effect == "dataset":
        position, datasets = pd.factorize(trials["dataset"], sort=True)
        summed = np.vstack([np.eye(len(datasets) - 1), -np.ones(len(datasets) - 1)])
        return summed[position], [f"dataset[{name}]" for name in datasets[:-1]], ""
    return code(trials[PREFIX + effect], effect)


def scale_trouble(levels: int) -> str:
    """Return the reason why this number of levels is not a scale of few grades; empty: it is one.

    >>> scale_trouble(1), scale_trouble(5)
    ('all answers are the same', '')
    """
    if levels > MAX_GRADES:
        return f"{levels} different answers: more than {MAX_GRADES} are no scale of few grades"
    return "all answers are the same" if levels < 2 else ""


def with_covariates(trials: pd.DataFrame, names: Sequence[str], participants: pd.DataFrame | None) -> pd.DataFrame:
    """Return the trials with each covariate's values in a column `covariate:NAME`.

    A question has priority over a column of the same name.

    Raises:
        UserError: a name is neither a question nor a column of the trials; the message lists both.
    """
    questions = _answers_by_question(participants)
    columns = [column for column in trials.columns if column not in _UNFIT]
    for name in names:
        if name not in questions and name not in columns:
            filled = (column for column in columns if trials[column].notna().any())
            raise UserError(
                f"analysis.covariates: {name}: no such question or column; questions: "
                f"{', '.join(questions) or 'none'}; columns: {', '.join(filled) or 'none'}"
            )
    session = trials["session"].astype("str")
    values = {name: session.map(questions[name]) if name in questions else _plain(trials[name]) for name in names}
    return trials.assign(**{PREFIX + name: of_trials for name, of_trials in values.items()})


def _plain(values: pd.Series) -> pd.Series:
    """Return a column whose texts are texts, not categories, as they are read from a file with few different ones."""
    return values.astype(values.cat.categories.dtype) if isinstance(values.dtype, pd.CategoricalDtype) else values


def _answers_by_question(participants: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Return the answers to each question of the table `participants` by session."""
    if participants is None or participants.empty:
        return {}
    last = participants.drop_duplicates(["session", "question"], keep="last")  # if a session answered twice
    return {str(name): rows.set_index("session")["answer"] for name, rows in last.groupby("question")}


def usable(values: pd.Series, participant: pd.Series, name: str) -> tuple[np.ndarray, pd.Series, str]:
    """Return the trials with a usable value, the values with rare levels joined (missing if still rare), and a note."""
    values = values.mask(values.astype("str").str.strip() == "")
    notes = []
    if not _is_numeric(values):
        values = values.astype("str").str.strip().where(values.notna())
        people = participant.groupby(values).nunique().sort_values(ascending=False, kind="stable")
        rare = people.index[(people < _RARE) | (np.arange(len(people)) >= _MAX_LEVELS)]
        if len(rare) == 1 and len(people) > 1 and people[rare[0]] < _RARE:
            values = values.mask(values == rare[0])
        elif len(rare) > 1:
            values, note = _joined_levels(values, participant, rare)
            notes.append(f"{name}: {note}" if note else "")
    included = values.notna().to_numpy()
    if not included.all():
        notes.insert(0, f"{int((~included).sum())} trials without {name} (or with a rare answer) left out")
    return included, values, "; ".join(filter(None, notes))


def _joined_levels(values: pd.Series, participant: pd.Series, rare: pd.Index) -> tuple[pd.Series, str]:
    """Return the values with rare levels as one level, and a note; missing if that is still rare."""
    merged = values.mask(values.isin(rare), OTHER)
    if participant[merged == OTHER].nunique() < _RARE:
        return values.mask(values.isin(rare)), ""
    levels = sorted(str(level) for level in rare)
    more = f" and {len(levels) - 5} more" if len(levels) > 5 else ""
    return merged, f"rare answers joined as {OTHER} ({', '.join(levels[:5])}{more})"


def code(values: pd.Series, name: str) -> tuple[np.ndarray, list[str], str]:
    """Return the columns (N, C) of a covariate without missing values, their C names, and a note.

    A number is centred. Anything else is coded against its commonest level. A constant gives a column of zeros.

    Raises:
        UserError: the covariate is text in which a mark may separate thousands.
    """
    if _is_numeric(values):
        require_clear_texts(values, where=f"column {name}")
        numbers = pd.to_numeric(values).to_numpy(float)
        mean = float(numbers.mean()) if len(numbers) else 0.0
        varies = len(numbers) and numbers.std() > 1e-12 * max(1.0, abs(mean))
        column = numbers - mean if varies else np.zeros(len(numbers))
        return column[:, None], [name], f"{name}: centred at {mean:.6g}" if len(numbers) else ""
    counts = values.value_counts()
    levels = sorted(counts.index, key=lambda level: (-counts[level], level))
    others = sorted(levels[1:])
    if not others:
        return np.zeros((len(values), 1)), [name], ""
    return _indicators(values, others), [f"{name}[{level}]" for level in others], f"{name}: against {levels[0]}"


def _indicators(values: pd.Series, levels: Sequence[str]) -> np.ndarray:
    """Return (N, L): 1.0 where a value is the level, else 0.0."""
    return np.stack([(values == level).to_numpy(float) for level in levels], axis=1)


def _is_numeric(values: pd.Series) -> bool:
    given = values.dropna()
    if pd.api.types.is_bool_dtype(given) or given.map(lambda value: isinstance(value, bool)).any():
        return False
    numbers = pd.to_numeric(given, errors="coerce")
    return bool(np.isfinite(numbers.to_numpy(float, na_value=np.nan)).all())
