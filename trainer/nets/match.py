"""The first difference between the weights of a network and those that are to be loaded into it."""

from collections.abc import Mapping

from torch import Tensor


def first_difference(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str | None:
    """The first key, in the network's order, that is missing, of another shape or kind, or not the network's.

    >>> import torch
    >>> first_difference({"a": torch.zeros(2)}, {"a": torch.zeros(3)})
    'a has shape (3,) where (2,) is wanted'
    """
    for key in dict.fromkeys((*expected, *weights)):
        if key not in weights:
            return f"{key} is missing"
        if key not in expected:
            return f"{key} is not a weight of this network"
        if expected[key].shape != weights[key].shape:
            return f"{key} has shape {tuple(weights[key].shape)} where {tuple(expected[key].shape)} is wanted"
        if expected[key].is_floating_point() != weights[key].is_floating_point():
            return f"{key} is {weights[key].dtype} where {expected[key].dtype} is wanted".replace("torch.", "")
    return None
