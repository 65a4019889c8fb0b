"""Our tapes as libraries with the UMAMI interface."""

from __future__ import annotations

import gzip
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import call

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import InputError, IntegrandError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.event_details import drawn_columns
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.process.process import Process
from madnis_py.plugins.matrix_elements.umami import UmamiElement, UmamiSettings
from madnis_py.plugins.matrix_elements.umami_export import export_umami, fingerprint
from madnis_py.plugins.matrix_elements.umami_interface import Input, Output
from madnis_py.plugins.matrix_elements.umami_library import UmamiLibrary

DEFINITIONS = [
    "g g > t t~",
    "g g > g g",
    "u d~ > w+ g",
    "e+ e- > mu+ mu- a",
    "u u~ > t t~ QCD=99 QED=99",
    "u u~ > z{0} h, z > e+ e-",
]


@cache
def process_of(definition: str) -> Process:
    return Process.from_card(
        Card.parse({"process": {"definition": definition}, "beams": {"pdf": "toy"}})
    )


def masses_of(process: Process) -> list[float]:
    return [process.model.mass(pdg) for pdg in process.flavours[0]]


def points(process: Process, n: int) -> Array:
    """Ten points again and again."""
    return select(generic_momenta(masses_of(process), 2, 10), np.arange(n) % 10)


def couplings(n: int) -> Array:
    return np.linspace(0.08, 0.3, n)


def exported(process: Process, folder: Path) -> Path:
    (path,) = export_umami(process, folder / "exported.so")
    return path


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_tape_that_goes_out_and_comes_in_again_gives_the_same_bits(
    definition: str, tmp_path: Path
) -> None:
    process = process_of(definition)
    tape = process.matrix_element()
    assert isinstance(tape, TreeAmplitude)
    one = UmamiElement(UmamiSettings(exported(process, tmp_path)), tape, masses_of(process))
    p = points(process, 133)
    for ours, theirs in zip(
        tape.evaluate(p, couplings(133)), one.evaluate(p, couplings(133)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert one.columns == list(range(tape.n_diagrams))
    assert one.alpha_s_power == tape.alpha_s_power


def test_a_library_tells_what_it_is(tmp_path: Path) -> None:
    process = process_of("g g > t t~")
    tape = process.matrix_element()
    assert isinstance(tape, TreeAmplitude)
    library = UmamiLibrary(exported(process, tmp_path))
    assert library.version == (1, 1)
    assert library.masses is not None
    assert library.masses.tolist() == masses_of(process)
    assert (library.n_diagrams, library.n_flows, library.n_helicities) == (
        3,
        2,
        len(tape.helicities),
    )
    assert library.fingerprint == fingerprint(tape)


def test_indices_are_drawn_as_our_events_draw_them(tmp_path: Path) -> None:
    process = process_of("g g > t t~")
    library, tape, n = UmamiLibrary(exported(process, tmp_path)), process.matrix_element(), 2000
    p, random = points(process, n), np.random.Generator(np.random.Philox(3)).random((n, 3))
    keys = (Input.RANDOM_COLOR, Input.RANDOM_HELICITY, Input.RANDOM_DIAGRAM)
    inputs: dict[Input, Any] = {Input.MOMENTA: p, Input.ALPHA_S: np.full(n, 0.118)}
    inputs |= dict(zip(keys, random.T, strict=True))
    outputs = [Output.COLOR_INDEX, Output.HELICITY_INDEX, Output.DIAGRAM_INDEX]
    drawn = library.evaluate(inputs, outputs)
    weights = tape.weights(p, 0.118)
    for key, shares, uniform in zip(
        outputs,
        (weights.flows, weights.helicities, tape.evaluate(p, 0.118)[1]),
        random.T,
        strict=True,
    ):
        np.testing.assert_array_equal(drawn[key], drawn_columns(shares, uniform))


def test_the_strong_coupling_comes_in_either_form_or_not_at_all(tmp_path: Path) -> None:
    process = process_of("g g > t t~")
    library, tape, p = (
        UmamiLibrary(exported(process, tmp_path)),
        process.matrix_element(),
        points(process, 5),
    )
    g = np.full(5, np.sqrt(4 * np.pi * 0.2))
    by_g = library.evaluate({Input.MOMENTA: p, Input.G_STRONG: g}, [Output.MATRIX_ELEMENT])
    np.testing.assert_allclose(by_g[Output.MATRIX_ELEMENT], tape.squared(p, 0.2), rtol=1e-14)
    by_default = library.evaluate({Input.MOMENTA: p}, [Output.MATRIX_ELEMENT])
    np.testing.assert_array_equal(by_default[Output.MATRIX_ELEMENT], tape.squared(p, 0.118))


def test_a_slice_of_an_exported_library_leaves_everything_around_it_alone(tmp_path: Path) -> None:
    process, n, guard = process_of("g g > t t~"), 3000, -7.0
    library, p = UmamiLibrary(exported(process, tmp_path)), points(process, n)
    me2, squares = np.full(n, guard), np.full((3, n), guard)
    inputs = {
        Input.MOMENTA: np.ascontiguousarray(p.transpose(2, 1, 0)),
        Input.ALPHA_S: np.full(n, 0.1),
    }
    library.call(inputs, {Output.MATRIX_ELEMENT: me2, Output.DIAGRAM_AMP2: squares}, 2011, n, 7)
    expected = process.matrix_element().evaluate(p, 0.1)
    np.testing.assert_array_equal(me2[7:2018], expected[0][7:2018])
    np.testing.assert_array_equal(squares[:, 7:2018].T, expected[1][7:2018])
    for array in (me2, squares[0], squares[1], squares[2]):
        assert (np.delete(array, np.s_[7:2018]) == guard).all()


def test_a_call_that_makes_no_sense_gets_an_error_of_the_interface(tmp_path: Path) -> None:
    process = process_of("g g > t t~")
    library, p = UmamiLibrary(exported(process, tmp_path)), points(process, 4)
    momenta, me2 = np.ascontiguousarray(p.transpose(2, 1, 0)), np.zeros(4)
    output = {Output.MATRIX_ELEMENT: me2}
    with pytest.raises(IntegrandError, match=r"status 1 \(unspecified error\)"):
        library.call({Input.MOMENTA: momenta}, output, 4, 4, 1)
    with pytest.raises(IntegrandError, match=r"status 7 \(missing input\)"):
        library.call({}, output, 4, 4, 0)
    with pytest.raises(IntegrandError, match=r"status 3 \(input not supported\)"):
        library.call(
            {Input.MOMENTA: momenta, Input.HELICITY_INDEX: np.zeros(4, np.int32)}, output, 4, 4, 0
        )
    with pytest.raises(IntegrandError, match=r"status 1 \(unspecified error\)"):
        library.call(
            {Input.MOMENTA: momenta, Input.FLAVOR_INDEX: np.full(4, 9, np.int32)}, output, 4, 4, 0
        )
    assert (me2 == 0).all()


def test_a_library_works_wherever_it_is_put_and_whatever_is_beside_it(tmp_path: Path) -> None:
    one, other = process_of("g g > t t~"), process_of("g g > g g")
    (tmp_path / "deep").mkdir()
    first = Path(shutil.move(exported(one, tmp_path), tmp_path / "deep" / "first.so"))
    second = exported(other, tmp_path)
    for process, path in ((one, first), (other, second), (one, first)):
        p = points(process, 8)
        got = UmamiLibrary(path).evaluate({Input.MOMENTA: p}, [Output.MATRIX_ELEMENT])[
            Output.MATRIX_ELEMENT
        ]
        np.testing.assert_array_equal(got, process.matrix_element().squared(p, 0.118))


def test_a_library_that_was_cut_short_says_so(tmp_path: Path) -> None:
    path = exported(process_of("g g > t t~"), tmp_path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(
        InputError, match=r"exported\.so: expected a library that tells its device; got an error"
    ):
        UmamiLibrary(path)


def test_a_process_with_several_matrix_elements_gives_numbered_libraries_and_takes_them_back(
    tmp_path: Path,
) -> None:
    card = {"process": {"definition": "p p > t t~"}}
    process = Process.from_card(Card.parse(card))
    paths = export_umami(process, tmp_path / "pair.so")
    assert [path.name for path in paths] == ["pair_1.so", "pair_2.so", "pair_3.so"]
    assert len(process.groups) == 5
    table = {"provider": "umami", "library": [str(path) for path in paths]}
    borrowed = Process.from_card(
        Card.parse({"process": {**card["process"], "matrix_element": table}})
    )
    p = points(process, 20)
    assert process.flavours == borrowed.flavours
    for ours, theirs in zip(process.matrix_elements, borrowed.matrix_elements, strict=True):
        np.testing.assert_array_equal(ours.squared(p, 0.1), theirs.squared(p, 0.1))


def test_only_shared_objects_are_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lib\.dll: expected a file name that ends in \.so"):
        export_umami(process_of("g g > t t~"), tmp_path / "lib.dll")


def test_the_command_writes_a_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.toml").write_text('[process]\ndefinition = "g g > t t~"\n')
    outcome = call(
        ["export-umami", tmp_path / "card.toml", "-o", tmp_path / "lib.so"], capsys, monkeypatch
    )
    assert outcome.status == 0
    assert outcome.out == f"{tmp_path / 'lib.so'}: g g > t t~\n"
    assert UmamiLibrary(tmp_path / "lib.so").n_particles == 4


def test_madspace_gets_the_same_numbers(tmp_path: Path) -> None:
    madspace = pytest.importorskip("madspace")
    process = process_of("g g > t t~")
    context = madspace.Context(1)
    loaded = context.load_matrix_element(str(exported(process, tmp_path)), "")
    kind = madspace.MatrixElement
    function = kind(
        loaded.index(),
        loaded.particle_count(),
        [kind.momenta_in, kind.alpha_s_in],
        [kind.matrix_element_out, kind.diagram_amp2_out],
        loaded.diagram_count(),
    ).function()
    p, tape = points(process, 100), process.matrix_element()
    results = madspace.FunctionRuntime(function, context).call(
        [np.ascontiguousarray(p), couplings(100)]
    )
    me2, squares = tape.evaluate(p, couplings(100))
    np.testing.assert_allclose(np.asarray(results[0].numpy()), me2, rtol=1e-14)
    np.testing.assert_allclose(np.asarray(results[1].numpy()), squares, rtol=1e-14)


def borrowing(process: Process, library: Path) -> Process:
    card = process.card.updated(
        {"process": {"matrix_element": {"provider": "umami", "library": str(library)}}}
    )
    return Process.from_card(card)


def test_integrand_and_events_of_an_exported_library_are_the_same_bit_by_bit(
    tmp_path: Path,
) -> None:
    process = process_of("g g > t t~")
    ours, theirs = (
        CrossSection(one) for one in (process, borrowing(process, exported(process, tmp_path)))
    )
    elements: list[MatrixElement] = [
        ours.process.matrix_elements[0],
        theirs.process.matrix_elements[0],
    ]
    assert [type(element) for element in elements] == [TreeAmplitude, UmamiElement]
    random = np.random.Generator(np.random.Philox(4))
    x = torch.from_numpy(random.random((500, ours.dim)))
    channel = torch.from_numpy(np.sort(random.integers(0, ours.n_channels, 500)))
    first, second = ours.evaluate(x, channel), theirs.evaluate(x, channel)
    assert torch.equal(first.value, second.value)
    assert torch.equal(first.prior, second.prior)
    kept = first.value > 0
    uniform = torch.from_numpy(random.random((int(kept.sum()), 4)))
    events = [
        PartonicEventSampler(one).sample(x[kept], channel[kept], uniform) for one in (ours, theirs)
    ]
    for name in ("momenta", "pdg", "colour", "helicity", "scale", "alpha_s", "variations"):
        np.testing.assert_array_equal(
            getattr(events[0], name), getattr(events[1], name), err_msg=name
        )


@pytest.mark.slow
def test_a_run_through_an_exported_library_gives_the_same_cross_section_and_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = '[process]\ndefinition = "g g > t t~"\n'
    rest = '[training]\npreset = "quick"\nsteps = 12\nbatch_size = 300\n'
    exported(process_of("g g > t t~"), tmp_path)
    table = 'matrix_element = { provider = "umami", library = "exported.so" }\n'
    results = []
    for name, text in (("ours", definition + rest), ("theirs", definition + table + rest)):
        (tmp_path / f"{name}.toml").write_text(text)
        arguments: list[str | Path] = [
            "run",
            tmp_path / f"{name}.toml",
            "-o",
            tmp_path / name,
            "--events",
            "300",
            "--points",
            "20000",
        ]
        assert call(arguments, capsys, monkeypatch).status == 0
        record = json.loads((tmp_path / name / "run.json").read_text())
        events = gzip.decompress((tmp_path / name / "events.lhe.gz").read_bytes())
        results.append(
            (record["sigma_pb"], record["sigma_error_pb"], events[events.index(b"<init>") :])
        )
    assert results[0] == results[1]
