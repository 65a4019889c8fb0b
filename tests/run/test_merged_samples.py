"""Samples of several jet multiplicities, merged by Pythia as docs/merging.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from command_line import call
from places import ROOT

from madnis_py.events.files.formats import open_events

SCHEMES = {
    "mlm": '[merging]\nscheme = "mlm"\nxqcut = 12\n'
    '[scales]\nfactorization = "clustering"\nrenormalization = "clustering"\n',
    "ckkwl": "[merging]\nktdurham = 25\n",
}
CARD = """
[process]
definition = "p p > e+ e-{jets} QED=2"

[beams]
pdf = "NNPDF31_nnlo_as_0118_luxqed"

[cuts]
"e+,e-" = {{ mass_min = 60.0, mass_max = 120.0 }}

[channels]
prior = "diagram"

[systematics]
scale_factors = []
pdf_members = false

{merging}
"""


def lines(scheme: str) -> list[str]:
    """The settings of Pythia that the page has for a scheme, with one jet at most."""
    page = (ROOT / "docs" / "merging.md").read_text()
    block = re.search(rf"<!-- {scheme} -->\n\n((?: {{4}}.*\n)+)", page)
    assert block is not None
    found = [line.strip() for line in block[1].splitlines()]
    assert len(found) == 10
    return [re.sub("nJetMax = .*", "nJetMax = 1", line) for line in found]


def sample_card(folder: Path, scheme: str, n_jets: int) -> Path:
    """The card of one multiplicity."""
    card = folder / f"{scheme}{n_jets}.toml"
    card.write_text(CARD.format(jets=" j" * n_jets, merging=SCHEMES[scheme]))
    return card


def showered(path: Path, settings: list[str]) -> tuple[float, int]:
    """Cross section in pb that is left, and how many events Pythia read."""
    pythia8 = pytest.importorskip("pythia8mc")
    pythia = pythia8.Pythia("", False)
    shower = ["PartonLevel:MPI = off", "HadronLevel:all = off", "Print:quiet = on"]
    for setting in [*shower, "Beams:frameType = 4", f"Beams:LHEF = {path}", *settings]:
        assert pythia.readString(setting), setting
    matching: Any = pythia8.CombineMatchingInput()
    matching.setHook(pythia)
    assert pythia.init()
    while pythia.next() or not pythia.infoPython().atEndOfFile():
        pass
    info = pythia.infoPython()
    return info.sigmaGen() * 1e9, info.nTried()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_five_thousand_events_of_each_scheme_pass_pythia_and_keep_the_cross_section(
    tmp_path: Path,
    scheme: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sum over multiplicities stays within 15 % of the inclusive process at lowest order."""
    pytest.importorskip("pythia8mc")
    whole, total, read = 0.0, 0.0, 0
    for n_jets in (0, 1):
        card, run = sample_card(tmp_path, scheme, n_jets), tmp_path / f"{scheme}{n_jets}"
        options = ["--preset", "quick", "--method", "vegas", "--seed", "3", "--threads", "1"]
        arguments: list[str | Path] = ["run", card, "-o", run, "--events", "2500", *options]
        assert call(arguments, capsys, monkeypatch).status == 0
        path = run / "events.lhe.gz"
        whole += open_events(path).init.processes[0].cross_section if n_jets == 0 else 0.0
        left, tried = showered(path, lines(scheme))
        total, read = total + left, read + tried
    assert read >= 5000
    assert abs(total / whole - 1) < 0.15
