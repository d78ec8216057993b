"""The command `metrics`, and the commands of `weights`."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gan_eval.base.commands import as_typed
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import claim_output_folder, refuse_of_others
from gan_eval.base.progress import about_download
from gan_eval.base.reading import resolved
from gan_eval.base.threads import MAX_THREADS, usable_cores
from gan_eval.metrics import catalogue
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, Metric
from gan_eval.metrics.weights import cache
from gan_eval.metrics.weights.known import WEIGHTS
from gan_eval.pictures.sets import TABLE_NAME, StimulusSet
from gan_eval.settings.choices import ResizerName
from gan_eval.settings.study import MetricsSettings
from gan_eval.study.commands import options
from gan_eval.study.commands.console import Console, say
from gan_eval.study.commands.options import (
    LargestMember,
    Paired,
    TarKey,
    White,
    files_of_pairs,
    names_in,
    refuse_without_effect,
    setting,
    tables_as_json,
)
from gan_eval.tables import MARKS
from gan_eval.tables.frames import read_table

if TYPE_CHECKING:
    from gan_eval.metrics.run.inputs import Settings
    from gan_eval.metrics.run.runner import Evaluation
    from gan_eval.tables.columns import Columns


def metrics(
    context: typer.Context,
    sets: Annotated[list[Path] | None, typer.Argument(metavar="SET", help="Stimulus sets.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables.")] = None,
    names: Annotated[
        str,
        typer.Option(
            "--metrics",
            help="Names, separated by commas; also FILE.py:NAME, your own function of (fake, real) or (picture).",
        ),
    ] = "psnr,ssim,niqe,fid",
    real: Annotated[
        Path | None,
        typer.Option(help="Folder (or zip, npz, Parquet, tar) of real pictures, paired by stem with --fake."),
    ] = None,
    fake: Annotated[Path | None, typer.Option(help="The same of generated pictures.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set; default: the folder's.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of the generator; default: the fake folder's.")] = None,
    paired: Paired = None,
    tar_key: TarKey = None,
    largest_member: LargestMember = None,
    resize: Annotated[bool, setting(MetricsSettings, "resize")] = False,
    white: White = None,
    resizer: Annotated[ResizerName | None, setting(MetricsSettings, "resizer")] = None,
    weights: Annotated[
        list[str],
        typer.Option(metavar="NAME=FILE", help="Pretrained weights, by a name of `weights list`; default: the cache."),
    ] = [],
    features: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=FILE",
            help="Your own features (npz, CSV, Parquet): fid@NAME, kid@NAME, cmmd@NAME, p_ids@NAME, ...; all of them, "
            "unless --metrics names some.",
        ),
    ] = [],
    networks: Annotated[
        list[str],
        typer.Option(
            "--network",
            metavar="NAME=FILE",
            help="The same with features of your network: TorchScript or ONNX, NAME.toml next to it.",
        ),
    ] = [],
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="STATS.npz",
            help="With --fake, in place of --real: mu and sigma of Inception features, for fid. Name their --resizer.",
        ),
    ] = None,
    save_reference: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Also write mu and sigma of the real pictures.")
    ] = None,
    baselines: Annotated[bool, setting(MetricsSettings, "baselines")] = False,
    segmenter: Annotated[Path | None, setting(MetricsSettings, "segmenter")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: a GPU where there is one.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, max=MAX_THREADS, help="Number of threads; default: the usable cores.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=MAX_THREADS, help="Number of processes that measure pictures; each has its networks."),
    ] = 1,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Cache features and values of networks, and use cached ones.")
    ] = True,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also make a report of the tables.")] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Also make a page to sort, filter and look at all pictures; they are in FILE_files/ next to it.",
        ),
    ] = None,
    marks: Annotated[
        Path | None, typer.Option(metavar="marks.csv", help="With --gallery: show heat maps of people's marks.")
    ] = None,
    maps: options.Maps = [],
    list_metrics: Annotated[bool, typer.Option("--list", help="List all metrics in a line each.")] = False,
    long: Annotated[bool, typer.Option("--long", help="With --list: describe what each metric measures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Tables to stdout as JSON.")] = False,
) -> None:
    """Compute picture metrics for stimulus sets or for two folders.

    What cannot be measured has a reason in the tables, and the exit status is 0; it is 2 if nothing has a value.
    A second run takes the features of networks from the cache.
    """
    if list_metrics:
        _print_list(context, long=long)
        return
    refuse_without_effect(context, ["long"], "is for --list; add it")
    if out is None:
        raise UserError("metrics: --out is missing; name a folder for the tables")
    from gan_eval.metrics.run.cache import cache_file
    from gan_eval.metrics.run.inputs import Settings

    refuse_of_others(out, "metrics")
    settings = Settings(
        metrics=tuple(names_in(names)),
        resizer=resizer or DEFAULT_RESIZER,
        resize=resize,
        white=white,
        weights=files_of_pairs(weights, "--weights"),
        features=files_of_pairs(features, "--features"),
        networks=files_of_pairs(networks, "--network"),
        device=device,
        threads=threads,
        segmenter=segmenter,
        cache=cache_file() if cache else None,
        reference=reference,
        save_reference=save_reference,
    )
    folders = _Folders(real, fake, dataset, model, paired, tar_key)
    inputs, remarks = _inputs(context, settings, sets, folders, resizer=resizer)
    chosen = settings.selected()
    _refuse_unused(chosen, settings, resizer)
    pages = _Pages(report, gallery, marks, files_of_pairs(maps, "--maps"))
    _check_pages(chosen, pages)
    if baselines:
        inputs += _filled(sets, out)
    for remark in remarks:
        say(f"note: {remark}")
    results = _measure(inputs, settings, out, pages, workers)
    typer.echo(tables_as_json(results.by_name()) if as_json else out)
    if not any(value is not None for value in chain(*_values(results))):
        raise UserError(f"metrics: no value could be computed; the tables in {out} have the reasons")


def _print_list(context: typer.Context, *, long: bool) -> None:
    """Print the metrics; refuse options that would have no effect."""
    others = context.params.keys() - {"list_metrics", "long"}
    refuse_without_effect(context, others, "metrics --list prints text and takes no other option; remove it")

    typer.echo(as_typed(catalogue.describe() if long else catalogue.list_metrics()))


class _Pages(NamedTuple):
    """The pages that are made of the tables, and what the gallery shows of marks and maps."""

    report: Path | None
    gallery: Path | None
    marks: Path | None
    maps: dict[str, Path]


class _Folders(NamedTuple):
    """The pictures of --real and --fake, and how they are named and paired."""

    real: Path | None
    fake: Path | None
    dataset: str | None
    model: str | None
    paired: bool | None
    tar_key: str | None


def _inputs(
    context: typer.Context, settings: "Settings", sets: list[Path] | None, folders: _Folders, *, resizer: str | None
) -> "tuple[list[StimulusSet | Path], list[str]]":
    """Return the sets, or the pictures of --real and --fake as one until the command ends, and messages about them."""
    from gan_eval.metrics.run.inputs import opened_folder, opened_pair

    (real, fake, dataset, model, paired, tar_key), reference = folders, settings.reference
    if bool(sets) == bool(real or fake):
        raise UserError("metrics: give either stimulus sets, or --real DIR and --fake DIR")
    if reference is not None:
        _check_reference(context, reference, folders, resizer)
    if sets:
        _check_sets(context, sets, folders)
        return [*sets], []
    if reference is not None and fake is not None:
        dataset = dataset or reference.name.partition(".")[0]
        opened = opened_folder(fake, settings, dataset=dataset, model=model, tar_key=tar_key)
    elif real is None or fake is None:
        raise UserError("metrics: --real DIR and --fake DIR belong together")
    else:
        opened = opened_pair(real, fake, settings, dataset=dataset, model=model, paired=paired, tar_key=tar_key)
    made, remarks = context.with_resource(opened)
    return [made], remarks


OF_FOLDERS = "belongs to --real and --fake; for a set give it to `gan-eval stimuli import`"


def _check_reference(context: typer.Context, reference: Path, folders: _Folders, resizer: str | None) -> None:
    """Refuse options that contradict --reference, and one whose resizer is not named."""
    if folders.real or folders.fake is None:
        raise UserError("metrics: --reference replaces the real pictures: give it with --fake DIR only")
    if resizer is None:
        raise UserError(f"--reference {reference}: name the method that made it by --resizer; others give other values")
    refuse_without_effect(context, ["paired"], OF_FOLDERS)


def _check_sets(context: typer.Context, sets: Sequence[Path], folders: _Folders) -> None:
    """Refuse folders of pictures in place of sets, and options that sets do not have."""
    if folders.dataset or folders.model:
        raise UserError("metrics: --dataset and --model belong to --real and --fake; a stimulus set names its own")
    if len(sets) == 2 and not any(_is_set(folder) for folder in sets):
        raise UserError("metrics: neither folder is a stimulus set; name folders of pictures by --real DIR --fake DIR")
    refuse_without_effect(context, ["white", "paired", "tar_key"], OF_FOLDERS)


def _is_set(folder: Path) -> bool:
    """Return whether a folder is a stimulus set; anything else is refused where sets are read."""
    return not folder.is_dir() or (folder / TABLE_NAME).is_file()


def _check_pages(chosen: "Sequence[Metric]", pages: _Pages) -> None:
    """Check that the report and the gallery can be written, and that the gallery has values to show."""
    report, gallery, marks, maps = pages
    if report is not None:
        from gan_eval.report import check_page

        check_page(report, option="--report")
    if gallery is None:
        if marks or maps:
            raise UserError("--marks, --maps: are for --gallery; to compare maps with marks, see analyze")
        return
    from gan_eval.report.metrics.gallery import check_gallery

    check_gallery(gallery)
    if report is not None and resolved(report) == resolved(gallery):
        raise UserError(f"--gallery {gallery}: --report names the same file; name two")
    if all(metric.kind == "set" for metric in chosen):
        raise UserError(
            f"--gallery: {_names(chosen)} have no value for a single picture; add a metric that has, such as psnr"
        )


def _filled(sets: Sequence[Path] | None, out: Path) -> list[Path]:
    """Return the sets with their holes filled without learning, written below `out`."""
    if not sets:
        raise UserError("metrics: --baselines fills the holes of stimulus sets; --real and --fake have no masks")
    from gan_eval.pictures.fills import BASELINES, write_fills

    with Console() as console, console.working("baselines"):
        return write_fills(sets, claim_output_folder(out) / BASELINES)


def _names(metrics: "Sequence[Metric]") -> str:
    return ", ".join(metric.name for metric in metrics)


def _refuse_unused(chosen: "Sequence[Metric]", settings: "Settings", resizer: str | None) -> None:
    """Refuse options and weight files that have no effect."""
    extractors = {metric.extractor for metric in chosen}
    needed = set[str]().union(*(metric.weights for metric in chosen))
    unused = {
        "--segmenter": settings.segmenter and "segmenter" not in extractors,
        "--resizer": resizer and "inception" not in extractors,
        "--resize": settings.resize and all(metric.kind != "pair" for metric in chosen),
        # an unknown name is refused later, with a list of the known ones
        **{f"--weights {name}": name not in needed for name in settings.weights if name in WEIGHTS},
    }
    for option, is_unused in unused.items():
        if is_unused:
            raise UserError(f"{option}: none of the metrics {_names(chosen)} needs it; remove it")


def _measure(
    inputs: "Sequence[StimulusSet | Path]",
    settings: "Settings",
    out: Path,
    pages: _Pages,
    workers: int,
) -> "Evaluation":
    """Measure, write the tables and pages, and print missing and measured values."""
    from gan_eval.base.parallel import in_parallel
    from gan_eval.metrics.run.inputs import stimuli_of_sets
    from gan_eval.metrics.run.runner import missing_values, write_metrics

    picture_maps = None
    if pages.maps:
        from gan_eval.metrics.maps import PictureMaps

        picture_maps = PictureMaps(stimuli_of_sets(inputs), pages.maps)
    with Console() as console:

        def show(done: int, total: int, what: str = "", *_: object, **_more: object) -> None:
            console.progress(done, total, f"metrics: {what}")

        run_tasks = partial(in_parallel, workers=workers) if workers > 1 else None
        evaluation = write_metrics(
            inputs, settings, out, run_tasks=run_tasks, on_progress=show, on_message=console.message
        )
        if any(None in values for values in _values(evaluation)):
            for line in missing_values(evaluation.columns):
                console.message(line)
        _print_values(console, evaluation.columns)
        if pages.report is not None:
            from gan_eval.report import build_metrics_report

            with console.working("report"):
                build_metrics_report(evaluation.by_name(), stimuli_of_sets(inputs), pages.report)
            console.message(f"report: {pages.report}")
        if pages.gallery is not None:
            from gan_eval.report.metrics.gallery import write_gallery

            threads = settings.threads or usable_cores()
            write_gallery(
                evaluation.image_metrics,
                stimuli_of_sets(inputs),
                pages.gallery,
                marks=None if pages.marks is None else read_table(pages.marks, MARKS),
                maps=picture_maps,
                resize=settings.resize,
                white=settings.white,
                threads=threads,
                on_progress=show,
            )
            console.message(f"gallery: {pages.gallery}")
    return evaluation


def _values(evaluation: "Evaluation") -> list[Sequence[float | None]]:
    """Return the values of pictures, and those of sets; None: missing."""
    return [evaluation.columns[name]["value"] for name in ("image_metrics", "set_metrics")]


def _print_values(console: "Console", columns: "Mapping[str, Columns]") -> None:
    """Print the means of the pictures' values, the values of sets, and the differences between models."""
    rows = [*_rows_of_pictures(columns["image_metrics"]), *_rows_of_sets(columns["set_metrics"])]
    console.table(["Data set", "Model", "Metric", "Pictures", "Value (95%)", "In no mean"], rows)
    facts = ("dataset", "a", "b", "metric", "difference", "ci_low", "ci_high", "better")
    differences = [
        [dataset, f"{a} − {b}", metric, _shown(*ends), better or "undecided"]
        for dataset, a, b, metric, *ends, better in zip(
            *(columns["metric_comparisons"][name] for name in facts), strict=True
        )
        if ends[0] is not None
    ]
    console.table(["Data set", "Models", "Metric", "Difference (95%)", "Better"], differences)


def _rows_of_pictures(cells: "Columns") -> list[list[str]]:
    """Return the mean of the pictures' values, for each data set, model and metric."""
    pictures: dict[tuple[str, str, str], list[tuple[float | None, str]]] = {}
    for dataset, model, metric, kind, value, item in zip(
        *(cells[name] for name in ("dataset", "model", "metric", "kind", "value", "item")), strict=True
    ):
        if kind == "fake" or value is not None:
            pictures.setdefault((dataset, model or "real", metric), []).append((value, item))
    return [[*owner, *_mean(values)] for owner, values in pictures.items()]


def _rows_of_sets(cells: "Columns") -> Iterator[list[str]]:
    """Yield the value of each set metric."""
    facts = ("dataset", "model", "metric", "n_fake", "n_real", "value", "ci_low", "ci_high")
    for dataset, model, metric, fake, real, *value in zip(*(cells[name] for name in facts), strict=True):
        text, missing = ("–", "1 missing") if value[0] is None else (_shown(*value), "")
        yield [dataset, model, metric, str(fake) if real is None else f"{fake} + {real}", text, missing]


def _mean(pictures: "Sequence[tuple[float | None, str]]") -> tuple[str, str, str]:
    """Return the number of values, their mean over the items, and the number of values that are not in it."""
    items: dict[str, list[float]] = {}
    for value, item in pictures:
        if value is not None and math.isfinite(value):
            items.setdefault(item, []).append(value)
    means = [math.fsum(those) / len(those) for those in items.values()]
    values = [value for value, _ in pictures if value is not None]
    missing, infinite = len(pictures) - len(values), sum(map(math.isinf, values))
    text = ("∞" if infinite else "–") if not means else f"{means[0]:.4g}"
    if len(means) > 1:
        from gan_eval.base.inference import mean_interval

        text = _shown(*mean_interval(means))
    exceptions = [f"{missing} missing"] * bool(missing) + [f"{infinite} ∞"] * bool(infinite)
    return str(len(values)), text, ", ".join(exceptions)


def _shown(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a value with its interval, in two digits of the interval's half width."""
    if low is None or high is None or not 0 < high - low < math.inf:
        return f"{value:.4g}"
    digits = min(max(1 - math.floor(math.log10((high - low) / 2)), 1), 6)
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


weights_app = typer.Typer(help="Pretrained weights that metrics and training need.", no_args_is_help=True)


@weights_app.command("list")
def weights_list() -> None:
    """List the known weights, and which are in the cache."""
    for weights, path in cache.list_weights():
        state = path or f"not in the cache; `gan-eval weights fetch {weights.name}`"
        typer.echo(as_typed(f"{weights.name}: {state} ({weights.description})"))


@weights_app.command("fetch")
def weights_fetch(
    name: Annotated[str, typer.Argument(help="Name of the weights, such as inception; all: every one.")],
) -> None:
    """Fetch weights into the cache, checked by SHA-256."""
    failures = []
    with Console() as console:
        for each in WEIGHTS if name == "all" else [name]:
            try:
                path = cache.fetch(each, on_progress=about_download(f"fetch {each}", console.progress))
                typer.echo(path)
            except UserError as error:
                failures.append(str(error))
    if failures:
        raise UserError("; ".join(failures))
