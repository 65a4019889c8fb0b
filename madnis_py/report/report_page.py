"""The report of a run: one page of HTML that needs nothing else, from the files of its directory.

Nothing is computed again and no code of the run is loaded, so that the page can be made at any
time, also while the run goes on, and of directories from elsewhere.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from madnis_py.errors import InputError
from madnis_py.output_file import write_file
from madnis_py.report.page_parts import Page
from madnis_py.report.run_page import run_page
from madnis_py.report.scan_page import scan_page
from madnis_py.run.directory import RunDirectory
from madnis_py.run.samples.any_run import SCAN

REPORT = "report.html"
"""Name of the page in the directory of a run."""


def report_page(directory: Path) -> str:
    """The report of a run, of a run of several processes, or of a scan.

    Args:
        directory: of it.

    Returns:
        a page of HTML.

    Raises:
        InputError: there is nothing to report on, or a file of it is damaged.
    """
    return rendered(page_of(directory))


def page_of(directory: Path) -> Page:
    """What is on the page of a run or scan; see `report_page`."""
    run = RunDirectory(directory, any_version=True)
    if run.claimed:
        return run_page(run)
    if (directory / SCAN).exists():
        return scan_page(directory)
    raise InputError(f"{directory}: expected the directory of a run or a scan; found none")


def rendered(page: Page) -> str:
    """A page as HTML."""
    room = files(__package__)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(room.joinpath("page.html").read_text())
    return template.render(page=page, style=Markup(style()))


def style() -> str:
    """The style of all pages."""
    return files(__package__).joinpath("page.css").read_text()


def write_report(directory: Path) -> Path:
    """Write the report into the directory, and those of its parts into theirs.

    Returns:
        the file.

    Raises:
        InputError: as for `report_page`.
        OutputError: it cannot be written.
    """
    for inside in parts_of(directory):
        write_report(inside)
    path = directory / REPORT
    write_file(path, report_page(directory).encode())
    return path


def parts_of(directory: Path) -> list[Path]:
    """Runs inside of a run of several processes, or of a scan, which have reports of their own."""
    found = [*directory.glob("process_*/run.json"), *directory.glob("point_*/run.json")]
    return sorted(path.parent for path in found)
