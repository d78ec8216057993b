"""Scripts for R: one reads the CSV files with the right types (R's own files, .rds, only R can write), one fits the
crossed mixed models by lme4, for a reviewer who wants them from another program.
"""

from collections.abc import Iterable

from gan_eval.store.export.dictionary import TIMING
from gan_eval.tables.cells import FORMULA
from gan_eval.tables.schema import Table

_HEAD = """\
# Reads the tables of this folder, with types and factor levels: source("read.R", chdir = TRUE)
# {timing}

as_type <- function(cells, type) {{
  if (length(type) > 1) return(factor(cells, levels = type[-1]))
  switch(type,
    int = as.numeric(cells), # R's integers end at 2^31
    float = as.numeric(cells),
    bool = as.logical(cells),
    instant = as.POSIXct(strptime(cells, "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")),
    cells
  )
}}

# the apostrophe that keeps a spreadsheet from running a cell is none of its text
as_meant <- function(cells) sub("^'(?={formula})", "", cells, perl = TRUE)

read_one <- function(name, types) {{
  cells <- read.csv( # encoding, not fileEncoding: the latter loses cells where R's locale is not UTF-8
    paste0(name, ".csv"), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8"
  )
  names(cells) <- as_meant(names(cells))
  cells[] <- lapply(cells, as_meant)
  for (column in names(types)) cells[[column]] <- as_type(cells[[column]], types[[column]])
  cells
}}
"""


def r_script(tables: Iterable[Table]) -> str:
    """The text of `read.R`: one data frame for each table, by the table's name."""
    parts = [_HEAD.format(timing=TIMING, formula=FORMULA)]
    for table in tables:
        types = []
        for column in table.columns:  # as `as_type` of the script takes it: a name, or "factor" with its levels
            words = ", ".join(f'"{word}"' for word in ("factor", *column.words))
            types.append(f"  {column.name} = " + (f"c({words})" if column.words else f'"{column.dtype}"'))
        of_columns = ",\n".join(types)
        parts.append(f'{table.name} <- read_one("{table.name}", list(\n{of_columns}\n))\n')
    return "\n".join(parts)


ANALYSIS_R = """\
# The crossed mixed models of single answers, by lme4: Rscript analysis.R (or source("analysis.R", chdir = TRUE))
# It prints each model and leaves the data frame `results`: the columns of mixed_models.csv under the same names.
# It counts the answered main trials of single pictures (a rating given with a response is not used), as gan_eval does.
# If the study excludes trials or participants, apply its rules where `answered` is made.

library(lme4)

link <- "logit" # or "probit": called_fake ~ kind then gives d' (DeCarlo 1998)

source("read.R")
given <- function(column) !is.na(trials[[column]])
is_one_of <- function(column, words) given(column) & trials[[column]] %in% words
answered <- trials[
  is_one_of("phase", "main") & given("participant") & given("kind") &
    is_one_of("response", c("real", "fake")) & given("stimulus") &
    !given("choice") & !is_one_of("protocol", c("paired", "model_vs_model", "rating")),
]
answered$real <- as.numeric(answered$kind == "real")
answered$fake <- as.numeric(answered$kind == "fake")
answered$correct <- as.numeric(as.character(answered$kind) == as.character(answered$response))
answered$called_fake <- as.numeric(answered$response == "fake")

# Data sets enter where several have both kinds, coded by their sum: the intercept is their mean.
several <- sum(rowSums(table(answered$dataset, answered$kind) > 0) == 2) > 1
with_dataset <- answered[!is.na(answered$dataset), ]
datasets <- sort(unique(with_dataset$dataset), method = "radix")
if (several) {
  coding <- contr.sum(length(datasets))
  with_dataset$dataset <- coding[match(with_dataset$dataset, datasets), , drop = FALSE]
}

# The default tolerance of the inner steps, 1e-7, leaves errors of up to 1 % in some fits.
control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10)

# `slope` is the kind's column where its effect varies from participant to participant, else "".
fit <- function(outcome, effects, data, slope) {
  people <- if (slope == "") "(1|participant)" else sprintf("(1 + %s|participant)", slope)
  formula <- as.formula(paste(outcome, "~", paste(c(effects, people, "(1|stimulus)"), collapse = " + ")))
  best <- glmer(formula, data = data, family = binomial(link), nAGQ = 1, control = control)
  if (slope != "" && isSingular(best)) { # the search can stop short of the maximum there: start from two other points
    for (sign in c(-1, 1)) {
      theta <- getME(best, "theta")
      theta[startsWith(names(theta), "participant")] <- c(0.3, sign * 0.3, 0.3)
      again <- update(best, start = list(theta = theta, fixef = fixef(best)))
      if (logLik(again) > logLik(best)) best <- again
    }
  }
  best
}

# A formula's fixed effects with their Wald tests, and each effect's likelihood-ratio test by anova; 1 is the intercept.
judge <- function(name, outcome, effects, data, kind, slope = FALSE) {
  people <- if (slope) "(1 + kind|participant)" else "(1|participant)"
  name <- paste(outcome, "~", name, "+", people, "+ (1|stimulus)")
  slope <- if (slope) kind else ""
  full <- fit(outcome, c("1", effects), data, slope)
  cat("\\n==", name, "==\\n")
  print(summary(full), correlation = FALSE)
  estimates <- summary(full)$coefficients
  tests <- matrix(NA_real_, nrow(estimates), 3, dimnames = list(NULL, c("lrt_chi2", "lrt_df", "lrt_p")))
  for (effect in c("1", effects)) {
    left <- if (effect == "1") c("0", effects) else c("1", setdiff(effects, effect))
    reduced <- fit(outcome, left, data, slope)
    tested <- anova(reduced, full)
    cat("\\nwithout", effect, "\\n")
    print(tested)
    own <- startsWith(rownames(estimates), if (effect == "1") "(Intercept)" else effect)
    tests[own, ] <- rep(unlist(tested[2, c("Chisq", "Df", "Pr(>Chisq)")]), each = sum(own))
  }
  term <- rownames(estimates)
  term[term == "(Intercept)"] <- "intercept"
  term[term == kind] <- sprintf("kind[%s]", kind)
  summed <- startsWith(term, "dataset")
  term[summed] <- sprintf("dataset[%s]", datasets[seq_len(sum(summed))])
  people <- VarCorr(full)$participant
  data.frame(
    formula = name, link = link, term = term,
    estimate = estimates[, "Estimate"], std_error = estimates[, "Std. Error"],
    z = estimates[, "z value"], p = estimates[, "Pr(>|z|)"],
    sd_participant = attr(people, "stddev")[[1]],
    sd_stimulus = attr(VarCorr(full)$stimulus, "stddev")[[1]],
    tests, sd_slope = if (slope == "") NA_real_ else attr(people, "stddev")[[2]],
    slope_correlation = if (slope == "") NA_real_ else attr(people, "correlation")[1, 2],
    log_likelihood = as.numeric(logLik(full)), n_trials = nrow(data), singular = isSingular(full),
    row.names = NULL
  )
}

results <- judge("1", "correct", c(), answered, "")
if (length(unique(answered$kind)) == 2) {
  # The last one is the model behind `told apart`: sensitivity of these people, allowing for their leanings and skills.
  for (slope in c(FALSE, TRUE)) {
    results <- rbind(results, judge("kind", "correct", "real", answered, "real", slope))
    results <- rbind(results, if (several) {
      judge("kind + dataset", "called_fake", c("fake", "dataset"), with_dataset, "fake", slope)
    } else {
      judge("kind", "called_fake", "fake", answered, "fake", slope)
    })
  }
}
cat("\\n")
print(results, digits = 6)
"""
"""The text of `analysis.R`."""
