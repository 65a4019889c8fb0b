"""Libraries with the UMAMI interface as matrix elements."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from umami_stub import CARD, Build, build, events, formula, process

from madnis_py import _core
from madnis_py.card.card import Card
from madnis_py.errors import InputError, IntegrandError, MadnisError
from madnis_py.physics.process.process import Process
from madnis_py.plugins.matrix_elements.umami import UmamiElement, UmamiSettings, same_columns
from madnis_py.plugins.matrix_elements.umami_interface import AnyArray, Input, Output
from madnis_py.plugins.matrix_elements.umami_library import UmamiLibrary

__all__ = ["build"]

VERSIONS = [0, 1]


def element(library: Path, **settings: object) -> UmamiElement:
    return UmamiElement(UmamiSettings(library, **settings), process().matrix_element(), [0.0] * 4)  # type: ignore[arg-type]


def provided(**table: object) -> Process:
    return Process.from_card(Card.parse(CARD).updated({"process": {"matrix_element": table}}))


@pytest.mark.parametrize("minor", VERSIONS)
def test_a_library_of_either_version_gives_the_closed_formula(minor: int, build: Build) -> None:
    one, p = element(build(MINOR=minor)), events(1000)
    me2, squares = formula(p)
    assert one.library.version == (1, minor)
    np.testing.assert_allclose(one.squared(p, 0.1), me2, rtol=1e-12)
    got, shares = one.evaluate(p, 0.1)
    np.testing.assert_allclose(got, me2, rtol=1e-12)
    np.testing.assert_allclose(shares, squares / squares.sum(axis=1, keepdims=True), rtol=1e-9)


def test_columns_of_the_library_are_put_in_the_order_of_our_diagrams(build: Build) -> None:
    assert element(build()).columns == [1, 0]


def test_without_single_diagrams_in_the_library_they_are_ours(build: Build) -> None:
    one, p = element(build(WITHOUT_SQUARES="")), events(10)
    assert one.columns is None
    np.testing.assert_allclose(one.evaluate(p, 0.1)[1], formula(p)[1], rtol=1e-10)


def test_a_library_with_another_number_of_diagrams_has_no_columns_of_ours() -> None:
    assert same_columns(np.ones((4, 3)), np.ones((4, 2))) is None
    assert same_columns(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])) is None


def test_equal_diagrams_keep_their_order() -> None:
    assert same_columns(np.array([[1.0, 1.0, 2.0]]), np.array([[3.0, 3.0, 6.0]])) == [0, 1, 2]


@pytest.mark.parametrize("minor", VERSIONS)
def test_a_slice_leaves_everything_around_it_alone(minor: int, build: Build) -> None:
    library, p, guard = UmamiLibrary(build(MINOR=minor)), events(40), -7.0
    me2, squares, index = np.full(40, guard), np.full((2, 40), guard), np.full(40, -7, np.int32)
    momenta = np.ascontiguousarray(p.transpose(2, 1, 0))
    outputs = {
        Output.MATRIX_ELEMENT: me2,
        Output.DIAGRAM_AMP2: squares,
        Output.HELICITY_INDEX: index,
    }
    library.call({Input.MOMENTA: momenta}, outputs, 13, 40, 5)
    inside = np.zeros(40, bool)
    inside[5:18] = True
    np.testing.assert_allclose(me2[inside], formula(p)[0][inside], rtol=1e-12)
    np.testing.assert_allclose(squares[:, inside].sum(axis=0), 1.0, rtol=1e-12)
    assert (me2[~inside] == guard).all()
    assert (squares[:, ~inside] == guard).all()
    assert (index[~inside] == -7).all()
    assert (index[inside] >= 0).all()


def test_the_flavour_index_of_the_card_reaches_the_library(build: Build) -> None:
    one = provided(provider="umami", library=str(build()), flavor=2).matrix_element()
    np.testing.assert_allclose(one.squared(events(5), 0.1), 3 * formula(events(5))[0], rtol=1e-12)


def test_momenta_in_the_layout_of_the_interface_are_not_copied(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, p = UmamiLibrary(build()), events(100)
    momenta = np.ascontiguousarray(p.transpose(2, 1, 0))
    seen: list[int] = []
    call = library.call

    def noted(inputs: Mapping[Input, AnyArray], *rest: Any) -> None:
        seen.append(inputs[Input.MOMENTA].ctypes.data)
        call(inputs, *rest)

    monkeypatch.setattr(library, "call", noted)
    library.evaluate({Input.MOMENTA: momenta.transpose(2, 1, 0)}, [Output.MATRIX_ELEMENT])
    assert seen == [momenta.ctypes.data]


def test_random_numbers_choose_helicities_by_their_share(build: Build) -> None:
    library, p = UmamiLibrary(build()), np.repeat(events(1), 1000, axis=0)
    uniform = (np.arange(1000) + 0.5) / 1000
    inputs = {Input.MOMENTA: p, Input.RANDOM_HELICITY: uniform}
    index = library.evaluate(inputs, [Output.HELICITY_INDEX])[Output.HELICITY_INDEX]
    ours = process().matrix_element()
    equal = (ours.helicities[:, 1] == ours.helicities[:, 3]).astype(float)
    share = ours.weights(p[:1], 0.1).helicities[0] @ equal / ours.squared(p[:1], 0.1)[0]
    assert index.dtype == np.int32
    assert abs((index < 2).mean() - share) < 2e-3


def test_threads_have_handles_of_their_own_and_change_nothing(build: Build) -> None:
    before, p = _core.thread_count(), events(30_000)
    one = element(build())
    alone = one.squared(p, 0.1)
    try:
        _core.set_thread_count(3)
        np.testing.assert_array_equal(one.squared(p, 0.1), alone)
        with ThreadPoolExecutor(2) as pool:
            for result in pool.map(lambda _: one.squared(p, 0.1), range(4)):
                np.testing.assert_array_equal(result, alone)
    finally:
        _core.set_thread_count(before)


def test_the_first_batch_that_a_library_sees_is_physical(build: Build) -> None:
    spoiled = UmamiLibrary(build())
    p = events(10)
    spoiled.evaluate({Input.MOMENTA: np.zeros_like(p)}, [Output.MATRIX_ELEMENT])
    wrong = spoiled.evaluate({Input.MOMENTA: p}, [Output.MATRIX_ELEMENT])[Output.MATRIX_ELEMENT]
    assert not np.allclose(wrong, formula(p)[0])
    np.testing.assert_allclose(element(build()).squared(p, 0.1), formula(p)[0], rtol=1e-12)


def test_single_precision_is_found_and_accepted_as_far_as_it_is_declared(build: Build) -> None:
    single = build(NUMBER="float")
    got = element(single, precision=1e-4).squared(events(10), 0.1)
    np.testing.assert_allclose(got, formula(events(10))[0], rtol=1e-4)
    with pytest.raises(
        InputError, match=r"expected \|M\|\^2 to a relative precision of 1e-10; turning the axes"
    ):
        element(single, precision=1e-10)


@pytest.mark.parametrize(
    ("definitions", "sentence"),
    [
        ({"REPORTED": 2}, r"expected version 1\.x of the UMAMI interface; got 2\.1"),
        ({"WITHOUT_FREE": ""}, "expected a library with the UMAMI interface; it has no umami_free"),
        ({"DEVICE": 1}, "expected a library that computes on the cpu; got cuda"),
        ({"PARTICLES": 5}, "expected the matrix element of 4 particles; got one of 5"),
        (
            {"MASS": 1.5},
            "expected particles with the masses 0, 0, 0, 0 GeV of the card; got 1.5, 1.5, 1.5, 1.5",
        ),
        ({"STATUS": 5, "MINOR": 0}, r"umami_matrix_element: status 5 \(metadata not supported\)"),
        ({"STATUS": 7}, r"umami_matrix_element: status 7 \(missing input\)"),
        ({"STATUS": 99}, r"umami_matrix_element: status 99 \(unknown\)"),
    ],
)
def test_what_is_wrong_with_a_library_is_said_in_one_sentence(
    definitions: dict[str, object], sentence: str, build: Build
) -> None:
    library = build(**definitions)
    with pytest.raises(MadnisError, match=f"{library.name}: {sentence}") as caught:
        element(library)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_library_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"nothing\.so: expected a library with the UMAMI interface; there is no such",
    ):
        UmamiLibrary(tmp_path / "nothing.so")
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(
        InputError, match=r"text\.so: expected a library with the UMAMI interface; cannot load it: "
    ):
        UmamiLibrary(text)


def test_a_library_that_changes_under_its_name_is_refused(build: Build) -> None:
    path, other = build(), build(NUMBER="float")
    element(path)
    other.replace(path)
    with pytest.raises(
        InputError, match="expected the library that was loaded before; it has changed: start a new"
    ):
        element(path)


def test_a_library_that_refuses_its_param_card_is_named(build: Build) -> None:
    with pytest.raises(
        InputError, match=r'umami_initialize with param_card "!": status 1 \(unspecified error\)'
    ):
        UmamiLibrary(build(), "!")


@pytest.mark.parametrize("value", ["NAN", "INFINITY"])
def test_a_number_that_is_not_finite_is_an_error_with_its_event(value: str, build: Build) -> None:
    one = element(build(POISON=value))
    p = events(10)
    p[7] *= 1e-3
    with pytest.raises(
        IntegrandError, match=r"expected finite \|M\|\^2; got (nan|inf) at event 7: \[\[0\.1, "
    ):
        one.squared(p, 0.1)


def test_a_card_takes_its_numbers_from_a_library_beside_it(build: Build, tmp_path: Path) -> None:
    library = build()
    (tmp_path / "card.toml").write_text(
        '[process]\ndefinition = "e+ e- > mu+ mu-"\n'
        'matrix_element = { provider = "umami", library = "here.so" }\n'
        '[beams]\npdf = "none"\nenergy = [100.0, 100.0]\n'
    )
    (tmp_path / "here.so").write_bytes(library.read_bytes())
    loaded = Process.from_card(tmp_path / "card.toml")
    one = loaded.matrix_element()
    assert isinstance(one, UmamiElement)
    np.testing.assert_allclose(one.squared(events(5), 0.1), formula(events(5))[0], rtol=1e-12)
    assert len(loaded.channels) == len(process().channels)
    assert Card.parse(loaded.card.content()).digest() == loaded.card.digest()


def test_a_run_that_goes_on_with_another_library_is_refused(build: Build) -> None:
    path, other = build(), build(WITHOUT_SQUARES="")
    before = provided(provider="umami", library=str(path)).card
    assert Process.from_card(before).card.digest() == before.digest()
    other.replace(path)
    with pytest.raises(
        InputError,
        match="digest: expected the files that the card was made with; got other contents",
    ):
        Process.from_card(before)
    assert provided(provider="umami", library=str(path)).card.digest() != before.digest()


def test_shares_of_flows_and_helicities_add_up_to_the_numbers_of_the_library(build: Build) -> None:
    p = events(5)
    weights = element(build()).weights(p, 0.1)
    np.testing.assert_allclose(weights.me2, formula(p)[0], rtol=1e-12)
    np.testing.assert_allclose(weights.helicities.sum(axis=1), weights.me2, rtol=1e-12)


def test_a_library_travels_to_another_process_as_its_path(build: Build) -> None:
    one = element(build())
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.squared(events(5), 0.1), one.squared(events(5), 0.1))
    assert again.identity == one.identity


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            {"provider": "umammi"},
            'matrix_element.provider: expected a registered provider; got "umammi"; did you mean',
        ),
        (
            {"provider": "umami"},
            'matrix_element.library: expected a value for provider "umami"; got none',
        ),
        (
            {"provider": "umami", "library": ["a.so", "b.so"]},
            r"library: expected one for each of e\+ e- > mu",
        ),
        (
            {"provider": "umami", "libary": "a.so"},
            'libary: unknown key of provider "umami"; did you mean "library"',
        ),
        ({"library": "a.so"}, "process.matrix_element.provider: expected a value; got none"),
        ({"provider": "umami", "flavor": -1}, "flavor: expected a whole number >= 0, or a list"),
    ],
)
def test_a_wrong_table_is_told_with_its_place(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        provided(**table).matrix_element()


def test_a_library_that_would_crash_the_process_is_refused_with_the_signal(build: Build) -> None:
    whole = build().read_bytes()
    path = build()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(
        InputError, match=rf"{path}: expected a library .* was ended by SIG(BUS|SEGV) \("
    ):
        provided(provider="umami", library=str(path)).matrix_element()


@pytest.mark.parametrize(
    ("words", "end"), [("abort();", r"was ended by SIGABRT \(Aborted\)"), ("exit(3);", "status 3")]
)
def test_a_library_that_ends_the_process_with_its_first_call_is_refused(
    words: str, end: str, build: Build
) -> None:
    with pytest.raises(InputError, match=end):
        provided(provider="umami", library=str(build(FIRST_CALL=words))).matrix_element()


@pytest.mark.slow
def test_a_library_of_any_length_is_right_or_refused_with_its_name(build: Build) -> None:
    whole, path, refused = build().read_bytes(), build(), []
    for length in range(0, len(whole), len(whole) // 50):
        short = path.with_name(f"short_{length}.so")
        short.write_bytes(whole[:length])
        try:
            element = provided(provider="umami", library=str(short)).matrix_element()
        except InputError as error:
            refused.append(str(short) in str(error))
        else:
            np.testing.assert_allclose(
                element.squared(events(5), 0.1), formula(events(5))[0], rtol=1e-12
            )
    assert len(refused) > 25
    assert all(refused)
