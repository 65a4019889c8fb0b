"""Bias of events: how many times as often as by the cross section they are made."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.sentences import shown
from madnis_py.errors import InputError, IntegrandError
from madnis_py.physics.cross_section.flavour_patterns import FlavourPatterns
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.final_state import N_INCOMING, FinalState
from madnis_py.physics.observables.observable import Observable

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
}
_OPERATORS: Mapping[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}

_OBSERVABLE = re.compile(
    rf"\b(?!(?:{'|'.join(_FUNCTIONS)})\s*\()[a-z_]\w*\s*\([^()]*\)"
    r"|\b(?:ht|sqrt_s|missing_pt)\b(?!\s*\()"
)
"""An observable of particles, or of the event."""

_MOST_LETTERS, _MOST_LEVELS = 1000, 50


class Bias:
    """A function of the observables of an event, from a text such as "max(pt(jet[1]), 50)**2".

    Numbers, + - * / **, sqrt, log, exp, abs, min and max of observables as [histograms] has them.

    Args:
        text: of the function.
        flavours: PDG codes of the external legs, int32, shape (n_flavours, P).
        model: knows the particles.
        n_incoming: 1 for a decay.

    Attributes:
        text: as given.

    Raises:
        InputError: the text is no such function, or an observable has not one value in every event.
    """

    def __init__(
        self, text: str, flavours: NDArray[np.int32], model: Model, n_incoming: int = N_INCOMING
    ) -> None:
        self.text = text
        self._observables: list[Observable] = []
        self._model = model
        self._tree = self._parsed(text)
        self._patterns = FlavourPatterns(
            flavours, (codes for one in self._observables for codes in one.classes), n_incoming
        )
        finals = [tuple(legs[n_incoming:]) for legs in self._patterns.pdg.tolist()]
        self._require_one_value(finals)

    def _parsed(self, text: str) -> ast.expr:
        """The function as a tree, with names x0, x1, ... for observables."""
        if len(text) > _MOST_LETTERS:
            raise InputError(f"expected at most {_MOST_LETTERS} letters; got {len(text)}")
        named = _OBSERVABLE.sub(self._named, text)
        try:
            tree = ast.parse(named.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self._no_function(text) from None
        self._require_function(tree, _MOST_LEVELS)
        if not self._observables:
            raise InputError(f"expected a function of observables; got {shown(text)}")
        return tree

    def _named(self, found: re.Match[str]) -> str:
        """The name of an observable in the tree."""
        observable = Observable.parse(found[0], self._model)
        if observable not in self._observables:
            self._observables.append(observable)
        return f" x{self._observables.index(observable)} "

    def _require_function(self, node: ast.expr, levels: int) -> None:
        if not levels:
            raise InputError(f"expected at most {_MOST_LEVELS} brackets in each other; got more")
        for one in self._operands(node):
            self._require_function(one, levels - 1)

    def _operands(self, node: ast.expr) -> Sequence[ast.expr]:
        """What a node is a function of, if it is one of those that are known."""
        match node:
            case ast.Constant(value=int() | float()):
                return ()
            case ast.Name(id=name) if re.fullmatch(r"x\d+", name):
                return ()
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return left, right
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                return (operand,)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name in _FUNCTIONS and len(arguments) == 1 + (name in ("min", "max")):
                    return arguments
        raise self._no_function(self.text)

    @staticmethod
    def _no_function(text: str) -> InputError:
        wanted = 'numbers, observables as "pt(jet[1])", + - * / **, sqrt, log, exp, abs, min, max'
        return InputError(f"expected a function of {wanted}; got {shown(text)}")

    def _require_one_value(self, finals: Sequence[tuple[int, ...]]) -> None:
        for observable in self._observables:
            for final in finals:
                if not observable.measurable([final]):
                    names = " ".join(map(self._model.particle_name, final))
                    raise InputError(
                        f"expected {observable} in every final state; {names} has none"
                    )
        momenta = np.ones((1, self._patterns.pdg.shape[1], 4))
        for state in self._patterns.states(momenta):
            for observable in self._observables:
                if (count := observable.values(state).shape[1]) != 1:
                    advice = 'a rank, "pt(jet[1])", chooses'
                    raise InputError(f"expected one value of {observable}; got {count} ({advice})")

    def __call__(self, p: Array) -> Array:
        """The bias of events for every combination of flavours.

        Args:
            p: momenta in GeV, float64, shape (n, P, 4).

        Returns:
            float64, shape (n, n_flavours).

        Raises:
            IntegrandError: it is not a number above 0 somewhere.
        """
        if not len(p):
            return np.ones((0, len(self._patterns.group)))
        columns = [self._values(state) for state in self._patterns.states(p)]
        return np.stack(columns, axis=1)[:, self._patterns.group]

    def _values(self, state: FinalState) -> Array:
        seen = {f"x{place}": one.values(state)[:, 0] for place, one in enumerate(self._observables)}
        with np.errstate(all="ignore"):
            values = np.broadcast_to(_evaluated(self._tree, seen), len(state)).astype(np.float64)
        wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(wrong):
            given = ", ".join(
                f"{one} = {seen[f'x{place}'][wrong[0]]:g}"
                for place, one in enumerate(self._observables)
            )
            raise IntegrandError(
                f"events.bias: expected a number > 0 for every event; got {values[wrong[0]]:g} "
                f"from {shown(self.text)} for {given}"
            )
        return values


def _evaluated(node: ast.expr, seen: Mapping[str, Array]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return seen[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_evaluated(left, seen), _evaluated(right, seen))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_evaluated(operand, seen))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_evaluated(one, seen) for one in arguments))
    raise AssertionError(node)
