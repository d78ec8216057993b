"""The pictures of shown.toml: soft edges next to crops of photographs that come with scikit-image.

python results/mix_loss/shown_data.py DATA
"""

import argparse
from pathlib import Path

import numpy as np
from skimage import color, filters

from gan_eval.pictures.decode import Picture
from gan_eval.study.demo import write_crops


def edges(photograph: Picture) -> Picture:
    """Soft edges of a photograph, dark on white: its inverted Sobel magnitude.

    Args:
        photograph: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8, grey.
    """
    magnitude = filters.sobel(filters.gaussian(color.rgb2gray(photograph), sigma=1.0))
    strength = np.clip(magnitude / np.quantile(magnitude, 0.97), 0.0, 1.0)
    grey = np.rint(255.0 * (1.0 - strength)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    folder = parser.parse_args().data / "edges2photo"
    write_crops(folder / "train", {"astronaut": 64, "chelsea": 48, "rocket": 64}, change=edges)
    write_crops(folder / "test", {"coffee": 128, "stereo_motorcycle": 128}, change=edges)
