"""Event files of every format: nothing is lost in a file, or from one format to another."""

from __future__ import annotations

import gzip
import subprocess
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pyarrow
import pylhe
import pytest
from command_line import call
from event_samples import (
    SIGMA,
    drell_yan,
    equal,
    file_size_limit,
    read_lhe,
    threads,
    with_resonance,
    with_variations,
)
from pyarrow import parquet

from madnis_py.errors import GenerationError, InputError, OutputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import Conversion, convert
from madnis_py.events.files import formats
from madnis_py.events.files.formats import create_events, event_format, open_events
from madnis_py.events.les_houches import text_sinks
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup, identifiers
from madnis_py.output_file import OutputFile
from madnis_py.progress import StageProgress

NAMES = ["events.lhe", "events.lhe.gz", "events.h5", "events.hdf5", "events.parquet", "events.root"]
FORMATS = ["events.lhe.gz", "events.h5", "events.parquet", "events.root"]
INIT = LheInit(
    (2212, -2212),
    (6500.0, 980.0),
    (331900, -1),
    (LheProcess(SIGMA, 3.0, 1.1 * SIGMA), LheProcess(1 / 3, 0.1, 2.0, 7)),
    (
        WeightGroup(
            "scale & <more>",
            "envelope",
            (
                NamedWeight("21", "muR 0.5", {"MUR": "0.5", "MUF": "1.0", "PDF": "331900"}),
                NamedWeight("it's", " 2 "),
            ),
        ),
        WeightGroup("", "", (NamedWeight("lone", "of no group"),)),
    ),
)
HEADER = {
    "madnis_py_card": 'definition = "p p > e+ e-"  # a & b <init> -- ]]> <!-- ü\r\n\tend',
    "empty": "",
}


def sample(n: int) -> EventBatch:
    """Events of different numbers of particles and two processes, with every column in use."""
    batch = with_variations(with_resonance(drell_yan(n)))
    random = np.random.default_rng(5)
    return replace(
        batch,
        lifetime=random.exponential(1.0, batch.lifetime.shape) * batch.used,
        process_id=random.choice(np.array([1, 7], dtype=np.int32), n),
        weight=random.uniform(-1, 2, n),
    )


def written(path: Path, *batches: EventBatch, init: LheInit = INIT) -> Path:
    with create_events(path, init, HEADER) as writer:
        for batch in batches:
            writer.write(batch)
    assert writer.n_events == sum(map(len, batches))
    return path


def read(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    batch = sample(2001)
    reader = open_events(written(tmp_path / name, batch))
    assert reader.init == INIT
    assert reader.header.blocks == HEADER
    assert equal(EventBatch.concatenate(list(reader)), batch)
    assert reader.share == 1.0
    assert not reader.left_out
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_events_keeps_what_it_says_of_them(tmp_path: Path, name: str) -> None:
    reader = open_events(written(tmp_path / name))
    assert (reader.init, reader.header.blocks) == (INIT, HEADER)
    assert list(reader) == []


@pytest.mark.parametrize("name", FORMATS)
def test_large_files_come_in_batches(tmp_path: Path, name: str) -> None:
    batch = drell_yan(40_000)
    path = written(tmp_path / name, batch, init=replace(INIT, weight_groups=()))
    batches = list(open_events(path))
    assert max(map(len, batches)) < len(batch)
    assert equal(EventBatch.concatenate(batches), batch)


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.endswith(".root")])
def test_bytes_depend_neither_on_threads_nor_on_batches(tmp_path: Path, name: str) -> None:
    batch = sample(35_000)
    with threads(1):
        whole = written(tmp_path / name, batch).read_bytes()
    with threads(3):
        parts = [
            batch.select(slice(0, 17)),
            batch.select(slice(17, 33_000)),
            batch.select(slice(33_000, None)),
        ]
        assert written(tmp_path / name, *parts).read_bytes() == whole


@pytest.mark.parametrize("name", ["events.h5", "events.parquet", "events.root"])
def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with (
        file_size_limit(65536),
        pytest.raises(OutputError, match=rf"{name}: cannot be written: File too large"),
    ):
        written(tmp_path / name, sample(20_000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["events.h5", "events.parquet", "events.root"])
def test_missing_directory_is_an_output_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=rf"{name}: cannot be written: No such file or directory"):
        written(tmp_path / "missing" / name)


@pytest.mark.parametrize("name", FORMATS)
def test_an_error_keeps_the_file_of_before(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), create_events(path, INIT) as writer:  # noqa: PT012
        writer.write(sample(10))
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FORMATS)
def test_unusable_events_are_refused_but_copied_on_request(tmp_path: Path, name: str) -> None:
    batch = sample(10)
    bad = replace(batch, mass=batch.mass + 1.0)
    with pytest.raises(GenerationError, match="event 0: particle 1: expected E ="):
        written(tmp_path / name, bad)
    with create_events(tmp_path / name, INIT) as writer:
        writer.copy(bad)
    assert equal(read(tmp_path / name), replace(bad, mass=bad.mass * bad.used))


@pytest.mark.parametrize("name", FORMATS)
def test_other_variations_than_declared_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InputError, match=f"{name}: expected events with 3 variations, as <init> declares; got 0"
    ):
        written(tmp_path / name, drell_yan(1))


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: cannot be read: No such file or directory"):
        open_events(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.6, 0.999])
def test_a_truncated_file_is_one_sentence(tmp_path: Path, name: str, share: float) -> None:
    path = written(tmp_path / name, sample(2000))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=f"{name}: (expected|cannot be read)"):
        list(open_events(path))


@pytest.mark.parametrize("name", ["events.txt", "events.gz", "events.lhe.bz2", "h5"])
def test_a_name_that_says_no_format_is_refused(tmp_path: Path, name: str) -> None:
    expected = (
        r"expected a file name that ends in \.lhe, \.lhe\.gz, \.h5, \.hdf5, \.parquet or \.root"
    )
    for refused in (lambda path: open_events(path), lambda path: create_events(path, INIT)):
        with pytest.raises(InputError, match=expected):
            refused(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("events.h5", "h5py", "lheh5"), ("events.parquet", "pyarrow", "parquet")],
)
def test_a_format_says_what_it_needs(
    name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda wanted: None)
    with pytest.raises(
        InputError,
        match=rf"{name}: expected the package {module} .* 'madnis_py\[{extra}\]' brings it",
    ):
        event_format(Path(name))


def test_from_format_to_format_nothing_is_lost(tmp_path: Path) -> None:
    path = written(tmp_path / "a.lhe.gz", sample(1000))
    for number, suffix in enumerate((".h5", ".parquet", ".lhe", ".hdf5", ".parquet", ".lhe.gz")):
        path, source = tmp_path / f"{number}{suffix}", path
        assert convert(source, path) == Conversion(1000, ())
    assert path.read_bytes() == (tmp_path / "a.lhe.gz").read_bytes()


def test_conversion_tells_how_far_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", drell_yan(40_000), init=replace(INIT, weight_groups=()))
    told: list[StageProgress] = []
    convert(path, tmp_path / "b.h5", told.append)
    assert [progress.done for progress in told] == [32768, 40_000, 40_000]
    assert [progress.total for progress in told] == [40_000] * 3


def test_conversion_refuses_to_write_its_source(tmp_path: Path) -> None:
    path = written(tmp_path / "a.lhe", sample(10))
    (tmp_path / "b.lhe").symlink_to(path)
    for target in (path, tmp_path / "b.lhe"):
        with pytest.raises(InputError, match="expected another file than the source"):
            convert(path, target)
    assert len(read(path)) == 10


def test_command_converts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = written(tmp_path / "a.lhe.gz", sample(10)), tmp_path / "b.h5"
    outcome = call(["convert", source, target], capsys, monkeypatch)
    assert outcome.status == 0
    assert f"10 events in {target}" in outcome.out
    assert "convert: 10/10 events" in outcome.out
    assert "left out" not in outcome.out
    assert equal(read(target), read(source))


@pytest.mark.parametrize("target", ["a.lhe", "b.txt", "missing/b.h5"])
def test_command_that_cannot_convert_says_so(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "a.lhe", sample(10))
    outcome = call(["convert", source, tmp_path / target], capsys, monkeypatch)
    assert outcome.status == (1 if "missing" in target else 2)
    assert len(outcome.err.splitlines()) == 1
    assert str(tmp_path / target) in outcome.err


def test_command_tells_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lhe"
    text = written(path, drell_yan(2), init=replace(INIT, weight_groups=())).read_text()
    path.write_text(text.replace("<scales", "# hi\n<scales"))
    outcome = call(["convert", path, tmp_path / "b.lhe"], capsys, monkeypatch)
    assert "left out: comments in events" in outcome.out


def test_one_gzip_member_holds_the_text(tmp_path: Path) -> None:
    batch = sample(4000)
    packed = written(tmp_path / "events.lhe.gz", batch).read_bytes()
    text = written(tmp_path / "events.lhe", batch).read_bytes()
    assert len(text) > 2 * text_sinks.PIECE
    assert gzip.decompress(packed) == text
    decompressor = zlib.decompressobj(wbits=31)
    assert decompressor.decompress(packed) == text
    assert (decompressor.eof, decompressor.unused_data) == (True, b"")
    shell = subprocess.run(
        ["gzip", "--decompress", "--stdout"], input=packed, capture_output=True, check=True
    )
    assert shell.stdout == text


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 300, 301])
def test_text_of_any_length_is_compressed_whole(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_sinks, "PIECE", 100)
    content = bytes(np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8))
    with ThreadPoolExecutor(2) as pool, OutputFile(tmp_path / "a.gz") as file:
        sink = text_sinks.GzipSink(file, pool, 2)
        sink.write(content[: size // 2])
        sink.write(content[size // 2 :])
        sink.finish()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == content


def test_pylhe_reads_our_tables_as_it_reads_our_text(tmp_path: Path) -> None:
    batch = sample(50)
    tables = pylhe.LHEFile.fromfile(written(tmp_path / "events.h5", batch))
    text = read_lhe(written(tmp_path / "events.lhe", batch))
    assert tables.init == text.init
    assert tables.header is not None
    assert text.header is not None
    assert tables.header.initrwgt == text.header.initrwgt
    for ours, theirs in zip(tables.events, text.events, strict=True):
        assert ours.particles == theirs.particles
        assert ours.eventinfo == theirs.eventinfo
        assert ours.weights == theirs.weights
        assert ours.attributes == {"trials": "1.0"}
        assert ours.scales == {"fscale": theirs.scales["muf"], "rscale": theirs.scales["mur"]}


def test_tables_that_pylhe_writes_are_read(tmp_path: Path) -> None:
    batch = sample(50)
    read_lhe(written(tmp_path / "events.lhe", batch)).tofile(
        tmp_path / "theirs.h5", pylhe.HDF5_GZ_FORMAT
    )
    reader = open_events(tmp_path / "theirs.h5")
    assert equal(EventBatch.concatenate(list(reader)), batch)
    assert reader.init == replace(INIT, weight_groups=reader.init.weight_groups)
    assert identifiers(reader.init.weight_groups) == identifiers(INIT.weight_groups)
    assert not reader.left_out


def test_tables_without_names_and_header_are_read(tmp_path: Path) -> None:
    """As version 2 was first: the columns of pylhe by position, weights by the names of theirs."""
    path = written(tmp_path / "events.h5", sample(20))
    with h5py.File(path, "r+") as file:
        del (
            file["xml"],
            file["generators"],
            file["particles"].attrs["properties"],
            file["particles"].attrs["particles"],
        )
        file["events"][:, 3] = 7.0
    reader = open_events(path)
    assert equal(EventBatch.concatenate(list(reader)), sample(20).rescaled(1 / 7))
    assert [group.weights[0].identifier for group in reader.init.weight_groups] == [
        "21",
        "it's",
        "lone",
    ]
    assert reader.init.generators == ()
    assert reader.left_out == {"trials, by whose mean the weights are divided"}


def test_particles_may_lie_in_another_order_than_events(tmp_path: Path) -> None:
    path = written(tmp_path / "events.h5", sample(20))
    with h5py.File(path, "r+") as file:
        file["events"][...] = file["events"][()][::-1]
    assert equal(read(path), sample(20).select(slice(None, None, -1)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda file: file.pop("events"),
            "expected the table events of LHEH5 version 2; got generators, init",
        ),
        (
            lambda file: file["events"].resize(9, axis=1),
            "expected the column weight; got pid, nparticles",
        ),
        (
            lambda file: file["particles"].resize(30, axis=0),
            "expected 80 rows of particles; got 30",
        ),
    ],
)
def test_damaged_tables_are_one_sentence(
    tmp_path: Path, change: Callable[[h5py.File], None], sentence: str
) -> None:
    path = written(tmp_path / "events.h5", drell_yan(20), init=replace(INIT, weight_groups=()))
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=f"events.h5: {sentence}"):
        list(open_events(path))


def test_weights_may_not_have_the_name_of_a_column(tmp_path: Path) -> None:
    init = replace(INIT, weight_groups=(WeightGroup("", "", (NamedWeight("scale", ""),)),))
    with pytest.raises(
        InputError,
        match=r"expected identifiers of weights that are no other column; got \['scale'\]",
    ):
        written(tmp_path / "events.h5", init=init)


def test_parquet_is_what_other_programs_read(tmp_path: Path) -> None:
    batch = sample(100)
    table = parquet.read_table(written(tmp_path / "events.parquet", batch))
    assert table.column("energy").to_pylist()[0] == batch.momenta[0, :5, 0].tolist()
    assert table.column("pdg").to_pylist()[1] == batch.pdg[1, :4].tolist()
    assert table.column("weight").to_pylist() == batch.weight.tolist()
    assert table.column("variations").to_pylist() == batch.variations.tolist()


def test_a_foreign_parquet_file_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"x": [1]}), tmp_path / "events.parquet")
    with pytest.raises(
        InputError, match=r"events\.parquet: expected a file of events with madnis_py\.lhe in its"
    ):
        open_events(tmp_path / "events.parquet")
