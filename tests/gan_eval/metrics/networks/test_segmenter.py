"""The user's own segmenter on single pictures: TorchScript, its settings, or the palette."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import texture
from tiny_segmenters import PALETTE, Fails, NearestColour, Numbers, labels, save
from torch import Tensor, nn

from gan_eval.errors import UserError
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.segmenter import load_segmenter, read_settings, segmenter_key


def test_class_numbers_and_scores_of_another_size(tmp_path):
    """Numbers come from the nearest pixel, scores are brought up bilinearly; patches keep their middle."""
    true = labels(2)
    for name, network in (
        ("numbers.pt", Numbers(step=2)),
        ("scores.pt", NearestColour(step=2)),
    ):
        segmenter = load_segmenter(save(network, tmp_path / name), device="cpu")
        read = segmenter.read(PALETTE[true])
        inside = np.zeros(true.shape, bool)
        inside.reshape(8, 8, 12, 8)[:, 2:6, :, 2:6] = True
        assert np.array_equal(read[inside], true[inside])
        assert read.shape == true.shape
    assert np.array_equal(load_segmenter(tmp_path / "numbers.pt", device="cpu").read(PALETTE[true]), true)


def test_the_settings_beside_the_network_are_followed(tmp_path):
    """A network with its own order of classes, channels and range of levels, that wants one size."""
    order = [5, 3, *range(6, 19), 0, 1, 2, 4]
    network = nn.Sequential(_Unnormalise(), NearestColour(order))
    file = save(network, tmp_path / "net.pt", size=(32, 48))
    levels = 'scale = 1\nmean = [104.0, 117, 124]\nstd = [2, 3, 4]\nchannels = "bgr"\nsize = [32, 48]\n'
    (tmp_path / "net.pt.toml").write_text(f"{levels}classes = {order}\n")
    segmenter = load_segmenter(file, device="cpu")
    true = labels(4)
    assert np.array_equal(segmenter.read(PALETTE[true[::2, ::2]]), true[::2, ::2])
    read = segmenter.read(PALETTE[true])
    inside = np.zeros(true.shape, bool)
    inside.reshape(8, 8, 12, 8)[:, 2:6, :, 2:6] = True
    assert (read == true)[inside].mean() > 0.95
    plain = save(NearestColour(), tmp_path / "plain.pt")
    assert len({segmenter_key(file), segmenter_key(plain), segmenter.key}) == 2
    before = segmenter_key(plain)
    (tmp_path / "plain.pt.toml").write_text("scale = 1\n")
    assert segmenter_key(plain) != before
    (tmp_path / "plain.pt.toml").unlink()
    assert load_segmenter(plain, device="cpu").key == before


class _Unnormalise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        mean, std = torch.tensor([104.0, 117, 124]).view(1, 3, 1, 1), torch.tensor([2.0, 3, 4]).view(1, 3, 1, 1)
        return (x * std + mean).flip(1) / 255


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("scale = ", "not valid TOML"),
        ("sizes = [1, 2]", "sizes: no such key; did you mean size?"),
        ("std = [1, 0, 1]", "std.1: found 0; input should be greater than 0"),
        ("mean = [1, 2]", "mean.2: is missing; give it a value"),
        ("scale = nan", "scale: found nan; input should be a finite number"),
        ('channels = "hsv"', "channels: found 'hsv'; input should be 'rgb' or 'bgr'"),
        ("classes = [0, 19]", "classes.1: found 19; input should be less than 19, or 255"),
        ('classes = ["road"]', "classes.0: found 'road'; input should be a valid integer"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path, text, line):
    (tmp_path / "net.pt.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_settings(tmp_path / "net.pt")
    assert str(caught.value).startswith(f"{tmp_path / 'net.pt.toml'}: {line}")


def test_what_is_no_network_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pth")
    (tmp_path / "text.pt").write_text("hello")
    for name, line in (
        ("absent.pt", "no such file"),
        ("weights.pth", "not a TorchScript network .* weights alone do not do"),
        ("text.pt", "not a TorchScript network"),
    ):
        with pytest.raises(UserError, match=rf"--segmenter .*{name}: {line}"):
            load_segmenter(tmp_path / name, device="cpu")


def test_a_network_whose_weights_are_not_finite_is_refused(tmp_path):
    """Its class numbers would look like any."""
    network = Numbers()
    network.bias[3] = float("nan")
    with pytest.raises(UserError, match=r"net\.pt: its weight bias is not finite"):
        load_segmenter(save(network, tmp_path / "net.pt"), device="cpu")


def test_a_network_with_other_outputs_gives_its_reason(tmp_path):
    for network, line in (
        (NearestColour(range(7)), r"has the shape \(1, 7, 256, 256\) .* wanted scores \(1, 19, h"),
        (nn.Flatten(), r"has the shape \(1, 196608\)"),
        (Fails(), "the segmenter fails on a picture of 256x256: "),
    ):
        segmenter = load_segmenter(save_scripted(network, tmp_path / "net.pt"), device="cpu")
        with pytest.raises(Unmeasurable, match=line):
            segmenter.read(np.zeros((256, 256, 3), np.uint8))


def save_scripted(network: nn.Module, file: Path) -> Path:
    """Save a network as TorchScript from its code, without running it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(file)
    return file


def test_numbers_beyond_the_classes_are_a_reason(tmp_path):
    file = save(Numbers(), tmp_path / "net.pt")
    (tmp_path / "net.pt.toml").write_text(f"classes = {list(range(15))}")
    with pytest.raises(Unmeasurable, match="the segmenter gives class numbers 0 to 18; wanted 0 to 14"):
        load_segmenter(file, device="cpu").read(PALETTE[None])


def test_what_a_stimulus_lacks_is_a_reason(tmp_path):
    file = save(NearestColour(), tmp_path / "net.pt")
    with pytest.raises(Unmeasurable, match="input_file: not a label map in the colours of Cityscapes"):
        load_segmenter(file, device="cpu").prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="reference_file: not a label map in the colours of Cityscapes"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="192x192 and 64x96: sizes differ"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1, 96, 64))
