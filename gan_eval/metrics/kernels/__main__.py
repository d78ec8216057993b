"""`python -m gan_eval.metrics.kernels`: compile the kernels now, so that the first measurement does not wait."""

from gan_eval.metrics.kernels.compiled import warm_up

if __name__ == "__main__":
    warm_up()
