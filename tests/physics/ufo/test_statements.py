from __future__ import annotations

import pytest

from madnis_py.physics.ufo.statements import (
    Construction,
    Reference,
    Statement,
    UfoError,
    statements_of,
)


def statements(text: str) -> list[Statement]:
    return list(statements_of(text, "particles.py"))


def test_objects_antiparticles_and_attributes_are_read() -> None:
    text = (
        '"""A model."""\n'
        "from __future__ import division\n"
        "import parameters as Param\n"
        "W__plus__ = Particle(pdg_code = 24, name = 'W+', mass = Param.MW, charge = 2/3,\n"
        "                     codes = [1, -2], orders = {'QED': 1})\n"
        "W__minus__ = W__plus__.anti()\n"
        "W__plus__.goldstone = True\n"
    )
    first, second, third = statements(text)
    assert first.place == "particles.py: line 4"
    assert isinstance(first.value, Construction)
    assert first.value.kind == "Particle"
    assert first.value.arguments == {
        "pdg_code": 24,
        "name": "W+",
        "mass": Reference("MW"),
        "charge": pytest.approx(2 / 3),
        "codes": (1, -2),
        "orders": {"QED": 1},
    }
    assert second.value == Construction("anti", {"of": Reference("W__plus__")})
    assert (third.name, third.key, third.value) == ("W__plus__", "goldstone", True)


def test_imports_may_be_tried_in_two_ways() -> None:
    """As loop_sm does."""
    text = (
        "try:\n    from .object_library import all_functions, Function\n"
        "except:\n    from . import object_library\n"
        "    all_functions, Function = object_library.all_functions, object_library.Function\n"
    )
    assert statements(text) == []
    with pytest.raises(UfoError, match=r"line 5.*got assign"):
        statements(text.replace("object_library.Function", "open('canary')"))


def test_attributes_of_objects_of_other_files_may_be_set() -> None:
    """As models for NLO do with counterterms, in the file of particles."""
    (one,) = statements("Param.MB.counterterm = {(1,0,0): CT.bMass_UV.value}\n")
    assert (one.name, one.key) == ("Param.MB", "counterterm")
    assert one.value == {(1, 0, 0): Reference("bMass_UV")}


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("import os", "got os"),
        ("import parameters, subprocess", "got subprocess"),
        ("from os import system", "got os"),
        (
            "try:\n    import form_factors\nexcept ImportError:\n    open('x')",
            "line 4: .* got expr",
        ),
        ("exec('x = 1')", "got expr"),
        ("x = exec('1')", "got call"),
        ("x = open('canary', 'w')", "got call"),
        ("x = a.system('true')", "got call"),
        ("x = ().__class__", "got attribute"),
        ("x = P.__class__", "got __class__"),
        ("x = P.a.b", "got attribute"),
        ("x = [y for y in (1, 2)]", "got listcomp"),
        ("x = lambda: 1", "got lambda"),
        ("x = Particle(**{'name': 'a'})", r"got \*\*"),
        ("x = particle(name = 'a')", r"got particle\(\)"),
        ("for x in (1, 2):\n    pass", "got for"),
        ("def f():\n    pass", "got functiondef"),
        ("class Particle:\n    pass", "got classdef"),
        ("x = y = 1", "got assign"),
        ("x, y = 1, 2", "got assign"),
        ("x += 1", "got augassign"),
        ("if True:\n    x = 1", "got if"),
        ("if configuration.unknown:\n    x = 1", "got if"),
        ("with open('x') as f:\n    pass", "got with"),
        ("x = 'a' * 10**9", "expected a number"),
        ("x = 9**9**9**9", "expected a number"),
        ("print 'a'", "expected Python 3"),
        ("x = " + "[" * 150 + "]" * 150, "less deep"),
        ("x = " + "(" * 5000 + ")" * 5000, "expected Python 3"),
        ("x = " + "-" * 100_000 + "1", "too deep"),
        ("x = 'a\0b'", "null bytes"),
    ],
)
def test_everything_else_is_refused_with_its_line(text: str, got: str) -> None:
    with pytest.raises(UfoError, match=f"^particles.py.*{got}"):
        statements(text)
