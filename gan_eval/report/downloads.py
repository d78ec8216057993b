"""The tables behind the page as files that can be saved from it, without scripts."""

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan_eval.files.digests import sha256_bytes
from gan_eval.report.parts.blocks import Download, Files, Section
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import data_uri
from gan_eval.stats.analysis import ALL_TABLES

LARGE = 1_000_000
"""Bytes of a file; larger ones are packed."""
LARGEST = 4_000_000
"""Bytes of a packed file; larger ones are not on the page."""
RAW_REASON = "of single sessions, so not on a page that may be mailed: --with-raw-tables puts it here"
"""Why a table of single sessions is not on the page."""
REPEATED = 30_000
"""Bytes of a file that is put beside each table that shows it; larger ones stand once, in the list of all."""


@dataclass(frozen=True)
class Link:
    """A link below a table."""

    href: str
    text: str
    file_name: str = ""
    """Under which the browser saves it; empty: the link leads to a place on the page."""


def files_section(downloads: Sequence[Download]) -> Section:
    """All tables, as files to save."""
    return Section("files", "All tables", [Files(downloads)])


def downloads_of(folder: StudyFolder, *, with_raw_tables: bool = False) -> list[Download]:
    """Every table that the folder holds, in the order of reading.

    Args:
        folder: as read.
        with_raw_tables: hand on those of single sessions too: a report that is mailed carries what it shows, and not
            who sat when and where. Default: they are named, with their SHA-256.
    """
    downloads = []
    for place, (name, path) in enumerate(folder.files.items()):
        data = folder.contents[name]
        is_published = name.startswith("published/")
        frame = folder.published[path.name] if is_published else folder.tables[name]
        file_name = safe_name(f"published-{path.name}" if is_published else path.name)
        is_included = with_raw_tables or not is_raw(name)
        uri, reason = data_uri(data, "text/csv"), ""
        if not is_included:
            uri, reason = "", RAW_REASON
        elif len(data) > LARGE:
            packed = gzip.compress(data, mtime=0)
            file_name += ".gz"
            uri = data_uri(packed, "application/gzip") if len(packed) <= LARGEST else ""
            reason = "" if uri else "too large for a page: it lies beside, in the study’s folder"
        downloads.append(
            Download(
                table=name,
                anchor=f"file-{place}",
                file_name=file_name,
                path=path.relative_to(folder.path).as_posix(),
                rows=len(frame),
                size=len(data),
                sha256=sha256_bytes(data),
                uri=uri,
                data=data if is_included else b"",
                reason_absent=reason,
            )
        )
    return downloads


def is_raw(name: str) -> bool:
    """Whether a table has rows of single sessions, whose identifiers alone tell the instant they began.

    >>> is_raw("trials"), is_raw("rates")
    (True, False)
    """
    return name in ALL_TABLES and "session" in ALL_TABLES[name].by_name


def safe_name(name: str) -> str:
    """A file name of plain letters, of at most 100.

    >>> safe_name('a|b"<c>.csv')
    'a_b_c_.csv'
    """
    stem, dot, suffix = name.rpartition(".")
    plain = [re.sub(r"[^A-Za-z0-9-]+", "_", part) for part in (stem or suffix, suffix if dot else "")]
    return f"{plain[0][:90] or 'table'}{dot if stem else ''}{plain[1][:9] if stem else ''}"


def file_links(source: Sequence[str], files: Mapping[str, Download]) -> list[Link]:
    """A link for each of these tables: the file itself where it is small, else its place in the list of all."""
    links = []
    for file in (files[name] for name in source if name in files):
        if file.uri and file.size <= REPEATED:
            links.append(Link(file.uri, f"Save {file.file_name}", file.file_name))
        else:
            links.append(Link(f"#{file.anchor}", f"{file.file_name}, in the list of all tables"))
    return links
