"""Les Houches files of other programs: what is there is read, what is left out is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pylhe
import pytest
from command_line import call

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files import lhe
from madnis_py.events.files.formats import open_events
from madnis_py.events.les_houches.weight_groups import identifiers

PARTICLES = """   2 -1 0 0 501 0 0.0 0.0 45.0 45.0 0.0 0.0 9.
  -2 -1 0 0 0 501 0.0 0.0 -45.0 45.0 0.0 0.0 9.
  11 1 1 2 0 0 27.0 0.0 36.0 45.0 0.0 0.0 -1.
 -11 1 1 2 0 0 -27.0 0.0 -36.0 45.0 0.0 0.0 1.
"""
DECLARED = """<initrwgt>
<weightgroup type="scale" combine="envelope">
<weight id="1001"> a </weight>
<weight id="1002"> b </weight>
</weightgroup>
</initrwgt>
"""
NAMED = '<rwgt>\n<wgt id="1001"> 1.4e3 </wgt>\n<wgt id="1002"> 1.6e3 </wgt>\n</rwgt>\n'
ONE_NAMED = '<rwgt>\n<wgt id="1001"> 1.4e3 </wgt>\n</rwgt>\n'
LISTED = "<weights>\n 1.4e3 1.6e3\n</weights>\n"


def event(rest: str = "", weight: str = "1500.0", particles: str = PARTICLES) -> str:
    return f"<event>\n  4  1 {weight} 9.1e+01 7.5e-03 1.18e-01\n{particles}{rest}</event>\n"


def file_of(
    *events: str,
    header: str = "",
    init: str = "",
    numbers: str = " 2212 2212 6.5e3 6.5e3 0 0 303600 303600 -4 1\n 1500.0 3.0 1500.0 1\n",
) -> str:
    head = f"<header>\n{header}</header>\n" if header else ""
    body = "".join(events or [event()] * 3)
    start = f'<LesHouchesEvents version="3.0">\n{head}<init>\n{numbers}{init}</init>\n'
    return f"{start}{body}</LesHouchesEvents>\n"


def stored(tmp_path: Path, text: str | bytes, name: str = "foreign.lhe") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


NAMES = ("1001", "1002")
NUMBERS = [[1400.0, 1600.0]] * 3


@pytest.mark.parametrize(
    ("text", "names", "numbers", "left_out"),
    [
        pytest.param(
            file_of(*[event(NAMED)] * 3, header=DECLARED), NAMES, NUMBERS, set(), id="rwgt"
        ),
        pytest.param(
            file_of(*[event(LISTED)] * 3, header=DECLARED), NAMES, NUMBERS, set(), id="weights"
        ),
        pytest.param(
            file_of(*[event(NAMED)] * 3, init=DECLARED),
            NAMES,
            NUMBERS,
            set(),
            id="declared_in_init",
        ),
        pytest.param(
            file_of(*[event(LISTED)] * 3, init=DECLARED),
            NAMES,
            NUMBERS,
            set(),
            id="listed_and_in_init",
        ),
        pytest.param(
            file_of(*[event(NAMED)] * 3, header=DECLARED, init=DECLARED),
            NAMES,
            NUMBERS,
            set(),
            id="declared_twice",
        ),
        pytest.param(file_of(*[event(NAMED)] * 3), NAMES, NUMBERS, set(), id="undeclared"),
        pytest.param(
            file_of(*[event("<rwgt/>\n" + LISTED)] * 3, header=DECLARED),
            NAMES,
            NUMBERS,
            set(),
            id="empty_and_listed",
        ),
        pytest.param(
            file_of(*[event(NAMED + LISTED.replace("1.4", "9"))] * 3, header=DECLARED),
            NAMES,
            NUMBERS,
            {"<weights> beside <rwgt>"},
            id="both",
        ),
        pytest.param(
            file_of(header=DECLARED),
            (),
            [[]] * 3,
            {"declarations of weights that the events have not (1001, 1002)"},
            id="declared_and_missing",
        ),
        pytest.param(
            file_of(*[event(ONE_NAMED)] * 3, header=DECLARED),
            ("1001",),
            [[1400.0]] * 3,
            {"declarations of weights that the events have not (1002)"},
            id="fewer",
        ),
        pytest.param(
            file_of(*[event("<weights> 1.4e3 </weights>\n")] * 3, header=DECLARED),
            ("1001",),
            [[1400.0]] * 3,
            {"declarations of weights that the events have not (1002)"},
            id="fewer_listed",
        ),
        pytest.param(
            file_of(*[event("<weights> 1.4e3 1.6e3 7 </weights>\n")] * 3, header=DECLARED),
            NAMES,
            NUMBERS,
            {"numbers of <weights> without a declaration"},
            id="more_listed",
        ),
        pytest.param(
            file_of(event(NAMED), event(ONE_NAMED), event(NAMED), header=DECLARED),
            NAMES,
            [[1400.0, 1600.0], [1400.0, np.nan], [1400.0, 1600.0]],
            {"weights that some events have not (1002)"},
            id="missing_in_one_event",
        ),
        pytest.param(
            file_of(
                *[event(NAMED.replace("1002", " it&apos;s 2 "))] * 3,
                header=DECLARED.replace("1002", "it's 2"),
            ),
            ("1001", "it's 2"),
            NUMBERS,
            set(),
            id="odd_identifiers",
        ),
        pytest.param(
            file_of(
                *[event(NAMED)] * 3, header=DECLARED.replace(" a ", " set mass 6 170 && x < 1 ")
            ),
            NAMES,
            NUMBERS,
            set(),
            id="stray_signs",
        ),
        pytest.param(
            file_of(
                *[event(NAMED.replace("<wgt", "<!-- </rwgt> <wgt -->\n<wgt"))] * 3, header=DECLARED
            ),
            NAMES,
            NUMBERS,
            {"comments in events"},
            id="comments_in_weights",
        ),
    ],
)
def test_weights_are_those_that_the_events_have(
    text: str,
    names: tuple[str, ...],
    numbers: list[list[float]],
    left_out: set[str],
    tmp_path: Path,
) -> None:
    reader = open_events(stored(tmp_path, text))
    found = EventBatch.concatenate(list(reader))
    assert identifiers(reader.init.weight_groups) == names
    np.testing.assert_array_equal(found.variations, numbers)
    assert reader.left_out == left_out
    assert found.weight.tolist() == [1500.0] * 3


def test_weights_that_only_later_events_have_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lhe, "BYTES_PER_PIECE", 600)
    text = file_of(*[event(ONE_NAMED)] * 10, event(NAMED), event(LISTED), header=DECLARED)
    reader = open_events(stored(tmp_path, text))
    assert EventBatch.concatenate(list(reader)).variations.tolist() == [[1400.0]] * 12
    assert reader.left_out == {
        "declarations of weights that the events have not (1002)",
        "weights that the first events have not (1002)",
        "numbers of <weights> without a declaration",
    }


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        pytest.param(
            file_of().replace(
                "<init>", "<!--\nPOWHEG <event> text <init> </header>\n-->\n<init>", 1
            ),
            set(),
            id="tags_in_comments",
        ),
        pytest.param(
            file_of(header="<a><![CDATA[ </header> <init> ]]></a>\n"), set(), id="tags_in_cdata"
        ),
        pytest.param(
            file_of(header="<x>\n if pt <b> 20 and </init> <event>\n</x>\n<unclosed>\n"),
            set(),
            id="tags_in_text",
        ),
        pytest.param(
            '<?xml version="1.0"?>\n<!-- <LesHouchesEvents> -->\n' + file_of(),
            set(),
            id="xml_declaration",
        ),
        pytest.param(file_of(init="Just some text\n"), {"text of <init>"}, id="prose_in_init"),
        pytest.param(
            file_of(
                numbers="about it\n# 1 2\n 2212 2212 6.5D3 6.5D+3 0 0 303600 303600 -4 1 more\n"
                " 1.5D3 3 1500. 1 q > e\n"
            ),
            {"text of <init>", "words behind the numbers of <init>"},
            id="words_in_init",
        ),
        pytest.param(
            file_of(
                numbers=" 2212 2212 6.5e3 6.5e3\n 0 0 303600 303600\n -4 1\n"
                " 1500.0 3.0\n 1500.0 1\n"
            ),
            set(),
            id="init_on_many_lines",
        ),
        pytest.param(
            file_of(init="<xsecinfo neve='3'/>\n"),
            {"<xsecinfo> of <init>"},
            id="further_elements_of_init",
        ),
        pytest.param(
            file_of(init="<!-- <generator> no </generator> -->\n"), set(), id="comments_in_init"
        ),
        pytest.param(file_of().replace("\n", "\r\n"), set(), id="windows"),
        pytest.param(
            file_of().replace("45.0", "4.5D+01").replace("27.0", "0.27d2"), set(), id="fortran"
        ),
        pytest.param(
            file_of(*[event("# a <comment> line\n#pdf 1 2 3\n")] * 3),
            {"comments in events"},
            id="powheg",
        ),
        pytest.param(
            file_of(*[event("<!-- </event> -->\n")] * 3),
            {"comments in events"},
            id="end_in_comment",
        ),
        pytest.param(
            file_of(*[event("<![CDATA[ </event> ]]>\n")] * 3),
            {"comments in events"},
            id="end_in_cdata",
        ),
        pytest.param(
            file_of(
                *[
                    event(
                        "<mgrwt>\n<rscale> 2 91.</rscale>\n</mgrwt>\n<clustering>\n</clustering>\n"
                    )
                ]
                * 3
            ),
            {"<mgrwt>", "<clustering>"},
            id="madgraph",
        ),
        pytest.param(
            file_of(*[event().replace("<event>", "<event npLO=' -1 ' npNLO=' 1 '>")] * 3),
            {"attributes of <event>"},
            id="amcatnlo",
        ),
        pytest.param(
            file_of(event(), "<!-- <event> -->\n", event(), event()),
            set(),
            id="comment_between_events",
        ),
        pytest.param(
            file_of(event(), "# text <b>\n", event(), event()),
            {"text between events"},
            id="text_between_events",
        ),
        pytest.param(
            file_of(header="<x>\n a <init b <event c\n</x>\n"), set(), id="signs_in_header"
        ),
        pytest.param(file_of().replace("</event>", "</event\n>"), set(), id="spaces_in_tags"),
        pytest.param(file_of() + file_of(), {"what follows </LesHouchesEvents>"}, id="two_files"),
        pytest.param(file_of() + "\n \n", set(), id="empty_lines_at_the_end"),
        pytest.param(
            file_of(*[event("<other\x07" + "x" * 99 + "/>\n")] * 3),
            {"<other\\x07" + "x" * 34 + ">"},
            id="odd_element",
        ),
    ],
)
def test_events_are_read_in_every_surrounding(
    text: str, left_out: set[str], tmp_path: Path
) -> None:
    reader = open_events(stored(tmp_path, text))
    found = EventBatch.concatenate(list(reader))
    assert (reader.init.beam_energies, reader.init.pdf_sets) == ((6500.0, 6500.0), (303600, 303600))
    assert [(one.cross_section, one.identifier) for one in reader.init.processes] == [(1500.0, 1)]
    assert found.momenta[:, 2].tolist() == [[45.0, 27.0, 0.0, 36.0]] * 3
    assert found.pdg.tolist() == [[2, -2, 11, -11]] * 3
    assert reader.left_out == left_out
    assert reader.share == 1.0


def test_three_digits_of_an_exponent_need_no_letter(tmp_path: Path) -> None:
    text = file_of(event(weight="0.15-102"), event(weight="-1.5+003"), event(weight="1.5D-320"))
    (found,) = open_events(stored(tmp_path, text))
    assert found.weight.tolist() == [0.15e-102, -1500.0, 1.5e-320]


def test_processes_may_have_any_number(tmp_path: Path) -> None:
    text = file_of().replace(" 1500.0 1\n", " 1500.0 0\n").replace("  4  1 ", "  4  0 ")
    reader = open_events(stored(tmp_path, text))
    assert reader.init.processes[0].identifier == 0
    assert next(iter(reader)).process_id.tolist() == [0, 0, 0]


def test_members_of_a_gzip_file_are_read_one_after_the_other(tmp_path: Path) -> None:
    text = file_of().encode()
    parts = [text[:200], text[200:900], text[900:]]
    members = b"".join(map(gzip.compress, parts))
    for padding in (b"", bytes(700)):  # as on tapes
        path = stored(tmp_path, members + padding, "foreign.lhe.gz")
        assert [len(batch) for batch in open_events(path)] == [3]
    path = stored(tmp_path, members + b"more", "foreign.lhe.gz")
    with pytest.raises(
        InputError, match=r"expected a whole gzip file; got: .*, after 3 whole events"
    ):
        list(open_events(path))


NOTHING = "<event>\n  0  1 0.0 0.0 0.0 0.0\n</event>\n"


def test_events_without_particles_count(tmp_path: Path) -> None:
    """As programs write them for trials that came to nothing: they are part of the mean."""
    source = stored(tmp_path, file_of(NOTHING, event(), NOTHING, event()))
    for suffix in (".h5", ".parquet", ".lhe"):
        target = tmp_path / f"converted{suffix}"
        assert convert(source, target).events == 4
        for path in (source, target):
            (found,) = open_events(path)
            assert found.counts.tolist() == [0, 4, 0, 4]
            assert found.weight.mean() == 750.0
    only = stored(tmp_path, file_of(NOTHING, NOTHING), "nothing.lhe")
    assert next(iter(open_events(only))).counts.tolist() == [0, 0]
    convert(only, tmp_path / "nothing.h5")
    assert next(iter(open_events(tmp_path / "nothing.h5"))).counts.tolist() == [0, 0]


def test_a_weight_that_one_event_lacks_stays_away_in_text_and_columns(tmp_path: Path) -> None:
    text = file_of(event(NAMED), event(ONE_NAMED), event(), header=DECLARED)
    source = stored(tmp_path, text)
    expected = [[1400.0, 1600.0], [1400.0, np.nan], [np.nan, np.nan]]
    for name in ("a.parquet", "b.lhe", "c.lhe.gz"):
        done = convert(source, tmp_path / name)
        assert done.left_out == ("weights that some events have not (1001, 1002)",)
        reader = open_events(tmp_path / name)
        np.testing.assert_array_equal(next(iter(reader)).variations, expected)
    of_pylhe = pylhe.LHEFile.fromstring((tmp_path / "b.lhe").read_text()).events
    assert [list(one.weights) for one in of_pylhe] == [["1001", "1002"], ["1001"], []]
    with pytest.raises(
        InputError, match=r"d\.h5: expected events that have all weights, .*; some have no '1001'"
    ):
        convert(source, tmp_path / "d.h5")
    assert not (tmp_path / "d.h5").exists()


def test_pylhe_finds_the_same_weights_in_what_is_converted(tmp_path: Path) -> None:
    source = stored(
        tmp_path, file_of(*[event(NAMED + LISTED)] * 3, init=DECLARED, header="<x>\n</x>\n")
    )
    convert(source, tmp_path / "ours.lhe")
    found = pylhe.LHEFile.fromstring((tmp_path / "ours.lhe").read_text())
    assert [one.weights for one in found.events] == [{"1001": 1400.0, "1002": 1600.0}] * 3
    assert found.header is not None
    assert found.header.initrwgt is not None
    (group,) = found.header.initrwgt.entries
    assert isinstance(group, pylhe.LHEInitRWGTWeightGroup)
    assert [weight.id for weight in group.weights] == ["1001", "1002"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            file_of(event(weight="nan")),
            "event 1: expected the weight of the event, a finite number; got 'nan'",
        ),
        (
            file_of(event(), event(weight="-inf")),
            "event 2: expected the weight of the event, a finite number; got '-inf",
        ),
        (
            file_of(event(weight="1e999")),
            "event 1: expected the weight of the event, a finite number; got '1e999'",
        ),
        (
            file_of(event(NAMED.replace("1.6e3", "NaN")), header=DECLARED),
            "event 1: expected the value of a weight, a",
        ),
        (
            file_of(event(NAMED.replace("1.6e3", "1 2")), header=DECLARED),
            "event 1: expected </wgt>; got '2 </wgt>",
        ),
        (
            file_of(event(NAMED.replace(" </wgt>", "", 1))),
            "event 1: expected </wgt>; got '<wgt id=",
        ),
        (
            file_of(event(LISTED + LISTED), header=DECLARED),
            "event 1: expected <weights> once; got it again",
        ),
        (file_of(event(weight="1.5D")), "event 1: expected the weight of the event; got '1.5D'"),
        (file_of(event(weight="1e5D3")), "event 1: expected the weight of the event; got '1e5D3'"),
        (file_of(event("<!-- <b>\n")), "event 1: expected </event>; got the end of the file"),
        (file_of(event("<a>\n<!-- </a> -->\n")), "event 1: expected the end of an element <a>"),
        (
            file_of(event().replace("</event>", "</event"), event()),
            "event 1: expected the end of a tag; got '</event <",
        ),
        (
            file_of(event().replace("<event>", "<event"), event()),
            "event 1: expected the end of a tag; got '   4  1",
        ),
        (
            file_of(event().replace("<event>\n", "<event <b>\n"), event()),
            "event 1: expected the end of a tag; got ' <b>",
        ),
        (
            file_of(event(), event().replace("<event>", "event>")),
            "event 2: expected <event>; got </event>",
        ),
        (
            file_of(event(NAMED.replace('"1001">', '"1001"'))),
            "event 1: expected the end of a tag; got '<wgt id=",
        ),
        (
            file_of().replace("</init>", "</init"),
            "expected the end of the tag </init; got another tag",
        ),
        (
            file_of(header="x\n").replace("</header>", "</header"),
            "expected the end of the tag </header; got another tag",
        ),
        (file_of(event("<event a='1'/>\n")), "event 1: expected </event>; got another <event>"),
        (
            file_of(header=DECLARED.replace("</initrwgt>", "")),
            "<initrwgt>: expected its end; got that of the header",
        ),
        (
            file_of("<eventgroup>\n", event(), "</eventgroup>\n"),
            "event 1: expected events that stand alone",
        ),
        (
            file_of().replace("  4  1", "  -1  1"),
            "event 1: expected a line of 13 numbers per particle; got too few",
        ),
        (
            file_of(event(), "<!-- <event>\n"),
            "expected the end of a comment after 1 events; got the end of the file",
        ),
        (
            file_of().replace("</LesHouchesEvents>", ""),
            "expected </LesHouchesEvents> after 3 events; got the end",
        ),
        (
            file_of(numbers=" 2212 nan 6.5e3 6.5e3 0 0 1 1 -4 1\n 1 1 1 1\n"),
            "<init>: IDBMUP(2): expected an integer of",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 inf 1 -4 1\n 1 1 1 1\n"),
            "<init>: PDFSUP(1): expected an integer",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 1 1 nan 1\n 1 1 1 1\n"),
            "<init>: IDWTUP: expected an integer of",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 1 1 -4 inf\n 1 1 1 1\n"),
            "<init>: NPRUP: expected an integer of",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 1 1 -4 1.5\n 1 1 1 1\n"),
            "<init>: NPRUP: expected an integer of",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 1 1 -4 1\n 1 1 1 nan\n"),
            "<init>: LPRUP: expected an integer of",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 6.5e3 0 0 1 1 -4 1\n nan 1 1 1\n"),
            "LHE process 1: expected finite pb",
        ),
        (
            file_of(numbers=" 2212 2212 6.5e3 nan 0 0 1 1 -4 1\n 1 1 1 1\n"),
            "LHE beams: expected energies > 0 in GeV",
        ),
        (
            file_of(numbers=" 2212 2212 6e3 6e3 0 0 1 1 -4 1\n 1 1 1 1\n 1 1 1 2\n"),
            "<init>: expected 10 numbers and 4",
        ),
        (
            file_of(numbers=" 2212 2212 6e3 6e3 0 0 1 1 -4 2\n 1 1 1 1\nprose\n"),
            "<init>: expected 10 numbers and 4",
        ),
        (
            file_of(numbers="prose alone\n"),
            "<init>: expected 10 numbers and 4 of every process, 14 in all; got 0",
        ),
        (
            file_of(header=DECLARED.replace("1001", "")),
            "LHE weights: expected different identifiers",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = stored(tmp_path, text)
    with pytest.raises(InputError) as error:
        list(open_events(path))
    assert str(error.value).startswith(f"{path}: {sentence}")
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_shown_as_numbers(tmp_path: Path) -> None:
    path = stored(
        tmp_path, file_of().encode().replace(b"  4  1 1500.0", b"  4  1 \xff\xfe\x00z", 1)
    )
    with pytest.raises(
        InputError, match=r"event 1: expected the weight of the event; got '\\xff\\xfe\\x00z'"
    ):
        list(open_events(path))
    names = file_of(*[event(NAMED)] * 3).encode().replace(b"1002", b"\xe9t\xe9")
    reader = open_events(stored(tmp_path, names))
    assert identifiers(reader.init.weight_groups)[1] == "été"


def test_a_truncated_gzip_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    text = file_of(*[event(weight=f"{number}.0") for number in range(1, 200)]).encode()
    path = stored(
        tmp_path, gzip.compress(text)[:-8], "foreign.lhe.gz"
    )  # without check sum and size
    with pytest.raises(
        InputError, match=r"expected a whole gzip file; got: .*, after 199 whole events"
    ):
        list(open_events(path))


def test_the_command_tells_once_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stored(tmp_path, file_of(*[event("# hi\n<mgrwt/>\n")] * 3, init="prose\n"))
    outcome = call(["convert", source, tmp_path / "b.lhe"], capsys, monkeypatch)
    assert outcome.status == 0
    assert outcome.out.count("left out: <mgrwt>, comments in events, text of <init>") == 1
