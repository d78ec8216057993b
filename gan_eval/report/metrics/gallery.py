"""The gallery: one HTML page of all measured pictures, sorted by a metric; the pictures are in a folder next to it.

The maps are computed here, by the code of the metrics, because a page opened from a disk may not read pixels.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gan_eval.base.atomic import OWN_FOLDER, is_temporary_name, temporary_folder, write_error, write_text
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import check_output_folder, claim_output_folder
from gan_eval.base.progress import Progress
from gan_eval.metrics.definitions.no_reference import BLOCK, niqe_blocks
from gan_eval.metrics.definitions.similarity import l1_map, ssim_map
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.maps import PictureMaps
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measure import PictureFiles, jobs_of
from gan_eval.pictures.decode import PictureFile, rgb_of
from gan_eval.report import check_page
from gan_eval.report.metrics.summaries import (
    NO_VERDICT,
    decimals,
    higher_is_better,
    in_order,
    is_of_quality,
    title_of,
    unit_of,
)
from gan_eval.report.page import templates
from gan_eval.report.parts.heat import coloured, heated, scale, stretched
from gan_eval.report.parts.words import clean, missing, plural
from gan_eval.stats.marks.tables import SIGMA

SIDE = 512
"""Longest side in pixels of the pictures and maps; larger ones are scaled down."""
QUALITY = 90
"""Quality of the WebP files of pictures."""
MAP_QUALITY = 75
"""Quality of the WebP files of maps."""
MAX_ERROR = 64.0
"""Value at the end of the colour scale of the error map; SSIM goes from 1 to 0."""
MAX_NIQE = 20.0
"""Value at the end of the colour scale of the NIQE blocks."""
PANELS = {
    "fake": ("Generated", "The generated picture", "", ""),
    "real": ("Real", "The real picture", "", ""),
    "input": ("Input", "The generator's input", "", ""),
    "error": ("Error", "Absolute difference from the real picture, mean of the channels", "0", f"{MAX_ERROR:g}+"),
    "ssim": ("SSIM map", "SSIM of the window around each pixel, mean of the channels", "1", "0"),
    "niqe": ("NIQE blocks", "Distance of each block's statistics from those of photographs", "0", f"{MAX_NIQE:g}+"),
    "marks": ("Marks", "Where people saw it; each person has the same weight", "0", "most"),
}
"""Panels of a picture: name, description, and the ends of the colour scale."""
_HERE = Path(__file__).parent
_VERSION = re.compile("[0-9a-f]{12}")


def files_folder(page: Path) -> Path:
    """Return the folder of a gallery's pictures: next to the page, with its name and `_files`."""
    return page.with_name(f"{page.stem}_files")


def check_gallery(page: Path) -> None:
    """Check, before any work, that a gallery can be written; write nothing.

    Raises:
        UserError: the name does not end in .html, it is a folder, or the page or its folder cannot be written.
    """
    check_page(page, option="--gallery")
    check_output_folder(files_folder(page), option="--gallery")


def write_gallery(
    image_metrics: pd.DataFrame,
    stimuli: Sequence[Stimulus],
    page: Path,
    *,
    resize: bool = False,
    white: int | None = None,
    threads: int = 1,
    marks: pd.DataFrame | None = None,
    maps: PictureMaps | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Write the gallery of measured pictures and return its path.

    The page is replaced last; until then an earlier page and its pictures stay. Equal input gives equal files.

    Args:
        image_metrics: the table of that name.
        stimuli: the pictures that were measured.
        page: the HTML file; the pictures are written to `files_folder(page)`.
        white: level that was taken for white.
        resize: True if generated pictures were resized to the size of their references.
        threads: number of worker threads.
        marks: the table `marks`, for heat maps.
        maps: the user's maps.
        on_progress: called with (done, total, what).
    """
    check_gallery(page)
    maps = maps or PictureMaps(())
    folder = claim_output_folder(files_folder(page), option="--gallery")
    try:
        with hold_lock(folder / OWN_FOLDER / "gallery.lock", f"--gallery {page}", "writing it"):
            with temporary_folder(folder, "pictures") as temporary:
                by_picture = {} if marks is None else dict([*marks.dropna(subset="x").groupby("stimulus")])
                work = partial(_panels, folder=temporary, marks=by_picture, maps=maps, resize=resize)
                shown = _write_pictures(stimuli, work, white=white, threads=threads, on_progress=on_progress)
                if not any(shown):
                    raise UserError(f"--gallery {page}: no picture can be read; image_metrics has the reasons")
                given = enumerate(maps.given)
                known = PANELS | {f"map{n}": (clean(name), "A map of yours", "low", "high") for n, name in given}
                data = _data(image_metrics, stimuli, shown, known) | {"shape": _shape_of(shown, temporary)}
                version = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:12]
                shutil.rmtree(folder / version, ignore_errors=True)
                temporary.rename(folder / version)
            write_text(page, _html(data | {"folder": f"{quote(folder.name)}/{version}/"}))
            for earlier in folder.iterdir():
                if earlier.name != version and (_VERSION.fullmatch(earlier.name) or is_temporary_name(earlier.name)):
                    shutil.rmtree(earlier, ignore_errors=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return page


def _shape_of(shown: Sequence[Mapping[str, str]], folder: Path) -> float:
    sizes: Counter[tuple[int, int]] = Counter()
    for files in filter(None, shown):
        with Image.open(folder / next(iter(files.values()))) as image:
            sizes[image.size] += 1
    width, height = sizes.most_common(1)[0][0]
    return round(height / width, 4)


def _write_pictures(
    stimuli: Sequence[Stimulus],
    panels: Callable[[Stimulus, PictureFiles], dict[str, str]],
    *,
    white: int | None,
    threads: int,
    on_progress: Progress | None,
) -> list[dict[str, str]]:
    """Write the `panels` of every picture; return for each picture the name of the file by panel."""
    shown: list[dict[str, str]] = [{} for _ in stimuli]

    def work(job: Sequence[int]) -> int:
        files = PictureFiles(white)
        for number in job:
            shown[number] = panels(stimuli[number], files)
        return len(job)

    done = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="gallery") as pool:
        try:
            for ended in as_completed([pool.submit(work, job) for job in jobs_of(stimuli)]):
                done += ended.result()
                if on_progress:
                    on_progress(done, len(stimuli), "gallery")
        finally:
            pool.shutdown(cancel_futures=True)
    return shown


def _panels(
    stimulus: Stimulus, files: PictureFiles, *, folder: Path, marks: Mapping[str, Any], maps: PictureMaps, resize: bool
) -> dict[str, str]:
    """Write the pictures and maps of a stimulus, without those that cannot be read or computed."""
    names: dict[str, str] = {}

    def write(panel: str, sources: Sequence[PictureFile], made: Callable[[], NDArray[np.uint8]]) -> None:
        """Write a panel made from these files, unless its file exists."""
        of = stimulus.stimulus.encode() if panel.startswith(("marks", "map")) else b""
        name = hashlib.sha256(b"".join(source.digest for source in sources) + of).hexdigest()[:16]
        is_map = panel not in ("fake", "real", "input")
        name += f"-{panel}.webp" if is_map else ".webp"
        if not (folder / name).exists():
            try:
                image = Image.fromarray(np.ascontiguousarray(made()))
            except (UserError, Unmeasurable):
                return
            image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            image.save(folder / name, "WEBP", quality=MAP_QUALITY if is_map else QUALITY, method=2)
        names[panel] = name

    def show(panel: str, path: Path | None) -> PictureFile | None:
        file = None if stimulus.problem or path is None else files.read(path)
        if not isinstance(file, PictureFile):
            return None
        write(panel, [file], lambda: rgb_of(file.samples()))
        return file if panel in names else None

    shown = show(stimulus.kind, stimulus.file)
    if shown is None:
        return names
    if stimulus.is_fake:
        reference = show("real", stimulus.reference)
        show("input", stimulus.input)
        if reference is not None:

            def pair() -> tuple[NDArray[Any], NDArray[Any]]:
                return files.pair(shown, reference, any_format=True, resize=resize)

            write("error", [shown, reference], lambda: coloured(l1_map(*pair()) / MAX_ERROR))
            rim = ((5, 5), (5, 5), (0, 0))  # SSIM has no values there; it becomes grey
            write("ssim", [shown, reference], lambda: np.pad(coloured(1 - ssim_map(*pair())), rim, constant_values=128))
    write("niqe", [shown], lambda: _niqe_picture(files.picture(shown)))
    for number, name in enumerate(maps.given):
        write(f"map{number}", [shown], partial(lambda name: coloured(stretched(maps(name, stimulus.stimulus))), name))
    if stimulus.stimulus in marks:
        write("marks", [shown], lambda: heated(rgb_of(shown.samples()), marks[stimulus.stimulus], SIGMA))
    return names


def _niqe_picture(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture in grey, each block with the colour and the number of its distance."""
    distances = niqe_blocks(picture)
    grey = compiled.luma(picture)[..., None] * np.ones(3, np.float32)
    shown = (0.25 * grey).astype(np.uint8)
    rows, columns = (count * BLOCK for count in distances.shape)
    tiles = coloured(np.nan_to_num(distances) / MAX_NIQE).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    shown[:rows, :columns] = 0.4 * grey[:rows, :columns] + 0.6 * tiles
    image = Image.fromarray(shown)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=BLOCK // 4)
    for (row, column), distance in np.ndenumerate(distances):
        left, top = column * BLOCK, row * BLOCK
        draw.rectangle((left, top, left + BLOCK - 1, top + BLOCK - 1), outline=(0, 0, 0))
        text = "–" if np.isnan(distance) else f"{distance:.1f}"
        middle = (left + BLOCK / 2, top + BLOCK / 2)
        draw.text(middle, text, "white", font, anchor="mm", stroke_width=2, stroke_fill="black")
    return np.asarray(image)


def _data(
    image_metrics: pd.DataFrame,
    stimuli: Sequence[Stimulus],
    shown: Sequence[Mapping[str, str]],
    panel_texts: Mapping[str, tuple[str, str, str, str]],
) -> dict[str, Any]:
    """Return the data of `gallery.js`, without the folder."""
    names = in_order(image_metrics["metric"])
    cells, reasons = _cells(image_metrics, stimuli, names)
    panels = [panel for panel in panel_texts if any(panel in files for files in shown)]
    fakes = [stimulus for stimulus in stimuli if stimulus.is_fake]
    models = list(dict.fromkeys(str(stimulus.model) for stimulus in fakes))
    datasets = list(dict.fromkeys(stimulus.dataset for stimulus in stimuli))
    of_models = f" of {_one_or_number(models, 'model')}" if models else ""
    return {
        "title": clean(f"Pictures{of_models} on {_one_or_number(datasets, 'data set')}"),
        "metrics": [_metric_facts(name, image_metrics) for name in names],
        "panels": [[panel, *panel_texts[panel]] for panel in panels],
        "models": [clean(model) for model in models],
        "datasets": [clean(dataset) for dataset in datasets],
        "reasons": reasons,
        "rows": [
            [
                clean(stimulus.stimulus),
                models.index(str(stimulus.model)) if stimulus.is_fake else -1,
                datasets.index(stimulus.dataset),
                [files.get(panel, "") for panel in panels],
                cells[stimulus.stimulus],
            ]
            for stimulus, files in zip(stimuli, shown, strict=True)
        ],
    }


def _one_or_number(names: Sequence[str], noun: str) -> str:
    return names[0] if len(names) == 1 else plural(len(names), noun)


def _cells(
    image_metrics: pd.DataFrame, stimuli: Sequence[Stimulus], metrics: Sequence[str]
) -> tuple[dict[str, list[Any]], list[str]]:
    """Return each stimulus' cells, one for each metric, and the reasons for missing values.

    A cell is a value, None, or a list with the number of the reason why there is no value.
    """
    column = {name: index for index, name in enumerate(metrics)}
    reasons: dict[str, int] = {}
    cells: dict[str, list[Any]] = {stimulus.stimulus: [None] * len(metrics) for stimulus in stimuli}
    rows = image_metrics[["stimulus", "metric", "value", "reason"]].itertuples(index=False, name=None)
    for stimulus, metric, value, reason in rows:
        if missing(value):
            text = "no reason given" if missing(reason) else clean(str(reason))
            cells[stimulus][column[metric]] = [reasons.setdefault(text, len(reasons))]
        else:
            cells[stimulus][column[metric]] = float(f"{value:.9g}")
    return cells, list(reasons)


def _metric_facts(name: str, image_metrics: pd.DataFrame) -> dict[str, Any]:
    """Return how `gallery.js` names and prints a metric, and whether higher (1) or lower (-1) is better; 0: neither."""
    values = image_metrics.loc[(image_metrics["metric"] == name) & image_metrics["value"].notna(), "value"]
    better = higher_is_better(name) if is_of_quality(name) and name not in NO_VERDICT else None
    sign = 0 if better is None else 1 if better else -1
    digits = decimals(list(values))
    return {"name": name, "title": title_of(name), "unit": unit_of(name), "better": sign, "digits": digits}


def _html(data: Mapping[str, Any]) -> str:
    """Return the page. Its data are JavaScript, which allows Infinity, with `<` escaped."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    stops = ", ".join("#" + bytes(colour).hex() for colour in scale()[:: 255 // 5])
    template = templates().get_template("metrics/gallery.jinja")
    return template.render(
        data=Markup(text),
        style=Markup((_HERE / "gallery.css").read_text(encoding="utf-8")),
        script=Markup((_HERE / "gallery.js").read_text(encoding="utf-8")),
        title=data["title"],
        scale=Markup(stops),
    )
