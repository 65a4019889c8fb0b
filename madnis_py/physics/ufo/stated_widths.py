"""Partial widths as the file decays.py of a UFO model states them, which no amplitude needs."""

from __future__ import annotations

import cmath
from collections.abc import Mapping, Sequence

from madnis_py.physics.model.expressions import Names, Number, value_of
from madnis_py.physics.ufo.model_files import ModelFiles
from madnis_py.physics.ufo.parameter_values import ParameterValues
from madnis_py.physics.ufo.restriction import Restriction
from madnis_py.physics.ufo.ufo_rows import UfoParticle, UfoRows, read_decays

StatedWidths = Mapping[tuple[int, tuple[int, ...]], float]
"""PDG codes of a particle and of its products, these downwards -> partial width in GeV."""


def stated_widths(
    files: ModelFiles, rows: UfoRows, restriction: Restriction, values: Mapping[str, float]
) -> StatedWidths:
    """The partial widths of decays.py; none where there is no such file.

    The file has expressions for all masses: decays to more than the mass are left out here, and so
    are those whose expression has no value.

    Args:
        files: of the model.
        rows: their content.
        restriction: of its parameters.
        values: of external parameters; others have their defaults.

    Raises:
        UfoError: the file cannot be read; names file and line.
    """
    defaults = {**restriction.defaults, **values}
    parameters = ParameterValues(rows, defaults, restriction.expressions)
    numbers = parameters.at(defaults.get(parameters.strong, 0.0))
    names = Names(numbers, rows.functions)
    found: dict[tuple[int, tuple[int, ...]], float] = {}
    for name, partial in read_decays(files).items():
        for keys, text in partial.items():
            particles = [rows.particles[key] for key in (name, *keys) if key in rows.particles]
            if len(particles) == len(keys) + 1 and _is_open(particles, numbers):
                width = _width(text, names)
                if width is not None:
                    found[_codes(particles)] = width
    return found


def _is_open(particles: Sequence[UfoParticle], numbers: Mapping[str, complex]) -> bool:
    """Whether the first particle, and no Goldstone boson, decays to the others."""
    first, *others = particles
    mass, *masses = (abs(numbers[one.mass]) for one in (first, *others))
    return all(one.is_physical for one in particles) and sum(masses) < mass


def _width(text: str, names: Names) -> float | None:
    try:
        value: Number = value_of(text, names)
    except (ArithmeticError, ValueError):
        return None
    return complex(value).real if cmath.isfinite(value) else None


def _codes(particles: Sequence[UfoParticle]) -> tuple[int, tuple[int, ...]]:
    """Those of a decay, of the antiparticles if what decays is one."""
    turned = particles[0].pdg < 0
    first, *others = (row.anti().pdg if turned else row.pdg for row in particles)
    return first, tuple(sorted(others, reverse=True))
