# Rscript ordinal.R TABLE FORMULA LINK: ordinal's fit of grades as JSON
suppressMessages(library(ordinal))
options(digits = 15)
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
data$y <- factor(data$y)
for (level in intersect(names(data), c("first", "second", "of_slope", "of_group"))) {
  data[[level]] <- factor(data[[level]])
}
fit <- clmm(as.formula(arguments[2]), data = data, link = sub("cumulative_", "", arguments[3]),
            control = clmm.control(gradTol = 1e-6))
number <- function(v) if (is.null(v)) "[]" else paste0("[", paste(format(unname(v), digits = 12), collapse = ", "), "]")
coefficients <- summary(fit)$coefficients
sds <- lapply(VarCorr(fit), function(v) attr(v, "stddev"))
own <- unlist(lapply(VarCorr(fit)[c("first", "second")], function(v) {
  v <- attr(v, "correlation")
  if (!is.null(v) && ncol(v) > 1) v[2, 1] else c()
}))
independent <- if (is.null(sds$of_slope)) "" else
  sprintf('"independent": %s, ', number(c(sds$of_slope, sds$of_group)))
cat(sprintf('{"beta": %s, "std_error": %s, "first": %s, "second": %s, "correlation": %s, %s"log_likelihood": %s}\n',
            number(coefficients[, 1]), number(coefficients[, 2]), number(sds$first), number(sds$second), number(own), independent,
            format(as.numeric(logLik(fit)), digits = 12)))
