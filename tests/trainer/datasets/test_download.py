"""A download goes on where it broke off, and only in the same version of the file."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_eval.errors import UserError
from trainer.datasets.download import TRIES, download, is_address

CONTENT = np.random.default_rng(0).integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()


def test_a_whole_file_comes_in_one_go(serve: Callable, tmp_path: Path) -> None:
    server = serve(CONTENT)
    told: list[tuple[int, int]] = []
    download(server.url, tmp_path / "a", on_progress=lambda done, total: told.append((done, total)))
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert all(early < late for (early, _), (late, _) in itertools.pairwise(told))


@pytest.mark.parametrize("etag", ['"one"', None])
def test_a_broken_connection_is_continued(serve: Callable, tmp_path: Path, etag: str | None) -> None:
    server = serve(CONTENT)
    server.etag = etag
    server.limits = [400_000, None, 300_000]
    download(server.url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert server.requests == [None, None, "bytes=400000-", None, "bytes=700000-"]


def test_the_next_call_resumes(serve: Callable, tmp_path: Path) -> None:
    server = _stopped(serve, tmp_path)
    download(server.url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=500000-"


def _stopped(serve: Callable, tmp_path: Path) -> Any:
    """A server whose file is half there."""
    server = serve(CONTENT)
    server.limits = [500_000, *[None, 0] * TRIES]
    with pytest.raises(UserError, match=r"broke off after 500,000 bytes; rerun the command to resume"):
        download(server.url, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    return server


@pytest.mark.parametrize("change", ["etag", "size", "no ranges", "a part that is too long"])
def test_what_cannot_be_continued_starts_over(serve: Callable, tmp_path: Path, change: str) -> None:
    server = _stopped(serve, tmp_path)
    match change:
        case "etag":
            server.content, server.etag = CONTENT[::-1], '"two"'
        case "size":
            server.content = CONTENT[:999_999][::-1]
        case "no ranges":
            server.ranges = False
        case _:
            (part,) = tmp_path.glob("*.part")
            part.write_bytes(CONTENT + b"more")
    download(server.url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == server.content


def test_a_part_that_is_complete_is_used(serve: Callable, tmp_path: Path) -> None:
    server = _stopped(serve, tmp_path)
    (part,) = tmp_path.glob("*.part")
    part.write_bytes(CONTENT)
    download(server.url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_no_network_is_one_line_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/a\.zip: cannot be reached \(.*--from FILE"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "a")


def test_a_missing_file_is_one_line(serve: Callable, tmp_path: Path) -> None:
    server = serve(CONTENT)
    server.answer = lambda handler: handler.send_error(404)
    with pytest.raises(UserError, match="answered 404 Not Found"):
        download(server.url, tmp_path / "a")


def test_addresses_are_told_from_files() -> None:
    found = [is_address(text) for text in ("https://a.org/x", "HTTP://a.org", "C:\\x.zip", "x.zip", "file:///x")]
    assert found == [True, True, False, False, False]
