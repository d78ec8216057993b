"""Stimulus sets whose pictures a test has changed."""

from pathlib import Path

from gan_eval.base.digests import sha256_file
from gan_eval.pictures.sets import HASHES, TABLE_NAME, write_set
from gan_eval.tables import STIMULI
from gan_eval.tables.frames import read_rows


def rehash(folder: Path) -> None:
    """Write the current SHA-256 of each file into the set's table; zeros for a missing file."""
    rows = read_rows(folder / TABLE_NAME, STIMULI)
    for row in rows:
        for column, of in HASHES.items():
            if row[column]:
                row[of] = sha256_file(folder / row[column]) if (folder / row[column]).is_file() else "0" * 64
    write_set(folder, rows)
