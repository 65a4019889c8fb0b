"""MadGraph's run cards as ours: run_card.dat of MG5aMC and run_card.toml of MG7."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from madnis_py.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.pdf import available_sets

Value = bool | int | float | str

_LINE = re.compile(r"^\s*(?P<value>.+?)\s*=\s*(?P<name>[A-Za-z_]\w*)\s*(?:!.*)?$")
_CLASSES = {"j": "jet", "b": "bottom", "a": "photon", "l": "lepton"}
_SCALES = {1: "sum_et", 2: "sum_mt", 3: "sum_mt/2", 4: "sqrt_s"}
_SCALE_NAMES = {
    "transverse_energy": "sum_et",
    "transverse_mass": "sum_mt",
    "half_transverse_mass": "sum_mt/2",
    "partonic_energy": "sqrt_s",
}
_PRIORS = {1: "diagram", 2: "propagator", "diagrams": "diagram", "denominators": "propagator"}
_BUILT_IN_PDFS = {"nn23lo1": "NNPDF23_lo_as_0130_qed", "nn23lo": "NNPDF23_lo_as_0119_qed"}
_LHAPDF_NUMBERS = {
    230000: "NNPDF23_nlo_as_0119",
    247000: "NNPDF23_lo_as_0130_qed",
    246800: "NNPDF23_lo_as_0119_qed",
    260000: "NNPDF30_nlo_as_0118",
    303400: "NNPDF31_nlo_as_0118",
    303600: "NNPDF31_nnlo_as_0118",
    315000: "NNPDF31_lo_as_0118",
    331900: "NNPDF40_lo_as_01180",
}


@dataclass
class Imported:
    """A card of ours, made from one of MadGraph's.

    Attributes:
        tables: of the card.
        options: what belongs to the command line: option -> value.
        left_out: what has no counterpart: name -> why, or the value that it had.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: dict[str, Value] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def put(self, table: str, key: str, value: object) -> None:
        """Set a key of the card."""
        self.tables.setdefault(table, {})[key] = value

    def cut(self, names: str, key: str, value: float) -> None:
        """Add a cut; of two on the same observable the stricter one stays."""
        table = self.tables.setdefault("cuts", {}).setdefault(names, {})
        stricter = min if key.endswith("_max") else max
        table[key] = stricter(value, table.get(key, value))


class Settings:
    """The entries of a run card; what nobody takes is left over.

    Args:
        values: name -> value.
        source: file, for messages.
    """

    def __init__(self, values: Mapping[str, Value], source: str) -> None:
        self._left = dict(values)
        self._source = source

    def take(self, name: str) -> Value | None:
        """The value of an entry, None if there is none; it counts as understood."""
        return self._left.pop(name, None)

    def number(self, name: str) -> float | None:
        """A number.

        Raises:
            CardError: it is none.
        """
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool | str):
            raise CardError(f"{self._source}: {name}: expected a number; got {value}")
        return float(value)

    def flag(self, name: str) -> bool | None:
        """True or false.

        Raises:
            CardError: it is neither.
        """
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise CardError(f"{self._source}: {name}: expected true or false; got {value}")
        return value

    def refuse(self, name: str, expected: str, got: object) -> CardError:
        """An error at an entry."""
        return CardError(f"{self._source}: {name}: expected {expected}; got {got}")

    @property
    def left(self) -> dict[str, Value]:
        """What nobody took."""
        return dict(self._left)


def import_run_card(path: Path, definition: str, param_card: Path | None = None) -> tuple[Card, Imported]:
    """Translate a run card of MadGraph.

    Args:
        path: run_card.dat, or a run_card.toml.
        definition: the process, which run cards do not know.
        param_card: with the parameters of the model; named in the card.

    Returns:
        the card, and what else the run card said.

    Raises:
        CardError: the run card cannot be read, or asks for what cannot be done at all.
    """
    text = _text(path)
    imported = Imported({"process": {"definition": definition}})
    if param_card is not None:
        imported.put("parameters", "param_card", str(param_card))
    translate = _translate_toml if path.suffix == ".toml" else _translate_dat
    translate(text, path.name, imported)
    return Card.parse(imported.tables, path.name), imported


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CardError(f"{path}: expected a readable run card; got: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CardError(f"{path}: expected a run card in UTF-8; got other bytes") from None


def read_run_card(text: str, source: str) -> dict[str, Value]:
    """The entries `value = name ! comment` of a run_card.dat, names in lower case.

    Raises:
        CardError: a line is something else.
    """
    found: dict[str, Value] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        if not (match := _LINE.match(content)):
            raise CardError(f"{source}: line {number}: expected value = name; got {content!r}")
        found[match["name"].lower()] = _value(match["value"].strip("'\""))
    if not found:
        raise CardError(f"{source}: expected lines value = name of a run card; got none")
    return found


def _value(text: str) -> Value:
    folded = text.lower().strip(".")
    if folded in ("t", "true", "f", "false"):
        return folded[0] == "t"
    for convert in (int, _fortran_number):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _fortran_number(text: str) -> float:
    return float(re.sub("[dD](?=[-+0-9])", "e", text))


def _translate_dat(text: str, source: str, card: Imported) -> None:
    settings = Settings(read_run_card(text, source), source)
    _run_options(settings.take("nevents"), settings.take("iseed"), 0, card)
    _beams(settings, card)
    _fixed_scales(settings, card)
    _dynamical_scale(settings, card)
    for name, (names, key) in CUTS.items():
        _cut(settings.number(name), names, key, card)
    _window_prior_systematics(
        settings.number("bwcutoff"), settings.take("sde_strategy"), settings.flag("use_syst"), card
    )
    card.left_out |= {name: str(value) for name, value in settings.left.items()}


def _run_options(events: Value | None, seed: Value | None, random_seed: int, card: Imported) -> None:
    if events is not None:
        card.options["--events"] = events
    if seed is not None and seed != random_seed:
        card.options["--seed"] = seed


def _beams(settings: Settings, card: Imported) -> None:
    energies = [settings.number(f"ebeam{beam}") for beam in (1, 2)]
    if None not in energies:
        card.put("beams", "energy", energies)
    kinds = {name: settings.take(name) for name in ("lpp1", "lpp2")}
    for name, kind in kinds.items():
        if kind not in (None, 0, 1):
            raise settings.refuse(name, "0 (partons) or 1 (protons)", kind)
    labels = [settings.take(name) for name in ("pdlabel", "pdlabel1", "pdlabel2")]
    number = settings.take("lhaid")
    if set(kinds.values()) == {0}:
        card.put("beams", "pdf", "none")
    elif known := _pdf_name([label for label in labels if label is not None], number):
        card.put("beams", "pdf", known)
    elif number is not None:
        card.left_out["lhaid"] = f"{number}: the name of this set is not known; set beams.pdf"


def _pdf_name(labels: list[Value], number: Value | None) -> str | None:
    for label in labels:
        if str(label) in _BUILT_IN_PDFS:
            return _BUILT_IN_PDFS[str(label)]
    return next((one.name for one in available_sets() if one.lhapdf_id == number), _LHAPDF_NUMBERS.get(number))  # type: ignore[arg-type]


def _fixed_scales(settings: Settings, card: Imported) -> None:
    scale, first, second = (settings.number(name) for name in ("scale", "dsqrt_q2fact1", "dsqrt_q2fact2"))
    flags = [settings.flag(name) for name in ("fixed_fac_scale", "fixed_fac_scale1", "fixed_fac_scale2")]
    if settings.flag("fixed_ren_scale") and scale is not None:
        card.put("scales", "renormalization", scale)
    if any(flags) and first is not None:
        card.put("scales", "factorization", first)
    if any(flags) and second not in (None, first):
        raise settings.refuse("dsqrt_q2fact2", f"one factorisation scale for both beams, {first}", second)


def _dynamical_scale(settings: Settings, card: Imported) -> None:
    choice, factor = settings.take("dynamical_scale_choice"), settings.number("scalefact")
    dynamical = [key for key in ("factorization", "renormalization") if key not in card.tables.get("scales", {})]
    if choice is None or not dynamical:
        return
    if choice not in _SCALES:
        raise settings.refuse("dynamical_scale_choice", "1, 2, 3 or 4 (-1 needs the clustering of MadGraph)", choice)
    for key in dynamical:
        card.put("scales", key, _SCALES[choice])  # type: ignore[index]
        if factor not in (None, 1.0):
            card.put("scales", f"{key}_factor", factor)


def _window_prior_systematics(
    window: float | None, strategy: Value | None, systematics: bool | None, card: Imported
) -> None:
    if window is not None:
        card.put("events", "resonance_widths", window)
    if strategy in _PRIORS:
        card.put("channels", "prior", _PRIORS[strategy])
    elif strategy is not None:
        card.left_out["sde_strategy"] = str(strategy)
    if systematics is False:
        card.tables["systematics"] = {"scale_factors": [], "pdf_members": False}


def _cut(value: float | None, names: str, key: str, card: Imported) -> None:
    """A cut that is on: MadGraph's minima are off at 0, its maxima below it."""
    if value is not None and (value >= 0 if key.endswith("_max") else value > 0):
        card.cut(names, key, value)


def _cuts() -> dict[str, tuple[str, str]]:
    """Names of run_card.dat -> our name and observable."""
    found: dict[str, tuple[str, str]] = {}
    for letter, name in _CLASSES.items():
        for short, long in (("pt", "pt"), ("e", "energy")):
            found |= {f"{short}{letter}": (name, f"{long}_min"), f"{short}{letter}max": (name, f"{long}_max")}
        found |= {f"eta{letter}": (name, "eta_max"), f"eta{letter}min": (name, "eta_min")}
        found[f"xpt{letter}"] = (f"{name}[1]", "pt_min")
    for first, second in ("jj", "bb", "ll", "aa", "bj", "aj", "jl", "ab", "bl", "al"):
        names = f"{_CLASSES[first]},{_CLASSES[second]}"
        found |= {f"dr{first}{second}": (names, "dr_min"), f"dr{first}{second}max": (names, "dr_max")}
    for letter in "jba":
        names = f"{_CLASSES[letter]},{_CLASSES[letter]}"
        found |= {f"mm{letter * 2}": (names, "mass_min"), f"mm{letter * 2}max": (names, "mass_max")}
    for letter, rank, end in product("jl", range(1, 5), ("min", "max")):
        found[f"pt{letter}{rank}{end}"] = (f"{_CLASSES[letter]}[{rank}]", f"pt_{end}")
    return found | {
        "mmll": ("lepton", "sfos_mass_min"),
        "mmllmax": ("lepton", "sfos_mass_max"),
        "misset": ("event", "missing_pt_min"),
        "missetmax": ("event", "missing_pt_max"),
        "htjmin": ("jet", "ht_min"),
        "htjmax": ("jet", "ht_max"),
        "dsqrt_shat": ("event", "sqrt_s_min"),
        "dsqrt_shatmax": ("event", "sqrt_s_max"),
    }


CUTS = _cuts()


def _translate_toml(text: str, source: str, card: Imported) -> None:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{source}: expected TOML; {error}") from None
    cuts = content.pop("cuts", {})
    settings = Settings(dict(_flat(content)), source)
    _run_options(settings.take("generation.events"), settings.take("run.seed"), -1, card)
    _toml_beams(settings, card)
    _toml_scales(settings, card)
    window, strategy = settings.number("phasespace.bw_cutoff"), settings.take("phasespace.sde_strategy")
    systematics = [settings.flag(name) for name in ("systematics.enable", "generation.systematics")]
    _window_prior_systematics(window, strategy, False if False in systematics else None, card)
    card.left_out |= {name: str(value) for name, value in settings.left.items()}
    for name, value in _flat(cuts):
        _toml_cut(name, value, card)


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Keys with dots between the names of their tables."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        found += _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
    return found


def _toml_beams(settings: Settings, card: Imported) -> None:
    energy = settings.number("beam.e_cm")
    if energy is not None:
        card.put("beams", "energy", [energy / 2, energy / 2])
    pdfs = [settings.take(name) for name in ("beam.pdf", "beam.pdf1", "beam.pdf2")]
    named = list(dict.fromkeys(str(pdf) for pdf in pdfs if pdf is not None))
    if len(named) > 1:
        raise settings.refuse("beam.pdf2", f"the same parton densities for both beams, {named[0]}", named[1])
    if settings.flag("beam.leptonic"):
        card.put("beams", "pdf", "none")
    elif named:
        card.put("beams", "pdf", named[0])


def _toml_scales(settings: Settings, card: Imported) -> None:
    fixed_r, fixed_f = settings.flag("beam.fixed_ren_scale"), settings.flag("beam.fixed_fact_scale")
    mu_r, first, second = (settings.number(f"beam.{name}") for name in ("ren_scale", "fact_scale1", "fact_scale2"))
    choice, factor = settings.take("beam.dynamical_scale_choice"), settings.number("beam.scale_factor")
    if fixed_f and second not in (None, first):
        raise settings.refuse("beam.fact_scale2", f"one factorisation scale for both beams, {first}", second)
    if choice is not None and not (fixed_r and fixed_f) and choice not in _SCALE_NAMES:
        raise settings.refuse("beam.dynamical_scale_choice", f"one of {', '.join(_SCALE_NAMES)}", choice)
    for key, fixed, scale in (("renormalization", fixed_r, mu_r), ("factorization", fixed_f, first)):
        if fixed and scale is not None:
            card.put("scales", key, scale)
        elif not fixed and choice is not None:
            card.put("scales", key, _SCALE_NAMES[str(choice)])
            if factor not in (None, 1.0):
                card.put("scales", f"{key}_factor", factor)


_TOML_CUT = re.compile(
    r"(?P<groups>(?:[a-z]+(?:_\d)?-){0,2})(?P<observable>pt|eta_abs|e|delta_r|pair_mass|sfos_pair_mass|pt-sum|mass|sqrt_s)"
    r"\.(?P<end>min|max)"
)
_TOML_OBSERVABLES: Mapping[tuple[str, int], str] = {
    ("pt", 1): "pt",
    ("eta_abs", 1): "eta",
    ("e", 1): "energy",
    ("delta_r", 2): "dr",
    ("pair_mass", 2): "mass",
    ("mass", 2): "mass",
    ("sfos_pair_mass", 1): "sfos_mass",
    ("pt-sum", 1): "ht",
}


def _toml_cut(name: str, value: Value, card: Imported) -> None:
    """A cut in MG7's grammar, `<group>[_rank][-<group>]-<observable>.min|max`."""
    match = _TOML_CUT.fullmatch(name)
    ours = _toml_names(match["groups"].rstrip("-"), match["observable"]) if match else None
    if match is None or ours is None or isinstance(value, str | bool):
        card.left_out[f"cuts.{name}"] = str(value)
        return
    names, observable = ours
    card.cut(names, f"{observable}_{match['end']}", float(value))


def _toml_names(groups: str, observable: str) -> tuple[str, str] | None:
    """Our names and observable; None where there are none."""
    if observable == "sqrt_s":
        return None if groups else ("event", "sqrt_s")
    if groups == "missing":
        return ("event", "missing_pt") if observable == "pt" else None
    parts = [re.sub(r"_(\d)$", r"[\1]", group) for group in groups.split("-") if group]
    if observable in ("delta_r", "pair_mass") and len(parts) == 1:
        parts *= 2
    known = _TOML_OBSERVABLES.get((observable, len(parts)))
    return (",".join(parts), known) if known else None
