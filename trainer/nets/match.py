"""Whether named tensors are the weights of a network: the first that is not."""

from collections.abc import Mapping

from torch import Tensor


def first_difference(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    """The first key, in the network's order, that is missing, of another shape or kind, or explained by nothing.

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
        if wanted[key].is_floating_point() != found[key].is_floating_point():
            return f"{key} is {found[key].dtype} where {wanted[key].dtype} is wanted".replace("torch.", "")
    return None
