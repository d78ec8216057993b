"""Draw the sheet of masks in docs/inpainting.md."""

import numpy as np
from PIL import Image

from gan_eval.settings.training import InpaintingSettings
from trainer.masks import Masks

rows = []
for kind in ("centre", "blocks", "region"):
    masks = Masks(InpaintingSettings(masks={kind: 1}))
    holes = [masks(np.random.default_rng(number), (96, 96)).hole for number in range(8)]
    rows.append(np.hstack([np.pad(np.where(hole, 255, 0), 2, constant_values=128) for hole in holes]))
Image.fromarray(np.vstack(rows).astype(np.uint8)).save("docs/images/masks.png", optimize=True)
