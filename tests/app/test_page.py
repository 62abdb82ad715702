"""The page in Debian's Chromium: `pytest -m slow tests/app`, with the extra `browser`."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

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
SECONDS = 120


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    model = ROOT / "saved_models" / "digits_vp"
    command = [sys.executable, "-m", "gddim_tf.cli", "app", "--model", str(model), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = {"env": environment, "text": True, "cwd": tmp_path_factory.mktemp("app")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **options) as process:
        yield process.stdout.readline().split("at ")[1].split(";")[0]
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().endswith("ended\n")
    assert process.returncode == 0


@pytest.fixture(scope="module")
def browser(address):
    options = ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "window-size=1320,1180", "disable-gpu"):
        options.add_argument(f"--{argument}")
    chrome = Chrome(options, ChromeService(shutil.which("chromedriver")))
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


def shot(browser, name):
    """Keep what is seen, if a folder is named for it."""
    if folder := os.environ.get("GDDIM_TF_SCREENSHOTS"):
        browser.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))


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
    toast = (By.CSS_SELECTOR, ".toast-body, .toast-text")
    until(browser, lambda: "received 'paint'" in browser.find_element(*toast).text)
    shot(browser, "message")


def test_what_is_painted_over_is_drawn_anew(browser):
    browser.refresh()
    tab = (By.XPATH, "//button[@role='tab' and contains(., 'Fill in')]")
    until(browser, lambda: browser.find_elements(*tab))
    browser.find_element(*tab).click()
    click(browser, "another")
    canvas = until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#canvas canvas"))[0]
    until(browser, canvas.is_displayed)
    stroke = ActionChains(browser).move_to_element(canvas).click_and_hold()
    stroke.move_by_offset(60, 40).move_by_offset(-120, 0).release().perform()
    click(browser, "fill")
    until(browser, lambda: "drawn anew" in text(browser, "filled-told"))
    assert picture(browser, "filled")
    shot(browser, "fill")


def test_nothing_is_asked_of_another_machine(browser, address):
    names = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    outside = [n for n in names if not n.startswith((address.rstrip("/"), "data:", "blob:"))]
    assert names and not outside
