"""Places on disk that tests read."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

ROOT = TESTS.parent
"""The checkout."""

SHARED = ROOT.parent / "shared"
"""Reference data beside the checkout; tests that read it skip where it is absent."""
