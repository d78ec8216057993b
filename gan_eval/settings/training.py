"""`[training]`: how a generator is trained; with `[training.inpainting]`, to fill holes instead of translating."""

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from gan_eval.base.errors import UserError
from gan_eval.settings.sections import SHORT, Option, OptionalPath, Section, check

MaskKind = Literal["centre", "blocks", "region", "folder"]
StyleNetwork = Literal["none", "vgg13_bn", "vgg16"]
StyleLayers = Literal["poolings", "all"]

CONFIG_FORMAT = 1
"""Format of `config.json` in a run's folder."""
MAX_WEIGHT = 1e12
"""Maximum weight of a term; sums of such terms stay within single precision."""
NEUTRAL_GREY = 128
"""Grey level of the holes in the input pictures shown to participants."""


class InpaintingSettings(Section):
    """`[training.inpainting]`: the holes, and how their filling is judged."""

    masks: dict[MaskKind, Annotated[float, Field(gt=0, le=MAX_WEIGHT)]] = Field(default={"centre": 1.0}, min_length=1)
    """The kinds of holes with their shares: centre, blocks, region, folder."""
    centre: float = Field(default=0.5, gt=0, lt=1)
    """Side of the centre square as a share of the picture's side."""
    least_area: float = Field(default=0.01, gt=0, lt=1)
    """Every hole takes at least this share of the picture."""
    most_area: float = Field(default=0.6, gt=0, lt=1)
    """Every hole takes at most this share."""
    shapes: OptionalPath = ""
    """Folder of silhouettes, white on black, for holes of kind region, below the data root; default: generated ones."""
    mask_folder: OptionalPath = ""
    """Folder of masks (white is hole) for the holes of kind folder, below the data root."""
    fill: Literal["zero", "mean", "noise"] = "zero"
    """Values in the hole of the generator's input: 0 (grey), the colour 117, 104, 123, or clipped noise N(0, 1)."""
    mask_channel: bool = False
    """Give the generator the mask as a fourth channel."""
    fit: Literal["crop", "stretch"] = "crop"
    """Make a photograph square by cropping its centre, or by stretching the whole."""
    source_size: int | None = Field(default=None, ge=8, le=16_384, examples=[128])
    """Resize pictures first to this side, then to image_size, which simulates small sources."""

    overlap: int = Field(default=0, ge=0, le=16_384)
    """Width in pixels of the border inside the hole that has a weight of its own in the reconstruction."""
    overlap_weight: float = Field(default=10.0, ge=0, le=MAX_WEIGHT)
    """Weight of each pixel of the border."""
    overlap_shown: bool = False
    """Show the border to the generator; the hole is then smaller by `overlap` on each side."""
    hole_weight: float = Field(default=1.0, ge=0, le=MAX_WEIGHT)
    """Weight of each other pixel of the hole in the reconstruction."""
    context_weight: float = Field(default=1.0, ge=0, le=MAX_WEIGHT)
    """Weight of each pixel around the hole in the reconstruction, for generators of whole pictures."""

    judged_patches: Literal["all", "hole"] = "all"
    """PatchGAN logits in the loss: all, or only those at the hole; a global logit always counts."""

    @check
    def _holes_can_be_made(self) -> Iterator[str]:
        if self.least_area >= self.most_area:
            yield f"least_area: {self.least_area:g} is not below most_area {self.most_area:g}"
        if "centre" in self.masks and not self.least_area <= self.centre**2 <= self.most_area:
            yield (
                f"centre: a square of side {self.centre:g} takes {self.centre**2:.3g} of the picture, which is not "
                f"between least_area {self.least_area:g} and most_area {self.most_area:g}"
            )
        if ("folder" in self.masks) != bool(self.mask_folder):
            yield "mask_folder: goes with the mask kind folder; give both or neither"
        if self.shapes and "region" not in self.masks:
            yield "shapes: goes with the mask kind region; add it to masks, or remove shapes"

    def centre_side(self, image_size: int) -> int:
        """Return the side in pixels of a context encoder's output: the even number nearest to centre * size."""
        return 2 * round(image_size * self.centre / 2)


GeneratorKind = Literal["unet", "resnet_6", "resnet_9", "context_encoder", "region_encoder", "channelwise_unet"]
NormKind = Literal["batch", "instance", "none"]
StatisticsKind = Literal["sample", "batch"]
EncoderOrder = Literal["norm_activation", "activation_norm"]
UpsamplingKind = Literal["transposed", "resize"]
DownsamplingKind = Literal["strided", "pool"]
AdversarialKind = Literal["bce", "least_squares"]

MAX_STEPS = 1_000_000_000
"""Maximum number of steps, which would take years on any machine."""
MAX_PICTURES = 100_000_000
"""Maximum number of pictures in a data set."""
ENCODERS: tuple[GeneratorKind, ...] = ("context_encoder", "region_encoder")
"""Generators with their own encoder."""
VALIDATION_PAIRS = 16
"""Default number of validation pairs: enough for a curve, too few to choose the best generator."""
MAX_LEVELS = 14
"""Maximum number of halvings in a U-Net."""
MAX_SIDE = 2**MAX_LEVELS
"""Largest side of a picture in pixels."""


def joined_splits(train_split: str) -> list[str]:
    """Return the training splits; several are joined with "+".

    >>> joined_splits("train+val+test")
    ['train', 'val', 'test']
    """
    return train_split.split("+")


class TrainingSettings(Section):
    """`[training]`: how a generator is trained. Defaults: Isola et al. 2017 (arXiv 1611.07004), section 6.2."""

    epochs: Annotated[int | None, SHORT, Option("N")] = Field(default=None, ge=1, le=1_000_000, examples=[200])
    """Passes over the training pairs."""
    steps: Annotated[int | None, Option("N")] = Field(default=None, ge=1, le=MAX_STEPS, examples=[100000])
    """Optimizer steps; give either epochs or steps."""
    batch_size: Annotated[int, Option("N")] = Field(default=1, ge=1, le=65_536)
    """Pairs in each step."""
    image_size: Annotated[int, SHORT, Option("N")] = Field(default=256, ge=16, le=MAX_SIDE)
    """Side of the square pictures in pixels."""
    learning_rate: float = Field(default=2e-4, gt=0, le=1000)
    """Adam's learning rate for both networks."""
    discriminator_learning_rate: float | None = Field(default=None, gt=0, le=1000, examples=[1e-4])
    """Adam's learning rate for the discriminator; default: learning_rate."""
    decay: float = Field(default=0.0, ge=0, le=1)
    """Share of the run, at its end, in which the learning rate falls linearly to 0."""
    plateau_patience: int | None = Field(default=None, ge=0, le=MAX_STEPS, examples=[5])
    """Lower both learning rates after more than this many validations without an improvement of best_metric."""
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    """Factor of the learning rates at a plateau (ReduceLROnPlateau)."""
    init_from: OptionalPath = ""
    """Start from a trained generator: a run's folder or file, or in a study the name of another of its models."""
    init_encoder: OptionalPath = ""
    """Start the encoder of a context encoder from trained weights: a run, a .safetensors or .pth file whose layers have
    the same names, or in a study the name of another of its models."""
    beta1: float = Field(default=0.5, ge=0, lt=1)
    """Adam's decay of the mean gradient."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Adam's decay of the mean square gradient."""

    adversarial: AdversarialKind = "bce"
    """The GAN loss: binary cross-entropy on logits, or least squares (LSGAN)."""
    adversarial_weight: float = Field(default=1.0, ge=0, le=MAX_WEIGHT)
    """Weight of the GAN loss. 0: no discriminator is trained."""
    lambda_l1: Annotated[float, SHORT] = Field(default=100.0, ge=0, le=MAX_WEIGHT)
    """Weight of the mean absolute difference."""
    lambda_l2: float = Field(default=0.0, ge=0, le=MAX_WEIGHT)
    """Weight of the mean squared difference."""
    lambda_ssim: float = Field(default=0.0, ge=0, le=MAX_WEIGHT)
    """Weight of 1 - SSIM."""
    lambda_tv: float = Field(default=0.0, ge=0, le=MAX_WEIGHT)
    """Weight of the total variation of the output; in inpainting, of the composite."""
    lambda_style: float = Field(default=0.0, ge=0, le=MAX_WEIGHT)
    """Weight of the style loss: the root mean square distance of the Gram matrices of style_network's features."""
    style_network: StyleNetwork = "none"
    """The network of the style loss: torchvision's VGG13 with BatchNorm, or VGG16."""
    style_layers: StyleLayers = "poolings"
    """The layers of the style loss: those before the first four poolings, or every convolution with its ReLU."""
    d_loss_factor: float = Field(default=0.5, gt=0, le=MAX_WEIGHT)
    """Factor of the discriminator's loss (fakes + reals). With Adam it changes nothing: to slow the discriminator, use
    discriminator_learning_rate."""

    generator: GeneratorKind = "unet"
    """The generator: a U-Net, or a ResNet of 6 or 9 blocks; for inpainting also the context encoder (centre only), its
    form for holes anywhere, or a U-Net with a channel-wise fully-connected layer."""
    generator_channels: int = Field(default=64, ge=1, le=4096)
    """Channels of the generator's first layer."""
    bottleneck: int = Field(default=4000, ge=1, le=100_000)
    """Values in the bottleneck of the context encoder."""
    discriminator: Literal["patch", "global", "global_and_patch"] = "patch"
    """The discriminator: a PatchGAN, a single logit for the whole picture, or both."""
    discriminator_channels: int = Field(default=64, ge=1, le=4096)
    """Channels of the discriminator's first layer."""
    depth: int | None = Field(default=None, ge=2, le=MAX_LEVELS, examples=[8])
    """Levels of the U-Net; default: the number of times the size halves exactly."""
    receptive_field: int = Field(default=70, ge=1, le=16_384)
    """Side in pixels of the patch that one logit of a PatchGAN sees."""
    downsampling: DownsamplingKind = "strided"
    """Halving in a U-Net: convolutions of stride 2, or of stride 1 with 2x2 max pooling."""
    upsampling: UpsamplingKind = "transposed"
    """Transposed convolution, or nearest-neighbour resize and a convolution (no checkerboard)."""
    norm: NormKind = "batch"
    """Normalisation in both networks."""
    statistics: StatisticsKind = "sample"
    """BatchNorm over each picture separately, or over the whole batch; the same at batch size 1."""
    encoder_order: EncoderOrder = "norm_activation"
    """Order of norm and LeakyReLU after each convolution in the encoding half."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Dropout probability in the inner layers of a U-Net or ResNet; the two encoders have no dropout."""

    jitter: bool = True
    """Enlarge to round(size * 286/256), then crop at random."""
    mirror: bool = True
    """Mirror half of the pairs."""
    max_pairs: int | None = Field(default=None, ge=1, le=MAX_PICTURES, examples=[400])
    """Use only the first pairs of the training split."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """fp32, or bf16 mixed precision, whose results differ."""

    snapshots: tuple[Annotated[int, Field(ge=0, le=MAX_STEPS)], ...] = Field(default=(), max_length=10_000)
    """Steps after which the generator is kept; scaled with --fraction."""
    validate_every: int | None = Field(default=None, ge=1, le=MAX_STEPS, examples=[1000])
    """Steps between measurements on pictures of another split; scaled with --fraction."""
    validation_metrics: tuple[str, ...] = ("psnr", "ssim")
    """Metrics to measure; see `gan-eval metrics --list`."""
    validation_pairs: Annotated[int, Field(ge=1, le=MAX_PICTURES)] | Literal["all"] | None = Field(
        default=None, examples=[16]
    )
    """Number of validation pairs of val (else test), spread over the split, or `all`. Default: all if best_metric is
    set or a study has `generate.checkpoint = "best"`, else 16."""
    best_metric: str | None = Field(default=None, examples=["psnr"])
    """Validation metric that decides which generator is the best (in training mode; with BatchNorm over the batch of
    photographs in evaluation mode); default: the first."""
    seed: Annotated[int, SHORT, Option("N")] = Field(default=0, ge=0, lt=2**63)
    """Seed of all random numbers: initial weights, order of the pairs, crops, dropout."""

    inpainting: InpaintingSettings | None = None
    """If present, the generator fills holes instead of translating pictures."""

    @property
    def starts_from(self) -> str:
        """The path in init_from or init_encoder; empty: random weights."""
        return self.init_from or self.init_encoder

    def validation_count(self, *, uses_best: bool) -> int | None:
        """Return the number of pictures in a validation; None: the whole split."""
        if self.validation_pairs is None:
            return None if uses_best or self.best_metric is not None else VALIDATION_PAIRS
        return None if self.validation_pairs == "all" else self.validation_pairs

    def planned_steps(self, pictures: int) -> int:
        """Return the number of optimizer steps for `pictures` pictures."""
        if self.steps is None and self.epochs is None:
            raise UserError("training: neither steps nor epochs are given; give one of them")
        return self.steps or (self.epochs or 0) * math.ceil(pictures / self.batch_size)

    @check
    def _one_length(self) -> Iterator[str]:
        if self.epochs is not None and self.steps is not None:
            yield "give epochs or steps, not both"

    @check
    def _style_fits(self) -> Iterator[str]:
        if (self.style_network == "none") != (self.lambda_style == 0):
            yield "lambda_style: goes with style_network; give both or neither"
        if self.style_layers == "all" and self.style_network == "none":
            yield "style_layers: goes with style_network; give one, or remove style_layers"

    @check
    def _depth_and_order_fit_the_generator(self) -> Iterator[str]:
        if self.depth is not None and self.image_size % 2**self.depth:
            yield f"image_size {self.image_size} is not a multiple of 2^depth = {2**self.depth}"
        if self.downsampling != "strided" and self.generator not in ("unet", "channelwise_unet"):
            yield f"downsampling: only U-Nets have it; remove it for generator {self.generator}"
        if self.encoder_order != "norm_activation" and self.generator in ("resnet_6", "resnet_9"):
            yield "encoder_order: only U-Nets and encoders have it; remove it for a ResNet"

    @check
    def _start_fits_the_generator(self) -> Iterator[str]:
        if self.init_encoder and self.init_from:
            yield "init_encoder: init_from gives the encoder too; give one of them"
        if self.init_encoder and self.generator not in ENCODERS:
            yield (
                f"init_encoder: {self.generator} has no encoder of its own; remove it, or give generator "
                "context_encoder or region_encoder"
            )

    @check
    def _generator_fits_the_task(self) -> Iterator[str]:
        if self.inpainting is None:
            if self.generator in (*ENCODERS, "channelwise_unet"):
                yield f"generator: {self.generator} fills holes; give a section inpainting, or another one"
            return
        if self.generator == "context_encoder":
            if list(self.inpainting.masks) != ["centre"]:
                yield "generator: context_encoder fills only the centre; give masks = { centre = 1 }"
            if self.inpainting.mask_channel:
                yield "generator: context_encoder always has its hole in the centre; remove mask_channel"
        if self.generator in ENCODERS and self.norm == "batch" and self.statistics == "sample":
            yield f'statistics: {self.generator} has BatchNorm over the batch; give statistics = "batch"'

    @check
    def _judged_parts_fit_the_networks(self) -> Iterator[str]:
        holes, is_context_encoder = self.inpainting, self.generator == "context_encoder"
        if holes and holes.overlap_shown and not is_context_encoder:
            yield "inpainting.overlap_shown: only context_encoder has it; remove it"
        if holes and holes.judged_patches == "hole":
            if is_context_encoder:
                yield "inpainting.judged_patches: the context encoder's hole is judged alone; remove it"
            if self.discriminator == "global":
                yield "inpainting.judged_patches: a global discriminator has no patches; remove it"

    @check
    def _holes_fit_the_pictures(self) -> Iterator[str]:
        holes = self.inpainting
        if holes is None:
            return
        gives_centre = self.generator == "context_encoder"
        side = holes.centre_side(self.image_size) if gives_centre else round(self.image_size * holes.centre)
        square = f"inpainting.centre: a square of side {holes.centre:g}"
        if "centre" in holes.masks and side < 1:
            yield f"{square} is empty in pictures of {self.image_size} pixels; raise it"
        if gives_centre and side >= self.image_size:
            yield f"{square} leaves no context in pictures of {self.image_size} pixels; lower it"
        if gives_centre and self.style_layers == "all" and side < 16:
            yield f"{square} is too small ({side} pixels) for all layers of the style network; raise it"
        if holes.overlap_shown and 2 * holes.overlap >= side:
            yield (
                f"inpainting.overlap: leaves no hole: {holes.overlap} pixels on each side of a square of {side} are "
                f"shown; give less than {side / 2:g}"
            )

    @check
    def _some_pixel_counts(self) -> Iterator[str]:
        holes, gives_centre = self.inpainting, self.generator == "context_encoder"
        if holes is None:
            return
        border = holes.overlap and holes.overlap_weight
        if not (holes.hole_weight or border or (holes.context_weight and not gives_centre)):
            weights = "hole_weight" if gives_centre else "hole_weight and context_weight"
            yield (
                f"inpainting.hole_weight: no pixel counts in the reconstruction; give {weights} more than 0 "
                "(lambda_l1 = 0 leaves the reconstruction out)"
            )

    @check
    def _something_to_learn(self) -> Iterator[str]:
        if self.plateau_patience is not None and self.validate_every is None:
            yield "plateau_patience: counts validations; give validate_every"
        weights = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name == "adversarial_weight" or (name.startswith("lambda_") and name != "lambda_tv")
        }
        if not any(weights.values()):
            *names, last = weights
            hint = "; lambda_tv alone has no target" if self.lambda_tv else ""
            yield f"{', '.join(names)} and {last} are 0{hint}; give one of them a weight"
        if self.best_metric is not None and self.best_metric not in self.validation_metrics:
            yield f"best_metric {self.best_metric!r} is not among validation_metrics"
