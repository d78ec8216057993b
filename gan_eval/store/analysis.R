# The crossed mixed models of single answers, by lme4: Rscript analysis.R (or source("analysis.R", chdir = TRUE))
# It prints each model and writes mixed_models_R.csv, the columns of mixed_models.csv under the same names (also the data
# frame `results`), without the models with covariates. Grades and confidence need the package ordinal. Then
# it writes paper_R.csv, the table to cite with the columns of paper.csv, and effects_R.csv: the conditional modes of each
# participant and picture (lme4's `ranef`, shrunk towards the mean) in the models behind its rows.
# It counts the answered main trials of single pictures in complete sessions (a rating given with a response is not
# used), those of simulated participants only where no person has answered, as gan_eval does.
# If the study excludes trials or participants, apply its rules where `answered` is made.

library(lme4)
cat(R.version.string, "with lme4", as.character(packageVersion("lme4")), "\n")

link <- "logit" # or "probit": called_fake ~ kind then gives d' (DeCarlo 1998)
margin <- NA # of equivalence, as a share: 0.05 is 5 points of balanced accuracy

source("read.R")
if (exists("sessions")) { # the tables of a store
  if (!all(trials$simulated)) trials <- trials[!trials$simulated, ]
  trials <- trials[!trials$session %in% sessions$session[sessions$status != "complete"], ]
}
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

# The default tolerance of the inner steps, 1e-7, leaves errors of up to 1 % in some fits, and 1e-12 in some Hessians.
control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13)

search <- function(formula, data, ...) {
  glmer(as.formula(formula), data = data, family = binomial(link), nAGQ = 1, control = control, ...)
}

# A search can stop short of the maximum where a slope's fit is singular: start from two other points, too.
highest <- function(formula, data) {
  best <- search(formula, data)
  start <- getME(best, "theta")
  factors <- sub("[.].*", "", names(start))
  is_corner <- getME(best, "lower")[seq_along(start)] < 0 # of an intercept and a slope that are correlated
  for (slopes in unique(factors[is_corner])) {
    if (!isSingular(best)) next
    for (sign in c(-1, 1)) {
      theta <- replace(start, factors == slopes, c(0.3, sign * 0.3, 0.3))
      again <- search(formula, data, start = list(theta = theta, fixef = fixef(best)))
      if (logLik(again) > logLik(best)) best <- again
    }
  }
  best
}

# The covariance of a fit's random effects (theta) and fixed effects, by the Hessian of the likelihood, with their values
# `at` and those that are `free`: an SD that is estimated at 0 has no error. lme4's own errors of such singular fits
# differ from version to version: from 1.1-38 on they are 4 to 15 % smaller.
with_errors <- function(best, formula, data) {
  at <- c(getME(best, "theta"), fixef(best))
  free <- !(getME(best, "lower")[seq_along(at)] %in% 0 & at < 1e-4)
  free[is.na(free)] <- TRUE
  deviance <- search(formula, data, devFunOnly = TRUE)
  moved <- function(part) replace(at, free, part)
  halved <- function(part) deviance(unname(moved(part))) / 2
  # Of smaller steps the error of the inner search is not small enough.
  information <- optimHess(at[free], halved, control = list(ndeps = rep(1e-2, sum(free))))
  list(at = at, free = free, covariance = solve(information))
}

# A fit that is impossible (one participant, answers that are all alike) says why, and leaves its rows out.
attempt <- function(fitted) {
  tryCatch(fitted, error = function(reason) {
    message("no fit: ", conditionMessage(reason))
    NULL
  })
}

# Effects that vary within participants, or within pictures (of an item), have slopes for each of them.
varies_within <- function(effect, level) {
  sum(tapply(as.character(effect), as.character(level), function(values) length(unique(values))) > 1, na.rm = TRUE) > 1
}
centred <- function(x) { # one column of numbers with the mean 0
  if (!is.numeric(x)) x <- as.numeric(factor(x))
  x - mean(x)
}
random_part <- function(level, varying, data) {
  if (!length(varying)) return(sprintf("(1|%s)", level))
  is_column <- sapply(varying, function(effect) length(unique(data[[effect]])) == 2)
  if (length(varying) == 1 && is_column) return(sprintf("(1 + %s|%s)", varying, level))
  own <- ifelse(is_column, sprintf("(0 + centred(%s)|%s)", varying, level), sprintf("(1|%s:%s)", level, varying))
  paste(c(sprintf("(1|%s)", level), own), collapse = " + ")
}

# The number of intercepts and slopes of a factor.
n_effects <- function(level, varying, data) {
  own <- sapply(varying, function(effect) {
    values <- length(unique(data[[effect]]))
    nrow(unique(data[c(level, if (values > 2) effect)]))
  })
  length(unique(data[[level]])) + sum(as.numeric(own))
}

# The formulas of an outcome with random intercepts, and with slopes, by item where pictures share items: the text, and
# the reason why the intercept, and the terms of each effect, have no test.
formulas_of <- function(outcome, effects, data) {
  shared <- length(unique(data$item)) < length(unique(data$stimulus))
  described <- function(slopes) {
    second <- if (shared && slopes) "item" else "stimulus"
    found <- lapply(c("participant", second), function(level) {
      needed <- if (level == "participant" || nrow(data) > 2 * length(unique(data[[level]]))) {
        effects[sapply(effects, function(effect) varies_within(data[[effect]], data[[level]]))]
      }
      has <- slopes && nrow(data) > n_effects(level, needed, data)
      list(text = random_part(level, if (has) needed, data), missing = if (!has) needed)
    })
    missing <- unlist(lapply(found, function(part) part$missing))
    otherwise <- if (shared && !slopes) "shared items" else NA
    parts <- c(if (length(effects)) effects else "1", found[[1]]$text, found[[2]]$text)
    list(
      text = paste(outcome, "~", paste(parts, collapse = " + ")),
      level = second,
      untested = ifelse(c(length(missing) > 0, effects %in% missing), "no slope", otherwise)
    )
  }
  list(described(FALSE), described(TRUE))
}

# The degrees of freedom: the fewest participants or pictures of a side, minus 1.
df_of <- function(column, data, level) {
  sides <- if (length(unique(column)) == 2) column == min(column) else rep(TRUE, nrow(data))
  fewest <- function(name) min(tapply(data[[name]], sides, function(values) length(unique(values))))
  min(fewest("participant"), fewest(level)) - 1
}

# The SDs of a factor's intercepts and of an effect's slopes; NA: it has none.
sd_of <- function(fitted, level, effect) {
  parts <- VarCorr(fitted)
  names(parts) <- sub("[.][0-9]+$", "", names(parts))
  sds <- unlist(lapply(unname(parts[names(parts) == level]), function(part) attr(part, "stddev")))
  own <- startsWith(names(sds), effect) | startsWith(names(sds), sprintf("centred(%s)", effect))
  apart <- parts[names(parts) %in% paste0(level, c(":", ".", "_"), effect)]
  slope <- c(sds[own & effect != ""], unlist(lapply(apart, function(part) attr(part, "stddev"))), NA)
  c(intercept = sds[["(Intercept)"]], slope = slope[[1]])
}

# A formula's fixed effects with their Wald tests.
judge <- function(formula, effects, data, graded) {
  cat("\n==", formula$text, "==\n")
  if (graded) {
    for (level in c("participant", formula$level)) { # clmm knows no participant:model
      for (own in effects) data[[paste0(level, "_", own)]] <- factor(paste(data[[level]], data[[own]], sep = ":"))
    }
    full <- ordinal::clmm(as.formula(gsub("([|][a-z]+):", "\\1_", formula$text)), data = data, Hess = TRUE)
    print(summary(full))
    estimate <- coef(full)
    std_error <- sqrt(diag(vcov(full)))[seq_along(estimate)]
    columns <- model.matrix(reformulate(if (length(effects)) effects else "1"), data)
    of_effect <- attr(columns, "assign")[-1]
    columns <- columns[, -1, drop = FALSE]
    cuts <- length(full$alpha)
    term <- c(sprintf("threshold[%s]", names(full$alpha)), colnames(columns))
    of_effect <- c(rep(0, cuts), of_effect)
    singular <- any(sapply(VarCorr(full), function(part) min(attr(part, "stddev")) < 1e-4))
  } else {
    full <- highest(formula$text, data)
    print(summary(full), correlation = FALSE)
    found <- with_errors(full, formula(full), data)
    estimate <- fixef(full)
    std_error <- sqrt(diag(found$covariance))[cumsum(found$free)[length(found$at) - rev(seq_along(estimate)) + 1]]
    columns <- model.matrix(full)
    cuts <- 0
    term <- names(estimate)
    of_effect <- attr(columns, "assign")
    singular <- isSingular(full)
  }
  effect <- c("", effects)[of_effect + 1]
  named <- function(effect, term) sprintf("%s[%s]", effect, substring(term, nchar(effect) + 1))
  is_term <- effect != ""
  term[is_term] <- named(effect[is_term], term[is_term])
  summed <- effect == "dataset"
  term[summed] <- sprintf("dataset[%s]", levels(data$dataset)[seq_len(sum(summed))])
  term[term == "(Intercept)"] <- "intercept"
  df <- sapply(seq_along(term), function(number) {
    df_of(if (number > cuts) columns[, number - cuts] else rep(1, nrow(data)), data, formula$level)
  })
  untested <- formula$untested[of_effect + 1]
  untested[is.na(untested) & df < 1] <- "too few"
  z <- ifelse(is.na(untested), estimate / std_error, NA)
  reach <- ifelse(is.na(untested), qt(0.975, pmax(df, 1)) * std_error, NA)
  people <- sapply(effect, function(own) sd_of(full, "participant", own))
  pictures <- sapply(effect, function(own) sd_of(full, formula$level, own))
  correlated <- VarCorr(full)$participant
  has_slope <- !is.na(people["slope", ]) & ncol(correlated) == 2
  data.frame(
    formula = formula$text, link = if (graded) "cumulative_logit" else link, term = term,
    estimate = unname(estimate), std_error = unname(std_error), z = unname(z), p = unname(2 * pt(-abs(z), pmax(df, 1))),
    untested = untested, ci_low = unname(estimate - reach), ci_high = unname(estimate + reach),
    sd_participant = people["intercept", ], sd_stimulus = pictures["intercept", ],
    sd_slope = people["slope", ], sd_slope_stimulus = pictures["slope", ],
    slope_correlation = ifelse(has_slope, attr(correlated, "correlation")[1, ncol(correlated)], NA),
    log_likelihood = as.numeric(logLik(full)), n_trials = nrow(data),
    n_participants = length(unique(data$participant)), n_stimuli = length(unique(data$stimulus)), singular = singular,
    row.names = NULL
  )
}

# The rows of an outcome: with random intercepts (unless `intercepts` is FALSE), then with slopes where these differ.
rows_of_outcome <- function(outcome, effects, data, graded = FALSE, intercepts = TRUE) {
  data$item <- if (anyNA(data$item)) ifelse(is.na(data$item), data$stimulus, data$item) else data$item
  data$kind <- factor(data$kind, levels = if (outcome == "called_fake") c("real", "fake") else c("fake", "real"))
  if (!graded && length(unique(data[[outcome]])) < 2) return(NULL)
  if (graded) {
    data[[outcome]] <- factor(data[[outcome]], ordered = TRUE)
    if (nlevels(data[[outcome]]) < 2 || nlevels(data[[outcome]]) > 12) return(NULL)
    data$model <- factor(data$model, levels = sort(unique(data$model), method = "radix"))
  }
  both <- formulas_of(outcome, effects, data)
  if (!intercepts) both <- both[2] else if (both[[1]]$text == both[[2]]$text) both <- both[1]
  do.call(rbind, lapply(both, function(formula) attempt(judge(formula, effects, data, graded))))
}

results <- rows_of_outcome("correct", c(), answered)
if (length(unique(answered$kind)) == 2) {
  # The last one is the model behind `told apart`: sensitivity of these people, allowing for their leanings and skills.
  # Data sets enter where several have both kinds, coded by their sum: the intercept is their mean.
  several <- sum(rowSums(table(answered$dataset, answered$kind) > 0) == 2) > 1
  with_dataset <- answered[!several | !is.na(answered$dataset), ]
  if (several) {
    datasets <- sort(unique(with_dataset$dataset), method = "radix")
    with_dataset$dataset <- factor(with_dataset$dataset, levels = datasets)
    contrasts(with_dataset$dataset) <- contr.sum(length(datasets))
  }
  results <- rbind(
    results,
    rows_of_outcome("correct", "kind", answered),
    rows_of_outcome("called_fake", c("kind", if (several) "dataset"), with_dataset, intercepts = FALSE)
  )
}
graded <- trials[
  is_one_of("phase", "main") & given("participant") & given("stimulus") & !given("choice") &
    !is_one_of("protocol", c("paired", "model_vs_model")) &
    (is_one_of("protocol", "rating") | (given("rating") & !given("response"))),
]
for (outcome in c("rating", "confidence")) {
  data <- if (outcome == "rating") graded else answered
  data <- data[is.finite(data[[outcome]]), ]
  if (!nrow(data)) next
  if (!requireNamespace("ordinal", quietly = TRUE)) {
    message("no model of ", outcome, ": install the package ordinal")
    next
  }
  fakes <- data[data$kind %in% "fake" & !is.na(data$model), ]
  several <- length(unique(fakes$model)) > 1
  kinds <- length(unique(data$kind[!is.na(data$kind)])) == 2
  if (several) results <- rbind(results, rows_of_outcome(outcome, "model", fakes, TRUE))
  if (kinds) results <- rbind(results, rows_of_outcome(outcome, "kind", data[!is.na(data$kind), ], TRUE))
  if (!several && !kinds) results <- rbind(results, rows_of_outcome(outcome, c(), data, TRUE))
}
cat("\nStandard errors of lme4's models by the Hessian of the likelihood, which lme4's own above need not be:\n")
print(results, digits = 6)
if (!is.null(results)) write.csv(results, "mixed_models_R.csv", row.names = FALSE, na = "")

# The table to cite, `paper.csv`, of single pictures and of pairs with the real one: one model for each row, averaged
# over participants and pictures. Its numbers are those of `paper.csv` where `basis` is crossed_model, as the search of
# lme4 comes near them. Where a model has no estimate, the numbers are empty; `paper.csv` then has clustered shares.

columns <- c(
  "protocol", "model", "dataset", "n_participants", "n_fake", "n_real", "n_unknown", "n_answers",
  "n_only_real", "n_only_fake", "fooling_rate", "fooling_low", "fooling_high", "real_called_real", "real_low",
  "real_high", "shared_real", "shared_real_low", "shared_real_high",
  "accuracy", "accuracy_low", "accuracy_high", "accuracy90_low", "accuracy90_high",
  "dprime", "dprime_low", "dprime_high", "p", "p_holm", "chosen", "chosen_low", "chosen_high",
  "preference", "preference_low", "preference_high",
  "grade", "grade_low", "grade_high", "threshold_ms", "threshold_ms_low", "threshold_ms_high",
  "verdict", "basis", "untested", "exploratory", "simulated", "note", "fraction", "run"
)
largest <- if (link == "probit") c(sd = 4, eta = 6) else c(sd = 7, eta = 10)
count <- function(column) length(unique(column))
both <- function(outcome, group) sum(tapply(outcome, group, count) == 2)

# Population-averaged shares of the outcome, each the weighted mean of its cells, with their covariance; NULL without
# an estimate. `side` of a cell is the value of the slope's column.
averaged <- function(data, outcome, weights, side = 0 * weights[, 1]) {
  if (any(tapply(data[[outcome]], data$cell, count) == 1) || count(data$participant) < 2) return(NULL)
  if (any(side != 0) && are_partners(data) && nrow(data) > 2 * count(data$item)) {
    by_item <- attempt(averaged_by(data, outcome, weights, side, "item"))
    if (!is.null(by_item)) return(by_item)
  }
  averaged_by(data, outcome, weights, side, "stimulus")
}

# Whether nearly all answers are to items of which one real and one generated picture were judged.
are_partners <- function(data) {
  pictures <- unique(data[c("item", "stimulus", "kind")])
  versions <- table(pictures$item, pictures$kind)
  all(versions <= 1) && mean(data$item %in% rownames(versions)[rowSums(versions) == 2]) >= 0.8
}

# The same with items, which have slopes, or pictures as the second factor.
averaged_by <- function(data, outcome, weights, side, level) {
  slope <- any(side != 0)
  people <- if (slope) "(1 + side|participant)" else "(1|participant)"
  pictures <- if (level == "item") "(1 + side|item)" else "(1|stimulus)"
  cells <- if (nlevels(data$cell) > 1) "0 + cell" else "1"
  formula <- paste(outcome, "~", cells, "+", people, "+", pictures)
  best <- highest(formula, data)
  found <- with_errors(best, formula, data)
  theta <- getME(best, "theta")
  spread_of <- function(theta, factor) {
    part <- function(name) theta[paste0(factor, ".", name)]
    if (is.na(part("side"))) return(part("(Intercept)")^2 + 0 * side)
    (part("(Intercept)") + part("side.(Intercept)") * side)^2 + (part("side") * side)^2
  }
  spread <- function(theta) spread_of(theta, "participant") + spread_of(theta, level)
  sds <- c(attr(VarCorr(best)$participant, "stddev"), attr(VarCorr(best)[[level]], "stddev"))
  if (max(sds) > largest["sd"] || max(abs(fixef(best))) > largest["eta"]) return(NULL)
  shares <- function(at) {
    eta <- at[length(theta) + seq_along(side)]
    mean_share <- function(eta, sd) {
      if (link == "probit") return(pnorm(eta / sqrt(1 + sd^2)))
      integrate(function(z) plogis(eta + sd * z) * dnorm(z), -12, 12, rel.tol = 1e-10)$value
    }
    crossprod(weights, mapply(mean_share, eta, sqrt(spread(at[names(theta)]))))[, 1]
  }
  at <- found$at
  slopes <- sapply(which(found$free), function(parameter) {
    step <- replace(0 * at, parameter, 1e-4)
    (shares(at + step) - shares(at - step)) / 2e-4
  })
  slopes <- matrix(slopes, ncol(weights))
  modes <- cbind(data.frame(formula = formula), as.data.frame(ranef(best)))
  covariance <- slopes %*% found$covariance %*% t(slopes)
  list(shares = shares(at), covariances = list(covariance), modes = modes, by_item = level == "item")
}

# The mean of rows, each counted once: its error is the larger of that of one fit of all and that of independent rows.
together <- function(joint, rows) {
  if (is.null(joint) || any(sapply(rows, is.null))) return(NULL)
  mean_of <- function(parts, power = 1) Reduce(`+`, parts) / length(parts)^power
  apart <- mean_of(lapply(rows, function(row) row$covariances[[1]]), 2)
  list(shares = mean_of(lapply(rows, function(row) row$shares)), covariances = c(joint$covariances, list(apart)))
}

# A share's interval on the probit scale, and its p against 1/2.
interval <- function(share, error, df, coverage = 0.95) {
  z <- qnorm(share)
  pnorm(z + c(-1, 1) * qt((1 + coverage) / 2, df) * error / dnorm(z))
}
p_of <- function(share, error, df) 2 * pt(-abs(qnorm(share)) * dnorm(qnorm(share)) / error, df)
error_of <- function(fitted, by) sqrt(max(sapply(fitted$covariances, function(covariance) by %*% covariance %*% by)))

# The numbers of a row of single pictures, from two shares, and of a row of pairs, from one.
cited <- function(fitted, df) {
  if (is.null(fitted)) return(list(note = "the model has no estimate"))
  shares <- fitted$shares
  if (length(shares) == 1) {
    error <- error_of(fitted, 1)
    ends <- interval(shares, error, df)
    rates <- c(fooling_rate = 1 - shares, fooling_low = 1 - ends[2], fooling_high = 1 - ends[1])
    accuracy <- shares
    dprime <- sqrt(2) * qnorm(c(shares, ends))
  } else {
    accuracy <- (1 + shares[1] - shares[2]) / 2
    error <- error_of(fitted, c(0.5, -0.5))
    ends <- interval(accuracy, error, df)
    z <- qnorm(shares)
    dprime <- z[1] - z[2] + c(0, -1, 1) * qt(0.975, df) * error_of(fitted, c(1, -1) / dnorm(z))
    if (ends[1] <= 0.5 && ends[2] >= 0.5) dprime[2:3] <- c(min(dprime[2], 0), max(dprime[3], 0))
    rates <- c(
      1 - shares[1], interval(1 - shares[1], error_of(fitted, c(1, 0)), df),
      1 - shares[2], interval(1 - shares[2], error_of(fitted, c(0, 1)), df)
    )
    names(rates) <- c("fooling_rate", "fooling_low", "fooling_high", "real_called_real", "real_low", "real_high")
  }
  ends90 <- interval(accuracy, error, df, 0.9)
  c(as.list(rates), list(
    accuracy = accuracy, accuracy_low = ends[1], accuracy_high = ends[2],
    accuracy90_low = ends90[1], accuracy90_high = ends90[2],
    dprime = dprime[1], dprime_low = dprime[2], dprime_high = dprime[3],
    p = p_of(accuracy, error, df), basis = "crossed_model"
  ))
}

# The note on a row whose error may be smaller than that of `paper.csv`, by gan_eval's rule for clustered errors.
noted <- function(numbers, data, pictures, df, by_item = FALSE) {
  few <- !is.null(numbers$basis) && df >= 15 && nrow(data) < 10 * count(pictures)
  note <- "few answers for each picture: paper.csv has the clustered error where that is larger than this one"
  pairs <- if (is.null(data$real)) 0 else nrow(unique(data[c("stimulus", "real")]))
  if (pairs > max(count(pictures), count(data$real))) {
    few <- TRUE
    note <- "pairs of any two pictures: paper.csv adds the variance of the real pictures to this error"
  }
  items <- if (is.null(data$item)) pictures else ifelse(is.na(data$item), as.character(pictures), as.character(data$item))
  if (!is.null(numbers$basis) && !by_item && count(items) < count(pictures)) {
    few <- TRUE
    note <- "pictures share items: paper.csv adds the variance of the items to this error, if it is larger"
  }
  if (few) c(numbers, list(note = note)) else numbers
}

row_of <- function(...) {
  row <- setNames(rep(list(NA), length(columns)), columns)
  given <- list(...)
  as.data.frame(replace(row, names(given), given))
}

simulated_of <- function(data) if ("simulated" %in% names(data)) any(data$simulated %in% TRUE) else NA

# Holm's correction over the rows that are tested; unknown where one of these has no estimate here.
holm <- function(p, tested) {
  adjusted <- rep(NA_real_, length(p))
  if (!anyNA(p[tested])) adjusted[tested] <- p.adjust(p[tested], "holm")
  adjusted
}

# `furthest`: how far the share of one answer lets accuracy be from 1/2; no further, and nothing is equivalent.
with_verdicts <- function(table, tested, furthest) {
  within <- !is.na(margin) & table$accuracy90_low > 0.5 - margin & table$accuracy90_high < 0.5 + margin &
    furthest > margin
  table$verdict <- ifelse(
    table$p_holm < 0.05, ifelse(table$accuracy < 0.5, "below chance", "told apart"),
    ifelse(within, "equivalent to chance", "undecided")
  )
  table$verdict[!tested] <- "no verdict"
  table
}

by_name <- function(frame) frame[order(frame$dataset, frame$model, method = "radix"), ]
filled <- function(column) ifelse(is.na(column), "", as.character(column))
all_of <- function(sets) if (length(unique(sets)) == 1) sets[1] else "all"

of_single <- function(answered) {
  answered$dataset <- filled(answered$dataset)
  answered$model <- ifelse(answered$kind == "real", "", filled(answered$model))
  answered$side <- ifelse(answered$kind == "fake", 0.5, -0.5)
  answered$item <- ifelse(is.na(answered$item), as.character(answered$stimulus), as.character(answered$item))
  fakes <- unique(answered[answered$kind == "fake", c("dataset", "model")])
  fakes <- by_name(fakes[fakes$dataset %in% answered$dataset[answered$kind == "real"], ])
  row_sets <- lapply(seq_len(nrow(fakes)), function(row) {
    fake <- answered$dataset == fakes$dataset[row] & answered$kind == "fake" & answered$model == fakes$model[row]
    real <- answered$dataset == fakes$dataset[row] & answered$kind == "real"
    judges <- unique(answered$participant[fake])
    # most judged fakes only: the comparison is between participants, and the answers of all count
    if (mean(judges %in% answered$participant[real]) >= 0.5) {
      of_both <- intersect(judges, answered$participant[real])
      real <- real & answered$participant %in% of_both
      fake <- fake & answered$participant %in% of_both
    }
    which(fake | real)
  })
  estimate <- function(row_set) {
    data <- answered[row_set, ]
    data$cell <- factor(paste(data$dataset, ifelse(data$kind == "fake", paste0("fake ", data$model), "real"), sep = "/"))
    cells <- data[!duplicated(data$cell), ]
    cells <- cells[order(as.integer(cells$cell)), ]
    is_fake <- cells$kind == "fake"
    models <- table(cells$dataset[is_fake])
    rows <- as.numeric(models)[match(cells$dataset, names(models))] # by position: a data set may have no name
    weights <- cbind(is_fake / sum(is_fake), ifelse(is_fake, 0, rows / sum(is_fake)))
    counts <- sapply(c("fake", "real"), function(kind) {
      own <- data[data$kind == kind, ]
      c(count(own$participant), count(own$stimulus))
    })
    judges <- unique(data$participant[data$kind == "fake"])
    between <- mean(judges %in% data$participant[data$kind == "real"]) < 0.5
    # else response bias explains the answers
    tested <- if (between) count(data$called_fake) > 1 else both(data$called_fake, data$participant) > 1
    df <- min(counts) - 1
    fitted <- if (tested && df > 0) attempt(averaged(data, "called_fake", weights, cells$side))
    list(fitted = fitted, df = df, data = data, tested = tested && df > 0)
  }
  found <- lapply(row_sets, estimate)
  whole <- found[[1]]
  if (length(found) > 1) {
    whole <- estimate(sort(unique(unlist(row_sets))))
    whole$fitted <- together(whole$fitted, lapply(found, function(one) one$fitted))
    whole$tested <- all(sapply(found, function(one) one$tested))
  }
  names <- rbind(fakes[c("model", "dataset")], list("all", all_of(fakes$dataset)))
  # models with the same answers to real pictures have one share of these called real
  of_reals <- lapply(row_sets, function(row_set) row_set[answered$kind[row_set] == "real"])
  groups <- match(of_reals, unique(of_reals))
  shared <- lapply(seq_along(found), function(number) {
    same <- which(groups == groups[number])
    one <- if (length(same) == 1) found[[number]] else if (length(same) == length(found)) whole
    if (is.null(one)) {
      one <- estimate(sort(unique(unlist(row_sets[same]))))
      one$fitted <- together(one$fitted, lapply(found[same], function(other) other$fitted))
    }
    cited(one$fitted, one$df)
  })
  rows <- Map(function(one, model, dataset, reals) {
    data <- one$data
    of_shared <- c("real_called_real", "real_low", "real_high")
    reals <- setNames(reals[of_shared], c("shared_real", "shared_real_low", "shared_real_high"))
    n <- sapply(c("fake", "real"), function(kind) count(data$stimulus[data$kind == kind]))
    counts <- list(n_participants = count(data$participant), n_fake = n[[1]], n_real = n[[2]], n_answers = nrow(data))
    named <- list(protocol = "single", model = model, dataset = dataset, simulated = simulated_of(data))
    reals <- reals[!sapply(reals, is.null)]
    do.call(row_of, c(named, counts, reals, noted(cited(one$fitted, one$df), data, data$stimulus, one$df, isTRUE(one$fitted$by_item))))
  }, c(found, list(whole)), names$model, names$dataset, c(shared, list(cited(whole$fitted, whole$df))))
  table <- do.call(rbind, rows)
  last <- nrow(table)
  tested <- sapply(c(found, list(whole)), function(one) one$tested)
  modes <<- rbind(modes, modes_of(found, fakes))
  table$p_holm <- c(holm(table$p[-last], tested[-last]), table$p[last])
  means <- 1 - (table$fooling_rate + table$real_called_real) / 2
  furthest <- pmin(means, 1 - means)
  furthest[last] <- mean(furthest[-last])
  with_verdicts(table, tested, furthest)
}

# Single participants and pictures in the models of rows with an estimate.
modes <- NULL
modes_of <- function(found, rows) {
  has <- !sapply(found, function(one) is.null(one$fitted))
  do.call(rbind, Map(function(one, model, dataset) {
    cbind(data.frame(model = model, dataset = dataset), one$fitted$modes)
  }, found[has], rows$model[has], rows$dataset[has]))
}

# Pairs of a real and a generated picture: the share of choices of the real one.
of_pairs <- function(pairs) {
  pairs$dataset <- filled(pairs$dataset)
  pairs$model <- filled(pairs$model)
  pairs$chosen <- as.numeric(pairs$choice == "a")
  pairs$real <- pairs$stimulus
  pairs$stimulus <- ifelse(is.na(pairs$item), as.character(pairs$stimulus), as.character(pairs$item))
  rows <- by_name(unique(pairs[c("dataset", "model")]))
  estimate <- function(own) {
    data <- pairs[paste(pairs$dataset, pairs$model, sep = "/") %in% paste(own$dataset, own$model, sep = "/"), ]
    data$cell <- factor(paste(data$dataset, data$model, sep = "/"))
    k <- nlevels(data$cell)
    df <- min(count(data$participant), count(data$stimulus)) - 1
    fitted <- if (df > 0) attempt(averaged(data, "chosen", matrix(1 / k, k, 1)))
    if (k > 1) {
      fitted <- together(fitted, lapply(seq_len(nrow(own)), function(row) estimate(own[row, ])$fitted))
    }
    tested <- df > 0
    if (!anyNA(data$position) && count(data$position) == 2) { # one side alone is no judgement
      chosen <- (data$choice == "a") == (data$position == data$position[1])
      is_poll <- count(data$participant) == nrow(data)
      tested <- tested && (if (is_poll) count(chosen) > 1 else both(chosen, data$participant) > 1)
    }
    list(fitted = fitted, df = df, data = data, tested = tested)
  }
  found <- lapply(seq_len(nrow(rows)), function(row) estimate(rows[row, ]))
  whole <- if (nrow(rows) > 1) estimate(rows) else found[[1]]
  sets <- unique(rows$dataset)
  # Holm's family: each of several data sets, and each of several models of a data set
  of_set <- if (length(sets) > 1) lapply(sets, function(set) estimate(rows[rows$dataset == set, ]))
  several <- table(rows$dataset)[rows$dataset] > 1
  p <- function(one) if (is.null(one$fitted) || !one$tested) NA_real_ else cited(one$fitted, one$df)$p
  family <- c(of_set, found[several])
  adjusted <- holm(as.numeric(sapply(family, p)), as.logical(sapply(family, function(one) one$tested)))
  p_holm <- rep(p(whole), nrow(rows))
  if (length(sets) > 1) p_holm <- adjusted[match(rows$dataset, sets)]
  p_holm[several] <- adjusted[length(of_set) + seq_len(sum(several))]
  names <- rbind(rows[c("model", "dataset")], list("all", all_of(rows$dataset)))
  table <- do.call(rbind, Map(function(one, model, dataset, p_holm) {
    data <- one$data
    fakes <- count(data$stimulus_b[!is.na(data$stimulus_b)])
    do.call(row_of, c(list(
      protocol = "paired", model = model, dataset = dataset, n_participants = count(data$participant),
      n_fake = if (fakes > 0) fakes else NA, n_real = count(data$real), n_answers = nrow(data),
      p_holm = p_holm, simulated = simulated_of(data)
    ), noted(cited(one$fitted, one$df), data, data$stimulus, one$df)))
  }, c(found, list(whole)), names$model, names$dataset, c(p_holm, p(whole))))
  modes <<- rbind(modes, modes_of(found, rows))
  tested <- sapply(c(found, list(whole)), function(one) one$tested)
  table$p[!tested] <- NA
  with_verdicts(table, tested, 0.5)
}

single <- answered[!answered$protocol %in% c("staircase", "quest_plus"), ] # their exposures follow the answers
of_both <- intersect(single$dataset[single$kind == "fake"], single$dataset[single$kind == "real"])
pairs <- trials[
  is_one_of("phase", "main") & given("participant") & given("stimulus") & is_one_of("choice", c("a", "b")) &
    (is_one_of("protocol", "paired") | !grepl("|", filled(trials$model), fixed = TRUE)),
]
cited_rows <- list(if (length(of_both)) of_single(single), if (nrow(pairs)) of_pairs(pairs))
if (length(unlist(cited_rows))) write.csv(do.call(rbind, cited_rows), "paper_R.csv", row.names = FALSE, na = "")
if (!is.null(modes)) {
  names(modes)[names(modes) %in% c("grpvar", "grp", "condval", "condsd")] <- c("scope", "id", "effect", "effect_sd")
  write.csv(modes, "effects_R.csv", row.names = FALSE, na = "")
}
