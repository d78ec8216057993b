# The crossed mixed models of single answers, by lme4: Rscript analysis.R (or source("analysis.R", chdir = TRUE))
# It prints each model and leaves the data frame `results`: the columns of mixed_models.csv under the same names. Then
# it writes paper_R.csv, the table to cite with the columns of paper.csv.
# It counts the answered main trials of single pictures in complete sessions (a rating given with a response is not
# used), as gan_eval does.
# If the study excludes trials or participants, apply its rules where `answered` is made.

library(lme4)

link <- "logit" # or "probit": called_fake ~ kind then gives d' (DeCarlo 1998)
margin <- NA # of equivalence, as a share: 0.05 is 5 points of balanced accuracy

source("read.R")
if (exists("sessions")) trials <- trials[!trials$session %in% sessions$session[sessions$status != "complete"], ]
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

# A formula's fixed effects with their Wald tests.
judge <- function(name, outcome, effects, data, kind, slope = FALSE) {
  people <- if (slope) "(1 + kind|participant)" else "(1|participant)"
  name <- paste(outcome, "~", name, "+", people, "+ (1|stimulus)")
  slope <- if (slope) kind else ""
  full <- fit(outcome, c("1", effects), data, slope)
  cat("\n==", name, "==\n")
  print(summary(full), correlation = FALSE)
  estimates <- summary(full)$coefficients
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
    sd_slope = if (slope == "") NA_real_ else attr(people, "stddev")[[2]],
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
cat("\n")
print(results, digits = 6)

# The table to cite, `paper.csv`, for single pictures: one model for each row, averaged over participants and pictures.
# Its numbers are those of `paper.csv` where `basis` is crossed_model, as the search of lme4 comes near them.

# Shares of the answer fake to fakes and to reals, each the weighted mean of its cells, with their covariance.
averaged <- function(data, weights) {
  data$side <- ifelse(data$kind == "fake", 0.5, -0.5)
  best <- glmer(
    called_fake ~ 0 + cell + (1 + side | participant) + (1 | stimulus),
    data = data, family = binomial(link), nAGQ = 1, control = control
  )
  theta <- getME(best, "theta")
  side <- ifelse(weights[, "fake"] > 0, 0.5, -0.5)
  shares <- function(at) {
    theta <- at[names(theta)]
    person <- theta[c("participant.(Intercept)", "participant.side.(Intercept)", "participant.side")]
    variance <- (person[1] + person[2] * side)^2 + (person[3] * side)^2 + theta["stimulus.(Intercept)"]^2
    eta <- at[length(theta) + seq_along(side)]
    mean_share <- function(eta, sd) {
      if (link == "probit") return(pnorm(eta / sqrt(1 + sd^2)))
      integrate(function(z) plogis(eta + sd * z) * dnorm(z), -12, 12, rel.tol = 1e-10)$value
    }
    crossprod(weights, mapply(mean_share, eta, sqrt(variance)))[, 1]
  }
  at <- c(theta, fixef(best))
  free <- !(getME(best, "lower")[seq_along(at)] %in% 0 & at < 1e-4) # an SD that is estimated at 0 has no error
  free[is.na(free)] <- TRUE
  deviance <- update(best, devFunOnly = TRUE)
  moved <- function(part) replace(at, free, part)
  control <- list(ndeps = rep(1e-3, sum(free)))
  information <- optimHess(at[free], function(part) deviance(unname(moved(part))), control = control) / 2
  slope <- sapply(which(free), function(place) {
    step <- replace(0 * at, place, 1e-4)
    (shares(at + step) - shares(at - step)) / 2e-4
  })
  list(shares = shares(at), covariance = slope %*% solve(information) %*% t(slope))
}

# The numbers of a row from two shares, their covariance and the degrees of freedom.
cited <- function(shares, covariance, df) {
  error <- function(by) sqrt(drop(t(by) %*% covariance %*% by))
  ends <- function(share, by, coverage = 0.95) {
    z <- qnorm(share)
    pnorm(z + c(-1, 1) * qt((1 + coverage) / 2, df) * error(by) / dnorm(z))
  }
  accuracy <- (1 + shares[["fake"]] - shares[["real"]]) / 2
  z <- qnorm(shares)
  reach <- qt(0.975, df) * error(c(1, -1) / dnorm(z))
  numbers <- c(
    1 - shares[["fake"]], ends(1 - shares[["fake"]], c(1, 0)), 1 - shares[["real"]], ends(1 - shares[["real"]], c(0, 1)),
    accuracy, ends(accuracy, c(0.5, -0.5)), ends(accuracy, c(0.5, -0.5), 0.9),
    z[["fake"]] - z[["real"]] + c(0, -1, 1) * reach,
    2 * pt(-abs(qnorm(accuracy)) * dnorm(qnorm(accuracy)) / error(c(0.5, -0.5)), df)
  )
  setNames(as.list(numbers), c(
    "fooling_rate", "fooling_low", "fooling_high", "real_called_real", "real_low", "real_high",
    "accuracy", "accuracy_low", "accuracy_high", "accuracy90_low", "accuracy90_high",
    "dprime", "dprime_low", "dprime_high", "p"
  ))
}

paper <- function(answered) {
  answered$dataset <- ifelse(is.na(answered$dataset), "", as.character(answered$dataset))
  answered$model <- ifelse(answered$kind == "real" | is.na(answered$model), "", as.character(answered$model))
  fakes <- unique(answered[answered$kind == "fake", c("dataset", "model")])
  fakes <- fakes[fakes$dataset %in% answered$dataset[answered$kind == "real"], ]
  fakes <- fakes[order(fakes$dataset, fakes$model, method = "radix"), ]
  of_row <- function(place) {
    fake <- answered$dataset == fakes$dataset[place] & answered$kind == "fake" & answered$model == fakes$model[place]
    real <- answered$dataset == fakes$dataset[place] & answered$kind == "real" &
      answered$session %in% answered$session[fake]
    which(fake | real)
  }
  places <- lapply(seq_len(nrow(fakes)), of_row)
  estimate <- function(place) {
    data <- answered[place, ]
    data$cell <- factor(paste(data$dataset, ifelse(data$kind == "fake", paste0("fake ", data$model), "real"), sep = "/"))
    cells <- data[!duplicated(data$cell), ]
    cells <- cells[order(as.integer(cells$cell)), ]
    is_fake <- cells$kind == "fake"
    models <- table(cells$dataset[is_fake])
    count <- as.numeric(models)[match(cells$dataset, names(models))] # by place: a data set may have no name
    real <- ifelse(is_fake, 0, count / sum(is_fake))
    fitted <- averaged(data, cbind(fake = is_fake / sum(is_fake), real = as.numeric(real)))
    counts <- sapply(c("fake", "real"), function(kind) {
      own <- data[data$kind == kind, ]
      c(length(unique(own$participant)), length(unique(own$stimulus)))
    })
    list(fitted = fitted, df = min(counts) - 1, data = data)
  }
  found <- lapply(places, estimate)
  all <- if (length(found) == 1) found[[1]] else estimate(sort(unique(unlist(places))))
  all$fitted$shares <- Reduce(`+`, lapply(found, function(one) one$fitted$shares)) / length(found) # each counted once
  one_set <- length(unique(fakes$dataset)) == 1
  names <- rbind(fakes[c("model", "dataset")], list("all", if (one_set) fakes$dataset[1] else "all"))
  rows <- lapply(c(found, list(all)), function(one) {
    data.frame(
      n_participants = length(unique(one$data$participant)),
      n_fake = length(unique(one$data$stimulus[one$data$kind == "fake"])),
      n_real = length(unique(one$data$stimulus[one$data$kind == "real"])), n_answers = nrow(one$data),
      cited(one$fitted$shares, one$fitted$covariance, one$df)
    )
  })
  table <- cbind(names, do.call(rbind, rows))
  last <- nrow(table)
  table$p_holm <- c(p.adjust(table$p[-last], "holm"), table$p[last])
  within <- table$accuracy90_low > 0.5 - margin & table$accuracy90_high < 0.5 + margin
  table$verdict <- ifelse(
    table$p_holm < 0.05, ifelse(table$accuracy < 0.5, "below chance", "told apart"),
    ifelse(!is.na(within) & within, "equivalent to chance", "undecided")
  )
  table$basis <- "crossed_model"
  table$note <- NA
  table
}

follows <- answered$protocol %in% c("staircase", "quest_plus") # exposures that follow the answers
cited_answers <- if (all(follows)) answered else answered[!follows, ]
if (length(unique(cited_answers$kind)) == 2) {
  write.csv(paper(cited_answers), "paper_R.csv", row.names = FALSE, na = "")
}
