"""trainer: trains Pix2Pix and inpainting models and writes stimulus sets for gan_eval.

Open step.py first, the training step, then loop/run.py, the loop around it; generate.py writes the sets.
"""

import gan_eval  # noqa: F401 - sets how threads wait, before a module here loads PyTorch
