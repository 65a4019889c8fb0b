"""Matrix elements of groups of flavours: formulas, tapes, those of providers and mirrored ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.drell_yan import closed_form
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.mirrored import Mirrored, mirror, mirrored_columns
from madnis_py.physics.process.off_shell import OffShell
from madnis_py.physics.process.providers import MatrixElementRequest, provided
from madnis_py.physics.process.spins import is_polarised


@dataclass(frozen=True)
class MirrorImage:
    """An earlier group whose reaction is that of another one with its incoming particles exchanged.

    Attributes:
        group: the earlier group.
        columns: for every diagram of the other one, its position among those of the earlier group.
    """

    group: FlavourGroup
    columns: tuple[int, ...]


class GroupElements:
    """The matrix elements of a process, each made when it is first asked for.

    A group takes that of its mirror image at exchanged momenta, if it has one. Else the provider
    that the card names makes it; without one it is a closed formula where there is one, which is
    not worth sharing, else a tape.

    Args:
        groups: the groups of flavours of the process.
        diagrams: group -> its Feynman diagrams.
        tape: group -> its tape.
        card: names the provider.
        model: masses, widths and couplings.
    """

    def __init__(
        self,
        groups: Sequence[FlavourGroup],
        diagrams: Callable[[FlavourGroup], tuple[Diagram, ...]],
        tape: Callable[[FlavourGroup], TreeAmplitude],
        card: Card,
        model: Model,
    ) -> None:
        self._groups, self._diagrams, self._tape = tuple(groups), diagrams, tape
        self._card, self._model = card, model
        self._elements: dict[FlavourGroup, MatrixElement] = {}
        self._images: dict[FlavourGroup, MirrorImage | None] = {}

    def __getitem__(self, group: FlavourGroup) -> MatrixElement:
        if group not in self._elements:
            self._elements[group] = self._made(group)
        return self._elements[group]

    @property
    def unmirrored(self) -> tuple[FlavourGroup, ...]:
        """The groups without a mirror image."""
        return tuple(group for group in self._groups if self._image(group) is None)

    def _image(self, group: FlavourGroup) -> MirrorImage | None:
        """The mirror image of a group among the earlier ones, if that has the same diagrams."""
        if group not in self._images:
            image, mirrored = None, mirror(group.reaction)
            before = self._groups[: self._groups.index(group)]
            if any(self._card.beams.polarization or ()):
                before = ()  # each beam has its own
            if earlier := next((one for one in before if one.reaction == mirrored), None):
                columns = mirrored_columns(self._diagrams(group), self._diagrams(earlier))
                image = None if columns is None else MirrorImage(earlier, tuple(columns))
            self._images[group] = image
        return self._images[group]

    def _made(self, group: FlavourGroup) -> MatrixElement:
        image, provider = self._image(group), self._card.process.matrix_element
        if image:
            formula = self._formula(image.group) if provider is None else None
            if formula is None:
                return Mirrored(self[image.group], image.columns)
        element, diagrams = self._unrestricted(group), self._diagrams(group)
        if any(diagram.off_shell for diagram in diagrams):
            widths = self._card.process.widths_of_resonance
            return OffShell(element, diagrams, self._model, widths)
        return element

    def _unrestricted(self, group: FlavourGroup) -> MatrixElement:
        """The matrix element of a group without a mirror image, on or off mass shells."""
        provider = self._card.process.matrix_element

        def own() -> MatrixElement:
            return self._formula(group) or self._tape(group)

        if provider is None:
            return own()
        asked = self.unmirrored
        names = tuple(
            self._model.reaction_name(one.reaction.legs, len(one.reaction.incoming))
            for one in asked
        )
        index = asked.index(group)
        return provided(
            MatrixElementRequest(
                group.reaction, group.flavours, self._card, self._model, index, names, own
            )
        )

    def _formula(self, group: FlavourGroup) -> MatrixElement | None:
        """The closed formula of a group; None if it has none.

        It sums over all helicities and coupling orders.
        """
        if is_polarised(group.reaction, self._card) or self._card.events.order_weights:
            return None
        return closed_form(group.reaction, self._model)
