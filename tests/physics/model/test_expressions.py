from __future__ import annotations

import cmath
import json
import math

import pytest

from madnis_py.physics.model.expressions import (
    FUNCTIONS,
    ExpressionError,
    Function,
    Names,
    names_in,
    tree_of,
    value_of,
)

NUMBERS = {"a": 1.5, "b": -0.7, "z": 0.3 + 0.4j, "sw": 0.48, "G": 1.2}


@pytest.mark.parametrize(
    "text",
    [
        "-(a*complex(0,1))/3.",
        "2*a**2*complex(0,1)/(2.*cmath.sqrt(sw))",
        "a - b - z + 2 - 1",
        "a/b/z*2/3",
        "a**-2",
        "a**b**2",
        "-a**2",
        "z.real + z.imag*1j",
        "z.conjugate()*z",
        "(a if b > 0 else z)",
        "(1/a if a != 0 and not b > 1 else 0)",
        "1 if 0 < a <= 2 else 0",
        "abs(b)**3",
        "math.pow(a, b)",
        "cmath.exp(z)*cmath.cos(a) - cmath.tan(cmath.pi/8)",
        "max(a, b) - min(a, b)",
        " + ".join(["a*b"] * 400),
    ],
)
def test_expressions_have_the_values_of_python(text: str) -> None:
    names = {**NUMBERS, "cmath": cmath, "complex": complex, "math": math}
    assert value_of(text, Names(NUMBERS)) == eval(text, {}, names)
    kept = json.loads(json.dumps({text: tree_of(text)}))
    assert value_of(text, Names(NUMBERS, trees=kept)) == eval(text, {}, names)


@pytest.mark.parametrize(
    ("name", "inverse"),
    [("csc", cmath.sin), ("sec", cmath.cos), ("cot", cmath.tan)],
)
def test_functions_of_the_library_of_ufo(name: str, inverse: object) -> None:
    assert callable(inverse)
    assert value_of(f"{name}(z)", Names(NUMBERS)) * inverse(NUMBERS["z"]) == pytest.approx(1)
    assert FUNCTIONS[f"a{name}"](value_of(f"{name}(z)", Names(NUMBERS))) == pytest.approx(
        0.3 + 0.4j
    )


def test_conditions_of_the_library_leave_what_they_do_not_choose() -> None:
    names = Names({"x": 0.0})
    assert value_of("(1/x if x else 2)", names) == 2
    assert value_of("cond(x, 3, 4)", names) == 3
    assert value_of("theta_function(x > 1, 3, 4)", names) == 4
    assert value_of("reglog(x)", names) == 0


def test_functions_of_a_model_come_before_those_that_are_known() -> None:
    functions = {"re": Function(("z",), "2*z.real"), "twice": Function(("x", "y"), "2*x*y")}
    assert value_of("re(z) + twice(a, b)", Names(NUMBERS, functions)) == pytest.approx(0.6 - 2.1)


def test_functions_of_a_model_do_not_call_each_other_without_end() -> None:
    functions = {"f": Function(("x",), "g(x)+g(x)"), "g": Function(("x",), "f(x)+f(x)")}
    with pytest.raises(ExpressionError, match="expected a known function of 1 arguments; got g"):
        value_of("f(a)", Names(NUMBERS, functions))


def test_names_are_those_of_numbers() -> None:
    assert names_in("cmath.sqrt(a)*abs(z.real) + cmath.pi*pi") == {"a", "z", "pi"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__",
        "cmath.__dict__",
        "cmath.sqrt.__self__",
        "(lambda: 1)()",
        "[a for a in (1, 2)]",
        "a[0]",
        "'x'*9",
        'f"{a}"',
        "exec('1')",
        "open",
        "a; b",
        "a := 1",
        "True",
        "sqrt",
        "cmath.sqrt(1, 2)",
        "twice(a)",
        "z > 1",
        "",
        "(" * 300 + "1" + ")" * 300,
        "-" * 2000 + "1",
        "[" + "-" * 900 + "1]",
        "9" * 400,
    ],
)
def test_everything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ExpressionError, match="expected"):
        value_of(text, Names(NUMBERS))


def test_an_endless_text_is_not_parsed() -> None:
    with pytest.raises(ExpressionError, match="at most 1,000,000 characters"):
        value_of("1" + "+1" * 1_000_000, Names({}))


def test_powers_of_powers_overflow_at_once() -> None:
    with pytest.raises(OverflowError):
        value_of("9**9**9**9", Names({}))


def test_a_square_root_of_a_negative_number_is_imaginary() -> None:
    assert value_of("sqrt(b)", Names(NUMBERS)) == pytest.approx(1j * math.sqrt(0.7))
