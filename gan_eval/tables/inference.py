"""What models and tests conclude from the answers, and what a planned study could."""

from gan_eval.tables.schema import (
    ANALYSIS_RUN,
    DATASET,
    FRACTION,
    PROVENANCE,
    SHARE,
    SIMULATED,
    Column,
    Table,
    boolean,
    ends,
    integer,
    number,
    text,
)

MIXED_MODELS = Table(
    "mixed_models",
    "Mixed models of single answers with crossed random intercepts for participants and stimuli.",
    (
        text("formula", "the model", filled=True),
        text("link", "logit or probit", words=("logit", "probit"), filled=True),
        text(
            "term",
            "the fixed effect: `intercept`, `kind[real]` (real minus fake), `kind[fake]`, `dataset[NAME]` (coded by "
            "their sum), a covariate (for one unit) or `COVARIATE[LEVEL]` (against the commonest level)",
            filled=True,
        ),
        number("estimate", "its estimate on the link's scale"),
        number("std_error", "its standard error"),
        number("z", "estimate / standard error"),
        number("p", "two-sided Wald test"),
        *ends("ci", "its Wald 95 % interval"),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number(
            "lrt_chi2",
            "likelihood-ratio statistic against the model without the term; the levels of a category go together",
            optional=True,
        ),
        integer("lrt_df", "its degrees of freedom", optional=True),
        number("lrt_p", "its p", optional=True),
        number("sd_slope", "standard deviation of the participants' slopes, where the formula has them", optional=True),
        number(
            "slope_correlation", "correlation of the participants' intercepts and slopes", unit="-1..1", optional=True
        ),
        number("log_likelihood", "Laplace approximation"),
        integer("n_trials", "answered trials"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note tells which"),
        boolean(
            "exploratory",
            "not in the study's plan, or resting on exclusions that are not; empty: no plan was given",
            optional=True,
        ),
        Column("note", "text", "what a reader must know; why there is no estimate"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("formula", "link", "term"),
)

MODEL_CHECKS = Table(
    "model_checks",
    "Each fixed effect of the mixed models, judged in a way that assumes less. Its estimates are averages over "
    "people and pictures, so nearer 0 than the mixed model's by nature.",
    (
        text("formula", "the mixed model", filled=True),
        text("link", "logit or probit", words=("logit", "probit"), filled=True),
        text("term", "the fixed effect", filled=True),
        text(
            "method",
            "how it was judged; the bootstrap: by earlier versions",
            words=("two_way_cluster", "two_way_bootstrap"),
            filled=True,
        ),
        number("estimate", "of the model without random effects, on the link's scale"),
        number("std_error", "its standard error"),
        *ends("ci"),
        number("p", "two-sided"),
        boolean("agrees", "it says of `different from 0` what the mixed model's Wald interval says"),
        *PROVENANCE,
    ),
    key=("formula", "link", "term", "method"),
)

COMPARISONS = Table(
    "comparisons",
    "Model against model, group against group.",
    (
        text(
            "comparison",
            "what is compared; `..., sensitivity: without RULE`: beside the answer, without the people that a rule on "
            "their outcome names",
            filled=True,
        ),
        text("a", "first group", filled=True),
        text("b", "second group", filled=True),
        text("measure", "the number that is compared", filled=True),
        number("difference", "a - b; measure `chosen`: share of pairs in which a was chosen, less one half"),
        *ends("ci"),
        number("p", "two-sided"),
        number("p_holm", "after Holm's correction over the comparisons of one kind; exploratory ones among themselves"),
        number(
            "margin",
            "equivalence margin fixed by the study: models are equivalent where |difference| is below it; told apart, "
            "where balanced accuracy is within it of 1/2, so |difference| below twice the margin; empty: not judged",
            unit=SHARE,
        ),
        number(
            "ci90_low",
            "lower end of its 90 % interval, which is held against the margin (told apart: against twice the margin)",
            optional=True,
        ),
        number("ci90_high", "upper end of its 90 % interval", optional=True),
        number("p_equivalent", "the larger of two one-sided tests against the margin; not corrected", optional=True),
        boolean(
            "noninferior",
            "a falls short of b by less than the margin; empty: not planned",
            optional=True,
        ),
        text(
            "basis",
            "what difference, interval and p rest on: the crossed mixed model, averaged over participants and "
            "stimuli; two-way clustered shares; or answers taken as independent",
            words=("crossed_model", "two_way_cluster", "independent"),
            optional=True,
        ),
        number("check_p", "p of the two-way clustered shares, beside a crossed model", optional=True),
        text(
            "verdict",
            "different: p_holm below 0.05; else equivalent: 90 % interval within the margin (each row alone, without "
            "correction); else undecided; empty: no difference, or a sensitivity row",
            words=("different", "equivalent", "undecided"),
        ),
        integer("n_a", "trials of a; measure `chosen`: pairs in which a was chosen"),
        integer("n_b", "trials of b; measure `chosen`: pairs in which b was chosen"),
        boolean(
            "exploratory",
            "not in the study's plan, or resting on exclusions or a margin that are not; empty: no plan was given",
        ),
        Column("note", "text", "what a reader must know"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("comparison", "a", "b", "measure"),
)

CORRELATIONS = Table(
    "correlations",
    "Agreement of a metric with people.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric", "name of the metric", filled=True),
        text("measure", "what people did: fooling_rate, ...", filled=True),
        integer("n", "stimuli or models", filled=True),
        number("spearman", "rank correlation"),
        *ends("ci"),
        number("kendall", "tau-b"),
        number("pearson", "linear correlation"),
        number(
            "pearson_logistic",
            "linear correlation with the metric mapped by a monotonic logistic fit (ITU-T P.1401); 0 or more whatever "
            "the direction",
            optional=True,
        ),
        number("p", "two-sided test of spearman against 0"),
        number(
            "ceiling",
            "reliability ceiling of the human scores: the rank correlation that a metric knowing the true rates would "
            "reach; root of the split-half reliability over participants, stepped up by Spearman and Brown",
            unit=SHARE,
        ),
        Column("note", "text", "what a reader must know"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("level", "dataset", "metric", "measure"),
)

CORRELATION_DIFFERENCES = Table(
    "correlation_differences",
    "Which of two metrics follows people better? Their rank correlations with people are dependent.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric_a", "first metric", filled=True),
        text("metric_b", "second metric", filled=True),
        text("measure", "what people did: fooling_rate, ...", filled=True),
        integer("n", "points that have both", filled=True),
        number("agreement_a", "strength of agreement, |Spearman|, of the first"),
        number("agreement_b", "of the second"),
        number("difference", "a - b"),
        *ends("ci", "its 95 % interval, two-way bootstrap"),
        number("z", "Steiger's test of two dependent correlations, for rank correlations; empty below 10 points"),
        number("p", "two-sided"),
        number("p_holm", "after Holm's correction over the pairs of a level and data set"),
        text(
            "follows_better",
            "the metric whose lead survives the correction and whose interval leaves 0 out; empty: undecided",
        ),
        *PROVENANCE,
    ),
    key=("level", "dataset", "metric_a", "metric_b", "measure"),
)

METRIC_MODELS = Table(
    "metric_models",
    "Does a metric tell which single picture fools? Crossed mixed models of `called real` on a picture's metric value.",
    (
        DATASET,
        text("metric", "name of the metric", filled=True),
        number("estimate", "log-odds of being called real for one standard deviation more of the metric"),
        number("std_error", "its standard error"),
        *ends("ci", "its Wald 95 % interval"),
        number("p", "two-sided Wald test"),
        number("lrt_chi2", "likelihood-ratio statistic against the model without the metric"),
        number("lrt_p", "its p"),
        number("p_holm", "lrt_p after Holm's correction over a data set's metrics"),
        number("metric_sd", "one standard deviation of the metric over the pictures"),
        number("explained", "share of the pictures' variance that goes with the metric", unit=SHARE),
        integer("n_trials", "answered trials of fakes with a value"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note tells which"),
        *PROVENANCE,
    ),
    key=("dataset", "metric"),
)

POWER = Table(
    "power",
    "What a study of this design would find, by simulation through the primary model.",
    (
        text("question", "what is asked: told apart; a model against another; equivalence", filled=True),
        integer("participants", "number invited; empty: the ceiling, without limit"),
        integer("trials", "trials of each participant", filled=True),
        integer("stimuli", "different stimuli (of pairs: pairs) in the pool that the question is about", filled=True),
        number("effect", "true difference of shares, over all people and pictures", unit="-1..1", filled=True),
        integer("simulations", "simulated studies", filled=True),
        integer("failed", "of them without an estimate: they count as not found", filled=True),
        number("power", "share of simulated studies that find it", unit=SHARE),
        *ends("ci", "its Wilson 95 % interval", unit=SHARE),
        number("interval_width", "expected width of the difference's 95 % interval", unit=SHARE),
        boolean("recommended", "the smallest number that reaches the wanted power"),
        text("note", "what a reader must know"),
    ),
    key=("question", "participants", "trials", "stimuli"),
)
