"""The classic metrics: piq's own numbers, with a reason where piq has none, and one thread of torch for each worker."""

from pathlib import Path

import numpy as np
import piq
import pytest
import torch
from made_sets import write_items
from metric_pictures import disturbed, measure, planes, texture
from skimage import data

from gan_eval.metrics import functional
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.inputs import Settings
from gan_eval.metrics.run.measure import Tools

PIQ = {
    "vif": piq.vif_p,
    "fsim": piq.fsim,
    "gmsd": piq.gmsd,
    "ms_gmsd": piq.multi_scale_gmsd,
    "vsi": piq.vsi,
    "mdsi": piq.mdsi,
    "haarpsi": piq.haarpsi,
}
KINDS = (torch.float32, torch.float64)
PHOTOGRAPH = data.astronaut()[:97, 150:270]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, size) for name in PIQ for size in ((41, 90), (97, 120))),
        *((name, (385, 386)) for name in ("fsim", "vsi", "mdsi")),  # these halve pictures with sides from 384 pixels
    ],
)
def test_the_value_is_piqs_with_the_generated_picture_first_at_any_size(name: str, size: tuple[int, int]) -> None:
    real = data.astronaut()[: size[0], : size[1]]
    fake = disturbed(real, 5)
    x, y = planes(fake), planes(real)
    with torch.no_grad():
        theirs, exact = (float(PIQ[name](*((part.float() / 255).to(kind) for part in (x, y)))) for kind in KINDS)
    ours = METRICS[name].function(fake, real)
    assert ours == pytest.approx(theirs, abs=1e-7)
    assert ours == pytest.approx(exact, abs=5e-5)
    assert functional.__dict__[name](x.byte(), y.byte()).tolist() == [ours]
    if name == "vif":  # the only one that is not symmetric
        assert abs(METRICS[name].function(real, fake) - ours) > 1e-3


@pytest.mark.parametrize("name", PIQ)
def test_the_least_size_is_piqs(name: str) -> None:
    side = (METRICS[name].min_size or (1, 1))[0]
    assert METRICS[name].function(PHOTOGRAPH[:side], disturbed(PHOTOGRAPH, 0)[:side]) >= 0
    if side > 1:
        with pytest.raises(Unmeasurable, match="piq"):
            METRICS[name].function(PHOTOGRAPH[: side - 1], disturbed(PHOTOGRAPH, 0)[: side - 1])


def test_flat_references_have_a_reason_where_piq_gives_a_constant_or_rounding_error() -> None:
    black, grey, white = (np.full((64, 64, 3), level, np.uint8) for level in (0, 110, 255))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for name in ("vif", "vsi"):  # of every generated picture; not where this one alone is flat
        for fake, real in ((noise, black), (white, black), (black, black), (noise, grey)):
            with pytest.raises(Unmeasurable, match="the reference is flat"):
                METRICS[name].function(fake, real)
        assert METRICS[name].function(black, noise) < 0.5
    for name in ("fsim", "haarpsi"):  # where neither picture has structure
        for fake, real in ((white, black), (black, black), (grey, white)):
            with pytest.raises(Unmeasurable, match="both pictures are flat"):
                METRICS[name].function(fake, real)
        assert METRICS[name].function(noise, grey) < 0.5


def test_vif_of_a_faint_reference_is_that_of_float64() -> None:
    faint = np.full((64, 64, 3), 200, np.uint8)
    faint[:, 32:] += 1  # piq in float32 gives about 0.5 for the same picture, one level brighter
    assert METRICS["vif"].function(faint + np.uint8(1), faint) == pytest.approx(1, abs=1e-3)


def test_values_name_the_versions_of_piq_and_torch(tmp_path: Path) -> None:
    folder = write_items(tmp_path / "set", {"a": {"real": PHOTOGRAPH, "fake": disturbed(PHOTOGRAPH, 1)}})
    assert f"piq {piq.__version__}" in measure(folder, "vif").runs["software"][0]
    definition = Tools([METRICS["vif"]], Settings(("vif",))).definition(METRICS["vif"])
    assert f"piq {piq.__version__}" in definition
    assert f"torch {torch.__version__.partition('+')[0]}" in definition


def test_each_worker_uses_one_thread_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def gmsd(*_: torch.Tensor) -> float:
        threads.append(torch.get_num_threads())
        return 0.0

    monkeypatch.setattr(piq, "gmsd", gmsd)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        real = texture(1, 64, 64)
        folder = write_items(tmp_path / "set", {"a": {"real": real, "fake": disturbed(real, 1)}})
        measure(folder, "gmsd", threads=2)
        assert threads == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
