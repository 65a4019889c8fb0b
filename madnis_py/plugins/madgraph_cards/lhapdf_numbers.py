"""Numbers and labels by which MadGraph's cards call sets of parton densities."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from madnis_py.physics.pdf.lhapdf_index import registered_sets
from madnis_py.physics.pdf.pdf_sets import available_sets

BUILT_IN: Mapping[str, int] = {
    "nn23lo1": 247000,
    "nn23lo": 246800,
    "nn23nlo": 244800,
    "cteq6l1": 10042,
}
"""Sets that come with MadGraph -> LHAPDF's number of the same set."""

_MOST_MEMBERS = 110
"""Members that sets of the index are taken to have; those with a thousand are called by name."""


def set_of_number(number: int) -> str | None:
    """The set with a number of LHAPDF, "SET" or "SET/3" for its member 3.

    Args:
        number: of the member, for which an installed set counts first, then LHAPDF's index.

    Returns:
        the name; None where no set is known to have this number.
    """
    for one in available_sets():
        if one.lhapdf_id and one.lhapdf_id <= number < one.lhapdf_id + one.n_members:
            return _member(one.name, number - one.lhapdf_id)
    registered = registered_sets()
    numbers = sorted(registered)
    place = bisect_right(numbers, number) - 1
    if place < 0 or number - numbers[place] >= _MOST_MEMBERS:
        return None
    return _member(registered[numbers[place]], number - numbers[place])


def _member(name: str, member: int) -> str:
    return f"{name}/{member}" if member else name
