"""Translation of a UFO model into tables.

UFO takes all particles and momenta of a vertex as outgoing, and the factor i of a Feynman rule into
its couplings; our tables take all as incoming, and i times a vertex is its rule. The gauge is
unitary: Goldstone bosons and ghosts are left out with their vertices.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from madnis_py.physics.lorentz.charge_conjugation import without_conjugation
from madnis_py.physics.lorentz.form_factors import (
    NO_FORM_FACTOR,
    FormFactor,
    parted,
    read_form_factor,
)
from madnis_py.physics.lorentz.identity_rows import with_equal_rows
from madnis_py.physics.lorentz.kernel_terms import legs_in_order, lorentz_terms, structure_terms
from madnis_py.physics.lorentz.propagator_terms import LineParameters, propagator_terms
from madnis_py.physics.model.expressions import FUNCTIONS, ExpressionError, functions_in, names_in
from madnis_py.physics.model.particles import (
    CouplingOrder,
    CustomPropagator,
    Derived,
    ModelTables,
    Parameter,
    Particle,
    Vertex,
    VertexTerm,
)
from madnis_py.physics.ufo.colour_text import renumbered_colour
from madnis_py.physics.ufo.computed_vertices import lacking
from madnis_py.physics.ufo.madgraph_names import names_of
from madnis_py.physics.ufo.parameter_values import ParameterValues
from madnis_py.physics.ufo.restriction import Restriction
from madnis_py.physics.ufo.statements import UfoError
from madnis_py.physics.ufo.ufo_rows import UfoLorentz, UfoParticle, UfoRows, UfoVertex

_VANISHING = 1e-13
"""Size of a coupling that is zero but for rounding, as in MadGraph."""

_Parts = Mapping[str, tuple[tuple[str, FormFactor], ...]]
"""Key of a Lorentz structure -> its parts, structures times form factors."""

_GROUPS: Mapping[int, str] = {
    **dict.fromkeys((1, 2, 3, 4, 21), "jet"),
    5: "bottom",
    **dict.fromkeys((11, 13, 15), "lepton"),
    **dict.fromkeys((12, 14, 16), "missing"),
    22: "photon",
}
"""PDG code -> the class that cuts call a particle by."""

_HEAVIEST_KNOWN = 37
"""Largest PDG code of quarks, leptons, gauge and Higgs bosons."""


def tables_of(rows: UfoRows, restriction: Restriction, digest: str) -> ModelTables:
    """The tables of a model.

    Args:
        rows: content of its files.
        restriction: of its parameters.
        digest: of its files.

    Raises:
        UfoError: an expression or a reference cannot be read; names file and line.
    """
    values = ParameterValues(rows, restriction.defaults, restriction.expressions)
    translation = _Translation(rows, restriction, values)
    particles = tuple(translation.particles())
    orders, columns = translation.orders()
    vertices = tuple(translation.vertices(columns))
    used = [text for vertex in vertices for text in vertex.expressions]
    used += [text for row in particles if row.propagator for text in row.propagator.expressions]
    masses = [name for row in particles for name in (row.mass, row.width) if name]
    return ModelTables(
        tuple(translation.parameters()),
        particles,
        vertices,
        tuple(translation.derived([*used, *masses])),
        orders,
        dict(values.functions),
        restriction.entries,
        values.strong,
        digest,
    )


class _Translation:
    """One model on its way into tables.

    Args:
        rows: content of its files.
        restriction: of its parameters.
        values: of its parameters and couplings.
    """

    def __init__(self, rows: UfoRows, restriction: Restriction, values: ParameterValues) -> None:
        self._rows, self._restriction, self._values = rows, restriction, values
        self._lacking: dict[int, str] = {}
        self._names = names_of([row for row in self._physical() if row.pdg > 0])

    def _physical(self) -> Iterator[UfoParticle]:
        """Particles, those whose code is negative turned round; each once."""
        seen: dict[int, UfoParticle] = {}
        for row in filter(lambda one: one.is_physical, self._rows.particles.values()):
            turned = row if row.pdg > 0 else row.anti()
            if row.pdg == 0:
                raise UfoError(f"{row.place}: expected a PDG code other than 0")
            first = seen.setdefault(turned.pdg, turned)
            if first is turned:
                yield turned
            elif {first.name, first.antiname} != {turned.name, turned.antiname}:
                raise UfoError(
                    f"{row.place}: expected one particle of PDG code {turned.pdg}; got "
                    f"{turned.name} beside {first.name}"
                )

    def parameters(self) -> Iterator[Parameter]:
        """External parameters that the restriction leaves."""
        for one in self._rows.parameters.values():
            if one.name in self._values.external:
                default = self._values.external[one.name]
                yield Parameter(one.name, one.block, one.code, default, f"{one.block} {one.name}")

    def particles(self) -> Iterator[Particle]:
        """Rows of particles."""
        for row in self._physical():
            name, antiname = self._names[row.pdg]
            mass, width = (
                self._mass_or_width(row, self._parameter(key, row)) for key in (row.mass, row.width)
            )
            yield Particle(
                name,
                antiname,
                row.pdg,
                row.spin,
                row.colour,
                row.charge,
                mass=mass,
                width=width,
                group=_group(row, stable=not width or not self._values.at_defaults[width]),
                propagator=self._propagator(row, mass, width),
            )

    def _propagator(self, row: UfoParticle, mass: str, width: str) -> CustomPropagator | None:
        """The propagator that a particle has of its own.

        What is not computed is kept in `_lacking`, for the vertices of the particle.
        """
        if not row.propagates:
            self._lacking[row.pdg] = "lines without a pole, of a particle that does not propagate"
        if not row.propagator:
            return None
        given = self._rows.propagators.get(row.propagator)
        if given is None:
            raise UfoError(f'{row.place}: expected a propagator; got "{row.propagator}"')
        try:
            if not given.numerator:
                raise ValueError('expected a propagator "S" that tells where the factor i is')
            known = LineParameters(
                mass,
                width,
                {*self._values.external, *self._values.expressions},
                {*FUNCTIONS, *self._values.functions},
            )
            found = CustomPropagator(
                *propagator_terms(given.numerator, given.denominator, row.spin, known)
            )
            self._check_constant(found.expressions)
        except (ValueError, ExpressionError) as error:
            self._lacking[row.pdg] = f"the propagator of {given.place}: {error}"
            return None
        return found

    def _check_constant(self, texts: Iterable[str]) -> None:
        """Refuse expressions with other names than parameters, or with alpha_s, which runs."""
        names = {name for text in texts for name in names_in(text)}
        unknown = names - {"pi", *self._values.external, *self._values.expressions}
        if unknown:
            raise ValueError(f"expected names of parameters; got {min(unknown)}")
        functions = {name for text in texts for name in functions_in(text)}
        for name in functions - {*FUNCTIONS, *self._values.functions}:
            raise ValueError(f"expected known functions; got {name}")
        running = names & self._values.of_strong
        if running:
            raise ValueError(
                f"expected parameters that do not depend on alpha_s; got {min(running)}"
            )

    def _parameter(self, key: str, row: UfoParticle) -> str:
        """The name of a parameter by that of its object."""
        if key not in self._rows.parameters:
            raise UfoError(f'{row.place}: expected a parameter; got "{key}"')
        return self._rows.parameters[key].name

    def _mass_or_width(self, row: UfoParticle, name: str) -> str:
        """A parameter that may be other than zero, or ""."""
        if name in self._values.of_strong:
            raise UfoError(
                f"{row.place}: expected a mass and a width that do not depend on alpha_s; "
                f"got {name}, which runs"
            )
        is_fixed = name not in self._values.external
        zero = self._values.at_defaults[name] == 0
        expression = self._values.expressions.get(name, "")
        constant = is_fixed and zero and (self._restriction.drops_zeros or not names_in(expression))
        return "" if constant else name

    def orders(self) -> tuple[tuple[CouplingOrder, ...], dict[str, int]]:
        """Coupling orders, and their columns among the powers of a vertex."""
        powers = {
            name: power
            for name, power in ((one, self._values.power(one)) for one in self._used_couplings())
            if power is not None
        }
        by_name = {one.name: one for one in self._rows.couplings.values()}
        is_strong = all(by_name[one].orders.get("QCD", 0) == power for one, power in powers.items())
        given = {one.name: one for one in self._rows.orders.values()}
        names = list(
            dict.fromkeys([*given, *(key for one in by_name.values() for key in one.orders)])
        )
        columns: dict[str, int] = {}
        for name in names:
            others = [column for column in columns.values() if column]
            columns[name] = 0 if name == "QCD" and is_strong else len(others) + 1
        standard = {"QCD": 1, "QED": 2} if {*names} == {"QCD", "QED"} else {}
        return tuple(
            CouplingOrder(
                name,
                given[name].hierarchy if name in given else standard.get(name, 1),
                column,
                given[name].expansion if name in given else 99,
            )
            for name, column in columns.items()
        ), columns

    def _used_couplings(self) -> Iterator[str]:
        """Names of couplings of vertices of physical particles."""
        for vertex in self._physical_vertices():
            for keys in vertex.couplings.values():
                yield from (self._rows.couplings[key].name for key in keys)

    def _physical_vertices(self) -> Iterator[UfoVertex]:
        """Vertices of three particles or more, none of them a ghost or Goldstone boson."""
        for vertex in self._rows.vertices.values():
            self._check(vertex)
            particles = [self._rows.particles[key] for key in vertex.particles]
            if len(particles) > 2 and all(row.is_physical for row in particles):
                yield vertex

    def _check(self, vertex: UfoVertex) -> None:
        """Refuse names of objects that there are not."""
        groups = (
            ("particles", vertex.particles, self._rows.particles),
            ("lorentz", vertex.lorentz, self._rows.lorentz),
            (
                "couplings",
                [key for keys in vertex.couplings.values() for key in keys],
                self._rows.couplings,
            ),
        )
        for what, keys, known in groups:
            for key in keys:
                if key not in known:
                    raise UfoError(f'{vertex.place}: {what}: expected a known object; got "{key}"')
        for colour, lorentz in vertex.couplings:
            if not (0 <= colour < len(vertex.colour) and 0 <= lorentz < len(vertex.lorentz)):
                raise UfoError(f"{vertex.place}: couplings: ({colour}, {lorentz}) is out of range")

    def vertices(self, columns: Mapping[str, int]) -> Iterator[Vertex]:
        """Vertices, one for each combination of powers of couplings."""
        for vertex in self._physical_vertices():
            by_orders: dict[tuple[int, ...], dict[tuple[int, int], list[str]]] = defaultdict(
                lambda: defaultdict(list)
            )
            reason = ""
            for place, keys in vertex.couplings.items():
                for key in keys:
                    coupling = self._rows.couplings[key]
                    size = abs(self._values.at_defaults[coupling.name])
                    if self._restriction.drops_zeros and size < _VANISHING:
                        continue
                    power = self._values.power(coupling.name)
                    if power is None or power < 0:
                        reason = reason or f"a coupling that is no power of g_s, {coupling.name}"
                    orders = self._powers(coupling.orders, columns, power or 0)
                    by_orders[orders][place].append(coupling.name)
            for orders, couplings in by_orders.items():
                yield self._vertex(vertex, orders, couplings, reason)

    def _powers(
        self, orders: Mapping[str, int], columns: Mapping[str, int], power: int
    ) -> tuple[int, ...]:
        powers = [power, *(0 for _ in range(max(columns.values(), default=0)))]
        for name, value in orders.items():
            if columns[name]:
                powers[columns[name]] = value
        return tuple(powers)

    def _vertex(
        self,
        vertex: UfoVertex,
        orders: tuple[int, ...],
        couplings: Mapping[tuple[int, int], Sequence[str]],
        reason: str,
    ) -> Vertex:
        outgoing = [self._rows.particles[key] for key in vertex.particles]
        spins = tuple(row.spin for row in outgoing)
        try:
            for _, place in couplings:
                _check_conjugated(self._rows.lorentz[vertex.lorentz[place]], outgoing)
            parts = self._parts_of([vertex.lorentz[place] for _, place in couplings], spins)
            texts = [text for own in parts.values() for text, _ in own]
            order = _legs_in_order(spins, tuple(texts))
            terms = tuple(self._terms(vertex, couplings, order, parts))
        except ValueError as error:
            reason = reason or str(error)
            order = tuple(range(len(outgoing)))
            terms = tuple(
                VertexTerm("", "", (name,)) for names in couplings.values() for name in names
            )
        incoming = [outgoing[place].anti() for place in order]
        names = tuple(self._name(row) for row in incoming)
        translated = Vertex(names, terms, orders, reason)
        of_propagators = (self._lacking.get(abs(row.pdg), "") for row in incoming)
        reason = reason or next(filter(None, of_propagators), "")
        return replace(translated, lacking=reason or lacking(translated, incoming))

    def _name(self, row: UfoParticle) -> str:
        name, antiname = self._names[abs(row.pdg)]
        return name if row.pdg > 0 else antiname

    def _terms(
        self,
        vertex: UfoVertex,
        couplings: Mapping[tuple[int, int], Sequence[str]],
        order: Sequence[int],
        parts: _Parts,
    ) -> Iterator[VertexTerm]:
        """The terms of a vertex, those of each colour together."""
        spins = [self._rows.particles[key].spin for key in vertex.particles]
        numbers = {old + 1: new for new, old in enumerate(order, 1)}
        for colour in dict.fromkeys(place for place, _ in couplings):
            text, constants = renumbered_colour(vertex.colour[colour], numbers)
            by_factor: dict[FormFactor, list[tuple[str, str]]] = defaultdict(list)
            for (place, lorentz), names in couplings.items():
                for structure, factor in parts[vertex.lorentz[lorentz]]:
                    if place == colour:
                        by_factor[factor] += [
                            (structure, _coupling(name, constants)) for name in names
                        ]
            for factor, given in by_factor.items():
                terms = _lorentz_terms if factor == NO_FORM_FACTOR else _structure_terms
                structures = tuple(structure for structure, _ in given)
                for lorentz_, texts in terms(tuple(spins), structures, tuple(order)):
                    couplings_here = tuple(_with_names(one, given) for one in texts)
                    yield VertexTerm(text, lorentz_, couplings_here, factor.renumbered(numbers))

    def _parts_of(self, keys: Iterable[str], spins: tuple[int, ...]) -> _Parts:
        """The structures of a vertex, which agree what is a row and what a column of spinors."""
        parts = {key: self._parts(key) for key in keys}
        texts = tuple(text for own in parts.values() for text, _ in own)
        turned = iter(_with_equal_rows(texts, spins))
        return {
            key: tuple((next(turned), factor) for _, factor in own) for key, own in parts.items()
        }

    def _parts(self, key: str) -> tuple[tuple[str, FormFactor], ...]:
        """A structure, parted by the form factors of its products.

        Raises:
            ValueError: a form factor is nothing that is computed here; a sentence.
        """
        row = self._rows.lorentz[key]
        if not row.form_factors:
            return ((without_conjugation(row.structure)[0], NO_FORM_FACTOR),)
        unknown = [one for one in row.form_factors if one not in self._rows.form_factors]
        if unknown:
            raise UfoError(f'{row.place}: expected form factors; got "{unknown[0]}"')
        own = {one.name: one for one in map(self._rows.form_factors.__getitem__, row.form_factors)}
        expressions = {name: one.expression for name, one in own.items()}
        try:
            return tuple(
                (structure, self._form_factor(text, len(row.spins)))
                for structure, text in parted(row.structure, expressions)
            )
        except (ValueError, ExpressionError) as error:
            raise ValueError(f"the form factor of {row.place}: {error}") from None

    def _form_factor(self, text: str, n_legs: int) -> FormFactor:
        if not text:
            return NO_FORM_FACTOR
        factor = read_form_factor(text, n_legs)
        self._check_constant(factor.constants)
        return factor

    def derived(self, texts: Iterable[str]) -> Iterator[Derived]:
        """The parameters and couplings that some expressions need."""
        needed = {name for text in texts for name in names_in(text)}
        expressions = self._values.expressions
        for name in reversed(expressions):
            if name in needed:
                needed |= names_in(expressions[name])
        real = {one.name for one in self._rows.parameters.values() if one.is_real}
        for name, expression in expressions.items():
            if name in needed:
                yield Derived(name, expression, is_real=name in real)


@cache
def _lorentz_terms(
    spins: tuple[int, ...], structures: tuple[str, ...], order: tuple[int, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    """`lorentz_terms` with [0], [1], .. for the couplings: many vertices have the same."""
    numbered = [(structure, f"[{place}]") for place, structure in enumerate(structures)]
    return lorentz_terms(spins, numbered, order)


@cache
def _structure_terms(
    spins: tuple[int, ...], structures: tuple[str, ...], order: tuple[int, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    """`structure_terms`, as `_lorentz_terms`."""
    numbered = [(structure, f"[{place}]") for place, structure in enumerate(structures)]
    return structure_terms(spins, numbered, order)


def _check_conjugated(lorentz: UfoLorentz, outgoing: Sequence[UfoParticle]) -> None:
    """Refuse a C between fields of other kinds than it joins; Majorana fields are of both.

    An outgoing antiparticle is the field psi, an outgoing particle psi-bar.
    """
    for line in () if lorentz.form_factors else without_conjugation(lorentz.structure)[1]:
        rows = [outgoing[leg - 1] for leg in line.legs]
        kinds = {1 if row.pdg > 0 else -1 for row in rows if row.name != row.antiname}
        if len(kinds) > 1 or (line.side and -line.side in kinds):
            names = " and ".join(row.name for row in rows)
            raise ValueError(f"expected psi^T C psi or psi-bar C psi-bar^T; got C between {names}")


_legs_in_order = cache(legs_in_order)
_with_equal_rows = cache(with_equal_rows)


def _with_names(text: str, structures: Sequence[tuple[str, str]]) -> str:
    return re.sub(r"\[(\d+)\]", lambda found: structures[int(found[1])][1], text)


def _coupling(name: str, constants: int) -> str:
    """Our coupling, -i times that of UFO; and i f there is f here, for every f."""
    return ("-1j*", "", "1j*", "-")[constants % 4] + name


def _group(row: UfoParticle, stable: bool) -> str:
    """The class of a particle for cuts; new ones that are seen by nothing are missing."""
    invisible = row.colour == 1 and row.charge == 0 and stable
    new = row.pdg > _HEAVIEST_KNOWN
    return _GROUPS.get(row.pdg, "missing" if invisible and new else "")
