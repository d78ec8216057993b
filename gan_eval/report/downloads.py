"""The tables behind the page as CSV files that can be saved from it, without scripts."""

import re
from collections.abc import Sequence

from gan_eval.files.digests import sha256_bytes
from gan_eval.report.parts.blocks import Download, Files, Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import data_uri
from gan_eval.stats.analysis import ALL_TABLES

LARGEST = 2_000_000
"""Bytes of a file; larger ones are not on the page."""
RAW_REASON = "of single sessions, so not on a page that may be mailed: --with-raw-tables puts it here"
"""Why a table of single sessions is not on the page."""


def files_section(downloads: Sequence[Download]) -> Section:
    """Return all tables, as files to save."""
    return Section("files", "All tables", [Files(downloads)])


def downloads_of(folder: StudyFolder, *, with_raw_tables: bool = False) -> list[Download]:
    """Return every table that the folder holds, in the order of reading.

    Args:
        folder: as read.
        with_raw_tables: put tables of single sessions on the page too. Default: their names and SHA-256 alone, because
            a report that is mailed does not say who sat when and where.
    """
    downloads = []
    for place, (name, path) in enumerate(folder.files.items()):
        data = folder.contents[name]
        is_published = name.startswith("published/")
        frame = folder.published[path.name] if is_published else folder.tables[name]
        reason = "" if len(data) <= LARGEST else "too large for a page: see the study’s folder"
        if is_raw(name) and not with_raw_tables:
            reason = RAW_REASON
        downloads.append(
            Download(
                table=name,
                anchor=f"file-{place}",
                file_name=safe_name(f"published-{path.name}" if is_published else path.name),
                path=path.relative_to(folder.path).as_posix(),
                rows=len(frame),
                size=len(data),
                sha256=sha256_bytes(data),
                uri="" if reason else data_uri(data, "text/csv"),
                reason_absent=reason,
            )
        )
    return downloads


def is_raw(name: str) -> bool:
    """Return whether a table has rows of single sessions, whose identifiers alone give the instant they began.

    >>> is_raw("trials"), is_raw("rates")
    (True, False)
    """
    return name in ALL_TABLES and "session" in ALL_TABLES[name].by_name


def safe_name(name: str) -> str:
    """Return a file name of plain letters, at most 100.

    >>> safe_name('a|b"<c>.csv')
    'a_b_c_.csv'
    """
    stem, dot, suffix = name.rpartition(".")
    plain = [re.sub(r"[^A-Za-z0-9-]+", "_", part) for part in (stem or suffix, suffix if dot else "")]
    return f"{plain[0][:90] or 'table'}{dot if stem else ''}{plain[1][:9] if stem else ''}"
