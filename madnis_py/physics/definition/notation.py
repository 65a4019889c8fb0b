"""Notation of MadGraph's process definitions: their text as words, before any model is known.

A definition is a step, "incoming > outgoing" with what stands behind, and the chains of its decays
after commas: "p p > t t~ QED=0 / h, (t > b w+, w+ > j j), t~ > b~ w- @1". Loops, "[QCD]", are no
part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import NamedTuple

from madnis_py.errors import InputError
from madnis_py.physics.diagrams.coupling_orders import WEIGHTED, OrderLimit

FORM = '"incoming > outgoing QCD=n QED=n / excluded"'

_MOST_LEVELS = 20
"""Brackets in each other, above what can be computed."""

_ALIASES = {"EW": ("QED", 1), "AEW": ("QED^2", 2), "AS": ("QCD^2", 2)}
"""Other names of coupling orders -> the name and the factor of the power, as in MadGraph."""

_STANDARD = ("QCD", "QED", WEIGHTED)
"""Coupling orders whose capitals do not matter."""

_NAMES = "|".join([*_STANDARD, *_ALIASES])

_PLAIN = r"[^\s>,()/|$@{}[\]=<!^]+"

_WORD = re.compile(
    rf"""\s*(?:
    (?P<order>(?:(?:{_NAMES})(?:\^2)?\s*>|{_PLAIN}(?:\^2)?\s*(?:[<=!]|>=)[<>=!]*)
        \s*[^\s,()/$@|>]*)
    | (?P<number>@\s*\d{{1,6}}(?![^\s,()]))
    | (?P<label>{_PLAIN}(?P<polarisation>\{{[^{{}}]*\}})?)
    | (?P<mark>\$\s*\$|[>,()/|$])
    )""",
    re.VERBOSE | re.IGNORECASE,
)


class NotationWord(NamedTuple):
    """A word of a definition: kind is "order", "number", "label" or the mark itself."""

    kind: str
    text: str


@dataclass(frozen=True)
class Label:
    """A particle or multiparticle of a definition, with the text inside its braces."""

    name: str
    polarisation: str | None = None


@dataclass(frozen=True)
class RestrictionText:
    """What stands behind "/", "$$" and "$", as labels."""

    excluded: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    off_shell: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepText:
    """One "incoming > outgoing" of a definition.

    Attributes:
        text: as it was written, up to spaces.
        incoming: labels before ">".
        outgoing: labels behind it.
        required: alternatives of labels between two ">".
        orders: coupling orders.
        restrictions: what stands behind.
    """

    text: str
    incoming: tuple[Label, ...]
    outgoing: tuple[Label, ...]
    required: tuple[tuple[str, ...], ...]
    orders: tuple[OrderLimit, ...]
    restrictions: RestrictionText


@dataclass(frozen=True)
class ChainText:
    """A step with the chains of its decays.

    Attributes:
        step: the first one.
        decays: behind commas.
        behind: restrictions behind the brackets around the chain, for all of its steps.
    """

    step: StepText
    decays: tuple[ChainText, ...] = ()
    behind: RestrictionText = RestrictionText()


@dataclass(frozen=True)
class DefinitionText:
    """A whole definition.

    Attributes:
        chain: its steps.
        number: behind "@".
    """

    chain: ChainText
    number: int | None


def parse_notation(text: str) -> DefinitionText:
    """Split a definition into its words.

    Raises:
        InputError: it does not read as MadGraph's notation, or has loops; quotes the place.
    """
    words, number = _without_number(tuple(_words(text)), text)
    _check_brackets(words, text)
    return DefinitionText(_chain(words, text), number)


def _words(text: str) -> Iterator[NotationWord]:
    if re.search(r"[\[\]]", text):
        raise InputError(
            f'expected a definition without [ ] (loops), not supported here; got "{text}"'
        )
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _WORD.match(text, position)
        if found is None:
            raise InputError(f'expected particles, orders or restrictions; got "{text[position:]}"')
        kind = found.lastgroup or ""
        kind = "label" if kind == "polarisation" else kind
        word = " ".join(found[0].split())
        yield NotationWord(word.replace(" ", "") if kind == "mark" else kind, word)
        position = found.end()


def _without_number(
    words: Sequence[NotationWord], text: str
) -> tuple[tuple[NotationWord, ...], int | None]:
    """The words without "@N", and N."""
    numbers = [place for place, word in enumerate(words) if word.kind == "number"]
    if not numbers:
        return tuple(words), None
    depth = sum({"(": 1, ")": -1}.get(word.kind, 0) for word in words[: numbers[0]])
    if len(numbers) > 1 or depth != 0:
        raise InputError(f'expected one process number, outside of brackets; got "{text}"')
    (place,) = numbers
    before, behind = words[:place], words[place + 1 :]
    in_chain = any(word.kind == "," for word in before)
    if in_chain and behind:
        raise InputError(
            "expected the orders of a decay chain with its steps, before the process number; got "
            f'"{_text(behind)}" behind it'
        )
    return (*before, *behind), int(words[place].text.removeprefix("@"))


def _check_brackets(words: Sequence[NotationWord], text: str) -> None:
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if depth > _MOST_LEVELS:
            raise InputError(f"expected at most {_MOST_LEVELS} brackets in each other; got more")
        if depth < 0:
            break
    if depth != 0:
        raise InputError(f'expected brackets in pairs; got "{text}"')


def _chain(words: Sequence[NotationWord], text: str) -> ChainText:
    """A step and its decays, after commas; a decay in brackets is a chain of its own."""
    core, *decays = _split(words, ",")
    if decays and not decays[-1]:
        decays.pop()  # MadGraph lets a comma end a definition
    return ChainText(_step(core, text), tuple(_decay(decay, text) for decay in decays))


def _split(words: Sequence[NotationWord], mark: str) -> list[tuple[NotationWord, ...]]:
    """The parts between a mark outside of brackets."""
    parts: list[list[NotationWord]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if word.kind == mark and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts]


def _decay(words: Sequence[NotationWord], text: str) -> ChainText:
    if not words or words[0].kind != "(":
        return _chain(words, text)
    depths = accumulate({"(": 1, ")": -1}.get(word.kind, 0) for word in words)
    end = next(place for place, depth in enumerate(depths) if depth == 0)
    inside, behind = words[1:end], words[end + 1 :]
    if behind and (behind[0].kind not in _SECTIONS or any(w.kind == "order" for w in behind)):
        raise InputError(
            f'expected "/ excluded", "$$" or "$" alone behind brackets; got "{_text(words)}"'
        )
    chain = _chain(inside, text)
    return ChainText(chain.step, chain.decays, _restrictions(behind, words))


_SECTIONS = {"/": "excluded", "$$": "forbidden", "$": "off_shell"}
"""Marks of restrictions -> which ones."""


def _step(words: Sequence[NotationWord], text: str) -> StepText:
    shown = _text(words)
    error = InputError(f'expected {FORM}; got "{shown or text}"')
    orders = tuple(_order(word.text) for word in words if word.kind == "order")
    names = [(order.coupling, order.squared) for order in orders]
    if len(set(names)) < len(names):
        raise InputError(f'expected every coupling order once; got "{shown}"')
    rest = [word for word in words if word.kind != "order"]
    start = next((k for k, word in enumerate(rest) if word.kind in _SECTIONS), len(rest))
    sides = _split(rest[:start], ">")
    if len(sides) not in (2, 3) or any(word.kind in "()" for word in rest) or not all(sides):
        raise error
    incoming, outgoing = sides[0], sides[-1]
    if any(word.kind != "label" for word in (*incoming, *outgoing)) or incoming[-1].text == "-":
        raise error
    required = _split(sides[1], "|") if len(sides) == 3 else []
    if not all(required):
        raise error
    return StepText(
        shown,
        tuple(map(_label, incoming)),
        tuple(map(_label, outgoing)),
        tuple(_names(part, shown) for part in required),
        orders,
        _restrictions(rest[start:], words),
    )


def _restrictions(words: Sequence[NotationWord], whole: Sequence[NotationWord]) -> RestrictionText:
    """What stands behind "/", "$$" and "$"."""
    runs = [tuple(run) for _, run in groupby(words, lambda word: word.kind in _SECTIONS)]
    found: dict[str, tuple[str, ...]] = {}
    for marks, labels in zip(runs[::2], [*runs[1::2], ()], strict=False):
        mark = marks[-1].kind
        if len(marks) > 1 or not labels or any(word.kind != "label" for word in labels):
            raise InputError(f'expected particles after "{mark}"; got "{_text(whole)}"')
        name = _SECTIONS[mark]
        found[name] = found.get(name, ()) + _names(labels, _text(whole))
    return RestrictionText(**found)


def _names(words: Sequence[NotationWord], text: str) -> tuple[str, ...]:
    """The names of labels that have no polarisation."""
    labels = [_label(word) for word in words]
    if any(label.polarisation is not None for label in labels):
        raise InputError(f'expected braces on incoming and outgoing particles alone; got "{text}"')
    return tuple(label.name for label in labels)


def _label(word: NotationWord) -> Label:
    name, brace, polarisation = word.text.partition("{")
    return Label(name, polarisation.removesuffix("}") if brace else None)


def _order(text: str) -> OrderLimit:
    found = re.fullmatch(r"([^<>=!]+?)\s*(=|<=|==|>)\s*(\d{1,4})", text)
    if found is None:
        expected = "expected a coupling order as QCD=2, QCD<=2, QCD==2 or QCD>2"
        raise InputError(f'{expected}; got "{text}"')
    name, relation, power = found.groups()
    alias, factor = _ALIASES.get(name.removesuffix("^2").upper(), (name, 1))
    coupling = alias.removesuffix("^2")
    return OrderLimit(
        coupling.upper() if coupling.upper() in _STANDARD else coupling,
        factor * int(power),
        "<=" if relation in ("=", "<=") else "==" if relation == "==" else ">",
        "^2" in name or "^2" in alias,
    )


def _text(words: Sequence[NotationWord]) -> str:
    return " ".join(word.text for word in words).replace("( ", "(").replace(" )", ")")
