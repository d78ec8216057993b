"""Every metric as a plain function on tensors.

Functions of pictures take (N, 3, H, W) uint8, 0..255, on any device (a range is never guessed from the data) and give
(N,) float64, one value for each picture, on the same device. `inf` is a value (psnr of equal pictures). Where a picture
has no value (too small, flat, sizes that differ), `Unmeasurable` is raised: its message names the picture's index
and the reason. To learn all the reasons in a batch, call for one picture at a time.

Those of the hole of inpainted pictures take the holes too, (N, H, W) bool.

Functions of sets take the (N, d) features of the real and of the generated pictures, in this order, and give a float.
The features come from `gan_eval.metrics.networks.extractors`, or from any network.

>>> import torch
>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> psnr(black + 1, black)
tensor([48.1308, 48.1308], dtype=torch.float64)
"""

from gan_eval.metrics.functional.pictures import (
    brisque,
    dists,
    l1,
    l1_hole,
    load,
    lpips_alex,
    lpips_vgg,
    ms_ssim,
    niqe,
    psnr,
    psnr_hole,
    sharpness,
    ssim,
    ssim_hole,
    ssim_luma,
)
from gan_eval.metrics.functional.sets import (
    class_accuracy,
    class_iou,
    coverage,
    density,
    fid,
    fid_infinity,
    kid,
    pixel_accuracy,
    precision,
    recall,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable

__all__ = [
    "Unmeasurable",
    "brisque",
    "class_accuracy",
    "class_iou",
    "coverage",
    "density",
    "dists",
    "fid",
    "fid_infinity",
    "kid",
    "l1",
    "l1_hole",
    "load",
    "lpips_alex",
    "lpips_vgg",
    "ms_ssim",
    "niqe",
    "pixel_accuracy",
    "precision",
    "psnr",
    "psnr_hole",
    "recall",
    "sharpness",
    "ssim",
    "ssim_hole",
    "ssim_luma",
]
