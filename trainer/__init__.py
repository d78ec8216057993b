"""trainer: Pix2Pix training and generation; writes stimulus sets that gan_eval puts before people and metrics."""

import gan_eval  # noqa: F401 - sets how threads wait, before a module here loads PyTorch
