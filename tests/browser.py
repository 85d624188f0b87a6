"""A headless Chromium for the tests of pages: without a network, its console and requests recorded."""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1"]
# Notes of each page how many of its pictures are being decoded, and when the last one was.
COUNT_DECODING = """
window.decoding = 0;
const decode = HTMLImageElement.prototype.decode;
HTMLImageElement.prototype.decode = function () {
  window.decoding++;
  return decode.call(this).finally(() => { window.decoding--; window.decoded = performance.now(); });
};
"""
SETTLED = """
return new Promise(done => {
  const busy = () => window.decoding || performance.now() - window.decoded < 150;
  const look = wait => setTimeout(() => busy() ? look(30) : requestAnimationFrame(() => setTimeout(done, 50)), wait);
  look(150);
});
"""


class Browser:
    """Chromium at work on one page at a time; `driver` is Selenium's."""

    def __init__(self, driver):
        self.driver = driver
        driver.set_script_timeout(20)
        self.devtools("Network.enable")
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source=COUNT_DECODING)
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self.devtools("Network.emulateNetworkConditions", **offline)

    def devtools(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        """Return what JavaScript returns; a promise is awaited."""
        return self.driver.execute_script(script, *arguments)

    def open(self, page, address="", width=1200, height=900, dark=False, touch=False):
        """Open a file and wait until it has drawn; return the errors on its console and what else it asked for."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch
        )
        self.devtools("Emulation.setTouchEmulationEnabled", enabled=touch)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[feature])
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        url = Path(page).absolute().as_uri()
        self.driver.get(url + address)
        self.settle()
        return self.complaints(), [name for name in self.requests() if name not in (url, url + address)]

    def settle(self):
        """Wait until the page has drawn what it was told to show: its pictures are decoded beside it, in their time."""
        self.run(SETTLED)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith("data:")]

    def keys(self, *keys):
        """Press keys, one after the other, on what has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def pixels(self, canvas):
        """Return what a canvas (an element) holds, (H, W, 3) in 8 bits."""
        text = self.run("return arguments[0].toDataURL('image/png')", canvas)
        return decoded(text.split(",")[1])

    def screenshot(self):
        """Return what is on the screen, (H, W, 3) in 8 bits."""
        return decoded(self.driver.get_screenshot_as_base64())


def decoded(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


@pytest.fixture(scope="session")
def browser():
    """A Browser; the test is skipped where Chromium or its driver is not installed."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs chromium and chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as driver:
        yield Browser(driver)
