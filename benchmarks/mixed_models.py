"""Our crossed mixed model compared with lme4: time and agreement on six sizes of study.

`python benchmarks/mixed_models.py [--link probit] [--slope] [--only 5,000]` simulates the studies, fits each with
`fit_crossed` and, where Rscript with lme4 is installed, with `glmer` (nAGQ = 1, its default optimiser), and prints the
processor seconds of both, their ratio and the largest gaps. Seconds of all threads count, so run it with
OPENBLAS_NUM_THREADS=1 and without. Each program has fitted the study once before it is timed. R's start and the reading
of the data are not in its time. Fits of 100,000 trials take lme4 minutes: `--big` times them too.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, ndtr

from gan_eval.stats.mixed import CrossedFit, fit_crossed

R_CODE = """
suppressMessages(library(lme4))
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
slope <- arguments[2] == "slope"
formula <- if (slope) y ~ x + (1 + x | first) + (1 | second) else y ~ x + (1 | first) + (1 | second)
for (fit_number in seq_len(as.integer(arguments[4]))) {
  spent <- system.time(fit <- suppressWarnings(glmer(formula, data, family = binomial(arguments[3]))))
}
seconds <- sum(spent[c("user.self", "sys.self")])
number <- function(v) paste0("[", paste(format(unname(v), digits = 12), collapse = ", "), "]")
error <- sqrt(diag(as.matrix(vcov(fit, use.hessian = TRUE))))
cat(sprintf('{"seconds": %f, "beta": %s, "std_error": %s}', seconds, number(fixef(fit)), number(error)))
"""


@dataclass(frozen=True)
class Size:
    """A study; each participant sees `each` of the stimuli."""

    name: str
    participants: int
    stimuli: int
    each: int
    repeats: int


SIZES = (
    Size("shared list, 40 x 50", 40, 50, 50, 10),
    Size("5,000 trials, 100 x 50", 100, 50, 50, 10),
    Size("5,000 trials, 25 x 200", 25, 200, 200, 10),
    Size("pool of 1000, 40 x 50", 40, 1000, 50, 10),
    Size("48,840 trials, 2,035 x 24", 2035, 24, 24, 3),
    Size("100,000 trials, 500 x 1000", 500, 1000, 200, 1),
)
Study = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""y, X (intercept and kind), participant, stimulus."""


def study(size: Size, seed: int, link: str) -> Study:
    """Answers with spreads of 0.5 (participants), 0.8 (stimuli) and 0.4 (participants' slopes over the kind)."""
    rng = np.random.default_rng(seed)
    first = np.repeat(np.arange(size.participants), size.each)
    seen = np.concatenate([rng.permutation(size.stimuli)[: size.each] for _ in range(size.participants)])
    kind = (seen % 2).astype(float)
    eta = 0.4 - 0.6 * kind + 0.8 * rng.normal(size=size.stimuli)[seen]
    eta += 0.5 * rng.normal(size=size.participants)[first] + 0.4 * rng.normal(size=size.participants)[first] * kind
    y = rng.random(len(first)) < (expit if link == "logit" else ndtr)(eta)
    return y, np.stack([np.ones(len(first)), kind], axis=1), first, np.unique(seen, return_inverse=True)[1]


def ours(data: Study, *, link: str, slope: bool) -> tuple[float, CrossedFit]:
    """Processor seconds, fit."""
    begun = time.process_time()
    fit = fit_crossed(*data, link=link, slope=data[1][:, 1] if slope else None)
    return time.process_time() - begun, fit


def by_lme4(data: Study, *, link: str, slope: bool, fits: int) -> dict[str, object] | None:
    """The processor seconds of the last of lme4's fits, and its estimates; None without R or lme4."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "answers.csv", Path(folder) / "fit.R"
        script.write_text(R_CODE)
        columns = np.column_stack([data[0], data[1][:, 1], data[2], data[3]])
        np.savetxt(table, columns, fmt="%d", delimiter=",", header="y,x,first,second", comments="")
        command = ["Rscript", str(script), str(table), "slope" if slope else "intercepts", link, str(fits)]
        run = subprocess.run(command, capture_output=True, text=True)
    result: dict[str, object] | None = json.loads(run.stdout) if run.returncode == 0 else None
    return result


def line(size: Size, *, link: str, slope: bool, with_lme4: bool) -> str:
    """One row of the printed table."""
    studies = [study(size, seed, link) for seed in range(size.repeats)]
    ours(studies[0], link=link, slope=slope)
    fits = [ours(data, link=link, slope=slope) for data in studies]
    seconds = float(np.median([took for took, _ in fits]))
    text = f"{size.name:28s} {'slope' if slope else 'intercepts':11s} {seconds:8.3f} s"
    fits_by_lme4 = 2 if size.repeats > 1 else 1
    theirs = by_lme4(studies[0], link=link, slope=slope, fits=fits_by_lme4) if with_lme4 else None
    if theirs is None:
        return text + "  lme4 not run"
    fit = fits[0][1]
    gap = np.abs(fit.beta - np.array(theirs["beta"])).max()
    error_gap = np.abs(fit.std_error / np.array(theirs["std_error"]) - 1).max()
    other = float(str(theirs["seconds"]))
    return f"{text} {other:8.2f} s {other / seconds:7.0f} x  estimates {gap:.1e}  standard errors {error_gap:.1e}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slope", action="store_true", help="with by-participant slopes as well")
    parser.add_argument("--big", action="store_true", help="lme4 on 100,000 trials too")
    parser.add_argument("--link", choices=("logit", "probit"), default="logit", help="default: logit")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the sizes whose name contains this")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "not set")
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start, OPENBLAS_NUM_THREADS {threads}, link {options.link}")
    print("processor seconds: median of our fits, one fit of lme4")
    print(f"{'study':28s} {'model':11s} {'ours':>10s} {'lme4':>10s} {'ratio':>9s}  largest gaps")
    for size in (size for size in SIZES if options.only in size.name):
        for slope in [False, True] if options.slope else [False]:
            print(line(size, link=options.link, slope=slope, with_lme4=options.big or size.repeats > 1), flush=True)


if __name__ == "__main__":
    main()
