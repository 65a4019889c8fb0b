"""Limits of the parton densities in a run: too much of a cross section beyond them is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from madnis_py.errors import GenerationError
from madnis_py.integration import allocation
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.pdf.grid_limits import LARGEST_SHARE, ShareOutside

GRID_POINTS = 5000
"""Number of points of the trained grids from which a run is refused early."""

_MARGIN = 2.0
"""Factor by which a share of these points has to exceed its limit, because of its error; what stays
is decided by the integrate stage."""


def require_grids_inside(grids: ImportanceSampler, cross_section: CrossSection) -> None:
    """Refuse a run that cannot end well as soon as its grids know where the cross section is.

    Args:
        grids: trained, with the prior as channel weights.
        cross_section: their integrand.

    Raises:
        GenerationError: far too much of the cross section lies where the densities are not known.
    """
    counts = allocation.uniform(GRID_POINTS, cross_section.n_channels)
    found = cross_section.outside_grid(grids.sample(counts, "grid limits"))
    require_inside([one for one in found if max(one.share, one.points) > _MARGIN * LARGEST_SHARE])


def require_inside(outside: Sequence[ShareOutside]) -> None:
    """Refuse a cross section of which too much lies where the densities are not known.

    Raises:
        GenerationError: so much does; says beyond which end, of which set, and what to change.
    """
    _require(one for one in outside if not one.limit.varied)


def require_variations(outside: Sequence[ShareOutside]) -> None:
    """Refuse events whose variations lie too often where the densities are not known.

    Raises:
        GenerationError: they do.
    """
    _require(one for one in outside if one.limit.varied)


def _require(outside: Iterable[ShareOutside]) -> None:
    too_much = next((one for one in outside if one.too_much), None)
    if too_much is not None:
        raise GenerationError(f"parton densities: {too_much.refusal}")
