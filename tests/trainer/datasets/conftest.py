"""Archives, a web server that breaks off, and the real data where they are there."""

import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_pictures import picture_bytes


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Writes an archive of {member: bytes}; default: facades/train/1.png, 2.png and facades/val/1.png."""

    def make(name: str = "facades.tar.gz", members: dict[str, bytes] | None = None) -> Path:
        if members is None:
            members = {
                f"facades/{file}": picture_bytes(n)
                for n, file in enumerate(("train/1.png", "train/2.png", "val/1.png"))
            }
        path = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as zipped:
                for member, content in members.items():
                    zipped.writestr(member, content)
            return path
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tarred:
            for member, content in members.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tarred.addfile(entry, io.BytesIO(content))
        return path

    return make


class Server:
    """Serves one file; breaks off after `limits` bytes of the successive answers."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.limits: list[int] = []
        self.answers = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._httpd.server_port}/facades.tar.gz"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.answers += 1
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.content)))
        handler.end_headers()
        handler.wfile.write(self.content[: self.limits.pop(0) if self.limits else None])

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], Server]]:
    """Starts a server of some bytes."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers: list[Server] = []

    def start(content: bytes) -> Server:
        servers.append(Server(content))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def real_data() -> Path:
    """The folder of the real test pictures."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("GAN_EVAL_DATA") or default)
    if not (folder / "facades").is_dir():
        pytest.skip("no real data: neither $GAN_EVAL_DATA nor ../shared/data has facades")
    return folder
