"""Doors for text that people write: cards, parameters, grids, momenta, definitions, commands."""

from __future__ import annotations

import json
import math
import random
import re
import tomllib
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tomli_w
from door import Door, lost, maybe_precious, refused_cleanly
from mutators import (
    NUMBER,
    STRANGE_NUMBERS,
    STRANGE_WORDS,
    damaged_bytes,
    damaged_text,
    damaged_tree,
)
from outcome import Failure, command, complaint, library

from madnis_py.card import card as cards
from madnis_py.physics.pdf.pdf import load_pdf

LIGHT_CARDS = ("drell_yan", "drell_yan_zprime", "ttbar", "dijet", "higgs_ttbar", "www")
MOST_LEGS = 6


def many_legs(text: str) -> bool:
    """Whether a definition has more legs than an input of a moment may have."""
    return (
        max((len(step.split("/")[0].split()) for step in re.split(r"[,>]", text)), default=0)
        > MOST_LEGS
    )


class ProcessCards(Door):
    """Our cards; a value that is accepted is kept."""

    name = "process card"
    share = 40

    @cached_property
    def _sound(self) -> list[str]:
        return [cards.shipped()[name].read_text() for name in LIGHT_CARDS]

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        path = folder / "card.toml"
        path.write_bytes(self._damaged(rng))
        answer = command("diagrams", path)
        if not answer.accepted:
            return complaint(answer)
        content = cards.load(path).content()
        return lost(tomllib.loads(path.read_text()), content)

    def _damaged(self, rng: random.Random) -> bytes:
        while True:
            data = self._changed(rng)
            definition = re.search(rb'definition\s*=\s*"([^"]*)"', data)
            if not definition or not many_legs(definition[1].decode(errors="replace")):
                return data

    def _changed(self, rng: random.Random) -> bytes:
        text = rng.choice(self._sound)
        kind = rng.random()
        if kind < 0.6:
            return damaged_text(rng, text).encode(errors="surrogatepass")
        if kind < 0.75:
            return damaged_bytes(rng, text.encode())
        return tomli_w.dumps(_without_none(damaged_tree(rng, tomllib.loads(text)))).encode(
            errors="surrogatepass"
        )


def _without_none(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {str(key): _without_none(value) for key, value in tree.items() if value is not None}
    if isinstance(tree, list):
        return [_without_none(value) for value in tree if value is not None]
    return (
        max(-(2**62), min(tree, 2**62))
        if isinstance(tree, int) and not isinstance(tree, bool)
        else tree
    )


class Definitions(Door):
    """Lines in MadGraph's notation, put together from its words and damaged."""

    name = "definition"
    share = 40

    PARTICLES = (
        "p", "j", "g", "u", "u~", "d", "d~", "b", "b~", "t", "t~", "e+", "e-", "mu+", "mu-", "ve",
        "ve~", "l+", "l-", "vl", "z", "w+", "w-", "a", "h", "all", "jj", "T~", "21", "-5",
    )  # fmt: skip
    ENDINGS = (
        "QED=0",
        "QCD<=2",
        "QED=2 QCD=1",
        "/ a",
        "/ h z",
        "$ z",
        "$$ a",
        "@1",
        "[QCD]",
        "QED^2==4",
        "QCD=-1",
    )
    DECAYS = (
        "t > b w+",
        "t~ > b~ w-",
        "(t > b w+, w+ > e+ ve)",
        "w+ > j j",
        "z > l+ l-",
        "h > b b~",
        "(z > j j) / a",
    )

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        text = self._line(rng)
        while many_legs(text):
            text = self._line(rng)
        path = folder / "card.toml"
        quoted = json.dumps(text.replace("\x7f", ""), ensure_ascii=True)
        path.write_text(f'[process]\ndefinition = {quoted}\n[beams]\npdf = "toy"\n')
        return complaint(command("diagrams", path))

    def _line(self, rng: random.Random) -> str:
        incoming = rng.choices(self.PARTICLES, k=rng.choice((1, 2, 2, 2, 2, 3)))
        outgoing = rng.choices(self.PARTICLES, k=rng.randint(1, 3))
        endings = rng.sample(self.ENDINGS, k=rng.choice((0, 0, 1, 2)))
        decays = rng.sample(self.DECAYS, k=rng.choice((0, 0, 1, 2)))
        line = ", ".join([" ".join([*incoming, ">", *outgoing, *endings]), *decays])
        text = damaged_text(rng, line) if rng.random() < 0.4 else line
        return text.encode(errors="replace").decode()


class RunCards(Door):
    """MadGraph's run cards; numbers that are accepted are those of our card."""

    name = "run card"
    share = 40

    LINES = (
        "  run_01 = run_tag ! name of the run",
        "  10000 = nevents ! Number of unweighted events requested", "  3 = iseed ! rnd seed",
        "  1 = lpp1 ! beam 1 type", "  1 = lpp2 ! beam 2 type", "  6500.0 = ebeam1 ! GeV",
        "  6500.0 = ebeam2 ! GeV", "  lhapdf = pdlabel ! PDF set",
        "  331900 = lhaid ! number of the set", "  True = fixed_ren_scale",
        "  True = fixed_fac_scale", "  91.188 = scale", "  91.188 = dsqrt_q2fact1",
        "  91.188 = dsqrt_q2fact2", "  3 = dynamical_scale_choice", "  1.0 = scalefact",
        "  20.0 = ptj ! minimum pt", "  -1.0 = ptjmax", "  5.0 = etaj", "  0.4 = drjj",
        "  0.0 = mmjj", "  10.0 = ptl", "  2.5 = etal", "  0 = ptb", "  4 = maxjetflavor",
        "  False = use_syst", "  #*****", "  15.0 = bwcutoff", "  0.0 = drll",
    )  # fmt: skip
    KEPT = MappingProxyType({"ptj": "pt_min", "etaj": "eta_max", "drjj": "dr_min"})

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        text = damaged_text(rng, "\n".join(self.LINES) + "\n")
        source, target = folder / "run_card.dat", maybe_precious(rng, folder / "card.toml")
        source.write_bytes(text.encode(errors="surrogatepass"))
        answer = command("import-card", source, "--definition", "p p > j j", "-o", target)
        if not answer.accepted:
            return refused_cleanly(answer, target, (source.name,))
        return self._check(text, tomllib.loads(target.read_text()))

    def _check(self, text: str, card: dict[str, Any]) -> Failure | None:
        """The last plain number of a key is what the card has."""
        for key, name in self.KEPT.items():
            found = re.findall(rf"(?m)^\s*(\S+)\s*=\s*{key}\s*(?:!.*)?$", text)
            if not found or not NUMBER.fullmatch(found[-1]):
                continue
            wanted = float(re.sub("[dD]", "e", found[-1]))
            got = [
                cut[name] for cut in card.get("cuts", {}).values() if name in cut
            ]  # by particle if jets are others
            if wanted > 0 and not any(math.isclose(one, wanted) for one in got):
                return Failure("value lost", f"{key} = {found[-1]} became {got}")
        return None


class ParameterCards(Door):
    """SLHA files; the masses that are accepted are those of the file."""

    name = "param card"

    SOUND = """BLOCK SMINPUTS
    1 1.325070e+02 # aEWM1
    2 1.166390e-05 # Gf
    3 1.180000e-01 # aS
Block MASS
    5 4.700000e+00 # MB
    6 1.730000e+02 # MT
   15 1.777000e+00 # MTA
   23 9.118800e+01 # MZ
   25 1.250000e+02 # MH
Block YUKAWA Q= 9.118800e+01
    6 1.730000e+02 # ymt
BLOCK SPINFO
    1 some program
BLOCK NMIX
    1 1 9.9e-01
DECAY   6 1.491500e+00 # WT
#  BR NDA ID1 ID2
   1.0 2 5 24
DECAY  23 2.441404e+00 # WZ
"""

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        text = damaged_text(rng, self.SOUND)
        path, card = folder / "param_card.dat", folder / "card.toml"
        path.write_bytes(text.encode(errors="surrogatepass"))
        card.write_text(
            '[process]\ndefinition = "g g > t t~"\n[beams]\npdf = "toy"\n'
            '[parameters]\nparam_card = "param_card.dat"\n'
        )
        answer = command("diagrams", card)
        return complaint(answer) or (self._check(text, card) if answer.accepted else None)

    def _check(self, text: str, card: Path) -> Failure | None:
        from madnis_py.physics.process.process import Process

        model = Process.from_card(card).model
        block = re.search(
            r"(?ims)^block\s+mass\s*(?:#[^\n]*)?\n(.*?)(?=^\s*(?:block|decay)|\Z)", text
        )
        rows = re.findall(
            r"(?m)^[ \t]+6[ \t]+([-+\d.eE]+)[ \t]*(?:#.*)?$", block[1] if block else ""
        )
        if len(rows) != 1 or not NUMBER.fullmatch(rows[0]):
            return None
        kept = model["MT"]
        return (
            None
            if math.isclose(kept, float(rows[0]))
            else Failure("value lost", f"MT {rows[0]} became {kept}")
        )


class Grids(Door):
    """Sets of parton densities; values at the knots are those of the file."""

    name = "grid"
    share = 40

    X = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.6, 1.0)
    Q = (1.5, 3.0, 10.0, 100.0, 1e3, 1e4)
    FLAVOURS = (-2, -1, 21, 1, 2)

    @cached_property
    def _sound(self) -> tuple[str, str]:
        info = (
            "SetDesc: three lines of a test\nSetIndex: 0\nFormat: lhagrid1\nNumMembers: 1\n"
            "Particle: 2212\n"
            f"Flavors: {list(self.FLAVOURS)}\nOrderQCD: 0\nXMin: 1e-5\nXMax: 1\nQMin: 1.5\n"
            "QMax: 1e4\nMZ: 91.19\n"
            f"AlphaS_Type: ipol\nAlphaS_Qs: {list(self.Q)}\n"
            "AlphaS_Vals: [0.35, 0.25, 0.18, 0.12, 0.09, 0.07]\n"
        )
        rows = "".join(
            " ".join(
                f"{(1 - x) ** 3 * (1 + 0.1 * math.log(q) + 0.01 * k):.7e}"
                for k in range(len(self.FLAVOURS))
            )
            + "\n"
            for x in self.X
            for q in self.Q
        )
        knots = "\n".join(" ".join(f"{one:.7e}" for one in values) for values in (self.X, self.Q))
        flavours = " ".join(map(str, self.FLAVOURS))
        return info, f"PdfType: central\nFormat: lhagrid1\n---\n{knots}\n{flavours}\n{rows}---\n"

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        texts = list(self._sound)
        place = rng.randrange(2)
        change = damaged_text if rng.random() < 0.8 else _bytes_of_text
        texts[place] = change(rng, texts[place])
        target = folder / "made"
        target.mkdir()
        for text, name in zip(texts, ("made.info", "made_0000.dat"), strict=True):
            (target / name).write_bytes(text.encode(errors="surrogateescape"))
        values: dict[str, Any] = {}
        answer = library(lambda: values.update(self._values(target)))
        return complaint(answer) or (self._check(values, texts[1]) if answer.accepted else None)

    def _values(self, folder: Path) -> dict[str, Any]:
        pdf = load_pdf(str(folder))
        inner = [(x, q) for x in self.X[1:-1] for q in self.Q[1:-1]]
        x, q = (np.array(column) for column in zip(*inner, strict=True))
        return {
            "x": x,
            "q": q,
            "xf": pdf.density(self.FLAVOURS, x, q**2),
            "alpha_s": pdf.alpha_s(q**2),
        }

    def _check(self, values: dict[str, Any], text: str) -> Failure | None:
        if not all(np.isfinite(values[key]).all() for key in ("xf", "alpha_s")):
            return Failure("not finite", "a density or coupling of an accepted set")
        table = self._plain(text)
        if table is None:
            return None
        for row, (x, q) in enumerate(zip(values["x"], values["q"], strict=True)):
            expected = table.get((x, q))
            if expected is not None and not np.allclose(values["xf"][row], expected, rtol=1e-6):
                return Failure(
                    "wrong density", f"at x = {x}, Q = {q}: {values['xf'][row]} for {expected}"
                )
        return None

    def _plain(self, text: str) -> dict[tuple[float, float], list[float]] | None:
        """The numbers of a file that still has its plain shape; None for any other."""
        blocks = text.replace("\r", "").split("---\n")
        lines = blocks[1].splitlines() if len(blocks) > 1 else []
        if len(lines) < 3 or lines[2].split() != [str(one) for one in self.FLAVOURS]:
            return None
        try:
            x, q = ([float(word) for word in line.split()] for line in lines[:2])
            rows = [[float(word) for word in line.split()] for line in lines[3:]]
        except ValueError:
            return None
        if len(rows) != len(x) * len(q) or any(len(row) != len(self.FLAVOURS) for row in rows):
            return None
        return {(a, b): rows[i * len(q) + j] for i, a in enumerate(x) for j, b in enumerate(q)}


def _bytes_of_text(rng: random.Random, text: str) -> str:
    return damaged_bytes(rng, text.encode()).decode(errors="surrogateescape")


class Momenta(Door):
    """Points for `evaluate`; a number for each, and JSON that every reader takes."""

    name = "momenta"

    DIRECTIONS = ((300, 0, 400), (0, 500, 0))

    @cached_property
    def _sound(self) -> dict[str, Any]:
        beams = [[500, 0, 0, 500], [500, 0, 0, -500]]
        pairs = [
            [[500, *one], [500, *(-component for component in one)]] for one in self.DIRECTIONS
        ]
        return {"points": [{"momenta": [*beams, *pair]} for pair in pairs]}

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        card, path = folder / "card.toml", folder / "points.json"
        card.write_text('[process]\ndefinition = "e+ e- > mu+ mu-"\n[beams]\npdf = "none"\n')
        text = json.dumps(self._sound)
        text = (
            damaged_text(rng, text)
            if rng.random() < 0.4
            else json.dumps(damaged_tree(rng, self._sound))
        )
        path.write_bytes(text.encode(errors="surrogatepass"))
        answer = command("evaluate", card, "--momenta", path)
        if not answer.accepted:
            return complaint(answer)
        found = json.loads(answer.out, parse_constant=lambda word: word)
        numbers = found["me2"]
        given = len(json.loads(text)["points"])
        if len(numbers) != given:
            return Failure("points lost", f"{given} points, {len(numbers)} numbers")
        finite = all(isinstance(one, int | float) and math.isfinite(one) for one in numbers)
        return None if finite else Failure("not finite", answer.out[:500])


class CommandLines(Door):
    """Words of the command line in any order."""

    name = "command line"

    COMMANDS = (
        "run", "train", "integrate", "generate", "gridpack", "convert", "import-card", "histograms",
        "evaluate", "diagrams", "export-umami", "processes", "info", "pdf", "verify", "--version",
        "--help",
    )  # fmt: skip
    OPTIONS = (
        "--events", "--points", "--seed", "--method", "--preset", "--device", "--threads",
        "--workers", "--json", "-o", "--output", "--momenta", "--definition", "--help",
        "--any-version", "--format", "--draw", "list", "--alpha-s",
    )  # fmt: skip
    VALUES = (
        "0",
        "-1",
        "x",
        "1.5",
        "quick",
        "vegas",
        "cpu",
        "nowhere",
        "missing.toml",
        "missing.lhe",
        "",
        "svg",
        "tpu",
    )

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        values = [
            *self.VALUES,
            *STRANGE_NUMBERS,
            *(word for word in STRANGE_WORDS if "\0" not in word),
        ]
        words = [rng.choice(self.COMMANDS)]
        for _ in range(rng.randint(0, 5)):
            words.append(rng.choice(rng.choice((self.OPTIONS, values))))
        words = [word.encode(errors="replace").decode() for word in words]
        missing = [word if word not in cards.shipped() else f"{word}_" for word in words]
        answer = command(*(_inside(word, folder) for word in missing))
        return complaint(answer)


def _inside(word: str, folder: Path) -> str:
    """Files of a command lie in the folder of the input."""
    return str(folder / word) if word in ("nowhere", "missing.toml", "missing.lhe") else word
