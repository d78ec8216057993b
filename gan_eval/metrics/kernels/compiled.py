"""Compiled functions on whole pictures for the metrics, one thread for each call, and their machine code.

The kernels are in `loops.py`. They are compiled once on each machine, kept on disk, and run without numba: importing
numba takes longer than measuring a hundred pictures. The file is next to the source or, if that cannot be written, in
the user's cache folder; otherwise every process compiles again. The code follows numba's calling convention (seen with
0.68). Where it fails, or its sums are wrong, numba runs the kernels.
"""

import ctypes
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_bytes
from gan_eval.files.digests import sha256_json

COLUMNS = 128
"""Number of columns of an SSIM map that are computed together."""
FRESH = 32
"""Number of filtered rows for which there is room, besides the ten around the next window."""
SSIM_REACH = 5
"""Number of pixels from the middle of SSIM's window to its edge."""
SLAB = 8
"""Number of rows of a block that are normalised together."""
REACH = 3
"""Number of pixels from the middle of NIQE's window to its edge."""
_NO_MASK = np.empty((0, 0), np.bool_)
_NO_MAP = np.empty((0, 0), np.float32)
_PICTURE = "{0}[:,::1], {0}[:,::1], int64, int64, boolean[:,::1], float32[:,::1], float64[::1], float32[::1]"
KERNELS = {
    "difference_sums": "uint8[::1], uint8[::1], int64[::1]",
    "luma": "uint8[::1], uint8[::1]",
    "similarity_sums uint8": f"{_PICTURE.format('uint8')}, float64[::1]",
    "similarity_sums float32": f"{_PICTURE.format('float32')}, float64[::1]",
    "sample_moments": "float64[:,::1], int64, int64, int64, float64[:,:,::1], float64[:,:,::1], float64[::1]",
    "halve": "float64[:,::1], float64[:,::1], float64[::1]",
}
"""Types of the arguments of each kernel, whose name is the first word, as numba writes them."""
_DIGEST_BYTES = hashlib.sha256().digest_size
_LOCK = threading.Lock()


def run(kernel: str, *arguments: Any) -> None:
    """Run a kernel, without the interpreter's lock.

    Args:
        kernel: one of `KERNELS`.
        arguments: whole numbers, and contiguous arrays of the kernel's types.
    """
    with _LOCK:
        function = _functions()[kernel]
    function(*arguments)


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """Return the kernels: machine code, compiled if there is none yet, or numba's functions if it does not work."""
    try:
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        code = binding.ObjectFileRef.from_data(kept_code(binding))
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine(binding))
        engine.add_object_file(code)
        engine.finalize_object()
        _functions.engine = engine  # type: ignore[attr-defined]  # its end would free the code
        functions: dict[str, Callable[..., Any]] = {
            kernel: partial(_call, engine.get_function_address(kernel)) for kernel in KERNELS
        }
        sums = np.zeros(2, np.int64)
        functions["difference_sums"](np.array([9, 0, 255], np.uint8), np.array([7, 4, 255], np.uint8), sums)
        if sums.tolist() == [20, 6]:
            return functions
    except (OSError, RuntimeError, AttributeError, AssertionError):  # another version of numba or llvmlite
        pass
    from gan_eval.metrics.kernels import loops

    return {kernel: loops.callable_from_python(kernel.partition(" ")[0]) for kernel in KERNELS}


def _call(address: int, *arguments: Any) -> None:
    # numba's calling convention: places for the result and for an error, then the fields of each argument; those of an
    # array are its owners (none), size, address and layout
    numbers: list[int] = []
    for each in arguments:
        is_array = isinstance(each, np.ndarray)
        numbers += (
            [0, 0, each.size, each.itemsize, each.ctypes.data, *each.shape, *each.strides] if is_array else [each]
        )
    places = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
    if ctypes.CFUNCTYPE(ctypes.c_int32)(address)(*places, *map(ctypes.c_int64, numbers)):
        raise RuntimeError("a kernel failed")


def _target_machine(binding: Any) -> Any:
    """Return LLVM's compiler for this processor, with numba's settings."""
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def kept_code(binding: Any) -> bytes:
    """Return the machine code from its file; without one, compile and keep it."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    processor = [binding.get_default_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()]
    name = f"kernels-{sha256_json([version('numba'), version('llvmlite'), *processor, *sources])[:24]}.o"
    for place in places_for(name):
        with suppress(OSError):
            content = place.read_bytes()
            if content[:_DIGEST_BYTES] == hashlib.sha256(content[_DIGEST_BYTES:]).digest():
                return content[_DIGEST_BYTES:]
    code = _compile(binding)
    for place in places_for(name):
        with suppress(UserError):
            write_bytes(place, hashlib.sha256(code).digest() + code)
            break
    return code


def places_for(name: str) -> Iterator[Path]:
    """Yield the files of this name next to the source and in the user's cache folder."""
    yield Path(__file__).parent / "__pycache__" / name
    from gan_eval.metrics.weights.cache import cache_folder

    yield cache_folder().parent / name


def _compile(binding: Any) -> bytes:
    """Compile all kernels with numba; return an object file with a function for each."""
    from gan_eval.metrics.kernels import loops

    whole = binding.parse_assembly("")
    for kernel, types in KERNELS.items():
        function = getattr(loops, kernel.partition(" ")[0])
        function.compile(f"void({types})")
        signature = function.signatures[-1]
        module = binding.parse_assembly(function.inspect_llvm(signature))
        module.get_function(function.overloads[signature].fndesc.llvm_func_name).name = kernel
        whole.link_in(module)
    outside = [each.name for each in whole.functions if each.is_declaration and not each.name.startswith("llvm.")]
    assert not outside, f"functions of numba, which is not loaded later: {outside}"
    return _target_machine(binding).emit_object(whole)


def difference_sums(
    fake: NDArray[np.uint8], real: NDArray[np.uint8], where: NDArray[np.bool_] | None = None
) -> tuple[int, int]:
    """Return the exact sums of squared and of absolute differences of two (H, W, 3) uint8.

    With `where`, (H, W) bool, only these pixels count. Other numbers of channels and 16 bits work, too.
    """
    if fake.dtype != np.uint8 or fake.shape[2] != 3:
        difference = fake.astype(np.int64) - real
        difference = difference if where is None else difference[where]
        return int((difference * difference).sum()), int(np.abs(difference).sum())
    x, y = (np.ascontiguousarray(picture if where is None else picture[where]).ravel() for picture in (fake, real))
    sums = np.empty(2, np.int64)
    run("difference_sums", x, y, sums)
    return int(sums[0]), int(sums[1])


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (H, W) uint8: floor((299 R + 587 G + 114 B + 500) / 1000)."""
    result = np.empty(picture.shape[:2], np.uint8)
    run("luma", np.ascontiguousarray(picture).ravel(), result.ravel())
    return result


def similarity(
    x: NDArray[Any], y: NDArray[Any], *, luminance: bool, where: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return (C,) each channel's mean of the SSIM map of two (H, W, C), or of its contrast-structure factor.

    With `where`, (H - 10, W - 10) bool, the mean is over these places, and only the rectangle around them is computed.
    """
    if where is None:
        places, count = _NO_MASK, (x.shape[0] - 10) * (x.shape[1] - 10)
    else:
        rows, columns = _extent(where.max(axis=1)), _extent(where.max(axis=0))
        places, count = np.ascontiguousarray(where[rows, columns]), np.count_nonzero(where)
        x, y = (picture[rows.start : rows.stop + 10, columns.start : columns.stop + 10] for picture in (x, y))
    return _similarity_sums(x, y, luminance, places, _NO_MAP) / count


def similarity_map(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float32]:
    """Return the SSIM map (H - 10, W - 10, C) float32, whose mean is `similarity`."""
    height, width, channels = x.shape
    result = np.empty((height - 10, (width - 10) * channels), np.float32)
    _similarity_sums(x, y, True, _NO_MASK, result)
    return result.reshape(height - 10, width - 10, channels)


def _similarity_sums(
    x: NDArray[Any], y: NDArray[Any], luminance: bool, where: NDArray[np.bool_], whole: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return (C,) each channel's sum of the SSIM map; `where` and `whole` as in the kernel `similarity_sums`."""
    channels = x.shape[2]
    kind = "uint8" if x.dtype == y.dtype == np.uint8 else "float32"
    x, y = (np.ascontiguousarray(picture.astype(kind, copy=False)).reshape(len(picture), -1) for picture in (x, y))
    totals, sums = np.zeros(channels), np.empty(COLUMNS)
    buffers, rows = 4 * (FRESH + 2 * SSIM_REACH) * COLUMNS, 2 * (COLUMNS + 2 * SSIM_REACH * channels)
    room = np.empty(buffers + COLUMNS + rows, np.float32)
    run(f"similarity_sums {kind}", x, y, channels, luminance, where, whole, totals, room, sums)
    return totals


def pool(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return (ceil(H/2), ceil(W/2), C) float32 means of 2x2; of an odd side, the first row or column is repeated."""
    height, width, _ = x.shape
    x = x.astype(np.float32)
    if height % 2 or width % 2:
        x = np.pad(x, ((1, 0), (1, 0), (0, 0)), mode="edge")[: (height + 1) // 2 * 2, : (width + 1) // 2 * 2]
    rows = x[::2] + x[1::2]
    return np.float32(0.25) * (rows[:, ::2] + rows[:, 1::2])


def sample_moments(plane: NDArray[Any], *, block: tuple[int, int], zero_border: bool) -> NDArray[np.float64]:
    """Return (5, 5, blocks): moments of the normalised luma and of its products with neighbours, by whole block.

    For local means, the picture is extended by its edge pixels or, with `zero_border`, by 0.
    """
    blocks = (plane.shape[0] // block[0]) * (plane.shape[1] // block[1])
    result = np.empty((5, 5, blocks))
    wide = block[1] + 2 * REACH
    room = np.empty((SLAB + 2 * REACH + 2) * wide + 2 * (SLAB + 1) * (block[1] + 2))
    x = np.ascontiguousarray(plane.astype(np.float64, copy=False))
    run("sample_moments", x, *block, zero_border, result, np.empty((5, 5, block[1])), room)
    return result


def halve(plane: NDArray[Any]) -> NDArray[np.float64]:
    """Return (ceil(H/2), ceil(W/2)) float64, as MATLAB's `imresize(plane, 0.5)`."""
    result = np.empty((-(-plane.shape[0] // 2), -(-plane.shape[1] // 2)))
    run("halve", np.ascontiguousarray(plane.astype(np.float64, copy=False)), result, np.empty(2 * result.shape[1] + 6))
    return result


def warm_up() -> None:
    """Compile the kernels, or load them from disk; `run` calls this at the end of set-up."""
    luma(np.zeros((1, 1, 3), np.uint8))


def _extent(line: NDArray[np.bool_]) -> slice:
    """Return the slice from the first to the last True; at least one is needed."""
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)
