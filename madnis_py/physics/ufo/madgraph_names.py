"""Names of particles as MadGraph has them: its own for known PDG codes, else small letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from madnis_py.physics.ufo.ufo_rows import UfoParticle


def _with_antiparticles(names: Mapping[int, str]) -> Mapping[int, tuple[str, str]]:
    """Code -> names of particle and antiparticle; a sign changes, "~" is added to another name."""
    other = {"+": "-", "-": "+"}
    return MappingProxyType(
        {
            pdg: (name, name[:-1] + other[name[-1]] if name[-1] in other else f"{name}~")
            for pdg, name in names.items()
        }
    )


KNOWN = _with_antiparticles(
    {
        **dict(enumerate(("d", "u", "s", "c", "b", "t"), 1)),
        **dict(enumerate(("e-", "ve", "mu-", "vm", "ta-", "vt"), 11)),
        **{21: "g", 22: "a", 23: "z", 24: "w+", 35: "h2", 36: "h3", 37: "h+"},
        **{
            side + flavour: name + letter
            for side, letter in ((1000000, "l"), (2000000, "r"))
            for flavour, name in enumerate(("d", "u", "s", "c"), 1)
        },
        **{1000005: "b1", 2000005: "b2", 1000006: "t1", 2000006: "t2"},
        **{1000011: "el-", 2000011: "er-", 1000013: "mul-", 2000013: "mur-"},
        **{1000015: "ta1-", 2000015: "ta2-", 1000012: "sve", 1000014: "svm", 1000016: "svt"},
        **{1000021: "go", 1000022: "n1", 1000023: "n2", 1000025: "n3", 1000035: "n4"},
        **{1000024: "x1+", 1000037: "x2+"},
    }
)
"""Names in MadGraph of particles of the Standard Model and of the MSSM."""


def names_of(particles: Sequence[UfoParticle]) -> dict[int, tuple[str, str]]:
    """PDG code -> names of particle and antiparticle.

    Names that known particles have, or several others, get the PDG code behind them.

    Args:
        particles: those of a model, one for particle and antiparticle.
    """
    known = {row.pdg: KNOWN[row.pdg] for row in particles if row.pdg in KNOWN}
    others = {row.pdg: _small(row) for row in particles if row.pdg not in KNOWN}
    for row in particles:
        names = known if row.pdg in known else others
        if row.name == row.antiname:
            names[row.pdg] = (names[row.pdg][0],) * 2
    taken = {name for pair in known.values() for name in pair}
    uses = Counter(name for pair in others.values() for name in {*pair})
    return known | {
        pdg: pair
        if all(uses[name] == 1 and name not in taken for name in pair)
        else (f"{pair[0]}_{pdg}", f"{pair[1]}_{pdg}")
        for pdg, pair in others.items()
    }


def _small(row: UfoParticle) -> tuple[str, str]:
    """Names in small letters, without the marks of definitions.

    The antiparticle of X may be x: it becomes x~.
    """
    first, second = (
        re.sub(r"[\s>,()/|$@{}\[\]=<!^;:]", "_", name.lower()) for name in (row.name, row.antiname)
    )
    return first, second if second != first or row.name == row.antiname else f"{second}~"
