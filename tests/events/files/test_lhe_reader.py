"""Les Houches files of other programs: all numbers are read, what cannot be read is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pylhe
import pytest
from event_samples import drell_yan, equal, read_lhe

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files import lhe
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.les_houches.lhe_init import LheGenerator, LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup

# The forms of MadGraph: comments, attributes, further elements, signs, blocks that are no XML,
# single weights.
MADGRAPH = """<LesHouchesEvents version="3.0">
<header>
<!--
#  a banner with <tags> & signs
-->
<MGVersion>
3.5.1
</MGVersion>
<MG5ProcCard>
<![CDATA[
generate p p > t t~ # a <b> & c
]]>
</MG5ProcCard>
<MGRunCard>
 5.0 = ptj ! min & max if ptj < 10
</MGRunCard>
<initrwgt>
<weightgroup name='scale_variation   1 -1' combine="envelope">
<weight id='1' MUR='0.5' MUF='0.5' PDF='247000' > MUR=0.5 MUF=0.5 </weight>
<weight id='2' MUR='2.0' MUF='2.0' PDF='247000' > MUR=2.0 MUF=2.0 </weight>
</weightgroup>
<weightgroup type="old &amp; odd" weight_name_strategy='includeId'>\
<weight id="m's">reweighted</weight></weightgroup>
<weight id='rwgt_1'>set param_card mass 6 170</weight>
</initrwgt>
</header>
<init>
2212 2212 6.500000e+03 6.500000e+03 0 0 247000 247000 -4 2
5.050290e+02 8.200000e-01 5.050290e+02 1
1.0E-1 0.2E-2 +3.0 12
<generator name='MadGraph5_aMC@NLO' version='3.5.1'>please cite 1405.0301 </generator>
<xsecinfo neve="2" totxsec="505.1"/>
</init>
<event npLO=" -1 " npNLO=" 1 ">
 4      1 +5.0502900e+02 1.82000000e+02 7.54677100e-03 1.07000000e-01
       21 -1    0    0 501  502 -0.00000e+00 +0.00000e+00 +3.40000e+02 3.40000e+02 0.00000e+00 \
0.0000e+00 -1.0000e+00
       21 -1    0    0 503  501 +0.00000e+00 -0.00000e+00 -2.10000e+02 2.10000e+02 0.00000e+00 \
0.0000e+00 1.0000e+00
        6  1    1    2 503    0 +1.00000e+01 +2.50000e+01 +1.30000e+02 2.75000e+02 1.73000e+02 \
1.5000e-02 1.0000e+00
       -6  1    1    2   0  502 -1.00000e+01 -2.50000e+01 -0.00000e+00 2.75000e+02 1.73000e+02 \
0.0000e+00 9.
#aMCatNLO 2  5  3  3  1 0.1E+03
<mgrwt>
<rscale>  2 0.18200000E+03</rscale>
<pdfrwt beam="1">  1       21 0.52307692E-01 0.18200000E+03</pdfrwt>
</mgrwt>
<clustering>
<clus scale="  100.">   3   4  2</clus></clustering>
<rwgt>
<wgt id='2'> +4.2e+02 </wgt>
<wgt id='1'> +6.1e+02 </wgt>
<wgt id="m&apos;s"> -5e-1 </wgt>
<wgt id='rwgt_1'> 5.1e+02 </wgt>
</rwgt>
</event>
<!-- between <event> and event -->
<event>
 3     12 -5.0502900e+02 91.188 0.0075 0.118
  2 -1 0 0 501 0 0 0 45 45 0 0 9
 -2 -1 0 0 0 501 0 0 -45 45 0 0 9
 23  1 1 2 0 0 0 0 0 90 90 0 9
<weights> 1 2 3 4 </weights>
<scales pt_start_1="33.0" muf='45.5' mur="1e2"></scales>
</event>
</LesHouchesEvents>
"""


def stored(tmp_path: Path, text: str, name: str = "foreign.lhe") -> Path:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def read(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


@pytest.mark.parametrize("name", ["foreign.lhe", "foreign.lhe.gz"])
def test_a_file_in_the_ways_of_madgraph_is_read(tmp_path: Path, name: str) -> None:
    reader = open_events(stored(tmp_path, MADGRAPH, name))
    init = reader.init
    assert (init.beam_pdg, init.beam_energies, init.pdf_sets) == (
        (2212, 2212),
        (6500.0, 6500.0),
        (247000, 247000),
    )
    assert init.processes == (
        LheProcess(505.029, 0.82, 505.029, 1),
        LheProcess(0.1, 0.002, 3.0, 12),
    )
    assert init.generators == (
        LheGenerator("MadGraph5_aMC@NLO", "3.5.1", "please cite 1405.0301 "),
    )
    scales = (
        {"MUR": "0.5", "MUF": "0.5", "PDF": "247000"},
        {"MUR": "2.0", "MUF": "2.0", "PDF": "247000"},
    )
    assert init.weight_groups == (
        WeightGroup(
            "scale_variation   1 -1",
            "envelope",
            (
                NamedWeight("1", " MUR=0.5 MUF=0.5 ", scales[0]),
                NamedWeight("2", " MUR=2.0 MUF=2.0 ", scales[1]),
            ),
        ),
        WeightGroup(
            "old & odd",
            "",
            (NamedWeight("m's", "reweighted"),),
            {"weight_name_strategy": "includeId"},
        ),
        WeightGroup("", "", (NamedWeight("rwgt_1", "set param_card mass 6 170"),)),
    )
    assert reader.header.blocks == {
        "MGVersion": "\n3.5.1\n",
        "MG5ProcCard": "\ngenerate p p > t t~ # a <b> & c\n",
        "MGRunCard": "\n 5.0 = ptj ! min & max if ptj < 10\n",
    }
    (batch,) = reader
    assert batch.counts.tolist() == [4, 3]
    assert batch.pdg.tolist() == [[21, 21, 6, -6], [2, -2, 23, 0]]
    assert batch.status.tolist() == [[-1, -1, 1, 1], [-1, -1, 1, 0]]
    assert batch.mothers[0].tolist() == [[0, 0], [0, 0], [1, 2], [1, 2]]
    assert batch.colour[0].tolist() == [[501, 502], [503, 501], [503, 0], [0, 502]]
    assert batch.momenta[0, 2].tolist() == [275.0, 10.0, 25.0, 130.0]
    assert batch.mass[0].tolist() == [0.0, 0.0, 173.0, 173.0]
    assert batch.lifetime[0].tolist() == [0.0, 0.0, 0.015, 0.0]
    assert batch.spin[0].tolist() == [-1.0, 1.0, 1.0, 9.0]
    assert batch.weight.tolist() == [505.029, -505.029]
    assert batch.scale.tolist() == [182.0, 91.188]
    assert batch.factorization_scale.tolist() == [182.0, 45.5]
    assert batch.renormalization_scale.tolist() == [182.0, 100.0]
    assert batch.alpha_qed.tolist() == [0.007546771, 0.0075]
    assert batch.alpha_s.tolist() == [0.107, 0.118]
    assert batch.process_id.tolist() == [1, 12]
    assert batch.variations.tolist() == [[610.0, 420.0, -0.5, 510.0], [1.0, 2.0, 3.0, 4.0]]
    assert reader.left_out == {
        "attributes of <event>",
        "comments in events",
        "<mgrwt>",
        "<clustering>",
        "other attributes of <scales>",
        "<xsecinfo> of <init>",
    }


def test_a_foreign_file_keeps_everything_but_what_is_said_to_be_left_out(tmp_path: Path) -> None:
    source = stored(tmp_path, MADGRAPH)
    for suffix in (".h5", ".parquet", ".lhe", ".lhe.gz"):
        target = tmp_path / f"converted{suffix}"
        assert convert(source, target).left_out == (
            "<clustering>",
            "<mgrwt>",
            "<xsecinfo> of <init>",
            "attributes of <event>",
            "comments in events",
            "other attributes of <scales>",
        )
        before, after = open_events(source), open_events(target)
        assert (after.init, after.header) == (before.init, before.header)
        assert equal(read(source), read(target))


def test_numbers_are_those_that_pylhe_finds(tmp_path: Path) -> None:
    """With the formats of pylhe: fewer digits, other spaces."""
    with create_events(
        tmp_path / "ours.lhe", LheInit((2212, 2212), (1.0, 1.0), (1, 1), (LheProcess(1, 1, 1),))
    ) as w:
        w.write(drell_yan(50))
    (tmp_path / "theirs.lhe").write_text(read_lhe(tmp_path / "ours.lhe").tolhe())
    (batch,) = open_events(tmp_path / "theirs.lhe")
    events = list(pylhe.LHEFile.fromstring((tmp_path / "theirs.lhe").read_text()).events)
    momenta = [[(p.e, p.px, p.py, p.pz) for p in event.particles] for event in events]
    assert np.array_equal(batch.momenta, momenta)
    assert not np.array_equal(batch.momenta, drell_yan(50).momenta)


def test_events_may_be_cut_anywhere_between_two_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, end = MADGRAPH.index("<event "), MADGRAPH.index("</LesHouchesEvents>")
    source = stored(tmp_path, MADGRAPH[:begin] + 30 * MADGRAPH[begin:end] + MADGRAPH[end:])
    whole = read(source)
    for size in (7, 100, 1501):
        monkeypatch.setattr(lhe, "BYTES_PER_PIECE", size)
        batches = list(open_events(source))
        assert len(batches) > 10
        assert equal(EventBatch.concatenate(batches), whole)


def test_what_stands_before_the_header_is_kept_in_it(tmp_path: Path) -> None:
    """As POWHEG puts its card there."""
    text = MADGRAPH.replace("<header>", "<!--\nPOWHEG & co\n-->\n<header>")
    assert open_events(stored(tmp_path, text)).header.xml.startswith("<!--\nPOWHEG & co\n-->")


def test_a_file_without_header_and_groups_is_read(tmp_path: Path) -> None:
    head, rest = MADGRAPH.split("<header>")[0], MADGRAPH.split("</header>")[1]
    rest = "".join(part.split("</rwgt>")[-1] for part in rest.split("<rwgt>")).replace(
        "<weights> 1 2 3 4 </weights>", ""
    )
    reader = open_events(stored(tmp_path, head.replace("3.0", "1.0") + rest))
    assert (reader.header.xml, reader.init.weight_groups) == ("", ())
    assert [len(batch) for batch in reader] == [2]


def test_letters_of_another_alphabet_are_read(tmp_path: Path) -> None:
    path = tmp_path / "latin.lhe"
    path.write_bytes(MADGRAPH.replace("3.5.1\n<", "Fran\u00e7ois\n<", 1).encode("latin-1"))
    assert open_events(path).header.blocks["MGVersion"] == "\nFran\u00e7ois\n"


@pytest.mark.parametrize(
    "text",
    ["1e-400", "4.9E-324", "0.1000000000000000055511151231257827", "-0", "12345678901234567890"],
)
def test_any_number_is_read_as_python_reads_it(tmp_path: Path, text: str) -> None:
    (batch,) = open_events(stored(tmp_path, MADGRAPH.replace("91.188", text)))
    assert batch.scale[1] == float(text)
    assert np.signbit(batch.scale[1]) == np.signbit(float(text))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "</LesHouchesEvents>",
            "",
            r"expected </LesHouchesEvents> after 2 events; got the end of the file",
        ),
        ("</event>\n</Les", "</Les", r"event 2: expected </event>; got the end of the file"),
        (" 4      1 ", " 5      1 ", r"event 1: expected a particle; got no more numbers"),
        (
            " 4      1 ",
            " 3      1 ",
            r"event 1: expected 3 particles of 13 numbers; got more: '-6'",
        ),
        (
            " 4      1 ",
            " 9999   1 ",
            r"event 1: expected a line of 13 numbers per particle; got too few for 9999",
        ),
        (" 4      1 ", " -4     1 ", r"event 1: expected a line of 13 numbers per particle"),
        (" 4      1 ", "\n", r"event 1: expected the number of particles; got '\+5.0502900e\+02'"),
        ("91.188", "91.188x", r"event 2: expected the scale of the event; got '91.188x'"),
        (
            " 23  1 1 2",
            " 23  1 1 two",
            r"event 2: expected mothers and colours of a particle; got 'two'",
        ),
        (" 23  1 1 2", " 23  0 1 2", r"event 2: expected particles with a status other than 0"),
        (
            " 23  1 1 2",
            " 9999999999  1 1 2",
            r"event 2: expected an integer of 32 bits; got '9999999999'",
        ),
        ("<wgt id='2'>", "<wgt id='1'>", r"event 1: expected every weight once; got one again"),
        ("<wgt id='2'>", "<wgt>", r"event 1: expected <wgt id='\.\.\.'> in <rwgt>; got '<wgt'"),
        (
            "<wgt id='2'> +4.2e+02",
            "<wgt id='2'> NN",
            r"event 1: expected the value of a weight; got 'NN'",
        ),
        ("</clustering>", "", r"event 1: expected the end of an element"),
        ("muf='45.5'", "muf='?'", r"event 2: expected the factorisation scale; got '\?'"),
        ("muf='45.5'", "muf=45.5", r"event 2: expected a quoted value of 'muf'"),
        (
            "-4 2\n",
            "-4 3\n",
            r"<init>: expected 10 numbers and 4 of every process, 22 in all; got 18",
        ),
        (
            "-4 2\n",
            "-4 two\n",
            r"<init>: expected numbers; got could not convert string to float: 'two'",
        ),
        ("-4 2\n", "-5 2\n", r"LHE weighting: expected 1 to 4 or -1 to -4; got -5"),
        ("<init>", "<begin>", r"expected <init> before the first event"),
        ("</weightgroup>", "", r"<initrwgt>: expected XML; got: mismatched tag"),
        (
            "<weight id='1'",
            "<weight name='1'",
            r"<initrwgt>: expected an id of every weight; got <weight> with",
        ),
        ("<weight id='1'", "<weight id='2'", r"LHE weights: expected different identifiers"),
        (
            MADGRAPH,
            "",
            r"expected <LesHouchesEvents>, <header> and <init>; got the end of the file",
        ),
        (MADGRAPH, "x" * 5_000_000, r"expected a Les Houches file; got no <LesHouchesEvents>"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert MADGRAPH.count(old) >= 1
    path = stored(tmp_path, MADGRAPH.replace(old, new, 1))
    with pytest.raises(InputError, match=f"foreign.lhe: {sentence}"):
        list(open_events(path))


def test_the_first_malformed_event_is_named_whatever_the_threads() -> None:
    events = b"".join(_core.lhe_text(drell_yan(3000).columns(), [])).split(b"</event>")
    broken = [one.replace(b"0.118", b"0,118") for one in events[1100:]]
    with pytest.raises(_core.LheError, match="event 1611: expected alpha_s; got '0,118'"):
        _core.lhe_events(b"</event>".join([*events[:1100], *broken]), [], [], 510, 1 << 19, 1 << 15)
