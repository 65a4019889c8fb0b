"""Matrix elements at momenta that the user gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from madnis_py.errors import InputError
from madnis_py.physics.phase_space import as_momenta
from madnis_py.physics.process import Process


class MomentaPoint(BaseModel):
    """One phase-space point; further keys are ignored."""

    momenta: list[tuple[float, float, float, float]]


class MomentaFile(BaseModel):
    """Phase-space points in GeV, (E, px, py, pz), incoming first; further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    points: list[MomentaPoint]
    pdg: list[int] | None = None


def evaluate_points(process: Process, content: Any, source: str, alpha_s: float | None = None) -> dict[str, Any]:
    """|M|^2 and |M_i|^2 at given momenta.

    Args:
        process: what scatters.
        content: `{"points": [{"momenta": [[E, px, py, pz], ...]}, ...]}`; a list `"pdg"` of the particles chooses among
            the partonic processes of a card that has several.
        source: how messages call the content.
        alpha_s: strong coupling; the parameter aS by default.

    Returns:
        `{"me2": [...], "diagrams": [[...], ...]}`: averaged over initial and summed over final states, and the
        helicity sum of every diagram without colour and averaging factors, in GeV^(8 - 2 n_particles).

    Raises:
        InputError: the content has another form, or the wrong number of particles.
        CardError: the card has several partonic processes and nothing chooses one.
    """
    try:
        momenta = MomentaFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    element = process.matrix_element(tuple(momenta.pdg) if momenta.pdg else None)
    for index, point in enumerate(momenta.points):
        if len(point.momenta) != element.n_particles:
            raise InputError(
                f"{source}: points.{index}.momenta: expected {element.n_particles} particles; got {len(point.momenta)}"
            )
    p = np.array([point.momenta for point in momenta.points], dtype=np.float64)
    p = as_momenta(p.reshape(-1, element.n_particles, 4))
    me2, diagrams = element.evaluate(p, process.model["aS"] if alpha_s is None else alpha_s)
    return {"me2": me2.tolist(), "diagrams": diagrams.tolist()}
