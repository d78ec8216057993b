"""What people did, in rates, times, choices, grades, thresholds."""

from gan_eval.tables.schema import (
    ANALYSIS_RUN,
    DATASET,
    FRACTION,
    HOLE_SCOPES,
    ITEM,
    KIND,
    KINDS,
    MODEL,
    PARTICIPANT,
    PROVENANCE,
    SCOPES,
    SESSION,
    SHARE,
    SIMULATED,
    STIMULUS,
    Table,
    boolean,
    ends,
    integer,
    milliseconds,
    number,
    text,
    with_ends,
)

PARTICIPATION = Table(
    "participation",
    "Each participant's part in the study, and whether a preset rule leaves it out.",
    (
        PARTICIPANT,
        integer("sessions", "sessions begun", filled=True),
        text("status", "of the last session", words=("open", "complete", "aborted")),
        integer("n_trials", "main trials shown", filled=True),
        integer("n_answered", "main trials answered", filled=True),
        integer("n_catch", "catch trials answered", filled=True),
        number("catch_accuracy", "share of them that are right", unit=SHARE),
        number("accuracy", "share of answered main trials that are right", unit=SHARE),
        number("same_answer_share", "share of the answer given most often", unit=SHARE),
        milliseconds("median_reaction_time_ms", "over answered main trials with a possible time"),
        number("flagged_share", "share of main trials with a flag", unit=SHARE),
        integer("n_excluded", "main trials left out, all of them where the participant is", filled=True),
        boolean("excluded", "left out altogether by a preset rule", filled=True),
        text("rule", "the rules that left the participant or trials out"),
        text(
            "standing",
            "exploratory: a rule beyond the plan leaves out the participant, or trials, that no preset rule does; "
            "preset: only preset rules leave anything out; empty: nothing is left out, or there was no plan",
            words=("preset", "exploratory"),
            optional=True,
        ),
        *PROVENANCE,
    ),
    key=("participant",),
)

RATES = Table(
    "rates",
    "Accuracy and signal detection by group. Unanswered, practice and catch trials are in no rate.",
    (
        text("scope", "what the row is about", words=(*SCOPES, *HOLE_SCOPES), filled=True),
        text("id", "which participant, stimulus, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        integer("hits", "fakes called fake", filled=True),
        integer("misses", "fakes called real", filled=True),
        integer("false_alarms", "reals called fake", filled=True),
        integer("correct_rejections", "reals called real", filled=True),
        number("accuracy", "share of answered trials that are correct", unit=SHARE),
        *ends("accuracy", "its Wilson 95 % interval", unit=SHARE),
        number("accuracy_p", "exact two-sided binomial test against 1/2"),
        number("real_correct", "share of reals called real", unit=SHARE),
        *ends("real", "its Wilson 95 % interval", unit=SHARE),
        number("fake_correct", "share of fakes called fake; the fooling rate is 1 minus this", unit=SHARE),
        *ends("fake", "its Wilson 95 % interval", unit=SHARE),
        number("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        number("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

DETECTION = Table(
    "detection",
    "Signal detection with intervals, by group: fake is the signal.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        *with_ends("hit_rate", "share of fakes called fake", unit=SHARE),
        *with_ends("false_alarm_rate", "share of reals called fake", unit=SHARE),
        *with_ends("fooling_rate", "share of fakes called real", unit=SHARE),
        *with_ends("balanced_accuracy", "mean of the shares of reals and of fakes judged rightly", unit=SHARE),
        *with_ends("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        *with_ends("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *with_ends("beta", "likelihood ratio at the criterion, exp(dprime * criterion)"),
        *with_ends("auc", "area under the ROC curve that dprime implies, Phi(dprime/sqrt 2)", unit=SHARE),
        number("auc_confidence", "area under the empirical ROC curve of answers graded by confidence", unit=SHARE),
        *ends("auc_confidence", unit=SHARE, optional=True),
        text(
            "basis",
            "what the intervals rest on: answers taken as independent (one participant, or one stimulus of each kind), "
            "or clustered by participant and by stimulus; empty: no answers",
            words=("independent", "two_way_cluster"),
        ),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

REACTION_TIMES = Table(
    "reaction_times",
    "Reaction times of answered trials by group.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        integer("n", "number of answered trials with a reaction time", filled=True),
        milliseconds("median_ms", "median"),
        milliseconds("q25_ms", "lower quartile"),
        milliseconds("q75_ms", "upper quartile"),
        milliseconds("geometric_mean_ms", "exp of the mean log reaction time"),
        *PROVENANCE,
    ),
    key=("scope", "id", "kind", "answers"),
)

REACTION_TIME_MODELS = Table(
    "reaction_time_models",
    "Log-normal mixed models of reaction times with crossed random intercepts for participants and stimuli.",
    (
        text("formula", "the model", filled=True),
        text("term", "the fixed effect", filled=True),
        number("estimate", "on the natural log of milliseconds"),
        number("std_error", "its standard error"),
        number("ratio", "exp(estimate); of the intercept: milliseconds"),
        *ends("ratio", "its 95 % interval, by Student's t as `p`"),
        number(
            "p",
            "two-sided Wald test by Student's t with one degree of freedom fewer than the smallest number of "
            "participants or stimuli behind either side of the effect; empty for the intercept",
        ),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number("sd_residual", "standard deviation within"),
        number("log_likelihood", "restricted maximum likelihood"),
        integer("n_trials", "trials with an answer and a reaction time"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note tells which"),
        *PROVENANCE,
    ),
    key=("formula", "term"),
)

SPEED_ACCURACY = Table(
    "speed_accuracy",
    "Are quick answers worse? Accuracy by fifths of each participant's own reaction times.",
    (
        text("kind", "truth of the pictures", words=("all", *KINDS), filled=True),
        integer("part", "1 is each participant's quickest fifth", filled=True),
        integer("n", "trials", filled=True),
        milliseconds("median_ms", "median reaction time"),
        number("accuracy", "share of right answers", unit=SHARE),
        *ends("ci", "its 95 % interval, clustered by participant and by stimulus", unit=SHARE),
        *PROVENANCE,
    ),
    key=("kind", "part"),
)

CHOICES = Table(
    "choices",
    "Which picture of a pair was chosen: by data set (all models together) and by model. Practice and catch trials and "
    "trials without an answer are in no share.",
    (
        text("protocol", "paired: which is real; model_vs_model: which looks more real"),
        DATASET,
        text("model", "the fakes' generator, or the two models `a|b`; empty: all models of the data set together"),
        integer("n", "answered trials", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        number("right", "share in which the real picture was chosen; model_vs_model: that of model a", unit=SHARE),
        *ends("ci", "its Wilson 95 % interval", unit=SHARE),
        number(
            "p",
            "exact two-sided binomial test against 1/2, which takes the answers as independent: no verdict on people "
            "or pictures in general; that is in `comparisons`, measure `chosen`",
        ),
        number("dprime", "paired: sqrt(2) z(right), log-linear correction"),
        *PROVENANCE,
    ),
    key=("protocol", "dataset", "model"),
)

BRADLEY_TERRY = Table(
    "bradley_terry",
    "What pairs say of each contestant's strength (Bradley & Terry 1952), the real picture being one of them.",
    (
        DATASET,
        text("contestant", "a model, or `real`", filled=True),
        integer("n", "answered pairs with it", filled=True),
        integer("wins", "pairs in which it was chosen", filled=True),
        number("strength", "log-odds scale; the strengths of a data set's contestants sum to 0"),
        number("std_error", "clustered by participant and by item"),
        *ends("ci"),
        number("win_share", "chance to be chosen beside the average contestant", unit=SHARE),
        *PROVENANCE,
    ),
    key=("dataset", "contestant"),
)

RATINGS = Table(
    "ratings",
    "Grades of single pictures: the reals and the fakes of each data set, and the fakes of each model. Practice and "
    "catch trials and trials without a grade are in no mean.",
    (
        DATASET,
        KIND,
        text("model", "the generator's name; empty: real pictures, or all models of the data set together"),
        integer("n", "graded trials", filled=True),
        integer("n_none", "trials without a grade", filled=True),
        integer("n_participants", "participants who gave them", filled=True),
        number("mean", "mean grade; the mean of the participants' means, each counting alike"),
        number("sd", "standard deviation of the single grades"),
        *ends("ci", "the mean's 95 % interval, Student's t between participants"),
        *PROVENANCE,
    ),
    key=("dataset", "kind", "model"),
)

OPINION_SCORES = Table(
    "opinion_scores",
    "Mean opinion score of each graded picture (ITU-R BT.500, ITU-T P.910).",
    (
        STIMULUS,
        ITEM,
        KIND,
        MODEL,
        DATASET,
        integer("n", "grades that count", filled=True),
        number("mos", "their mean; screening p910: the maximum-likelihood quality"),
        number("sd", "standard deviation of the grades that count"),
        *ends("ci"),
        text("screening", "how observers were screened", words=("none", "bt500", "p910"), filled=True),
        *PROVENANCE,
    ),
    key=("stimulus",),
)

RATERS = Table(
    "raters",
    "Each participant as a rater: what the screening of grades found.",
    (
        PARTICIPANT,
        integer("n", "grades given", filled=True),
        number("bias", "mean difference to the pictures' mean grades (P.910: its estimate)"),
        number("inconsistency", "standard deviation of the grades around picture and bias (P.910: its estimate)"),
        number("outlier_share", "BT.500: share of grades beyond the limits, (P + Q) / n", unit=SHARE),
        number("outlier_skew", "BT.500: |P - Q| / (P + Q)", unit=SHARE),
        boolean("rejected", "left out of the opinion scores by the planned screening", filled=True),
        *PROVENANCE,
    ),
    key=("participant",),
)

AGREEMENT = Table(
    "agreement",
    "Do participants agree with each other? Krippendorff's alpha (Krippendorff 2004).",
    (
        text("answer", "what they gave", words=("response", "rating", "choice"), filled=True),
        DATASET,
        text("kind", "pictures of one truth, or all", words=("all", *KINDS), filled=True),
        text("level", "of measurement", words=("nominal", "ordinal"), filled=True),
        integer(
            "n_stimuli",
            "stimuli with at least two participants' answers; choices: items with their two contestants",
            filled=True,
        ),
        integer("n_participants", "participants", filled=True),
        integer("n_answers", "answers to them", filled=True),
        number("alpha", "1 is agreement, 0 what chance gives"),
        *ends("ci", "its 95 % interval: percentiles of a bootstrap over stimuli"),
        *PROVENANCE,
    ),
    key=("answer", "dataset", "kind", "level"),
)

THRESHOLDS = Table(
    "thresholds",
    "What came of the staircase of each session and block; how: `gan_eval/staircases.py`.",
    (
        SESSION,
        PARTICIPANT,
        integer("block", "number of the block within the session, from 1", filled=True),
        DATASET,
        integer("reversals", "how often the exposure turned round", filled=True),
        milliseconds("threshold_ms", "mean exposure of the reversals after the first four; empty: fewer than four"),
        milliseconds("mode_ms", "exposure shown most often after the first four reversals; empty: as threshold_ms"),
        text(
            "bound",
            "the end of the range that was shown most often: the threshold is close to it or beyond; empty: neither, "
            "or the range is not known",
            words=("shortest", "longest"),
        ),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("session", "block"),
)

HYPE = Table(
    "hype",
    "HYPE scores (Zhou et al. 2019, arXiv 1904.01121): error rate without a time limit, threshold with one.",
    (
        text("score", "which score", words=("hype_infinity", "hype_time"), filled=True),
        DATASET,
        text("model", "the fakes' generator; empty: all models of the data set together"),
        integer("n_participants", "participants behind it", filled=True),
        number(
            "value",
            "mean over participants; hype_infinity: error rate, the mean of those on reals and on fakes; hype_time: "
            "the exposure that their staircase showed most often",
        ),
        *ends("ci", "its 95 % interval: percentiles of a bootstrap over participants"),
        text("unit", "of value and interval", words=("%", "ms"), filled=True),
        number("error_real", "error rate on reals, mean over participants", unit="%"),
        number("error_fake", "error rate on fakes, mean over participants", unit="%"),
        *PROVENANCE,
    ),
    key=("score", "dataset", "model"),
)
