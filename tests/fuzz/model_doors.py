"""Door for models in the format of UFO."""

from __future__ import annotations

import random
from functools import cached_property
from pathlib import Path

from door import Door
from mutators import damaged_bytes, damaged_text
from outcome import Failure, command, complaint
from places import ROOT

SINGLET = ROOT / "tests" / "models" / "scalar_singlet"


class UfoModels(Door):
    """Folders of which one file is damaged; a sentence, or a model that is shown."""

    name = "UFO model"
    share = 20

    @cached_property
    def _sound(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in SINGLET.glob("*.*")}

    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        model = folder / "model"
        model.mkdir()
        for name, text in self._sound.items():
            (model / name).write_text(text)
        name = rng.choice(sorted(self._sound))
        if rng.random() < 0.5:
            data = damaged_bytes(rng, self._sound[name].encode())
        else:
            data = damaged_text(rng, self._sound[name]).encode(errors="surrogatepass")
        (model / name).write_bytes(data)
        restriction = rng.choice(("", "-plain"))
        return complaint(command("model", "show", f"{model}{restriction}"))
