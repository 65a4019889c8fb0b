"""Programs of structures that are multiplied with a form factor, which more steps compute."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from madnis_py.physics.lorentz.form_factors import FormFactor
from madnis_py.physics.lorentz.gaussian import ONE, Gaussian
from madnis_py.physics.lorentz.programs import (
    MOMENTUM,
    PRODUCT,
    UNIT,
    Program,
    ProgramStep,
)
from madnis_py.physics.lorentz.tensors import METRIC

_Term = tuple[Gaussian | str, int, int | None, str]
"""Number, registers a and b, and the function of a step."""

_FUNCTIONS = {"sqrt": "root", "exp": "exponential", "log": "logarithm", "conjugate": "conjugated"}
"""Function of a form factor -> that of a step."""


def with_form_factor(program: Program, factor: FormFactor, out: int, n_legs: int) -> Program:
    """A program whose outputs are multiplied with a form factor.

    Args:
        program: of a structure.
        factor: over the legs of the vertex, 1, 2, ...
        out: position of the leg that comes out, from 0 on.
        n_legs: of the vertex.
    """
    compiler = _Compiler(program, factor, out, n_legs)
    value = compiler.register(ast.parse(factor.text, mode="eval").body)
    outputs = tuple(
        (component, number, compiler.step(((ONE, compiler.moved(register), value, PRODUCT),)))
        for component, number, register in program.outputs
    )
    return replace(
        program,
        loads=compiler.loads,
        steps=compiler.steps,
        outputs=outputs,
        n_registers=compiler.n_registers,
    )


class _Compiler:
    """Steps of a form factor behind those of a program.

    Args:
        program: of a structure.
        factor: over the legs of the vertex.
        out: position of the leg that comes out.
        n_legs: of the vertex.

    Attributes:
        loads: of the program and of the momenta that the form factor needs.
    """

    def __init__(self, program: Program, factor: FormFactor, out: int, n_legs: int) -> None:
        self._program, self._factor, self._out = program, factor, out
        legs = {int(leg) - 1 for pair in _dots(factor.text) for leg in pair}
        inside = legs if out not in legs else {*range(n_legs)}
        self._children = [leg for leg in range(n_legs) if leg != out]
        momenta = [
            (child, MOMENTUM + mu)
            for child, leg in enumerate(self._children)
            if leg in inside
            for mu in range(4)
        ]
        self.loads = tuple(dict.fromkeys([*program.loads, *momenta, UNIT]))
        self._shift = len(self.loads) - len(program.loads)
        self._first = program.n_registers + self._shift
        self._known: dict[tuple[_Term, ...], int] = {}

    def moved(self, register: int) -> int:
        """The number that a register of the program has now."""
        return register if register < len(self._program.loads) else register + self._shift

    @property
    def n_registers(self) -> int:
        """Number of registers."""
        return self._first + len(self._known)

    @property
    def steps(self) -> tuple[ProgramStep, ...]:
        """Steps of the program, then those of the form factor."""
        own = tuple(
            replace(
                step,
                target=self.moved(step.target),
                a=self.moved(step.a),
                b=None if step.b is None else self.moved(step.b),
            )
            for step in self._program.steps
        )
        return own + tuple(
            ProgramStep(register, number, a, b, function)
            for terms, register in self._known.items()
            for number, a, b, function in terms
        )

    def step(self, terms: tuple[_Term, ...]) -> int:
        """The register of a sum of products, or of a function; equal ones are kept once."""
        return self._known.setdefault(terms, self._first + len(self._known))

    def register(self, node: ast.expr) -> int:
        """The register of a part of the text."""
        match node:
            case ast.Name(name):
                number = self._constant(name)
                unit = self.loads.index(UNIT)
                return unit if number == ONE else self.step(((number, unit, None, PRODUCT),))
            case ast.UnaryOp(ast.USub(), operand):
                return self.step(((-ONE, self.register(operand), None, PRODUCT),))
            case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
                first, second = self.register(left), self.register(right)
                factor = -ONE if isinstance(sign, ast.Sub) else ONE
                return self.step(((ONE, first, None, PRODUCT), (factor, second, None, PRODUCT)))
            case ast.BinOp(ast.Name(name), ast.Mult(), other) | ast.BinOp(
                other, ast.Mult(), ast.Name(name)
            ):
                number, inner = self._constant(name), self.register(other)
                return inner if number == ONE else self.step(((number, inner, None, PRODUCT),))
            case ast.BinOp(left, ast.Mult(), right):
                return self._product(self.register(left), self.register(right))
            case ast.BinOp(left, ast.Div(), right):
                return self._product(self.register(left), self._inverse(self.register(right)))
            case ast.BinOp(left, ast.Pow(), ast.Constant(int() as power)):
                return self._power(self.register(left), power)
            case ast.BinOp(left, ast.Pow(), ast.UnaryOp(ast.USub(), ast.Constant(int() as power))):
                return self._inverse(self._power(self.register(left), power))
            case ast.Call(ast.Name("dot"), [ast.Constant(int() as a), ast.Constant(int() as b)]):
                return self._dot(a - 1, b - 1)
            case ast.Call(ast.Name("choice"), [test, yes, no]):
                test_, yes_, no_ = (self.register(one) for one in (test, yes, no))
                return self.step(((ONE, no_, None, PRODUCT), (ONE, test_, yes_, "choice")))
            case ast.Call(ast.Name(name), [argument]):
                return self.step(((ONE, self.register(argument), None, _FUNCTIONS[name]),))
        raise AssertionError(ast.unparse(node))

    def _constant(self, name: str) -> Gaussian | str:
        expression = self._factor.constants[int(name.removeprefix("c"))]
        return ONE if expression == "1" else expression

    def _product(self, a: int, b: int) -> int:
        return self.step(((ONE, max(a, b), min(a, b), PRODUCT),))

    def _inverse(self, a: int) -> int:
        return self.step(((ONE, a, None, "inverse"),))

    def _power(self, base: int, power: int) -> int:
        if power == 0:
            return self.loads.index(UNIT)
        result = base
        for bit in f"{power:b}"[1:]:
            result = self._product(result, result)
            if bit == "1":
                result = self._product(result, base)
        return result

    def _dot(self, a: int, b: int) -> int:
        pairs = zip(METRIC, self._momentum(a), self._momentum(b), strict=True)
        return self.step(
            tuple(
                (ONE if sign > 0 else -ONE, max(p, q), min(p, q), PRODUCT) for sign, p, q in pairs
            )
        )

    def _momentum(self, leg: int) -> Sequence[int]:
        """Registers of the momentum of a leg; all of them enter, so they add up to zero."""
        if leg != self._out:
            child = self._children.index(leg)
            return [self.loads.index((child, MOMENTUM + mu)) for mu in range(4)]
        parts = [self._momentum(other) for other in self._children]
        return [
            self.step(tuple((-ONE, part[mu], None, PRODUCT) for part in parts)) for mu in range(4)
        ]


def _dots(text: str) -> list[tuple[str, str]]:
    return re.findall(r"dot\((\d+),(\d+)\)", text)
