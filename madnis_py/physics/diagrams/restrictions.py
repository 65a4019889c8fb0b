"""Restrictions of a definition on the propagators of its diagrams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Restrictions:
    """What the diagrams of a step of a definition must have, or must not have, inside.

    A propagator is in the s-channel if both or none of the incoming particles are on its side; its
    particle is the one that goes on towards the outgoing particles.

    Attributes:
        excluded: PDG codes, without sign, of particles that do not propagate, "/ z".
        required: alternatives, each with PDG codes that are all in the s-channel of a diagram, "> z
            >".
        forbidden: PDG codes that are not in the s-channel, "$$ z".
        off_shell: PDG codes that are not on their mass shell in the s-channel, "$ z".
    """

    excluded: tuple[int, ...] = ()
    required: tuple[tuple[int, ...], ...] = ()
    forbidden: tuple[int, ...] = ()
    off_shell: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.excluded or self.required or self.forbidden or self.off_shell)

    @property
    def leave_out(self) -> bool:
        """Whether diagrams are left out: lines off their mass shell leave none out."""
        return bool(self.excluded or self.required or self.forbidden)

    def joined(self, other: Restrictions) -> Restrictions:
        """Both, of which `other` requires nothing."""
        return Restrictions(
            _once(self.excluded + other.excluded),
            self.required,
            _once(self.forbidden + other.forbidden),
            _once(self.off_shell + other.off_shell),
        )

    def renamed(self, names: Mapping[int, int]) -> Restrictions:
        """The same on other particles.

        Args:
            names: PDG code -> PDG code for those that change, signs included.
        """

        def renamed(codes: Iterable[int]) -> tuple[int, ...]:
            return tuple(sorted({names.get(code, code) for code in codes}))

        return Restrictions(
            tuple(sorted({abs(names.get(code, code)) for code in self.excluded})),
            tuple(sorted(map(renamed, self.required))),
            renamed(self.forbidden),
            renamed(self.off_shell),
        )


UNRESTRICTED = Restrictions()


def _once(codes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(codes))
