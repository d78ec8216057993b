"""A dataset as Psych-DS wants it (psychds-docs.readthedocs.io, Schema Reference).

`dataset_description.json` with name, description and variableMeasured in schema.org's words; CSV files below `data/`,
named by pairs of keyword and value and ending in `_data.csv`; next to each file its own variables, which replace
the dataset's. Every column of every file is among them. The specification recommends author, citation, licence,
funder, url and identifier too, which only the experimenter knows.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import __version__
from gan_eval.files.atomic import write_json, write_text
from gan_eval.store.export.dictionary import TIMING, readme
from gan_eval.tables import frames as tabular
from gan_eval.tables.schema import Column, Table

if TYPE_CHECKING:
    import pandas as pd

KEYWORDS = ("real-vs-fake judgement", "generated images", "visual perception", "psychophysics")


def write_psych_ds(frames: "Mapping[Table, pd.DataFrame]", folder: Path, *, title: str, studies: list[str]) -> None:
    """Write the tables that have rows as a Psych-DS dataset.

    Args:
        frames: the tables.
        folder: where to.
        title: name of the dataset.
        studies: names of the studies; a single one becomes part of the files' names.

    Raises:
        UserError: the folder cannot be written.
    """
    filled = {table: frame for table, frame in frames.items() if len(frame)}
    variables: dict[str, Column] = {}
    for table, frame in filled.items():
        path = folder / "data" / file_name(table, studies)
        tabular.write_table(frame, path, table)
        write_json(path.with_suffix(".json"), {"variableMeasured": [_variable(column) for column in table.columns]})
        variables = table.by_name | variables
    write_json(
        folder / "dataset_description.json",
        {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": title,
            "description": f"Real-vs-fake judgements of pictures, one row for each trial. {TIMING}",
            "variableMeasured": [_variable(column) for column in variables.values()],
            "measurementTechnique": f"gan_eval {__version__}",
            "keywords": list(KEYWORDS),
        },
    )
    write_text(folder / "README.md", readme(title, [(table, len(frame)) for table, frame in filled.items()]))


def file_name(table: Table, studies: list[str]) -> str:
    """Keywords are lower-case letters, their values letters and digits.

    >>> from gan_eval import tables
    >>> file_name(tables.IMAGE_METRICS, ["my_study"])
    'study-myStudy_description-imageMetrics_data.csv'
    """
    study = f"study-{_label(studies[0])}_" if len(studies) == 1 else ""
    return f"{study}description-{_label(table.name)}_data.csv"


def _label(name: str) -> str:
    first, *others = re.findall(r"[A-Za-z0-9]+", name) or ["unnamed"]
    return first + "".join(word[0].upper() + word[1:] for word in others)


def _variable(column: Column) -> dict[str, Any]:
    words = f" ({', '.join(column.words)})" if column.words else ""
    described = {"@type": "PropertyValue", "name": column.name, "description": f"{column.meaning}{words}"}
    return described | ({"unitText": column.unit} if column.unit else {})
