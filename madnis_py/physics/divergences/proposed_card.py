"""Card for processes of which only the definitions are known: beams, scales, cuts that suffice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from madnis_py.card.card import Card
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.divergences.divergences import MissingCut, divergences_of, require_finite
from madnis_py.physics.model.model import Model
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.observables.particle_names import codes_of
from madnis_py.physics.pdf.pdf_sets import available_sets
from madnis_py.physics.process.process import Process

_PREFERRED = ("NNPDF40_lo_as_01180", "NNPDF31_lo_as_0118", "NNPDF31_nnlo_as_0118_luxqed")
"""Sets for predictions, the first one that is found counts."""

_TOY = "toy"

_TABLES = ("beams", "scales", "cuts")
"""Tables of a card that are chosen here."""

_USUAL: Mapping[str, Mapping[str, float]] = {
    "jet": {"pt_min": 20.0, "eta_max": 5.0},
    "lepton": {"pt_min": 10.0, "eta_max": 2.5},
    "photon": {"pt_min": 10.0, "eta_max": 2.5},
}
"""Usual cuts by class, in GeV."""

_DISTANCE = 0.4
_HADRON_BEAMS, _OTHER_BEAMS = (6500.0, 6500.0), (250.0, 250.0)
"""Energies in GeV: those of the LHC, and those of a lepton collider."""

_MOST_ROUNDS = 20

_LABELS = str.maketrans({"~": "x", "+": "p", "-": "m", " ": "", ">": "_", ",": "_"})


def name_of(definition: str) -> str:
    """A name for files of a process: "p p > z j, z > e+ e-" is "pp_zj_z_epem"."""
    text = definition.translate(_LABELS)
    return "".join(one if one.isalnum() or one == "_" else "_" for one in text).strip("_")


@dataclass
class _Cuts:
    """The table [cuts] while it grows.

    Attributes:
        model: knows the particles of classes.
        entries: name -> key -> value.
    """

    model: Model
    entries: dict[str, dict[str, float]] = field(default_factory=dict)

    def close(self, missing: Sequence[MissingCut]) -> None:
        """Add the usual cuts against divergences, or, where these are there already, missing ones.

        Args:
            missing: cuts that would do; of several for the same classes the first counts.
        """
        first: dict[tuple[str, ...], MissingCut] = {}
        for one in missing:
            first.setdefault(tuple(map(self._class_of, one.name.split(","))), one)
        for classes, one in first.items():
            self._close(classes, one)

    def _close(self, classes: tuple[str, ...], missing: MissingCut) -> None:
        if missing.key == "pt_min" and classes[0] in _USUAL:
            self._add(classes[0], _USUAL[classes[0]], missing)
        elif missing.key == "mass_min" and classes == ("lepton", "lepton"):
            self._add("lepton", {"sfos_mass_min": missing.minimum}, missing)
        elif missing.key == "mass_min" and all(one in _USUAL for one in classes):
            self._add(",".join(classes), {"dr_min": _DISTANCE}, missing)
        else:
            self.entries.setdefault(missing.name, {})[missing.key] = missing.minimum

    def _add(self, name: str, usual: Mapping[str, float], missing: MissingCut) -> None:
        present = self.entries.setdefault(name, {})
        if usual.keys() <= present.keys():
            self.entries.setdefault(missing.name, {})[missing.key] = missing.minimum
        present.update(usual)

    def _class_of(self, name: str) -> str:
        """The class of a particle, or the particle itself where it belongs to none of the usual."""
        codes = codes_of(name, self.model)
        return next((one for one in _USUAL if codes <= codes_of(one, self.model)), name)


def proposed_card(
    definitions: Sequence[str], source: str = "card", model: str | None = None
) -> Card:
    """A card with beams, scales and cuts that make the processes finite.

    Beams are protons at the LHC where partons come in, with a set for predictions if one is found,
    else the particles themselves. Scales are half the sum of the transverse masses, or the mass of
    a final state without colour. Cuts are the usual ones, as few as suffice.

    Args:
        definitions: in MadGraph's notation.
        source: how messages call the card.
        model: what `[process] model` names; the Standard Model by default.

    Raises:
        CardError: a definition cannot be used, or no cuts are known that make it finite.
    """
    written: str | list[str] = definitions[0] if len(definitions) == 1 else list(definitions)
    named = {} if model is None else {"model": model}
    tables: dict[str, object] = {"process": {"definition": written, **named}}
    alone = [
        Card.parse({"process": {"definition": one, **named}, "beams": {"pdf": "none"}}, source)
        for one in definitions
    ]
    particles = model_from_card(alone[0])
    parsed = [definition_of(card, particles) for card in alone]
    if parsed[0].n_incoming == 1:
        return Card.parse(tables, source)
    incoming, outgoing = (
        {pdg for one in parsed for leg in legs(one) for pdg in leg}
        for legs in (attrgetter("incoming"), attrgetter("outgoing"))
    )
    if _coloured(incoming, particles):
        tables |= _hadrons("sum_mt/2" if _coloured(outgoing, particles) else "sqrt_s")
    else:
        tables |= {"beams": {"energy": _OTHER_BEAMS, "pdf": "none"}}
    cuts = _Cuts(particles)
    for definition in definitions:
        process = {"definition": definition, **named}
        _make_finite(Card.parse({**tables, "process": process}, source), cuts)
    return Card.parse({**tables, "cuts": cuts.entries}, source)


def _coloured(particles: Iterable[int], model: Model) -> bool:
    return any(model.particle(pdg).colour != 1 for pdg in particles)


def _hadrons(scale: str) -> dict[str, object]:
    there = {one.name for one in available_sets()}
    pdf = next((name for name in _PREFERRED if name in there), _TOY)
    scales = dict.fromkeys(("factorization", "renormalization"), scale)
    return {"beams": {"energy": _HADRON_BEAMS, "pdf": pdf}, "scales": scales}


def _make_finite(card: Card, cuts: _Cuts) -> None:
    """Add cuts until the process of a card has no divergence any more."""
    for _ in range(_MOST_ROUNDS):
        process = Process.from_card(card.updated({"cuts": cuts.entries}))
        open_limits = divergences_of(process)
        if not open_limits:
            break
        cuts.close([one.missing_cut for one in open_limits if one.kind == open_limits[0].kind])
    require_finite(process)


def card_text(card: Card) -> str:
    """The text of a proposed card, with what a user may want to know beside each table."""
    chosen = card.model_dump(mode="json", exclude_unset=True)
    tables = {
        name: _table_text(name, chosen[name]) for name in ("process", *_TABLES) if name in chosen
    }
    parts = [_HEAD, tables["process"], _PARAMETERS]
    if "beams" in tables:
        toy = _IS_TOY if card.beams.pdf == _TOY else ""
        parts += [_BEAMS + toy + tables["beams"], _SCALES + tables.get("scales", "[scales]\n")]
        parts += [(_CUTS if card.cuts.by_name else _NO_CUTS) + tables.get("cuts", "[cuts]\n")]
    return "\n".join([*parts, _TRAINING])


def choices_of(card: Card) -> str:
    """Beams, scales and cuts of a proposed card in one line."""
    chosen = card.model_dump(mode="json", exclude_unset=True)
    parts = [f"[{name}] {_inline(chosen[name])}" for name in _TABLES if chosen.get(name)]
    return "; ".join(parts) or "the defaults"


def _table_text(name: str, entries: Mapping[str, object]) -> str:
    """A table of TOML, in which tables are written in one line."""
    rows = [f"{_key(key)} = {_value(value)}\n" for key, value in entries.items()]
    return f"[{name}]\n{''.join(rows)}"


def _key(text: str) -> str:
    return text if text.isidentifier() and text.isascii() else json.dumps(text)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {_inline(value)} }}"
    return json.dumps(value)


def _inline(entries: Mapping[str, object]) -> str:
    return ", ".join(f"{_key(key)} = {_value(value)}" for key, value in entries.items())


_HEAD = """\
# A card for madnis-py. `madnis-py run FILE` computes; docs/card.md has every key. Change what you
# need: an unknown key is an error.
"""
_PARAMETERS = """\
# Masses and widths in GeV, and couplings, by their SLHA names, or a whole param_card.dat; what is
# not named has the value of MadGraph's `sm`.
[parameters]
# MT = 172.5
# param_card = "param_card.dat"
"""
_BEAMS = """\
# GeV for each beam. `madnis-py pdf list` shows which parton densities there are; "none": the
# incoming particles are the beams.
"""
_IS_TOY = """\
# "toy" is for tests, not for predictions: `madnis-py pdf install NNPDF40_lo_as_01180`, or `pip
# install pythia8mc`, brings a real set.
"""
_SCALES = """\
# GeV, or "ht", "sum_et", "sum_mt", any of them over a number as "sum_mt/2", or "sqrt_s".
"""
_CUTS = """\
# Without these the cross section is infinite. GeV; <observable>_min and _max for a class (jet,
# lepton, photon, bottom, missing), a particle, several with commas ("e+,e-"), or "event".
"""
_NO_CUTS = """\
# Finite without cuts. <observable>_min and _max in GeV for a class (jet, lepton, photon, bottom,
# missing), a particle, several with commas ("e+,e-"), or "event", such as
#   lepton = { pt_min = 20.0, eta_max = 2.5 }
"""
_TRAINING = """\
# "quick", "standard" or "paper".
[training]
preset = "standard"
"""
