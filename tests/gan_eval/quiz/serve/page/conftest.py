"""Fixtures of the page in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # both need selenium
    from page_server import PageServer
    from visitor import Visitor


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., "PageServer"]]:
    """Serve a study with these settings of the quiz."""
    from page_server import PageServer

    servers: list[PageServer] = []

    def start(*options: str, **quiz: Any) -> "PageServer":
        servers.append(PageServer(tmp_path, *options, **quiz))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        assert "Traceback" not in "".join(server.errors)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    from page_server import start_chromium

    driver = start_chromium()
    yield driver
    driver.quit()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., "Visitor"]]:
    home = chromium.current_window_handle
    from visitor import Visitor

    visitors: list[Visitor] = []

    def visit(link: str = "", *, window: tuple[int, int] | None = None, ratio: float = 1, **how: Any) -> "Visitor":
        visitors.append(visitor := Visitor(chromium, **how))
        if window is not None:
            visitor.window(*window, ratio=ratio)
        if link:
            visitor.driver.get(link)
        return visitor

    yield visit
    expected = {part for visitor in visitors for part in visitor.expected}
    log = [entry["message"] for entry in chromium.get_log("browser")]
    for handle in chromium.window_handles:
        if handle != home:
            chromium.switch_to.window(handle)
            chromium.close()
    chromium.switch_to.window(home)
    assert [line for line in log if not any(part in line for part in expected)] == []
