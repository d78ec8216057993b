"""What a trial can be made of: the stimuli of a data set as offers, by the role in which an item is shown.

An offer is the part of a plan's row that says what is shown. Each protocol has its own roles: single pictures are
shown as real or as the output of one model, pairs as real beside a model, or as one model beside another. An item is
shown to one participant in one role only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from gan_eval.errors import UserError
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

Role = str
"""What an item is shown as: `real`, a model's name, or two models' names."""

REAL: Role = ""
"""The role of a real picture; a model's name is never empty."""

BETWEEN_MODELS = "|"
"""Stands between the names of two models that are compared."""


@dataclass(frozen=True)
class Pool:
    """The offers of one data set: for each role, that of each item."""

    dataset: str
    roles: Mapping[Role, Mapping[str, Row]]

    @property
    def items(self) -> list[str]:
        """Every item that has an offer."""
        return sorted({item for offers in self.roles.values() for item in offers})

    @property
    def generated(self) -> list[Role]:
        """The roles that are shared out evenly: all but that of the real pictures."""
        return sorted(role for role in self.roles if role != REAL)

    def without(self, items: Iterable[str]) -> "Pool":
        """The pool less some items."""
        gone = set(items)
        return Pool(
            self.dataset,
            {
                role: {item: row for item, row in offers.items() if item not in gone}
                for role, offers in self.roles.items()
            },
        )


def pools_of(
    stimuli: Iterable[Row], settings: QuizSettings, *, setting: str = "", one_class: bool = False
) -> dict[str, Pool]:
    """The offers of each data set.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`, of one or several sets; a stimulus may stand twice.
        settings: the protocol decides what can be shown.
        setting: of the study, what names the sets; errors begin with it.
        one_class: single pictures may be all real or all generated.

    Raises:
        UserError: a data set has no real or no generated pictures, too few models to compare, or two different
            pictures of one name.
    """
    try:
        versions = _versions(stimuli)
        for dataset, by_role in versions.items():
            if settings.protocol != "model_vs_model" and (settings.shows_pairs or not one_class):
                _require_both(dataset, by_role)
        make = {"paired": _real_beside_fake, "model_vs_model": _model_beside_model}.get(settings.protocol, _single)
        return {dataset: Pool(dataset, make(dataset, by_role)) for dataset, by_role in versions.items()}
    except UserError as error:
        raise UserError(f"{setting}: {error}" if setting else str(error)) from error


_Versions = dict[Role, dict[str, Row]]


def _versions(stimuli: Iterable[Row]) -> dict[str, _Versions]:
    """For each data set and role, the stimulus of each item."""
    found: dict[str, _Versions] = {}
    for row in stimuli:
        role = REAL if row["kind"] == "real" else row["model"]
        same = found.setdefault(row["dataset"], {}).setdefault(role, {})
        if same.setdefault(row["item"], row)["sha256"] != row["sha256"]:
            raise UserError(
                f"stimulus {row['stimulus']}: two different pictures bear this name; "
                "give the stimulus sets different data set names"
            )
    return found


def _require_both(dataset: str, versions: _Versions) -> None:
    if REAL not in versions:
        raise UserError(f"data set {dataset}: no real pictures among its stimuli; real and fake ones are needed")
    if len(versions) == 1:
        raise UserError(f"data set {dataset}: no fake pictures among its stimuli; real and fake ones are needed")


def _single(_: str, versions: _Versions) -> _Versions:
    """Each picture by itself."""
    return {role: {item: _offer(row) for item, row in rows.items()} for role, rows in versions.items()}


def _real_beside_fake(_: str, versions: _Versions) -> _Versions:
    """The real picture of an item (a) beside a model's (b)."""
    real = versions[REAL]
    return {
        model: {item: _pair(real[item], row, model) for item, row in rows.items() if item in real}
        for model, rows in versions.items()
        if model != REAL
    }


def _model_beside_model(dataset: str, versions: _Versions) -> _Versions:
    """Two models' pictures of one item, a before b by name."""
    models = sorted(model for model in versions if model != REAL)
    if len(models) < 2:
        raise UserError(
            f"data set {dataset}: pictures of {len(models)} model; model_vs_model needs two or more of the same items"
        )
    offers: _Versions = {}
    for one, other in combinations(models, 2):
        name = f"{one}{BETWEEN_MODELS}{other}"
        shared = versions[one].keys() & versions[other].keys()
        offers[name] = {item: _pair(versions[one][item], versions[other][item], name) for item in sorted(shared)}
    return offers


def _offer(row: Row) -> Row:
    names = ("stimulus", "item", "kind", "model", "dataset", "sha256")
    return {**{name: row[name] for name in names}, "stimulus_b": None, "sha256_b": None, "own": row.get("fraction")}


def _pair(a: Row, b: Row, model: str) -> Row:
    """A pair has no truth as a whole: its kind is empty."""
    shares = [row["fraction"] for row in (a, b) if row.get("fraction") is not None]
    pair = {"stimulus_b": b["stimulus"], "sha256_b": b["sha256"], "kind": None, "model": model}
    return _offer(a) | pair | {"own": min(shares, default=None)}
