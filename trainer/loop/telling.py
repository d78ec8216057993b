"""What of a run's use of the machine is told to people: durations, bytes, and the most memory that was in use."""

import sys

import torch


def peak_memory(device: torch.device) -> tuple[str, int | None]:
    """Which memory limits a run on the device, and the most of it that this process used."""
    if device.type == "cuda":
        return "GPU memory in tensors", torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return "resident memory", None
    unit = 1 if sys.platform == "darwin" else 1024
    return "resident memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def clock(seconds: float) -> str:
    """A duration for people.

    >>> clock(0.4), clock(75), clock(100_000)
    ('under 1 s', '1 min 15 s', '1 d 3 h')
    """
    if seconds < 1:
        return "under 1 s"
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    left = round(seconds)
    parts = []
    for unit, length in units.items():
        count, left = divmod(left, length)
        parts.append((count, unit))
    while not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)


def size(count: int) -> str:
    """Bytes for people.

    >>> size(999), size(2_600_000_000)
    ('999 B', '2.6 GB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"
