"""Rows of a UFO model: particles, parameters, couplings and the rest, with the types they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from madnis_py.physics.model.expressions import Function
from madnis_py.physics.ufo.model_files import ModelFiles
from madnis_py.physics.ufo.statements import (
    Construction,
    JoinedText,
    Reference,
    Statement,
    UfoError,
    statements_of,
)

Row = TypeVar("Row")

_LARGEST_WHOLE = 10**9
"""Above PDG codes."""

_LONGEST_TEXT = 1_000_000
"""Characters of a text that is put together from others."""


@dataclass(frozen=True)
class UfoParticle:
    """A particle, or an antiparticle, as its file has it.

    Attributes:
        place: file and line.
        pdg: PDG code.
        name: of the particle.
        antiname: of its antiparticle.
        spin: 2 s + 1, negative for ghosts.
        colour: 1, 3, 6, 8, negative for conjugate representations.
        mass: name of a parameter.
        width: name of a parameter.
        charge: electric charge.
        goldstone: whether it is no particle in the unitary gauge.
        propagator: name of the object of one of its own, that of the unitary gauge; "" for none.
        propagates: whether its propagator has a pole; without, it stands for contact terms.
    """

    place: str
    pdg: int
    name: str
    antiname: str
    spin: int
    colour: int
    mass: str
    width: str
    charge: float
    goldstone: bool
    propagator: str
    propagates: bool = True

    @property
    def is_physical(self) -> bool:
        """Whether it is no ghost and no Goldstone boson."""
        return self.spin > 0 and not self.goldstone

    def anti(self) -> UfoParticle:
        """The antiparticle."""
        colour = self.colour if self.colour in (1, 8) else -self.colour
        return replace(
            self,
            pdg=-self.pdg if self.name != self.antiname else self.pdg,
            name=self.antiname,
            antiname=self.name,
            colour=colour,
            charge=-self.charge,
        )


@dataclass(frozen=True)
class UfoParameter:
    """A parameter.

    Attributes:
        place: file and line.
        name: in expressions.
        is_real: whether its type is real.
        value: number of an external parameter, None for an internal one.
        expression: of an internal parameter, "" for an external one.
        block: SLHA block in capitals, "" for an internal one.
        code: of its entry.
    """

    place: str
    name: str
    is_real: bool
    value: float | None
    expression: str
    block: str
    code: tuple[int, ...]


@dataclass(frozen=True)
class UfoCoupling:
    """A coupling: its expression, and powers of coupling orders by their names."""

    place: str
    name: str
    expression: str
    orders: Mapping[str, int]


@dataclass(frozen=True)
class UfoLorentz:
    """A Lorentz structure; `spins` are those of the legs, 2 s + 1, form factors keys of theirs."""

    place: str
    name: str
    spins: tuple[int, ...]
    structure: str
    form_factors: tuple[str, ...]


@dataclass(frozen=True)
class UfoFormFactor:
    """A form factor: its name in structures, and an expression of parameters and momenta."""

    place: str
    name: str
    expression: str


@dataclass(frozen=True)
class UfoVertex:
    """A vertex: keys of its objects, and couplings by (colour, Lorentz structure)."""

    place: str
    name: str
    particles: tuple[str, ...]
    colour: tuple[str, ...]
    lorentz: tuple[str, ...]
    couplings: Mapping[tuple[int, int], tuple[str, ...]]


@dataclass(frozen=True)
class UfoOrder:
    """A coupling order."""

    place: str
    name: str
    expansion: int
    hierarchy: int


@dataclass(frozen=True)
class UfoPropagator:
    """A propagator, numerator / denominator, as text."""

    place: str
    numerator: str
    denominator: str


@dataclass(frozen=True)
class UfoRows:
    """The content of a model, by the names that its files give to objects."""

    particles: Mapping[str, UfoParticle]
    parameters: Mapping[str, UfoParameter]
    couplings: Mapping[str, UfoCoupling]
    lorentz: Mapping[str, UfoLorentz]
    vertices: Mapping[str, UfoVertex]
    orders: Mapping[str, UfoOrder]
    functions: Mapping[str, Function] = field(default_factory=dict)
    propagators: Mapping[str, UfoPropagator] = field(default_factory=dict)
    form_factors: Mapping[str, UfoFormFactor] = field(default_factory=dict)


_CONFIGURATION = "configuration.py"

FILES = (
    "particles.py",
    "parameters.py",
    "couplings.py",
    "lorentz.py",
    "vertices.py",
    "coupling_orders.py",
    "function_library.py",
    "propagators.py",
    _CONFIGURATION,
    "form_factors.py",
)
"""Files that amplitudes follow from; the last five may lack."""


def read_rows(files: ModelFiles) -> UfoRows:
    """The content of a model.

    Raises:
        UfoError: a file cannot be read, has other statements than assignments, or a row is not
            complete; names file and line.
    """
    particles = dict(_particles(files))
    lorentz = _rows(files, "lorentz.py", "Lorentz", _lorentz)
    return UfoRows(
        particles=particles,
        parameters=_rows(files, "parameters.py", "Parameter", _parameter),
        couplings=_rows(files, "couplings.py", "Coupling", _coupling),
        lorentz=lorentz,
        vertices=_rows(files, "vertices.py", "Vertex", _vertex),
        orders=_rows(files, "coupling_orders.py", "CouplingOrder", _order),
        functions=dict(_rows(files, "function_library.py", "Function", _function).values()),
        propagators=dict(_propagators(files) if _has_propagators(particles.values()) else ()),
        form_factors=dict(_form_factors(files) if _has_form_factors(lorentz.values()) else ()),
    )


def read_decays(files: ModelFiles) -> dict[str, dict[tuple[str, ...], str]]:
    """Partial widths of the file decays.py, which no amplitude needs.

    Returns:
        name of a particle's object -> names of those of its products -> expression of the width;
        empty where there is no such file.

    Raises:
        UfoError: as `read_rows`.
    """
    rows = _rows(files, "decays.py", "Decay", _decay)
    return dict(rows.values())


def _statements(files: ModelFiles, name: str) -> Iterator[Statement]:
    if name in files.names:
        yield from statements_of(files.text(name), f"{files.source}/{name}", _flags(files))


def _flags(files: ModelFiles) -> dict[str, bool]:
    """Switches of a model, by which some of its statements count."""
    if _CONFIGURATION not in files.names:
        return {}
    place = f"{files.source}/{_CONFIGURATION}"
    given = statements_of(files.text(_CONFIGURATION), place)
    return {one.name: one.value for one in given if isinstance(one.value, bool)}


def _rows(
    files: ModelFiles, file: str, kind: str, row: Callable[[_Arguments], Row]
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for statement in _statements(files, file):
        value = statement.value
        if isinstance(value, Construction) and value.kind == kind and not statement.key:
            found[statement.name] = row(_Arguments(statement.place, kind, value.arguments))
        elif isinstance(value, Construction) or (statement.key and statement.name in found):
            what = f"{statement.name}.{statement.key}" if statement.key else value.kind
            raise UfoError(f"{statement.place}: expected {kind} objects; got {what}")
    return found


def _particles(files: ModelFiles) -> Iterator[tuple[str, UfoParticle]]:
    """Particles and antiparticles; attributes that are set afterwards belong to the rows."""
    given: dict[str, tuple[str, dict[str, Any]]] = {}
    anti: dict[str, tuple[str, str]] = {}
    for statement in _statements(files, "particles.py"):
        value = statement.value
        if statement.key:
            if statement.name in given:
                given[statement.name][1][statement.key] = value
        elif isinstance(value, Construction) and value.kind == "Particle":
            given[statement.name] = statement.place, dict(value.arguments)
        elif isinstance(value, Construction) and value.kind == "anti":
            anti[statement.name] = statement.place, value.arguments["of"].name
        elif isinstance(value, Construction):
            raise UfoError(f"{statement.place}: expected Particle objects; got {value.kind}")
    made = {
        name: _particle(_Arguments(place, "Particle", arguments))
        for name, (place, arguments) in given.items()
    }
    yield from made.items()
    for name, (place, of) in anti.items():
        if of not in made:
            raise UfoError(f"{place}: expected the antiparticle of a particle; got that of {of}")
        yield name, made[of].anti()


def _has_propagators(particles: Iterable[UfoParticle]) -> bool:
    return any(row.propagator for row in particles)


def _propagators(files: ModelFiles) -> Iterator[tuple[str, UfoPropagator]]:
    """Propagators, whose texts may be those of earlier names.

    Some models have the factor i in the numerators, others leave it out: the scalar propagator "S"
    that FeynRules writes into every file tells.
    """
    found = {
        name: UfoPropagator(given.place, given.text("numerator"), given.text("denominator"))
        for name, given in _of_texts(files, "propagators.py", "Propagator")
    }
    scalar = found["S"].numerator.replace(" ", "") if "S" in found else ""
    factor = {"1": "complex(0,1)*", "complex(0,1)": ""}.get(scalar)
    for name, row in found.items():
        numerator = "" if factor is None else f"{factor}({row.numerator})"
        yield name, replace(row, numerator=numerator)


def _has_form_factors(lorentz: Iterable[UfoLorentz]) -> bool:
    return any(row.form_factors for row in lorentz)


def _form_factors(files: ModelFiles) -> Iterator[tuple[str, UfoFormFactor]]:
    for name, given in _of_texts(files, "form_factors.py", "FormFactor"):
        yield name, UfoFormFactor(given.place, given.text("name"), given.expression("value"))


def _of_texts(files: ModelFiles, file: str, kind: str) -> Iterator[tuple[str, _Arguments]]:
    """Objects of a file whose arguments may be put together from texts of earlier names."""
    texts: dict[str, str] = {}
    for statement in _statements(files, file):
        value = statement.value
        if isinstance(value, str | JoinedText) and not statement.key:
            texts[statement.name] = _joined(value, texts)
        elif isinstance(value, Construction) and value.kind == kind:
            arguments = {
                key: _joined(one, texts) if isinstance(one, Reference | JoinedText) else one
                for key, one in value.arguments.items()
            }
            yield statement.name, _Arguments(statement.place, value.kind, arguments)
        elif isinstance(value, Construction):
            raise UfoError(f"{statement.place}: expected {kind} objects; got {value.kind}")


def _joined(value: str | Reference | JoinedText, texts: Mapping[str, str]) -> str:
    parts = value.parts if isinstance(value, JoinedText) else (value,)
    found = [texts.get(one.name, "") if isinstance(one, Reference) else one for one in parts]
    _check_length(sum(map(len, found)))
    text = "".join(found)
    for old, new in value.replacements if isinstance(value, JoinedText) else ():
        _check_length(len(text) + text.count(old) * len(new))
        text = text.replace(old, new)
    return text


def _check_length(length: int) -> None:
    """Refuse texts that grow by being put together over and over."""
    if length > _LONGEST_TEXT:
        raise UfoError(f"expected texts of at most {_LONGEST_TEXT:,} characters; got {length:,}")


@dataclass(frozen=True)
class _Arguments:
    """Keys of an object, read with the types they need."""

    place: str
    kind: str
    values: Mapping[str, Any]

    def _wrong(self, key: str, expected: str, value: object) -> UfoError:
        got = "none" if value is None else repr(value)
        got = got if len(got) <= 60 else f"{got[:57]}..."
        return UfoError(f"{self.place}: {self.kind}: {key}: expected {expected}; got {got}")

    def text(self, key: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a text", value)
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        value = self.values.get(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) < _LARGEST_WHOLE or value != int(value):
            raise self._wrong(key, "a whole number", value)
        return int(value)

    def number(self, key: str, default: float | None = None) -> float:
        value = self.values.get(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) < 1e300:
            raise self._wrong(key, "a number", value)
        return float(value)

    def reference(self, key: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, Reference):
            raise self._wrong(key, "the name of an object", value)
        return value.name

    def sequence(self, key: str, kind: type, expected: str) -> tuple[Any, ...]:
        value = self.values.get(key)
        if not isinstance(value, tuple) or not all(isinstance(one, kind) for one in value):
            raise self._wrong(key, expected, value)
        return value

    def mapping(self, key: str) -> Mapping[Any, Any]:
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a dictionary", value)
        return value

    def expression(self, key: str) -> str:
        value = self.values.get(key)
        if isinstance(value, int | float | complex) and not isinstance(value, bool):
            return repr(value)
        if not isinstance(value, str):
            raise self._wrong(key, "an expression", value)
        return value

    def propagator(self) -> str:
        """The name of an object, that of the unitary gauge where there is one for each gauge."""
        value = self.values.get("propagator")
        chosen = value.get(0) if isinstance(value, dict) else value
        if chosen is not None and not isinstance(chosen, Reference):
            raise self._wrong("propagator", "the name of an object", value)
        return "" if chosen is None else chosen.name

    def references(self, key: str) -> tuple[Reference, ...]:
        """The names of objects, () where the key lacks or is None."""
        if self.values.get(key) is None:
            return ()
        return self.sequence(key, Reference, "a list of objects")

    def flag(self, *keys: str) -> bool:
        lower = {key.lower(): value for key, value in self.values.items()}
        return any(bool(lower.get(key)) for key in keys)


def _particle(given: _Arguments) -> UfoParticle:
    return UfoParticle(
        given.place,
        given.whole("pdg_code"),
        given.text("name"),
        given.text("antiname"),
        given.whole("spin"),
        given.whole("color"),
        given.reference("mass"),
        given.reference("width"),
        given.number("charge", 0.0),
        given.flag("goldstone", "goldstoneboson"),
        given.propagator(),
        given.values.get("propagating", True) not in (False, "False"),
    )


def _parameter(given: _Arguments) -> UfoParameter:
    name, nature, kind = given.text("name"), given.text("nature"), given.values.get("type", "real")
    if nature == "internal":
        return UfoParameter(
            given.place, name, kind == "real", None, given.expression("value"), "", ()
        )
    if nature != "external":
        raise UfoError(f'{given.place}: expected "external" or "internal"; got "{nature}"')
    block = given.text("lhablock").split()
    if len(block) != 1:
        raise UfoError(f"{given.place}: lhablock: expected one word; got {len(block)}")
    code = given.sequence("lhacode", int, "a list of numbers")
    return UfoParameter(given.place, name, True, given.number("value"), "", block[0].upper(), code)


def _coupling(given: _Arguments) -> UfoCoupling:
    orders = given.mapping("order")
    for name, power in orders.items():
        if not (isinstance(name, str) and isinstance(power, int) and abs(power) < 100):
            raise UfoError(
                f"{given.place}: order: expected powers by name; got {name!r}: {power!r}"
            )
    return UfoCoupling(given.place, given.text("name"), given.expression("value"), dict(orders))


def _lorentz(given: _Arguments) -> UfoLorentz:
    return UfoLorentz(
        given.place,
        given.text("name"),
        given.sequence("spins", int, "a list of numbers"),
        given.text("structure"),
        tuple(one.name for one in given.references("formfactors")),
    )


def _vertex(given: _Arguments) -> UfoVertex:
    couplings = {}
    for key, value in given.mapping("couplings").items():
        listed = value if isinstance(value, tuple) else (value,)
        pair = isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, int) for k in key)
        if not pair or not all(isinstance(one, Reference) for one in listed):
            raise UfoError(
                f"{given.place}: couplings: expected (colour, Lorentz): coupling; got {key!r}"
            )
        couplings[key] = tuple(one.name for one in listed)
    return UfoVertex(
        given.place,
        given.text("name"),
        tuple(one.name for one in given.sequence("particles", Reference, "a list of particles")),
        given.sequence("color", str, "a list of texts"),
        tuple(one.name for one in given.sequence("lorentz", Reference, "a list of structures")),
        couplings,
    )


def _order(given: _Arguments) -> UfoOrder:
    return UfoOrder(
        given.place,
        given.text("name"),
        given.whole("expansion_order", 99),
        given.whole("hierarchy", 1),
    )


def _function(given: _Arguments) -> tuple[str, Function]:
    one = given.values.get("arguments")  # models write ('z') for ('z',)
    arguments = (one,) if isinstance(one, str) else given.sequence("arguments", str, "names")
    return given.text("name"), Function(arguments, given.expression("expression"))


def _decay(given: _Arguments) -> tuple[str, dict[tuple[str, ...], str]]:
    widths = {}
    for products, expression in given.mapping("partial_widths").items():
        if not isinstance(products, tuple) or not isinstance(expression, str):
            raise UfoError(f"{given.place}: partial_widths: expected (products): expression")
        widths[tuple(one.name for one in products)] = expression
    return given.reference("particle"), widths
