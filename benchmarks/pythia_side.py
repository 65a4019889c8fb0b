"""Cross sections and hard events of Pythia, with our parameters, couplings and scales fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pythia8mc
from numpy.typing import NDArray
from pythia_cases import LEPTONS, Case

from madnis_py.physics.model.model import Model

PICOBARN_PER_MILLIBARN = 1e9
NO_COUPLING = 1e-9
SLOWEST_RUNNING = 0.002
"""The least coupling by which Pythia lets the top mass in the coupling to a Higgs boson run: 0.2 %
up to 1 TeV."""
RUNNING = 1.0017
"""From 700 GeV, where most t t~ h are, to the mass itself with that coupling; 0.1 % at most to
where the others are."""

Z, W = 23, 24
Z_WIDTH = 0.02
NARROW_Z = (
    "PhaseSpace:useBreitWigners = on",
    f"{Z}:mWidth = {Z_WIDTH}",
    f"{Z}:mMin = 81",
    f"{Z}:mMax = 101",
)
"""Line shape of Pythia's gamma*/Z among the final particles: partial widths that Pythia computes,
over the width that is asked for. A narrow one takes the place of the mass shell; the cross section
is then too large by the ratio of the two widths, for each Z."""


@dataclass(frozen=True)
class PythiaSample:
    """What Pythia found.

    Attributes:
        sigma: cross section in pb.
        error: of it.
        pdg: PDG codes of the final particles, int32 (n, F).
        momenta: theirs, (E, px, py, pz) in GeV, float64 (n, F, 4).
    """

    sigma: float
    error: float
    pdg: NDArray[np.int32]
    momenta: NDArray[np.float64]


def sample(
    case: Case, model: Model, grid: Path, scale: float, alpha_s: float, events: int, seed: int
) -> PythiaSample:
    """Generate hard events of a case.

    Args:
        case: the process.
        model: our parameters.
        grid: file of the parton densities in the format of LHAPDF.
        scale: of factorisation and renormalisation in GeV.
        alpha_s: strong coupling.
        events: how many.
        seed: of Pythia.

    Raises:
        RuntimeError: Pythia does not know a setting or cannot start.
    """
    settings = (*_common(scale, seed), *_particles(model), *_beams(case, grid), *case.pythia)
    start = partial(_started, case, forced=_forced(case, model, alpha_s))
    unit = PICOBARN_PER_MILLIBARN
    if case.final_z:
        computed = start((*settings, f"{Z}:doForceWidth = off")).particleData.mWidth(Z)
        unit *= (Z_WIDTH / computed) ** case.final_z
        settings += NARROW_Z
    pythia = start(settings)
    numbers = np.array(list(_events(pythia, events)), dtype=np.float64)
    info = pythia.infoPython()
    return PythiaSample(
        unit * info.sigmaGen(),
        unit * info.sigmaErr(),
        numbers[..., 0].astype(np.int32),
        numbers[..., 1:],
    )


def _started(case: Case, settings: Sequence[str], forced: Mapping[str, float]) -> pythia8mc.Pythia:
    pythia = pythia8mc.Pythia("", False)
    for setting in settings:
        if not pythia.readString(setting):
            raise RuntimeError(f"{case.name}: Pythia refuses {setting}")
    for name, value in forced.items():
        pythia.settings.forceParm(name, value)
    if not pythia.init():
        raise RuntimeError(f"{case.name}: Pythia does not start")
    return pythia


def _events(pythia: pythia8mc.Pythia, events: int) -> Iterator[list[tuple[float, ...]]]:
    for _ in range(events):
        if pythia.next():
            record = pythia.process
            final = (record[row] for row in range(record.size()) if record[row].isFinal())
            yield [(one.id(), one.e(), one.px(), one.py(), one.pz()) for one in final]


def _common(scale: float, seed: int) -> tuple[str, ...]:
    """Hard processes alone, on their mass shells, everything fixed that runs by default."""
    squared = scale**2
    return (
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        "PartonLevel:all = off",
        "HadronLevel:all = off",
        "ProcessLevel:resonanceDecays = off",
        "PhaseSpace:useBreitWigners = off",
        "PhaseSpace:mHatMin = 1",
        "SigmaProcess:alphaEMorder = -1",
        "SigmaProcess:alphaSorder = 0",
        *(f"SigmaProcess:{kind}Scale1 = 2" for kind in ("renorm", "factor")),
        *(f"SigmaProcess:{kind}Scale2 = 5" for kind in ("renorm", "factor")),
        *(f"SigmaProcess:{kind}Scale3 = 6" for kind in ("renorm", "factor")),
        *(f"SigmaProcess:{kind}FixScale = {squared}" for kind in ("renorm", "factor")),
    )


def _particles(model: Model) -> tuple[str, ...]:
    """Masses of ours, and widths of what may be a propagator."""
    widths = (
        f"{pdg}:{key}"
        for pdg in (6, W, Z)
        for key in (f"mWidth = {model.width(pdg)}", "doForceWidth = on")
    )
    return (*(f"{pdg}:m0 = {model.mass(pdg)}" for pdg in (4, 5, 6, Z, W, 25)), *widths)


def _forced(case: Case, model: Model, alpha_s: float) -> dict[str, float]:
    """Couplings at tree level without mixing of quarks, which lie outside of Pythia's ranges.

    Electroweak processes have no strong coupling, and so no factor 1 + alpha_s / pi of final quarks
    and of widths.
    """
    mixing = {
        f"V{up}{down}": float(i == j) for i, up in enumerate("uct") for j, down in enumerate("dsb")
    }
    values = {
        "alphaEMmZ": model.alpha_qed,
        "sin2thetaW": model["sw2"],
        "sin2thetaWbar": model["sw2"],
        "GF": model["Gf"],
    }
    return {
        "SigmaProcess:alphaSvalue": alpha_s if case.strong else NO_COUPLING,
        "ParticleData:mtRun": RUNNING * model.mass(6),
        "ParticleData:alphaSvalueMRun": SLOWEST_RUNNING,
        **{f"StandardModel:{name}": value for name, value in (values | mixing).items()},
    }


def _beams(case: Case, grid: Path) -> tuple[str, ...]:
    energy = f"Beams:eCM = {2 * case.energy}"
    if not case.leptons:
        return energy, f"PDF:pSet = LHAGrid1:{grid}"
    return (
        energy,
        *(f"Beams:id{beam} = {pdg}" for beam, pdg in zip("AB", LEPTONS, strict=True)),
        "PDF:lepton = off",
    )
