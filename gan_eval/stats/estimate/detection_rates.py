"""Detection of generated pictures: one fit for each model on each data set.

docs/paper_table.md explains the rows, and which ones have no fit or verdict. Shares without a fit
("clustered") have one answer `real` and one `fake` added for each kind of picture (Agresti & Caffo 2000, The American
Statistician 54, 280-288). These answers are divided equally among several rows (Price & Bonett 2004, Computational
Statistics & Data Analysis 45, 449-456).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import log_expit, ndtr, ndtri

from gan_eval.base.inference import (
    Z95,
    Estimate,
    cells,
    cluster_covariance,
    degrees_of_freedom,
    equivalence_p,
    item_covariance,
    n_levels,
    newcombe,
    satterthwaite,
    t_critical,
    two_sided_p,
    ways,
    wilson,
)
from gan_eval.judgements.trials import items_of
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.contrast import (
    CROSSED,
    CROSSED_CLUSTERED,
    FEW_ANSWERS,
    FROM_MODELS,
    MANY_GROUPS,
    NODES,
    WEIGHTS,
    cell_proportions,
    population_proportions,
)
from gan_eval.stats.estimate.differences import Difference, Untested, few_people, no_interval, other_p, wald
from gan_eval.stats.estimate.persons import (
    FAR_FROM_PEOPLE,
    Correlation,
    effective_numbers,
    person_weights,
    why_each_once,
    with_number,
)
from gan_eval.stats.groups import joined, one_participant
from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed
from gan_eval.stats.questions import MAX_ROWS, MIN_SHARED, KindQuestion

TWO_WAY = "two_way_cluster"
BY_PICTURE = "picture_cluster"
BASES = (*FROM_MODELS, TWO_WAY, BY_PICTURE)
_MAX_SD_AND_ETA = {"probit": (4.0, 6.0), "logit": (7.0, 10.0)}
"""Maximum SD of random effects and maximum linear predictor of a cell, by link; above either, the fit diverged."""
NONE_GAVE_BOTH = "no participant gave both answers, so response bias alone explains them"
ONE_GAVE_BOTH = "one participant alone gave both answers, so response bias explains those of all others"
OTHER_PEOPLE = "most participants judged one kind of picture: fakes and reals are compared between participants"
_ASSUMED_SD = 1.5
"""Assumed standard deviation of people and of pictures, in log-odds, if all answers of a cell agree."""
_LOG_TAIL = float(np.log(0.025))
"""Log of the probability beyond one end of a 95% interval."""
_MAX_MISFIT = 0.5
"""Maximum distance of a model's shares from the observed ones, in standard errors; above it the model is not used."""
_MISFIT = "its shares are far from the observed ones"
ADDED = "d′ with one answer of each kind added, since a rate is 0 or 1"
NEARLY_CONSTANT = (
    "nearly all answers on each data set are the same, so accuracy is within the margin for any pictures, which is "
    "not equivalence"
)
TOO_FEW = "too few participants or pictures for an interval"


class Detection(NamedTuple):
    """Numbers of a row, all derived from the same two estimated shares."""

    fooling_rate: Estimate
    """Share of fakes called real."""
    real_called_real: Estimate
    accuracy: Estimate
    """Balanced: the mean of both kinds' shares of correct answers."""
    accuracy90: tuple[float, float]
    """The 90% interval, which decides equivalence."""
    dprime: Estimate
    """z(1 - fooling rate) - z(1 - reals called real)."""
    p: float
    """Two-sided p of accuracy against 1/2."""
    p_equivalent: float
    """The larger p of two one-sided tests against the margin; NaN without a margin."""
    basis: str | None
    note: str | None
    untested: Untested | None


@dataclass(frozen=True)
class Rates:
    """Population-averaged shares of the answer `fake`."""

    fake: float
    """The hit rate: share of the answer `fake` to fakes."""
    real: float
    """The false-alarm rate: share of the answer `fake` to reals."""
    covariances: tuple[np.ndarray, ...]
    """(2, 2) covariances of both shares by several methods; that with the largest error counts. Empty: no interval."""
    df: int
    """Degrees of freedom of Student's t."""
    basis: str | None
    reported: tuple[float, float]
    """Both shares as reported: those of the model, or the observed ones, to which no answers are added."""
    note: str | None = None
    fit: CrossedFit | None = None
    check_p: float = np.nan
    """p of the clustered shares, to compare with that of a crossed model."""
    n: tuple[float, float] = (np.nan, np.nan)
    """Effective number of independent answers to fakes and to reals."""
    untested: Untested | None = None
    df_of_sides: tuple[tuple[int, ...], ...] = ()
    """Degrees of freedom of fakes and of reals behind the first covariances of a poll, whose sides are independent."""
    max_effect: float = 0.5
    """Largest possible distance of accuracy from 1/2, given the share of the answer `fake`; if averaged, the mean."""

    def error(self, by_fake: float, by_real: float) -> float:
        """Return the standard error of a number from its derivatives with respect to both shares; NaN: no interval."""
        gradient = np.array([by_fake, by_real])
        variances = [float(gradient.dot(covariance).dot(gradient)) for covariance in self.covariances]
        for index, df in enumerate(self.df_of_sides):  # Student's t has `df` everywhere: narrow the error instead
            of_both = satterthwaite(gradient**2 * np.diag(self.covariances[index]), df)
            if by_fake and by_real:  # not above those of two kinds whose pictures vary alike
                of_both = min(of_both, satterthwaite(1 / np.array(df), df))
            variances[index] *= float(t_critical(of_both) / t_critical(self.df)) ** 2
        return float(np.sqrt(max(*variances, 0.0))) if variances else np.nan

    @property
    def largest_covariance(self) -> np.ndarray:
        """The covariance (2, 2) of the method by which accuracy has the largest error."""
        return max(self.covariances, key=lambda covariance: float(np.dot([1, -1], covariance @ [1, -1])))

    def difference(self, margin: float | None) -> Difference:
        """Return hit rate minus false-alarm rate: twice the distance of accuracy from 1/2.

        Args:
            margin: equivalence margin of the difference; None: equivalence is not judged.
        """
        margin = None if margin is None else margin / 2
        detection = self.detection(margin)
        not_equivalent = NEARLY_CONSTANT if detection.untested == "nearly constant answers" else None
        note = joined(self.note, other_p(detection.p, self.check_p), not_equivalent)

        def interval(coverage: float) -> tuple[float, float]:
            _, low, high = self._accuracy(coverage)
            return 2 * low - 1, 2 * high - 1

        difference = self.reported[0] - self.reported[1]
        at = no_interval if self.untested == "constant answers" else interval
        numbers = difference, detection.p, note, at, detection.p_equivalent, self.basis, self.check_p
        return Difference(*numbers, untested=detection.untested)

    def bias(self) -> Difference:
        """Return the share of reals judged correctly minus the share of fakes judged correctly."""
        estimate, error = 1 - self.real - self.fake, self.error(-1.0, -1.0)
        p = np.nan if self.untested else float(two_sided_p(estimate, error, self.df))

        def interval(coverage: float) -> tuple[float, float]:
            (hits, false_alarms), (n_fake, n_real) = self.reported, self.n
            z = float(ndtri((1 + coverage) / 2))
            independent = newcombe((1 - false_alarms) * n_real, n_real, hits * n_fake, n_fake, z=z)
            ends = wald(estimate, error, self.df).interval(coverage)
            return _widened(1 - hits - false_alarms - estimate, error, ends, independent)

        at = no_interval if self.untested == "constant answers" else interval
        return Difference(1 - sum(self.reported), p, self.note, at, basis=self.basis, untested=self.untested)

    def detection(self, margin: float | None) -> Detection:
        """Return the numbers of the row.

        Args:
            margin: equivalence margin of accuracy; None: equivalence is not judged.
        """
        p, p_equivalent = self._tests(margin)
        is_small = margin is not None and self.max_effect <= margin and not self.untested
        not_equivalent = NEARLY_CONSTANT if is_small else None
        of_hits, of_alarms = self._independent()
        accuracy, accuracy90, dprime = self._accuracy(0.95), self._accuracy(0.9)[1:], self._dprime()
        if accuracy.low <= 0.5 <= accuracy.high:  # accuracy and d′ are at chance for the same rates
            dprime = Estimate(dprime.value, min(dprime.low, 0.0), max(dprime.high, 0.0))
        added = ADDED if {*self.reported} & {0.0, 1.0} else None
        if self.untested == "constant answers":  # neither intervals nor d′ mean anything if the answers do not vary
            accuracy, accuracy90 = Estimate(accuracy.value, np.nan, np.nan), (np.nan, np.nan)
            dprime, added = Estimate(np.nan, np.nan, np.nan), None
        hits, false_alarms = self.reported
        return Detection(
            self._share(1 - hits, 1 - self.fake, (-1.0, 0.0), (1 - of_hits[1], 1 - of_hits[0])),
            self._share(1 - false_alarms, 1 - self.real, (0.0, -1.0), (1 - of_alarms[1], 1 - of_alarms[0])),
            accuracy,
            accuracy90,
            dprime,
            p,
            np.nan if is_small else p_equivalent,
            self.basis,
            joined(self.note, other_p(p, self.check_p), not_equivalent, added),
            self.untested or ("nearly constant answers" if not_equivalent else None),
        )

    def _tests(self, margin: float | None) -> tuple[float, float]:
        """Return the p of accuracy against 1/2, and that of equivalence within the margin; NaN without a test."""
        if self.untested:
            return np.nan, np.nan
        z, z_error = self._on_probit((1 + self.fake - self.real) / 2, 0.5, -0.5)
        p = float(two_sided_p(z, z_error, self.df))
        return p, np.nan if margin is None else float(equivalence_p(z, z_error, self.df, float(ndtri(0.5 + margin))))

    def _independent(self) -> list[tuple[float, float]]:
        """Return Wilson's intervals of both reported rates, as if the answers were independent."""
        intervals = [wilson(rate * n, n) for rate, n in zip(self.reported, self.n, strict=True)]
        return [(float(low), float(high)) for low, high in intervals]

    def _dprime(self) -> Estimate:
        """Return d′ of the reported rates; of the estimates if a reported rate is 0 or 1."""
        z_hit, z_false_alarm = float(ndtri(self.fake)), float(ndtri(self.real))
        estimate = z_hit - z_false_alarm
        by_hit, by_false_alarm = np.sqrt(2 * np.pi) * np.exp(np.array([z_hit, z_false_alarm]) ** 2 / 2)
        error = self.error(by_hit, -by_false_alarm)
        half_width = float(t_critical(self.df)) * error
        ends = (estimate - half_width, estimate + half_width)
        if {*self.reported} & {0.0, 1.0}:  # it has no z
            return Estimate(estimate, *ends)
        hits, false_alarms = self.reported
        value = float(ndtri(hits) - ndtri(false_alarms))
        of_hits, of_alarms = self._independent()
        down, up = np.abs(ndtri([of_hits, of_alarms[::-1]]) - ndtri([[hits], [false_alarms]])).T
        independent = value - float(np.hypot(*down)), value + float(np.hypot(*up))
        return Estimate(value, *_widened(value - estimate, error, ends, independent))

    def _share(
        self,
        reported: float,
        estimate: float,
        gradient: tuple[float, float],
        independent: tuple[float, float],
        coverage: float = 0.95,
    ) -> Estimate:
        """Return `reported` with an interval around `estimate` on the probit scale; `gradient`: by both shares."""
        z, error = self._on_probit(estimate, *gradient)
        half_width = float(t_critical(self.df, coverage=coverage)) * error
        ends = float(ndtr(z - half_width)), float(ndtr(z + half_width))
        return Estimate(reported, *_widened(float(ndtri(reported)) - z, error, ends, independent))

    def _accuracy(self, coverage: float) -> Estimate:
        (hits, false_alarms), (n_fake, n_real) = self.reported, self.n
        z = float(ndtri((1 + coverage) / 2))
        low, high = newcombe(hits * n_fake, n_fake, false_alarms * n_real, n_real, z=z)
        independent = max((1 + low) / 2, 0.0), min((1 + high) / 2, 1.0)
        return self._share(
            (1 + hits - false_alarms) / 2, (1 + self.fake - self.real) / 2, (0.5, -0.5), independent, coverage
        )

    def _on_probit(self, share: float, by_fake: float, by_real: float) -> tuple[float, float]:
        """Return z(share) and its standard error from the derivatives of the share."""
        z = float(ndtri(share))
        return z, self.error(by_fake, by_real) / float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def _widened(
    step: float, error: float, ends: tuple[float, float], independent: tuple[float, float]
) -> tuple[float, float]:
    """Return the ends of an interval; `step` is the reported number minus the estimate.

    If `step` is larger than `error`, the end on that side is extended at least to that of `independent`.
    """
    low, high = ends
    return min(low, independent[0]) if step <= -error else low, max(high, independent[1]) if step >= error else high


@dataclass(frozen=True)
class RatesOfTable:
    """Rates of the rows of one table; each model on each data set is fitted once."""

    settings: AnalysisSettings
    why_not: str = ""
    """A reason not to fit models; empty: none."""
    _known: dict[object, Rates] = field(default_factory=dict)

    def of(self, question: KindQuestion, why_not: str = "") -> Rates:
        """Return the rates of one row, or of several as the mean of the rows.

        Args:
            why_not: a further reason not to fit the model.
        """
        key = tuple((row.model, row.dataset) for row in question.rows)
        if key in self._known:
            return self._known[key]
        answers = _Answers.of(question.trials)
        numbers = _with_number(answers)
        why_not = self.why_not or why_not or (f"{len(key)} models" if len(key) > MAX_ROWS else "")
        why_not = why_not or why_each_once(*numbers)
        rates = _with_notes(_estimated(question.trials, answers, self.settings, why_not), answers)
        if any(numbers) and _is_far_from_people(rates, answers):
            return self.of(question, FAR_FROM_PEOPLE)
        if len(key) > 1:
            rows = [self.of(KindQuestion.of([row], question.answered), why_not) for row in question.rows]
            rates = _mean_of_rows(rows, rates)
        self._known[key] = rates
        return rates


def _is_far_from_people(rates: Rates, answers: "_Answers") -> bool:
    """Return whether the rates of a model are far from those in which each participant counts once."""
    return rates.fit is not None and bool(_are_far(rates, _clustered(answers, answers.of_people)).any())


def _with_notes(rates: Rates, answers: "_Answers") -> Rates:
    """Return the rates with notes on their participants, and the largest effect that their shares allow."""
    between = OTHER_PEOPLE if answers.is_between else ""
    few = "" if rates.basis is None else few_people(n_levels(answers.participant))
    max_effect = 0.5 - abs(sum(rates.reported) / 2 - 0.5)
    return replace(rates, note=joined(rates.note, between, few), max_effect=max_effect)


def _mean_of_rows(rows: Sequence[Rates], joint: Rates) -> Rates:
    """Return the mean of the rows, with the errors of the joint estimate: people may have judged several rows."""
    fake, real, *observed = map(float, np.mean([[row.fake, row.real, *row.reported] for row in rows], axis=0))
    if joint.fit is None:  # answers added in every row would be too many, except at rates of 0 or 1
        fake = fake if observed[0] in (0, 1) else joint.fake
        real = real if observed[1] in (0, 1) else joint.real
    constant = sum(row.untested == "constant answers" for row in rows)
    clustered = sum(row.basis not in FROM_MODELS for row in rows)
    is_mixed = 0 < clustered < len(rows) and joint.fit is not None
    some_constant = f"in {constant} of {len(rows)} rows the answers do not vary with the pictures"
    notes = [
        some_constant if constant and len(rows) > 1 else "",
        f"{clustered} of {len(rows)} rows {'has' if clustered == 1 else 'have'} clustered shares" if is_mixed else "",
    ]
    covariances = joint.covariances
    if all(row.covariances for row in rows):
        covariances = (*covariances, np.sum([row.largest_covariance for row in rows], axis=0) / len(rows) ** 2)
    return replace(
        joint,
        fake=fake,
        real=real,
        covariances=covariances,
        reported=(observed[0], observed[1]),
        untested="constant answers" if constant else joint.untested,
        max_effect=float(np.mean([row.max_effect for row in rows])),
        basis=rows[0].basis if clustered == len(rows) else joint.basis,
        note=joined(joint.note, *notes),
    )


class _Answers(NamedTuple):
    """Answers as arrays (N,), and the cells whose weighted means are the two shares."""

    says_fake: np.ndarray
    is_fake: np.ndarray
    participant: np.ndarray
    picture: np.ndarray
    item: np.ndarray | None
    """None: each picture has an item of its own."""
    cell: np.ndarray
    """Each model's fakes on each data set, and then that data set's reals."""
    weights: np.ndarray
    """(2, C) weights of the cells in the share of fakes and in that of reals; each row sums to 1."""
    is_between: bool
    """True if most of the participants who judged fakes judged no reals."""
    of_people: np.ndarray
    """(N,) weights with which each participant counts once in each cell (`person_weights`)."""

    @staticmethod
    def of(trials: pd.DataFrame) -> "_Answers":
        """Return the answers to single pictures."""
        is_fake = trials["is_fake"].to_numpy(bool)
        dataset, model = (pd.factorize(trials[name], use_na_sentinel=False)[0] for name in ("dataset", "model"))
        cell = pd.factorize(cells(dataset, np.where(is_fake, model, model.max() + 1)), sort=True)[0]
        _, first = np.unique(cell, return_index=True)
        fake, of_dataset = is_fake[first], dataset[first]
        rows = np.bincount(of_dataset[fake], minlength=int(dataset.max()) + 1)[of_dataset]  # models on the data set
        weights = np.stack([fake / fake.sum(), np.where(fake, 0, rows) / fake.sum()])
        participant, picture = (pd.factorize(trials[name])[0] for name in ("participant", "stimulus"))
        fakes, reals = (np.bincount(participant, of) > 0 for of in (is_fake, ~is_fake))
        is_between = bool(2 * np.sum(fakes & reals) < np.sum(fakes))
        item = items_of(trials, side=is_fake)
        of_people = person_weights(participant, cell)
        says_fake = trials["says_fake"].to_numpy(bool)
        return _Answers(says_fake, is_fake, participant, picture, item, cell, weights, is_between, of_people)


def _estimated(trials: pd.DataFrame, answers: _Answers, settings: AnalysisSettings, why_not: str) -> Rates:
    clustered = _clustered(answers, answers.of_people)
    if clustered.basis is None or clustered.untested == "constant answers":
        return clustered
    try:
        if n_levels(answers.participant) == 1:
            return replace(clustered, note=one_participant(trials["participant"]), untested="one participant")
        if why_not:
            raise NoFitError(why_not)
        fit, shares, covariances = _by_model(answers, settings)
    except NoFitError as reason:
        return replace(clustered, note=joined(f"clustered shares instead of the crossed model ({reason})"))
    fake, real = map(float, shares)
    check_p = clustered.detection(None).p
    of_answers = clustered if (answers.of_people == 1).all() else _clustered(answers, np.ones(len(trials)))
    rates = Rates(fake, real, covariances, clustered.df, CROSSED, (fake, real), None, fit, check_p, clustered.n)
    few = len(trials) < FEW_ANSWERS * (int(answers.picture.max()) + 1) and clustered.df >= MANY_GROUPS - 1
    if few and of_answers.error(1, -1) > rates.error(1, -1):
        rates = replace(rates, covariances=(*covariances, *of_answers.covariances), basis=CROSSED_CLUSTERED)
    if (_are_far(rates, of_answers) & _are_far(rates, clustered)).any():
        return replace(clustered, note=f"clustered shares instead of the crossed model ({_MISFIT})")
    return rates


def _are_far(rates: Rates, observed: Rates) -> np.ndarray:
    """Return (3,) whether the share of fakes, that of reals and the accuracy of a model are far from the observed ones.

    Args:
        observed: those of all answers, or of the participants' own shares.
    """
    gradients = np.array([[1, 0], [0, 1], [0.5, -0.5]])
    steps = gradients @ (np.array([rates.fake, rates.real]) - observed.reported)
    errors = np.array([rates.error(*gradient) for gradient in gradients])
    return (steps > errors * _MAX_MISFIT) | (steps < -errors * _MAX_MISFIT)


def _with_number(answers: _Answers) -> tuple[Correlation | None, Correlation | None]:
    """Return the correlations of people's numbers of answers with their accuracy and with their leaning to `fake`."""
    says, cell, weights = answers.says_fake.astype(float), answers.cell, answers.of_people
    if (weights == 1).all():
        return None, None
    n = np.bincount(cell)
    residual = (says - (np.bincount(cell, weights * says) / n)[cell]) * weights / n[cell]
    of_fakes, of_reals = answers.weights[:, cell] * residual
    units = answers.participant, cell
    return with_number(of_fakes - of_reals, *units), with_number(of_fakes + of_reals, *units)


def _by_model(answers: _Answers, settings: AnalysisSettings) -> tuple[CrossedFit, np.ndarray, tuple[np.ndarray, ...]]:
    """Return the fit, the two shares (2,) and their covariances (2, 2); NoFitError without a fit that converged.

    If nearly all answers are to a photograph or a generated version of the same item, the second factor is the item,
    with a slope of the kind. Otherwise it is the picture, and the variance that items have beyond pictures is added.
    """
    if settings.slope and _are_partners(answers):
        try:
            fit, shares, covariance = _fitted(answers, settings, by_item=True)
            return fit, shares, (covariance,)
        except NoFitError:
            pass  # too few answers of an item for its slope
    fit, shares, covariance = _fitted(answers, settings, by_item=False)
    return fit, shares, (covariance,) if answers.item is None else (covariance, covariance + _of_items(answers))


def _are_partners(answers: _Answers) -> bool:
    """Return whether nearly all answers are to items of which one real and one generated picture were judged."""
    if answers.item is None:
        return False
    first = np.unique(answers.picture, return_index=True)[1]
    item, is_fake = answers.item[first], answers.is_fake[first]
    fakes, reals = (np.bincount(item, of, int(item.max()) + 1) for of in (is_fake, ~is_fake))
    is_single = bool(fakes.max() <= 1 and reals.max() <= 1)
    return is_single and float(((fakes == 1) & (reals == 1))[answers.item].mean()) >= MIN_SHARED


def _fitted(
    answers: _Answers, settings: AnalysisSettings, *, by_item: bool
) -> tuple[CrossedFit, np.ndarray, np.ndarray]:
    """Return the fit with pictures or items as the second factor, the two shares (2,) and their covariance (2, 2)."""
    count = answers.weights.shape[1]
    X = np.eye(count)
    slope = np.where(answers.is_fake, 0.5, -0.5)
    fit = fit_crossed(
        answers.says_fake,
        X[answers.cell],
        answers.participant,
        answers.item if by_item and answers.item is not None else answers.picture,
        link=settings.link,
        slope=slope if settings.slope else None,
        slope_second=slope if by_item else None,
    )
    _require_finite(fit, settings.link)
    at = np.where(answers.weights[0] > 0, 0.5, -0.5) if settings.slope else np.zeros(count)
    variance, weights = fit.random_variance(at), answers.weights
    shares, covariance = cell_proportions(X, fit.beta, fit.covariance, *variance, link=settings.link)
    return fit, weights @ shares, weights @ covariance @ weights.T


def _require_finite(fit: CrossedFit, link: str) -> None:
    """Refuse a fit whose estimates ran away."""
    largest_sd, largest_eta = _MAX_SD_AND_ETA[link]
    sds = [sd or 0.0 for part in (fit.first, fit.second) for sd in (part.sd, part.sd_slope)]
    if max(sds) > largest_sd or np.abs(fit.beta).max() > largest_eta:
        raise NoFitError(f"the model diverged (SD {max(sds):.1f})")


def _of_items(answers: _Answers) -> np.ndarray:
    """Return the (2, 2) covariance of both shares that items have beyond their pictures, clustered."""
    says, cell = answers.says_fake.astype(float), answers.cell
    n = np.bincount(cell)
    influence = ((says - (np.bincount(cell, says) / n)[cell]) * answers.weights[:, cell] / n[cell]).T
    return item_covariance(influence, answers.participant, answers.picture, answers.item, side=answers.is_fake)


def _clustered(answers: _Answers, of_answer: np.ndarray) -> Rates:
    """Return the shares with one answer of each kind added for each kind of picture, and clustered covariances.

    Args:
        of_answer: (N,) weights, whose mean is 1 in each cell.
    """
    says, cell = answers.says_fake.astype(float), answers.cell
    count = answers.weights.shape[1]
    of_cell, n = np.bincount(cell, of_answer), effective_numbers(of_answer, cell)
    yes = np.bincount(cell, of_answer * says) * (n / of_cell)
    shares = (yes + 2 / count) / (n + 4 / count)
    fake, real = (float(share) for share in answers.weights @ shares)
    hits, false_alarms = (float(share) for share in answers.weights @ (yes / n))
    observed = hits, false_alarms
    several = n_levels(answers.participant) > 1
    people = [answers.participant] if several else []
    pictures_and_items = [answers.picture] if answers.item is None else [answers.picture, answers.item]
    factors = [*people, *pictures_and_items]
    df = degrees_of_freedom(*factors, side=answers.is_fake)
    if df < 1:
        return Rates(fake, real, (), 0, None, observed, TOO_FEW, untested="too few")
    said_fake, n_answers = np.bincount(answers.participant, says), np.bincount(answers.participant)
    gave_both = int(((said_fake > 0) & (said_fake < n_answers)).sum())
    influence = ((says - shares[cell]) * answers.weights[:, cell] * of_answer / of_cell[cell]).T
    by_cluster = ways(partial(cluster_covariance, influence, side=answers.is_fake), people, pictures_and_items)
    said = np.bincount(cell, says)
    is_uniform = (said == 0) | (said == np.bincount(cell))
    for k in np.flatnonzero(is_uniform):  # equal answers do not show how clusters differ: assume an SD
        n[k] = _independent_answers(tuple(n_levels(factor[cell == k]) for factor in factors), n[k])
    if is_uniform.any() or not several:  # as of independent answers, with the normal instead of t: counted answers to
        # few pictures with like shares are no more certain
        variances = shares * (1 - shares) / (n + 4 / count) * (Z95 / float(t_critical(df))) ** 2
        by_cluster.append(answers.weights * variances @ answers.weights.T)
    note = {0: NONE_GAVE_BOTH, 1: ONE_GAVE_BOTH if several else None}.get(gave_both)
    if answers.is_between and not is_uniform.all():  # a participant's answers are of one kind
        note = None
    basis = TWO_WAY if several else BY_PICTURE
    n_fake, n_real = map(float, 1 / (answers.weights**2 / n).sum(axis=1))
    covariances = tuple(by_cluster)
    untested: Untested | None = "constant answers" if note else None
    rates = Rates(fake, real, covariances, df, basis, observed, note, n=(n_fake, n_real), untested=untested)
    return replace(rates, df_of_sides=_df_of_sides(answers, factors)) if several else rates


def _df_of_sides(answers: _Answers, factors: Sequence[np.ndarray]) -> tuple[tuple[int, ...], ...]:
    """Return the degrees of freedom of fakes and of reals of a poll, in which each participant answers once."""
    if answers.item is not None or n_levels(answers.participant) < len(answers.says_fake):
        return ()
    sides = answers.is_fake, ~answers.is_fake
    of_people, of_pictures = (tuple(n_levels(each[side]) - 1 for side in sides) for each in factors)
    return of_people, of_pictures, of_pictures


@cache
def _independent_answers(groups: tuple[int, ...], n: float) -> float:
    """Return the number of equal independent answers with the same 97.5% limit of the share as `n` equal answers.

    The `n` answers are from `groups`, numbers of people, of pictures and of items if pictures share them, each assumed
    to vary with `_ASSUMED_SD`. The smallest of the results is returned.
    """
    counts = np.array(groups)[:, None]
    low, high = np.full(counts.shape, -40.0), np.full(counts.shape, 40.0)
    for _ in range(56):  # halve to 1e-15; a library's root finder takes longer to import than this takes in all
        eta = (low + high) / 2
        log_all_equal = log_expit(-eta - _ASSUMED_SD * NODES) * (n / counts)
        is_below = np.logaddexp.reduce(log_all_equal + np.log(WEIGHTS), axis=1, keepdims=True) * counts > _LOG_TAIL
        low, high = np.where(is_below, eta, low), np.where(is_below, high, eta)
    shares = population_proportions(low[:, 0], np.array([_ASSUMED_SD])).share
    return float(min(n, _LOG_TAIL / np.log1p(-shares.max())))
