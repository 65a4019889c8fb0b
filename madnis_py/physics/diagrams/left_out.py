"""Diagrams that the restrictions of a definition leave out."""

from __future__ import annotations

from dataclasses import replace

from madnis_py.physics.diagrams.coupling_orders import WEIGHTED, OrderLimit, weighted
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.restrictions import UNRESTRICTED
from madnis_py.physics.diagrams.vertex_table import VertexTable


def left_out(reaction: Reaction, vertices: VertexTable) -> int:
    """How many diagrams of the same coupling orders a reaction would have without restrictions.

    Particles that may not be on their mass shell, "$ z", leave no diagram out.

    Args:
        reaction: with diagrams.
        vertices: those of the model.
    """
    if not _restricted(reaction):
        return 0
    every = recursion_of(_unrestricted(reaction, vertices), vertices)
    return every.n_diagrams - recursion_of(reaction, vertices).n_diagrams


def _restricted(reaction: Reaction) -> bool:
    """Whether this step or one of its decays leaves diagrams out."""
    return reaction.restrictions.leave_out or any(
        branch.decay is not None and _restricted(branch.decay) for branch in reaction.outgoing
    )


def _unrestricted(reaction: Reaction, vertices: VertexTable) -> Reaction:
    """The reaction without restrictions; orders that are not named are those that it has."""
    orders = reaction.orders
    if not orders:
        goals = recursion_of(reaction, vertices).goals
        lowest = min(weighted(goal.powers, vertices.model.orders) for goal in goals)
        orders = (OrderLimit(WEIGHTED, lowest, "=="),)
    outgoing = tuple(
        replace(branch, decay=branch.decay and _unrestricted(branch.decay, vertices))
        for branch in reaction.outgoing
    )
    return replace(reaction, outgoing=outgoing, orders=orders, restrictions=UNRESTRICTED)
