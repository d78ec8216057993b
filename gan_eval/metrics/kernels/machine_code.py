"""Machine code of the kernels in `loops.py`: compiled once on each machine, kept on disk, and run without numba.

Importing numba takes longer than measuring a hundred pictures, so it is imported only to compile. The file is next to
the source or, if that cannot be written, in the user's cache folder; otherwise every process compiles again. The code
follows numba's calling convention (seen with 0.68). Where it fails, or its sums are wrong, numba runs the kernels.
"""

import ctypes
import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_bytes
from gan_eval.files.digests import sha256_json

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


def _fields(argument: Any) -> list[int]:
    """Return the fields of numba's form of an argument: of an array its owners (none), size, address and layout."""
    if isinstance(argument, np.ndarray):
        return [0, 0, argument.size, argument.itemsize, argument.ctypes.data, *argument.shape, *argument.strides]
    return [argument]


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """Return the kernels: their machine code, or numba's functions where that does not work."""
    try:
        functions = _loaded()
        sums = np.zeros(2, np.int64)
        functions["difference_sums"](np.array([9, 0, 255], np.uint8), np.array([7, 4, 255], np.uint8), sums)
        if sums.tolist() == [20, 6]:
            return functions
    except (OSError, RuntimeError, AttributeError, AssertionError):  # another version of numba or llvmlite
        pass
    from gan_eval.metrics.kernels import loops

    return {kernel: loops.callable_from_python(kernel.partition(" ")[0]) for kernel in KERNELS}


def _loaded() -> dict[str, Callable[..., None]]:
    """Load the machine code, after compiling it if there is none for these sources and this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    code = binding.ObjectFileRef.from_data(kept_code(binding))
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine(binding))
    engine.add_object_file(code)
    engine.finalize_object()
    _functions.engine = engine  # type: ignore[attr-defined]  # its end would free the code
    return {kernel: partial(_call, engine.get_function_address(kernel)) for kernel in KERNELS}


def _call(address: int, *arguments: Any) -> None:
    # numba's calling convention: places for the result and for an error, then the fields of each argument
    numbers = [number for argument in arguments for number in _fields(argument)]
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
    places = places_for(f"kernels-{sha256_json([version('numba'), version('llvmlite'), *processor, *sources])[:24]}.o")
    for place in places:
        with suppress(OSError):
            content = place.read_bytes()
            if content[:_DIGEST_BYTES] == hashlib.sha256(content[_DIGEST_BYTES:]).digest():
                return content[_DIGEST_BYTES:]
    code = _compile(binding)
    for place in places:
        with suppress(UserError):
            write_bytes(place, hashlib.sha256(code).digest() + code)
            break
    return code


def places_for(name: str) -> list[Path]:
    """Return the files of this name next to the source and in the user's cache folder."""
    from gan_eval.metrics.weights.cache import cache_folder

    return [Path(__file__).parent / "__pycache__" / name, cache_folder().parent / name]


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
