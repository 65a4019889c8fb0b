"""Lines of spinors with the matrix C in the text of a structure, as lines that have none.

psi^T C = psi^c-bar and C psi-bar^T = psi^c: a line that begins or ends with C is one of a field and
a conjugate field, which vertices that violate fermion number have without C.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

from madnis_py.physics.lorentz.structures import (
    Factor,
    Product,
    read_expression,
    spin_lines,
    text_of,
)


@dataclass(frozen=True, order=True)
class ConjugatedLine:
    """A line of spinors with a C.

    Attributes:
        legs: that it joins.
        side: -1 for psi^T C .. psi, 1 for psi-bar .. C psi-bar^T, 0 for C alone, which is either.
    """

    legs: tuple[int, int]
    side: int


@cache
def without_conjugation(text: str) -> tuple[str, tuple[ConjugatedLine, ...]]:
    """A structure with Identity in the place of C.

    Args:
        text: of the structure, as UFO has it.

    Returns:
        The structure, and the lines that had a C.

    Raises:
        ValueError: a C stands within a line; a sentence.
    """
    if not re.search(r"\bC\s*\(", text):
        return text, ()
    products, lines = [], set()
    for product in read_expression(text):
        plain = replace(product, factors=tuple(map(_plain, product.factors)))
        products.append(plain)
        _check_order(product)
        for line in spin_lines(plain):
            own = [one.indices for one in product.factors if one.name == "C"]
            sides = [_side(line, indices) for indices in own if {*line} & {*indices}]
            if len(sides) > 1:
                raise ValueError(f"expected one C on a line of spinors; got {str(product)[:120]}")
            lines |= {ConjugatedLine(line, side) for side in sides}
    return text_of(tuple(products)), tuple(sorted(lines))


def _side(line: tuple[int, int], indices: tuple[int, ...]) -> int:
    return 0 if line == indices else -1 if line[0] == indices[0] else 1


def _plain(factor: Factor) -> Factor:
    return Factor("Identity", factor.indices) if factor.name == "C" else factor


def _check_order(product: Product) -> None:
    """Every index inside is a column and then a row, and every C is at an end of its line."""
    pairs = [
        [index for kind, index in factor.axes if kind == "S"]
        for factor in product.factors
        if any(kind == "S" for kind, _ in factor.axes)
    ]
    rows, columns = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    inside = {index for pair in pairs for index in pair if index < 0}
    conjugations = [one.indices for one in product.factors if one.name == "C"]
    if any(rows[index] != 1 or columns[index] != 1 for index in inside) or any(
        max(indices) < 0 for indices in conjugations
    ):
        raise ValueError(
            "expected C at the beginning or the end of a line of spinors, every other index a "
            f"column and then a row; got {str(product)[:120]}"
        )
