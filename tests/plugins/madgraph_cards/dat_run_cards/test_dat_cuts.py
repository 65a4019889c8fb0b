"""Cuts of a run_card.dat mean in our cards what MadEvent means, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from run_cards import INFINITE, SMALL, cuts_of, import_run_card, imported

from madnis_py.arrays import Array
from madnis_py.errors import CardError
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.observables.cuts import Ranked, RankedCut
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.process.process import Process


@pytest.mark.parametrize(
    ("definition", "entries", "expected"),
    [
        (
            "p p > b b~",
            "2.5 = etab\n5 = ptb",
            {"bottom": {"pt": (5.0, INFINITE), "rapidity": (-INFINITE, 2.5)}},
        ),
        ("p p > ta+ ta-", "0 = drll\n0 = ptl", {"lepton": {"rapidity": (-INFINITE, 2.5)}}),
        (
            "p p > h, h > b b~",
            "5 = ptb\n2.5 = etab\n30 = xptb",
            {"bottom[1]": {"pt": (30.0, INFINITE)}},
        ),
        (
            "p p > h, h > b b~",
            "5 = ptb\nT = cut_decays",
            {"bottom": {"pt": (5.0, INFINITE)}},
        ),
        (
            "p p > t t~",
            "{6: 50} = pt_min_pdg",
            {"t": {"pt": (50.0, INFINITE)}, "t~": {"pt": (50.0, INFINITE)}},
        ),
        (
            "p p > t t~",
            "{6: 500} = mxx_min_pdg\n{'default': True} = mxx_only_part_antipart",
            {"t,t~": {"mass": (500.0, INFINITE)}},
        ),
        ("p p > z h", "{25: 2.0, 99: 1} = eta_max_pdg", {"h": {"rapidity": (-INFINITE, 2.0)}}),
        (
            "p p > e+ ve h",
            "10 = ptl\n-1 = etal\n50 = mmnl\n20 = ptllmin\n15 = misset",
            {
                "lepton": {"pt": (10.0, INFINITE)},
                "lepton,missing": {"pt_sum": (20.0, INFINITE)},
                "lepton|missing": {"system_mass": (50.0, INFINITE)},
                "event": {"missing_pt": (15.0, INFINITE)},
            },
        ),
        (
            "p p > e+ e- h",
            "0 = drll\n-1 = etal\n30 = ptllmin\n0 = ptl\n60 = mmll\n120 = mmllmax",
            {"lepton": {"sfos_mass": (60.0, 120.0)}, "e+,e-": {"pt_sum": (30.0, INFINITE)}},
        ),
        ("p p > z j", "50 = ptheavy\n0 = ptj\n-1 = etaj", {"z": {"pt": (50.0, INFINITE)}}),
        (
            "p p > j j",
            "0 = drjj\n-1 = etaj\n0 = ptj\n100 = ht2min\n80 = ihtmin\n500 = mmjj",
            {
                "jet": {"ht": (80.0, INFINITE)},
                "jet[1],jet[2]": {"ht": (100.0, INFINITE)},
                "jet,jet": {"mass": (500.0, INFINITE)},
            },
        ),
        ("p p > t t~", "100 = ptheavy", {"t|t~[1]": {"pt": (100.0, INFINITE)}}),
        (
            "p p > z j j j",
            "0 = drjj\n-1 = etaj\n100 = ht2min\n400 = ht2max\n150 = ht3min",
            {
                "jet": {"pt": (20.0, INFINITE)},
                "jet[1],jet[2]": {"ht": (100.0, 400.0)},
                "jet[1],jet[2],jet[3]": {"ht": (150.0, INFINITE)},
            },
        ),
        (
            "p p > z j j",
            "0 = drjj\n0.5 = xetamin\n4 = deltaeta\n-1 = etaj",
            {
                "jet": {"pt": (20.0, INFINITE)},
                "jet[1],jet[2]": {"eta_product": (-INFINITE, 0.0), "deta": (4.0, INFINITE)},
                "jet[1]": {"eta": (0.5, INFINITE)},
                "jet[2]": {"eta": (0.5, INFINITE)},
            },
        ),
        ("p p > z j", "4 = deltaeta\n-1 = etaj", {"jet": {"pt": (20.0, INFINITE)}}),
        (
            "p p > e+ ve j",
            "0 = ptl\n-1 = etal\n0 = drjl\n-1 = etaj\n50 = mmnl\n300 = mmnlmax\n30 = ej",
            {
                "jet": {"pt": (20.0, INFINITE), "partonic_energy": (30.0, INFINITE)},
                "lepton|missing": {"system_mass": (50.0, 300.0)},
            },
        ),
        (
            "p p > t t~",
            "{6: 200} = e_min_pdg",
            {name: {"partonic_energy": (200.0, INFINITE)} for name in ("t", "t~")},
        ),
    ],
)
def test_cuts_mean_what_madevent_means(
    tmp_path: Path,
    definition: str,
    entries: str,
    expected: dict[str, dict[str, tuple[float, float]]],
) -> None:
    assert {
        names: ranges
        for names, ranges in cuts_of(
            imported(f"{SMALL}{entries}\n", tmp_path, definition=definition)[0]
        ).items()
        if names != "b,b~"
    } == expected


PHOTONS = "0 = drjj\n-1 = etaj\n-1 = etaa\n-1 = etal\n0 = drjl\n0 = drll\n0 = draa\n0 = dral\n"


def photon_of(text: str, tmp_path: Path, definition: str) -> dict[str, Any]:
    """The entry of photons in an imported card."""
    card, _ = imported(SMALL + PHOTONS + text, tmp_path, definition=definition)
    assert not any("dr" in table.ranges() for table in card.cuts.by_name.values())
    return card.cuts.by_name["photon"].model_dump(exclude_none=True)


def test_smooth_isolation_takes_the_place_of_least_p_t_and_distance_of_photons(
    tmp_path: Path,
) -> None:
    assert photon_of("10 = pta\n15 = ptgmin\n", tmp_path, "p p > a j") == {
        "pt_min": 15.0,
        "isolation": {
            "radius": 0.4,
            "exponent": 1.0,
            "epsilon": 1.0,
            "partons": "jet",
            "electromagnetic": True,
        },
    }
    entries = "15 = ptgmin\n0.7 = R0gamma\n-2 = xn\n0.5 = epsgamma\nF = isoEM\n5 = maxjetflavor\n"
    assert photon_of(entries, tmp_path, "g g > a b b~ g")["isolation"] == {
        "radius": 0.7,
        "exponent": 2.0,
        "epsilon": 0.5,
        "partons": "b|b~|g",
        "electromagnetic": False,
    }


def test_isolated_photons_of_decays_have_the_least_p_t_too(tmp_path: Path) -> None:
    card, _ = imported(SMALL + "15 = ptgmin\n0 = ptj\n", tmp_path, definition="p p > h j, h > a a")
    assert card.cuts.spare_decay_products
    assert card.cuts.by_name["photon[2]"].ranges() == {"pt": (15.0, INFINITE)}
    assert card.cuts.by_name["photon"].isolation is not None


def test_events_pass_the_imported_isolation_that_madevent_keeps(tmp_path: Path) -> None:
    """Two photons, isolated from the gluon, and apart from that from each other and the lepton."""
    text = SMALL + PHOTONS + "0 = ptl\n0 = ptj\n5 = ptgmin\n1.2 = R0gamma\n"
    card, _ = imported(text, tmp_path, definition="u d~ > a a e+ ve g")
    process = Process.from_card(card)
    rng = np.random.default_rng(4)
    p = as_momenta(np.zeros((5000, 7, 4)))
    p[:, :, 1:] = rng.normal(size=(5000, 7, 3)) * 60
    p[:, :, 0] = np.sqrt((p[:, :, 1:] ** 2).sum(axis=2))

    def chi(photon: int, others: tuple[int, ...]) -> NDArray[np.bool_]:
        deta = [rapidity(p[:, k]) - rapidity(p[:, photon]) for k in others]
        phi = np.arctan2(p[..., 2], p[..., 1])
        dphi = [np.angle(np.exp(1j * (phi[:, k] - phi[:, photon]))) for k in others]
        r = np.hypot(deta, dphi)
        inside = np.array([np.where(r <= one, pt(p[:, list(others)]).T, 0).sum(0) for one in r])
        share = pt(p[:, photon]) * (1 - np.cos(r)) / (1 - np.cos(1.2))
        return np.asarray(((inside <= share) | (r > 1.2)).all(axis=0))

    pairs = ((2, (6,)), (3, (6,)), (2, (3, 4)), (3, (2, 4)))
    isolated = [chi(photon, others) for photon, others in pairs]
    passed = Acceptance(process.selection).passes(p)
    hard = [pt(p[:, photon]) >= 5 for photon in (2, 3)]
    np.testing.assert_array_equal(passed, np.all([*hard, *isolated], axis=0))
    assert 0.1 < passed.mean() < 0.9


def test_isolation_that_madevent_leaves_out_with_its_cuts_on_jets_is_refused(
    tmp_path: Path,
) -> None:
    text = SMALL + "15 = ptgmin\n2 = deltaeta\n"
    with pytest.raises(CardError, match="ptgmin = 15: with xetamin or deltaeta MadEvent isolates"):
        imported(text, tmp_path, definition="p p > z a j")
    assert imported(text, tmp_path, definition="p p > z j")[1].untranslated == []


def rapidity(p: Array) -> Array:
    return np.asarray(np.log((p[..., 0] + p[..., 3]) / (p[..., 0] - p[..., 3])) / 2)


def pt(p: Array) -> Array:
    return np.hypot(p[..., 1], p[..., 2])


def mass(p: Array) -> Array:
    return np.asarray(np.sqrt(p**2 @ [1, -1, -1, -1]))


def falling_pt(p: Array) -> Array:
    return np.take_along_axis(p, np.argsort(-pt(p), axis=1)[:, :, None], axis=1)


def partonic_energy(p: Array, leg: int) -> Array:
    """After a boost along the beam into the frame where the incoming momenta are opposite."""
    total = p[:, 0] + p[:, 1]
    beta = total[:, 3] / total[:, 0]
    return np.asarray((p[:, leg, 0] - beta * p[:, leg, 3]) / np.sqrt(1 - beta**2))


JETS, LEPTONS = "g g > t t~ g g g", "u u~ > e+ e- ve ve~ g"
PASSCUTS: dict[str, tuple[str, Callable[[Array], ArrayLike]]] = {
    "2 = deltaeta": (
        JETS,
        lambda p: (
            (rapidity(falling_pt(p[:, 4:])[:, 0]) * rapidity(falling_pt(p[:, 4:])[:, 1]) <= 0)
            & (np.abs(rapidity(falling_pt(p[:, 4:])[:, :2]) @ [1, -1]) >= 2)
        ),
    ),
    "0.4 = xetamin": (
        JETS,
        lambda p: (
            (rapidity(falling_pt(p[:, 4:])[:, :2]).prod(axis=1) <= 0)
            & (np.abs(rapidity(falling_pt(p[:, 4:])[:, :2])) >= 0.4).all(axis=1)
        ),
    ),
    "120 = ht2min\n200 = ht2max": (
        JETS,
        lambda p: (
            (pt(falling_pt(p[:, 4:])[:, :2]).sum(axis=1) >= 120)
            & (pt(falling_pt(p[:, 4:])[:, :2]).sum(axis=1) <= 200)
        ),
    ),
    "180 = ht3min": (JETS, lambda p: pt(p[:, 4:]).sum(axis=1) >= 180),
    "80 = ptheavy": (JETS, lambda p: pt(p[:, 2:4]).max(axis=1) > 80),
    "60 = ej": (
        JETS,
        lambda p: np.all([partonic_energy(p, leg) > 60 for leg in (4, 5, 6)], axis=0),
    ),
    "{6: 300} = e_max_pdg": (
        JETS,
        lambda p: np.all([partonic_energy(p, leg) <= 300 for leg in (2, 3)], axis=0),
    ),
    "200 = mmnl\n400 = mmnlmax": (
        LEPTONS,
        lambda p: (mass(p[:, 2:6].sum(axis=1)) >= 200) & (mass(p[:, 2:6].sum(axis=1)) <= 400),
    ),
    "60 = misset": (LEPTONS, lambda p: pt(p[:, 4] + p[:, 5]) >= 60),
    "30 = ptllmin": (  # charged leptons of one flavour, and all pairs with a neutrino
        LEPTONS,
        lambda p: np.all(
            [pt(p[:, a] + p[:, b]) >= 30 for a, b in combinations((2, 3, 4, 5), 2)], axis=0
        ),
    ),
}
"""Entries -> what MadEvent's `passcuts` asks for, written out with numpy."""


@pytest.mark.parametrize("entries", PASSCUTS)
def test_events_pass_the_imported_cuts_that_madevent_keeps(tmp_path: Path, entries: str) -> None:
    definition, expected = PASSCUTS[entries]
    off = "".join(f"0 = {name}\n" for name in ("ptj", "ptl", "drjj", "drll", "drjl"))
    text = f"{SMALL}{off}-1 = etaj\n-1 = etal\n{entries}\n"
    process = Process.from_card(imported(text, tmp_path, definition=definition)[0])
    rng = np.random.default_rng(1)
    p = as_momenta(np.zeros((4000, 7, 4)))
    p[:, 2:, 1:] = rng.normal(size=(4000, 5, 3)) * 60
    masses = [process.model.mass(pdg) for pdg in process.flavours[0][2:]]
    p[:, 2:, 0] = np.sqrt((p[:, 2:, 1:] ** 2).sum(axis=2) + np.square(masses))
    p[:, 2, 1:3] -= p[:, 2:, 1:3].sum(axis=1)
    p[:, 2, 0] = np.sqrt((p[:, 2, 1:] ** 2).sum(axis=1) + masses[0] ** 2)
    energy, pz = p[:, 2:, 0].sum(axis=1), p[:, 2:, 3].sum(axis=1)
    p[:, 0, 0] = p[:, 0, 3] = (energy + pz) / 2
    p[:, 1, 0], p[:, 1, 3] = (energy - pz) / 2, (pz - energy) / 2
    passed = Acceptance(process.selection).passes(p)
    np.testing.assert_array_equal(passed, expected(p))
    assert 0.02 < passed.mean() < 0.98


def test_flavours_that_are_jets_in_madgraph_only_are_cut_on_by_name(tmp_path: Path) -> None:
    text = SMALL + "5 = maxjetflavor\n0 = drjj\n-1 = etaj\n"
    card, _ = imported(text, tmp_path, definition="g g > b b~")
    assert cuts_of(card) == {"b": {"pt": (20.0, INFINITE)}, "b~": {"pt": (20.0, INFINITE)}}
    card, _ = imported(text + "30 = xptj\n4 = deltaeta\n", tmp_path, definition="g g > b b~ g")
    ranked = {names: ranges for names, ranges in cuts_of(card).items() if "[" in names}
    assert ranked == {
        "b|b~|g[1]": {"pt": (30.0, INFINITE)},
        "b|b~|g[1],b|b~|g[2]": {"eta_product": (-INFINITE, 0.0), "dy": (4.0, INFINITE)},
    }


def test_cuts_spare_decay_products(tmp_path: Path) -> None:
    text = SMALL + "10 = ptl\n-1 = etal\n0 = drll\n0 = drjl\n"
    spared = cuts_of(imported(text, tmp_path, definition="p p > w+ z, w+ > e+ ve, z > mu+ mu-")[0])
    assert not any("pt" in ranges for ranges in spared.values())
    card, _ = imported(text, tmp_path, definition="p p > w+ e+ e-, w+ > e+ ve")
    pt_cuts = [cut for cut in Process.from_card(card).cuts if cut.observable == "pt"]
    assert [cut.particles for cut in pt_cuts] == [(4,), (5,)]
    card, _ = imported(text + "T = cut_decays\n", tmp_path, definition="p p > w+ e+ e-, w+ > e+ ve")
    pt_cuts = [cut for cut in Process.from_card(card).cuts if cut.observable == "pt"]
    assert [cut.particles for cut in pt_cuts] == [(2,), (4,), (5,)]


def test_cuts_on_ranks_sums_and_missing_momentum_do_not_spare_decay_products(
    tmp_path: Path,
) -> None:
    text = SMALL + "0 = ptl\n-1 = etal\n0 = drjj\n0 = drll\n0 = drjl\n-1 = etaj\n"
    text += "40 = ptj1min\n100 = htjmin\n30 = misset\n25 = ptllmin\n"
    card, _ = imported(text, tmp_path, definition="p p > w+ w- j, w+ > e+ ve, w- > d u~")
    process = Process.from_card(card)
    found = {(cut.observable, cut.particles) for cut in process.cuts if cut.observable != "mass"}
    assert found == {("pt", (6,)), ("ht", (4, 5, 6)), ("pt", (3,)), ("pt_sum", (2, 3))}
    (hardest,) = (cut for cut in process.selection.common if isinstance(cut, RankedCut))
    assert hardest.particles == (Ranked((4, 5, 6), 1),)


def test_decaying_particles_of_a_chain_are_within_bwcutoff_widths_of_their_mass(
    tmp_path: Path,
) -> None:
    text = SMALL + "10 = bwcutoff\n"
    card, _ = imported(text, tmp_path, definition="p p > t t~, (t > b w+, w+ > e+ ve), t~ > b~ w-")
    process = Process.from_card(card)
    windows = {cut.particles: (cut.minimum, cut.maximum) for cut in process.cuts}
    assert {
        particles: pytest.approx(
            [process.model.mass(pdg) + side * process.model.width(pdg) for side in (-10, 10)]
        )
        for particles, pdg in (((2, 3, 4), 6), ((3, 4), 24), ((5, 6), 6))
    } == windows
    assert process.card.events.resonance_widths == 10.0


def test_without_resonances_on_their_mass_shell_there_are_no_decays(tmp_path: Path) -> None:
    text = SMALL + "0 = bwcutoff\n"
    with pytest.raises(CardError, match=r"bwcutoff = 0: no decaying particle is on its mass"):
        imported(text, tmp_path, definition="p p > z z, z > e+ e-")
    card, _ = imported(text, tmp_path, definition="p p > z z")
    assert card.resonance_widths == 0


def test_an_imported_decay_chain_has_the_cross_section_of_madgraph(tmp_path: Path) -> None:
    """0.1520 pb at 600 GeV with bwcutoff = 15; without windows 0.1633 pb."""
    (tmp_path / "run_card.dat").write_text(
        "0 = lpp1\n0 = lpp2\n300 = ebeam1\n300 = ebeam2\nT = fixed_ren_scale\n5 = maxjetflavor\n"
    )
    (tmp_path / "param_card.dat").write_text("BLOCK MASS\n 5 0.0\nBLOCK YUKAWA\n 5 0.0\n")
    definition = "u u~ > t t~, (t > b w+, w+ > e+ ve), (t~ > b~ w-, w- > mu- vm~)"
    card, _ = import_run_card(tmp_path / "run_card.dat", definition, tmp_path / "param_card.dat")
    _, result = train_vegas(
        CrossSection(Process.from_card(card)), VegasSettings(points=20_000), seed=1
    )
    assert result.error / result.value < 5e-3
    assert abs(result.value - 0.1520) < 3 * result.error
