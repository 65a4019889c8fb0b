r"""Typesetting of formulas in HTML and SVG: the mathtext that labels of observables use.

Letters are italic, digits and what `\mathrm{}` holds upright, `_{}` and `^{}` may be nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from unicodedata import normalize

_TOKEN = re.compile(r"\\([A-Za-z]+|.)|([_^{}])|(\s+)|(.)", re.DOTALL)

_LETTERS = {
    "alpha": "α", "gamma": "γ", "Gamma": "Γ", "Delta": "Δ", "eta": "η", "mu": "μ", "nu": "ν",
    "phi": "φ", "sigma": "σ", "tau": "τ", "chi": "χ", "ell": "ℓ", "cdot": "·", "sqrt": "√",
    "times": "×",
}  # fmt: skip
_UPRIGHT = {"Δ", "Γ", "·", "√", "×"}
_ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303"}


@dataclass(frozen=True)
class Letters:
    """Letters of one kind.

    Attributes:
        text: what they spell.
        italic: whether they are slanted.
        level: 0 on the line, 1 or more in an index or exponent of that depth.
        raised: by how many sizes of the text they are above the line, below for negative ones.
    """

    text: str
    italic: bool
    level: int = 0
    raised: float = 0.0

    @property
    def size(self) -> float:
        """Of the letters, in sizes of the text."""
        return max(0.72**self.level, 0.55)


def letters_of(mathtext: str) -> list[Letters]:
    """Text with formulas between dollars, as letters of one kind behind each other."""
    found: list[Letters] = []
    for number, part in enumerate(mathtext.split("$")):
        if number % 2:
            found += _formula(part)
        elif part:
            found.append(Letters(part, italic=False))
    return found


def _formula(text: str) -> list[Letters]:
    tokens = list(_TOKEN.finditer(text))
    found, _ = _group(tokens, 0, Letters("", italic=True))
    return found


def _group(tokens: list[re.Match[str]], at: int, style: Letters) -> tuple[list[Letters], int]:
    """Letters up to the brace that closes, and where it is."""
    found: list[Letters] = []
    while at < len(tokens):
        command, special, space, _ = tokens[at].groups()
        if special == "}":
            return found, at
        if special in ("_", "^"):
            shift = (-0.22 if special == "_" else 0.36) * style.size
            inner = replace(style, level=style.level + 1, raised=style.raised + shift)
            script, at = _argument(tokens, at + 1, inner)
            found += script
        elif command == "mathrm":
            upright, at = _argument(tokens, at + 1, replace(style, italic=False))
            found += [replace(part, italic=False) for part in upright]
        elif command in _ACCENTS:
            letters, at = _argument(tokens, at + 1, style)
            if letters:
                accented = normalize("NFC", letters[-1].text + _ACCENTS[command])
                letters[-1] = replace(letters[-1], text=accented)
            found += letters
        elif space:
            pass
        elif special == "{":
            inside, at = _group(tokens, at + 1, style)
            found += inside
        else:
            found.append(_letter(tokens[at], style))
        at += 1
    return found, at


def _argument(tokens: list[re.Match[str]], at: int, style: Letters) -> tuple[list[Letters], int]:
    """The group or letter behind a command, and the place of its last token."""
    if at >= len(tokens):
        return [], at
    if tokens[at][0] == "{":
        return _group(tokens, at + 1, style)
    return [_letter(tokens[at], style)], at


def _letter(token: re.Match[str], style: Letters) -> Letters:
    command = token[1]
    text = (
        token[0] if command is None else _LETTERS.get(command, " " if command == "," else command)
    )
    text = {"-": "−", ",": ", "}.get(text, text)
    slanted = style.italic and text.isalpha() and text not in _UPRIGHT
    return replace(style, text=text, italic=slanted)


def _joined(found: list[Letters]) -> Iterator[Letters]:
    """Letters with neighbours of one kind put together."""
    last: Letters | None = None
    for part in found:
        if last is not None and replace(part, text="") == replace(last, text=""):
            last = replace(last, text=last.text + part.text)
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def html(mathtext: str) -> str:
    """A label as HTML."""
    return "".join(_html(part) for part in _joined(letters_of(mathtext)))


def _html(part: Letters) -> str:
    text = f"<i>{escape(part.text)}</i>" if part.italic else escape(part.text)
    if not part.level:
        return text
    tag = "sup" if part.raised > 0 else "sub"
    return f"<{tag}>" * part.level + text + f"</{tag}>" * part.level


def svg(mathtext: str, size: float) -> str:
    """A label as the content of a text element of SVG.

    Args:
        mathtext: text with formulas between dollars.
        size: of the letters in pixels.
    """
    content, height = "", 0.0
    for part in _joined(letters_of(mathtext)):
        attributes = ""
        if part.raised != height:
            attributes += f' dy="{(height - part.raised) * size:.2f}"'
            height = part.raised
        if part.level:
            attributes += f' font-size="{part.size * size:.2f}"'
        if part.italic:
            attributes += ' font-style="italic"'
        text = escape(part.text)
        content += f"<tspan{attributes}>{text}</tspan>" if attributes else text
    return content


def plain(mathtext: str) -> str:
    """A label as letters alone, for those who listen to the page."""
    return "".join(part.text for part in letters_of(mathtext))


_WIDE, _NARROW = set("mwMW%@√ΔΓ—"), set("iljtfrI.,:;'|()[]!· ")


def width(mathtext: str, size: float) -> float:
    """About how wide a label is, in pixels; rather too much than too little."""
    return size * sum(part.size * sum(map(_width_of, part.text)) for part in letters_of(mathtext))


def _width_of(letter: str) -> float:
    """In sizes of the text."""
    if letter in _ACCENTS.values():
        return 0.0
    if letter in _WIDE:
        return 0.9
    if letter in _NARROW:
        return 0.34
    return 0.68 if letter.isupper() else 0.6
