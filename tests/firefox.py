"""Firefox, driven by Marionette, the protocol that it speaks itself, over a socket.

Playwright drives only a Firefox of its own, which would have to be downloaded.
"""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from autograd import LivePage

NAMES = ("firefox-esr", "firefox")
SETTINGS = {
    "marionette.port": 0,  # a free one, which Firefox writes into a file of the profile
    "ui.prefersReducedMotion": 1,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "dom.disable_open_during_load": False,
}
NARROWEST = 500  # pixels of a window
PATIENCE = 30.0  # seconds in which Firefox must have started


def program() -> str | None:
    """The path of Firefox; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Firefox:
    """A headless Firefox with a profile of its own, and one tab."""

    def __init__(self, path: str, folder: Path) -> None:
        self.folder = folder
        profile = folder / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
        (profile / "user.js").write_text("\n".join(lines))
        options = ("--headless", "--marionette", "--no-remote", "--remote-allow-system-access", "--profile")
        self.process = subprocess.Popen([path, *options, profile], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = profile / "MarionetteActivePort"
        end = time.monotonic() + PATIENCE
        while not (port.exists() and port.read_text()):
            if time.monotonic() > end or self.process.poll() is not None:
                self.process.kill()
                raise TimeoutError(f"{path} did not start within {PATIENCE:.0f} seconds")
            time.sleep(0.05)
        self.socket = socket.create_connection(("127.0.0.1", int(port.read_text())), timeout=PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.numbers = itertools.count(1)
        self._receive()  # how it introduces itself
        self.command("WebDriver:NewSession")

    def command(self, name: str, **parameters: Any) -> Any:
        """Carry out a command, and return its result."""
        number = next(self.numbers)
        data = json.dumps([0, number, name, parameters]).encode()
        self.socket.sendall(f"{len(data)}:".encode() + data)
        _, answered, error, result = self._receive()
        assert answered == number
        if error is not None:
            raise RuntimeError(f"{name}: {error['error']}: {error['message']}")
        return result.get("value") if isinstance(result, dict) and result.keys() == {"value"} else result

    def _receive(self) -> Any:
        length = b""
        while (digit := self.stream.read(1)) != b":":
            length += digit
        return json.loads(self.stream.read(int(length)))

    def open(self, page: LivePage | str, place: str = "") -> None:
        """Open a page from a file, at a place of it such as "#step=3"."""
        path = self.folder / "page.html"
        path.write_text(page if isinstance(page, str) else page.html, encoding="utf-8")
        self.command("WebDriver:Navigate", url="about:blank")  # else a place alone would not load the file
        self.command("WebDriver:Navigate", url=path.as_uri() + place)

    def reload(self) -> None:
        self.command("WebDriver:Refresh")

    def resize(self, width: int, height: int) -> None:
        """Give the page so many pixels; its body is narrower than the window where no window is that narrow."""
        window = max(width, NARROWEST)
        for _ in range(2):  # the frame of the window is known once there is one
            across, down = self.evaluate("() => [outerWidth - innerWidth, outerHeight - innerHeight]")
            self.command("WebDriver:SetWindowRect", width=window + across, height=height + down)
        self.evaluate("(most) => { document.body.style.maxWidth = most; }", f"{width}px" if width < window else "")
        assert self.evaluate("() => [innerWidth, innerHeight]") == [window, height]

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a function of JavaScript, which may be asynchronous."""
        script = f"const [argument, done] = arguments; Promise.resolve(({function})(argument)).then(done);"
        return self.command("WebDriver:ExecuteAsyncScript", script=script, args=[argument], sandbox=None)

    def press(self, name: str) -> None:
        """Press the button of that accessible name, as a user does."""
        script = (
            "return [...document.querySelectorAll('button')].find("
            "(e) => (e.getAttribute('aria-label') ?? e.textContent) === arguments[0])"
        )
        found = self.command("WebDriver:ExecuteScript", script=script, args=[name])
        (reference,) = found.values()
        self.command("WebDriver:ElementClick", id=reference)

    def heard(self) -> list[str]:
        """What the page has said on the console and the errors in it, which are then forgotten."""
        self.command("Marionette:SetContext", value="chrome")
        script = (
            "const found = Services.console.getMessageArray()"
            ".filter((m) => m instanceof Ci.nsIScriptError && m.sourceName.startsWith('file:')).map(String);"
            "Services.console.reset(); return found;"
        )
        found: list[str] = self.command("WebDriver:ExecuteScript", script=script, args=[])
        self.command("Marionette:SetContext", value="content")
        return found

    def picture(self, path: Path) -> None:
        """Write what the window shows to a PNG file."""
        import base64

        path.write_bytes(base64.b64decode(self.command("WebDriver:TakeScreenshot", full=False)))

    def close(self) -> None:
        try:
            self.command("Marionette:Quit", flags=["eForceQuit"])
        finally:
            self.stream.close()  # which keeps the socket open
            self.socket.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
