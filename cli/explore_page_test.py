#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Uses the page of `iomode explore --html` in headless Chromium as a person would.

Chromium, its driver and Selenium are packages of third_party/packages.txt; without them the test
fails. With SCREENSHOTS=DIR in the environment it leaves pictures there.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

IOMODE = str(pathlib.Path("cli/iomode").resolve())
# A later revision that has findings within these bounds, and an early one that has other states.
REVISIONS = ["cb098dd24b", "v7.3"]


def chromium(folder, *arguments):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--user-data-dir={folder}", *arguments):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class ExplorePageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        # Chromium writes to its home.
        os.environ["HOME"] = folder.name
        cls.page = cls.folder / "page.html"
        run = subprocess.run([IOMODE, "explore", "--maps", "1", "--kernel", ",".join(REVISIONS),
                              "--html", cls.page], capture_output=True, text=True, check=False)
        assert run.returncode == 1, run.stderr  # there are findings
        cls.counts = dict(line.split(": ", 1) for line in run.stdout.splitlines())
        cls.browser = chromium(cls.folder / "profile")
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.browser.set_window_size(1300, 900)
        self.browser.get(self.page.as_uri())

    def tearDown(self):
        self.assertEqual(self.browser.get_log("browser"), [])

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def script(self):
        return self.one("#detail pre").text + "\n"

    def heading(self):
        return self.one("#detail h2").text

    def cell(self, name):
        for row in self.all("#detail tr"):
            if row.find_element(By.TAG_NAME, "th").text == name:
                return row.find_element(By.TAG_NAME, "td").text
        return self.fail(f"no row {name}")

    def keys(self, *keys):
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()

    def focused(self):
        return self.browser.switch_to.active_element

    def state_lines(self, script, revision="v7.3"):
        """The script as the model runs it, with the kernel's state; it has to hold, too."""
        path = self.folder / "shown.iom"
        path.write_text(script, encoding="utf-8")
        for command in ("check", "run"):
            run = subprocess.run([IOMODE, command, "--kernel", revision, str(path)]
                                 + (["--state"] if command == "run" else []),
                                 capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout

    def picture(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.browser.save_screenshot(os.path.join(folder, name + ".png"))

    def test_starts_with_the_last_revision_and_the_first_state(self):
        self.assertEqual(Select(self.one("#revision")).first_selected_option.text, "v7.3")
        self.assertIn(self.counts["v7.3"], self.one("#counts").text)
        self.assertEqual((self.heading(), self.cell("iocachectr")), ("State", "0"))
        self.picture("start")

    def test_a_click_on_a_state_shows_it_and_a_script_into_it(self):
        state = self.one("#graph .state.waiting")
        state.click()
        self.assertIn("selected", state.get_attribute("class"))
        last = self.state_lines(self.script()).splitlines()[-1]
        shown = re.search(r"iocachectr=(-?\d+) CACHE_IO_MODE=(\d) fb=(\S+) waiters=(\d)", last)
        self.assertEqual(self.cell("iocachectr"), shown[1])
        self.assertEqual(self.cell("FUSE_I_CACHE_IO_MODE"), "set" if shown[2] == "1" else "clear")
        self.assertEqual(self.cell("asleep on direct_io_waitq"), shown[4])
        self.assertNotEqual(shown[4], "0")
        self.picture("state")

    def test_every_state_shows_itself(self):
        states = self.all("#graph .state")
        self.assertGreater(len(states), 20)
        for state in states:
            ActionChains(self.browser).move_to_element(state).click().perform()
            counter = re.search(r"iocachectr (-?\d+)", state.get_attribute("aria-label"))[1]
            self.assertEqual(self.cell("iocachectr"), counter)

    def test_a_click_on_an_edge_shows_the_script_that_takes_it(self):
        # An edge, and a point of its curve where no other lies above it, as a person would pick.
        index, *point = self.browser.execute_script("""
            for (const path of document.querySelectorAll(".edge path.hit")) {
              const index = Number(path.parentNode.id.slice(1));
              const edge = data.revisions.at(-1).edges[index];
              if (edge.from === edge.to) continue;
              path.scrollIntoView({block: "center", inline: "center"});
              for (let part = 0.1; part < 0.9; part += 0.02) {
                const at = path.getPointAtLength(path.getTotalLength() * part)
                    .matrixTransform(path.getScreenCTM());
                const [x, y] = [Math.round(at.x), Math.round(at.y)];
                if (document.elementFromPoint(x, y) === path) return [index, x, y];
              }
            }""")
        edge = self.browser.execute_script(
            "return data.revisions.at(-1).edges[arguments[0]]", index)
        action = ActionChains(self.browser)
        action.w3c_actions.pointer_action.move_to_location(*point)
        action.w3c_actions.pointer_action.click()
        action.perform()
        self.assertEqual(self.heading(), "Edge")
        text = edge["operations"][0]["text"]
        self.assertEqual(self.one("#detail code").text, text)
        # Its result is that of the script's last step, and the model agrees on where that leads.
        result = text.split(" -> ")[1].split(";")[0]
        self.assertIn(f"-> {result}", self.script().splitlines()[-1])
        counter = re.findall(r"iocachectr (-?\d+)", self.one("#detail").text)[1]
        self.assertIn(f"iocachectr={counter} ", self.state_lines(self.script()).splitlines()[-1])
        self.picture("edge")

    def test_the_keyboard_does_it_too(self):
        self.one("body").click()
        self.one("#revision").send_keys(Keys.TAB)
        self.assertEqual(self.focused().get_attribute("id"), "s0")
        self.assertNotEqual(self.browser.execute_script(
            "return getComputedStyle(document.activeElement.querySelector('path')).strokeWidth"),
            "1px", "the focus is not to be seen")
        self.keys(Keys.ARROW_UP)
        above = self.focused()
        self.assertIn("iocachectr 1", above.get_attribute("aria-label"))
        self.keys(Keys.ENTER)
        self.assertEqual(self.cell("iocachectr"), "1")
        self.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        self.assertRegex(self.focused().get_attribute("aria-label"), "iocachectr -1")
        self.keys(Keys.SPACE)
        self.assertEqual(self.cell("iocachectr"), "-1")
        self.picture("keyboard")
        # On to the script, then to the first operation, and through it.
        self.keys(Keys.TAB, Keys.TAB)
        self.assertEqual(self.focused().tag_name, "button")
        operation = self.focused().text.splitlines()[0]
        self.keys(Keys.ENTER)
        self.assertEqual((self.heading(), self.one("#detail code").text), ("Edge", operation))
        self.assertEqual(self.focused().get_attribute("aria-pressed"), "true")

    def test_findings_have_scripts_that_show_them(self):
        finding = self.one("#findings details")
        self.assertEqual(finding.find_element(By.TAG_NAME, "summary").text, "lost-wakeup")
        script = finding.find_element(By.TAG_NAME, "pre").text + "\n"
        path = self.folder / "finding.iom"
        path.write_text(script, encoding="utf-8")
        run = subprocess.run([IOMODE, "check", str(path)], capture_output=True, text=True,
                             check=False)
        self.assertIn("finding lost-wakeup", run.stdout)
        finding.find_element(By.TAG_NAME, "button").click()
        self.assertNotEqual(self.cell("asleep on direct_io_waitq"), "0")
        self.assertIn("found", self.one("#graph .selected").get_attribute("class"))

    def test_another_revision_is_another_graph(self):
        before = len(self.all("#graph .state"))
        Select(self.one("#revision")).select_by_visible_text("cb098dd24b")
        self.assertIn(self.counts["cb098dd24b"], self.one("#counts").text)
        self.assertLess(len(self.all("#graph .state")), before)
        self.assertFalse(self.all("#graph .passthrough"))
        self.assertFalse(self.all("#findings details"))
        self.one("#graph .caching").click()
        self.state_lines(self.script(), "cb098dd24b")
        self.picture("revision")

    def test_a_telephone_shows_it_without_scrolling_sideways(self):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        self.browser.get(self.page.as_uri())
        width, room = self.browser.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        self.assertLessEqual(width, room)
        self.assertLessEqual(room, 390)
        self.picture("telephone")

    def test_dark_is_dark(self):
        def paper(scheme):
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
            colour = self.browser.execute_script(
                "return getComputedStyle(document.body).backgroundColor")
            return sum(map(int, re.findall(r"\d+", colour)[:3]))
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})
        self.assertGreater(paper("light"), 600)
        self.assertLess(paper("dark"), 150)
        self.picture("dark")

    def test_nothing_comes_from_outside(self):
        text = self.page.read_text(encoding="utf-8")
        self.assertIn("default-src 'none'", text)
        self.assertFalse(re.findall(r"(?:src|href)=[\"'](?!#)", text))
        loaded = self.browser.execute_script(
            "return performance.getEntriesByType('resource').map(entry => entry.name)")
        self.assertEqual(loaded, [])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
