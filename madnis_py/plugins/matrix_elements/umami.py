"""Provider "umami": matrix elements from libraries with the UMAMI interface."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError, MadnisError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.process.providers import MatrixElementRequest
from madnis_py.plugins.matrix_elements.adapter import ExternalElement, per_event
from madnis_py.plugins.matrix_elements.separate_process import require_survival
from madnis_py.plugins.matrix_elements.umami_calls import (
    WARM_UP_COUPLING,
    WARM_UP_POINTS,
    first_call,
    try_library,
    usual_inputs,
)
from madnis_py.plugins.matrix_elements.umami_interface import Input, Output
from madnis_py.plugins.matrix_elements.umami_library import UmamiLibrary, open_library

_SAME_SHARE = 1e-6
"""Difference of shares of |M_i|^2 below which two diagrams count as the same one."""

_SAME_MASS = 1e-4
"""Relative difference of masses below which they count as equal."""


@dataclass(frozen=True)
class UmamiSettings:
    """Library of a card, and how it is called.

    Attributes:
        library: the shared object.
        param_card: given to the library as it is.
        flavor: flavour index of this matrix element; None does not pass one.
        flavors: flavour indices of all matrix elements that the library is used for.
        precision: accepted relative error of |M|^2.
    """

    library: Path
    param_card: str = ""
    flavor: int | None = None
    flavors: tuple[int, ...] = ()
    precision: float = 1e-4


class UmamiElement(ExternalElement):
    """|M|^2 from a library, and its |M_i|^2 where they can be matched with our diagrams.

    The library numbers its diagrams as it likes. Those that have the share of one of ours at
    generic points are taken for it; if one is left over, |M_i|^2 are ours. Before any other
    call the library sees these points, since many libraries find out with their first batch which
    helicities contribute.

    Args:
        settings: which library.
        own: our matrix element of the same process.
        masses: of the legs in GeV, incoming first.
        n_incoming: 1 or 2.

    Attributes:
        library: the loaded library.
        columns: for every diagram of ours, that of the library; None where they are not used.

    Raises:
        InputError: the library cannot be loaded, is one of another process, or is less precise than
            declared.
        IntegrandError: it fails at the first points.
    """

    def __init__(
        self,
        settings: UmamiSettings,
        own: MatrixElement,
        masses: Sequence[float],
        n_incoming: int = 2,
    ) -> None:
        super().__init__(own, str(settings.library))
        self._settings, self._masses, self._n_incoming = settings, tuple(masses), n_incoming
        self.library: UmamiLibrary = open_library(settings.library, settings.param_card)
        self._require_legs()
        p = generic_momenta(masses, n_incoming, WARM_UP_POINTS)
        first_call(self.library, p, settings.flavors)
        self.require_precision(p, WARM_UP_COUPLING, settings.precision)
        self.alpha_s_power = self.probe_power(p)
        self.columns = self._find_columns(p) if self.library.gives(Output.DIAGRAM_AMP2) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._settings, self.own, self._masses, self._n_incoming)

    @property
    def identity(self) -> Hashable:
        """Content of the library and how it is used; see `MatrixElement.identity`."""
        settings = self._settings
        return "umami", self.library.digest, settings.param_card, settings.flavor, self.own.identity

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """See `MatrixElement.evaluate`.

        Raises:
            IntegrandError: the library returned an error, NaN or infinity.
        """
        if self.columns is None:
            return super().evaluate(p, alpha_s)
        me2, squares = self._both(p, per_event(alpha_s, p))
        return self.require_finite(p, me2), squares[:, self.columns]

    def external_squared(self, p: Array, alpha_s: Array) -> Array:
        """See `ExternalElement.external_squared`."""
        inputs = self._inputs(p, alpha_s)
        return self.library.evaluate(inputs, [Output.MATRIX_ELEMENT])[Output.MATRIX_ELEMENT]

    def _both(self, p: Array, alpha_s: Array) -> tuple[Array, Array]:
        inputs = self._inputs(p, alpha_s)
        results = self.library.evaluate(inputs, [Output.MATRIX_ELEMENT, Output.DIAGRAM_AMP2])
        return results[Output.MATRIX_ELEMENT], results[Output.DIAGRAM_AMP2]

    def _inputs(self, p: Array, alpha_s: Array) -> dict[Input, Any]:
        return usual_inputs(self.library, p, alpha_s, self._settings.flavor)

    def _require_legs(self) -> None:
        legs, got = len(self._masses), self.library.n_particles
        if got != legs:
            raise InputError(
                f"{self.name}: expected the matrix element of {legs} particles; got one of {got}"
            )
        theirs = self.library.masses
        if theirs is not None and not np.allclose(theirs, self._masses, rtol=_SAME_MASS, atol=0):
            ours = ", ".join(f"{mass:g}" for mass in self._masses)
            shown = ", ".join(f"{mass:g}" for mass in theirs)
            expected = f"expected particles with the masses {ours} GeV of the card"
            raise InputError(f"{self.name}: {expected}; got {shown}")

    def _find_columns(self, p: Array) -> list[int] | None:
        """The columns of the library that are our diagrams."""
        try:
            theirs = self._both(p, per_event(WARM_UP_COUPLING, p))[1]
        except MadnisError:  # libraries of version 1.0 do not say in advance that they have none
            return None
        return same_columns(self.own.evaluate(p, WARM_UP_COUPLING)[1], theirs)


def same_columns(ours: Array, theirs: Array) -> list[int] | None:
    """The column of theirs for every column of ours: one with the same share of its row.

    Args:
        ours: float64 (n, n_diagrams).
        theirs: of any normalisation per row, float64 (n, m).

    Returns:
        one column of theirs for each of ours; None if one of ours has no counterpart.
    """
    if theirs.shape != ours.shape or not (theirs.sum(axis=1) > 0).all():
        return None
    ours, theirs = (one / one.sum(axis=1, keepdims=True) for one in (ours, theirs))
    free = list(range(ours.shape[1]))
    columns = []
    for place, share in enumerate(ours.T):
        fitting = [
            column for column in free if np.abs(theirs[:, column] - share).max() <= _SAME_SHARE
        ]
        if not fitting:
            return None
        columns.append(place if place in fitting else fitting[0])
        free.remove(columns[-1])
    return columns


def matrix_element(request: MatrixElementRequest) -> UmamiElement:
    """The provider "umami": `{ provider = "umami", library = "lib.so" }`.

    Further keys: `flavor` (flavour index, passed only if it is given) and `param_card`.

    Raises:
        CardError: the card does not say which library, or has a key that is unknown here.
        InputError: see `UmamiElement`.
    """
    request.allow("library", "flavor", "param_card")
    library, table = request.value("library"), request.table
    flavors = table.flavor if isinstance(table.flavor, tuple) else (table.flavor,)
    settings = UmamiSettings(
        library=Path(library),
        param_card=table.param_card or "",
        flavor=None if table.flavor is None else request.value("flavor"),
        flavors=tuple(flavor for flavor in flavors if flavor is not None),
        precision=table.precision,
    )
    n_incoming = len(request.reaction.incoming)
    arguments = (
        str(settings.library),
        settings.param_card,
        settings.flavors,
        request.masses,
        n_incoming,
    )
    require_survival(settings.library, try_library, *arguments)
    return UmamiElement(settings, request.own(), request.masses, n_incoming)
