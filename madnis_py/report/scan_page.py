"""Page of a scan: the cross section over the values, and a table that leads to the runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from madnis_py.card import card as cards
from madnis_py.report.page_parts import (
    Cell,
    Page,
    Row,
    Section,
    ShownTable,
    Status,
    link_to_report,
)
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import Plot, covering
from madnis_py.report.run_page import card_facts
from madnis_py.run.closing_table import percent, quantity_of, with_error
from madnis_py.run.directory import RunDirectory
from madnis_py.run.scans.scan_record import ScanRecord, ScanRow


def scan_page(directory: Path) -> Page:
    """The page of the scan of a directory.

    Raises:
        InputError: a file of it is damaged.
    """
    record, card = ScanRecord.read(directory), cards.load(directory / "card.toml")
    return Page(
        title=f"Scan of {card.definition} - madnis_py",
        kind="Scan",
        place=str(directory),
        headings=card.process.definitions,
        statuses=list(_statuses(record, directory)),
        facts=list(card_facts(card)),
        sections=[
            Section(
                "points",
                "Points",
                figures=list(_pictures(record)),
                tables=[_table(record)],
            ),
            Section("card", "Card", text=card.to_toml()),
        ],
    )


def _statuses(record: ScanRecord, directory: Path) -> Iterator[Status]:
    """What stands above the table: the point that failed, or how many are left."""
    done = len(record.rows)
    if done >= record.points:
        return
    words = f"{done} of {record.points} points; the same command goes on."
    now = RunDirectory(directory / f"point_{done + 1}", any_version=True)
    failure = now.record.failure if now.claimed else None
    if failure is None:
        yield Status("This scan is not finished", (words,))
    else:
        headline = f"Point {done + 1} of this scan has failed"
        yield Status(headline, (failure.sentence, words), failed=True)


def _pictures(record: ScanRecord) -> Iterator[Figure]:
    """Cross section and efficiency over each key whose values are numbers."""
    quantity, unit = quantity_of(record.unit)
    letter = r"$\sigma$" if quantity == "sigma" else r"$\Gamma$"
    for key in record.rows[0].values if record.rows else ():
        places = [_number(row, key) for row in record.rows]
        if None in places or len(set(places)) < 2:
            continue
        x = np.array(places, float)
        sigma = np.array([row.sigma_pb for row in record.rows])
        error = np.array([row.sigma_error_pb for row in record.rows])
        y = covering([*(sigma - error), *(sigma + error)])
        plot = Plot(covering(x), [(y, 200.0)], key, [f"{letter} [{unit}]"])
        order = np.argsort(x, kind="stable")
        if len(record.rows[0].values) == 1:
            plot.line(x[order], sigma[order], "flow", kind="l pale")
        plot.errors(x, sigma - error, sigma + error, "flow")
        plot.dots(x, sigma, "flow big")
        yield Figure(f"{quantity} over {key}", plot.svg(f"{quantity} over {key}"))


def _number(row: ScanRow, key: str) -> float | None:
    value = row.values.get(key)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None  # type: ignore[arg-type]


def _table(record: ScanRecord) -> ShownTable:
    keys = list(record.rows[0].values) if record.rows else []
    quantity = " / ".join(quantity_of(record.unit))
    head = [
        Cell("run"),
        *(Cell(key, "right") for key in keys),
        *(Cell(name, "right") for name in (quantity, "efficiency", "events")),
    ]
    rows = [
        Row(
            [
                Cell(row.folder, link=link_to_report(row.folder)),
                *(Cell(str(row.values[key]), "right") for key in keys),
                Cell(with_error(row.sigma_pb, row.sigma_error_pb), "right"),
                Cell(percent(row.efficiency), "right"),
                Cell(f"{row.events:,}", "right"),
            ]
        )
        for row in record.rows
    ]
    return ShownTable(head, rows)
