"""Questions of a study: fakes against reals, model against model, choices of two pictures, grades."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import cells, n_levels
from gan_eval.judgements.trials import items_of, pictures
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.estimate.contrast import Question
from gan_eval.stats.estimate.differences import Untested
from gan_eval.stats.estimate.grades import HIGHER, MEAN, GradedAnswers, GradeQuestion
from gan_eval.stats.groups import REAL, contestants, joined, with_reals

TOLD_APART = "told apart"
UNNAMED = "unnamed model"
"""Name of the fakes without a model, if other fakes have one."""
REAL_VS_FAKE = "real vs fake"
MODELS = "models"
MAX_ROWS = 60
"""Maximum number of rows for which crossed models are fitted."""
MAX_PAIRS = 60
"""Maximum number of pairs of models on one data set for which the crossed model is fitted."""
MIN_SHARED = 0.8
"""Minimum share of two models' trials with an item of both models; below it the models do not share items."""
TOLD_APART_IN_PAIRS = "told apart in pairs"
PREFERRED = "preferred"
GRADED_MODELS = "grades of models"
GRADED_KINDS = "grades of reals"
CHOSEN = "chosen"
ANY_FAKE = "fake"
"""Name of b if it is the fakes of all models together."""
USED = ("participant", "stimulus", "item", "is_fake", "says_fake", "model", "dataset", "simulated", "fraction")
"""Columns of the trials behind a question on kinds; fewer columns are copied faster."""


class KindRow(NamedTuple):
    """Answers to one model's pictures on one data set, and to their real pictures (`groups.with_reals`)."""

    model: str | None
    dataset: str | None
    """None: trials without a data set, which are one unnamed set."""
    positions: np.ndarray
    """(n,) positions of the answers in the table."""


def kind_rows(answered: pd.DataFrame) -> list[KindRow]:
    """Return a row for each model on each data set with answers (`answered` trials) to both kinds, sorted by name.

    Fakes without a model form one more model, with the name None.
    """
    (dataset, datasets), (model, models) = (  # a missing name is the last one
        pd.factorize(answered[name], sort=True, use_na_sentinel=False) for name in ("dataset", "model")
    )
    is_fake = answered["is_fake"].to_numpy(bool)
    row, code = with_reals(answered, np.where(is_fake, dataset * len(models) + model, -1))
    rows = ((number, np.sort(row[code == number])) for number in np.unique(code))
    return [
        KindRow(_name(models[number % len(models)]), _name(datasets[number // len(models)]), positions)
        for number, positions in rows
        if not is_fake[positions].all()
    ]


class KindQuestion(NamedTuple):
    """A question about one row, or about the mean of several."""

    rows: tuple[KindRow, ...]
    answered: pd.DataFrame
    """The table to which the rows' positions refer."""
    trials: pd.DataFrame
    """The answers of all rows, without repeats."""
    counts: tuple[int, int]
    """Numbers of answers to fakes and to reals."""

    @staticmethod
    def of(rows: Sequence[KindRow], answered: pd.DataFrame) -> "KindQuestion":
        """Return the question about these rows of a table."""
        chosen = np.zeros(len(answered), bool)
        for row in rows:
            chosen[row.positions] = True
        trials = answered if chosen.all() else answered[chosen].reset_index(drop=True)
        fakes = int(trials["is_fake"].sum())
        return KindQuestion(tuple(rows), answered, trials, (fakes, len(trials) - fakes))


Topic = Literal["detection", "bias", "models", "preference", "grades"]


class Comparison(NamedTuple):
    """A question, and its names in the table `comparisons`."""

    family: str
    """Key of the questions whose p values are corrected together."""
    question: Topic
    dataset: str | None
    """None: all data sets, or trials without one."""
    model: str | None
    """The only model that is judged next to real pictures; None: several, or two models are compared."""
    comparison: str
    """Name for readers."""
    a: str
    b: str
    measure: str
    estimand: Question | KindQuestion | GradeQuestion | None
    """None: there is nothing to compare with."""
    trials: pd.DataFrame
    counts: tuple[int, int]
    """Number of trials of a and of b; in pairs, of choices of each."""
    margin: float | None = None
    """Margin of the difference; None: equivalence is not judged."""
    margin_note: str = ""
    """Note on a margin that is not the plan's."""
    of_models: bool = False
    """Two models are compared, not real and generated pictures."""
    planned: bool = True
    note: str | None = None
    untested: Untested | None = None
    """Reason for no test."""
    why_not: str = ""
    """A reason not to fit the crossed model."""

    @property
    def is_overall(self) -> bool:
        """True if this is the detection of all models on all data sets together."""
        return self.question == "detection" and self.dataset is None and self.model is None


ONE_SIDE = "at most one participant chose both sides, so response bias alone explains the choices"


def require_known_models(plan: AnalysisSettings, trials: pd.DataFrame) -> None:
    """Check the models that a plan names."""
    models = sorted({name for cell in trials["model"].dropna().unique() for name in str(cell).split("|")})
    for name in (name for pair in plan.comparisons or () for name in pair):
        if models and name not in models:
            raise UserError(f"analysis.comparisons: no model {name!r} in the trials; they have {', '.join(models)}")


def kind_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Yield the questions `told apart` (over all, by data set, by model on each data set) and `real vs fake`.

    `told apart` is P(called fake | fake) - P(called fake | real): twice the balanced accuracy minus one, and 0 for
    anyone who ignores the picture. `real vs fake` is accuracy on reals minus accuracy on fakes, over all and by data
    set: 1 - P(fake | real) - P(fake | fake). Both are means over the rows of `compare.detection_rates`. Trials whose
    exposures follow the answers keep accuracy near 3 in 4, so they are left out if there are other trials.
    """
    answered = _without_adaptive(answered).filter(items=USED)
    rows = kind_rows(answered)
    if not rows:
        return
    together = KindQuestion.of(rows, answered)
    yield _told_apart(
        TOLD_APART, (None, None), TOLD_APART, "fake", together, _left_out_note(together, over_all=True), plan
    )
    on_dataset = {row.dataset: [other for other in rows if other.dataset == row.dataset] for row in rows}
    for dataset, members in on_dataset.items():
        if dataset is not None:
            question = KindQuestion.of(members, answered)
            name, note = _on(TOLD_APART, dataset), _left_out_note(question)
            yield _told_apart(f"{TOLD_APART} on", (dataset, None), name, "fake", question, note, plan)
    for row in rows:
        is_repeated = len(on_dataset[row.dataset]) == 1 and (row.dataset is not None or len(rows) == 1)
        if row.model is not None or not is_repeated:  # else it is the same question as one above
            yield _model_told_apart(row, KindQuestion.of([row], answered), plan)
    for dataset, members in {None: rows, **on_dataset}.items():
        if dataset is not None or len(on_dataset) > 1 or None in on_dataset:
            yield _bias(dataset, KindQuestion.of(members, answered))


def _model_told_apart(row: KindRow, question: KindQuestion, plan: AnalysisSettings) -> Comparison:
    """Return the detection of one model's pictures on a data set."""
    model = row.model or UNNAMED
    name, scope = f"{model} {_on(TOLD_APART, row.dataset)}", (row.dataset, model)
    return _told_apart(f"MODEL {TOLD_APART}", scope, name, model, question, _left_out_note(question), plan)


def _without_adaptive(answered: pd.DataFrame) -> pd.DataFrame:
    """Return the answers without those whose exposures follow the answers, unless there are no others."""
    if "protocol" not in answered:
        return answered
    follows = answered["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)
    return answered[~follows].reset_index(drop=True) if follows.any() and not follows.all() else answered


def _bias(dataset: str | None, question: KindQuestion) -> Comparison:
    """Return the question whether people leaned to one answer: accuracy on reals minus accuracy on fakes."""
    prefix = f"{dataset} " if dataset else ""
    names = REAL_VS_FAKE, f"{prefix}real", f"{prefix}fake", "accuracy"
    return Comparison(REAL_VS_FAKE, "bias", dataset, None, *names, question, question.trials, question.counts[::-1])


def with_same_reals(question: KindQuestion) -> list[list[KindRow]]:
    """Return the rows of a question in groups with the same answers to real pictures."""
    is_fake, groups = question.answered["is_fake"].to_numpy(bool), dict[bytes, list[KindRow]]()
    for row in question.rows:
        groups.setdefault(row.positions[~is_fake[row.positions]].tobytes(), []).append(row)
    return [*groups.values()]


def nothing_to_compare(main: pd.DataFrame) -> Comparison:
    """Return the question `told apart` of trials that no row compares: it has counts and a reason only."""
    answered = main[main["answered"].to_numpy(bool)]
    fakes = int(answered["is_fake"].sum())
    reals = len(answered) - fakes
    if answered.empty:
        reason = "no answered trials"
    elif not reals or not fakes:
        judged, absent = ("generated", "real") if fakes else ("real", "generated")
        reason = f"only {judged} pictures were judged, no {absent} ones to compare with"
    else:
        reason = "no data set has answers to both reals and fakes"
    if answered["stimulus"].nunique() == 1:
        reason = f"one picture; {reason}"
    names = TOLD_APART, "fake", REAL, "called_fake"
    return Comparison(TOLD_APART, "detection", None, None, *names, None, main, (fakes, reals), note=reason)


class LeftOut(NamedTuple):
    """Answers that are in no row of a question: (N,) bool by answer of the question's table.

    Reals shown only with other models' fakes are not among them: they are left out by design.
    """

    only_real: np.ndarray
    """Answers of participants who judged real pictures of the data set, but no generated ones."""
    only_fake: np.ndarray
    """Answers of participants who judged generated pictures of its models, but no real ones of the data set."""
    one_kind: np.ndarray
    """Answers on data sets with one kind of picture."""


def left_out(question: KindQuestion) -> LeftOut:
    """Return the answers that a question leaves out because of their participant, or of their data set."""
    answered = question.answered
    left = np.ones(len(answered), bool)
    for row in question.rows:
        left[row.positions] = False
    dataset, person, model = (
        pd.factorize(answered[name], use_na_sentinel=False)[0] for name in ("dataset", "participant", "model")
    )
    is_fake = answered["is_fake"].to_numpy(bool)
    sitting, of_model = (other * (dataset.max(initial=0) + 1) + dataset for other in (person, model))
    n_fakes, n_reals = (np.bincount(sitting, chosen)[sitting] for chosen in (is_fake, ~is_fake))
    compared, asked = np.isin(dataset, dataset[~left]), is_fake & np.isin(of_model, of_model[is_fake & ~left])
    return LeftOut(left & compared & (n_fakes == 0), left & asked & (n_reals == 0), left & ~compared)


def _left_out_note(question: KindQuestion, *, over_all: bool = False) -> str | None:
    """Return the note on answers that are in no row of a question; None if there are none."""
    left = left_out(question)
    reals, fakes = int(left.only_real.sum()), int(left.only_fake.sum())
    return joined(
        "data sets with one kind of picture left out" if over_all and left.one_kind.any() else "",
        f"{reals} answers to real pictures left out: these participants judged no generated ones" if reals else "",
        f"{fakes} answers to generated pictures left out: these participants judged no real ones" if fakes else "",
    )


def _told_apart(
    family: str,
    scope: tuple[str | None, str | None],
    comparison: str,
    a: str,
    question: KindQuestion,
    note: str | None,
    plan: AnalysisSettings,
) -> Comparison:
    """Return the detection of fakes in a scope: a data set or None, and a model or None."""
    margin = None if plan.margin is None else 2 * plan.margin
    twice = (
        "compared with twice the margin, {:g} in the probability of being called fake: the difference is twice "
        "balanced accuracy's distance from one half"
    )
    margin_note = "" if margin is None else twice.format(margin)
    names = comparison, a, REAL, "called_fake"
    of_trials = question.trials, question.counts
    return Comparison(family, "detection", *scope, *names, question, *of_trials, margin, margin_note, note=note)


def model_questions(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Yield the comparisons of the fooling rates of two models, for each data set.

    docs/statistics.md ("Pictures of one item") explains the slopes and the second factor.
    """
    fakes = answered[answered["is_fake"] & answered["model"].notna()]
    for dataset, part in fakes.groupby("dataset", dropna=False, sort=True):
        comparison = _on(MODELS, dataset)
        pairs = planned_pairs(sorted(part["model"].unique()), plan)
        for (a, b), planned in pairs.items():
            trials = part[part["model"].isin([a, b])].reset_index(drop=True)
            in_a = (trials["model"] == a).to_numpy(bool)
            fooled = ~trials["says_fake"].to_numpy(bool)
            shared = shares_items(trials)
            of_both = (trials.groupby("participant")["model"].nunique() == 2).sum()
            side = np.where(in_a, 0.5, -0.5)
            question = Question(
                answer=fooled,
                in_a=in_a,
                participant=pd.factorize(trials["participant"])[0],
                picture=pd.factorize(trials["item"] if shared else trials["stimulus"])[0],
                cell=np.where(in_a, 0, 1),
                cell_weights=np.array([1.0, -1.0]),
                slopes=(side if of_both > 1 else None, side if shared else None),
                picture_is="item" if shared else "stimulus",
                link=plan.link,
                item=None if shared else items_of(trials, side=in_a),
            )
            yield Comparison(
                MODELS,
                "models",
                dataset if isinstance(dataset, str) else None,
                None,
                comparison,
                a,
                b,
                "fooling_rate",
                question,
                trials,
                (int(in_a.sum()), int((~in_a).sum())),
                margin=plan.margin,
                of_models=True,
                planned=planned,
                why_not=f"{len(pairs)} pairs of models" if len(pairs) > MAX_PAIRS else "",
            )


def shares_items(trials: pd.DataFrame) -> bool:
    """Return whether nearly all trials of two models show an item that was judged in both models' versions."""
    of_both = trials.groupby("item")["model"].transform("nunique") == 2
    return bool(trials["item"].notna().all() and of_both.mean() >= MIN_SHARED)


def planned_pairs(models: list[str], plan: AnalysisSettings) -> dict[tuple[str, str], bool]:
    """Return all pairs of models in the plan's order of names, and whether each pair is planned."""
    written = {frozenset(pair): pair for pair in reversed(plan.comparisons or ())}
    pairs = {}
    for pair in combinations(models, 2):
        as_written = written.get(frozenset(pair))
        pairs[as_written or pair] = as_written is not None or plan.comparisons is None
    return pairs


def pair_questions(pairs: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    """Yield the questions on shares of choices minus 1/2, by chosen ~ 1 + (1|participant) + (1|item).

    Real and fake: `told apart in pairs` over everything, by data set and by model (b is `fake` or the model). Two
    models: `preferred on DATASET`, with a and b as in the plan, else in the order of their names.
    """
    answered = pairs[pairs["answered"].to_numpy(bool)]
    names = contestants(answered)
    answered = answered.assign(
        first=names.a, second=names.b, chose_a=(answered["choice"] == "a").to_numpy(bool), unit=pictures(answered)
    )
    of_reals = names.a == REAL
    yield from _pairs_with_reals(answered[of_reals], plan)
    yield from _pairs_of_models(answered[~of_reals], plan)


def _pairs_with_reals(paired: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    if len(paired):
        yield _choice(TOLD_APART_IN_PAIRS, (None, None), TOLD_APART_IN_PAIRS, "real", ANY_FAKE, paired, plan)
    several = paired["dataset"].nunique(dropna=False) > 1
    for dataset, part in paired.groupby("dataset", dropna=False, sort=True):
        family, comparison = f"{TOLD_APART_IN_PAIRS} on", _on(TOLD_APART_IN_PAIRS, dataset)
        name_of_set = dataset if isinstance(dataset, str) else None
        if several and name_of_set is not None:
            yield _choice(family, (name_of_set, None), comparison, "real", ANY_FAKE, part, plan)
        if part["model"].nunique() > 1:
            for model, subset in part.groupby("model", sort=True):
                yield _choice(family, (name_of_set, str(model)), comparison, "real", str(model), subset, plan)


def _pairs_of_models(answered: pd.DataFrame, plan: AnalysisSettings) -> Iterator[Comparison]:
    for dataset, part in answered.groupby("dataset", dropna=False, sort=True):
        named = part[part["first"] != part["second"]]
        for (a, b), planned in planned_pairs(sorted({*named["first"], *named["second"]}), plan).items():
            forward = (named["first"] == a) & (named["second"] == b)
            both = named[forward | ((named["first"] == b) & (named["second"] == a))]
            if len(both):  # in either order of the two pictures
                both = both.assign(chose_a=both["chose_a"].to_numpy(bool) == (both["first"] == a).to_numpy(bool))
                scope = (dataset if isinstance(dataset, str) else None, None)
                yield _choice(PREFERRED, scope, _on(PREFERRED, dataset), a, b, both, plan, planned=planned)


def _choice(
    family: str,
    scope: tuple[str | None, str | None],
    comparison: str,
    a: str,
    b: str,
    part: pd.DataFrame,
    plan: AnalysisSettings,
    *,
    planned: bool = True,
) -> Comparison:
    """Return the question on the share of pairs in which a was chosen, minus one half.

    Args:
        scope: a data set or None, and a model or None.
    """
    part = part.reset_index(drop=True)
    chosen = part["chose_a"].to_numpy(bool)
    row = np.zeros(len(part), int)
    if family != PREFERRED:
        row = part.groupby(["dataset", "model"], dropna=False, sort=True, observed=True).ngroup().to_numpy()
    question, is_one_side = _choice_question(part, row, plan), _is_one_side(part)
    return Comparison(
        family,
        "preference" if family == PREFERRED else "detection",
        *scope,
        comparison,
        a,
        b,
        CHOSEN,
        question,
        part,
        (int(chosen.sum()), int(np.sum(~chosen))),
        margin=plan.margin,
        of_models=family == PREFERRED,
        planned=planned,
        note=ONE_SIDE if is_one_side else "",
        untested="one side" if is_one_side else None,
        why_not=f"{len(question.rows)} models" if len(question.rows) > MAX_ROWS else "",
    )


def _is_one_side(part: pd.DataFrame) -> bool:
    """Return whether at most one of several participants chose both sides, of those with several answers."""
    side = part.get("position", pd.Series(dtype=object))  # a simulated study has none
    if side.isna().any() or side.nunique() != 2:
        return False
    chosen = (part["choice"] == "a").to_numpy(bool) == (side == side.iloc[0]).to_numpy(bool)
    sides = pd.Series(chosen).groupby(part["participant"].to_numpy()).agg(["nunique", "size"])
    if (sides["size"] == 1).all():  # a poll
        return len(np.unique(chosen)) == 1
    several = sides[sides["size"] > 1]
    return bool((several["nunique"] > 1).sum() < min(2, len(several)))


def _choice_question(part: pd.DataFrame, row: np.ndarray, plan: AnalysisSettings) -> Question:
    """Return the question on the mean share over rows; `row` (N,) is 0.. without gaps."""
    chosen, count = part["chose_a"].to_numpy(bool), int(row.max()) + 1
    unit = pd.factorize(part["unit"])[0]
    members = [np.flatnonzero(row == number) for number in range(count)] if count > 1 else []
    return Question(
        answer=chosen,
        in_a=None,
        participant=pd.factorize(part["participant"])[0],
        picture=unit,
        cell=row,
        cell_weights=np.full(count, 1 / count),
        picture_is="item",
        link=plan.link,
        other=_of_any_pair(part, unit),
        rows=tuple(_choice_question(part.iloc[of_row], np.zeros(len(of_row), int), plan) for of_row in members),
    )


def _of_any_pair(part: pd.DataFrame, unit: np.ndarray) -> np.ndarray | None:
    """Return (N,) the pictures that are paired with those of `unit` at random; None where a pair's items are one."""
    for name in ("stimulus", "stimulus_b"):
        code = pd.factorize(part[name])[0] if name in part else unit
        if code.min() >= 0 and len(np.unique(cells(unit, code))) > max(n_levels(unit), n_levels(code)):
            return code
    return None


def grade_questions(graded: pd.DataFrame, plan: AnalysisSettings, grades: int | None) -> Iterator[Comparison]:
    """Yield the comparisons of grades on each data set: fakes with reals, then models, each by both measures.

    The margin of the mean grade is the plan's margin times the range of the scale with this number of `grades`. None:
    the range from the lowest to the highest grade in the trials.
    """
    graded = graded[graded["answered"].to_numpy(bool)]
    used = float(np.ptp(graded["rating"])) if len(graded) else 0.0
    reach = used if grades is None else max(used, grades - 1.0)
    for dataset, part in graded.groupby("dataset", dropna=False, sort=True):
        of_kinds = part[part["kind"].notna()]
        if of_kinds["kind"].nunique() == 2:
            in_a = (of_kinds["kind"] == "fake").to_numpy(bool)
            names = _on("grades", dataset), "fake", REAL
            yield from _of_grades(GRADED_KINDS, dataset, *names, of_kinds, in_a, reach, plan.margin)
        fakes = part[part["model"].notna().to_numpy(bool)]  # a real picture has none; the kind may not be known
        pairs = planned_pairs(sorted(fakes["model"].unique()), plan)
        too_many = f"{len(pairs)} pairs of models" if len(pairs) > MAX_PAIRS else ""
        for (a, b), planned in pairs.items():
            both = fakes[fakes["model"].isin([a, b])]
            in_a = (both["model"] == a).to_numpy(bool)
            names = _on(GRADED_MODELS, dataset), a, b
            of_two = _of_grades(GRADED_MODELS, dataset, *names, both, in_a, reach, plan.margin)
            yield from (asked._replace(of_models=True, planned=planned, why_not=too_many) for asked in of_two)


def _of_grades(
    family: str,
    dataset: object,
    comparison: str,
    a: str,
    b: str,
    part: pd.DataFrame,
    in_a: np.ndarray,
    reach: float,
    margin: float | None,
) -> Iterator[Comparison]:
    trials = part.reset_index(drop=True)
    values, grade = np.unique(trials["rating"].to_numpy("float64"), return_inverse=True)
    picture_is = "item" if family == GRADED_MODELS and shares_items(trials) else "stimulus"
    participant, picture = (pd.factorize(trials[name])[0] for name in ("participant", picture_is))
    item = items_of(trials, side=in_a) if picture_is == "stimulus" else None
    answers = GradedAnswers(values, grade, in_a, participant, picture, picture_is, item)
    counts = int(in_a.sum()), int((~in_a).sum())
    scope = dataset if isinstance(dataset, str) else None, None
    for measure, bound in ((HIGHER, 1.0), (MEAN, reach or 1.0)):
        names, of_range, note = (comparison, a, b, measure), None, ""
        if margin is not None:
            of_range = margin * bound
            note = f"compared with {of_range:g}, the margin times the range of the grades" * (measure == MEAN)
        question = GradeQuestion(answers, measure, bound)
        yield Comparison(f"{family}: {measure}", "grades", *scope, *names, question, trials, counts, of_range, note)


def _name(cell: Any) -> str | None:
    return None if pd.isna(cell) else str(cell)


def _on(comparison: str, dataset: object) -> str:
    return f"{comparison} on {dataset}" if isinstance(dataset, str) else comparison
