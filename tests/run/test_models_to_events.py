"""Models in the format of UFO from card to showered events, against closed forms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pylhe
import pytest
from places import ROOT
from ufo_models import copied, installed, own

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files.formats import open_events
from madnis_py.events.showers.new_particles import quantum_numbers
from madnis_py.physics.decays.slha_spectrum import spectrum
from madnis_py.physics.divergences.proposed_card import proposed_card
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.stages.event_file import header_of

_GEV2_PB = 0.389379372e9
_S, _MU = 13000.0**2, 91.188
_EVENTS, _POINTS = 1000, 20_000

Partonic = Callable[[Array, float], Array]
"""Cross section in GeV^-2 at squared energies of partons, and alpha_s."""


_SHORT: Mapping[str, object] = {"preset": "quick", "steps": 12, "batch_size": 300}
"""A training for tests of all that does not ask how well a flow has learnt."""

_FAST = ("PartonLevel:MPI = off", "HadronLevel:all = off")


@dataclass(frozen=True)
class Chain:
    """A process of a model, and what its cross section has to be.

    Attributes:
        model: a folder of the tests, or an installed package.
        definition: of the process.
        partonic: cross sections by the pair of partons, which either beam may have.
        lowest: smallest squared energy of the partons in GeV^2.
        card: other tables of the card.
    """

    model: str
    definition: str
    partonic: dict[tuple[int, int], Partonic]
    lowest: float
    card: dict[str, dict[str, object]]

    def process(
        self, phase_space: str = "diagrams", training: Mapping[str, object] = _SHORT
    ) -> Process:
        """The process for protons with the densities of the tests."""
        path = ROOT / "tests" / "models" / self.model
        if not path.is_dir():
            installed(self.model)
        model = f"{path}" if path.is_dir() else self.model
        tables: dict[str, object] = {
            "process": {"definition": self.definition, "model": model},
            "beams": {"pdf": "toy"},
            "channels": {"phase_space": phase_space},
            "training": training,
        }
        return Process.from_card(Card.parse(tables | self.card, "test"))

    def sigma(self) -> float:
        """Cross section in pb by Gaussian quadrature over s of the partons and their rapidity."""
        alpha_s = float(load_pdf("toy").alpha_s(_MU**2)[0])
        low = math.log(self.lowest / _S)
        nodes, weights = np.polynomial.legendre.leggauss(1600)  # resonances are narrow
        inner, inner_weights = np.polynomial.legendre.leggauss(64)
        log_tau, weights = low * (1 - nodes) / 2, -low / 2 * weights
        y = np.outer(-log_tau / 2, inner)
        shares = (np.exp(log_tau[:, None] / 2 + sign * y).ravel() for sign in (1, -1))
        one, other = ({pdg: self._density(pdg, x) for pdg in self._partons} for x in shares)
        total = 0.0
        for (first, second), partonic in self.partonic.items():
            pairs = one[first] * other[second] + one[second] * other[first] * (first != second)
            flux = pairs.reshape(y.shape) @ inner_weights * -log_tau / 2
            total += float(weights @ (flux * partonic(_S * np.exp(log_tau), alpha_s)))
        return total * _GEV2_PB

    @property
    def _partons(self) -> set[int]:
        return {pdg for pair in self.partonic for pdg in pair}

    def _density(self, pdg: int, x: Array) -> Array:
        found: Array = load_pdf("toy").density((pdg,), np.ascontiguousarray(x), _MU**2)[:, 0]
        return found


def _beta(s: Array, mass: float) -> Array:
    return np.sqrt(np.maximum(1 - 4 * mass**2 / s, 0))


def gluons_to_scalars(mass: float) -> Partonic:
    """Blumlein, Boos, Kryukov, hep-ph/9610408."""

    def partonic(s: Array, alpha_s: float) -> Array:
        b = _beta(s, mass)
        log = np.log((1 + b) / (1 - b))
        part = b * (41 - 31 * b**2) + (18 * b**2 - b**4 - 17) * log
        found: Array = math.pi * alpha_s**2 / (96 * s) * part
        return found

    return partonic


def quarks_to_scalars(mass: float) -> Partonic:
    """Blumlein, Boos, Kryukov, hep-ph/9610408."""
    return lambda s, alpha_s: 2 * math.pi * alpha_s**2 / (27 * s) * _beta(s, mass) ** 3


def gluons_to_gluinos(mass: float) -> Partonic:
    """Beenakker et al., hep-ph/9610490, eq. (12)."""

    def partonic(s: Array, alpha_s: float) -> Array:
        b, r = _beta(s, mass), mass**2 / s
        log = np.log((1 + b) / (1 - b))
        part = b * (-3 - 51 * r / 4) + (9 / 4 + 9 * r - 9 * r**2) * log
        found: Array = math.pi * alpha_s**2 / s * part
        return found

    return partonic


def quarks_to_dark_matter(s: Array, alpha_s: float) -> Array:
    """A Z' between a vector and an axial current; two equal particles."""
    pole = (s - 1000.0**2) ** 2 + (1000.0 * 30.0) ** 2
    return 0.25**2 * s * _beta(s, 100.0) ** 3 / (12 * math.pi * pole) / 3 / 2


def quarks_to_electrons(s: Array, alpha_s: float) -> Array:
    """A photon and a contact term of vector currents."""
    amplitude = -2 / 3 * 4 * math.pi / 128 / s + 1 / 2000.0**2
    return s * amplitude**2 / (12 * math.pi) / 3


def bottoms_to_taus(s: Array, alpha_s: float) -> Array:
    """The CP-odd boson of two doublets, massless b with a Yukawa coupling."""
    vacuum = 1 / math.sqrt(math.sqrt(2) * 1.16637e-5)
    bottom, tau = 4.7 * 20.0 / vacuum, 1.777 * 20.0 / vacuum
    pole = (s - 400.0**2) ** 2 + (400.0 * 10.0) ** 2
    return (bottom * tau) ** 2 * s * _beta(s, 1.777) / (48 * math.pi * pole)


def quarks_to_muons(charge: float, isospin: float) -> Partonic:
    """A photon and a Z, with the inputs of the UFO Standard Model."""
    alpha, fermi, mass, width = 1 / 132.50698, 1.16639e-5, 91.188, 2.44140351
    root = 1 - 4 * math.pi * alpha / (math.sqrt(2) * fermi * mass**2)
    sine2 = 1 - (1 / 2 + math.sqrt(root) / 2)
    e2 = 4 * math.pi * alpha

    def partonic(s: Array, alpha_s: float) -> Array:
        pole = s / (s - mass**2 + 1j * mass * width) / (sine2 * (1 - sine2))
        total = np.zeros(len(s))
        for quark in (isospin - charge * sine2, -charge * sine2):
            for lepton in (-1 / 2 + sine2, sine2):
                total = total + abs(-charge + pole * quark * lepton) ** 2
        return e2**2 * total / (4 * 12 * math.pi * s) / 3

    return partonic


_UP, _DOWN = quarks_to_muons(2 / 3, 1 / 2), quarks_to_muons(-1 / 3, -1 / 2)

CHAINS = {
    "leptoquark": Chain(
        "leptoquark",
        "p p > lq lq~ NP=0",
        {
            (21, 21): gluons_to_scalars(400.0),
            (2, -2): quarks_to_scalars(400.0),
            (1, -1): quarks_to_scalars(400.0),
        },
        800.0**2,
        {"parameters": {"WLQ": "auto"}},
    ),
    "dark matter": Chain(
        "zprime_dark_matter",
        "p p > xd xd",
        {(2, -2): quarks_to_dark_matter, (1, -1): quarks_to_dark_matter},
        200.0**2,
        {},
    ),
    "contact term": Chain(
        "four_fermion",
        "p p > e+ e- NP<=1",
        {(2, -2): quarks_to_electrons},
        500.0**2,
        {"cuts": {"e+,e-": {"mass_min": 500.0}}},
    ),
    "two doublets": Chain(
        "two_higgs_doublet",
        "p p > h3 > ta- ta+",
        {(5, -5): bottoms_to_taus},
        100.0**2,
        {"cuts": {"ta-,ta+": {"mass_min": 100.0}}},
    ),
    "Standard Model": Chain(
        "ufo_sm",
        "p p > mu+ mu-",
        {(2, -2): _UP, (4, -4): _UP, (1, -1): _DOWN, (3, -3): _DOWN},
        40.0**2,
        {"cuts": {"mu+,mu-": {"mass_min": 40.0}}},
    ),
    "gluinos": Chain(
        "ufo_mssm",
        "g g > go go",
        {(21, 21): gluons_to_gluinos(607.7137)},
        (2 * 607.7137) ** 2,
        {},
    ),
}

QUICK = ("leptoquark",)
"""Chains of the default tests."""


def run_of(name: str, folder: Path) -> Run:
    return Run(CHAINS[name].process(), folder, 5).execute(_EVENTS, _POINTS)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in QUICK else (pytest.mark.slow,)) for name in CHAINS
    ],
)
def finished(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Chain, Run]:
    """A chain, and its run with events."""
    name = request.param
    return CHAINS[name], run_of(name, tmp_path_factory.mktemp("run"))


def test_cross_sections_are_those_of_closed_forms(finished: tuple[Chain, Run]) -> None:
    chain, run = finished
    content, expected = run.record.content(), chain.sigma()
    for sampler in ("vegas", "madnis"):
        found = content[sampler]
        assert found["sigma_error_pb"] < 4e-3 * expected
        assert abs(found["sigma_pb"] - expected) < 5 * found["sigma_error_pb"]


def test_flat_phase_space_gives_the_same(finished: tuple[Chain, Run], tmp_path: Path) -> None:
    chain, run = finished
    flat = Run(chain.process("flat"), tmp_path, 6, method="vegas").execute(0, 4 * _POINTS)
    one, other = (each.record.content()["vegas"] for each in (flat, run))
    error = math.hypot(one["sigma_error_pb"], other["sigma_error_pb"])
    assert abs(one["sigma_pb"] - other["sigma_pb"]) < 3 * error


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAINS)
def test_neural_samplers_are_better_than_vegas(name: str, tmp_path: Path) -> None:
    """After 500 batches more trials become events, and weights vary half as much or less."""
    process = CHAINS[name].process(training={"preset": "quick"})
    content = Run(process, tmp_path, 5).execute(0, 100_000).record.content()
    neural, vegas = content["madnis"], content["vegas"]
    share, of_vegas = (one["unweighting"]["efficiency"] for one in (neural, vegas))
    assert share > 1.2 * of_vegas
    assert neural["relative_std"] < 0.5 * vegas["relative_std"]


def test_another_program_reads_all_events(finished: tuple[Chain, Run]) -> None:
    _, run = finished
    events = list(pylhe.LHEFile.fromfile(str(run.events_file)).events)
    assert len(events) == _EVENTS
    weights = np.array([event.eventinfo.weight for event in events])
    assert weights.mean() == pytest.approx(run.record.content()["sigma_pb"], rel=1e-6)


def test_new_particles_decay_in_the_shower(finished: tuple[Chain, Run]) -> None:
    """Particles without a width are all that is left of what is new."""
    pytest.importorskip("pythia8mc")
    _, run = finished
    from madnis_py.events.showers.shower_settings import ShowerSettings

    model = run.process.model
    new = {row.pdg for row in model.particles if row.pdg > 25}
    pythia = ShowerSettings(_FAST).started(_plain(run), 7)
    seen = set()
    for _ in range(100):
        assert pythia.next()
        rows = [pythia.event[place] for place in range(pythia.event.size())]
        seen |= {abs(row.id()) for row in rows if row.isFinal()}
        assert sum(row.chargeType() for row in rows if row.isFinal()) == 6
    assert all(model.width(pdg) == 0 for pdg in seen & new)
    for pdg in new:
        row = pythia.particleData.findParticle(pdg)
        assert row.m0() == pytest.approx(model.mass(pdg), rel=1e-6)
        assert row.chargeType() == round(3 * model.charge(pdg))
        assert row.spinType() == model.particle(pdg).spin
        assert row.hasAnti() == (model.anti(pdg) != pdg)


def _plain(run: Run) -> Path:
    """The events of a run without compression."""
    path = run.events_file.with_name("plain.lhe")
    convert(run.events_file, path)
    return path


def test_a_leptoquark_decays_to_a_quark_and_a_positron(
    finished: tuple[Chain, Run],
) -> None:
    """Its width is y^2 M / (16 pi)."""
    chain, run = finished
    if chain.model != "leptoquark":
        pytest.skip("a test of the leptoquark")
    spectrum = open_events(run.events_file).header.blocks["slha"]
    found = re.search(r"DECAY 9000011 (\S+) .*\n +(\S+) 2 1 -11 ", spectrum)
    assert found is not None
    assert float(found[1]) == pytest.approx(0.5**2 * 400 / (16 * math.pi), rel=1e-6)
    assert float(found[2]) == 1.0


def test_a_run_goes_on_with_the_same_files_of_the_model_alone(tmp_path: Path) -> None:
    """Another coupling in the files is another model."""
    folder = copied("leptoquark", tmp_path, {})
    tables = {
        "process": {"definition": "e+ e- > d d~", "model": str(folder)},
        "beams": {"energy": [500.0, 500.0], "pdf": "none"},
    }
    run = Run(Process.from_card(Card.parse(tables, "test")), tmp_path / "run", 1)
    path = folder / "couplings.py"
    path.write_text(path.read_text().replace("ylq", "2*ylq"))
    with pytest.raises(InputError, match="expected the files that the card was made with"):
        Process.from_card(run.process.card)
    with pytest.raises(InputError, match=f"holds a run with other files of the model {folder};"):
        Run(Process.from_card(Card.parse(tables, "test")), tmp_path / "run", 1)


def test_a_model_of_a_run_may_have_moved_to_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a gridpack on another machine; other contents are refused."""
    folder = copied("leptoquark", tmp_path, {})
    tables = {
        "process": {"definition": "e+ e- > d d~", "model": str(folder)},
        "beams": {"energy": [500.0, 500.0], "pdf": "none"},
    }
    card = Process.from_card(Card.parse(tables, "test")).card
    (tmp_path / "there").mkdir()
    moved = folder.rename(tmp_path / "there" / folder.name)
    monkeypatch.setenv("MADNIS_MODEL_PATH", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="expected a model"):
        Process.from_card(card)
    monkeypatch.setenv("MADNIS_MODEL_PATH", str(tmp_path / "there"))
    assert Process.from_card(card).model.has(9000011)
    with pytest.raises(InputError, match="expected a model"):
        Process.from_card(Card.parse(tables, "test"))
    path = moved / "couplings.py"
    path.write_text(path.read_text().replace("ylq", "2*ylq"))
    with pytest.raises(InputError, match="expected the files that the card was made with"):
        Process.from_card(card)


def test_new_writes_a_card_of_a_model() -> None:
    folder = ROOT / "tests" / "models" / "leptoquark"
    card = proposed_card(["d d~ > e- e+ g"], model=str(folder))
    process = Process.from_card(card)
    assert process.model.has(9000011)
    assert card.cuts.by_name


def test_built_in_models_need_no_spectrum(tmp_path: Path) -> None:
    process = CHAINS["leptoquark"].process()
    assert "slha" in header_of((process,), process.card, ())
    tables = {"process": {"definition": "u u~ > e+ e-"}, "beams": {"energy": [50.0, 50.0]}}
    own = Process.from_card(Card.parse(tables, "test"))
    assert "slha" not in header_of((own,), own.card, ())


def test_decays_by_vertices_that_are_not_computed_are_no_table() -> None:
    tables = own("leptoquark").tables
    vertices = tuple(
        replace(one, lacking="form factors" * ({"lq", "e-"} <= {*one.particles}))
        for one in tables.vertices
    )
    text = spectrum(Model("leptoquark", {}, replace(tables, vertices=vertices)), [9000011])
    comment, decay, end = text.split("\n")[-3:]
    assert "needs form factors; it is not computed here" in comment
    assert (decay, end) == ("DECAY 9000011 1.000000e+00 # lq", "")


def test_codes_that_pythia_knows_have_the_numbers_of_the_model() -> None:
    """Pythia has a leptoquark of charge -1/3 at 42."""
    pythia8mc = pytest.importorskip("pythia8mc")
    data = pythia8mc.Pythia("", False).particleData
    sextet = "BLOCK QNUMBERS 42 # six six~\n 1 4 # charge\n 2 1\n 3 6\n 4 1\n"
    (row,) = quantum_numbers(f"BLOCK MASS\n 42 500.0\n{sextet}DECAY 42 1.0\n")
    row.give(data)
    known = data.findParticle(42)
    assert (known.chargeType(), known.colType(), known.name(-1)) == (4, 3, "six~")
