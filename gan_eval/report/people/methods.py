"""How it was analysed, in a paragraph for the parts that are there."""

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import listed
from gan_eval.tables import CHOICES, CORRELATIONS, RATINGS, RUNS, SET_METRICS, THRESHOLDS

_JUDGED = """\
Fake is the signal: a generated picture called fake is a hit, a real one called fake a false alarm. The shares of the
answer and of signal detection carry 95 % intervals clustered by participant and by picture; the counts in the table of
rates carry Wilson 95 % intervals, which are of these people and these pictures only. Trials without an answer,
practice and catch trials are in no rate. d′ and criterion use the log-linear correction (Hautus 1995). Single answers
are modelled by a logistic mixed model with crossed random intercepts for participants and stimuli (Laplace
approximation, standard errors from the Hessian). Differences are judged on the basis that the table of comparisons
names: the crossed model averaged over participants and stimuli, or shares whose intervals are robust to clustering by
participant and by stimulus, never narrower than Newcombe's, with p never below Fisher's exact; p values of one kind
are corrected after Holm. Whether people can tell is judged by balanced accuracy, the mean of the shares of real and of
generated pictures judged rightly, which no leaning to one answer can raise."""


_ASKED_OTHERWISE = (
    (
        CHOICES,
        "Choices between two pictures are counted as shares of the answered pairs, with Wilson 95 % intervals of these "
        "people and these pictures only; whether a share differs from 1/2 is judged on the basis that the table of "
        "comparisons names. d′ of the real beside a generated "
        "picture is √2 z(share right) (Macmillan & Creelman 2005), with the log-linear correction.",
    ),
    (
        RATINGS,
        "A mean grade is the mean of the participants' means, its 95 % interval Student's t between them; grades are "
        "taken as numbers with equal steps.",
    ),
    (
        THRESHOLDS,
        "The threshold of a staircase is the mean exposure of its reversals after the first four (Levitt 1971), none "
        "with fewer than four; its mean over participants carries a 95 % interval by Student's t.",
    ),
)


_KID = """\
KID is the squared maximum mean discrepancy between the same features under a cubic kernel, over all pairs of pictures
(Bińkowski et al. 2018); it may fall below 0. For independent sets it is unbiased: it does not depend on N in
expectation. Where both sets hold pictures of the same items it is too low by an amount that falls with 1/N."""


_JACKKNIFE = """\
Intervals of metrics of sets come from a delete-group jackknife over items: they tell the spread at this N, not the
bias of FID."""


_CORRELATIONS = """\
Metrics are held against people by Spearman's rank correlation with the share of generated pictures called real; its
intervals are percentiles of a bootstrap that draws participants and stimuli anew, its p is exact over all pairings up
to 9 points and Student's t approximation above that, and fewer than 5 points get neither."""


def methods(folder: StudyFolder) -> str:
    """The method in a paragraph, for the parts that are there."""
    sentences = []
    if len(folder.judged()):
        sentences.append(_JUDGED)
    sentences += [words for table, words in _ASKED_OTHERWISE if len(folder.table(table))]
    runs = folder.table(RUNS)
    resizers = [str(name) for name in runs["resizer"].dropna().unique()] if len(runs) else []
    sets = folder.table(SET_METRICS)
    if len(sets):
        rule = f", pictures resized by the rule {listed(resizers)}" if resizers else ""
        sentences.append(
            "FID is the Fréchet distance between Gaussians fitted to the Inception features of the real and the "
            f"generated pictures{rule}; N stands beside every value."
        )
        if sets["metric"].str.startswith("kid").any():
            sentences.append(_KID)
        if sets["ci_low"].notna().any():
            sentences.append(_JACKKNIFE)
    if len(folder.table(CORRELATIONS)):
        sentences.append(_CORRELATIONS)
    return " ".join(sentences)
