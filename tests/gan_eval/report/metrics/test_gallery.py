"""The gallery: its files, its refusals, its maps, and the page in a browser."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sets import write_items
from PIL import Image
from refusals import refused

from gan_eval.__main__ import run
from gan_eval.metrics.definitions.no_reference import block_features, niqe, niqe_blocks
from gan_eval.metrics.definitions.similarity import l1, l1_map, ssim, ssim_map
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.report.metrics.gallery import check_gallery, files_folder, write_gallery
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import frame_of

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
ITEMS = 5
SHAPE = (96, 192, 3)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return tuple(rng.integers(0, 256, (200, 301, 3), dtype=np.uint8) for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_mean_of_a_map_is_the_metrics_value(depth: Any) -> None:
    fake, real = (picture.astype(depth) * (1 if depth is np.uint8 else 257) for picture in pictures())
    assert ssim_map(fake, real).shape == (190, 291)
    assert ssim_map(fake, real).mean(dtype=float) == pytest.approx(ssim(fake, real), abs=1e-8)
    assert l1_map(fake, real).mean(dtype=float) == pytest.approx(l1(fake, real), abs=1e-5)


def test_niqe_is_at_most_the_blocks_mean_distance_and_a_flat_block_has_none() -> None:
    picture = pictures()[0]
    blocks = niqe_blocks(picture)
    assert blocks.shape == (2, 3)
    assert blocks.max() / 2 < niqe(picture) <= blocks.mean()
    picture[:96, :96] = 7
    assert np.isnan(niqe_blocks(picture)).ravel().tolist() == [True] + [False] * 5
    assert block_features(np.zeros((96, 96), np.uint8)).shape == (1, 36)


def make_set(folder: Path) -> Path:
    """Real pictures, and generated ones with more and more noise; the third has the name of a tag."""
    items, rng = {}, np.random.default_rng(5)
    for number in range(ITEMS):
        real = rng.integers(60, 190, SHAPE)
        fake = real + rng.integers(-number - 1, number + 2, SHAPE)
        stem = "<b>2" if number == 2 else str(number)
        items[stem] = {"real": real.astype(np.uint8), "fake": fake.astype(np.uint8)}
    return write_items(folder, items)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    made = ["--out", str(folder / "out"), "--gallery", str(folder / "my page.html"), "--no-cache"]
    assert run(["metrics", str(make_set(folder / "set")), "--metrics", "psnr,niqe", *made]) == 0
    return folder / "my page.html"


def test_pictures_and_maps_lie_next_to_the_page_and_a_second_run_gives_the_same(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = [path for path in files_folder(page).iterdir() if path.name != ".gan-eval"]
    assert len(version) == 1
    names = [path.name for path in version[0].iterdir()]
    assert len([name for name in names if "-" not in name]) == 2 * ITEMS
    assert [sum(f"-{panel}." in name for name in names) for panel in ("error", "ssim", "niqe")] == [
        ITEMS, ITEMS, 2 * ITEMS,
    ]  # fmt: skip
    with Image.open(version[0] / next(name for name in names if "-error" in name)) as error:
        assert error.size == (192, 96)
    text = page.read_text()
    assert f"my%20page_files/{version[0].name}/" in text
    assert "<b>2" not in text
    assert not any(address in text for address in ("http:", "https:", 'src="//', "@import"))
    made = ["--out", str(page.parent / "out"), "--gallery", str(page), "--no-cache"]
    assert run(["metrics", str(page.parent / "set"), "--metrics", "psnr,niqe", *made]) == 0
    assert capsys.readouterr().err.endswith(f"gallery: {page}\n")
    assert page.read_text() == text


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "mine_files").mkdir()
    (tmp_path / "mine_files" / "thesis.txt").touch()
    for name, said in (
        ("page.png", "name it page.html"), ("folder.html", "is a folder"), ("mine.html", "not written by gan_eval"),
    ):  # fmt: skip
        refused(said, check_gallery, tmp_path / name)
    folder = make_set(tmp_path / "set")
    made = ["metrics", str(folder), "--out", str(tmp_path / "out"), "--gallery", str(tmp_path / "g.html")]
    assert run([*made, "--metrics", "fid"]) == 2
    assert "no value for a single picture" in capsys.readouterr().err
    assert run([*made, "--metrics", "psnr", "--report", str(tmp_path / "g.html")]) == 2
    assert not (tmp_path / "g.html").exists()


def test_an_earlier_gallery_stays_where_no_picture_can_be_read(tmp_path: Path) -> None:
    stimuli = stimuli_of_sets([make_set(tmp_path / "set")])
    shutil.rmtree(tmp_path / "set" / "real")
    shutil.rmtree(tmp_path / "set" / "fake")
    (tmp_path / "g.html").write_text("earlier")
    refused("no picture can be read", write_gallery, frame_of([], IMAGE_METRICS), stimuli, tmp_path / "g.html")
    assert (tmp_path / "g.html").read_text() == "earlier"
    assert [path.name for path in (tmp_path / "g_files").iterdir()] == [".gan-eval"]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="needs chromium and chromedriver on the PATH")
def test_the_page_sorts_filters_and_shows_a_picture(page: Path) -> None:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.support.wait import WebDriverWait

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1366,768"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = BROWSER
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.get(page.as_uri())

        def choose(name: str, value: str) -> None:
            driver.execute_script(
                "const f = document.getElementById('controls').elements[arguments[0]]; f.value = arguments[1];"
                "f.dispatchEvent(new Event('input', {bubbles: true}))", name, value,
            )  # fmt: skip

        def names() -> list[str]:
            found = "[...document.querySelectorAll('.card')].sort((a, b) => a.dataset.place - b.dataset.place)"
            return list(driver.execute_script(f"return {found}.map(c => c.querySelector('.name').textContent)"))

        def count() -> str:
            return str(driver.execute_script("return document.getElementById('count').textContent"))

        assert names()[:2] == ["d/m/4", "d/m/3"], "PSNR, worst first"
        choose("first", "1")
        assert names()[:3] == ["d/m/0", "d/m/1", "d/m/<b>2"]
        values = driver.execute_script(
            "return data.rows.filter(r => r[1] >= 0).map(r => r[4][0]).sort((a, b) => b - a)"
        )
        choose("from", str(values[3]))
        assert count() == f"4 of {2 * ITEMS} pictures"
        choose("from", "")
        choose("kind", "1")
        choose("sort", "1")
        assert count() == f"{ITEMS} of {2 * ITEMS} pictures"
        assert all(name.startswith("d/real/") for name in names())
        choose("kind", "0")
        choose("find", "<B>")
        assert names() == ["d/m/<b>2"]
        driver.execute_script("document.querySelector('.card').click()")
        tabs = driver.execute_script("return [...document.querySelectorAll('#tabs button')].map(b => b.dataset.panel)")
        assert tabs == ["fake", "real", "error", "ssim", "niqe"]
        driver.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: '3'}))")
        assert "-error.webp" in driver.execute_script("return document.getElementById('large').src")
        driver.execute_async_script("const i = document.getElementById('large'); i.decode().then(arguments[0])")
        driver.execute_script("order[0][3].fill(''); open(0)")
        assert not driver.execute_script("return document.getElementById('large').getAttribute('src')"), "unreadable"
        assert [entry["message"] for entry in driver.get_log("browser")] == []
        assert driver.find_element("id", "lost").text == ""
        alone = page.with_name("alone")
        alone.mkdir()
        driver.get(Path(shutil.copy(page, alone)).as_uri())
        lost = "return document.getElementById('lost').textContent"
        message = WebDriverWait(driver, 10).until(lambda _: driver.execute_script(lost))
        assert f"the folder {page.stem}_files, which must be next to this page" in message
    finally:
        driver.quit()
