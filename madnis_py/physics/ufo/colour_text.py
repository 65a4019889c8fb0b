"""Colour factors of UFO with the legs in another order."""

from __future__ import annotations

import ast
from collections.abc import Mapping

_LONGEST = 1000


def renumbered_colour(text: str, legs: Mapping[int, int]) -> tuple[str, int]:
    """A colour factor with other numbers of its legs.

    Args:
        text: of UFO, "T(3,2,1)" or "f(1,2,-1)*f(3,4,-1)".
        legs: number of a leg in the text, from 1 -> its number in the result.

    Returns:
        The factor, and how many structure constants f it has.

    Raises:
        ValueError: it cannot be read; a sentence.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"expected a colour factor of at most {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        for call in calls:
            call.args = [_index(one, legs) for one in call.args]
        names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
        return ast.unparse(tree).replace(" ", ""), names.count("f")
    except (SyntaxError, RecursionError, MemoryError, KeyError, ValueError):
        raise ValueError(f"expected a colour factor; got {text[:60]!r}") from None


def _index(node: ast.expr, legs: Mapping[int, int]) -> ast.expr:
    index = ast.literal_eval(node)
    if not isinstance(index, int):
        raise ValueError
    return ast.Constant(legs[index] if index > 0 else index)
