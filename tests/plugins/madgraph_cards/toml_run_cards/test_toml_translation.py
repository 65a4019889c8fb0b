"""run_card.toml of MadGraph 7 becomes a card, or is refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_cards import DAT, INFINITE, TOML, TOP, cuts_of, imported

from madnis_py.card.card import load
from madnis_py.errors import CardError

JETS = "jet = [1, 2, 3, 4, -1, -2, -3, -4, 21]"


def test_both_formats_of_the_same_run_card_mean_the_same(tmp_path: Path) -> None:
    dat, _ = imported(DAT.replace("0.5  = scalefact", "1.0  = scalefact"), tmp_path)
    toml, rest = imported(TOML, tmp_path, "run_card.toml")
    assert toml.digest() == dat.digest()
    assert rest.options == {"--events": 20000, "--seed": 17}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("= 3", "= = 3", None),
        (
            'pdf = "NNPDF40_lo_as_01180"',
            'pdf1 = "A"\npdf2 = "B"',
            "beam.pdf1 = A, beam.pdf2 = B: each beam has its own",
        ),
        ("fact_scale2 = 173.0", "fact_scale2 = 100.0", "each beam has its own factorisation scale"),
        (
            '"half_transverse_mass"',
            '"clustering"',
            "beam.dynamical_scale_choice: expected one of .*; got clustering",
        ),
        ("jet-pt.min = 20.0", "jet-pt.min = nan", "cuts.jet-pt.min: expected a number; got nan"),
        ("jet-pt.min = 20.0", "jet-pt.min = [[1]]", "cuts.jet-pt.min: expected a number"),
        (
            "jet-pt.min = 20.0",
            "jet-sum-eta_abs.min = 2.0",
            "cuts.jet-sum-eta_abs.min = 2.0: no cut of ours does this",
        ),
        (
            "jet-pt.min = 20.0",
            'jet-pt.mode = "any"',
            "cuts.jet-pt.mode = any: no cut of ours does this",
        ),
        (
            "jet-pt.min = 20.0",
            "boson-pt.min = 20.0",
            "cuts.boson-pt.min: expected one of the groups jet, bottom",
        ),
        (
            "jet-pt.min = 20.0",
            "jet-e.min = 20.0",
            "cuts.jet-e.min = 20.0: the frame of the energy is not told",
        ),
        (
            "jet_1-pt.min = 40.0",
            "jet_2-pt.min = 40.0",
            "it asks for 2 particles, the process has 1 for sure",
        ),
        (JETS, "jet = [1, 2, 21]", "it asks for 1 particles, the process has 0 for sure"),
        (JETS, 'jet = "all"', "multiparticles.jet: expected a list of PDG codes; got all"),
        ("leptonic = false", "leptonic = 1", "beam.leptonic: expected true or false; got 1"),
        (
            "leptonic = false",
            "leptonic = false\npolarisation = 1",
            "beam.polarisation = 1: it is not known",
        ),
        (
            "enable = false",
            "enable = true\ntogether = false",
            "systematics: weights other than those of factors",
        ),
        (
            "seed = 17",
            "seed = 17\ndummy_matrix_element = true",
            r"dummy_matrix_element = true: there is no \|M\|\^2",
        ),
        (
            "seed = 17",
            f"seed = {'[' * 3000}{']' * 3000}",
            "expected at most 20 tables and lists in each other; got more",
        ),
        (
            "seed = 17",
            "seed." + ".".join("a" * 300) + " = 17",
            "expected at most 20 tables and lists in each other",
        ),
        ("seed = 17", f"seed = {'9' * 5000}", "expected TOML; Exceeds the limit"),
        ("seed = 17", f"seed = {'9' * 400}", "run.seed: expected a number; got 999"),
        ("seed = 17", "seed = 1.5", "run.seed: expected a whole number; got 1.5"),
        ("seed = 17", "seed = = 17", "expected TOML; "),
    ],
)
def test_what_a_card_of_madgraph_7_says_is_translated_or_refused(
    tmp_path: Path, old: str, new: str, sentence: str | None
) -> None:
    if sentence is None:
        assert imported(TOML, tmp_path, "run_card.toml")[1].untranslated == []
        return
    assert old in TOML
    with pytest.raises(CardError, match=f"run_card.toml: .*{sentence}"):
        imported(TOML.replace(old, new), tmp_path, "run_card.toml")


def test_sums_of_momenta_and_of_transverse_momenta_are_those_of_systems_and_ranks(
    tmp_path: Path,
) -> None:
    groups = "[multiparticles]\nalllepton = [11, -11, 12, -12]\nheavy = [23, 6, -6]\n"
    cuts = """[cuts]
alllepton-sum-mass.min = 50.0
alllepton-sum-pt.max = 300.0
jet_1-jet_2-pt-sum.min = 100.0
jet_1-jet_2-jet_3-pt-sum.min = 120.0
jet_1-jet_2-sum-mass.min = 200.0
jet-jet-sum-mass.max = 900.0
heavy-lepton-sum-pt.min = 30.0
heavy_1-pt.min = 60.0
"""
    definition = "u d~ > z e+ ve g g g"
    card, rest = imported(groups + cuts, tmp_path, "run_card.toml", definition=definition)
    assert rest.untranslated == []
    assert cuts_of(card) == {
        "e+|ve": {"system_mass": (50.0, INFINITE), "system_pt": (-INFINITE, 300.0)},
        "jet[1],jet[2]": {"ht": (100.0, INFINITE), "mass": (200.0, INFINITE)},
        "jet[1],jet[2],jet[3]": {"ht": (120.0, INFINITE)},
        "jet,jet": {"mass": (-INFINITE, 900.0)},
        "z,lepton": {"pt_sum": (30.0, INFINITE)},
        "z[1]": {"pt": (60.0, INFINITE)},
    }


def test_what_a_card_says_stays_inside_the_comment_that_names_it(tmp_path: Path) -> None:
    text = '[beam]\npdf1 = "A\\n[process]\\u0000"\npdf2 = "B"\n'
    card, rest = imported(text, tmp_path, "run_card.toml", force=True)
    (tmp_path / "card.toml").write_text(rest.to_toml(card))
    assert load(tmp_path / "card.toml").process.definition == TOP


def test_a_card_of_madgraph_7_has_its_own_defaults(tmp_path: Path) -> None:
    card, _ = imported("[run]\n", tmp_path, "run_card.toml")
    assert (card.beams.energy, card.beams.pdf) == ((6500.0, 6500.0), "NNPDF40_lo_as_01180")
    assert (card.scales.renormalization, card.scales.factorization) == ("sum_mt/2", "sum_mt/2")
    assert card.cuts.by_name == {}
