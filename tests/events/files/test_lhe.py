"""Les Houches files: other programs read them, numbers survive, files are complete or absent."""

from __future__ import annotations

import gzip
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pylhe
import pytest
from event_samples import (
    SIGMA,
    drell_yan,
    file_size_limit,
    read_lhe,
    threads,
    with_resonance,
    with_variations,
)

from madnis_py import _core
from madnis_py.errors import GenerationError, InputError, OutputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.lhe import LheWriter
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup

INIT = LheInit((2212, 2212), (6500.0, 6500.0), (331900, 331900), (LheProcess(SIGMA, 3.0, SIGMA),))
VARIED = replace(
    INIT,
    weight_groups=(
        WeightGroup(
            "scale variations <mu>",
            "envelope",
            (
                NamedWeight(
                    "11", "muR 0.5 & muF 0.5", {"MUR": "0.5", "MUF": "0.5", "PDF": "331900"}
                ),
                NamedWeight("it's", "muR 2", {"MUR": "2.0"}),
            ),
        ),
        WeightGroup("", "", (NamedWeight("alone", "of no group"),)),
    ),
)
HEADER = {"madnis_py_card": 'definition = "p p > e+ e-"  # a & b <init> -- ]]> <!-- ü\r\n\tend'}


def written(path: Path, *batches: EventBatch, init: LheInit = INIT) -> Path:
    with LheWriter(path, init, HEADER) as writer:
        for batch in batches:
            writer.write(batch)
    return path


@pytest.mark.parametrize("name", ["events.lhe", "events.lhe.gz"])
def test_pylhe_reads_every_number_back(tmp_path: Path, name: str) -> None:
    random = np.random.default_rng(8)
    batch = replace(
        drell_yan(500),
        spin=random.choice([-1.0, 1.0, 9.0], (500, 4)),
        weight=random.uniform(1, 2, 500),
    )
    events = list(read_lhe(written(tmp_path / name, batch)).events)

    def column(*names: str) -> np.ndarray:
        return np.array(
            [[[getattr(p, name) for name in names] for p in event.particles] for event in events]
        )

    def info(name: str) -> np.ndarray:
        return np.array([getattr(event.eventinfo, name) for event in events])

    assert np.array_equal(column("id")[..., 0], batch.pdg)
    assert np.array_equal(column("status")[..., 0], batch.status)
    assert np.array_equal(column("mother1", "mother2"), batch.mothers)
    assert np.array_equal(column("color1", "color2"), batch.colour)
    assert np.array_equal(column("e", "px", "py", "pz"), batch.momenta)
    assert np.array_equal(column("m")[..., 0], batch.mass)
    assert np.array_equal(column("spin")[..., 0], batch.spin)
    assert np.array_equal(info("weight"), batch.weight)
    assert np.array_equal(info("scale"), batch.scale)
    assert np.array_equal(info("aqed"), batch.alpha_qed)
    assert np.array_equal(info("aqcd"), batch.alpha_s)
    assert np.array_equal(info("pid"), batch.process_id)
    assert (info("nparticles") == 4).all()


def test_pylhe_reads_scales_variations_and_what_they_stand_for(tmp_path: Path) -> None:
    batch = with_variations(drell_yan(50))
    read = read_lhe(written(tmp_path / "events.lhe", batch, init=VARIED))
    header = read.header
    assert header is not None
    assert header.initrwgt is not None
    group, alone = header.initrwgt.entries
    assert isinstance(group, pylhe.LHEInitRWGTWeightGroup)
    assert isinstance(alone, pylhe.LHEInitRWGTWeight)
    assert (group.name, group.combine) == ("scale variations <mu>", "envelope")
    assert [(one.id, one.name) for one in group.weights] == [
        ("11", "muR 0.5 & muF 0.5"),
        ("it's", "muR 2"),
    ]
    assert group.weights[0].extra_attributes == {"MUR": "0.5", "MUF": "0.5", "PDF": "331900"}
    assert (alone.id, alone.name) == ("alone", "of no group")
    events = list(read.events)
    assert [list(event.weights) for event in events] == [["11", "it's", "alone"]] * 50
    assert np.array_equal([list(event.weights.values()) for event in events], batch.variations)
    scales = np.array([[event.scales[name] for name in ("muf", "mur", "mups")] for event in events])
    assert np.array_equal(
        scales.T, [batch.factorization_scale, batch.renormalization_scale, batch.scale]
    )


def test_unused_rows_are_not_written(tmp_path: Path) -> None:
    events = list(read_lhe(written(tmp_path / "events.lhe", with_resonance(drell_yan(10)))).events)
    assert [len(event.particles) for event in events] == [5, 4] * 5
    assert [event.eventinfo.nparticles for event in events] == [5, 4] * 5
    assert [particle.status for particle in events[0].particles] == [-1, -1, 2, 1, 1]
    plain = written(tmp_path / "plain.lhe", drell_yan(10)).read_bytes()
    assert written(tmp_path / "padded.lhe", drell_yan(10).padded(9)).read_bytes() == plain


def test_events_with_other_variations_than_declared_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="expected events with 3 variations, as <init> declares; got 0"
    ):
        written(tmp_path / "events.lhe", drell_yan(1), init=VARIED)


@pytest.mark.parametrize("identifiers", [("1", "1"), ("", "1")])
def test_weights_without_a_name_of_their_own_are_refused(identifiers: tuple[str, str]) -> None:
    weights = tuple(NamedWeight(one, "text") for one in identifiers)
    with pytest.raises(InputError, match="LHE weights: expected different identifiers"):
        replace(INIT, weight_groups=(WeightGroup("group", "", weights),))


@pytest.mark.parametrize(
    "value", [0.0, -0.0, 1e-300, -1.7976931348623157e308, 5e-324, 1 / 3, 123456789.0]
)
def test_extreme_numbers_read_back_unchanged(value: float) -> None:
    batch = replace(drell_yan(1), scale=np.array([value]))
    text = b"".join(_core.lhe_text(batch.columns(), [])).decode()
    assert float(text.splitlines()[1].split()[3]) == value


def test_pylhe_reads_beams_and_processes(tmp_path: Path) -> None:
    processes = (LheProcess(1000.0, 2.0, 1500.0, 1), LheProcess(500.0, 1.0, 1600.0, 7))
    init = LheInit((2212, -2212), (6500.0, 980.0), (331900, 303400), processes)
    read = read_lhe(written(tmp_path / "events.lhe", drell_yan(1), init=init)).init
    info = read.initInfo
    assert (info.beamA, info.beamB, info.energyA, info.energyB) == (2212, -2212, 6500.0, 980.0)
    assert (info.PDFgroupA, info.PDFgroupB, info.PDFsetA, info.PDFsetB) == (0, 0, 331900, 303400)
    assert (info.weightingStrategy, info.numProcesses) == (-4, 2)
    found = [(p.xSection, p.error, p.unitWeight, p.procId) for p in read.procInfo]
    assert found == [(1000.0, 2.0, 1500.0, 1), (500.0, 1.0, 1600.0, 7)]


def test_init_takes_numbers_of_numpy(tmp_path: Path) -> None:
    one: Any = np.int64(1)
    process = LheProcess(np.float64(SIGMA), np.float64(3.0), np.float64(SIGMA), one)
    init = LheInit(
        (2212, 2212), (np.float64(6500.0), np.float64(6500.0)), (331900, 331900), (process,)
    )
    plain = written(tmp_path / "plain.lhe", drell_yan(1))
    assert (
        written(tmp_path / "numpy.lhe", drell_yan(1), init=init).read_bytes() == plain.read_bytes()
    )


def test_beam_without_parton_densities_has_group_and_set_minus_one(tmp_path: Path) -> None:
    init = replace(INIT, beam_pdg=(11, -11), pdf_sets=(-1, -1))
    text = written(tmp_path / "events.lhe", drell_yan(1), init=init).read_text()
    assert "\n 11 -11 6500.0 6500.0 -1 -1 -1 -1 -4 1\n" in text


def test_file_is_xml_and_the_card_comes_back_verbatim(tmp_path: Path) -> None:
    with gzip.open(written(tmp_path / "events.lhe.gz", drell_yan(3))) as file:
        root = ET.parse(file).getroot()
    assert (root.tag, root.get("version")) == ("LesHouchesEvents", "3.0")
    assert root.findtext("header/madnis_py_card") == HEADER["madnis_py_card"]
    generator = root.find("init/generator")
    assert generator is not None
    assert generator.get("name") == "madnis_py"
    assert len(root.findall("event")) == 3


def test_file_without_events_and_header_is_complete(tmp_path: Path) -> None:
    with LheWriter(tmp_path / "events.lhe", INIT) as writer:
        writer.write(drell_yan(0))
    assert ET.parse(tmp_path / "events.lhe").getroot().findall("event") == []


def test_writer_counts_events(tmp_path: Path) -> None:
    with LheWriter(tmp_path / "events.lhe", INIT) as writer:
        writer.write(drell_yan(3))
        writer.write(drell_yan(4))
    assert writer.n_events == 7


@pytest.mark.parametrize("name", ["events.lhe", "events.lhe.gz"])
def test_bytes_depend_neither_on_threads_nor_on_batches(tmp_path: Path, name: str) -> None:
    batch = drell_yan(10_000)
    with threads(1):
        whole = written(tmp_path / name, batch).read_bytes()
    with threads(2):
        parts = [
            batch.select(slice(0, 17)),
            batch.select(slice(17, 9000)),
            batch.select(slice(9000, None)),
        ]
        assert written(tmp_path / name, *parts).read_bytes() == whole


def test_gzip_header_has_neither_time_nor_name(tmp_path: Path) -> None:
    header = written(tmp_path / "events.lhe.gz", drell_yan(1)).read_bytes()[:10]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3] == 0  # no optional fields
    assert header[4:8] == bytes(4)  # no time


def test_pythia_showers_every_event_and_reports_our_cross_section(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pythia8mc = pytest.importorskip("pythia8mc")
    path = written(tmp_path / "events.lhe.gz", drell_yan(300))
    pythia = pythia8mc.Pythia("", False)
    for setting in (
        "Print:quiet = on",
        "PartonLevel:MPI = off",
        "HadronLevel:all = off",
        "Beams:frameType = 4",
    ):
        assert pythia.readString(setting)
    assert pythia.readString(f"Beams:LHEF = {path}")
    assert pythia.init()
    outcomes = [pythia.next() for _ in range(300)]
    assert outcomes == [True] * 300
    assert pythia.infoPython().sigmaGen() * 1e9 == pytest.approx(SIGMA, rel=1e-9)  # mb -> pb
    assert not pythia.next()
    assert pythia.infoPython().atEndOfFile()


@pytest.mark.parametrize("name", ["events.txt", "events.gz", "events.lhe.bz2", "lhe"])
def test_other_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"expected a file name that ends in \.lhe or \.lhe\.gz"):
        LheWriter(tmp_path / name, INIT)


@pytest.mark.parametrize("name", ["two words", "", "<init>", "1st"])
def test_header_name_that_xml_does_not_allow_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="LHE header: expected a block name"):
        LheWriter(tmp_path / "events.lhe", INIT, {name: "text"})


def test_header_character_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"LHE header: card: character 2 is '\\x1b', which XML cannot hold"
    ):
        LheWriter(tmp_path / "events.lhe", INIT, {"card": "ab\x1b[0m"})


@pytest.mark.parametrize("energies", [(6500.0, -1.0), (0.0, 6500.0), (float("nan"), 1.0)])
def test_beam_energy_must_be_positive(energies: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="LHE beams: expected energies > 0 in GeV"):
        replace(INIT, beam_energies=energies)


def test_init_without_processes_is_refused() -> None:
    with pytest.raises(InputError, match="LHE processes: expected at least one"):
        replace(INIT, processes=())


def test_processes_with_one_identifier_are_refused() -> None:
    with pytest.raises(InputError, match=r"with different identifiers; got \[1, 1\]"):
        replace(INIT, processes=INIT.processes * 2)


def test_cross_section_must_be_finite() -> None:
    with pytest.raises(InputError, match="LHE process 3: expected finite pb"):
        LheProcess(float("nan"), 1.0, 1.0, 3)


def test_event_of_an_undeclared_process_leaves_no_file(tmp_path: Path) -> None:
    batch = replace(drell_yan(3), process_id=np.array([1, 2, 1], dtype=np.int32))
    with pytest.raises(InputError, match=r"expected events of the processes \[1\]; got \[2\]"):
        written(tmp_path / "events.lhe", batch)
    assert list(tmp_path.iterdir()) == []


def test_unusable_event_leaves_no_file(tmp_path: Path) -> None:
    good = drell_yan(3)
    bad = replace(
        good, momenta=good.momenta * np.array([1.0, 1.0, 1.0, -1.0]) ** np.arange(4)[None, :, None]
    )
    with pytest.raises(GenerationError, match="event 0: momentum is not conserved"):
        written(tmp_path / "events.lhe.gz", good, bad)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError])
def test_interruption_keeps_the_file_of_before(tmp_path: Path, kind: type[BaseException]) -> None:
    path = tmp_path / "events.lhe"
    path.write_text("before")
    with pytest.raises(kind), LheWriter(path, INIT) as writer:  # noqa: PT012
        writer.write(drell_yan(3))
        raise kind
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_file_has_no_name_before_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "events.lhe"
    with LheWriter(path, INIT) as writer:
        writer.write(drell_yan(3))
        assert not path.exists()
    assert path.exists()


@pytest.mark.parametrize("name", ["events.lhe", "events.lhe.gz"])
def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with (
        file_size_limit(65536),
        pytest.raises(OutputError, match=rf"{name}: cannot be written: File too large"),
    ):
        written(tmp_path / name, drell_yan(20_000))
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full_at_the_last_moment_leaves_nothing(tmp_path: Path) -> None:
    with (
        file_size_limit(256),
        pytest.raises(OutputError, match="cannot be written: File too large"),
    ):
        written(tmp_path / "events.lhe.gz", drell_yan(1))
    assert list(tmp_path.iterdir()) == []


def test_missing_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"events\.lhe: cannot be written: No such file or directory"
    ):
        written(tmp_path / "missing" / "events.lhe")


def test_read_only_directory_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:  # root may write anywhere, so the refusal is played
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match=r"events\.lhe: cannot be written: Permission denied"):
        written(tmp_path / "events.lhe")


def test_directory_in_place_of_the_file_is_an_output_error(tmp_path: Path) -> None:
    path = tmp_path / "events.lhe"
    path.mkdir()
    with pytest.raises(OutputError, match=r"events\.lhe: cannot be written: Is a directory"):
        written(path, drell_yan(1))
    assert list(tmp_path.iterdir()) == [path]


def test_kernel_refuses_columns_of_another_type() -> None:
    columns = drell_yan(2).columns()
    with pytest.raises(
        ValueError, match=r"mass: expected float64 \(2, 4\), C-contiguous; got float32 \(2, 4\)"
    ):
        _core.lhe_text(columns | {"mass": columns["mass"].astype(np.float32)}, [])


def test_kernel_refuses_tags_of_other_variations() -> None:
    with pytest.raises(ValueError, match="weight_tags: expected 0; got 1"):
        _core.lhe_text(drell_yan(2).columns(), ["<wgt id='1'> "])


def test_kernel_refuses_a_missing_column() -> None:
    columns = drell_yan(2).columns()
    del columns["lifetime"]
    with pytest.raises(ValueError, match="lifetime: expected an array of this name"):
        _core.event_fault(columns, 1e-9)


def test_kernel_refuses_columns_of_another_length() -> None:
    columns = drell_yan(2).columns()
    with pytest.raises(
        ValueError, match=r"weight: expected float64 \(2,\), contiguous; got float64 \(3,\)"
    ):
        _core.lhe_text(columns | {"weight": np.ones(3)}, [])
