"""The facts that `run` keeps for the report."""

from pathlib import Path

from pydantic import ValidationError

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_json
from gan_eval.settings.sections import Section, first_problem

FACTS = "facts.json"
"""Below `.gan-eval/` of a study's folder: facts for the report that are in no table."""


class SessionCounts(Section, extra="ignore", use_attribute_docstrings=False):
    """Numbers of complete sessions when the report was made."""

    people: int = 0
    simulated: int = 0
    wanted: int = 0
    """Planned number of participants."""
    next: str = ""
    """Command of the next session; empty: none is missing."""


class Facts(Section, extra="ignore", use_attribute_docstrings=False):
    """The facts that the report reads."""

    fraction: float | None = None
    smoke: bool = False
    sessions: SessionCounts = SessionCounts()
    notes: tuple[str, ...] = ()
    imported_sets: tuple[str, ...] = ()
    """Folders of the imported stimulus sets, relative to the study's folder."""
    software: str = ""


def read_facts(folder: Path) -> Facts:
    """Read the facts that `run` wrote next to the tables; the defaults if there are none."""
    file = folder / OWN_FOLDER / FACTS
    if not file.is_file():
        return Facts()
    try:
        return Facts.model_validate(read_json(file))
    except ValidationError as error:
        raise UserError(f"{file}: {first_problem(error, Facts)}; remove it, or repeat the gan-eval run") from error
