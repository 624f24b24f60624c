"""A headless Chromium, driven by its DevTools protocol, for what only a browser can say of a page.

with browser() as chromium, chromium.page() as page:
    page.open(f"{url}/admin/")
    assert page.evaluate("document.documentElement.dir") == "rtl"
"""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = "There is no Chromium here; install one to run these tests, such as by: apt-get install chromium"
PATIENCE_SECONDS = 30
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip


def installed():
    """The path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser():
    """A Chromium with a profile of its own, until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="hub-browser-"))
    process = subprocess.Popen(
        [installed(), *_ARGUMENTS, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port, path = _told(process, folder / "DevToolsActivePort")
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as socket:
            chromium = Browser(socket)
            try:
                yield chromium
            finally:
                # Killed, its children would still write into the folder.
                chromium.send("Browser.close")
                process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _told(process, file):
    """The two lines that Chromium writes when it listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (file.exists() and len(lines := file.read_text().split()) == 2):
        assert process.poll() is None and time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.02)
    return lines


class Browser:
    """The connection to a Chromium; commands are answered in their turn, events wait for those who ask."""

    def __init__(self, socket):
        self._socket, self._ids, self._events = socket, itertools.count(1), {}

    def send(self, method, session=None, **params):
        """The result of a command; an AssertionError when Chromium refuses it."""
        key = next(self._ids)
        message = {"id": key, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self._socket.send(json.dumps(message))
        while (answer := self._receive()).get("id") != key:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def events(self, session):
        """What a page has told so far, `[(method, params)]`."""
        return self._events.setdefault(session, [])

    def wait_for(self, session, method):
        """Wait until a page has told something; what it told before is of no interest any more."""
        while not any(name == method for name, _params in self.events(session)):
            self._receive()

    def _receive(self):
        message = json.loads(self._socket.recv(timeout=PATIENCE_SECONDS))
        if "method" in message:
            self.events(message.get("sessionId")).append((message["method"], message["params"]))
        return message

    @contextmanager
    def page(self, *, width=1366, height=900, dark=False, language="ar"):
        """A Page without cookies of others, in a window of a size, until the end of the block."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            page = Page(self, session)
            for domain in ("Page", "Runtime", "Log", "Network"):
                page.send(f"{domain}.enable")
            page.look(width=width, height=height, dark=dark)
            yield page
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)


class Page:
    """A tab: where it is, what it shows, and what it complained of."""

    def __init__(self, browser, session):
        self._browser, self._session = browser, session

    def send(self, method, **params):
        return self._browser.send(method, self._session, **params)

    def look(self, *, width=1366, height=900, dark=False):
        """The size of the window, and whether people like it dark."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url):
        """Go somewhere, and wait until all of it is there; complaints are those of this page from now on."""
        self._loaded(lambda: self.send("Page.navigate", url=url))

    def click(self, selector):
        """Click something that leads to another page, and wait until all of that is there."""
        self._loaded(lambda: self.evaluate(f"document.querySelector({json.dumps(selector)}).click()"))

    def fill(self, selector, value):
        """Type into a field, or choose of a list."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def attach(self, selector, file):
        """Choose a file."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        field = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=field, files=[str(file)])

    def fetch(self, url):
        """`(status, text)` of something that this page may download."""
        return self.evaluate(f"fetch({json.dumps(url)}).then(async got => [got.status, await got.text()])")

    def _loaded(self, go):
        self._browser.events(self._session).clear()
        go()
        self._browser.wait_for(self._session, "Page.loadEventFired")

    def evaluate(self, expression):
        """The value of an expression of JavaScript, once it is there if it is a promise."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def set_cookie(self, url, name, value):
        self.send("Network.setCookie", url=url, name=name, value=value)

    @property
    def complaints(self):
        """What the page has logged as an error or a warning, and what broke in it."""
        self.evaluate("0")  # what was told before the answer has arrived by now
        found = []
        for method, params in self._browser.events(self._session):
            if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))
            elif method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"]["text"])
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                found.append(str([argument.get("value") for argument in params["args"]]))
        return found

    def picture(self):
        """A PNG of what the window shows."""
        shot = self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])
