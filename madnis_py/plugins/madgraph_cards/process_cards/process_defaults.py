"""The run card that MadGraph writes for a process, where none is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madnis_py.physics.definition.definition import Definition
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import UNCUT

_QUARKS = frozenset(range(1, 6))
_PARTONS = _QUARKS | {21, 22}
_CHARGED = frozenset({11, 13})
_NEUTRINOS = frozenset({12, 14, 16})

_MATCHED: Mapping[str, str] = {
    "ickkw": "1",
    "xqcut": "30",
    "drjj": "0",
    "drjl": "0",
    "systematics_arguments": (
        "['--mur=0.5,1,2', '--muf=0.5,1,2', '--pdf=errorset', '--alps=0.5,1,2']"
    ),
}
"""Entries for processes that differ by jets alone."""


def default_entries(definitions: Sequence[Definition]) -> dict[str, str]:
    """Entries that differ from the defaults of MadGraph's run card.

    Args:
        definitions: of all processes.

    Returns:
        entry -> text of its value.
    """
    first = definitions[0]
    if first.n_incoming == 1:
        return {**UNCUT, "use_syst": "F"}
    beams = [frozenset(pdg for one in definitions for pdg in one.incoming[beam]) for beam in (0, 1)]
    entries = _beams(beams)
    entries |= _jets(beams)
    if _differ_by_jets(definitions):
        entries |= _MATCHED
    if any("^2" in one.text for one in definitions):
        entries |= {"use_syst": "F", "dynamical_scale_choice": "3"}
    return entries


def _beams(beams: Sequence[frozenset[int]]) -> dict[str, str]:
    """Kinds and energies of the beams, and the helicity of neutrinos."""
    kinds = [frozenset(map(abs, beam)) for beam in beams]
    entries: dict[str, str] = {}
    if not (kinds[0] | kinds[1]) & _PARTONS:
        entries = {"lpp1": "0", "lpp2": "0", "use_syst": "F"}
        if (kinds[0] | kinds[1]) & _CHARGED:
            entries |= {"ebeam1": "500", "ebeam2": "500"}
    elif (kinds[0] | kinds[1]) & _CHARGED:
        entries = {"lpp1": "1", "lpp2": "0", "ebeam1": "6500", "ebeam2": "1000"}
        if kinds[0] & _CHARGED:
            entries = {"lpp1": "0", "lpp2": "1", "ebeam1": "1000", "ebeam2": "6500"}
    for number, beam in enumerate(beams, start=1):
        if kinds[number - 1] & _NEUTRINOS:
            helicity = "-100" if beam & _NEUTRINOS else "100"
            entries |= {f"lpp{number}": "0", f"ebeam{number}": "1000"}
            entries[f"polbeam{number}"] = helicity
    return entries


def _jets(beams: Sequence[frozenset[int]]) -> dict[str, str]:
    quarks = {abs(pdg) for beam in beams for pdg in beam if abs(pdg) in _QUARKS}
    heaviest = str(max({4, *quarks}))
    return {"maxjetflavor": heaviest, "asrwgtflavor": heaviest} if quarks else {}


def _differ_by_jets(definitions: Sequence[Definition]) -> bool:
    """Whether processes differ by light quarks and gluons in the final state alone."""
    sizes = [len(one.core.outgoing) for one in definitions]
    if min(sizes) == max(sizes):
        return False
    fewest, most = (definitions[sizes.index(size)] for size in (min(sizes), max(sizes)))
    left = [set(leg.alternatives) for leg in most.core.outgoing]
    for leg in fewest.core.outgoing:
        alike = next((one for one in left if one & set(leg.alternatives)), None)
        if alike is not None:
            left.remove(alike)
    return all({abs(pdg) for pdg in one} <= _QUARKS | {21} for one in left)
