"""Whether named tensors are the weights of a network, and sound: the first that is not."""

from collections.abc import Mapping

from torch import Tensor


def first_difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    """The first key, in the network's order, that is missing, of another shape, or explained by nothing.

    >>> import torch
    >>> first_difference({"a": torch.zeros(2)}, {"a": torch.zeros(3)})
    'a has shape (3,) where (2,) is wanted'
    """
    for key in dict.fromkeys((*wanted, *found)):
        if key not in found:
            return f"{key} is missing"
        if key not in wanted:
            return f"{key} is not a weight of this network"
        if wanted[key].shape != found[key].shape:
            return f"{key} has shape {tuple(found[key].shape)} where {tuple(wanted[key].shape)} is wanted"
    return None


def first_not_finite(weights: Mapping[str, Tensor]) -> str | None:
    """The first key with a NaN or an infinity; None where all numbers are finite.

    >>> import torch
    >>> first_not_finite({"a": torch.zeros(2), "b": torch.tensor([0.0, float("nan")])})
    'b'
    """
    for key, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return key
    return None
