"""Files of other programs: read their cells as text."""

from pathlib import Path

import pandas as pd

from gan_eval.stats.importing.rejections import WRONG_LENGTH, rejection
from gan_eval.tables.cells import csv_records
from gan_eval.tables.frames import Row


def read_foreign(file: Path) -> tuple[pd.DataFrame, list[Row]]:
    """Return the rows of a table as text, numbered from 1, and a rejection for each row of another length."""
    header, records = csv_records(file)
    rows = list(enumerate(records, start=1))
    rejected = [
        rejection(
            number, header[0], f"{WRONG_LENGTH}{len(record)} cells, the header has {len(header)}", ",".join(record)
        )
        for number, record in rows
        if len(record) != len(header)
    ]
    fitting = {number: record for number, record in rows if len(record) == len(header)}
    foreign = pd.DataFrame(list(fitting.values()), index=list(fitting), columns=header, dtype="str")
    return foreign.mask(foreign == ""), rejected
