"""Labels of particles in a definition: names, PDG codes, and multiparticles of model and card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from madnis_py.card.sentences import closest
from madnis_py.errors import InputError
from madnis_py.physics.model.model import Model


class ParticleLabels:
    """The particles that labels stand for; capitals do not matter.

    Args:
        model: knows the particles, and the labels p, j, l+, l-, vl and vl~.
        multiparticles: label -> particles and labels of the card, "g u d~", "p / g" without g. They
            replace those of the model; inside its own text a label is that of the model.

    Raises:
        InputError: a text that cannot be read, or labels that are made of each other; begins with
            the label.
    """

    def __init__(
        self, model: Model, multiparticles: Mapping[str, str | Sequence[str]] | None = None
    ) -> None:
        self._model = model
        self._known = {
            **{name: self._codes(names) for name, names in model.multiparticles.items()},
            "all": tuple(sorted(model.pdg_of.values(), key=lambda pdg: (abs(pdg), pdg < 0))),
        }
        texts = {
            label.lower(): text.split() if isinstance(text, str) else list(text)
            for label, text in (multiparticles or {}).items()
        }
        self._known |= {label: self._defined(label, texts, ()) for label in texts}

    def __getitem__(self, label: str) -> tuple[int, ...]:
        """The PDG codes that a label stands for.

        Raises:
            InputError: it is none.
        """
        codes = self._found(label.lower())
        if codes is None:
            hint = closest(label, [*self._model.pdg_of, *self._known])
            raise InputError(f'unknown particle "{label}" of model {self._model.name}{hint}')
        return codes

    def __contains__(self, label: str) -> bool:
        return self._found(label.lower()) is not None

    def _found(self, name: str) -> tuple[int, ...] | None:
        if name in self._known:
            return self._known[name]
        is_code = re.fullmatch(r"-?\d{1,8}", name) and int(name) in self._model.pdg_of.values()
        code = int(name) if is_code else self._model.pdg_of.get(name)
        return None if code is None else (code,)

    def _codes(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._model.pdg_of[name] for name in names)

    def _defined(
        self, label: str, texts: Mapping[str, Sequence[str]], inside: tuple[str, ...]
    ) -> tuple[int, ...]:
        """What a label of the card stands for, looked up while those of `inside` are."""
        if label in inside:
            raise InputError(f"{label}: expected labels that are not made of each other; got that")
        if label in self._model.pdg_of or re.fullmatch(r"-?\d+", label):
            raise InputError(f'{label}: expected a label that is no particle; got "{label}"')
        taken: list[int] = []
        removed: list[int] = []
        target = taken
        for word in " ".join(texts[label]).replace("/", " / ").lower().split():
            if word == "/":
                target = removed
            elif word in texts and word != label:
                target += self._defined(word, texts, (*inside, label))
            else:
                try:
                    target += self[word]
                except InputError as error:
                    raise InputError(f"{label}: {error}") from None
        codes = tuple(dict.fromkeys(code for code in taken if code not in removed))
        if not codes:
            raise InputError(f'{label}: expected particles; got "{" ".join(texts[label])}"')
        return codes
