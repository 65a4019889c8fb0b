"""Verification of scans: every run is as it should be, and the table has its figures."""

from __future__ import annotations

from pathlib import Path

from madnis_py.progress import Watch, unwatched
from madnis_py.run.directory import RunDirectory
from madnis_py.run.samples.any_run import SCAN
from madnis_py.run.scans.scan_record import ScanRecord
from madnis_py.run.verification.event_file_verification import Verification
from madnis_py.run.verification.run_verification import verify_run


def verify_directory(path: Path, watch: Watch = unwatched, trust: bool = False) -> Verification:
    """Hold a run or a scan against its record; see `verify_run`."""
    return (verify_scan if (path / SCAN).is_file() else verify_run)(path, watch, trust)


def verify_scan(path: Path, watch: Watch = unwatched, trust: bool = False) -> Verification:
    """Hold the runs of a scan against their run.json, and its table against the runs.

    Args:
        path: the directory.
        watch: called with the progress.
        trust: as for `verify_run`.

    Raises:
        InputError: its record is damaged, or one of its runs is missing or not trusted.
    """
    record, faults = ScanRecord.read(path), list[str]()
    if len(record.rows) < record.points:
        got = f"got {len(record.rows)}"
        faults.append(f"{path}: {SCAN}: expected {record.points} points; {got}")
    for row in record.rows:
        folder = path / row.folder
        faults += verify_run(folder, watch, trust).faults
        sigma = RunDirectory(folder).record.sigma_pb
        if sigma != row.sigma_pb:
            expected = f"expected sigma_pb = {sigma}, as in {row.folder}"
            faults.append(f"{path}: {SCAN}: {expected}; got {row.sigma_pb}")
    return Verification(path, {"points": len(record.rows)}, tuple(faults))
