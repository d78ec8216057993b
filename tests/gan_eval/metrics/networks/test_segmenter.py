"""The user's own segmenter on single pictures: TorchScript, or the palette."""

from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import texture
from refusals import refused
from tiny_segmenters import PALETTE, Fails, NearestColour, labels, save
from torch import nn

from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.segmenter import load_network, load_segmenter, read_classes


@pytest.mark.parametrize("step", [1, 2])
def test_scores_of_any_size_are_brought_to_the_pictures(tmp_path, step):
    true = labels(2)
    network = load_network(save(NearestColour(step=step), tmp_path / "net.pt"), device="cpu")
    read = read_classes(network, PALETTE[true], device="cpu")
    inside = np.full(true.shape, step == 1)
    inside.reshape(8, 8, 12, 8)[:, 2:6, :, 2:6] = True  # patches keep their middle
    assert np.array_equal(read[inside], true[inside])
    assert read.shape == true.shape


def test_what_is_no_network_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pth")
    (tmp_path / "text.pt").write_text("hello")
    for name, line in (
        ("absent.pt", "no such file"),
        ("weights.pth", "not a TorchScript network .* a file of weights is not enough"),
        ("text.pt", "not a TorchScript network"),
    ):
        refused(rf"--segmenter .*{name}: {line}", load_segmenter, tmp_path / name, device="cpu")


def test_a_network_whose_weights_are_not_finite_is_refused(tmp_path):
    """The classes that it reads would look like any."""
    network = NearestColour()
    network.bias[3] = float("nan")
    refused(r"net\.pt:", load_segmenter, save(network, tmp_path / "net.pt"), device="cpu")


def test_a_network_with_other_outputs_gives_its_reason(tmp_path):
    for network, line in (
        (NearestColour(range(7)), r"has the shape \(1, 7, 256, 256\); expected scores \(1, 19, h"),
        (nn.Flatten(), r"has the shape \(1, 196608\)"),
        (Fails(), "the segmenter fails on a picture of 256x256: "),
    ):
        loaded = load_network(save(network, tmp_path / "net.pt"), device="cpu")
        with pytest.raises(Unmeasurable, match=line):
            read_classes(loaded, np.zeros((256, 256, 3), np.uint8), device="cpu")


def test_what_a_stimulus_lacks_is_a_reason(tmp_path):
    file = save(NearestColour(), tmp_path / "net.pt")
    with pytest.raises(Unmeasurable, match="input_file:"):
        load_segmenter(file, device="cpu").prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="reference_file:"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="192x192 and 64x96: sizes differ"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1, 96, 64))
