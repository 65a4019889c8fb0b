"""Z with up to two jets, merged by Pythia as docs/merging.md says."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call
from places import ROOT

from madnis_py.arrays import Array
from madnis_py.events.files.formats import open_events

EVENTS = 5000

PDF = "NNPDF31_nnlo_as_0118_luxqed"
"""A set that the package pythia8mc brings."""

SCHEMES = {
    "mlm": '[merging]\nscheme = "mlm"\nxqcut = 15\n'
    '[scales]\nfactorization = "clustering"\nrenormalization = "clustering"\n',
    "ckkwl": "[merging]\nktdurham = 15\n",
    "umeps": "[merging]\nptlund = 15\n",
}
SCALE = {"mlm": "JetMatching:qCut", "ckkwl": "Merging:TMS", "umeps": "Merging:TMS"}

CARD = f"""
[process]
definition = ["p p > z @0", "p p > z j @1", "p p > z j j @2"]
[beams]
pdf = "{PDF}"
[systematics]
scale_factors = []
pdf_members = false
"""

ALWAYS = (
    "Print:quiet = on",
    "Beams:frameType = 4",
    "PartonLevel:MPI = off",
    "HadronLevel:all = off",
    "23:mayDecay = off",
)

GEV = 10 ** np.linspace(np.log10(8.0), np.log10(80.0), 11)
"""Edges of bins of sqrt(d_01)."""


def page_lines(block: str) -> list[str]:
    """The settings of Pythia that the page has for a scheme, or for all of them."""
    page = (ROOT / "docs" / "merging.md").read_text()
    found = re.search(rf"<!-- {block} -->\n\n((?: {{4}}.*\n)+)", page)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def settings(scheme: str, scale: float) -> list[str]:
    """Those of the page, for an undecayed Z, this merging scale and the densities of the card."""
    set_of_page, *couplings = page_lines("shower")
    assert set_of_page.startswith("PDF:pSet = LHAGrid1:/PATH/")
    densities = Path(sys.prefix) / "share" / "Pythia8" / "pdfdata" / f"{PDF}_0000.dat"
    own = [f"PDF:pSet = LHAGrid1:{densities}", f"{SCALE[scheme]} = {scale}"]
    lines = [
        "Merging:Process = pp>{Z,23}" if line.startswith("Merging:Process") else line
        for line in page_lines(scheme)
    ]
    return [*lines, *couplings, *own]


class Merged:
    """What Pythia leaves of a file: weights in pb of its events and their sqrt(d_01) in GeV."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        pythia8 = pytest.importorskip("pythia8mc")
        pythia = pythia8.Pythia("", False)
        for line in [*ALWAYS, f"Beams:LHEF = {path}", *lines]:
            assert pythia.readString(line), line
        if pythia.flag("JetMatching:merge"):
            pythia8.CombineMatchingInput().setHook(pythia)
        assert pythia.init()
        jets = pythia8.SlowJet(1, 1.0, 0.0, 10.0, 1, 1, None, False, False)
        found = []
        while pythia.next() or not pythia.infoPython().atEndOfFile():
            found.append((pythia.infoPython().weight(), hardest_scale(pythia.event, jets)))
        self.read = int(pythia.infoPython().nTried())
        self.weights, self.scales = np.array(found).T

    def rates(self) -> tuple[Array, Array]:
        """Weights in bins of sqrt(d_01), and their squared errors."""
        weighted, squared = (
            np.histogram(self.scales, GEV, weights=power)[0]
            for power in (self.weights, self.weights**2)
        )
        return weighted, squared


def hardest_scale(event: Any, jets: Any) -> float:
    """sqrt(d_01) of the kT algorithm on the partons, without remnants of the beams."""
    for particle in event:
        if particle.isFinal() and (particle.status() == 63 or particle.id() in (22, 23)):
            particle.statusNeg()
    if not jets.setup(event):
        return 0.0
    largest = 0.0
    while jets.sizeAll() > jets.sizeJet():
        largest = max(largest, jets.dNext())
        if not jets.doStep():
            break
    return float(np.sqrt(largest))


def step(rates: Array, squares: Array, scale: float) -> tuple[float, float]:
    """log of the factor by which a rate jumps at a scale, beside a parabola, and its error."""
    centres = np.log(np.sqrt(GEV[1:] * GEV[:-1]) / scale)
    terms = np.stack([np.ones_like(centres), centres, centres**2, centres > 0], axis=1)
    errors = np.sqrt(squares) / rates
    covariance = np.linalg.inv((terms / errors[:, None] ** 2).T @ terms)
    fitted = covariance @ (terms / errors[:, None] ** 2).T @ np.log(rates)
    return float(fitted[3]), float(np.sqrt(covariance[3, 3]))


def with_jets(path: Path) -> Path:
    """A file of the events that have jets of the matrix element."""
    head, *events = gzip.decompress(path.read_bytes()).decode().split("<event ")
    kept = [event for event in events if 'npLO="0"' not in event]
    end = "" if "</LesHouchesEvents>" in kept[-1] else "</LesHouchesEvents>\n"
    left = path.with_name("jets.lhe.gz")
    with gzip.open(left, "wt") as file:
        file.write(head + "".join(f"<event {event}" for event in kept) + end)
    return left


def merged(path: Path, scheme: str, scale: float) -> tuple[float, Array, Array]:
    """Cross section in pb and rates of sqrt(d_01) of a file of EVENTS events."""
    lines = settings(scheme, scale)
    whole = Merged(path, lines)
    assert whole.read == EVENTS
    total, (rates, squares) = whole.weights.sum(), whole.rates()
    if scheme == "umeps":
        tree = ("Merging:doUMEPSTree", "Merging:nRecluster")
        others = [line for line in lines if not line.startswith(tree)]
        subtraction = [*others, "Merging:doUMEPSSubt = on", "Merging:nRecluster = 1"]
        less = Merged(with_jets(path), subtraction)
        fewer, further = less.rates()
        total, rates, squares = total - less.weights.sum(), rates - fewer, squares + further
    return total / EVENTS, rates, squares


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_five_thousand_merged_events_have_smooth_jet_rates_and_keep_the_cross_section(
    tmp_path: Path,
    scheme: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between merging scales of 20 and 30 GeV it changes by less than 10 %, errors aside."""
    pytest.importorskip("pythia8mc")
    card, run = tmp_path / "z.toml", tmp_path / "z"
    card.write_text(CARD + SCHEMES[scheme])
    options = ["--preset", "quick", "--method", "vegas", "--seed", "3", "--threads", "1"]
    arguments: list[str | Path] = ["run", card, "-o", run, "--events", str(EVENTS), *options]
    assert call(arguments, capsys, monkeypatch).status == 0
    path = run / "events.lhe.gz"
    lowest = open_events(path).init.processes[0].cross_section
    sigma = {}
    for scale in (20.0, 30.0):
        sigma[scale], rates, squares = merged(path, scheme, scale)
        assert abs(sigma[scale] / lowest - 1) < 0.15
        jump, error = step(rates, squares, scale)
        assert abs(jump) < 4 * error
    assert abs(sigma[30.0] / sigma[20.0] - 1) < 0.1
