"""Layers: normalisation and dropout by picture, doubling without a checkerboard."""

import copy

import pytest
import torch
from torch import nn

from trainer.nets.layers import BatchNorm2d, Dropout, InstanceNorm2d, MirroredStripes, ResizeConv2d, normalised_each


def by_picture(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([layer(one[None]) for one in x])


def test_batch_norm_of_one_picture_is_the_librarys_bit_for_bit() -> None:
    ours, theirs = BatchNorm2d(5, per_sample=True), nn.BatchNorm2d(5)
    nn.init.normal_(theirs.weight), nn.init.normal_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 5, 7, 6)
    assert torch.equal(ours(x), theirs(x))
    assert all(torch.equal(ours.state_dict()[key], value) for key, value in theirs.state_dict().items())
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_statistics_by_picture_make_a_batch_equal_to_its_pictures() -> None:
    torch.manual_seed(0)
    layer = BatchNorm2d(5, per_sample=True).double()
    nn.init.normal_(layer.weight), nn.init.normal_(layer.bias)
    alone = copy.deepcopy(layer)
    x = torch.randn(4, 5, 7, 6, dtype=torch.float64) * torch.arange(1, 5).view(-1, 1, 1, 1)
    torch.testing.assert_close(layer(x), by_picture(alone, x), rtol=0, atol=1e-12)
    # the running statistics move once, by the mean over the pictures
    means, variances = x.mean((0, 2, 3)), torch.stack([one.var((1, 2)) for one in x]).mean(0)
    torch.testing.assert_close(layer.running_mean, 0.1 * means)
    torch.testing.assert_close(layer.running_var, 0.9 + 0.1 * variances)
    assert int(layer.num_batches_tracked) == 1


@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_normalisation_by_picture_stays_in_its_order_of_memory(kind: str, pictures: int) -> None:
    """Compare the numbers, gradients and running statistics of both orders."""
    torch.manual_seed(0)
    ours = (BatchNorm2d(5, per_sample=True) if kind == "batch" else InstanceNorm2d(5)).double()
    for weight in ours.parameters():
        nn.init.normal_(weight)
    theirs = copy.deepcopy(ours)
    x = 3 * torch.randn(pictures, 5, 7, 6, dtype=torch.float64) + 2
    there = x.clone().requires_grad_(True)
    here = x.contiguous(memory_format=torch.channels_last).requires_grad_(True)
    y, plain = ours(here), theirs(there)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert not y.is_contiguous()
    torch.testing.assert_close(y, plain.detach().contiguous(memory_format=torch.channels_last), rtol=0, atol=1e-12)
    grad = torch.randn_like(plain)
    y.backward(grad)
    plain.backward(grad)
    assert here.grad is not None
    assert here.grad.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(here.grad, there.grad, rtol=0, atol=1e-12, check_stride=False)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(dict(ours.named_buffers()), dict(theirs.named_buffers()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pictures", [1, 2])
def test_statistics_by_picture_of_half_precision_are_float32(pictures: int) -> None:
    """A mean far from 0 leaves nothing of bf16's 8 bits for the deviation from it."""
    torch.manual_seed(0)
    x = (torch.randn(pictures, 3, 16, 16) + 30).bfloat16().contiguous(memory_format=torch.channels_last)
    y = normalised_each(x, None, None, None, None, momentum=0.0, eps=1e-5)
    wanted = torch.nn.functional.instance_norm(x.float())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), wanted, rtol=2**-8, atol=1e-3, check_stride=False)


@pytest.mark.parametrize("border", [1, 3, 4])
def test_mirrored_stripes_are_the_librarys_reflection(border: int) -> None:
    """Check the GPU's path; there the library's gradient has no fixed order, nor its output channels last."""
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 5, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    x.requires_grad_(True)
    ours, theirs = MirroredStripes.apply(x, border), torch.nn.functional.pad(x, [border] * 4, mode="reflect")
    assert torch.equal(ours, theirs)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    grad = torch.randn(ours.shape, dtype=torch.float64)
    grad = grad.contiguous(memory_format=torch.channels_last)
    (mine,), (other,) = torch.autograd.grad(ours, x, grad), torch.autograd.grad(theirs, x, grad)
    torch.testing.assert_close(mine, other, rtol=0, atol=1e-13, check_stride=False)
    assert mine.is_contiguous(memory_format=torch.channels_last)


def test_dropout_by_picture_does_not_depend_on_the_batch() -> None:
    layer = Dropout(0.5)
    x = torch.rand(3, 4, 8, 8) + 1
    layer.generators = [torch.Generator().manual_seed(number) for number in (1, 2, 1)]
    together = layer(x)
    layer.generators = [torch.Generator().manual_seed(2)]
    assert torch.equal(layer(x[1:2]), together[1:2])
    assert torch.equal(together[0] == 0, together[2] == 0)
    assert not torch.equal(together[0] == 0, together[1] == 0)
    kept = together != 0
    torch.testing.assert_close(together[kept], 2 * x[kept])
    torch.manual_seed(2)
    assert torch.equal(nn.functional.dropout(x[1:2], 0.5), together[1:2])
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_is_the_same_in_any_order_of_memory(dtype: torch.dtype) -> None:
    """Check that a run can resume in another order of memory with the same result."""
    x, layer, given = torch.rand(2, 4, 8, 8).to(dtype), Dropout(0.3), []
    for order in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(5)
        given.append(layer(x.contiguous(memory_format=order)))
        assert given[-1].is_contiguous(memory_format=order)
    assert torch.equal(*given)
    assert (given[0] == 0).any()


def test_resize_convolution_covers_every_pixel_alike() -> None:
    ours = ResizeConv2d(1, 1, bias=False)
    nn.init.ones_(ours.weight)
    y = ours(torch.ones(1, 1, 5, 6))
    assert y.shape == (1, 1, 10, 12)
    assert torch.equal(y, torch.full_like(y, 9.0))  # a transposed convolution of kernel 3 gives 1, 2 and 4
