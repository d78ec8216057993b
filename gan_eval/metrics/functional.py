"""Every metric as a plain function.

Functions of pictures take (N, 3, H, W) uint8 tensors, 0..255, on any device; a range is never guessed from the data.
They return (N,) float64 on the same device, one value for each picture. `inf` is a value (psnr of equal pictures). A
picture without a value (too small, flat, of another size than its reference, without a hole) raises `Unmeasurable`; its
message names the picture's index and the reason. To get all the reasons of a batch, call the function for one picture
at a time. A `network` comes from `load(NAME)`; by default each call loads it (UserError: the weights are missing).

Functions of sets take (N, d) features of the real and (M, d) of the generated pictures, in this order, and return a
float. The features come from `gan_eval.metrics.networks.extractors`, or from any network. A set with too few members,
or with a feature that is not finite, raises `Unmeasurable`; other shapes raise ValueError.

>>> import torch
>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> psnr(black + 1, black)
tensor([48.1308, 48.1308], dtype=torch.float64)
>>> ssim_hole(black, black, torch.ones(2, 16, 16, dtype=torch.bool))
tensor([1., 1.], dtype=torch.float64)
>>> lpips_alex(black, black, network=lambda fake, real: 0.25)  # any function of two (H, W, 3) pictures
tensor([0.2500, 0.2500], dtype=torch.float64)
>>> niqe(black)
Traceback (most recent call last):
gan_eval.metrics.kernels.pictures.Unmeasurable: picture 0: 16x16 pixels; NIQE needs at least 192x96 or 96x192
>>> fid(torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [5.0]]))
9.0
>>> counts = torch.zeros(1, 19, 20)  # the last column: predicted as none of the classes
>>> counts[0, 0, 0], counts[0, 1, 1] = 6, 2
>>> pixel_accuracy(counts.flatten(1))
1.0
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from gan_eval.base.errors import UserError
from gan_eval.metrics.batches import Features, Network, each_item, each_picture, label_counts, two_sets
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import (
    classic,
    frechet,
    labels,
    neighbours,
    no_reference,
    segmentation,
    separability,
    similarity,
    spectrum,
)
from gan_eval.metrics.definitions import cmmd as gaussian
from gan_eval.metrics.definitions import kid as kernel
from gan_eval.metrics.kernels.devices import usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.cache import open_weights

Pictures = Tensor
"""(N, 3, H, W) uint8, 0..255."""
Holes = Tensor
"""(N, H, W) bool, True in the hole."""
Values = Tensor
"""(N,) float64, one value for each picture."""


def load(name: str, *, paths: Mapping[str, Path] | None = None, device: str = "cpu") -> Network:
    """Load the network or regression of a metric with pretrained weights once, for many calls.

    Args:
        name: lpips_alex, lpips_vgg, dists, lpips_alex_hole, dists_hole or brisque.
        paths: files by the weights' name (alexnet, vgg16, dists, brisque); default: the cache.
        device: where it runs.

    Returns:
        A function of (H, W, 3) uint8 pictures.

    Raises:
        UserError: a file cannot be used, or is not in the cache.

    >>> load("psnr")
    Traceback (most recent call last):
    gan_eval.base.errors.UserError: metric 'psnr': it has no pretrained weights; choose from lpips_alex, lpips_vgg, \
dists, lpips_alex_hole, dists_hole, brisque
    """
    metric = METRICS.get(name)
    if metric is None or metric.make is None:
        names = [metric.name for metric in METRICS.values() if metric.make is not None]
        raise UserError(f"metric {name!r}: it has no pretrained weights; choose from {', '.join(names)}")
    try:
        files = [
            open_weights(weights, read, (paths or {}).get(weights))
            for weights, read in zip(metric.weights, metric.readers, strict=True)
        ]
    except Unmeasurable as reason:
        raise UserError(f"metric {name!r}: {reason}") from reason
    return metric.make(*(file.contents for file in files), device=usable_device(device))


def psnr(fake: Pictures, real: Pictures) -> Values:
    """Compute the peak signal-to-noise ratio of generated pictures and their references.

    0 to inf dB; higher is better. Source: 10 log10(255² / MSE) over all pixels and channels; inf for equal pictures.
    """
    return each_picture(similarity.psnr, fake, real)


def l1(fake: Pictures, real: Pictures) -> Values:
    """Compute the mean absolute difference over all pixels and channels.

    0 to 255 grey levels; lower is better. Source: mean |x - y|.
    """
    return each_picture(similarity.l1, fake, real)


def ssim(fake: Pictures, real: Pictures) -> Values:
    """Compute the structural similarity, the mean of R, G and B; sides from 11 pixels.

    -1 to 1; higher is better. Source: Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no
    border.
    """
    return each_picture(similarity.ssim, fake, real)


def ssim_luma(fake: Pictures, real: Pictures) -> Values:
    """Compute `ssim` of the integer BT.601 luma.

    -1 to 1; higher is better. Source: Wang et al. 2004; as `ssim`.
    """
    return each_picture(similarity.ssim_luma, fake, real)


def ms_ssim(fake: Pictures, real: Pictures) -> Values:
    """Compute the structural similarity at five scales, the mean of R, G and B; sides from 161 pixels.

    0 to 1; higher is better. Source: Wang et al. 2003; 2x2 mean pooling, odd sides as piq, negative contrast-structure
    is 0.
    """
    return each_picture(similarity.ms_ssim, fake, real)


def lpips_alex(fake: Pictures, real: Pictures, *, network: Network | None = None) -> Values:
    """Compute LPIPS: the distance in AlexNet's features, weighted as people judged distorted patches.

    0 to inf; lower is better; sides from 31 pixels. Source: Zhang et al. 2018; version 0.1, pictures not resized.
    """
    return each_picture(network or load("lpips_alex"), fake, real)


def lpips_vgg(fake: Pictures, real: Pictures, *, network: Network | None = None) -> Values:
    """Compute LPIPS with VGG16's features; sides from 16 pixels.

    0 to inf; lower is better. Source: Zhang et al. 2018; version 0.1, pictures not resized.
    """
    return each_picture(network or load("lpips_vgg"), fake, real)


def dists(fake: Pictures, real: Pictures, *, network: Network | None = None) -> Values:
    """Compute DISTS: the difference in structure and texture of VGG16's features; sides from 16 pixels.

    0 to 1; lower is better. Source: Ding et al. 2020; as piq, pictures above 256 pixels on the shorter side scaled to
    it.
    """
    return each_picture(network or load("dists"), fake, real)


def vif(fake: Pictures, real: Pictures) -> Values:
    """Compute the visual information fidelity: the share of the reference's information that is left.

    0 to inf; higher is better; sides from 41 pixels. Source: Sheikh and Bovik 2006, in the pixel domain, luma; piq's
    vif_p, defaults, RGB 0..1 in float32, on the CPU.
    """
    return each_picture(classic.vif, fake, real)


def fsim(fake: Pictures, real: Pictures) -> Values:
    """Compute the feature similarity: agreement in phase congruency, gradients and colour; sides from 2 pixels.

    0 to 1; higher is better. Source: Zhang et al. 2011, with colour; piq's fsim, as `vif`.
    """
    return each_picture(classic.fsim, fake, real)


def gmsd(fake: Pictures, real: Pictures) -> Values:
    """Compute the gradient magnitude similarity deviation.

    0 to 0.5; lower is better. Source: Xue et al. 2014; piq's gmsd, as `vif`.
    """
    return each_picture(classic.gmsd, fake, real)


def ms_gmsd(fake: Pictures, real: Pictures) -> Values:
    """Compute `gmsd` at four scales; sides from 17 pixels.

    0 to 0.5; lower is better. Source: Zhang et al. 2017, without colour; piq's multi_scale_gmsd, as `vif`.
    """
    return each_picture(classic.ms_gmsd, fake, real)


def vsi(fake: Pictures, real: Pictures) -> Values:
    """Compute the visual saliency-induced index.

    0 to 1; higher is better. Source: Zhang et al. 2014; piq's vsi, as `vif`.
    """
    return each_picture(classic.vsi, fake, real)


def mdsi(fake: Pictures, real: Pictures) -> Values:
    """Compute the mean deviation similarity index.

    0 to inf; lower is better. Source: Nafchi et al. 2016; piq's mdsi, as `vif`.
    """
    return each_picture(classic.mdsi, fake, real)


def haarpsi(fake: Pictures, real: Pictures) -> Values:
    """Compute the Haar wavelet-based perceptual similarity; sides from 16 pixels, not both pictures black.

    0 to 1; higher is better. Source: Reisenhofer et al. 2018; piq's haarpsi, as `vif`.
    """
    return each_picture(classic.haarpsi, fake, real)


def psnr_hole(fake: Pictures, real: Pictures, hole: Holes) -> Values:
    """Compute `psnr` over the hole's pixels and their channels.

    0 to inf dB; higher is better. Source: 10 log10(255² / MSE); inf where the pictures are equal.
    """
    return each_picture(similarity.psnr, fake, real, hole)


def ssim_hole(fake: Pictures, real: Pictures, hole: Holes) -> Values:
    """Compute the mean of the map of `ssim` over the hole's pixels that are 5 pixels or more from the border.

    -1 to 1; higher is better. Source: Wang et al. 2004; as `ssim`, windows with their middle in the hole.
    """
    return each_picture(similarity.ssim, fake, real, hole)


def l1_hole(fake: Pictures, real: Pictures, hole: Holes) -> Values:
    """Compute `l1` over the hole's pixels.

    0 to 255 grey levels; lower is better. Source: mean |x - y| over the hole.
    """
    return each_picture(similarity.l1, fake, real, hole)


def lpips_alex_hole(fake: Pictures, real: Pictures, hole: Holes, *, network: Network | None = None) -> Values:
    """Compute the mean of the map of `lpips_alex` over the hole's pixels.

    0 to inf; lower is better. Source: Zhang et al. 2018; as `lpips_alex`, each layer's map enlarged bilinearly to the
    picture's size, their sum.
    """
    return each_picture(network or load("lpips_alex_hole"), fake, real, hole)


def dists_hole(fake: Pictures, real: Pictures, hole: Holes, *, network: Network | None = None) -> Values:
    """Compute `dists` of the smallest rectangle that holds the hole.

    0 to 1; lower is better. Source: Ding et al. 2020; as `dists`.
    """
    return each_picture(network or load("dists_hole"), fake, real, hole)


def niqe(pictures: Pictures) -> Values:
    """Compute NIQE: the distance of a picture's local statistics from those of pristine photographs.

    0 to inf; lower is better; from 96 by 192 pixels, neither flat nor strictly regular. Source: Mittal et al. 2013;
    official model, blocks of 96, integer luma, zero below 1e-6.
    """
    return each_picture(no_reference.niqe, pictures)


def brisque(pictures: Pictures, *, network: Network | None = None) -> Values:
    """Compute BRISQUE: how bad people would rate a picture, learned from distorted photographs.

    About 0 to 100; lower is better; sides from 13 pixels, neither flat nor strictly regular. Source: Mittal et al.
    2012; the release's regression, integer luma, zero below 1e-6.
    """
    return each_picture(network or load("brisque"), pictures)


def sharpness(pictures: Pictures) -> Values:
    """Compute the variance of the Laplacian: the strength of fine detail, noise included; sides from 3 pixels.

    0 to inf squared grey levels; higher is better. Source: Pech-Pacheco et al. 2000; variance of the Laplacian (4
    neighbours) of the integer luma, no border.
    """
    return each_picture(no_reference.sharpness, pictures)


def fid(real: Features, fake: Features) -> float:
    """Compute the Fréchet distance of two sets of features (Inception 2015-12-05's for the FID of papers).

    0 to inf; lower is better; biased upwards, more so for fewer pictures. Source: Heusel et al. 2017; each set taken as
    one Gaussian.
    """
    return frechet.fid(*two_sets(real, fake))


def kid(real: Features, fake: Features, *, items: tuple[Sequence[str], Sequence[str]] | None = None) -> float:
    """Compute the squared maximum mean discrepancy of two sets of features, over pairs of different items.

    `items`: those of the N and of the M pictures, so that pairs of one item do not count, as in our tables; default:
    each picture has its own. -inf to inf; lower is better. Source: Binkowski et al. 2018; cubic kernel, pairs of
    different items (Gretton et al. 2012).
    """
    x, y = two_sets(real, fake)
    if items is not None and (len(items[0]), len(items[1])) != (len(x), len(y)):
        raise ValueError(f"{len(items[0])} and {len(items[1])} items of {len(x)} and {len(y)} pictures")
    return kernel.kid(x, y, items=items)


def kid_all_pairs(real: Features, fake: Features) -> float:
    """Compute `kid` over all pairs, as other programs do; too low for sets that share items.

    -inf to inf; lower is better. Source: Binkowski et al. 2018; cubic kernel, all pairs.
    """
    return kernel.kid_all_pairs(*two_sets(real, fake))


def cmmd(real: Features, fake: Features) -> float:
    """Compute CMMD: 1000 times the squared maximum mean discrepancy of unit vectors under a Gaussian kernel.

    0 to 4000; lower is better; of CLIP's features for the CMMD of papers. Source: Jayasumana et al. 2024; σ = 10,
    biased estimate; each vector divided by its length.
    """
    return gaussian.cmmd(*two_sets(real, fake))


def precision(real: Features, fake: Features) -> float:
    """Compute the share of the generated pictures that lie among the real ones.

    0 to 1; higher is better. Source: Kynkäänniemi et al. 2019; k = 3.
    """
    return neighbours.precision(*two_sets(real, fake))


def recall(real: Features, fake: Features) -> float:
    """Compute the share of the real pictures that lie among the generated ones.

    0 to 1; higher is better. Source: Kynkäänniemi et al. 2019; k = 3.
    """
    return neighbours.recall(*two_sets(real, fake))


def density(real: Features, fake: Features) -> float:
    """Compute how densely the real pictures surround each generated one.

    0 to inf; higher is better. Source: Naeem et al. 2020; k = 5.
    """
    return neighbours.density(*two_sets(real, fake))


def coverage(real: Features, fake: Features) -> float:
    """Compute the share of the real pictures with a generated one nearby.

    0 to 1; higher is better. Source: Naeem et al. 2020; k = 5.
    """
    return neighbours.coverage(*two_sets(real, fake))


def p_ids(real: Features, fake: Features) -> float:
    """Compute P-IDS: the share of pairs whose generated picture looks more real to a linear SVM than the real one.

    Row i of both is a pair. 0 to 1; higher is better. Source: Zhao et al. 2021; LinearSVC(dual=False), judged on what
    it was fitted on.
    """
    return separability.p_ids(*two_sets(real, fake))


def u_ids(real: Features, fake: Features) -> float:
    """Compute U-IDS: the share of all pictures that a linear SVM calls wrong.

    0 to 1; higher is better. Source: Zhao et al. 2021; as `p_ids`, without pairs.
    """
    return separability.u_ids(*two_sets(real, fake))


def pixel_accuracy(counts: Features) -> float:
    """Compute the share of the labelled pixels whose predicted class is the label.

    `counts`: (N, 380): for each generated picture the pixels of each of the 19 classes by predicted class. 0 to 1;
    higher is better. Source: Long et al. 2015, as the FCN score of Isola et al. 2017; labels by the nearest palette
    colour.
    """
    array = label_counts(counts)
    return segmentation.pixel_accuracy(array, array)


def class_accuracy(counts: Features) -> float:
    """Compute `pixel_accuracy` for each class, and the mean over the classes.

    0 to 1; higher is better. Source: Long et al. 2015; as `pixel_accuracy`.
    """
    array = label_counts(counts)
    return segmentation.class_accuracy(array, array)


def class_iou(counts: Features) -> float:
    """Compute the mean over the classes of intersection over union, of the counts of `pixel_accuracy`.

    0 to 1; higher is better. Source: Long et al. 2015; as `pixel_accuracy`.
    """
    array = label_counts(counts)
    return segmentation.class_iou(array, array)


def label_colour_spread(real: Features, fake: Features) -> float:
    """Compute how well the spread of each label's mean colour matches that over the real pictures.

    Of (N, 76) and (M, 76), the mean colours of each picture's regions. 0 to 1; higher is better. Source: ours: standard
    deviation over pictures of each region's mean RGB, where a label has five regions in each set; labels by the nearest
    palette colour.
    """
    return segmentation.label_colour_spread(*two_sets(real, fake))


def upsampling_peak(real: Features, fake: Features) -> float:
    """Compute the peak that upsampling leaves in the radial spectrum of generated pictures.

    Of (N, 45) and (M, 45) spectra in dB, from `gan_eval.metrics.definitions.spectrum.radial_spectrum`. -inf to inf dB;
    lower is better. Source: ours, on the radial spectrum of Durall et al. 2020.
    """
    x, y = two_sets(real, fake)
    if x.shape[1] != spectrum.RINGS:
        raise ValueError(f"expected (N, {spectrum.RINGS}) spectra, found the shape {x.shape}")
    return spectrum.upsampling_peak(x, y)


def label_detail(pictures: Pictures) -> Values:
    """Compute the bits per pixel that describe an input as regions of one label; sides from 4 pixels.

    0 to inf bits per pixel; lower is better. Source: Leclerc 1989, of our label map: cubes of 24 levels with 1% of the
    pixels; regions of 16 pixels.
    """
    return each_picture(labels.label_detail, pictures)


def label_information(inputs: Pictures, photographs: Pictures) -> Values:
    """Compute the share of the photograph's colours that its input predicts, beyond the mean photograph.

    Of 10 or more items of one data set; sides from 32 pixels. -inf to 1; higher is better. Source: ours: ridge
    regression on the other items, grid of 32x32 cells, colour hats 4x4x4, widths 1, 3, 9, 27.
    """
    return each_item(labels.label_information, inputs, photographs)


def label_information_edges(inputs: Pictures, photographs: Pictures) -> Values:
    """Compute `label_information` of the strength of the photograph's edges.

    -inf to 1; higher is better. Source: ours: as `label_information`.
    """
    return each_item(labels.label_information_edges, inputs, photographs)
