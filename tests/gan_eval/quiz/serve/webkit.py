"""WebKitGTK's small browser on a private X server, driven by selenium."""

import os
import shutil
from contextlib import ExitStack
from typing import Any

import pytest
from hooked import Hooked
from x_screens import x_server

DRIVER = shutil.which("WebKitWebDriver")
NEEDS_WEBKIT = pytest.mark.skipif(
    DRIVER is None or shutil.which("Xvfb") is None,
    reason="needs WebKitWebDriver and Xvfb on the PATH (apt install webkit2gtk-driver xvfb)",
)


class WebKit(Hooked):
    """A browser that keeps nothing."""

    def __init__(self) -> None:
        from selenium import webdriver

        assert DRIVER is not None
        self._screen = ExitStack()
        environment = {**os.environ, **self._screen.enter_context(x_server(1280, 800))}
        try:
            service = webdriver.WebKitGTKService(DRIVER, env=environment)
            self.driver = webdriver.WebKitGTK(options=webdriver.WebKitGTKOptions(), service=service)
        except BaseException:
            self._screen.close()
            raise

    def quit(self) -> None:
        self.driver.quit()
        self._screen.close()

    def get(self, address: str) -> None:
        self.driver.get(address)

    def script(self, code: str) -> Any:
        return self.driver.execute_script(f"return {code}")

    def key(self, key: str) -> None:
        from selenium.webdriver.common.keys import Keys

        self._actions().send_keys(getattr(Keys, key.upper(), key)).perform()

    def click(self, selector: str) -> None:
        found = self.driver.find_elements("css selector", selector)
        self._actions().click(next(each for each in found if each.is_displayed())).perform()

    def _actions(self) -> Any:
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration=0)
