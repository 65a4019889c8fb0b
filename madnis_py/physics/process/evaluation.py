"""Matrix elements at momenta that the user gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from madnis_py.arrays import Array
from madnis_py.card.sentences import shown
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.coupling_orders import by_name
from madnis_py.physics.diagrams.diagram_picture import draw
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.channel_topologies import channel_topologies
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.process import Process

Component = Annotated[float, Field(strict=True, allow_inf_nan=False)]


Evaluate = Callable[[MatrixElement, Array, float], tuple[Array, Array]]
"""What `MatrixElement.evaluate` does, of an element, momenta and a strong coupling."""


class MomentaPoint(BaseModel):
    """One phase-space point; further keys are ignored."""

    momenta: list[tuple[Component, Component, Component, Component]]


Code = Annotated[int, Field(gt=-(10**9), lt=10**9)]


class MomentaFile(BaseModel):
    """Phase-space points in GeV, (E, px, py, pz), incoming first; further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    points: list[MomentaPoint]
    pdg: list[Code] | None = None


def evaluate_points(
    process: Process,
    content: Any,
    source: str,
    alpha_s: float | None = None,
    *,
    weights: bool = False,
    single: bool = False,
    evaluate: Evaluate | None = None,
) -> dict[str, Any]:
    """|M|^2 and |M_i|^2 at given momenta.

    Args:
        process: what scatters.
        content: `{"points": [{"momenta": [[E, px, py, pz], ...]}, ...]}`; a list `"pdg"` of the
            particles chooses among the partonic processes of a card that has several.
        source: how messages call the content.
        alpha_s: strong coupling; the parameter aS by default.
        weights: add what events are drawn from: `"flows"` with `"colour"` (of every leg) and
            `"weights"` (|J_k|^2 per point) and `"helicities"` with `"states"` (twice the helicity
            for fermions) and `"me2"` (per point).
        single: add `"me2_single"` and `"relative_error"` of single precision, None where that is
            not enough.
        evaluate: computes the matrix elements elsewhere than on the CPU.

    Returns:
        `{"me2": [...], "diagrams": [[...], ...], "propagators": [[[pdg, [legs]], ...], ...]}`:
        averaged over initial and summed over final states, per point; the helicity sum of every
        diagram without colour and averaging factors, per point, both in GeV^(8 - 2 n_particles);
        and for every diagram the particles that propagate with the legs that they connect to the
        first one, counted from 1. Where there is something to know about the numbers `"warnings"`:
        [...] in sentences.

    Raises:
        InputError: the content has another form, the wrong number of particles, or momenta without
            a finite |M|^2.
        CardError: the card has several partonic processes and nothing chooses one, or its
            definition has "$" where weights or single precision are asked for.
    """
    try:
        momenta = MomentaFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ": ".join(filter(None, (source, ".".join(map(str, first["loc"])))))
        wanted = 'expected {"points": [...]}' if first["type"] == "model_type" else first["msg"]
        raise InputError(f"{place}: {wanted}; got {shown(first['input'])}") from None
    group = process.group(tuple(momenta.pdg) if momenta.pdg else None)
    element = process.matrix_element_of(group)
    for index, point in enumerate(momenta.points):
        if len(point.momenta) != element.n_particles:
            raise InputError(
                f"{source}: points.{index}.momenta: expected {element.n_particles} particles; "
                f"got {len(point.momenta)}"
            )
    p = np.array([point.momenta for point in momenta.points], dtype=np.float64)
    p = as_momenta(p.reshape(-1, element.n_particles, 4))
    coupling = process.model.alpha_s if alpha_s is None else alpha_s
    if not 0 <= coupling < math.inf:
        raise InputError(f"alpha_s: expected a number >= 0; got {coupling}")
    with np.errstate(all="ignore"):  # what comes of it is looked at
        found = evaluate(element, p, coupling) if evaluate else element.evaluate(p, coupling)
    me2, diagrams = found
    unusable = np.flatnonzero(~(np.isfinite(me2) & np.isfinite(diagrams).all(axis=1)))
    if len(unusable):
        raise InputError(
            f"{source}: points.{unusable[0]}.momenta: expected momenta with a finite |M|^2; "
            f"got {me2[unusable[0]]}"
        )
    result: dict[str, Any] = {
        "me2": me2.tolist(),
        "diagrams": diagrams.tolist(),
        "propagators": [propagators(diagram) for diagram in process.diagrams(group)],
    }
    if process.caveats:
        result["warnings"] = list(process.caveats)
    if weights or single:
        if any(diagram.off_shell for diagram in process.diagrams(group)):
            raise process.card.error(
                "process.definition",
                'expected a definition without particles off their mass shell ("$") for --weights '
                f'or --single; got "{process.definition.text}"',
            )
        tree = process.tree_amplitude(group)
        result |= _weights(tree, p, coupling) if weights else {}
        result |= _single(tree, p, coupling) if single else {}
    return result


def _weights(tree: TreeAmplitude, p: Array, alpha_s: float) -> dict[str, Any]:
    weights = tree.weights(p, alpha_s)
    return {
        "flows": {"colour": tree.flows, "weights": weights.flows.tolist()},
        "helicities": {"states": tree.helicities.tolist(), "me2": weights.helicities.tolist()},
    }


def _single(tree: TreeAmplitude, p: Array, alpha_s: float) -> dict[str, Any]:
    return {
        "me2_single": _numbers(tree.squared(p, alpha_s, single=True)),
        "relative_error": _numbers(tree.single_error(p, alpha_s)),
    }


def _numbers(values: Array) -> list[float | None]:
    """Values for JSON, which knows neither NaN nor infinity."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def propagators(diagram: Diagram) -> list[tuple[int, list[int]]]:
    """Propagators of a diagram: (|PDG code|, legs on the side without leg 1), counted from 1."""
    return [(pdg, [leg + 1 for leg in legs]) for pdg, legs in diagram.propagators]


def diagram_pictures(process: Process, path: Path) -> dict[Path, str]:
    """Feynman diagrams as SVG documents.

    Args:
        process: whose diagrams.
        path: of the file; with several matrix elements "_1", "_2", ... goes before the suffix.

    Returns:
        Path and content of every file.
    """
    pictures = {}
    for number, group in enumerate(process.groups, start=1):
        legs, n_incoming = group.reaction.legs, len(group.reaction.incoming)
        title = process.model.reaction_name(legs, n_incoming)
        name = path.name if len(process.groups) == 1 else f"{path.stem}_{number}{path.suffix}"
        pictures[path.with_name(name)] = draw(
            process.diagrams(group), legs, n_incoming, process.model, title
        )
    return pictures


def describe_diagrams(process: Process, with_propagators: bool = False) -> dict[str, Any]:
    """How many diagrams and phase-space channels a process has.

    Args:
        process: whose diagrams.
        with_propagators: list every diagram by what propagates in it, and every channel.

    Returns:
        `{"diagrams": n, "channels": n, "groups": n, "processes": [...]}`, totals over the matrix
        elements, with one entry per matrix element: `name`, `flavours` (names of all combinations
        of particles that share it), `diagrams`, `channels`, `groups` (of channels that are alike
        but for the names of their legs), `orders` (the powers of the couplings that occur),
        `left_out` (number of diagrams that restrictions remove, if they do) and, if wanted,
        `propagators` and `topologies`. The latter has for every channel `diagrams` and `group`,
        counted from 1, and `propagators`: `kind`, |PDG code| and legs of each, for an "s" those
        that it decays to, for a "t" those on the side of leg 1.
    """
    entries = [_describe(group, process, with_propagators) for group in process.groups]
    totals = {
        key: sum(entry[key] for entry in entries) for key in ("diagrams", "channels", "groups")
    }
    return {**totals, "processes": entries}


def _describe(group: FlavourGroup, process: Process, with_propagators: bool) -> dict[str, Any]:
    diagrams = process.diagrams(group)
    name = process.model.reaction_name
    n_incoming = len(group.reaction.incoming)
    channels = channel_topologies(
        diagrams, group.reaction.legs, process.model, n_incoming=n_incoming
    )
    entry: dict[str, Any] = {
        "name": name(group.reaction.legs, n_incoming),
        "flavours": [name(legs, n_incoming) for legs in group.flavours],
        "diagrams": len(diagrams),
        "channels": len(channels),
        "groups": len({channel.group for channel in channels}),
        "orders": [
            by_name(powers, process.model.orders)
            for powers in sorted({diagram.powers for diagram in diagrams})
        ],
    }
    if removed := process.left_out(group):
        entry["left_out"] = removed
    if with_propagators:
        entry["propagators"] = [propagators(diagram) for diagram in diagrams]
        entry["topologies"] = [
            {
                "diagrams": [column + 1 for column in channel.diagrams],
                "group": channel.group + 1,
                "propagators": [
                    {"kind": line.kind, "pdg": line.pdg, "legs": [leg + 1 for leg in line.legs]}
                    for line in channel.topology.propagators
                ],
            }
            for channel in channels
        ]
    return entry
