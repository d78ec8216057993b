"""trainer: trains Pix2Pix and inpainting models and writes stimulus sets for gan_eval."""

import gan_eval  # noqa: F401 - sets how threads wait, before a module here loads PyTorch
