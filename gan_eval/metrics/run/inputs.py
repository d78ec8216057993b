"""The input of a run: its settings, and its pictures from stimulus sets, a frame, or two folders paired by stem."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.reading import resolved
from gan_eval.metrics.catalogue import Metric, select
from gan_eval.metrics.definitions.own import Function
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, Companion
from gan_eval.metrics.kernels.pictures import NO_INPUT, Missing
from gan_eval.pictures import agreement
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.containers import Unpacked, is_container, named, pictures_folder
from gan_eval.pictures.layouts import (
    MIN_MATCHING,
    NAMED_AS_INPUTS,
    Part,
    Role,
    matching_stems,
    part_in_layout,
    parts_of,
    under_real_stems,
)
from gan_eval.pictures.profiles import profile_names
from gan_eval.pictures.sets import HASHES, StimulusSet, read_set, require_unchanged
from gan_eval.tables.frames import Row
from gan_eval.tables.names import REFUSED, model_cell_problem

if TYPE_CHECKING:
    import pandas as pd

NO_MASK = Missing("no mask_file: the picture of the hole, white is hole; `gan-eval stimuli import --masks DIR` adds it")
Stems = dict[str, list[Path]]
"""Picture files of a folder by stem."""
UNPAIRED = "unpaired: the set names no real picture as the partner of a generated one (reference_file is empty)"
"""The reason for a missing reference in a set without partners."""
_REQUIRED = ("stimulus", "kind", "model", "dataset", "file", "reference_file")


DEFAULT_METRICS = ("psnr", "ssim", "niqe", "fid")


@dataclass(frozen=True)
class Settings:
    """Settings of a run. The names of metrics and the files are checked at the start of the run."""

    metrics: tuple[str | Function, ...] = DEFAULT_METRICS
    """Names of metrics; functions of the user, or FILE.py:NAME (see `gan_eval.metrics.definitions.own`)."""
    resizer: str = DEFAULT_RESIZER
    """Method of resizing pictures to a network's size (see `gan_eval.metrics.networks.extractors`)."""
    resize: bool = False
    """Resize a generated picture to the size of its reference (bicubic); else different sizes give no value."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of pretrained weights by name (`inception`, `brisque`, ...); default: the cache of weights."""
    device: str | None = None
    """Device: cpu, cuda, ...; default: CUDA if it is available."""
    threads: int | None = None
    """Number of worker threads; default: the usable cores."""
    segmenter: Path | None = None
    """The user's network for the segmentation scores (see `gan_eval.metrics.networks.segmenter`)."""
    features: Mapping[str, "Path | pd.DataFrame"] = field(default_factory=dict)
    """The user's features by name: a file or a frame (see `gan_eval.metrics.run.features`)."""
    networks: Mapping[str, Path] = field(default_factory=dict)
    """The user's networks for features by name (see `gan_eval.metrics.networks.own`)."""
    cache: Path | None = None
    """File of cached values; None: nothing is cached (see `gan_eval.metrics.run.cache`)."""
    white: int | None = None
    """Level of white, such as 4095 for 12 bits in 16; default: the peak of 8 or 16 bits."""
    reference: Path | None = None
    """File of the statistics of real pictures, in place of the pictures (see `gan_eval.metrics.run.reference`)."""
    save_reference: Path | None = None
    """File to write the statistics of the real pictures' Inception features to."""

    def selected(self) -> list[Metric]:
        """Return the named metrics, and all metrics of the user's features that no name mentions.

        Raises:
            UserError: a metric is unknown, or features and a network have the same name.
        """
        if both := self.features.keys() & self.networks.keys():
            raise UserError(f"--features and --network both name {min(both)!r}; rename one")
        return select(self.metrics, (*self.features, *self.networks))


@dataclass(frozen=True)
class Stimulus:
    """One picture to measure."""

    stimulus: str
    item: str
    kind: str
    model: str | None
    dataset: str
    file: Path
    reference: Path | None
    """The ground truth of a generated picture."""
    fraction: float | None
    input: Path | None = None
    """The generator's input."""
    problem: str | None = None
    """Reason not to measure the picture, if it is known before the file is read."""
    no_reference: str = "no reference picture: reference_file is empty"
    """Reason for a missing reference; for a real picture, the reason for a missing partner."""
    mask: Path | None = None
    """Mask picture of the filled hole: white is hole."""
    mask_kind: str | None = None
    """Kind of the hole."""
    mask_area: float | None = None
    """Area of the hole as a proportion of the picture."""
    seen: bool | None = None
    """True if its generator was trained on the picture."""
    shown: str = ""
    """Name of the file in messages, if not its path: the container and the member."""

    @property
    def is_fake(self) -> bool:
        return self.kind == "fake"

    def companion(self, name: Companion, *, itself: Path | None = None) -> Path | Missing:
        """Return a companion's file, or the reason why there is none; `itself`: the file of a real picture."""
        if name == "mask":
            return self.mask or NO_MASK
        if name == "input":
            return self.input or NO_INPUT
        return (self.reference if self.kind == "fake" else itself) or Missing(self.no_reference)

    @property
    def has_pair_metrics(self) -> bool:
        """True if pair metrics have a row: a generated picture, or a real one without a generated partner."""
        return self.kind == "fake" or self.no_reference != Stimulus.no_reference


def stimuli_of_sets(sets: Iterable[StimulusSet | Path | str]) -> list[Stimulus]:
    """Return the stimuli of one or several sets or their folders.

    A real picture that several sets share is measured once, from a file that exists.

    Raises:
        UserError: a folder is not a stimulus set, a picture has changed since it entered one, or two sets name one
            stimulus but hold different pictures.
    """
    stimuli: list[Stimulus] = []
    for entry in sets:
        if not isinstance(entry, StimulusSet):
            entry = read_set(Path(entry), files_must_exist=False, hash_files=False)  # `_stimuli` checks both
        stimuli += _stimuli(entry.rows, entry.folder)
    return stimuli if len({stimulus.stimulus for stimulus in stimuli}) == len(stimuli) else _distinct(stimuli)


def stimuli_of_frame(frame: "pd.DataFrame", root: Path | None) -> list[Stimulus]:
    """Return the stimuli of a frame with the columns of the table `stimuli`; files are relative to `root`.

    Raises:
        UserError: a column or a cell is missing, or a stimulus occurs twice with different pictures.
    """
    missing = [name for name in _REQUIRED if name not in frame.columns]
    if missing:
        raise UserError(f"stimuli: column {', '.join(missing)} is missing; see the table stimuli in docs/tables.md")
    cells = frame.rename(columns=str).astype(object)
    rows: list[Any] = cells.where(cells.notna(), None).to_dict("records")
    for number, row in enumerate(rows, start=1):
        for name in ("stimulus", "kind", "dataset", "file"):
            if not row[name]:
                raise UserError(f"stimuli: row {number}, column {name}: found nothing, expected a value")
        kind, model = row["kind"], row["model"]
        if kind not in ("real", "fake") or (kind == "fake") != bool(model):
            raise UserError(
                f"stimuli: row {number}: kind {kind!r} with model {model!r}; a fake names its model, a real none"
            )
        if problem := model_cell_problem(model):
            raise UserError(f"stimuli: row {number}, column model: {problem}")
    return _distinct(_stimuli(rows, root or Path()))


def _stimuli(rows: Sequence[Mapping[str, Any]], root: Path) -> list[Stimulus]:
    """Return the stimuli of the rows of a set's table; files are relative to `root`."""
    is_unpaired = not any(row["reference_file"] for row in rows)
    if any(row.get(name) for row in rows for name in HASHES.values()):
        require_unchanged(rows, root)
    return [
        _stimulus(row, root, UNPAIRED if is_unpaired and row["kind"] == "fake" else Stimulus.no_reference)
        for row in rows
    ]


def _stimulus(row: Mapping[str, Any], root: Path, no_reference: str) -> Stimulus:
    """Return the stimulus of a row; `no_reference`: the reason for a missing reference, unless the row has one."""
    named = {name: row.get(f"{name}_file") for name in ("reference", "input", "mask")}
    return Stimulus(
        stimulus=row["stimulus"],
        item=row.get("item") or row["stimulus"],
        kind=row["kind"],
        model=row["model"] or None,
        dataset=row["dataset"],
        file=root / row["file"],
        no_reference=row.get("no_reference") or no_reference,
        mask_kind=row.get("mask_kind") or None,
        shown=row.get("shown") or "",
        **{name: root / file if file else None for name, file in named.items()},
        **{name: row.get(name) for name in ("fraction", "seen", "problem", "mask_area")},
    )


def _distinct(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Return each stimulus once: the first copy with a readable file."""
    by_name: dict[str, Stimulus] = {}

    @cache
    def digest_of(file: Path) -> str | None:
        """Return the SHA-256 of a file; None if it cannot be read."""
        with suppress(UserError):
            return sha256_file(file)
        return None

    for stimulus in stimuli:
        first = by_name.setdefault(stimulus.stimulus, stimulus)
        if first.file == stimulus.file:
            continue
        before, digest = digest_of(first.file), digest_of(stimulus.file)
        holes = {digest_of(mask) for mask in (first.mask, stimulus.mask) if mask}
        if before is None and digest is not None:
            by_name[stimulus.stimulus] = stimulus
        elif digest is not None and before != digest:
            raise UserError(
                f"{stimulus.file}: stimulus {stimulus.stimulus!r} is another picture in {first.file}; "
                "measure these sets one by one"
            )
        elif stimulus.is_fake and len(holes) > 1:
            raise UserError(
                f"{stimulus.mask}: the hole of stimulus {stimulus.stimulus!r} differs from that in {first.mask}; "
                "measure these sets one by one"
            )
    return list(by_name.values())


def _row(dataset: str, model: str | None, stem: str, file: Path, **more: str | None) -> Row:
    """Return the row of a real picture (without a model) or of a generated one, for a stimulus set in memory."""
    name = _printable(stem)
    row: Row = {"stimulus": f"{dataset}/{model or 'real'}/{name}", "item": f"{dataset}/{name}", "dataset": dataset}
    row |= {"kind": "fake" if model else "real", "model": model, "file": str(file.absolute()), "reference_file": None}
    return row | more


def folder_pair(
    real: Path,
    fake: Path,
    *,
    dataset: str | None = None,
    model: str | None = None,
    partners: bool = True,
    shown: Sequence[Path] = (),
    no_partners: str = "",
    files: Sequence[Stems] = (),
) -> StimulusSet:
    """Return two folders as a stimulus set in memory, paired by file stem. Nothing is written.

    Its rows have two more columns: `problem`, the reason not to measure a picture (several files of a folder share a
    stem, such as `a.png` and `a.jpg`), and `no_reference`, the reason why it has no partner. Pictures without a partner
    stay in the set, for single metrics and set metrics.

    Args:
        real, fake: folders of the real and of the generated pictures.
        dataset, model: their names; default: those of the folders.
        partners: require that some pictures have a partner; FID does not need this.
        shown: the two places as messages call them; default: `real` and `fake`.
        no_partners: reason why no picture is the partner of another, even if names match.
        files: the real and the generated ones by stem; default: all pictures of the two folders.

    Raises:
        UserError: a name is reserved, a folder is missing or empty, or `partners` and no stem in common.
    """
    real, fake = Path(real), Path(fake)
    names = dict(zip((real, fake), shown or (real, fake), strict=True))
    dataset, model = dataset or place_name(names[real]), model or place_name(names[fake])
    if REFUSED.fullmatch(model):
        raise UserError(f"--model {model}: {model_cell_problem(model)}")
    reals, fakes = files or (_by_stem(real), _by_stem(fake))
    if partners and (no_partners or not reals.keys() & fakes.keys()):
        why = no_partners or _no_shared_stem(reals, fakes, names[real])
        raise UserError(
            f"{names[fake]}: {why}; metrics of single pictures and of sets (niqe, fid, kid) need no partners. If they "
            "are partners, give them equal stems (put *_real_B and *_fake_B into one folder for `gan-eval stimuli "
            "import`)"
        )
    return StimulusSet(Path(), tuple(_rows_of_pair(reals, fakes, [*names.values()], dataset, model, no_partners)))


def _rows_of_pair(
    reals: Stems, fakes: Stems, names: Sequence[Path], dataset: str, model: str, no_partners: str
) -> Iterator[Row]:
    """Yield the rows of the real and of the generated pictures; `names`: their places as messages call them."""
    for stem, paths in reals.items():
        why_none = no_partners or _no_partner(stem, fakes, names[-1])
        row = _row(dataset, None, stem, paths[0], problem=_several(names[0], paths), no_reference=why_none)
        yield row | ({"item": f"{dataset}/real/{_printable(stem)}"} if no_partners else {})
    for stem in sorted(fakes, key=reals.__contains__, reverse=True):  # those with a partner first
        partner, problem = reals.get(stem, []), _several(names[-1], fakes[stem])
        why_none = no_partners or _no_partner(stem, reals, names[0]) or _several(names[0], partner)
        row = _row(dataset, model, stem, fakes[stem][0], problem=problem, no_reference=why_none)
        yield row | ({} if why_none else {"reference_file": str(partner[0].absolute())})


def _no_partner(stem: str, others: Stems, other_folder: Path) -> str | None:
    """Return the reason why a picture has no partner; None if it has one."""
    return None if stem in others else _printable(f"no picture with the stem {stem!r} in {other_folder}")


def _no_shared_stem(reals: Stems, fakes: Stems, reals_name: Path) -> str:
    """Return the reason why no generated picture has a partner in the place of the real ones."""
    here, there = (next(iter(stems.values()))[0].name for stems in (fakes, reals))
    why = f"no picture shares its stem with one in {reals_name} (here {here!r}, there {there!r})"
    if count := len(matching_stems(reals, fakes)):
        why += f"; --paired takes {count} pairs whose stems are equal but for zeros and what all names share"
    return why


def place_name(path: Path) -> str:
    """Return the name of a folder, or of a container without its ending."""
    return resolved(path).name if path.is_dir() or not is_container(path) else path.name.partition(".")[0]


@contextmanager
def opened_pair(
    real: Path,
    fake: Path,
    settings: Settings,
    *,
    dataset: str | None = None,
    model: str | None = None,
    paired: bool | None = None,
    tar_key: str | None = None,
) -> Iterator[tuple[StimulusSet, list[str]]]:
    """Yield two folders or containers of pictures as a set (see `folder_pair`), and messages about them.

    Args:
        paired: True: pictures of one stem are partners, also running numbers of a container; False: none are.
        tar_key: see `pictures_folder`.

    Raises:
        UserError: as for `folder_pair`; partners are required if `paired`, or if there are only metrics of pairs.
    """
    kinds = {metric.kind for metric in settings.selected()}
    with ExitStack() as stack:
        reals, fakes = (stack.enter_context(pictures_folder(path, tar_key=tar_key)) for path in (real, fake))
        names: dict[Role, Path] = {"real": real, "fake": fake}
        stems, parts = _matched_stems(reals.folder, fakes.folder, paired=paired)
        pair = folder_pair(
            reals.folder,
            fakes.folder,
            dataset=dataset,
            model=model,
            partners=bool(paired) or kinds == {"pair"},
            shown=(real, fake),
            no_partners=_why_no_partners(paired, parts, reals, fakes),
            files=stems if all(stems) else (),
        )
        remarks = [f"{names[role]}: {line}" for role, part in parts.items() for line in part.remarks]
        remarks += _folder_remarks(names, pair, settings)
        remarks += _partner_remarks(pair) if "pair" in kinds and paired is not False else []
        _name_members(pair, reals, fakes)
        yield pair, [*reals.notes, *fakes.notes, *remarks]


def _matched_stems(real: Path, fake: Path, *, paired: bool | None) -> tuple[list[Stems], dict[Role, Part]]:
    """Return the real and the generated pictures by stem, equal for partners; and both parts in a program's layout."""
    stems = [_by_stem(real, or_none=True), _by_stem(fake, or_none=True)]
    parts: dict[Role, Part] = {}
    are_equal = bool(stems[0]) and stems[0].keys() == stems[1].keys() and real != fake
    if not are_equal and (_is_result_folder(real, "real") or _is_result_folder(fake, "fake")):
        parts["real"], (parts["fake"],) = parts_of(real, [fake])
        stems = [{stem: [path] for stem, path in part.roles[role].items()} for role, part in parts.items()]
    if paired:
        stems[1] = under_real_stems(stems[1], stems[0])
    return stems, parts


def _why_no_partners(paired: bool | None, parts: Mapping[Role, Part], *sources: Unpacked) -> str:
    """Return the reason why no picture is the partner of another; "" if pictures of one stem are partners."""
    if paired is not None:
        return "" if paired else "no picture is the partner of another (--unpaired)"
    if any(source.is_numbered for source in sources):
        return "the pictures of a container have running numbers, so they have no partners unless --paired"
    return NAMED_AS_INPUTS if parts and parts["real"].is_paired is False else ""


def _name_members(stimuli: StimulusSet, *sources: Unpacked) -> None:
    """Let messages name the container and the member of a picture that was unpacked."""
    containers = reduce(or_, (source.containers for source in sources))
    for row in stimuli.rows:
        row["shown"] = named(row["file"], containers)


def _is_result_folder(folder: Path, role: Role) -> bool:
    """Return whether a program's layout names other pictures or stems than those of the folder."""
    part = part_in_layout(folder, role)
    files = part.roles[role] if part else {}
    return any(path.parent != folder or pictures.stem_of(path) != stem for stem, path in files.items())


@contextmanager
def opened_folder(
    fake: Path, settings: Settings, *, dataset: str, model: str | None = None, tar_key: str | None = None
) -> Iterator[tuple[StimulusSet, list[str]]]:
    """Yield a folder or container of generated pictures as a set in memory, and messages about them.

    Raises:
        UserError: the model's name is reserved, or there is no picture.
    """
    with pictures_folder(fake, tar_key=tar_key) as fakes:
        model = model or place_name(fake)
        if problem := model_cell_problem(model):
            raise UserError(f"--model {model}: {problem}")
        part = part_in_layout(fakes.folder, "fake")
        paths = part.roles["fake"].values() if part else pictures.list_pictures(fakes.folder)
        rows = [_row(dataset, model, pictures.stem_of(path), path) for path in paths]
        made = StimulusSet(Path(), tuple(rows))
        _name_members(made, fakes)
        yield made, [*fakes.notes, *_folder_remarks({"fake": fake}, made, settings)]


def _partners(pair: StimulusSet) -> list[tuple[Path, Path]]:
    """Return the real and the generated picture of each pair."""
    return [(Path(row["reference_file"]), Path(row["file"])) for row in pair.rows if row["reference_file"]]


def _partner_remarks(pair: StimulusSet) -> list[str]:
    """Return a message if few pictures of two folders have a partner, or if partners are no more alike than others."""
    partners = _partners(pair)
    fakes = sum(row["kind"] == "fake" for row in pair.rows)
    reals = len(pair.rows) - fakes
    lines: list[str] = []
    if len(partners) < MIN_MATCHING * (reals + fakes - len(partners)):
        counts = f"{len(partners)} of {reals} real and {fakes} generated pictures have a partner of the same file stem"
        if not partners:
            stems = [[Path(row["file"]).stem for row in pair.rows if row["kind"] == kind] for kind in ("real", "fake")]
            advice = "; --paired takes those whose stems are equal but for zeros and what all names share"
            return [f"{counts}: no metrics of pairs{advice * bool(matching_stems(*stems))}"]
        lines.append(f"{counts}: metrics of pairs are of these alone")
    lines.append(agreement.changed_line(partners) or agreement.partners_line(partners))
    return list(filter(None, lines))


def _folder_remarks(shown: Mapping[Role, Path], pair: StimulusSet, settings: Settings) -> list[str]:
    """Return messages about folders of pictures: files that are not read, dark pictures, grids, profiles, sizes.

    Args:
        shown: the folders of both kinds as messages call them.
        pair: their pictures, by `folder_pair`.
    """
    folders = {
        str(name): [Path(row["file"]) for row in pair.rows if row["kind"] == kind] for kind, name in shown.items()
    }
    remarks = [
        f"{name}: {unread}" for name, paths in folders.items() if (unread := pictures.unread_pictures(paths[0].parent))
    ]
    for name, paths in folders.items():
        remarks += agreement.sample_lines(name, paths)
    remarks += agreement.dark_folders(folders, white=settings.white)
    if {"real", "fake"} <= shown.keys():
        reals, fakes = folders[str(shown["real"])], folders[str(shown["fake"])]
        if len(fakes) > 1:  # one can be like no other
            remarks += agreement.content_lines(str(shown["fake"]), fakes, reals)
    for folder, paths in folders.items():
        remarks += _profile_lines(folder, agreement.evenly_spread(paths))
    if settings.resize:
        _, line = agreement.fit_remark(_partners(pair), None)
        remarks += [f"--resize scales: {line}; `gan-eval stimuli import` has the option --fit"] * bool(line)
    return remarks


def _profile_lines(folder: str, paths: Sequence[Path]) -> list[str]:
    """Return a line for each colour profile of some pictures of a folder."""
    with_profile = [path for path in paths if pictures.has_profile(path)]
    return [
        f"{folder}: {count} of the {len(paths)} pictures looked at have the colour profile {name!r}, which metrics do "
        "not apply; `gan-eval stimuli import` does"
        for name, count in (profile_names(with_profile) if with_profile else {}).items()
    ]


def _by_stem(folder: Path, *, or_none: bool = False) -> Stems:
    """Return the picture files of a folder by their stem; `or_none`: there may be none."""
    stems: Stems = {}
    try:
        for path in pictures.list_pictures(folder):
            stems.setdefault(pictures.stem_of(path), []).append(path)
    except UserError:
        if not or_none:
            raise
    return stems


def _several(folder: Path, paths: Sequence[Path]) -> str | None:
    """Return the message for several files with one stem; None for one file, or none."""
    if len(paths) < 2:
        return None
    names = ", ".join(path.name for path in paths)
    return _printable(f"{folder}: several pictures with the stem {paths[0].stem!r} ({names}); keep one")


def _printable(text: str) -> str:
    """Return a text for a table: line breaks and bytes that are not text are written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
