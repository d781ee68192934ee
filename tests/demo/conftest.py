"""The page, opened as a user opens it: by its command, and in Chromium."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

QUIET = (  # Chromium asks for nothing by itself, so that every request is the page's
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@pytest.fixture(scope="session")
def url():
    """Where the page is."""
    pytest.importorskip("gradio", reason="the page needs the extra [demo]")
    command = [sys.executable, "-m", "vitkeras.demo", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail("".join(said))
        yield found[0]
        process.terminate()


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, url):
    """The page in a fresh browser: `page.asked` has all addresses that it asked for, `page.faults` what went wrong."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, locale="en-US")
    page = context.new_page()
    page.asked, page.faults = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("console", lambda told: page.faults.append(told.text) if told.type == "error" else None)
    page.goto(url)
    yield page
    context.close()


@pytest.fixture
def keep():
    """`keep(page, name)`: a screenshot, kept where VITKERAS_SCREENSHOTS says."""

    def take(page, name):
        if folder := os.environ.get("VITKERAS_SCREENSHOTS"):
            page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)

    return take
