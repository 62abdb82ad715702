"""The page in Debian's Chromium: `pytest -m slow tests/app`, with the extra `browser`."""

import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("selenium", reason="the extra `browser` is not installed")
pytest.importorskip("gradio", reason="the extra `app` is not installed")
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="there is no chromedriver"),
]
ROOT = pathlib.Path(__file__).parents[2]
SECONDS = 90  # of the longest wait
# Chromium calls nobody but the page.
FLAGS = (
    *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
    *("disable-background-networking", "disable-component-update", "window-size=1320,1180"),
)
TILES, SCALE, GAP = 3, 16, 2  # of the picture of what is filled in: tiles a side, of 8 x 8 pixels


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    model = ROOT / "saved_models" / "digits_vp"
    command = [sys.executable, "-m", "gddim_tf.cli", "app", "--model", str(model), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = {"env": environment, "text": True, "cwd": tmp_path_factory.mktemp("app")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **options) as process:
        end = threading.Timer(5 * SECONDS, process.kill)
        end.start()
        yield process.stdout.readline().split("at ")[1].split(";")[0]
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().endswith("ended\n")
        end.cancel()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def browser(address, tmp_path_factory):
    options = ChromeOptions()
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{flag}")
    chrome = Chrome(options, ChromeService(shutil.which("chromedriver")))
    chrome.set_page_load_timeout(SECONDS)
    chrome.get(address)
    yield chrome
    chrome.quit()


def until(browser, condition):
    return WebDriverWait(browser, SECONDS).until(lambda _: condition())


def text(browser, name):
    return browser.find_element(By.ID, name).text


def click(browser, name):
    button = until(browser, lambda: browser.find_element(By.ID, name))
    until(browser, button.is_displayed)
    button.click()


def picture(browser, name):
    """The address of the picture in a frame, or nothing."""
    found = browser.find_elements(By.CSS_SELECTOR, f"#{name} img")
    return found[0].get_attribute("src") if found else None


def tiles(browser, name):
    """The levels of the pixels of each image of a picture, `[images, 8, 8]`."""
    with urllib.request.urlopen(picture(browser, name), timeout=SECONDS) as answer:
        levels = np.asarray(Image.open(io.BytesIO(answer.read())).convert("L"))
    starts = np.arange(TILES) * (8 * SCALE + GAP) + SCALE // 2
    places = (starts[:, None] + np.arange(8) * SCALE).ravel()
    grid = levels[np.ix_(places, places)].reshape(TILES, 8, TILES, 8)
    return grid.swapaxes(1, 2).reshape(-1, 8, 8)


def warned(browser, message):
    """Wait for a message of the page."""
    toast = (By.CSS_SELECTOR, ".toast-body, .toast-text")
    until(browser, lambda: any(message in found.text for found in browser.find_elements(*toast)))


def shot(browser, name):
    """Keep what is seen, if a folder is named for it."""
    if folder := os.environ.get("GDDIM_TF_SCREENSHOTS"):
        browser.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))


def test_the_page_says_what_it_is_for(browser):
    until(browser, lambda: browser.find_elements(By.ID, "draw"))
    shown = browser.find_element(By.TAG_NAME, "body").text
    for told in ("draws 8 x 8 grey images of 10 classes", "press Draw", "same noise"):
        assert told in shown
    shot(browser, "first")


def test_two_samplers_are_drawn_and_compared(browser):
    click(browser, "draw")
    until(browser, lambda: "From the same noise" in text(browser, "long-run-told"))
    for side in ("side-a", "side-b"):
        assert "Error 0.0" in text(browser, f"{side}-told") or "Error 0.1" in text(
            browser, f"{side}-told"
        )
    pictures = {picture(browser, name) for name in ("side-a", "side-b", "long-run")}
    assert len(pictures) == 3 and None not in pictures
    shot(browser, "compare")


def test_a_wrong_sampler_is_one_message(browser):
    field = browser.find_element(By.CSS_SELECTOR, "input[aria-label='Sampler A']")
    field.click()
    field.send_keys(*["\b"] * 20, "paint\n")
    click(browser, "draw")
    warned(browser, "received 'paint'")
    shot(browser, "message")


def test_what_is_painted_over_is_drawn_anew(browser):
    browser.refresh()
    tab = (By.XPATH, "//button[@role='tab' and contains(., 'Fill in')]")
    until(browser, lambda: browser.find_elements(*tab))[0].click()
    seed = (By.CSS_SELECTOR, "input[aria-label='Seed']")

    def seeds():
        shown = [field for field in browser.find_elements(*seed) if field.is_displayed()]
        return [field.get_attribute("value") for field in shown]

    until(browser, lambda: seeds() == ["0"])
    click(browser, "another")
    until(browser, lambda: seeds() == ["1"])
    click(browser, "fill")
    warned(browser, "something must be painted over")
    canvas = browser.find_element(By.CSS_SELECTOR, "#canvas canvas")
    stroke = ActionChains(browser).move_to_element(canvas).click_and_hold()
    for dx, dy in ((60, 40), (-120, 0), (0, 40), (120, 0)):
        stroke.move_by_offset(dx, dy)
    stroke.release().perform()
    shot(browser, "brush")
    click(browser, "fill")
    until(browser, lambda: "drawn anew" in text(browser, "filled-told"))
    shot(browser, "fill")
    unknown = round(0.64 * int(re.match("[0-9]+", text(browser, "filled-told"))[0]))
    images = tiles(browser, "filled")
    constant = (images == images[0]).all(axis=0)
    assert 10 <= unknown <= 40  # of 64 pixels
    assert 64 - unknown <= constant.sum() <= 64 - unknown // 2
    assert constant[:3].all()  # above the brush


def test_nothing_is_asked_of_another_machine(browser, address):
    names = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    outside = [n for n in names if not n.startswith((address.rstrip("/"), "data:", "blob:"))]
    assert names and not outside
