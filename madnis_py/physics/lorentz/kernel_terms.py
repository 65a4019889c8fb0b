"""Terms of a vertex: structures of UFO as kernels with their couplings, exactly, or as they are.

UFO takes all particles of a vertex and their momenta as outgoing: its vertex of (t~, b, W+) is that
of the incoming t, b~, W-. Here all are incoming: particles are replaced by their antiparticles,
momenta change sign. Fermions come first, in pairs of a row and a column of spinors, (psi-bar, psi),
then vectors, spin 2 and scalars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from madnis_py.physics.lorentz.gaussian import ONE, ZERO, Gaussian
from madnis_py.physics.lorentz.structures import (
    Product,
    Structure,
    read_structure,
    renumbered,
    spin_lines,
    text_of,
)
from madnis_py.physics.lorentz.tensors import (
    Entry,
    Tensor,
    added,
    expanded,
    vanishes,
    without_momentum,
)

KERNELS: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "FFV": ((2, 2, 3), ("Gamma(3,1,-1)*ProjM(-1,2)", "Gamma(3,1,-1)*ProjP(-1,2)")),
        "FFS": ((2, 2, 1), ("ProjM(1,2)", "ProjP(1,2)")),
        "VVV": (
            (3, 3, 3),
            (
                "Metric(1,2)*(P(3,1)-P(3,2)) + Metric(2,3)*(P(1,2)-P(1,3))"
                " + Metric(1,3)*(P(2,3)-P(2,1))",
            ),
        ),
        "VVVV1": ((3, 3, 3, 3), ("Metric(1,3)*Metric(2,4) - Metric(1,4)*Metric(2,3)",)),
        "VVVV2": ((3, 3, 3, 3), ("Metric(1,2)*Metric(3,4) - Metric(1,4)*Metric(2,3)",)),
        "VVVV3": ((3, 3, 3, 3), ("Metric(1,2)*Metric(3,4) - Metric(1,3)*Metric(2,4)",)),
        "VVVV4": (
            (3, 3, 3, 3),
            ("2*Metric(1,2)*Metric(3,4) - Metric(1,3)*Metric(2,4) - Metric(1,4)*Metric(2,3)",),
        ),
        "VVVV": (
            (3, 3, 3, 3),
            (
                "Metric(1,2)*Metric(3,4)",
                "Metric(1,3)*Metric(2,4)",
                "Metric(1,4)*Metric(2,3)",
            ),
        ),
        "VVS": ((3, 3, 1), ("Metric(1,2)",)),
        "VVSS": ((3, 3, 1, 1), ("Metric(1,2)",)),
        "VSS": ((3, 1, 1), ("P(1,2) - P(1,3)",)),
        "SSS": ((1, 1, 1), ("1",)),
        "SSSS": ((1, 1, 1, 1), ("1",)),
    }
)
"""Kernel -> 2 s + 1 of its legs and the structures that its couplings multiply."""

_ORDER = {2: 0, 4: 0, 3: 1, 5: 2, 1: 3}
"""Place of the legs of a spin 2 s + 1 in a vertex."""


def legs_in_order(spins: Sequence[int], structures: Sequence[str]) -> tuple[int, ...]:
    """The order that the legs of a vertex of UFO have here.

    Args:
        spins: 2 s + 1 of its legs.
        structures: all of its structures, of all colours.

    Returns:
        Positions of the legs in the list of UFO, from 0 on: rows and columns of spinors in turns,
        then vectors, spin 2, scalars.

    Raises:
        ValueError: a structure cannot be read, or a fermion is a row in one structure and a column
            in another; a sentence.
    """
    fermions = [leg for leg, spin in enumerate(spins, 1) if spin % 2 == 0]
    lines: list[tuple[int, int]] = []
    for text in structures:
        for product in read_structure(text, spins):
            found = sorted(spin_lines(product))
            if sorted(leg for line in found for leg in line) != fermions:
                raise ValueError(f"expected every fermion on a line of spinors; got {text[:120]}")
            lines = lines or found
            if {row for row, _ in found} != {row for row, _ in lines}:
                raise ValueError(
                    "expected structures that agree which fermions are rows and which are "
                    f"columns of spinors; got {', '.join(structures)[:200]}"
                )
    paired = [leg - 1 for line in lines for leg in line]
    others = [leg for leg, spin in enumerate(spins) if spin % 2]
    return (*paired, *sorted(others, key=lambda leg: _ORDER[spins[leg]]))


def lorentz_terms(
    spins: Sequence[int], structures: Sequence[tuple[str, str]], order: Sequence[int]
) -> list[tuple[str, tuple[str, ...]]]:
    """The terms of one colour of a vertex.

    Args:
        spins: 2 s + 1 of the legs, as UFO lists them.
        structures: (structure, coupling) of UFO, to be added; couplings are expressions.
        order: of the legs here, from `legs_in_order` of all structures of the vertex.

    Returns:
        (name of a kernel, its couplings) or (structure, (coupling,)) with the legs in the order
        given, all incoming; to be added. Couplings are the given ones with rational factors.

    Raises:
        ValueError: a structure cannot be read; a sentence.
    """
    ordered = [spins[leg] for leg in order]
    sums = _sums(spins, structures, order)
    kernels: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    general = []
    for coupling, structure in sums.items():
        found = _kernel_of(structure, ordered)
        if found is None and vanishes(structure, ordered):
            continue
        if found is None:
            general.append((text_of(structure), (coupling,)))
            continue
        name, numbers_of_kernel = found
        for place, number in enumerate(numbers_of_kernel):
            if number:
                kernels[name][place].append(_scaled_text(number, coupling))
    terms = [
        (
            name,
            tuple(
                " + ".join(by_place.get(place, ())) or "0" for place in range(len(KERNELS[name][1]))
            ),
        )
        for name, by_place in kernels.items()
    ]
    return terms + general


def _kernel_of(
    structure: Structure, spins: Sequence[int]
) -> tuple[str, tuple[Gaussian, ...]] | None:
    """As `recognised`; only what has as many momenta as some kernel is expanded."""
    if {_n_momenta(one) for one in structure} - _momenta_of_kernels(tuple(spins)):
        return None
    return recognised(without_momentum(expanded(structure, spins), len(spins), len(spins)), spins)


@cache
def _momenta_of_kernels(spins: tuple[int, ...]) -> set[int]:
    """How many momenta there are in products of kernels with legs of some spins."""
    texts = [text for own, own_texts in KERNELS.values() if own == spins for text in own_texts]
    return {_n_momenta(one) for text in texts for one in read_structure(text, spins)}


def _n_momenta(one: Product) -> int:
    return sum(factor.name == "P" for factor in one.factors)


def structure_terms(
    spins: Sequence[int], structures: Sequence[tuple[str, str]], order: Sequence[int]
) -> list[tuple[str, tuple[str, ...]]]:
    """As `lorentz_terms`, but all of them as structures, for what kernels do not compute."""
    sums = _sums(spins, structures, order)
    ordered = [spins[leg] for leg in order]
    return [
        (text_of(structure), (coupling,))
        for coupling, structure in sums.items()
        if not vanishes(structure, ordered)
    ]


def _sums(
    spins: Sequence[int], structures: Sequence[tuple[str, str]], order: Sequence[int]
) -> dict[str, Structure]:
    """The structures of each coupling over our legs, all incoming."""
    numbers = {old + 1: new for new, old in enumerate(order, 1)}
    sums: dict[str, Structure] = {}
    for text, coupling in structures:
        structure = renumbered(read_structure(text, spins), numbers, -1)
        sums[coupling] = sums.get(coupling, ()) + structure
    return sums


def recognised(tensor: Tensor, spins: Sequence[int]) -> tuple[str, tuple[Gaussian, ...]] | None:
    """The kernel that a tensor is, with its couplings.

    Args:
        tensor: without the momentum of the last leg.
        spins: 2 s + 1 of the legs.

    Returns:
        Name and a factor for each coupling, zeros where the tensor vanishes; None if it is no
        kernel.
    """
    for name, (own, _) in KERNELS.items():
        if own == tuple(spins):
            factors = _factors(tensor, name)
            if factors is not None:
                return name, factors
    return None


@cache
def kernel_tensors(name: str) -> tuple[Tensor, ...]:
    """The tensors that the couplings of a kernel multiply, without the momentum of the last leg."""
    spins, texts = KERNELS[name]
    return tuple(
        without_momentum(expanded(read_structure(text, spins), spins), len(spins), len(spins))
        for text in texts
    )


@cache
def structure_tensors(lorentz: str, spins: tuple[int, ...]) -> tuple[Tensor, ...]:
    """The tensors that the couplings of a kernel or a structure multiply.

    Args:
        lorentz: name of a kernel, or a structure.
        spins: 2 s + 1 of the legs.

    Returns:
        One per coupling, without the momentum of the last leg.
    """
    if lorentz in KERNELS:
        return kernel_tensors(lorentz)
    tensor = expanded(read_structure(lorentz, spins), spins)
    return (without_momentum(tensor, len(spins), len(spins)),)


def _factors(tensor: Tensor, name: str) -> tuple[Gaussian, ...] | None:
    """The linear combination of the tensors of a kernel that a tensor is."""
    basis = _reduced_basis(name)
    factors = [ZERO] * len(basis)
    for other, pivot, parts in basis:
        factor = tensor.get(pivot, ZERO) / other[pivot]
        if factor:
            tensor = added([(ONE, tensor), (-factor, other)])
            factors = [a + factor * b for a, b in zip(factors, parts, strict=True)]
    return None if tensor else tuple(factors)


@cache
def _reduced_basis(name: str) -> tuple[tuple[Tensor, Entry, tuple[Gaussian, ...]], ...]:
    """The tensors of a kernel in echelon form, with their pivots, and by the given ones."""
    basis = kernel_tensors(name)
    reduced: list[tuple[Tensor, Entry, tuple[Gaussian, ...]]] = []
    for place, one in enumerate(basis):
        combination = tuple(ONE if k == place else ZERO for k in range(len(basis)))
        for other, pivot, parts in reduced:
            factor = one.get(pivot, ZERO) / other[pivot]
            one = added([(ONE, one), (-factor, other)])
            combination = tuple(a - factor * b for a, b in zip(combination, parts, strict=True))
        reduced.append((one, min(one), combination))
    return tuple(reduced)


def _scaled_text(number: Gaussian, coupling: str) -> str:
    if number == ONE:
        return f"({coupling})"
    return f"{number}*({coupling})" if number != -ONE else f"-({coupling})"
