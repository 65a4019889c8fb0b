"""Providers of matrix elements: names, Python functions, MadGraph's standalone output."""

from __future__ import annotations

import pickle
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from madnis_py.card.card import Card
from madnis_py.errors import InputError, IntegrandError
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.providers import GROUP, SHIPPED, registered

DEFINITION = "g g > t t~"
MASSES = [0.0, 0.0, 173.0, 173.0]
FUNCTIONS = """
import numpy as np

def twice(p, alpha_s):
    return 2 * alpha_s**2 * p[:, 2, 0]

def with_squares(p, alpha_s):
    return alpha_s * p[:, 2, 0], np.stack([p[:, 2, 0], p[:, 3, 0], p[:, 0, 0]], axis=1)

def misshapen(p, alpha_s):
    return alpha_s[:-1]

def text(p, alpha_s):
    return "no number"

def not_a_number(p, alpha_s):
    return np.where(alpha_s > 0.3, np.nan, alpha_s)

def greedy(p, alpha_s):
    p[:] = 0
    return alpha_s

constant = 7
"""
MODULE = '''
"""What f2py makes of MadGraph's standalone output, in the two forms of its releases."""

calls = []

def initialise(path):
    calls.append(path)

def get_pdg_order():
    return [[21, 21, 6, -6]], [1]

def smatrixhel({arguments}):
    assert p.shape == (4, 4) and p.flags.f_contiguous
    assert nhel == -1 and scale2 == 0 and list(pdgs) == [21, 21, 6, -6]
    s = (p[0, 0] + p[0, 1])**2 - sum((p[mu, 0] + p[mu, 1])**2 for mu in (1, 2, 3))
    return alphas**2 * s

smatrixhel.__doc__ = """ans = smatrixhel({arguments},[npdg])

Wrapper for ``smatrixhel``."""
'''
THEIR_ELEMENTS = """
def make(request):
    request.allow("charm")
    return request.own()
"""
WITH_PROCESS = "pdgs,procid,p,alphas,scale2,nhel"
WITHOUT_PROCESS = "pdgs,p,alphas,scale2,nhel"


def process(**table: object) -> Process:
    return Process.from_card(
        Card.parse({"process": {"definition": DEFINITION, "matrix_element": table}})
    )


def ours() -> Process:
    return Process.from_card(Card.parse({"process": {"definition": DEFINITION}}))


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FUNCTIONS)
    return path


def test_the_installed_providers_are_those_of_a_checkout() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert pyproject["project"]["entry-points"][GROUP] == SHIPPED
    for point in registered().values():
        assert callable(point.load())


def test_another_package_adds_a_provider_by_being_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\ntheirs = their_elements:make\nbroken = their_elements:no\n"
    )
    (tmp_path / "their_elements.py").write_text(THEIR_ELEMENTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    element = process(provider="theirs", charm=3).matrix_element()
    assert element.identity == ours().matrix_element().identity
    with pytest.raises(InputError, match='unknown key of provider "theirs"; did you mean "charm"'):
        process(provider="theirs", charme=3).matrix_element()
    with pytest.raises(InputError, match=r'provider: "broken" cannot be imported: .* no attribute'):
        process(provider="broken").matrix_element()


def test_a_python_function_gives_the_numbers_and_we_the_rest(functions: Path) -> None:
    one, tape = (
        process(provider="python", function=f"{functions}:twice").matrix_element(),
        ours().matrix_element(),
    )
    p = generic_momenta(MASSES, 2, 6)
    coupling = np.linspace(0.1, 0.2, 6)
    me2, squares = one.evaluate(p, coupling)
    np.testing.assert_array_equal(me2, 2 * coupling**2 * p[:, 2, 0])
    np.testing.assert_array_equal(squares, tape.evaluate(p, coupling)[1])
    assert one.flows == tape.flows
    assert one.alpha_s_power == 2
    np.testing.assert_allclose(one.weights(p, coupling).helicities.sum(axis=1), me2, rtol=1e-12)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).squared(p, coupling), me2)


def test_a_python_function_may_give_single_diagrams(functions: Path) -> None:
    one = process(provider="python", function=f"{functions}:with_squares").matrix_element()
    p = generic_momenta(MASSES, 2, 6)
    np.testing.assert_array_equal(
        one.evaluate(p, 0.1)[1], np.stack([p[:, 2, 0], p[:, 3, 0], p[:, 0, 0]], axis=1)
    )
    assert one.alpha_s_power is None


def test_a_function_of_an_importable_module_needs_no_file(
    functions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(functions.parent))
    one = process(provider="python", function="mine:twice").matrix_element()
    sys.modules.pop("mine")
    assert (one.squared(generic_momenta(MASSES, 2), 0.1) > 0).all()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("misshapen", r"mine.py:misshapen: expected shape \(4,\); got \(3,\)"),
        ("text", "mine.py:text: expected numbers; got str"),
    ],
)
def test_a_function_that_returns_something_else_is_named(
    function: str, sentence: str, functions: Path
) -> None:
    with pytest.raises(IntegrandError, match=sentence):
        process(provider="python", function=f"{functions}:{function}").matrix_element()


def test_nan_from_a_function_is_an_error_with_its_event(functions: Path) -> None:
    one = process(provider="python", function=f"{functions}:not_a_number").matrix_element()
    with pytest.raises(
        IntegrandError, match=r"not_a_number: expected finite \|M\|\^2; got nan at event 2: "
    ):
        one.squared(generic_momenta(MASSES, 2), np.array([0.1, 0.1, 0.4, 0.1]))


def test_a_function_cannot_change_the_momenta(functions: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        process(provider="python", function=f"{functions}:greedy").matrix_element()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("mine.py:absent", "expected a function that can be imported; got: .*absent"),
        ("mine.py:constant", "expected a function; got int"),
        ("other.py:twice", "expected a function that can be imported; got: .*No such file"),
        ("nowhere_at_all:twice", "expected a function that can be imported; got: No module named"),
        ("twice", 'expected "module:function" or "file.py:function"'),
    ],
)
def test_a_function_that_is_not_there_is_named(
    function: str, sentence: str, functions: Path
) -> None:
    name = function.replace("mine.py", str(functions)).replace(
        "other.py", str(functions.with_name("other.py"))
    )
    with pytest.raises(InputError, match=f"{re.escape(name)}: {sentence}"):
        process(provider="python", function=name).matrix_element()


def standalone(folder: Path, arguments: str) -> dict[str, str]:
    (folder / "allmatrix2py.py").write_text(MODULE.replace("{arguments}", arguments))
    (folder / "param_card.dat").write_text("")
    paths = {
        "library": str(folder / "allmatrix2py.py"),
        "param_card": str(folder / "param_card.dat"),
    }
    return {"provider": "standalone", **paths}


@pytest.mark.parametrize("arguments", [WITH_PROCESS, WITHOUT_PROCESS])
def test_a_standalone_module_of_either_signature_gives_the_numbers(
    arguments: str, tmp_path: Path
) -> None:
    table = standalone(tmp_path, arguments)
    one, p = process(**table).matrix_element(), generic_momenta(MASSES, 2, 5)
    total = p[:, 0] + p[:, 1]
    s = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    np.testing.assert_allclose(one.squared(p, 0.1), 0.01 * s, rtol=1e-12)
    assert one.alpha_s_power == 2
    assert one.identity == process(**table).matrix_element().identity


def test_a_standalone_module_is_initialised_once_with_its_param_card(tmp_path: Path) -> None:
    table = standalone(tmp_path, WITH_PROCESS)
    from madnis_py.plugins.matrix_elements.standalone import open_standalone

    for _ in range(2):
        process(**table).matrix_element()
    loaded = open_standalone(Path(table["library"]), Path(table["param_card"]))
    assert loaded._module.calls == [table["param_card"]]
    (tmp_path / "other.dat").write_text("")
    with pytest.raises(
        InputError, match=r"expected one param_card in a process; got .*param_card\.dat and "
    ):
        process(**{**table, "param_card": str(tmp_path / "other.dat")}).matrix_element()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            "alphas,scale2",
            "alphas,mystery,scale2",
            "expected arguments that are known here; got mystery",
        ),
        (
            "[[21, 21, 6, -6]]",
            "[[1, -1, 6, -6]]",
            r"expected a module with the process \[21, 21, 6, -6\]; it has",
        ),
        (
            "def initialise",
            "def start",
            "expected a module of MadGraph's `output standalone`; it has no initialise",
        ),
        (
            "alphas**2 * s",
            "alphas**2 * p[3, 2]",
            r"expected \|M\|\^2 to a relative precision of 0.0001; turning the",
        ),
    ],
)
def test_what_is_wrong_with_a_standalone_module_is_said(
    before: str, after: str, sentence: str, tmp_path: Path
) -> None:
    table = standalone(tmp_path, WITHOUT_PROCESS)
    path = Path(table["library"])
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(InputError, match=sentence):
        process(**table).matrix_element()


def test_a_standalone_module_that_is_missing_is_named(tmp_path: Path) -> None:
    table = standalone(tmp_path, WITHOUT_PROCESS)
    (tmp_path / "allmatrix2py.py").unlink()
    with pytest.raises(
        InputError, match=r"allmatrix2py\.py: expected a Python module of MadGraph's"
    ):
        process(**table).matrix_element()
