# Rscript lme4.R TABLE FORMULA LINK: lme4's fit as JSON
suppressMessages(library(lme4))
options(digits = 15)
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
attempt <- function(step, start) {
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12, calc.derivs = TRUE,
                          optCtrl = list(rhobeg = step, rhoend = 1e-9, maxfun = 1e6), check.conv.singular = "ignore")
  suppressWarnings(glmer(as.formula(arguments[2]), data, family = binomial(arguments[3]), nAGQ = 1,
                         control = control, start = start))
}
fit <- attempt(0.02, NULL)
theta <- getME(fit, "theta")
theta[abs(theta) < 0.3] <- 0.3
again <- attempt(0.2, list(theta = theta, fixef = fixef(fit)))  # bobyqa may stop at a bound that is no maximum
if (logLik(again) > logLik(fit) + 1e-3) fit <- again
sds <- lapply(VarCorr(fit), function(v) attr(v, "stddev"))
correlations <- lapply(VarCorr(fit), function(v) attr(v, "correlation"))
number <- function(v) if (is.null(v)) "[]" else paste0("[", paste(format(unname(v), digits = 12), collapse = ", "), "]")
se <- sqrt(diag(as.matrix(vcov(fit, use.hessian = TRUE))))
own <- unlist(lapply(correlations[c("first", "second")], function(v) {
  if (ncol(v) > 1 && !is.nan(v[2, 1])) v[2, 1] else c()
}))
independent <- if (is.null(sds$of_slope)) "" else
  sprintf('"independent": %s, ', number(c(sds$of_slope, sds$of_group)))
cat(sprintf('{"beta": %s, "std_error": %s, "first": %s, "second": %s, "correlation": %s, %s"log_likelihood": %s}\n',
            number(fixef(fit)), number(se), number(sds$first), number(sds$second), number(own), independent,
            format(as.numeric(logLik(fit)), digits = 12)))
