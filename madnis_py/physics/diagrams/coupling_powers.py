"""Powers of couplings of an amplitude, (g_s, electroweak coupling), and their sum WEIGHTED."""

from __future__ import annotations

Powers = tuple[int, int]
"""Powers of the strong and of the electroweak coupling."""


def added(a: Powers, b: Powers) -> Powers:
    """Powers of a product."""
    return a[0] + b[0], a[1] + b[1]


def weighted(powers: Powers) -> int:
    """WEIGHTED = QCD + 2 QED, which MadGraph keeps as low as possible if no order is named."""
    return powers[0] + 2 * powers[1]
