# Logistic and probit mixed models in the packages that this R has: Rscript mixed_models.R TABLE.csv SINGULAR.csv
# Prints a line for each fit: package, version, call, model, effect of `kind`, its standard error, SD of the pictures.
tables <- lapply(commandArgs(TRUE), read.csv)
model <- y ~ kind + (1 | person) + (1 | picture)
fits <- list(list("logit", "logit", tables[[1]]), list("probit", "probit", tables[[1]]), list("singular", "logit", tables[[2]]))
has <- function(package) suppressMessages(suppressWarnings(requireNamespace(package, quietly = TRUE)))
show <- function(package, call, name, effect, error, sd) {
  cells <- c(package, packageDescription(package)$Version, call, name, sprintf("%.10g", c(effect, error, sd)))
  cat(paste(cells, collapse = "\t"), "\n", sep = "")
}
show_lme4 <- function(package, call, name, fit, ...) {
  error <- suppressWarnings(sqrt(vcov(fit, ...)[2, 2]))
  show(package, call, name, lme4::fixef(fit)[2], error, attr(lme4::VarCorr(fit)$picture, "stddev"))
  if (call == "") show(package, "use.hessian = FALSE", name, NA, suppressWarnings(sqrt(vcov(fit, use.hessian = FALSE)[2, 2])), NA)
}
for (one in fits) {
  name <- one[[1]]; link <- one[[2]]; data <- one[[3]]; data$grade <- factor(data$y)
  if (has("lme4")) {
    show_lme4("lme4", "", name, lme4::glmer(model, data, family = binomial(link)))
    strict <- lme4::glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13)
    show_lme4("lme4", 'optimizer = "bobyqa", tolPwrss = 1e-13', name, lme4::glmer(model, data, family = binomial(link), control = strict))
  }
  if (has("blme")) show_lme4("blme", "bglmer", name, blme::bglmer(model, data, family = binomial(link)))
  if (has("glmmTMB")) {
    fit <- glmmTMB::glmmTMB(model, data, family = binomial(link))
    sd <- attr(glmmTMB::VarCorr(fit)$cond$picture, "stddev")
    show("glmmTMB", "", name, glmmTMB::fixef(fit)$cond[2], sqrt(vcov(fit)$cond[2, 2]), sd)
  }
  if (has("ordinal")) {
    fit <- ordinal::clmm(grade ~ kind + (1 | person) + (1 | picture), data = data, link = link)
    show("ordinal", "clmm", name, fit$beta[1], sqrt(vcov(fit)["kind", "kind"]), sqrt(as.numeric(ordinal::VarCorr(fit)$picture)))
  }
}
