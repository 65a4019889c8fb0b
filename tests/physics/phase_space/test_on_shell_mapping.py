"""A single final particle: laws of its mapping, cross sections against quadrature of the PDFs."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import laws
import numpy as np
import pytest
from drell_yan_quadrature import PICOBARN

from madnis_py.card.card import Card
from madnis_py.errors import CardError, InputError
from madnis_py.events.files.formats import open_events
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.phase_space.on_shell_mapping import OnShellMapping
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

BEAMS = (6500.0, 4000.0)
MASS = 91.188


def process(definition: str, pdf: str = "toy", **tables: object) -> Process:
    common = {
        "process": {"definition": definition},
        "beams": {"energy": list(BEAMS), "pdf": pdf},
        "scales": {"factorization": MASS, "renormalization": MASS},
    }
    return Process.from_card(Card.parse(common | tables))


def test_the_mapping_follows_the_laws() -> None:
    mapping = OnShellMapping(BEAMS, MASS)
    laws.mapping_inverse_undoes_forward(mapping, 1e-9)
    laws.mapping_jacobian_agrees_with_finite_differences(mapping, BEAMS)
    laws.mapping_particles_are_on_shell(mapping, (0.0, 0.0, MASS))
    laws.mapping_conserves_momentum(mapping)
    laws.mapping_gives_no_nan_at_edges_of_the_cube(mapping)
    laws.mapping_is_zero_outside_the_cube(mapping)
    laws.mapping_inverse_is_zero_outside_the_support(mapping)
    laws.mapping_does_not_depend_on_neighbours(mapping)
    laws.mapping_serves_empty_batches(mapping)
    again = pickle.loads(pickle.dumps(mapping))
    np.testing.assert_array_equal(
        again.forward(np.array([[0.3]]))[0], mapping.forward(np.array([[0.3]]))[0]
    )


@pytest.mark.parametrize("mass", [0.0, 11000.0])
def test_a_mass_that_the_beams_cannot_make_is_refused(mass: float) -> None:
    with pytest.raises(
        InputError,
        match=rf"a single final particle with a mass between 0 and 10198 GeV; got {mass:g} GeV",
    ):
        OnShellMapping(BEAMS, mass)


def luminosity(quark: int, antiquark: int, mass: float) -> float:
    """int dx1 dx2 delta(x1 x2 S - M^2) [f_q(x1) f_qbar(x2) + f_qbar(x1) f_q(x2)] in GeV^-2."""
    pdf, s = load_pdf("toy"), 4 * BEAMS[0] * BEAMS[1]
    highest = math.log(math.sqrt(s) / mass)
    y = highest * (np.arange(20_000) - 9999.5) / 10_000
    (q1, a1), (q2, a2) = (
        pdf.density([quark, antiquark], x, MASS**2).T / x
        for x in (mass / math.sqrt(s) * np.exp(sign * y) for sign in (1, -1))
    )
    return float((q1 * a2 + a1 * q2).mean() * 2 * highest / s)


def narrow(partial_width: float, mass: float) -> float:
    """q qbar -> V in pb GeV^2 for its width into them: 4 pi^2 Gamma / (3 M)."""
    return PICOBARN * 4 * math.pi**2 * partial_width / (3 * mass)


def widths(model: Model) -> tuple[dict[int, float], float, float]:
    """Widths of the Z into pairs of quarks, of the W into u d~, and the mass of the W, in GeV."""
    alpha, gf = 1 / model["aEWM1"], model["Gf"]
    mw2 = MASS**2 / 2 + math.sqrt(MASS**4 / 4 - math.pi * alpha * MASS**2 / (math.sqrt(2) * gf))
    s2, mw = 1 - mw2 / MASS**2, math.sqrt(mw2)

    def of_z(charge: float, isospin: float) -> float:
        left, right = isospin - charge * s2, -charge * s2
        return 3 * alpha * MASS / (6 * s2 * (1 - s2)) * (left**2 + right**2)

    return {1: of_z(-1 / 3, -0.5), 2: of_z(2 / 3, 0.5)}, 3 * alpha * mw / (12 * s2), mw


def test_the_z_has_the_cross_section_of_its_width() -> None:
    made = process("p p > z")
    of_z, _, _ = widths(made.model)
    truth = sum(
        narrow(of_z[2 - code % 2], MASS) * luminosity(code, -code, MASS) for code in (1, 2, 3, 4)
    )
    _, result = train_vegas(CrossSection(made), VegasSettings(points=20_000), seed=1)
    assert result.error < 2e-3 * truth
    assert abs(result.value - truth) < 5 * result.error


def test_the_w_has_the_cross_section_of_its_width() -> None:
    made = process("p p > w+")
    _, of_w, mass = widths(made.model)
    truth = narrow(of_w, mass) * (luminosity(2, -1, mass) + luminosity(4, -3, mass))
    _, result = train_vegas(CrossSection(made), VegasSettings(points=20_000), seed=1)
    assert abs(result.value - truth) < 5 * result.error


def test_a_run_trains_and_makes_events_of_one_particle(tmp_path: Path) -> None:
    made = process("p p > z", training={"preset": "quick", "steps": 10})
    run = Run(made, tmp_path, 1)
    run.integrate(20_000)
    momenta = np.concatenate([batch.momenta for batch in open_events(run.generate(500))])
    assert len(momenta) == 500
    squares = momenta[:, 2, 0] ** 2 - (momenta[:, 2, 1:] ** 2).sum(axis=1)
    assert squares == pytest.approx(MASS**2, rel=1e-6)


def test_partons_of_one_energy_do_not_make_a_single_particle() -> None:
    with pytest.raises(
        CardError, match="two smooth parton densities or two or more final particles to integrate"
    ):
        _ = process("u u~ > z", "none").channels


def test_beams_below_the_mass_are_refused() -> None:
    with pytest.raises(
        CardError, match=r"beams\.energy: .*a mass between 0 and 20 GeV; got 91.188 GeV"
    ):
        _ = process("p p > z", beams={"energy": [10.0, 10.0], "pdf": "toy"}).channels


@pytest.mark.parametrize("scale", ["ht/2", "sum_et"])
def test_scales_of_transverse_momenta_are_refused(scale: str) -> None:
    with pytest.raises(
        CardError,
        match=rf'scales\.renormalization: expected .* for a single final .*; got "{scale}"',
    ):
        process("p p > z", scales={"factorization": 91.188, "renormalization": scale})


def test_three_massless_particles_are_refused() -> None:
    with pytest.raises(
        CardError,
        match=r"process\.definition: expected a mass among three particles; got \"p p > a\"",
    ):
        process("p p > a")
