"""Providers of matrix elements, registered by name: libraries, functions, other packages.

A provider is a callable that takes a `MatrixElementRequest` and returns a `MatrixElement`. It
registers by an entry point of the group "madnis_py.matrix_elements", so that another package adds
one by being installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from madnis_py.card.card import Card
from madnis_py.card.process_tables import MatrixElementTable
from madnis_py.card.sentences import closest, shown
from madnis_py.errors import CardError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model

GROUP = "madnis_py.matrix_elements"
"""Group of the entry points, each the name of a provider -> "module:callable"."""

SHIPPED = {
    "umami": "madnis_py.plugins.matrix_elements.umami:matrix_element",
    "standalone": "madnis_py.plugins.matrix_elements.standalone:matrix_element",
    "python": "madnis_py.plugins.matrix_elements.callable:matrix_element",
}
"""The providers of this package, which a checkout has without being installed."""


@dataclass(frozen=True)
class MatrixElementRequest:
    """One matrix element that a card asks a provider for.

    Attributes:
        reaction: particles, coupling orders, decays.
        flavours: PDG codes of the external legs, incoming first, of all that share it.
        card: the whole card.
        model: particles and the values of the parameters.
        index: position among the matrix elements of the card.
        names: names of all matrix elements of the card, for messages.
        own: makes the matrix element of this package, for what the provider does not give: colour
            flows, helicities, diagrams.
    """

    reaction: Reaction
    flavours: tuple[tuple[int, ...], ...]
    card: Card
    model: Model
    index: int
    names: tuple[str, ...]
    own: Callable[[], MatrixElement]

    @property
    def table(self) -> MatrixElementTable:
        """The table process.matrix_element of the card."""
        table = self.card.process.matrix_element
        assert table is not None
        return table

    @property
    def masses(self) -> tuple[float, ...]:
        """Masses of the legs in GeV."""
        return tuple(self.model.mass(pdg) for pdg in self.reaction.legs)

    def value(self, key: str) -> Any:
        """The value of a key of the table: the only one, or that of this matrix element in a list.

        Raises:
            CardError: the key is missing, or the list has another length than there are matrix
                elements.
        """
        value = getattr(self.table, key)
        if value is None:
            raise self.error(
                key, f'expected a value for provider "{self.table.provider}"; got none'
            )
        values = value if isinstance(value, tuple) else (value,) * len(self.names)
        if len(values) != len(self.names):
            raise self.error(
                key, f"expected one for each of {', '.join(self.names)}; got {len(values)}"
            )
        return values[self.index]

    def allow(self, *keys: str) -> None:
        """Refuse keys of the card that the provider has no use for.

        Raises:
            CardError: there is another one.
        """
        given = self.table.model_dump(exclude_unset=True, exclude_none=True).keys()
        for key in sorted(given - {"provider", "precision", "digest", *keys}):
            raise self.error(
                key, f'unknown key of provider "{self.table.provider}"{closest(key, keys)}'
            )

    def error(self, key: str, sentence: str) -> CardError:
        """An error at a key of process.matrix_element."""
        return self.card.error(f"process.matrix_element.{key}", sentence)


Provider = Callable[[MatrixElementRequest], MatrixElement]


def registered() -> dict[str, EntryPoint]:
    """Name -> entry point of every provider; those of this package win."""
    ours = {name: EntryPoint(name, value, GROUP) for name, value in SHIPPED.items()}
    return {**{point.name: point for point in entry_points(group=GROUP)}, **ours}


def provided(request: MatrixElementRequest) -> MatrixElement:
    """The matrix element of the provider that a card names.

    Raises:
        CardError: no provider is registered under the name, it cannot be imported, or it refuses
            the request.
    """
    name, found = request.table.provider, registered()
    if name not in found:
        raise request.error(
            "provider", f"expected a registered provider; got {shown(name)}{closest(name, found)}"
        )
    try:
        provider: Provider = found[name].load()
    except (ImportError, AttributeError) as error:
        raise request.error("provider", f'"{name}" cannot be imported: {error}') from error
    return provider(request)


def resolved_card(card: Card, model: Model) -> Card:
    """The card with every parameter of its model and every default written out.

    It stands for itself.

    Raises:
        CardError: the card has the digest of other files than those of its matrix elements.
    """
    values = {**model.values, "param_card": None, "filled_in": model.filled_in or None}
    resolved = with_digest_of_files(card)
    widths = {"resonance_widths": resolved.resonance_widths}
    tables: dict[str, Any] = {"parameters": values, "events": widths}
    if model.tables.digest:
        tables["process"] = {"model_digest": model.tables.digest}
    return resolved.updated(tables)


def with_digest_of_files(card: Card) -> Card:
    """The card with the SHA-256 of the files that its matrix elements come from.

    Other files thus make another card.

    Raises:
        CardError: the card has the digest of other files.
    """
    table = card.process.matrix_element
    if table is None or not table.files or not all(path.is_file() for path in table.files):
        return card  # the provider says which file is missing
    digest = hashlib.sha256(
        b"".join(hashlib.sha256(path.read_bytes()).digest() for path in table.files)
    ).hexdigest()
    if table.digest not in (None, digest):
        names = ", ".join(str(path) for path in table.files)
        expected = f"expected the files that the card was made with; got other contents of {names}"
        raise card.error("process.matrix_element.digest", expected)
    content = {**table.model_dump(mode="json", exclude_none=True), "digest": digest}
    return card.updated({"process": {"matrix_element": content}})
