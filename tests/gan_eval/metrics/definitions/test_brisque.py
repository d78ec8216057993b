"""BRISQUE compared with piq's: made weights on made pictures, and the release's regression where the cache holds it."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, regular_pictures, texture

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.no_reference import Regression, brisque, load_regression
from gan_eval.metrics.kernels import compiled as kernels
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.cache import find
from gan_eval.stimuli.pictures import Picture


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


def test_both_files_give_the_same_regression(tmp_path: Path) -> None:
    made = made_regression()
    (tmp_path / "allmodel").write_text(as_libsvm(made))
    tensors_as_piqs = (torch.from_numpy(made.coefficients)[:, None].float(), torch.from_numpy(made.vectors).float())
    torch.save(tensors_as_piqs, tmp_path / "brisque_svm_weights.pt")
    text, packed = load_regression(tmp_path / "allmodel"), load_regression(tmp_path / "brisque_svm_weights.pt")
    picture = texture(4)
    assert brisque(picture, text) == brisque(picture, made)
    assert brisque(picture, packed) == pytest.approx(brisque(picture, made), abs=1e-3)
    assert text.rho == packed.rho == -153.591


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("allmodel", lambda text: text.replace("epsilon_svr", "c_svc")),
        ("allmodel", lambda text: text[: len(text) // 2]),
        ("allmodel", lambda text: text.replace(" 36:", " 37:")),
        ("allmodel", lambda text: ""),
        ("allmodel", lambda text: text.replace("rho -153.591", "rho nan")),
        ("allmodel", lambda text: text.replace(" 36:", " 36:1e999", 1)),
        ("weights.pt", lambda text: text),
    ],
)
def test_another_file_is_refused(tmp_path: Path, name: str, change) -> None:
    (tmp_path / name).write_text(change(as_libsvm(made_regression())))
    with pytest.raises(UserError, match=rf"{name}: not BRISQUE's regression"):
        load_regression(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        (torch.zeros(3, 1), torch.zeros(3, 18)),
        (torch.zeros(3, 1),),
        ([0.0, 0.0, 0.0], torch.zeros(3, 36)),
        {"coefficients": torch.zeros(3, 1), "vectors": torch.zeros(3, 36)},
        torch.zeros(2, 36),
    ],
    ids=["shapes", "one", "a list", "a dict", "one tensor"],
)
def test_other_tensors_are_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(UserError, match="not BRISQUE's regression"):
        load_regression(tmp_path / "weights.pt")


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable, match="12x40 pixels; BRISQUE needs at least 13x13"):
        brisque(texture(0, 40, 12), made_regression())
    for grey in (0, 200):
        with pytest.raises(Unmeasurable, match=r"cannot be fitted: the picture is flat or strictly regular$"):
            brisque(np.full((64, 64, 3), grey, np.uint8), made_regression())
    for regular in regular_pictures(64).values():
        with pytest.raises(Unmeasurable, match=r"cannot be fitted: the picture is flat or strictly regular$"):
            brisque(regular, made_regression())


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
