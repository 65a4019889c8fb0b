"""The report of a run: what is on the page, held against run.json."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import SMALL_CARD, call
from report_reader import ReadPage, entry

from madnis_py.card import card as cards
from madnis_py.errors import GenerationError, InputError
from madnis_py.report.page_parts import link_to_report
from madnis_py.report.report_page import report_page, write_report
from madnis_py.run.samples.any_run import begin_run


@pytest.fixture(scope="module")
def page(directory: Path) -> str:
    return report_page(directory)


@pytest.fixture(scope="module")
def read(page: str) -> ReadPage:
    return ReadPage.of(page)


@pytest.fixture(scope="module")
def record(directory: Path) -> Any:
    return json.loads((directory / "run.json").read_text())


def copied(directory: Path, folder: Path) -> Path:
    return Path(shutil.copytree(directory, folder / "copy"))


def test_every_number_at_the_top_is_that_of_run_json(read: ReadPage, record: Any) -> None:
    assert {"sigma_pb", "unweighting.efficiency", "events", "points"} < read.data.keys()
    for key, value in read.data.items():
        assert float(value) == entry(record, key), key


def test_tables_have_the_figures_of_both_samplers_and_all_channels(
    read: ReadPage, record: Any
) -> None:
    for sampler in ("vegas", "madnis"):
        assert f"{100 * record[sampler]['unweighting']['efficiency']:.3g} %" in read.text
    for channel in record["channels"]:
        assert channel["name"] in read.text
        assert f"{100 * channel['share']:.3g} %" in read.text


def test_more_events_are_other_ones_in_a_file_of_their_own(read: ReadPage, record: Any) -> None:
    seed = record["identity"]["seed"] + 1
    assert f"--seed {seed} --output more_{seed}.lhe.gz" in read.text


def test_every_picture_is_there(read: ReadPage) -> None:
    titles = ["Loss", "std/mean and efficiency", "Learning rate", "Weights of the trials"]
    titles += ["The strongest correlation", "Shares of the channels", "me+e−"]
    assert not set(titles) - set(read.figures)
    assert sum(title.endswith("%: photon") for title in read.figures) == 1


def test_the_page_needs_no_network_and_no_scripts(read: ReadPage, page: str) -> None:
    loading = [
        value
        for _, name, value in read.attributes
        if name in ("src", "srcset", "data", "xlink:href")
    ]
    assert not loading
    assert not re.findall(r"url\(|@import|https?://|<script|\bon\w+=", page)
    assert all(link.startswith("#") for link in read.links)


def test_events_are_drawn_while_they_are_those_of_run_json(
    directory: Path, tmp_path: Path, read: ReadPage
) -> None:
    assert "Dots: the first 200 events" in read.text
    copy = copied(directory, tmp_path)
    content = json.loads((copy / "run.json").read_text())
    content["generated"]["sha256"] = content["event_files"][0]["sha256"] = 64 * "0"
    (copy / "run.json").write_text(json.dumps(content))
    assert "Dots:" not in ReadPage.of(report_page(copy)).text


def test_links_of_the_page_lead_somewhere(read: ReadPage) -> None:
    assert {link.removeprefix("#") for link in read.links} <= set(read.anchors)
    assert len(read.anchors) == len(set(read.anchors))


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 500_000


def test_a_warning_says_what_to_do(read: ReadPage) -> None:
    assert '"toy" is for tests, not for predictions' in read.text
    assert "madnis-py pdf install" in read.text


def test_the_page_is_the_same_each_time(directory: Path, page: str) -> None:
    assert report_page(directory) == page


def test_a_run_without_history_says_that_none_was_kept(directory: Path, tmp_path: Path) -> None:
    copy = copied(directory, tmp_path)
    for name in ("training.csv", "diagnostics.json", "event_distributions.json"):
        (copy / name).unlink()
    read = ReadPage.of(report_page(copy))
    assert read.text.count("made by a version that did not keep") == 2
    assert "Shares of the channels" in read.figures
    assert "Loss" not in read.figures


def test_an_unfinished_run_says_how_far_it_is(directory: Path, tmp_path: Path) -> None:
    copy = copied(directory, tmp_path)
    content = json.loads((copy / "run.json").read_text())
    known = ("identity", "card", "versions", "prior")
    begun = {key: content[key] for key in known}
    begun["stages"] = {key: content["stages"][key] for key in ("prior", "survey")}
    (copy / "run.json").write_text(json.dumps(begun))
    lines = (copy / "training.csv").read_text().splitlines(keepends=True)
    (copy / "training.csv").write_text("".join(lines[:8]))
    read = ReadPage.of(report_page(copy))
    assert "This run is not finished" in read.text
    assert "Training: step 7 of 12." in read.text
    assert "Loss" in read.figures


def failing(*_: object) -> Iterator[object]:
    raise GenerationError("integrate: expected a cross section > 0; got <b>none</b>")


def test_a_failed_run_says_what_failed_until_it_goes_on(
    directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "small.toml").write_text(SMALL_CARD)
    size = ("--points", "6000", "--events", "0", "--threads", "1", "--method", "vegas")
    command = ("run", tmp_path / "small.toml", "-o", tmp_path / "run", *size)
    with monkeypatch.context() as patch:
        patch.setattr("madnis_py.run.stages.integration.IntegrateStage.run", failing)
        assert call(command, capsys, patch).status == 1
    read = ReadPage.of((tmp_path / "run" / "report.html").read_text())
    assert "This run has failed" in read.text
    assert "expected a cross section > 0; got <b>none</b>" in read.text
    assert "Finished before: prior, survey." in read.text
    assert "sigma_pb" not in read.data
    done = call(command, capsys, monkeypatch)
    assert f"report in {tmp_path / 'run' / 'report.html'}" in done.out
    assert "has failed" not in (tmp_path / "run" / "report.html").read_text()
    assert "failure" not in json.loads((tmp_path / "run" / "run.json").read_text())


def test_names_in_a_directory_from_elsewhere_stay_text(directory: Path, tmp_path: Path) -> None:
    copy = copied(directory, tmp_path)
    evil = '<img src=x onerror="alert(1)">'
    for name in ("run.json", "diagnostics.json"):
        text = (copy / name).read_text()
        (copy / name).write_text(text.replace('"photon"', json.dumps(evil)))
    page = report_page(copy)
    assert "<img" not in page
    assert "&lt;img" in page
    ReadPage.of(page)


def test_a_link_out_of_a_directory_from_elsewhere_is_not_written_to(
    directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy, outside = copied(directory, tmp_path), tmp_path / "precious"
    outside.write_text("precious")
    (copy / "report.html").unlink()
    (copy / "report.html").symlink_to(outside)
    done = call(("report", copy), capsys, monkeypatch)
    assert done.status == 2
    assert "expected a run that stands for itself" in done.err
    assert outside.read_text() == "precious"
    assert call(("report", copy, "--trust"), capsys, monkeypatch).status == 0
    assert outside.read_text().startswith("<!DOCTYPE html>")


def test_only_runs_in_the_directory_are_linked() -> None:
    assert link_to_report("process_12") == "process_12/report.html"
    for name in ("javascript:alert(1)//", "../process_1", "process_1\n", "https://example.org"):
        assert link_to_report(name) == ""


def test_a_scan_says_which_point_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SMALL_CARD + '\n[scan]\n"parameters.MZP" = [400.0, 500.0]\n'
    (tmp_path / "scan.toml").write_text(card)
    size = ("--points", "6000", "--events", "0", "--threads", "1", "--method", "vegas")
    monkeypatch.setattr("madnis_py.run.stages.integration.IntegrateStage.run", failing)
    command = ("run", tmp_path / "scan.toml", "-o", tmp_path / "scan", *size)
    assert call(command, capsys, monkeypatch).status == 1
    read = ReadPage.of((tmp_path / "scan" / "report.html").read_text())
    assert "Point 1 of this scan has failed" in read.text
    assert "expected a cross section > 0" in read.text
    assert "0 of 2 points" in read.text


def test_another_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the directory of a run or a scan"):
        report_page(tmp_path)


def test_damaged_diagnostics_end_the_command_with_a_sentence(
    directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = copied(directory, tmp_path)
    (copy / "diagnostics.json").write_text("{}")
    done = call(("report", copy), capsys, monkeypatch)
    assert done.status == 2
    assert "diagnostics.json: groups: expected a value; got none" in done.err


def test_a_run_of_several_processes_leads_to_the_reports_of_each(tmp_path: Path) -> None:
    text = SMALL_CARD.replace('"p p > e+ e-"', '["p p > e+ e- @1", "p p > mu+ mu- @2"]')
    text = text.replace('"e+,e-" =', '"lepton,lepton" =')
    (tmp_path / "two.toml").write_text(text)
    run = begin_run(cards.load(tmp_path / "two.toml"), tmp_path / "run", method="vegas")
    run.execute(100, 12_000)
    read = ReadPage.of(write_report(tmp_path / "run").read_text())
    assert read.headings[0].count("p p >") == 2
    parts = [link for link in read.links if not link.startswith("#")]
    assert parts == ["process_1/report.html", "process_2/report.html"]
    for part in parts:
        assert "Weights of the trials" in ReadPage.of((tmp_path / "run" / part).read_text()).figures


def test_a_scan_draws_the_cross_section_over_its_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SMALL_CARD + '\n[scan]\n"parameters.MZP" = [400.0, 500.0, 600.0]\n'
    (tmp_path / "scan.toml").write_text(card)
    size = ("--points", "6000", "--events", "0", "--threads", "1", "--method", "vegas")
    done = call(
        ("run", tmp_path / "scan.toml", "-o", tmp_path / "scan", *size), capsys, monkeypatch
    )
    assert done.status == 0, done.err
    read = ReadPage.of((tmp_path / "scan" / "report.html").read_text())
    assert read.figures == ["sigma over parameters.MZP"]
    assert [link for link in read.links if link.startswith("point")] == [
        f"point_{number}/report.html" for number in (1, 2, 3)
    ]
    assert (tmp_path / "scan" / "point_2" / "report.html").exists()
