"""Identity matrices whose indices stand in the order of the other structures of a vertex.

The identity is symmetric: FeynRules writes `Identity(1,2)` beside `Gamma5(2,1)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from madnis_py.physics.lorentz.structures import read_structure, spin_lines

_IDENTITY = re.compile(r"Identity\(\s*(\d+)\s*,\s*(\d+)\s*\)")


def with_equal_rows(structures: Sequence[str], spins: Sequence[int]) -> tuple[str, ...]:
    """Structures of a vertex in which identities have their row where other lines have it.

    Args:
        structures: of all colours.
        spins: 2 s + 1 of the legs.

    Raises:
        ValueError: a structure cannot be read; a sentence.
    """
    if not any(map(_IDENTITY.search, structures)):
        return tuple(structures)
    rows = {row for text in structures for row in _other_rows(text, spins)}

    def turned(found: re.Match[str]) -> str:
        first, second = int(found[1]), int(found[2])
        is_turned = second in rows and first not in rows
        return f"Identity({second},{first})" if is_turned else found[0]

    return tuple(_IDENTITY.sub(turned, text) for text in structures)


def _other_rows(text: str, spins: Sequence[int]) -> Iterator[int]:
    """Rows of the lines that are more than an identity."""
    for product in read_structure(text, spins):
        bare = {one.indices for one in product.factors if one.name == "Identity"}
        yield from (row for row, column in spin_lines(product) if (row, column) not in bare)
