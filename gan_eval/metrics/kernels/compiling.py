"""How the kernels are compiled, and where the machine code is kept."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """The function as machine code for one thread, made when it is first called and kept on disk.

    Kept beside the source or, where that cannot be written, in the user's cache folder; where neither can, every
    process compiles anew. numba looks at one source file alone to tell whether what it kept is still true, so a
    kernel may call and read only what stands in its own file.

    The interpreter's lock is given up meanwhile. Multiplication and addition may be fused; sums are never reordered.
    """
    compile_: Any = partial(numba.njit, nogil=True, error_model="numpy", fastmath={"contract"})
    try:
        return compile_(function, cache=True)
    except RuntimeError:  # nowhere to keep it
        return compile_(function)
