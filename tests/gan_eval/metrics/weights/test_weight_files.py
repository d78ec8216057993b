"""Tensors out of a user's file: what is refused, by name."""

from pathlib import Path

import pytest
import torch
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics.weights.files import read_state, required_tensors


def test_a_file_that_is_none_is_refused_without_an_option_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"text")
    refused(r"mine\.pth:.*vgg13_bn", read_state, tmp_path / "mine.pth", "vgg13_bn")
    with pytest.raises(UserError, match=r"\(no a\);.*--weights vgg16=FILE$"):
        required_tensors({"b": torch.zeros(1)}, {"a": (1,)}, tmp_path / "mine.pth", "vgg16")
    with pytest.raises(UserError, match=r"a has the shape \(2,\), expected \(1,\)"):
        required_tensors({"a": torch.zeros(2)}, {"a": (1,)}, tmp_path / "mine.pth", "vgg16")
    for name, content in (("code.pth", torch.nn.Linear(2, 2)), ("list.pth", [1, 2])):
        torch.save(content, tmp_path / name)
        refused(rf"{name}:.*vgg16", read_state, tmp_path / name, "vgg16")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    """Also those that float32 cannot hold; what is not taken does not matter."""
    found = {"a": torch.tensor([1.0, value], dtype=torch.float64), "b": torch.tensor([float("nan")])}
    with pytest.raises(UserError, match=r"mine\.pth:.*vgg16 \(a has numbers that are not finite\)"):
        required_tensors(found, {"a": (2,)}, tmp_path / "mine.pth", "vgg16")


def test_a_few_bytes_that_stand_for_a_huge_tensor_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**10)}, tmp_path / "mine.pth")
    refused(r"mine\.pth:.*vgg16 \(a has fewer numbers than places\)", read_state, tmp_path / "mine.pth", "vgg16")
