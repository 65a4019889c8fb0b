"""Scans: points from lists, a run of each, one table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Outcome, call

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.scans.scan_points import has_a_scan, scan_points

CARD: dict[str, Any] = {
    "process": {"definition": "e+ e- > mu+ mu-"},
    "beams": {"pdf": "none", "energy": [50.0, 50.0]},
    "channels": {"prior": "diagram"},
    "training": {"preset": "quick"},
}
PARAM_CARD = """
BLOCK MASS
    6 scan:[170, 172.5, 1.75e2] # MT
   23 9.1188e+01
BLOCK SMINPUTS
    1 1.325070e+02
    2 1.166390e-05
    3 scan1:[0.118, 0.13]
BLOCK YUKAWA
    6 scan1 : [172, 173]
DECAY 23 2.441404e+00
"""


def card(**tables: Any) -> Card:
    return Card.parse(CARD | tables)


def of_param_card(text: str, folder: Path, **parameters: float) -> Card:
    path = folder / "param_card.dat"
    path.write_text(text)
    return card(parameters={"param_card": str(path), **parameters})


def test_all_combinations_of_lists_are_points_the_last_key_first() -> None:
    found = scan_points(
        card(scan={"parameters.MZ": [90.0, 91.0], "beams.energy": [45, [46.0, 47.0], 48]})
    )
    assert [list(point.values.values()) for point in found] == [
        [mass, energy] for mass in (90.0, 91.0) for energy in (45, (46.0, 47.0), 48)
    ]
    energies = [point.card.beams.energy for point in found[:3]]
    assert energies == [(45.0, 45.0), (46.0, 47.0), (48.0, 48.0)]
    assert [point.card.parameters.overrides["MZ"] for point in found] == [90.0] * 3 + [91.0] * 3
    assert all(point.card.scan is None for point in found)


def test_zip_takes_the_values_side_by_side() -> None:
    lists = {"parameters.MZ": [90, 91], "scales.factorization": ["ht/2", 91.0]}
    found = scan_points(card(scan={**lists, "combine": "zip"}))
    assert [tuple(point.values.values()) for point in found] == [(90.0, "ht/2"), (91.0, 91.0)]


def test_keys_may_be_written_as_tables_and_name_entries_of_cuts() -> None:
    lists = {"parameters": {"MZ": [90.0]}, "cuts": {"mu+,mu-": {"mass_min": [10.0, 20.0]}}}
    _, second = scan_points(card(scan=lists, cuts={"mu+,mu-": {"mass_max": 90.0}}))
    assert dict(second.values) == {"parameters.MZ": 90.0, "cuts.mu+,mu-.mass_min": 20.0}
    assert second.card.cuts.by_name["mu+,mu-"].ranges()["mass"] == (20.0, 90.0)


def test_a_point_is_the_card_with_its_values() -> None:
    (point,) = scan_points(card(scan={"parameters.MZ": [90.0]}))
    assert point.card.digest() == card(parameters={"MZ": 90.0}).digest()


def test_a_card_without_a_scan_has_the_digest_that_it_had() -> None:
    assert "scan" not in card().content()
    assert not has_a_scan(card())
    assert scan_points(card()) == ()


@pytest.mark.parametrize(
    ("scan", "sentence"),
    [
        ({"process.model": ["sm"]}, r"scan: expected a key like .*; got \"process.model\""),
        ({"parameters.MZ": []}, r"expected a list of values; got \[\]"),
        ({"parameters.MZ": 91.0}, r"expected a list of values; got 91.0"),
        ({"scales.factorisation": [91.0]}, r"scales.factorisation: unknown key; did you mean"),
        ({"beams.energy": [-3.0]}, r"beams.energy\[0\]: expected GeV"),
        (
            {"parameters.MZ": [1.0, 2.0], "parameters.MT": [1.0], "combine": "zip"},
            r"expected lists of one length for zip; got 2 of parameters.MZ, 1 of parameters.MT",
        ),
        (
            {"parameters.MZ": [90.0] * 200, "parameters.MT": [170.0] * 200},
            r"scan: expected at most 10,000 points; got 40,000",
        ),
    ],
)
def test_lists_that_cannot_be_scanned_are_refused(scan: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CardError, match=sentence):
        scan_points(card(scan=scan))


def test_lists_of_a_param_card_go_by_themselves_or_with_their_group(tmp_path: Path) -> None:
    found = scan_points(of_param_card(PARAM_CARD, tmp_path))
    assert len(found) == 6
    assert [tuple(point.values.values()) for point in found[:3]] == [
        (170.0, 0.118, 172.0),
        (170.0, 0.13, 173.0),
        (172.5, 0.118, 172.0),
    ]
    assert list(found[0].values) == ["parameters.MT", "parameters.aS", "parameters.ymt"]
    assert model_from_card(found[-1].card)["MT"] == 175.0
    assert model_from_card(found[-1].card)["MZ"] == 91.188


def test_a_parameter_of_the_card_is_not_scanned(tmp_path: Path) -> None:
    found = scan_points(of_param_card(PARAM_CARD, tmp_path, MT=173.0))
    assert len(found) == 2
    assert model_from_card(found[0].card)["MT"] == 173.0


def test_ranges_of_a_param_card_are_those_of_python(tmp_path: Path) -> None:
    text = PARAM_CARD.replace("scan:[170, 172.5, 1.75e2]", "scan:range(170, 175, 2)")
    found = scan_points(of_param_card(text, tmp_path, aS=0.118, ymt=172.0))
    assert [point.values["parameters.MT"] for point in found] == [170.0, 172.0, 174.0]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[170, 172.5, 1.75e2]", "[x for x in range(3)]", "MASS 6: expected numbers like scan:"),
        ("[170, 172.5, 1.75e2]", "[]", "MASS 6: expected numbers like scan:"),
        ("[172, 173]", "[172]", "expected lists of scan1 of one length"),
        ("23 9.1188e+01", "24 scan:[80, 81]", "expected a parameter of model sm to scan"),
    ],
)
def test_lists_of_a_param_card_that_cannot_be_scanned_are_refused(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(CardError, match=sentence):
        scan_points(of_param_card(PARAM_CARD.replace(old, new), tmp_path))


def test_a_list_is_refused_where_one_value_is_meant(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="scan: expected one value of each key here"):
        Process.from_card(card(scan={"parameters.MZ": [91.0]}))
    with pytest.raises(CardError, match="expected a number here, where only `run` goes through"):
        Process.from_card(of_param_card(PARAM_CARD, tmp_path))


@pytest.fixture
def scanned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Outcome:
    path = tmp_path / "scan.toml"
    path.write_text(card(scan={"beams.energy": [20.0, 30.0]}).to_toml())
    return call(command(tmp_path), capsys, monkeypatch)


def command(folder: Path, *more: str) -> list[str | Path]:
    figures = ["--events", "50", "--points", "4000", "--seed", "2", "--method", "vegas"]
    return ["run", folder / "scan.toml", "-o", folder / "scan", *figures, *more]


def test_every_point_is_the_run_of_its_card_and_a_row_of_the_table(
    scanned: Outcome, tmp_path: Path
) -> None:
    assert scanned.status == 0, scanned.err
    rows = list(csv.DictReader((tmp_path / "scan" / "scan.csv").read_text().splitlines()))
    assert [row["beams.energy"] for row in rows] == ["20.0", "30.0"]
    for number, (row, energy) in enumerate(zip(rows, (20.0, 30.0), strict=True), start=1):
        alone = card(beams={"pdf": "none", "energy": [energy, energy]})
        own = Run(Process.from_card(alone), tmp_path / str(number), 2, method="vegas")
        own.execute(50, 4000)
        assert float(row["sigma_pb"]) == own.record.sigma_pb
        events = tmp_path / "scan" / row["folder"] / "events.lhe.gz"
        assert events.read_bytes() == own.events_file.read_bytes()
    # below the Z the cross section falls as 1/s, up to the interference with the Z
    ratio = float(rows[0]["sigma_pb"]) / float(rows[1]["sigma_pb"])
    assert ratio == pytest.approx(30**2 / 20**2, rel=0.15)
    assert "point_2" in scanned.out


def test_a_scan_goes_on_where_it_stopped(
    scanned: Outcome,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "scan.toml"
    path.write_text(card(scan={"beams.energy": [20.0, 30.0, 40.0]}).to_toml())
    again = call(command(tmp_path), capsys, monkeypatch)
    assert again.status == 0, again.err
    assert "3/3 beams.energy = 40.0: integrate" in again.out
    assert "1/3 beams.energy = 20.0: integrate" not in again.out
    assert len(json.loads((tmp_path / "scan" / "scan.json").read_text())["rows"]) == 3
    path.write_text(card(scan={"beams.energy": [21.0, 30.0]}).to_toml())
    other = call(command(tmp_path), capsys, monkeypatch)
    assert other.status == 2
    assert "holds a run with card" in other.err


def test_cross_sections_alone_need_no_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scan.toml").write_text(card(scan={"beams.energy": [20.0]}).to_toml())
    done = call(command(tmp_path, "--events", "0", "--json"), capsys, monkeypatch)
    assert done.status == 0, done.err
    assert json.loads(done.out)["rows"][0]["events"] == 0
    assert not (tmp_path / "scan" / "point_1" / "events.lhe.gz").exists()


def test_a_scan_is_verified_point_by_point(
    scanned: Outcome,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call(["verify", tmp_path / "scan"], capsys, monkeypatch).status == 0
    events = tmp_path / "scan" / "point_2" / "events.lhe.gz"
    events.write_bytes(events.read_bytes()[:-20])
    table = tmp_path / "scan" / "scan.json"
    record = json.loads(table.read_text())
    record["rows"][0]["sigma_pb"] *= 1.01
    table.write_text(json.dumps(record))
    found = call(["verify", tmp_path / "scan"], capsys, monkeypatch)
    assert found.status == 1
    assert "point_2" in found.err
    assert "scan.json: expected sigma_pb" in found.err


def test_other_commands_name_the_runs_of_a_scan(
    scanned: Outcome,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = call(["integrate", tmp_path / "scan"], capsys, monkeypatch)
    assert refused.status == 2
    assert "expected a run; got a scan; name one of its points" in refused.err
    trained = call(["train", tmp_path / "scan.toml", "-o", tmp_path / "t"], capsys, monkeypatch)
    assert trained.status == 2
    assert "scan: expected one value of each key here" in trained.err


def test_a_scan_of_a_decay_has_widths_in_gev(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decay = {"definition": "z > mu+ mu-"}
    content = {"process": decay, "beams": {"pdf": "none"}, "scan": {"parameters.MZ": [90.0, 92.0]}}
    (tmp_path / "scan.toml").write_text(Card.parse(CARD | content).to_toml())
    done = call(command(tmp_path), capsys, monkeypatch)
    assert done.status == 0, done.err
    assert "width / GeV" in done.out
    assert "pb" not in done.out
    first, second = csv.DictReader((tmp_path / "scan" / "scan.csv").read_text().splitlines())
    assert list(first)[1:3] == ["width_gev", "width_error_gev"]
    # Gamma = G_F m_Z^3 (v^2 + a^2) / (6 sqrt(2) pi), with v^2 + a^2 of 1/4 at sin^2 = 1/4
    assert 0.07 < float(first["width_gev"]) < float(second["width_gev"]) < 0.09


def test_a_scan_of_an_interference_may_have_negative_cross_sections(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {
        "process": {"definition": "u u~ > u u~ QCD^2==2 / z"},
        "cuts": {"jet": {"pt_min": 20.0}},
        "scan": {"parameters.aS": [0.118]},
    }
    (tmp_path / "scan.toml").write_text(Card.parse(CARD | content).to_toml())
    done = call(command(tmp_path), capsys, monkeypatch)
    assert done.status == 0, done.err
    (row,) = csv.DictReader((tmp_path / "scan" / "scan.csv").read_text().splitlines())
    assert float(row["sigma_pb"]) < 0
