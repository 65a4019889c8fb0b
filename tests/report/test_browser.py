"""The report in a browser: nothing cut, nothing empty, and the figures of run.json.

A page beside the report holds it in a frame of some width, looks at it and writes what it found
into its own text.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from report_reader import entry

from madnis_py.card import card as cards
from madnis_py.physics.process.process import Process
from madnis_py.report.report_page import write_report
from madnis_py.run.record import FailureRecord
from madnis_py.run.run import Run

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

PHONE, DESKTOP = 390, 1280

LOOK = """<!DOCTYPE html><body style="margin:0"><iframe src="report.html" width="WIDTH" height="900"
style="border:0"></iframe><pre id="found"></pre><script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const every = (where, what) => [...where.querySelectorAll(what)];
  const words = element => element.textContent.trim();
  const found = {overflow: root.scrollWidth - root.clientWidth, cut: [], empty: [], overlap: [],
    data: {}, paper: getComputedStyle(page.body).backgroundColor, figures: 0};
  for (const one of every(page, "data")) found.data[one.dataset.key] = one.value;
  for (const figure of every(page, "figure")) {
    const svg = figure.querySelector("svg"), box = svg.getBoundingClientRect();
    const title = words(figure.querySelector("figcaption"));
    found.figures += 1;
    const drawn = every(svg, "path.l, path.f, path.d, .diagram path, circle").filter(path => {
      const own = path.getBBox(); return own.width > 1 || own.height > 1;
    });
    if (box.width < 100 || box.height < 60 || !drawn.length) found.empty.push(title);
    const ticks = [];
    for (const text of every(svg, "text")) {
      const own = text.getBoundingClientRect();
      if (own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 ||
          own.bottom > box.bottom + 1) found.cut.push(title + ": " + words(text));
      if (text.classList.contains("t")) {
        if (ticks.some(other => own.left < other.right && other.left < own.right &&
            own.top < other.bottom - 2 && other.top < own.bottom - 2))
          found.overlap.push(title + ": " + words(text));
        ticks.push(own);
      }
    }
  }
  document.querySelector("iframe").remove();
  document.getElementById("found").textContent = JSON.stringify(found);
}
</script></body>"""


def looked_at(directory: Path, width: int, *options: str) -> dict[str, Any]:
    """What the browser sees of a report in a frame of some width."""
    place = directory / "look.html"
    place.write_text(LOOK.replace("WIDTH", str(width)))
    given = ("--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files")
    own = f"--user-data-dir={directory / 'profile'}"
    command = (str(CHROMIUM), *given, own, f"--window-size={max(width, 500)},900", *options)
    size = ("--virtual-time-budget=5000", "--dump-dom", place.as_uri())
    done = subprocess.run([*command, *size], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_is_cut_and_no_picture_is_empty(directory: Path, width: int) -> None:
    seen = looked_at(directory, width)
    assert seen["overflow"] == 0
    assert seen["cut"] == []
    assert seen["overlap"] == []
    assert seen["empty"] == []
    assert seen["figures"] > 12
    record = json.loads((directory / "run.json").read_text())
    assert "sigma_pb" in seen["data"]
    for key, value in seen["data"].items():
        assert float(value) == entry(record, key), key


def test_the_page_is_dark_where_the_user_likes_it_dark(directory: Path) -> None:
    dark = looked_at(directory, DESKTOP, "--blink-settings=preferredColorScheme=0")
    light = looked_at(directory, DESKTOP, "--blink-settings=preferredColorScheme=1")
    assert light["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] == "rgb(20, 23, 27)"


def test_a_failed_run_fits_a_telephone(directory: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(directory, tmp_path / "failed"))
    run = Run.open(copy)
    sentence = "integrate: expected a cross section > 0; got " + "a_very_long_word" * 20
    run.directory.update(failure=FailureRecord(sentence=sentence))
    write_report(copy)
    seen = looked_at(copy, PHONE)
    assert seen["overflow"] == 0
    assert seen["cut"] == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_run_of_a_hundred_channels_is_whole(tmp_path: Path, width: int) -> None:
    card = cards.load("ttbar_2j").updated({"training": {"preset": "quick", "steps": 20}})
    run = Run(Process.from_card(card), tmp_path / "run")
    run.integrate(60_000)
    page = write_report(run.directory.path)
    assert len(run.record.channels or ()) == 105
    assert page.stat().st_size < 3_000_000
    seen = looked_at(run.directory.path, width)
    assert (seen["overflow"], seen["cut"], seen["overlap"], seen["empty"]) == (0, [], [], [])
    assert float(seen["data"]["sigma_pb"]) == run.record.sigma_pb
