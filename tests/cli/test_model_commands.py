"""`madnis-py model list` and `model show`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import call
from ufo_models import MODELS

from madnis_py.physics.model_search.model_library import SEARCH_PATH


@pytest.fixture(autouse=True)
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scalar singlet in the search path."""
    shutil.copytree(MODELS / "scalar_singlet", tmp_path / "singlet")
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_models_are_listed_with_their_restrictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = call(["model", "list"], capsys, monkeypatch).out
    for text in ("sm_zprime", "built in", "singlet", "plain", f"searched: {tmp_path}"):
        assert text in table
    listed = json.loads(call(["model", "list", "--json"], capsys, monkeypatch).out)
    assert {
        "name": "singlet",
        "path": str(tmp_path / "singlet"),
        "restrictions": ["plain"],
    } in listed


def test_a_model_is_shown_with_what_is_not_computed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = call(["model", "show", "singlet", "--vertices"], capsys, monkeypatch).out
    for part in ("9000005", "kap12", "PORTAL", "1 2", "NP (hierarchy 3)", "h s s: 1 SSS -30"):
        assert part in text
    assert "vertices: 5" in text


def test_a_model_is_shown_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(call(["model", "show", "singlet", "--json"], capsys, monkeypatch).out)
    assert content["particles"][-1]["name"] == "s"
    assert {"name": "kap12", "block": "PORTAL", "code": [1, 2], "default": 30.0} in content[
        "parameters"
    ]
    (vertex,) = (one for one in content["vertices"] if one["particles"] == ["h", "s", "s"])
    assert vertex["terms"][0]["couplings"] == [[-30.0, 0.0]]
    assert vertex["orders"] == [0, 0, 1]


def test_an_unknown_model_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = call(["model", "show", "singlett"], capsys, monkeypatch)
    assert outcome.status == 2
    assert 'did you mean "singlet"' in outcome.err


def test_a_card_runs_with_a_model_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """sigma of mu+ mu- > s s: the flat |M|^2 times the two-body phase space."""
    shutil.copytree(MODELS / "scalar_singlet", tmp_path / "beside" / "model")
    (tmp_path / "beside" / "card.toml").write_text(
        '[process]\ndefinition = "mu+ mu- > s s"\nmodel = "./model"\n'
        "[parameters]\nkap12 = 15.0\n"
        '[beams]\nenergy = [150.0, 150.0]\npdf = "none"\n'
    )
    arguments = ["run", str(tmp_path / "beside" / "card.toml"), "-o", str(tmp_path / "run")]
    options = [
        "--method",
        "vegas",
        "--points",
        "20000",
        "--events",
        "200",
        "--threads",
        "1",
        "--json",
    ]
    outcome = call([*arguments, *options], capsys, monkeypatch)
    assert outcome.status == 0, outcome.err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    s, mass, width = 300.0**2, 125.0, 0.5
    squared = (0.25 * 15.0) ** 2 * s / 2 / ((s - mass**2) ** 2 + mass**2 * width**2) / 2
    beta = (1 - 4 * 40.0**2 / s) ** 0.5
    picobarn = 0.3893793721e9
    expected = squared * beta / (8 * 3.141592653589793) / (2 * s) * picobarn
    assert record["sigma_pb"] == pytest.approx(expected, rel=1e-6)


def test_widths_stand_beside_those_that_the_model_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one than the computed width is a warning."""
    (tmp_path / "singlet" / "decays.py").write_text(_DECAYS)
    printed = call(["widths", "h", "--model", "singlet"], capsys, monkeypatch).out
    words = " ".join(printed.split())
    assert "decay GeV share decays.py" in words
    found = re.search(r"h > s s (\S+) \S+ (\S+)", words)
    assert found is not None
    assert found[1] == found[2]
    (warning,) = (line for line in printed.splitlines() if "warning" in line)
    assert warning == ("warning: h > mu- mu+: 0.310849 GeV here, 0.5 GeV in decays.py of the model")


_DECAYS = """
from . import particles as P
Decay_H = Decay(name = 'Decay_H', particle = P.H, partial_widths = {
    (P.S, P.S): 'kap12**2/(32*cmath.pi*MH)*cmath.sqrt(1 - 4*MS**2/MH**2)',
    (P.mu__minus__, P.mu__plus__): '0.5',
    (P.a, P.a): '0.75**2*MH**3/(64*cmath.pi)'})
Decay_S = Decay(name = 'Decay_S', particle = P.S, partial_widths = {(P.H, P.H): '1.0'})
"""
