"""List what this machine lacks: libraries, screen, weights, GPU. Nothing is changed."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gan_eval.base.commands import as_typed, setup_command
from gan_eval.base.errors import UserError, first_sentence
from gan_eval.base.system_libraries import install_command, missing_display, missing_libraries, probe_screens

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "gan-eval"
SHOWN_EXTRAS = ("metrics", "train", "web", "onnx", "cluster", "postgres", "import")
"""Extras whose libraries are listed; extras for development are not."""


@dataclass(frozen=True)
class SystemFinding:
    """The result of one check.

    `ok`: works. `optional`: not there, but only some metrics need it. `warning`: a function does not work, or not well.
    `missing`: gan_eval cannot work without it.
    """

    what: str
    status: Literal["ok", "optional", "warning", "missing"]
    detail: str
    fix: str = ""


def doctor(everything: Annotated[bool, typer.Option("--all", help="Also list what is in order.")] = False) -> None:
    """List what is missing on this machine: libraries, display, weights, GPU."""
    findings = examine()
    for finding in findings if everything else notable(findings):
        fix = f" — {finding.fix}" if finding.fix else ""
        typer.echo(as_typed(f"{finding.status:8} {finding.what}: {finding.detail}{fix}"))


def notable(findings: Sequence[SystemFinding]) -> list[SystemFinding]:
    """Return the findings that are not ok, those alike and the optional ones as one, and the number of the others."""
    alike: dict[tuple[str, str, str], list[SystemFinding]] = {}  # such as the libraries of an extra
    for finding in findings:
        if finding.status in ("missing", "warning"):
            alike.setdefault((finding.status, finding.detail, finding.fix), []).append(finding)
    lines = [replace(same[0], what=", ".join(finding.what for finding in same)) for same in alike.values()]
    optional, fine = ([finding for finding in findings if finding.status == name] for name in ("optional", "ok"))
    if optional:
        fix = "`gan-eval weights list` names them"
        lines.append(SystemFinding("weights", "optional", f"{len(optional)} files of some metrics are not there", fix))
    return [*lines, SystemFinding("the rest", "ok", f"{len(fine)} checks; `gan-eval doctor --all` lists them")]


def examine() -> list[SystemFinding]:
    """Return all findings, the most important first. This takes seconds if torch is installed."""
    return [
        SystemFinding("Python", "ok", f"{platform.python_version()} ({sys.executable})"),
        disk_finding(),
        *library_findings(),
        *screen_findings(),
        *weights_findings(),
        *gpu_findings(),
    ]


def disk_finding() -> SystemFinding:
    """Return the free space where libraries are installed."""
    free = shutil.disk_usage(sys.prefix).free / 1e9
    return SystemFinding("disk", "ok", f"{free:.1f} GB free at {sys.prefix}; a full set-up takes 6.5 GB in all")


def library_findings() -> Iterator[SystemFinding]:
    """Yield a finding for each library that the installed package requires, by its metadata; import none of them."""

    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
    except metadata.PackageNotFoundError:
        yield SystemFinding(DISTRIBUTION, "missing", "not installed", f"install it: {setup_command()}")
        return
    for need in requirements:
        extras = [each for each in ("", *SHOWN_EXTRAS) if need.marker is None or need.marker.evaluate({"extra": each})]
        if need.name != DISTRIBUTION and extras:  # else an extra that includes another, or one for development
            yield _library_finding(need, extras[0])


def _library_finding(need: "Requirement", extra: str) -> SystemFinding:
    """Return whether a library is there in a version that the package, or one of its extras, requires."""
    what = f"{need.name} (extra {extra})" if extra else need.name
    try:
        version = metadata.version(need.name)
        if need.specifier.contains(version, prereleases=True):
            return SystemFinding(what, "ok", version)
        detail = f"{version}, expected {need.specifier}"
    except metadata.PackageNotFoundError:
        detail = "not installed"
    return SystemFinding(what, "warning" if extra else "missing", detail, setup_command(extra))


def screen_findings() -> Iterator[SystemFinding]:
    """Yield findings on missing system libraries of Qt, on its start, and on each screen."""
    if libraries := missing_libraries():
        names = ", ".join(library.soname for library in libraries)
        yield SystemFinding("Qt's system libraries", "missing", f"not found: {names}", install_command(libraries))
    missing = missing_display()
    result, error = probe_screens()
    if result is None:
        fix = "check its libraries, DISPLAY and access to it"
        yield SystemFinding("Qt", "missing", f"does not start: {error}", fix)
        return
    yield SystemFinding("Qt", "ok", f"{result['version']} starts on the platform {result['platform']}")
    if result["platform"] in ("offscreen", "minimal"):
        fix = "use a browser (`gan-eval serve`) or simulated people"
        yield SystemFinding("screen", "warning", f"none ({missing})", fix)
        return
    for screen in result["screens"]:
        what = "screen " + screen["name"] if screen["name"] not in ("", "screen") else "screen"
        size = f"{screen['width']} × {screen['height']}"
        detail = f"{size}, {screen['hertz']:.4g} Hz, device pixel ratio {screen['ratio']:g}"
        is_plausible = 20 <= screen["hertz"] <= 1000
        fix = "" if is_plausible else "the refresh rate is implausible; check the display settings"
        yield SystemFinding(what, "ok" if is_plausible else "warning", detail, fix)
        yield timing_finding(f"timing of the {what}", screen, result["platform"])


def timing_finding(what: str, screen: dict[str, Any], platform: str) -> SystemFinding:
    """Return the result of the timing self-test for a screen."""
    from gan_eval.quiz.station import ScreenKey, read_timings

    width, height = (round(screen[side] * screen["ratio"]) for side in ("width", "height"))
    problem = "not measured, so exposures are not rounded to the screen's frames"
    timing = None
    try:
        timing = read_timings().get(str(ScreenKey(screen["name"], width, height, screen["hertz"], platform)))
    except UserError as error:
        problem = str(error)
    if timing is None:
        return SystemFinding(what, "warning", problem, "gan-eval quiz --self-test")
    vsync = f"vsync at {timing.refresh_hz:.2f} Hz" if timing.vsync else "no vsync"
    return SystemFinding(what, "ok", f"{vsync}, {timing.presenter} window; measured {timing.measured_at}")


def weights_findings() -> Iterator[SystemFinding]:
    """Yield a finding for each file of pretrained weights; all are optional, because most metrics need none."""
    from gan_eval.metrics.weights.cache import list_weights

    for weights, path in list_weights():
        if path:
            yield SystemFinding(f"weights {weights.name}", "ok", str(path))
        else:
            fix = f"if you need them: `gan-eval weights fetch {weights.name}`"
            yield SystemFinding(f"weights {weights.name}", "optional", f"not in the cache ({weights.description})", fix)


def gpu_findings() -> Iterator[SystemFinding]:
    """Yield a finding on the GPU that torch would train on; nothing without torch."""
    if importlib.util.find_spec("torch") is None:
        return
    try:
        import torch
    except (ImportError, OSError) as error:
        fix = f"{setup_command('train')}; the versions of torch and torchvision must match"
        yield SystemFinding("torch", "warning", f"cannot be imported: {first_sentence(error)}", fix)
        return
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    names += ["Apple's (mps)"] if torch.backends.mps.is_available() else []
    none = f"none that torch {torch.__version__} can use; it trains on {torch.get_num_threads()} CPU threads"
    yield SystemFinding("GPU", "ok", ", ".join(names) or none, "" if names else "training takes hours to days here")
