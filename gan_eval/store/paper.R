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
    real <- ifelse(is_fake, 0, models[cells$dataset] / sum(is_fake))
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
