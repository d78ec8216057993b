"""Folders of real and generated pictures as a whole small study: a set, metrics, a short quiz, an audit, a report."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from gan_eval.base.atomic import OWN_FOLDER, write_text
from gan_eval.base.commands import setup_command
from gan_eval.base.digests import sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.locks import refuse_if_held
from gan_eval.base.output_folders import claim_output_folder, relative_path
from gan_eval.base.progress import Listener, about, about_download
from gan_eval.base.reading import resolved
from gan_eval.base.record import FolderRecord
from gan_eval.base.system_libraries import missing_display, probe_screens
from gan_eval.metrics.catalogue import select
from gan_eval.metrics.weights import cache
from gan_eval.pictures.decode import Fit, decode_rgb, read_file
from gan_eval.pictures.importing import RECORD, ImportedSet, Reading, found_pictures, import_items, model_names
from gan_eval.pictures.layouts import ROLE_NAMES, Found, Items, content_name
from gan_eval.pictures.sets import TABLE_NAME, read_set
from gan_eval.quiz.visual_angle import largest_factor
from gan_eval.settings.examples import Values
from gan_eval.settings.study import load_study
from gan_eval.settings.template import study_name, write_study
from gan_eval.study import markers
from gan_eval.study.markers import Stage
from gan_eval.study.plan import Plan, make_plan, metrics_for, open_plan
from gan_eval.study.sessions import closing_lines, draw_warnings, open_quiz, read_sessions
from gan_eval.study.stages import list_stages

PICTURES = 10
"""Minimum number of pictures of each kind that a person judges."""
PICTURES_EACH = 5
"""Number of pictures of each kind for each model."""
MAX_NAMED = 5
"""Maximum number of left-out files that a message names."""


def try_folders(
    real: Path,
    fakes: Sequence[Path],
    out: Path,
    listener: Listener,
    *,
    again: Sequence[str],
    paired: bool | None = None,
    tar_key: str | None = None,
    fit: Fit | None = None,
    white: int | None = None,
    quiz: bool = True,
    threads: int | None = None,
    ask: Callable[[str], bool] | None = None,
    picture_size: int | None = None,
) -> Path:
    """Import, measure, ask one person if there is a screen, audit, and report; finished stages are skipped.

    Args:
        fakes: a folder (or container) for each model, which has its name.
        paired: see `gan_eval.pictures.layouts.items_of`.
        tar_key: see `gan_eval.pictures.containers.pictures_folder`.
        again: the command that the user typed, in words.
        out: the study's folder, as `run` makes it from `out/study.toml`.
        fit, white: see `Reading`.
        ask: asks the user a question, whose answer is yes or no; None: nobody is there to be asked.
        picture_size: width of the pictures in the quiz in pixels; default: the largest whole multiple of theirs that
            fits the screen.

    Raises:
        UserError: folders are the same or without a pair, two models have one name, `out` holds other results, or the
            pictures have changed since a person judged them.
    """
    _require_other_folders(real, fakes)
    models, dataset = model_names(fakes), study_name(content_name(real))
    with ExitStack() as opened:
        found, roles = found_pictures(real, fakes, models, opened, paired=paired, tar_key=tar_key)
        pictures = _import_stage(found, out, real, Reading(True, fit, white), dataset=dataset, roles=roles)
        pictures.inputs()  # bad pictures are refused before the folder is taken
        _require_readable(found.items, real, white)
        refuse_if_held(*markers.run_lock(out))
        _claim(out, real, fakes)
        for remark in found.remarks:
            listener.message(f"import: {remark}")
        markers.run([pictures], out, listener)
    missing, file = missing_display(), out / "study.toml"
    if not file.is_file():
        width = picture_size or (None if missing or not quiz else _whole_enlargement(out))
        _write_study_file(file, out, dataset, models, width)
    elif picture_size is not None:
        _resize(file, out, picture_size)
    plan = make_plan(file, out, threads=threads)
    stages = {stage.name: stage for stage in list_stages(plan)}
    too_few = _too_few_pictures(plan)
    if too_few:
        listener.message(f"quiz: skipped, {too_few}")
    _measure(plan, stages["metrics"], ask, listener)
    if not too_few:
        _show(plan, listener, why_not=(f"no screen here ({missing})" if missing else "") if quiz else "--no-quiz")
    # the audit says what gives fakes away, and comes after whoever runs this has judged
    last = ("audit", "analyze", "report") if plan.store.is_file() else ("audit", "report")
    markers.run([stages[name] for name in last], out, listener)
    more = f"next: {shlex.join(['gan-eval', *again])}  # with more pairs of pictures, for the quiz"
    for line in [more] if too_few else closing_lines(plan, again):
        listener.message(line)
    return out / "report.html"


def _require_other_folders(real: Path, fakes: Sequence[Path]) -> None:
    for fake in fakes:
        if resolved(real) == resolved(fake):
            raise UserError(f"{fake}: the same folder as REAL; the second is that of the generated pictures")
    if resolved(real).name.lower() in ROLE_NAMES - {"real", "reals"}:
        raise UserError(
            f"{real}: REAL comes first, and this name means generated pictures; swap the folders, or rename it"
        )


def _too_few_pictures(plan: Plan) -> str:
    """Return why no quiz can be dealt; empty if one can."""
    try:
        draw_warnings(plan)
    except UserError as error:
        return str(error)
    return ""


def _measure(plan: Plan, metrics: Stage, ask: Callable[[str], bool] | None, listener: Listener) -> None:
    """Compute the metrics where PyTorch is installed; offer the weights that they need before."""
    if find_spec("torch") is None:
        setup = setup_command("metrics")
        listener.message(f"metrics: skipped, PyTorch is not installed; install it, then rerun: {setup}")
        return
    if ask is not None and not (plan.folder / "metrics").exists():
        _offer_weights(plan, ask, listener)
    markers.run([metrics], plan.folder, listener)


def _show(plan: Plan, listener: Listener, *, why_not: str) -> None:
    """Let a person judge the pictures, unless somebody has, or `why_not` has a reason against it."""
    stored = read_sessions(plan)
    if stored.counts["people"]:
        return
    if why_not:
        listener.message(f"quiz: skipped, {why_not}")
    else:
        open_quiz(plan, stored, listener, note=_size_note(plan))


def _offer_weights(plan: Plan, ask: Callable[[str], bool], listener: Listener) -> None:
    """Ask whether to fetch the weights that the study's metrics need and the cache does not have, and fetch them."""
    here = {weights.name: file for weights, file in cache.list_weights()}
    needed: dict[str, list[str]] = {}
    for metric in select(plan.study.metrics.names, plan.sources()[0]):
        for name in metric.weights:
            needed.setdefault(name, []).append(metric.name)
    for name, metrics in needed.items():
        if here[name] is None and ask(f"{' and '.join(metrics)} need the weights {name}, a download. Fetch them now?"):
            try:
                cache.fetch(name, on_progress=about_download(f"fetch {name}", listener.progress))
            except UserError as error:
                listener.message(f"metrics: {error}")


def _whole_enlargement(out: Path) -> int | None:
    """Return the largest whole multiple of the pictures' width that fits this screen; None: their own size will do."""
    sizes = {(row["width"], row["height"]) for row in read_set(out / "set", hash_files=False).rows}
    if len(sizes) != 1:
        return None
    (size,) = sizes
    factor = screen_factor(size)
    return size[0] * factor if factor > 1 else None


def screen_factor(size: tuple[int, int]) -> int:
    """Return the largest whole factor by which pictures of this width and height fit every screen; 1 without one."""
    machine, _ = probe_screens()
    screens = machine["screens"] if machine else []
    pixels = [tuple(round(screen[side] * screen["ratio"]) for side in ("width", "height")) for screen in screens]
    return min((largest_factor(size, (width, height)) for width, height in pixels), default=1)


def size_note(width: int, shown: int | str, advice: str = "") -> str:
    """Return a line on the size of pictures in the quiz, with advice, for the page before the first one."""
    if not isinstance(shown, int):
        return ""
    times = f", {shown / width:.3g} times their own width" if shown != width else ""
    return f"Pictures are {shown} pixels wide here{times}.{advice and ' '}{advice}"


def _size_note(plan: Plan) -> str:
    """Return the line of `size_note` if all pictures have one width."""
    widths = {row["width"] for row in read_set(plan.folder / "set", hash_files=False).rows}
    if len(widths) != 1:
        return ""
    width = widths.pop()
    return size_note(width, plan.study.quiz.picture_size, f"For another size, exit and add --picture-size {width}.")


def _resize(file: Path, out: Path, width: int) -> None:
    """Write another width of the pictures into the study file; refuse it once somebody has judged them."""
    plan = Plan(load_study(file), file, out, None)
    if plan.study.quiz.picture_size == width:
        return
    if read_sessions(plan).people_have_answered:
        raise UserError(
            f"--picture-size {width}: pictures were judged at {plan.study.quiz.picture_size}; give another --out"
        )
    text = file.read_text(encoding="utf-8")
    line = re.compile(r"^#?picture_size = .*$", re.MULTILINE)
    if not line.search(text):
        text = text.replace("[quiz]\n", "[quiz]\npicture_size = 0\n", 1)
    write_text(file, line.sub(f"picture_size = {width}", text, count=1))


def _require_readable(items: Items, real: Path, white: int | None) -> None:
    problem = ""
    for files in items.values():
        try:
            for path in files.values():
                decode_rgb(read_file(path), path, white=white)
            return
        except UserError as error:
            problem = problem or str(error)
    raise UserError(f"{real}: no usable picture; the first problem: {problem}")


def _write_study_file(file: Path, out: Path, dataset: str, models: Sequence[str], width: int | None) -> None:
    """Write the study file of a short quiz with the pictures in `out/set`, shown at this width; None: their own."""
    pictures = max(PICTURES, PICTURES_EACH * len(models))
    made = "generated" if models == ["generated"] else f"from {', '.join(models)}"
    values: Values = {
        "study": {
            "name": study_name(resolved(out).name),
            "title": f"{dataset}: real and {made}",
            "question": "Can people tell the generated pictures from the real ones?",
        },
        "quiz": {"real": pictures, "fake": pictures, "participants": 1, **({"picture_size": width} if width else {})},
    }
    rows = read_set(out / "set", hash_files=False).rows
    write_study(file, {**values, **metrics_for(rows)}, sets=[out / "set"])


def _claim(out: Path, real: Path, fakes: Sequence[Path]) -> None:
    """Claim the output folder for these folders of pictures alone."""
    made = {"real": relative_path(real, out), "fakes": [relative_path(fake, out) for fake in fakes]}
    record = FolderRecord(out / OWN_FOLDER / "try.json", made)
    if (out / "set" / TABLE_NAME).is_file():
        record.require_same("name another folder")
    claim_output_folder(out, private=True)
    if not record.file.is_file() and any(path.name != OWN_FOLDER for path in out.iterdir()):
        raise UserError(f"--out {out}: holds other results of gan_eval; name an empty folder")
    record.write()


def _lines_of_import(made: ImportedSet) -> Iterator[str]:
    """Yield what was imported, remarks, and what is left out."""
    yield (
        f"{made.items} item{'s' * (made.items != 1)} in {made.folder} ({made.pictures['real']} real and "
        f"{made.pictures['fake']} generated pictures)"
    )
    yield from made.remarks
    for problem in made.problems[:MAX_NAMED]:
        yield f"left out: {problem}"
    if len(made.problems) > MAX_NAMED:
        yield f"{len(made.problems)} items left out; all are in {made.folder / RECORD}"


def _import_stage(
    found: Found, out: Path, real: Path, reading: Reading, *, dataset: str, roles: Mapping[str, str]
) -> Stage:
    """Return the stage of the stimulus set; it is made again if pictures have changed and none was judged."""
    items = found.items

    def work(listener: Listener) -> bool:
        if (out / "store.sqlite").is_file() and read_sessions(open_plan(out / "study.toml", out)).people_have_answered:
            raise UserError(
                f"--out {out}: the pictures or their set have changed since people judged them; name another folder"
            )
        made = import_items(
            replace(found, remarks=()),  # which the caller reports
            out / "set",
            where=str(real),
            dataset=dataset,
            models=roles,
            reading=reading,
            on_progress=about("import", listener.progress),
        )
        for line in _lines_of_import(made):
            listener.message(f"import: {line}")
        return True

    def inputs() -> Mapping[str, str]:
        digests = {f"{role}/{key}": sha256_file(path) for key, files in items.items() for role, path in files.items()}
        reals = {digest for name, digest in digests.items() if name.startswith("real/")}
        for role, model in roles.items():
            if {digests[f"{role}/{key}"] for key, files in items.items() if role in files} <= reals:
                raise UserError(f"{real}: every picture of {model} is a real one, byte for byte; name another folder")
        more = {"white": str(reading.white)} if reading.white else {}
        if found.captions:
            more["captions"] = sha256_json(sorted(found.captions.values()))
        return {**digests, "names": f"{dataset} {' '.join(roles.values())}", "fit": reading.fit or "", **more}

    return Stage(name="import", settings={}, inputs=inputs, outputs=(out / "set",), work=work, derives=True)
