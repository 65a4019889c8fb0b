"""Damaged and harmful event files: one sentence with the place, in bounded time and memory."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from event_samples import SIGMA, drell_yan, equal, with_resonance, with_variations
from pyarrow import parquet

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files import lhe, ragged
from madnis_py.events.files.event_writer import EventBlocks
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.les_houches import weight_groups
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.events.les_houches.xml_text import elements, outside, parsed_attributes

GROUPS = (WeightGroup("scales", "envelope", (NamedWeight("1001", ""), NamedWeight("1002", ""))),)
INIT = LheInit(
    (2212, 2212), (6500.0, 6500.0), (331900, 331900), (LheProcess(SIGMA, 3.0, SIGMA),), GROUPS
)
EVENTS = with_variations(with_resonance(drell_yan(20)), 2)


def written(path: Path, batch: EventBatch = EVENTS, init: LheInit = INIT) -> Path:
    with create_events(path, init) as writer:
        writer.copy(batch)
    return path


def refusal(path: Path) -> str:
    """The sentence that reading a file ends in."""
    with pytest.raises(InputError) as error:
        list(open_events(path))
    sentence = str(error.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


def with_column(name: str, change: Callable[[pa.Array], Any]) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        column = table.column(name).combine_chunks()
        return table.set_column(table.column_names.index(name), name, change(column))

    return changed


def with_null(place: int) -> Callable[[pa.Array], pa.Array]:
    return lambda column: pa.array(
        [None if row == place else one for row, one in enumerate(column.to_pylist())]
    )


def ragged_at(place: int) -> Callable[[pa.Array], pa.Array]:
    return lambda column: pa.array(
        [one[:-1] if row == place else one for row, one in enumerate(column.to_pylist())]
    )


def inside(place: int, value: float | None) -> Callable[[pa.Array], pa.Array]:
    def changed(column: pa.Array) -> pa.Array:
        rows = column.to_pylist()
        rows[place][1] = value
        return pa.array(rows)

    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.drop(["mass"]), "expected the column mass; got weight, scale"),
        (
            lambda table: table.append_column("mass", table.column("mass")),
            "expected the column mass; got it 2 times",
        ),
        (
            with_column("weight", lambda c: pc.cast(c, pa.string())),
            "column weight: expected double; got string",
        ),
        (
            with_column("pdg", lambda c: pa.array(np.zeros(len(c)))),
            "column pdg: expected list<element: int32 not null>",
        ),
        (
            with_column("process_id", lambda c: pc.cast(c, pa.float64())),
            "column process_id: expected int32; got double",
        ),
        (
            with_column("process_id", lambda c: pa.array([2**40] * len(c))),
            "column process_id: expected int32; got: Integer",
        ),
        (
            with_column("weight", with_null(3)),
            "event 4: weight: expected a number; got something else",
        ),
        (
            with_column("scale", lambda c: pa.nulls(len(c), pa.float64())),
            "event 1: scale: expected a number",
        ),
        (with_column("energy", with_null(5)), "event 6: energy: expected a list"),
        (with_column("energy", inside(5, None)), "event 6: energy: expected a number"),
        (with_column("energy", inside(5, np.inf)), "event 6: energy: expected a finite number"),
        (
            with_column("weight", lambda c: pc.multiply(c, np.nan)),
            "event 1: weight: expected a finite number",
        ),
        (
            with_column("variations", inside(7, np.nan)),
            "event 8: variations: expected a finite number",
        ),
        (
            with_column("variations", ragged_at(2)),
            "event 3: variations: expected 2 numbers, as <init> declares",
        ),
        (
            with_column("mother2", ragged_at(2)),
            "event 3: mother2: expected as many numbers as pdg has",
        ),
        (with_column("status", inside(4, 0)), "event 5: status: expected another number than 0"),
        (
            lambda table: table.replace_schema_metadata({"madnis_py.lhe": "<LesHouchesEvents>"}),
            "madnis_py.lhe: expected <Les",
        ),
    ],
)
def test_damaged_columns_are_one_sentence(
    change: Callable[[pa.Table], pa.Table], sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.parquet")
    parquet.write_table(change(parquet.read_table(path)), path)
    assert refusal(path).startswith(sentence)


def test_columns_that_other_programs_wrote_anew_are_read(tmp_path: Path) -> None:
    """Other order, further columns, wider integers, large lists, and a null for no weight."""
    path = written(tmp_path / "a.parquet")
    table = parquet.read_table(path)
    table = with_column("pdg", lambda c: pa.array(c.to_pylist(), pa.large_list(pa.int64())))(table)
    table = with_column("variations", inside(2, None))(table)
    names = [*reversed(table.column_names), "further"]
    table = table.append_column("further", pa.nulls(len(table))).select(names)
    parquet.write_table(table, path, row_group_size=7)
    reader = open_events(path)
    variations = EVENTS.variations.copy()
    variations[2, 1] = np.nan
    found = EventBatch.concatenate(list(reader))
    np.testing.assert_array_equal(found.variations, variations)
    assert equal(replace(found, variations=EVENTS.variations), EVENTS)
    assert reader.left_out == {"weights that some events have not (1002)"}


def replaced(name: str, data: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        attributes = dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, data=data).attrs.update(attributes)

    return change


def cell(table: str, row: int, name: str, value: float) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        names = list(file[table].attrs["properties"])
        if file[table].ndim == 1:
            file[table][names.index(name)] = value
        else:
            file[table][row, names.index(name)] = value

    return change


def in_large_pieces(file: h5py.File) -> None:
    del file["events"]
    file.create_dataset("events", (0, 12), "f8", chunks=(2**22, 12), maxshape=(None, 12))


def linked(file: h5py.File) -> None:
    del file["particles"]
    file["particles"] = h5py.ExternalLink("other.h5", "/particles")


def stored_elsewhere(file: h5py.File) -> None:
    del file["particles"]
    file.create_dataset("particles", (80, 13), "f8", external=[("/etc/hostname", 0, 80 * 13 * 8)])


def with_a_virtual_table(file: h5py.File) -> None:
    del file["particles"]
    layout = h5py.VirtualLayout((80, 13), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "particles", (80, 13))
    file.create_virtual_dataset("particles", layout)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            replaced("events", 1.0),
            "events: expected a table of numbers with 2 dimensions; got float64 of shape ()",
        ),
        (
            replaced("events", np.ones(12)),
            "events: expected a table of numbers with 2 dimensions; got float64 of shape (12,)",
        ),
        (
            replaced("particles", np.ones((2, 2, 2))),
            "particles: expected a table of numbers with 2 dimensions",
        ),
        (
            replaced("particles", b"text"),
            "particles: expected a table of numbers with 2 dimensions; got object of shape ()",
        ),
        (
            replaced("init", np.ones((2, 10))),
            "init: expected a table of numbers with 1 dimensions; got float64 of shape (2, 10)",
        ),
        (
            replaced("procInfo", np.ones(6)),
            "procInfo: expected a table of numbers with 2 dimensions",
        ),
        (replaced("generators", 3.0), "generators: expected a table of text with 2 dimensions"),
        (
            replaced("xml/header", np.ones(3)),
            "xml/header: expected one text; got float64 of shape (3,)",
        ),
        (
            in_large_pieces,
            "events: expected rows that fit in the memory together; "
            "got shape (0, 12) in pieces of 384 MiB",
        ),
        (linked, "particles: expected a table in the file itself; got a link"),
        (
            stored_elsewhere,
            "particles: expected a table in the file itself; got one that lies in other files",
        ),
        (
            with_a_virtual_table,
            "particles: expected a table in the file itself; got one that lies in other files",
        ),
        (
            cell("events", 3, "NOMINAL", np.nan),
            "event 4: NOMINAL: expected a finite number; got nan",
        ),
        (cell("events", 3, "1002", np.inf), "event 4: 1002: expected a finite number; got inf"),
        (
            cell("events", 3, "pid", 1.5),
            "event 4: pid: expected an integer from -2147483648 to 2147483647; got 1.5",
        ),
        (
            cell("events", 3, "nparticles", -1),
            "event 4: nparticles: expected an integer from 0 to 90; got -1",
        ),
        (
            cell("events", 3, "nparticles", np.nan),
            "event 4: nparticles: expected a finite number; got nan",
        ),
        (cell("events", 3, "start", 1e300), "event 4: start: expected an integer from 0 to"),
        (cell("events", 3, "start", 88), "expected 92 rows of particles; got 90"),
        (cell("events", 3, "nparticles", 80), "expected 166 rows of particles; got 90"),
        (
            cell("events", 3, "trials", np.inf),
            "events: trials: expected numbers > 0; got the sum inf",
        ),
        (cell("particles", 7, "id", 1e12), "particle 8: id: expected an integer from"),
        (cell("particles", 7, "status", 0), "expected particles with a status other than 0"),
        (cell("particles", 7, "e", np.nan), "particle 8: e: expected a finite number; got nan"),
        (cell("init", 0, "PDFsetA", np.nan), "init 1: PDFsetA: expected a finite number; got nan"),
        (
            cell("init", 0, "weightingStrategy", 1e10),
            "<init>: IDWTUP: expected an integer of 32 bits; got 1e+10",
        ),
        (
            cell("procInfo", 0, "procId", 0.5),
            "<init>: LPRUP: expected an integer of 32 bits; got 0.5",
        ),
        (
            lambda file: file["events"].attrs.modify("properties", [b"pid"] * 12),
            "events: expected different names",
        ),
        (
            lambda file: file["events"].attrs.create("properties", 7.0),
            "expected columns of the weights",
        ),
    ],
)
def test_damaged_tables_are_one_sentence(
    change: Callable[[h5py.File], None], sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.h5")
    written(tmp_path / "other.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    assert refusal(path).startswith(sentence)


@pytest.mark.parametrize("name", ["a.h5", "a.parquet", "a.root", "a.lhe.gz", "a.lhe"])
def test_a_file_with_changed_bytes_is_read_or_one_sentence(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name)
    content, random = path.read_bytes(), np.random.default_rng(11)
    for _ in range(25):
        changed = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 6)):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        with suppress(InputError):
            for batch in open_events(path):
                columns = batch.columns()
                assert all(
                    np.isfinite(columns[name]).all() for name in columns if name != "variations"
                )


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


HEAD = "<LesHouchesEvents>\n<init>\n 2212 2212 6.5e3 6.5e3 0 0 1 1 -4 1\n 1 1 1 1\n</init>\n"
REPEATED = {
    "roots": "<LesHouchesEvents " * 12_000,
    "headers": "<LesHouchesEvents>" + "<header " * 25_000,
    "comments": "<LesHouchesEvents>" + "<!--" * 50_000,
    "blocks": f"<LesHouchesEvents>\n<header>{'<a>' * 60_000}</header>" + HEAD[19:],
    "names": f"<LesHouchesEvents>\n<header><{'a' * 200_000}</header>" + HEAD[19:],
    "declarations": f"<LesHouchesEvents>\n<header>{'<initrwgt>' * 20_000}</header>" + HEAD[19:],
    "generators": HEAD.replace("</init>", "<generator " * 20_000 + "</init>"),
    "open_generators": HEAD.replace("</init>", "<generator>" * 20_000 + "</init>"),
    "attributes": HEAD.replace("</init>", f"<generator {'a' * 200_000}>x</generator></init>"),
    "comments_in_init": HEAD.replace("</init>", "<!-- --><!--" * 15_000 + "--></init>"),
    "events": HEAD + "<event>" * 28_000,
    "comments_behind": HEAD + "<!--" * 50_000,
    "elements": HEAD + "<event>\n 0 1 1 1 1 1\n" + "<a>" * 60_000 + "</event>\n",
    "weights": HEAD
    + "<event>\n 0 1 1 1 1 1\n<rwgt>"
    + "<wgt id='1'" * 20_000
    + "</rwgt></event>\n",
}


@pytest.mark.parametrize("kind", REPEATED)
def test_what_is_repeated_costs_time_in_proportion(kind: str, tmp_path: Path) -> None:
    """200 kB each; were the time quadratic, as it was, each would take half a minute."""
    path = tmp_path / "a.lhe"
    path.write_text(REPEATED[kind])

    def read() -> None:
        with pytest.raises(InputError):
            list(open_events(path))

    assert seconds(read) < 3


@pytest.mark.parametrize(
    "text", ["<a>" * 60_000, "<a " * 60_000, "<!--" * 50_000, "a" * 200_000, "a=" * 100_000]
)
def test_text_that_is_no_xml_costs_time_in_proportion(text: str) -> None:
    def read() -> None:
        assert outside(text, elements(text)) == text
        parsed_attributes(text)
        parsed_attributes(text.replace("a", 'a="'))

    assert seconds(read) < 3


def test_elements_are_found_in_any_text() -> None:
    text = "x <a b='1'>1 <c> 2</a><d/> <!-- <e></e> --> <f> <![CDATA[</f>]]></f > <g> </h>"
    found = list(elements(text))
    assert [(one.name, one.content) for one in found] == [
        ("a", "1 <c> 2"),
        ("d", ""),
        ("f", " <![CDATA[</f>]]>"),
    ]
    assert outside(text, found) == "x    <g> </h>"
    assert parsed_attributes(""" a = "1" b='it"s' c=3 d-e="&lt;" """) == {
        "a": "1",
        "b": 'it"s',
        "d-e": "<",
    }


@pytest.mark.parametrize("name", ["a.lhe.gz", "b.h5", "c.parquet", "d.root"])
def test_one_long_event_makes_no_others_long(name: str, tmp_path: Path) -> None:
    """One of 20,000 particles among 6,000 of 4: padded together they would take 9 GB."""
    long = drell_yan(1).padded(20_000)
    long.status[:, 4:], long.pdg[:, 4:] = 1, 22
    short = drell_yan(3000)
    init = replace(INIT, weight_groups=())
    with create_events(tmp_path / name, init) as writer:
        for batch in (short, long, short):
            writer.copy(batch)
    tracemalloc.start()
    sizes = [batch.pdg.shape for batch in open_events(tmp_path / name)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(events for events, _ in sizes) == 6001
    assert max(events * rows for events, rows in sizes) <= ragged.MOST_ROWS
    assert sizes[0] == (3000, 4)
    assert peak < 300e6
    convert(tmp_path / name, tmp_path / "again.lhe")
    assert sum(len(batch) for batch in open_events(tmp_path / "again.lhe")) == 6001


def test_blocks_are_a_function_of_the_events_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged, "MOST_ROWS", 2000)
    counts = np.random.default_rng(2).choice([4, 4, 4, 40], 900)
    events = drell_yan(900).padded(40)
    events.status[:, 4:] = np.where(np.arange(4, 40) < counts[:, None], 1, 0)

    def sizes(*cuts: int) -> list[int]:
        blocks, bounds = EventBlocks(), [0, *cuts, 900]
        found = [
            block for a, b in pairwise(bounds) for block in blocks.add(events.select(slice(a, b)))
        ]
        return [block.pdg.size for block in [*found, *blocks.rest()]]

    whole = sizes()
    assert len(whole) > 5
    assert max(whole) <= 2000
    assert whole == sizes(1, 2, 70, 500) == sizes(*range(10, 900, 10))


def test_the_text_before_the_events_is_limited(tmp_path: Path) -> None:
    """A compressed file of 40 kB that would become 40 MB."""
    path = tmp_path / "a.lhe.gz"
    path.write_bytes(
        gzip.compress(b"<LesHouchesEvents>\n<header>\n" + b" " * 40_000_000, compresslevel=6)
    )
    tracemalloc.start()
    assert refusal(path) == "expected the events within 32 MiB; got more text before them"
    assert tracemalloc.get_traced_memory()[1] < 250e6
    tracemalloc.stop()


def test_the_text_of_an_event_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lhe, "MOST_TEXT", 1 << 23)
    path = tmp_path / "a.lhe.gz"
    path.write_bytes(
        gzip.compress(HEAD.encode() + b"<event>\n" + b" " * 20_000_000, compresslevel=6)
    )
    assert refusal(path) == "event 1: expected its end within 8 MiB; got more text"


def test_the_number_of_weights_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_groups, "MOST_WEIGHTS", 300)
    weights = "".join(f"<weight id='{number}'/>" for number in range(301))
    path = tmp_path / "a.lhe"
    path.write_text(
        HEAD.replace("<init>", f"<header><initrwgt>{weights}</initrwgt></header><init>")
    )
    assert refusal(path) == "LHE weights: expected at most 300; got 301"
