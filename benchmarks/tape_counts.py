"""What a tape of |M|^2 costs, counted from its arrays: the table in docs/amplitudes.md.

    python benchmarks/tape_counts.py [PROCESS ...]

Counts are per event and for all helicities. Nothing is measured here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from madnis_py._core import Operation
from madnis_py.card import card as cards
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model

PROCESSES = ("g g > t t~", "g g > t t~ g", "g g > t t~ g g", "g g > t t~ g g g")

TERM_OPERATIONS = {
    Operation.ffv_vector: 88,
    Operation.ffv_ket: 80,
    Operation.ffv_bra: 80,
    Operation.ffs_scalar: 36,
    Operation.ffs_ket: 36,
    Operation.ffs_bra: 36,
    Operation.vvv: 164,
    Operation.vvvv: 192,
    Operation.vvs_scalar: 34,
    Operation.vvs_vector: 18,
    Operation.vvss_scalar: 40,
    Operation.vvss_vector: 24,
    Operation.sss: 10,
    Operation.ssss: 16,
}
"""Multiplications and additions of a vertex with real couplings: vertices.hpp run on a number type
that counts them."""

CONTRACTION_OPERATIONS = 34
"""Four complex products, their sum, a real factor and the addition to the amplitude."""

COLOUR_OPERATIONS = 4
"""Of one element on or above the diagonal of the colour matrix: real and imaginary part, a product
and a sum each."""

WAVE_BYTES = 64
"""Four complex numbers of double precision."""


@dataclass(frozen=True)
class Counts:
    """What is done for one event, all helicities together.

    Attributes:
        helicities: of the process that do not vanish.
        currents: nodes of the tape, external legs not counted.
        instances: of currents with the helicities of their legs, external ones included.
        vertices: terms evaluated.
        contractions: products of a current and a source.
        colour: elements of the colour matrix on and above the diagonal, times helicities.
        vertex_operations: multiplications and additions of the vertices; propagators are left out.
        contraction_operations: of the contractions.
        colour_operations: of the colour sums.
        workspace: bytes of all currents in double precision.
        traffic: bytes of currents that vertices and contractions read and write.
    """

    helicities: int
    currents: int
    instances: int
    vertices: int
    contractions: int
    colour: int
    vertex_operations: int
    contraction_operations: int
    colour_operations: int
    workspace: int
    traffic: int


def counts(arrays: dict[str, NDArray[Any]]) -> Counts:
    """Count what is in the arrays of a tape of |M|^2 (tape.hpp)."""
    _, numbers, helicities, _, _, columns, *_ = (int(size) for size in arrays["sizes"])
    nodes, rows = arrays["nodes"], arrays["contractions"]
    evaluated, vertex_operations, vertex_waves = 0, 0, 0
    for _, _, _, instances, first, terms, *_ in nodes:
        for operation, *_, index in arrays["terms"][first : first + terms]:
            live = int((arrays["index"][index : index + 3 * instances : 3] >= 0).sum())
            evaluated += live
            vertex_operations += live * TERM_OPERATIONS[Operation(operation)]
            vertex_waves += live * (
                3 if operation in (Operation.vvvv, Operation.vvss_scalar, Operation.ssss) else 2
            )
    runs = 1 + int(
        (np.diff(rows[:, 1]) != 0).sum()
    )  # a current is read once for all of its sources
    instances = len(arrays["externals"]) + int(nodes[:, 3].sum())
    pairs = columns * (columns + 1) // 2
    return Counts(
        helicities=helicities,
        currents=len(nodes),
        instances=instances,
        vertices=evaluated,
        contractions=helicities * len(rows),
        colour=helicities * pairs,
        vertex_operations=vertex_operations,
        contraction_operations=CONTRACTION_OPERATIONS * helicities * len(rows),
        colour_operations=COLOUR_OPERATIONS * helicities * pairs,
        workspace=8 * numbers,
        traffic=WAVE_BYTES * (vertex_waves + instances + helicities * (runs + len(rows))),
    )


def reaction(process: str, model: Model) -> Reaction:
    """The only reaction of a process in MadGraph's notation."""
    card = cards.load("drell_yan").updated({"process": {"definition": process}})
    (found,) = definition_of(card, model).reactions(model)
    return found


def amplitude_counts(amplitude: TreeAmplitude) -> Counts:
    """The counts of an amplitude."""
    return counts(amplitude._amplitude_arrays)


def table(processes: list[str]) -> Table:
    """The counts of some processes, side by side."""
    model = Model("sm")
    amplitudes = [TreeAmplitude(reaction(process, model), model) for process in processes]
    printed = Table("per event", *processes)
    printed.add_row("diagrams", *(f"{amplitude.n_diagrams}" for amplitude in amplitudes))
    printed.add_row("colour flows", *(f"{len(amplitude.flows)}" for amplitude in amplitudes))
    columns = [vars(amplitude_counts(amplitude)) for amplitude in amplitudes]
    for name in columns[0]:
        printed.add_row(name.replace("_", " "), *(f"{column[name]:,}" for column in columns))
    return printed


if __name__ == "__main__":
    Console().print(table(sys.argv[1:] or list(PROCESSES)))
