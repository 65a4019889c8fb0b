"""Statements of a UFO file: assignments of objects, from its syntax tree, never executed.

C. Degrande et al., arXiv:1108.2040, and L. Darme et al., arXiv:2304.09883: a file is a list of
`name = Class(key = value, ..)`, `name = other.anti()` and `name.key = value`. Models for NLO may
have some of them in `if configuration.flag:`, with the flags in a file of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from madnis_py.errors import InputError
from madnis_py.physics.model.expressions import ExpressionError, Names, value_of

_MODULES = frozenset({
    "__future__", "cmath", "math", "object_library", "function_library", "parameters", "particles",
    "couplings", "lorentz", "vertices", "coupling_orders", "decays", "propagators", "form_factors",
    "CT_parameters", "CT_couplings", "CT_vertices", "running", "configuration",
})  # fmt: skip
"""What a UFO file may import: other files of its model, which are not imported here."""

_DEEPEST = 20
"""Lists and dictionaries in each other."""


_LONGEST_REPLACEMENT = 1000
"""Characters that take the place of others."""


class UfoError(InputError):
    """A model cannot be read; the message starts with file and line."""


@dataclass(frozen=True)
class Reference:
    """The name of an object, in this file or another: `GC_1` and `C.GC_1`."""

    name: str


@dataclass(frozen=True)
class JoinedText:
    """Texts and names of texts in a row, `"-" + numerator + "/2"`, with `.replace(old, new)`."""

    parts: tuple[str | Reference, ...]
    replacements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Construction:
    """An object made from its class, `Particle(name = 'a', ..)`, or the antiparticle of one.

    Attributes:
        kind: name of the class; "anti" for `other.anti()`.
        arguments: by their keys; that of "anti" is "of".
    """

    kind: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Statement:
    """An assignment.

    Attributes:
        place: file and line, for messages.
        name: what is assigned.
        value: number, text, `Reference`, `JoinedText`, `Construction`, or lists and dictionaries of
            these.
        key: of the attribute of `name` that is assigned; "" for `name` itself.
    """

    place: str
    name: str
    value: Any
    key: str = ""


def statements_of(
    text: str, file: str, flags: Mapping[str, bool] = MappingProxyType({})
) -> Iterator[Statement]:
    """The assignments of a UFO file, in their order.

    Args:
        text: of the file.
        file: its name, for messages.
        flags: of the model's file configuration.py.

    Raises:
        UfoError: it has another statement; names file and line.
    """
    for node in _tree(text, file).body:
        yield from _statements(node, file, flags)


def _tree(text: str, file: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise UfoError(
            f"{file}: line {error.lineno or 1}: expected Python 3; got: {error.msg}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UfoError(
            f"{file}: expected a file of Python; got: {str(error) or 'too deep'}"
        ) from None


def _statements(node: ast.stmt, file: str, flags: Mapping[str, bool]) -> Iterator[Statement]:
    match node:
        case ast.Import() | ast.ImportFrom():
            _check_import(node, file)
        case ast.Try(body=body, handlers=handlers, orelse=[], finalbody=[]):
            inner = [*body, *(one for handler in handlers for one in handler.body)]
            for one in inner:
                if _renames(one):
                    continue
                if not isinstance(one, ast.Import | ast.ImportFrom | ast.Pass):
                    raise _unexpected(one, file)
                yield from _statements(one, file, flags)
        case ast.If(
            test=ast.Attribute(value=ast.Name(id="configuration"), attr=flag),
            body=body,
            orelse=other,
        ) if flag in flags:
            for one in body if flags[flag] else other:
                yield from _statements(one, file, flags)
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield Statement(_place(node, file), name, _value(value, file))
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=key)], value=value):
            yield Statement(_place(node, file), name, _value(value, file), key)
        case ast.Assign(
            targets=[
                ast.Attribute(value=ast.Attribute(value=ast.Name(id=module), attr=name), attr=key)
            ],
            value=value,
        ):
            yield Statement(_place(node, file), f"{module}.{name}", _value(value, file), key)
        case _:
            raise _unexpected(node, file)


def _renames(node: ast.stmt) -> bool:
    """Whether it is `a, b = object_library.a, object_library.b`, an import in other words."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            return all(isinstance(one, ast.Name) for one in names) and all(
                isinstance(one, ast.Attribute)
                and isinstance(one.value, ast.Name)
                and one.value.id == "object_library"
                for one in values
            )
    return False


def _check_import(node: ast.Import | ast.ImportFrom, file: str) -> None:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        modules = [node.module] if node.module else [alias.name for alias in node.names]
    for module in modules:
        if module.rpartition(".")[2] not in _MODULES:
            raise UfoError(
                f"{_place(node, file)}: expected an import of files of the model; got {module}"
            )


def _place(node: ast.AST, file: str) -> str:
    return f"{file}: line {getattr(node, 'lineno', 0)}"


def _unexpected(node: ast.AST, file: str) -> UfoError:
    kind = type(node).__name__.lower()
    return UfoError(
        f"{_place(node, file)}: expected name = Class(key = value) and the like; got {kind}"
    )


def _value(node: ast.expr, file: str, depth: int = 0) -> Any:
    """Number, text, reference, construction, or a list or dictionary of them."""
    if depth > _DEEPEST:
        raise UfoError(f"{_place(node, file)}: expected lists less deep in each other")
    match node:
        case ast.Constant(value=None | bool() | int() | float() | complex() | str() as constant):
            return constant
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(), attr=name):
            return _reference(name, node, file)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(), attr=name), attr="value"):
            return _reference(name, node, file)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return tuple(_value(one, file, depth + 1) for one in parts)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {
                _value(key, file, depth + 1): _value(one, file, depth + 1)
                for key, one in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="anti"), args=[]):
            return Construction("anti", {"of": _reference(name, node, file)})
        case ast.Call(
            func=ast.Attribute(value=inner, attr="replace"),
            args=[ast.Constant(value=str() as old), ast.Constant(value=str() as new)],
            keywords=[],
        ) if old and len(new) <= _LONGEST_REPLACEMENT:
            text = _value(inner, file, depth + 1)
            if isinstance(text, str | JoinedText):
                earlier = text.replacements if isinstance(text, JoinedText) else ()
                return JoinedText(tuple(_parts(text)), (*earlier, (old, new)))
        case ast.Call(func=ast.Name(id=kind) | ast.Attribute(attr=kind), args=[], keywords=given):
            return _construction(kind, given, node, file, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _has_text(node):
            sides = [_value(side, file, depth + 1) for side in (left, right)]
            joined = tuple(part for side in sides for part in _parts(side))
            replaced = any(isinstance(side, JoinedText) and side.replacements for side in sides)
            if all(isinstance(part, str | Reference) for part in joined) and not replaced:
                return JoinedText(joined)
        case ast.BinOp() | ast.UnaryOp():
            return _number(node, file)
    raise _unexpected(node, file)


def _has_text(node: ast.expr) -> bool:
    return any(
        isinstance(one, ast.Constant) and isinstance(one.value, str) for one in ast.walk(node)
    )


def _parts(value: Any) -> tuple[Any, ...]:
    return value.parts if isinstance(value, JoinedText) else (value,)


def _reference(name: str, node: ast.AST, file: str) -> Reference:
    if name.startswith("__"):
        raise UfoError(f"{_place(node, file)}: expected the name of an object; got {name}")
    return Reference(name)


def _construction(
    kind: str, given: list[ast.keyword], node: ast.AST, file: str, depth: int
) -> Construction:
    if not kind[:1].isupper():
        raise UfoError(f"{_place(node, file)}: expected a class of UFO files; got {kind}()")
    arguments = {}
    for keyword in given:
        if keyword.arg is None:
            raise UfoError(f"{_place(node, file)}: expected key = value; got **")
        arguments[keyword.arg] = _value(keyword.value, file, depth + 1)
    return Construction(kind, arguments)


def _number(node: ast.expr, file: str) -> complex:
    """A number written as arithmetic, -1 or 2/3."""
    try:
        number = value_of(ast.unparse(node), Names({}))
    except (ExpressionError, ArithmeticError, ValueError, RecursionError):
        raise UfoError(f"{_place(node, file)}: expected a number; got other arithmetic") from None
    return number
