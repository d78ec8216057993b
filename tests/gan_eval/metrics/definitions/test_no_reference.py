"""NIQE, BRISQUE and sharpness compared with slow implementations, piq, the official code's values and scipy."""

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, regular_pictures, texture

from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.no_reference import Regression, brisque, load_regression, niqe
from gan_eval.metrics.kernels import compiled as kernels
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.cache import find
from gan_eval.pictures.decode import Picture


@cache
def _pictures() -> dict[str, Picture]:
    plain = texture(0, 200, 310)
    half_flat = texture(1, 192, 288)
    half_flat[:, :150] = 255
    saturated = disturbed(texture(2, 192, 192), 0, 120)
    one_flat_block = texture(3, 192, 288)
    one_flat_block[:96, :96] = 40
    grey = np.repeat(texture(4, 210, 205)[..., :1], 3, axis=2)
    return {"plain": plain, "half flat": half_flat, "saturated": saturated, "one flat": one_flat_block, "grey": grey}


SLOW = {
    "plain": 11.526982444544112,
    "half flat": 14.836635089057756,
    "saturated": 39.32998851740846,
    "one flat": 19.831974088899845,
    "grey": 15.892211741586724,
}
"""Values of the definition written out plainly, block by block, with numpy and scipy."""


@pytest.mark.parametrize("name", SLOW)
def test_equals_the_slow_writing(name: str) -> None:
    assert niqe(_pictures()[name]) == pytest.approx(SLOW[name], rel=1e-9)


RELEASE = {
    # as released; with the integer luma and the threshold put into its code
    "chelsea": (2.5720840430, 2.572084043015),
    "rocket": (7.0361976158, 7.036835371315),
    "coffee": (4.0584620075, 4.060192754081),
    "astronaut": (3.0666374996, 3.060160002311),
}
"""Values of the official MATLAB code in GNU Octave 7.3 for pictures of scikit-image 0.26."""


@pytest.mark.parametrize("name", RELEASE)
def test_equals_the_official_code(name: str) -> None:
    from skimage import data

    as_released, as_defined = RELEASE[name]
    value = niqe(getattr(data, name)())
    assert value == pytest.approx(as_defined, rel=1e-11)
    flat = name == "astronaut"  # 7% of its pixels equal their neighbours, and the release counts rounding noise there
    assert value == pytest.approx(as_released, rel=3e-3 if flat else 1e-3)


def made_regression(seed: int = 0, vectors: int = 12) -> Regression:
    rng = np.random.default_rng(seed)
    return Regression(rng.uniform(-300, 300, vectors), rng.uniform(-1, 1, (vectors, 36)))


def as_libsvm(regression: Regression) -> str:
    head = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\n"
    lines = [
        " ".join([f"{coefficient:.17g}", *(f"{i}:{v:.17g}" for i, v in enumerate(row, start=1) if v)])
        for coefficient, row in zip(regression.coefficients.tolist(), regression.vectors.tolist(), strict=True)
    ]
    return head + f"total_sv {len(lines)}\nrho -153.591\nprobA 5.7\nSV\n" + "\n".join(lines) + "\n"


@pytest.fixture
def piqs(monkeypatch: pytest.MonkeyPatch):
    """piq's BRISQUE with a given regression, of the picture's luma in float64."""
    module = importlib.import_module("piq.brisque")

    def value(picture: Picture, regression: Regression) -> float:
        parts = torch.from_numpy(regression.coefficients)[:, None], torch.from_numpy(regression.vectors)
        monkeypatch.setattr(module, "load_url", lambda *_, **__: tuple(part.clone() for part in parts))
        grey = torch.from_numpy(kernels.luma(picture)).to(torch.float64)
        return float(module.brisque(grey[None, None], data_range=255))

    return value


@pytest.mark.slow
@pytest.mark.parametrize(
    "picture",
    [texture(0), disturbed(texture(1, 200, 310), 0, 25), texture(2, 64, 90) // 2 + 60],
    ids=["texture", "noise", "low contrast"],
)
def test_equals_piq_on_textured_pictures_of_even_size(piqs, picture: Picture) -> None:
    regression = made_regression()
    assert brisque(picture, regression) == pytest.approx(piqs(picture, regression), abs=2e-3)


def test_a_file_gives_its_regression(tmp_path: Path) -> None:
    made = made_regression()
    (tmp_path / "allmodel").write_text(as_libsvm(made))
    read = load_regression(tmp_path / "allmodel")
    assert brisque(texture(4), read) == brisque(texture(4), made)
    assert read.rho == -153.591


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("epsilon_svr", "c_svc"),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(" 36:", " 37:"),
        lambda text: "",
        lambda text: text.replace("rho -153.591", "rho nan"),
        lambda text: text.replace(" 36:", " 36:1e999", 1),
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: Callable[[str], str]) -> None:
    (tmp_path / "allmodel").write_text(change(as_libsvm(made_regression())))
    with pytest.raises(UserError, match="allmodel: "):
        load_regression(tmp_path / "allmodel")


@pytest.mark.parametrize(
    ("metric", "picture", "reason"),
    [
        (niqe, texture(0, 191, 180), "180x191 pixels"),
        *((niqe, regular, "flat") for regular in regular_pictures(192).values()),
        (brisque, texture(0, 40, 12), "12x40 pixels"),
        *((brisque, np.full((64, 64, 3), grey, np.uint8), "flat") for grey in (0, 200)),
        *((brisque, regular, "flat") for regular in regular_pictures(64).values()),
    ],
)
def test_small_and_flat_pictures_have_no_value(metric: Callable[..., float], picture: Picture, reason: str) -> None:
    with pytest.raises(Unmeasurable, match=reason):
        metric(*((picture, made_regression()) if metric is brisque else (picture,)))


def released() -> Regression:
    try:
        return load_regression(find("brisque"))
    except UserError:
        pytest.skip("BRISQUE's regression is not in the cache: gan-eval weights fetch brisque")


@pytest.mark.parametrize(("name", "published"), [("astronaut", 2.874), ("camera", -7.254)])
def test_photographs_have_piqs_values(piqs, name: str, published: float) -> None:
    """piq's values of its own float32; astronaut has flat black, which piq counts by the sign of rounding noise."""
    data = pytest.importorskip("skimage.data")
    photograph = getattr(data, name)()
    if photograph.ndim == 2:
        photograph = np.repeat(photograph[..., None], 3, axis=2)
    regression = released()
    assert len(regression.vectors) == 774
    assert brisque(photograph, regression) == pytest.approx(published, abs=0.08)
    assert brisque(photograph, regression) == pytest.approx(piqs(photograph, regression), abs=0.07)
