"""Kinematics near a singular limit: whether events that pass the cuts come near it."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from itertools import product

from madnis_py.physics.divergences.singular_limits import SingularLimit
from madnis_py.physics.observables.cuts import AnyCut, Cut, Isolation, Ranked
from madnis_py.physics.observables.mass_limits import MassLimits


class LimitKinematics:
    """The observables of events near a limit.

    An observable that tends to one number in the limit keeps it apart from events if the cut on it
    leaves that number out. All others can have any value there.

    Args:
        limit: what becomes of some of the final particles.
        masses: of the legs in GeV, two incoming ones first.
        energy: of the collision in GeV, at most.
        fixed: whether it is always that much.
    """

    def __init__(
        self, limit: SingularLimit, masses: Sequence[float], energy: float, fixed: bool
    ) -> None:
        self._limit, self._masses = limit, masses
        self._most, self._least = energy, energy if fixed else 0.0
        self._final = frozenset(range(2, len(masses)))
        legs = frozenset(limit.legs)
        self._rest = self._final - legs
        self._soft = legs if limit.kind == "soft" else frozenset()
        self._parallel = legs if limit.kind in ("beam", "collinear") else frozenset()
        self._axial = legs if limit.kind == "beam" else frozenset()
        if self._soft | self._axial and len(self._rest) == 1:
            self._axial |= self._rest
        self._still = self._final if limit.kind == "energy" else self._soft | self._axial

    def is_reached(self, cuts: Sequence[AnyCut]) -> bool:
        """Whether events that pass these cuts come arbitrarily near to the limit."""
        pt = MassLimits(self._masses, [cut for cut in cuts if isinstance(cut, Cut)], self._most).pt
        return (
            self._exists()
            and not any(pt[leg] > 0 for leg in self._still)
            and self._has_energy(cuts)
            and all(self._passes(cut) for cut in cuts)
        )

    def _exists(self) -> bool:
        """Whether there are such momenta at all."""
        if self._limit.kind == "energy":
            return self._least == 0
        if self._limit.kind == "soft" and len(self._rest) == 1:
            return self._least == 0 and all(self._masses[leg] > 0 for leg in self._rest)
        return len(self._rest) > 0

    def _has_energy(self, cuts: Sequence[AnyCut]) -> bool:
        """Whether the mass of the particles that are not soft can be what beams and cuts ask for.

        It is all of the energy.
        """
        ranges = [
            (cut.minimum, cut.maximum)
            for cut in cuts
            if isinstance(cut, Cut)
            and cut.observable == "mass"
            and self._final - set(cut.particles) <= self._soft
        ]
        least = max([self._least, *(low for low, _ in ranges)])
        most = min([self._most, *(high for _, high in ranges)])
        return least <= most * (1 + 1e-12)

    def _passes(self, cut: AnyCut) -> bool:
        """Whether events near the limit may pass a cut.

        One on particles by rank passes if it does for an order that is possible there.
        """
        if isinstance(cut, Isolation):
            return not (cut.separates and self._is_parallel_pair(cut.particle, cut.others))
        if isinstance(cut, Cut):
            value = self._tendency(cut.observable, frozenset(cut.particles))
            return value is None or cut.minimum <= value <= cut.maximum
        two_names = len({one.particles for one in cut.particles}) > 1
        return any(
            self._passes(Cut(cut.observable, chosen, cut.minimum, cut.maximum))
            if len(set(chosen)) == len(chosen)
            else two_names  # one particle by two names passes
            for chosen in product(*map(self._candidates, cut.particles))
        )

    def _candidates(self, ranked: Ranked) -> list[int]:
        """The particles that may have a rank.

        Those without transverse momentum come last, one that recoils alone first.
        """
        alone = self._rest if len(self._rest) == 1 and not self._still else frozenset()
        place = ranked.rank
        for harder in (alone, self._final - alone - self._still, self._still):
            members = [leg for leg in ranked.particles if leg in harder]
            if place <= len(members):
                return members
            place -= len(members)
        raise ValueError(f"rank: expected 1 to {len(ranked.particles)}; got {ranked.rank}")

    def _tendency(self, observable: str, legs: frozenset[int]) -> float | None:
        """The number that an observable tends to, None if it depends on the rest of the event."""
        match observable:
            case "pt" | "pt_sum":
                return 0.0 if legs <= self._still or self._final - legs <= self._still else None
            case "ht":
                return 0.0 if legs <= self._still else None
            case "energy":
                return 0.0 if legs <= self._soft else None
            case "partonic_energy":
                return 0.0 if legs <= self._soft or self._limit.kind == "energy" else None
            case "eta":
                return math.inf if legs <= self._axial else None
            case "rapidity":
                return math.inf if legs <= self._axial and self._is_massless(legs) else None
            case "mass":
                return self._mass(legs)
            case "dr" | "dy":
                massless = {leg for leg in legs & self._axial if self._masses[leg] == 0}
                return self._separation(legs, massless)
            case "deta":
                return self._separation(legs, legs & self._axial)
            case "dphi":
                return 0.0 if self._is_collinear(legs) else None
        return None

    def _is_massless(self, legs: frozenset[int]) -> bool:
        return all(self._masses[leg] == 0 for leg in legs)

    def _is_collinear(self, legs: frozenset[int]) -> bool:
        return self._limit.kind == "collinear" and legs <= self._parallel

    def _is_parallel_pair(self, one: int, others: Sequence[int]) -> bool:
        """Whether a particle becomes parallel to another one, and none of them soft."""
        return any(self._is_collinear(frozenset((one, other))) for other in others)

    def _mass(self, legs: frozenset[int]) -> float | None:
        hard = legs - self._soft
        if self._limit.kind == "energy" or hard <= self._parallel:
            return 0.0
        return sum(self._masses[leg] for leg in hard) if len(hard) < 2 else None

    def _separation(self, legs: frozenset[int], along: Set[int]) -> float | None:
        """Distance of a pair of which some are infinitely far forward.

        Soft particles have any direction, and several along one beam any distance.
        """
        if self._is_collinear(legs):
            return 0.0
        return math.inf if along and not legs & self._soft and not legs <= self._parallel else None
