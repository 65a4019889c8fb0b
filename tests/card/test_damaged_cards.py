"""Damaged cards, definitions and files of momenta are computed, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from madnis_py.card.card import Card, load
from madnis_py.errors import MadnisError
from madnis_py.physics.diagrams import recursion
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.evaluation import evaluate_points
from madnis_py.physics.process.process import Process

TTBAR = 'process.definition = "g g > t t~"\n'
DEEP = "[" * 3000 + "1" + "]" * 3000
LONG = "x" * 5000
MANY_DIGITS = "9" * 400


def built(folder: Path, text: str) -> Process:
    (folder / "card.toml").write_text(text, encoding="utf-8")
    return Process.from_card(load(folder / "card.toml"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            TTBAR + f"beams.energy = {DEEP}",
            "expected at most 20 tables and lists in each other; got more",
        ),
        (
            TTBAR + "training.x = " + "{a = " * 3000 + "1" + "}" * 3000,
            "expected at most 20 tables and lists",
        ),
        (
            TTBAR + "training." + ".".join("a" * 300) + " = 1",
            "expected at most 20 tables and lists",
        ),
        (
            TTBAR + "cluster.options.x = " + "[" * 200 + "]" * 200,
            "expected at most 20 tables and lists",
        ),
        (TTBAR + f"training.steps = {'9' * 5000}", "expected TOML; Exceeds the limit"),
        (
            TTBAR + f"training.steps = {MANY_DIGITS}",
            r"training.steps: expected a number, .*; got 99.*\.\.\.",
        ),
        (
            TTBAR + f"cluster.workers = {MANY_DIGITS}",
            "cluster.workers: expected a whole number > 0; got 99",
        ),
        (
            TTBAR + f"histograms.ht.bins = {MANY_DIGITS}",
            "histograms.ht.bins: expected a whole number from 1 to 100000",
        ),
        (
            TTBAR + f"beams.energy = [{MANY_DIGITS}, 1]",
            r"beams.energy\[0\]: expected GeV >= 0; got 99",
        ),
        (TTBAR + "beams.energy = [nan, inf]", r"beams.energy\[0\]: expected GeV >= 0; got NaN"),
        (TTBAR + "cuts.t.pt_min = nan", "cuts.t.pt_min: expected GeV >= 0; got NaN"),
        (
            TTBAR + "events.nevents = 1000",
            "events.nevents: unknown key; it is one of the command, madnis-py run CARD --events N",
        ),
        (TTBAR + f'cuts."jet[{"9" * 5000}]".pt_min = 1', "unknown particle or class"),
        (TTBAR + f'histograms."pt(jet[{"9" * 5000}])".bins = 3', "unknown particle or class"),
        (
            TTBAR + 'parameters.param_card = "a\\u0000b"',
            "expected names that files can have; got: embedded null byte",
        ),
        (
            TTBAR + f'parameters.param_card = "{LONG}"',
            "expected a readable param_card; got: File name too long",
        ),
        (
            TTBAR + 'parameters.param_card = "~nouser/x"',
            "expected a readable param_card; got: No such file",
        ),
        (
            TTBAR + 'process.matrix_element = {provider = "umami", library = "a\\u0000b.so"}',
            "embedded null byte",
        ),
        (
            TTBAR + f'process.matrix_element = {{provider = "umami", library = "{LONG}"}}',
            "expected a file",
        ),
        (f'process.definition = "{LONG}"', "expected .incoming > outgoing"),
        (
            f'process.definition = "p p > t t~, {"(" * 3000}t > b w+{")" * 3000}"',
            "expected at most 20 brackets",
        ),
        (
            f'process.definition = "p p > {"j " * 2000}"',
            "expected at most 8 outgoing particles of a step; got 2,000",
        ),
        ('process.definition = "p p > e+ e-\\u0000"', "unknown particle"),
        (
            f'process.definition = "p p > e+ e- QED={"9" * 5000}"',
            "expected a coupling order as QCD=2",
        ),
    ],
)
def test_a_card_that_no_one_writes_is_refused_in_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(MadnisError, match=sentence):
        built(tmp_path, text)


@pytest.mark.parametrize(
    "name", ["a\0b", LONG, "~nouser/x", "~nouser", f"{LONG}/{LONG}", "/dev/null", "."]
)
def test_a_name_that_no_set_of_densities_has_is_refused(name: str) -> None:
    with pytest.raises(MadnisError, match="PDF set"):
        load_pdf(name)


def process_of(definition: str) -> Process:
    return Process.from_card(
        Card.parse({"process": {"definition": definition}, "beams": {"pdf": "toy"}})
    )


@pytest.mark.parametrize(
    "variants",
    [
        (
            "p p > e+ e-",
            "P P > E+ E-",
            "  p\tp>e+  e-",
            "p p > e+ e- QED=2",
            "p p > e+ e- QED <= 2 QCD=0",
        ),
        (
            "p p > e+ e-",
            "p p > e+ e- WEIGHTED=4",
            "p p > e+ e- WEIGHTED<=4",
            "p p > e+ e- QCD=99 QED=99",
        ),
        ("p p > e+ e- / a", "p p > e+ e- / a h", "p p > e+ e- / w+ a"),
        (
            "g g > t t~, (t > b w+, w+ > e+ ve), t~ > b~ w-",
            "g g > t t~, t~ > b~ w-, (t > b w+, w+ > e+ ve)",
            "g g > t t~, (t > b w+, (w+ > e+ ve)), (t~ > b~ w-)",
            "g g > t t~,(t>b w+,w+>e+ ve),t~>b~ w-",
        ),
        ("u u~ > z z, z > e+ e-", "u u~ > z z, z > e+ e-, z > e+ e-"),
    ],
)
def test_spellings_of_one_process_have_the_same_diagrams(variants: list[str]) -> None:
    def lines(process: Process) -> Any:
        return [
            (one.flavours, [diagram.propagators for diagram in process.diagrams(one)])
            for one in process.groups
        ]

    expected = lines(process_of(variants[0]))
    assert len(expected[0][1]) > 0
    for definition in variants[1:]:
        assert lines(process_of(definition)) == expected


@pytest.mark.parametrize(
    ("definition", "number"),
    [
        ("p p > e+ e- a / h z", 4),
        ("p p > t t~, (t > b w+, w+ > e+ ve)", 3),
        ("p p > w+ w-, w+ > l+ vl, w- > j j", 3),
        ("p p > vl l+", 1),
        ("p p > z", 1),
        ("p p > t t~ / g", 2),
        ("p p > b b~ h", 8),
        ("p p > t t~ t t~", 72),
        ("p p > z z, z > e+ e-, z > mu+ mu-", 2),
    ],
)
def test_unusual_definitions_have_the_diagrams_of_madgraph(definition: str, number: int) -> None:
    process = process_of(definition)
    assert len(process.diagrams(process.groups[0])) == number


NONE = "expected a process with tree diagrams"


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("p p > e+ e- / a z", NONE),
        ("p p > e+ e- QED=0", NONE),
        ("p > e+ e-", NONE),
        ("p p > e+ ve~", NONE),
        ("p p > h", NONE),
        ("h > b b~, b > c w-", NONE),
        ("p p > e+ e- QED==3", "expected a process with tree diagrams"),
        ("p p > e+ e- QED^2==5", "expected a process with tree diagrams"),
        ("p p > e+ e- QED>=2", "expected a coupling order as QCD=2, QCD<=2"),
        ("p p > e+ e- QED=-1", "expected a coupling order"),
        ("p p > e+ e- QED=1.5", "expected a coupling order"),
        ("p p > e+ e- QED=2 QED=3", "expected every coupling order once"),
        ("p p > e+ e- BSM=0", 'unknown coupling order "BSM"'),
        ("p p > e+ e- QED=", "expected a coupling order"),
        ("p p > h > e+ e-", "expected a process with tree diagrams"),
        ("p p > z|q > e+ e-", 'unknown particle "q"'),
        ("p p > e+ e- $ q", 'unknown particle "q"'),
        ("p p > e+ e- $$ z a", "expected a process with tree diagrams"),
        ("p p > e+ e- @", 'expected particles, orders or restrictions; got " @"'),
        ("p p > e+ e- [noborn=QCD]", "loops"),
        ("p p > w+{2} w-", "expected polarisations of w"),
        ("p p > e+ e- --no_warning=duplicate", "expected a coupling order"),
        ("generate p p > e+ e-", 'unknown particle "generate"'),
        ("add process p p > e+ e-", 'unknown particle "add"'),
        ("p p > e+ e-; p p > mu+ mu-", 'unknown particle "e-;"'),
        ("p p > e+ e- # comment", 'unknown particle "#"'),
        ("p p > e+ e- /", 'expected particles after "/"'),
        ("p p > e+ e- / / a", 'expected particles after "/"'),
        ("p p > > e+ e-", 'expected "incoming > outgoing'),
        ("> e+ e-", 'expected "incoming > outgoing'),
        ("p p >", 'expected "incoming > outgoing'),
        ("p p", 'expected "incoming > outgoing'),
        ("p p p > e+ e-", "expected one or two incoming particles"),
        ("e+ e- > e+", "conserves electric charge"),
        ("p p > e+ e+", "conserves electric charge"),
        ("j > u", "expected a decay into two particles or more"),
        ("p p > z h, z > z", "expected a decay into two particles or more"),
        ("p p > u", "expected a mass among three particles"),
        ("p p > e+ e-,,", 'expected "incoming > outgoing'),
        (", t > b w+", 'expected "incoming > outgoing'),
        ("p p > t t~, t > b w+, t > b w+", "expected one decay for 1 t; got 2"),
        ("p p > t t~, z > e+ e-", "expected a decay of t, t~; got one of z"),
        ("p p > t t~, t > b w+, w+ > e+ ve", "decays of decay products stand in brackets"),
        ("p p > t t~, (t > b w+", "expected brackets in pairs"),
        ("p p > t t~, t > b w+)", "expected brackets in pairs"),
        ("p p > t t~, t b w+", 'expected "incoming > outgoing'),
        ("p p > t t~, t > b w-", "conserves electric charge"),
        ("p p > t t~, t > w+", "expected a decay into two particles or more"),
        ("p p > 6 -66", 'unknown particle "-66"'),
        ("p p → e+ e-", 'expected "incoming > outgoing'),
        ("p p > e⁺ e⁻", 'unknown particle "e⁺"'),
        ("p p > gamma gamma", 'unknown particle "gamma"'),
        ("u u~ > ghg ghg", 'unknown particle "ghg"'),
        (
            "p p > j j j j j j j",
            "expected at most 1,000,000 choices of particles; got 4,782,969",
        ),
        (
            "p p > z z, z > e+ e-, z > mu+ mu-, z > ta+ ta-",
            "expected one decay or 2 for 2 z; got 3",
        ),
    ],
)
def test_definitions_that_cannot_be_computed_are_refused_in_a_sentence(
    definition: str, sentence: str
) -> None:
    with pytest.raises(MadnisError, match=sentence):
        process_of(definition)


def test_more_diagrams_than_can_be_listed_are_counted_and_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = process_of("g g > g g g")
    most = len(process.diagrams(process.groups[0]))
    monkeypatch.setattr(recursion, "MOST_DIAGRAMS", most)
    assert len(process_of("g g > g g g").diagrams(process.groups[0])) == 25
    monkeypatch.setattr(recursion, "MOST_DIAGRAMS", most - 1)
    with pytest.raises(
        MadnisError, match=f"expected at most {most - 1} diagrams of one process; got {most}"
    ):
        process_of("g g > g g g").diagrams(process.groups[0])


BACK_TO_BACK = [[500, 0, 0, 500], [500, 0, 0, -500], [500, 300, 0, 400], [500, -300, 0, -400]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"points": [{"momenta": [[0, 0, 0, 0]] * 4}]},
            r"points\.0\.momenta: expected momenta with a finite \|M\|\^2",
        ),
        (
            {"points": [{"momenta": BACK_TO_BACK}, {"momenta": [[0, 0, 0, 0]] * 4}]},
            r"points\.1\.momenta: expected",
        ),
        (
            {"points": [{"momenta": [[float("nan"), 0, 0, 0], *BACK_TO_BACK[1:]]}]},
            r"0\.0: .*finite number; got NaN",
        ),
        (
            {"points": [{"momenta": [[float("inf"), 0, 0, 0], *BACK_TO_BACK[1:]]}]},
            "finite number; got Infinity",
        ),
        (
            {"points": [{"momenta": [[int(MANY_DIGITS), 0, 0, 0], *BACK_TO_BACK[1:]]}]},
            "valid number; got 99",
        ),
        (
            {"points": [{"momenta": [["500", 0, 0, 500], *BACK_TO_BACK[1:]]}]},
            'valid number; got "500"',
        ),
        ({"points": [{"momenta": [[True] * 4] * 4}]}, "valid number; got true"),
        ({"points": [{"momenta": BACK_TO_BACK[:3]}]}, "expected 4 particles; got 3"),
        ({"points": [{"momenta": BACK_TO_BACK}], "pdg": [10**30] * 4}, r"pdg\.0: "),
        (
            {"points": [{"momenta": BACK_TO_BACK}], "pdg": [1, 1, 1, 1]},
            "expected a process that contains",
        ),
        ([], r'expected \{"points": \[\.\.\.\]\}; got \[\]'),
        (None, "got null"),
    ],
)
def test_momenta_without_a_finite_matrix_element_are_refused(content: Any, sentence: str) -> None:
    with pytest.raises(MadnisError, match=sentence):
        evaluate_points(process_of("u u~ > g g"), content, "momenta.json")


@pytest.mark.parametrize("alpha_s", [float("nan"), float("inf"), -0.1])
def test_a_coupling_that_is_none_is_refused(alpha_s: float) -> None:
    with pytest.raises(MadnisError, match="alpha_s: expected a number >= 0"):
        evaluate_points(
            process_of("u u~ > g g"),
            {"points": [{"momenta": BACK_TO_BACK}]},
            "momenta.json",
            alpha_s,
        )


def test_what_single_precision_cannot_hold_is_null_in_json() -> None:
    large = [[component * 1e25 for component in momentum] for momentum in BACK_TO_BACK]
    result = evaluate_points(
        process_of("u u~ > g g"), {"points": [{"momenta": large}]}, "momenta.json", single=True
    )
    assert result["me2_single"] == [None]
    json.dumps(result, allow_nan=False)
