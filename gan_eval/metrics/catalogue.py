"""The metrics of gan_eval: the list of their facts.

The facts about a metric: what a reader, the command line and the tables must know of it.

Types of the functions that the passes over pictures and sets call.

The facts about the metrics of the hole of an inpainted picture.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["pair", "single", "set"]
ExtractorName = Literal["inception", "vgg16", "segmenter"]

DEFAULT_RESIZER = "tf1"
"""The rule by which pictures reach the network's size where none is named: that of the published values."""

ENOUGH_FOR_FID = 2000
"""Pictures below which FID's bias is not small beside differences between models."""

FID_OF_FEW = (
    f"FID from fewer than {ENOUGH_FOR_FID} pictures is biased upwards and may be compared only with values from as "
    "many pictures"
)
"""What a reader must know of such an FID."""

BESIDE_FID = ("fid_infinity", "kid")
"""What is shown beside the FID of few pictures, asked for or not, and compares them in its place."""


@dataclass(frozen=True)
class Metric:
    """The facts about a metric. What computes it stands in `gan_eval.metrics.run.pictures` and `set_pass`."""

    name: str
    kind: Kind
    """pair: a generated picture beside its reference; single: one picture alone; set: pictures beside pictures."""
    measures: str
    low: float
    """Least possible value."""
    high: float
    """Greatest possible value."""
    higher_is_better: bool
    source: str
    """The paper and the definition that is followed. The resizer is a setting and stands in the table `runs`."""
    definition: str
    """Short name of the definition, for readers. Kept values are found by it and by the code that computes them.
    "" (an own metric that names none): its values are never kept."""
    unit: str = ""
    weights: tuple[str, ...] = ()
    """Names of the pretrained weights in `gan_eval.weights.cache` that it needs."""
    extractor: ExtractorName | None = None
    """For a set metric: what turns a picture into the features that it compares."""
    least_size: tuple[int, int] | None = None
    """Pixels that a picture needs: of its shorter and of its longer side. None: any picture will do."""
    takes_hole: bool = False
    """A pair metric of the hole alone: it needs the mask picture beside the reference."""
    distribution: str = ""
    """The installed distribution, with its version, that brings a user's own metric."""


OnProgress = Callable[[int, int, str], None]
"""Told (done, total, what)."""

PictureFunction = Callable[..., float]
"""(generated, real), (generated, real, hole) or (picture) to a number; raises Unmeasurable where it is not defined."""

_HOLE = "hole: where the set's mask_file is white"

HOLE_METRICS = (
    Metric(
        name="psnr_hole",
        kind="pair",
        measures="as psnr, over the hole's pixels alone",
        low=0,
        high=math.inf,
        higher_is_better=True,
        unit="dB",
        source=f"10 log10(255² / MSE) over the hole's pixels and their channels; inf where equal; {_HOLE}",
        definition="psnr/rgb8/hole",
        takes_hole=True,
    ),
    Metric(
        name="ssim_hole",
        kind="pair",
        measures="as ssim: its map averaged over the hole's pixels, those 5 pixels from the border or more",
        low=-1,
        high=1,
        higher_is_better=True,
        source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, 8-bit values, no border; "
        f"windows with their middle in the {_HOLE}",
        definition="ssim/gauss11/rgb/valid/hole",
        least_size=(11, 11),
        takes_hole=True,
    ),
    Metric(
        name="l1_hole",
        kind="pair",
        measures="mean absolute difference from the reference over the hole's pixels and their channels",
        low=0,
        high=255,
        higher_is_better=False,
        unit="grey levels",
        source=f"mean |x - y| of 8-bit values, 0 to 255, over the hole; {_HOLE}",
        definition="l1/rgb8/hole",
        takes_hole=True,
    ),
)

_SSIM = "Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no border"
_PRECISION_RECALL = "Kynkäänniemi et al. 2019; k = 3"
_DENSITY_COVERAGE = "Naeem et al. 2020; k = 5"
_SEGMENTATION = "Long et al. 2015, as the FCN score of Isola et al. 2017; labels by the nearest palette colour"


def _neighbourhood_metrics(extractor: Literal["inception", "vgg16"], features: str) -> tuple[Metric, ...]:
    """Precision, recall, density and coverage on one network's features, named after it."""
    facts = (
        ("precision", "share of the generated pictures that lie among the real ones", 1.0, _PRECISION_RECALL),
        ("recall", "share of the real pictures that lie among the generated ones", 1.0, _PRECISION_RECALL),
        (
            "density",
            "how densely the real pictures surround each generated one; 1 where both sets are alike, more is possible",
            math.inf,
            _DENSITY_COVERAGE,
        ),
        ("coverage", "share of the real pictures with a generated one nearby", 1.0, _DENSITY_COVERAGE),
    )
    return tuple(
        Metric(
            name=f"{name}_{extractor}",
            kind="set",
            measures=measures,
            low=0,
            high=high,
            higher_is_better=True,
            source=f"{source}; {features}",
            definition=f"{name}/{extractor}/{source.rpartition('; ')[2].replace(' ', '')}",
            weights=(extractor,),
            extractor=extractor,
        )
        for name, measures, high, source in facts
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="psnr",
            kind="pair",
            measures="pixel-wise agreement with the reference: mean squared error on a logarithmic scale",
            low=0,
            high=math.inf,
            higher_is_better=True,
            unit="dB",
            source="10 log10(255² / MSE) over all pixels and channels; inf for equal pictures",
            definition="psnr/rgb8",
        ),
        Metric(
            name="l1",
            kind="pair",
            measures="mean absolute difference from the reference over all pixels and channels",
            low=0,
            high=255,
            higher_is_better=False,
            unit="grey levels",
            source="mean |x - y| of 8-bit values, 0 to 255",
            definition="l1/rgb8",
        ),
        Metric(
            name="ssim",
            kind="pair",
            measures="local agreement with the reference in luminance, contrast and structure; mean of R, G, B",
            low=-1,
            high=1,
            higher_is_better=True,
            source=_SSIM,
            definition="ssim/gauss11/rgb/valid",
            least_size=(11, 11),
        ),
        Metric(
            name="ssim_luma",
            kind="pair",
            measures="as ssim, on the integer BT.601 luma",
            low=-1,
            high=1,
            higher_is_better=True,
            source=_SSIM,
            definition="ssim/gauss11/luma601-int/valid",
            least_size=(11, 11),
        ),
        Metric(
            name="ms_ssim",
            kind="pair",
            measures="as ssim at five scales, each half of the one before; mean of R, G, B",
            low=0,
            high=1,
            higher_is_better=True,
            source="Wang et al. 2003; 2x2 mean pooling, odd sides as piq, negative contrast-structure is 0; "
            "both sides above 160",
            definition="ms-ssim/5-scales/gauss11/rgb/valid",
            least_size=(161, 161),
        ),
        Metric(
            name="lpips_alex",
            kind="pair",
            measures="distance from the reference in AlexNet's features, weighted as people judged distorted patches",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Zhang et al. 2018; version 0.1, AlexNet, pictures as they are",
            definition="lpips/0.1/alex",
            weights=("alexnet",),
            least_size=(31, 31),
        ),
        Metric(
            name="lpips_vgg",
            kind="pair",
            measures="as lpips_alex, in VGG16's features",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Zhang et al. 2018; version 0.1, VGG16, pictures as they are",
            definition="lpips/0.1/vgg16",
            weights=("vgg16",),
            least_size=(16, 16),
        ),
        Metric(
            name="dists",
            kind="pair",
            measures="difference from the reference in structure and texture of VGG16's features; texture may shift",
            low=0,
            high=1,
            higher_is_better=False,
            source="Ding et al. 2020; as piq, pictures above 256 pixels on the shorter side scaled to it",
            definition="dists/piq",
            weights=("vgg16", "dists"),
            least_size=(16, 16),
        ),
        *HOLE_METRICS,
        Metric(
            name="niqe",
            kind="single",
            measures="distance of one picture's local statistics from those of pristine photographs; no reference",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Mittal et al. 2013; official model, blocks of 96, integer luma, zero below 1e-6",
            definition="niqe/official-params/int-luma/zero1e-6",
            least_size=(96, 192),
        ),
        Metric(
            name="brisque",
            kind="single",
            measures="badness of one picture as people would rate it, learned from distorted photographs; no reference",
            low=-math.inf,
            high=math.inf,
            higher_is_better=False,
            source="Mittal et al. 2012; the release's regression, integer luma, zero below 1e-6; about 0 to 100",
            definition="brisque/release/int-luma/zero1e-6",
            weights=("brisque",),
            least_size=(13, 13),
        ),
        Metric(
            name="sharpness",
            kind="single",
            measures="strength of fine detail in one picture, noise included; no reference",
            low=0,
            high=math.inf,
            higher_is_better=True,
            unit="squared grey levels",
            source="Pech-Pacheco et al. 2000; variance of the Laplacian (4 neighbours) of the integer luma, no border",
            definition="sharpness/laplacian4/int-luma/valid",
            least_size=(3, 3),
        ),
        Metric(
            name="fid",
            kind="set",
            measures="distance of two sets' Inception features, each taken as one Gaussian; biased upwards if small",
            low=0,
            high=math.inf,
            higher_is_better=False,
            source="Heusel et al. 2017; Inception 2015-12-05, 2048 features",
            definition="fid/inception-2015-12-05",
            weights=("inception",),
            extractor="inception",
        ),
        Metric(
            name="fid_infinity",
            kind="set",
            measures="fid extrapolated to sets without end: a straight line in 1/N through the fid of smaller sets",
            low=-math.inf,
            high=math.inf,
            higher_is_better=False,
            source="Chong and Forsyth 2020; subsets of items without replacement, stored seed; Inception 2015-12-05",
            definition="fid-infinity/inception-2015-12-05",
            weights=("inception",),
            extractor="inception",
        ),
        Metric(
            name="kid",
            kind="set",
            measures="squared maximum mean discrepancy of two sets' Inception features; unbiased for independent sets, "
            "too low where they share items; may be below 0",
            low=-math.inf,
            high=math.inf,
            higher_is_better=False,
            source="Binkowski et al. 2018; cubic kernel, all pairs; Inception 2015-12-05",
            definition="kid/inception-2015-12-05/all-pairs",
            weights=("inception",),
            extractor="inception",
        ),
        *_neighbourhood_metrics("inception", "Inception 2015-12-05, 2048 features (not VGG16's, as in the papers)"),
        *_neighbourhood_metrics("vgg16", "VGG16, the 4096 features of its second hidden layer"),
        Metric(
            name="pixel_accuracy",
            kind="set",
            measures="share of the pixels that a segmenter reads in the generated pictures as their label maps say",
            low=0,
            high=1,
            higher_is_better=True,
            source=_SEGMENTATION,
            definition="segmentation/cityscapes19/pixel-accuracy",
            extractor="segmenter",
        ),
        Metric(
            name="class_accuracy",
            kind="set",
            measures="as pixel_accuracy, for each class alone; mean over the classes in the label maps",
            low=0,
            high=1,
            higher_is_better=True,
            source=_SEGMENTATION,
            definition="segmentation/cityscapes19/class-accuracy",
            extractor="segmenter",
        ),
        Metric(
            name="class_iou",
            kind="set",
            measures="intersection over union of what is read and what the label maps say; mean over their classes",
            low=0,
            high=1,
            higher_is_better=True,
            source=_SEGMENTATION,
            definition="segmentation/cityscapes19/class-iou",
            extractor="segmenter",
        ),
    )
}
"""By name."""
