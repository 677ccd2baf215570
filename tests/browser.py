"""A real browser: Debian's Chromium, installed where it is missing, under Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from dealguard_cluster import packages
from dealguard_cluster.console import Console

_DEBIAN = {"/usr/bin/chromium": "chromium", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, ended afterwards; DEALGUARD_CHROMIUM names another one than Debian's."""
    program = os.environ.get("DEALGUARD_CHROMIUM")
    if program is None:
        packages.ensure(_DEBIAN, Console())
        program = "/usr/bin/chromium"
    with sync_playwright() as playwright:
        # Tests run as root, where Chromium has no sandbox of its own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
