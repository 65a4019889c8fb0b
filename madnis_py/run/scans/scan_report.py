"""Report of a scan: the table of its points."""

from __future__ import annotations

from rich.table import Table

from madnis_py.run.closing_table import percent, quantity_of, with_error
from madnis_py.run.scans.scan_record import ScanRecord


def scan_table(record: ScanRecord) -> Table:
    """A row for each point: its values, cross section, efficiency, events and folder."""
    keys = list(record.rows[0].values) if record.rows else []
    table = Table()
    for column in (*keys, " / ".join(quantity_of(record.unit)), "efficiency", "events", "run"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for row in record.rows:
        values = (
            ", ".join(map(str, one)) if isinstance(one, tuple) else str(one)
            for one in row.values.values()
        )
        sigma = with_error(row.sigma_pb, row.sigma_error_pb)
        table.add_row(*values, sigma, percent(row.efficiency), f"{row.events:,}", row.folder)
    return table
