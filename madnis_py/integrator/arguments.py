"""What callers of an integrator give: sources of random numbers, and settings of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from madnis_py.card.documents import defect
from madnis_py.card.sentences import closest
from madnis_py.errors import InputError
from madnis_py.integration.training.settings import TrainingSettings

Rng = int | np.random.Generator | torch.Generator
"""A source of random numbers, or a seed, for one call."""


def seed_of(rng: object) -> int:
    """The seed of a call: the number given, or the next number of a generator.

    Raises:
        InputError: it is neither.
    """
    match rng:
        case np.random.Generator():
            return int(rng.integers(2**63))
        case torch.Generator():
            return int(torch.randint(2**63 - 1, (), generator=rng, device=rng.device))
        case int() | np.integer() if not isinstance(rng, bool) and rng >= 0:
            return int(rng)
    raise InputError(
        "rng: expected a torch.Generator, a numpy.random.Generator or a whole number from 0 on; "
        f"got {rng!r}"
    )


def training_settings(
    preset: str | TrainingSettings, changes: Mapping[str, Any]
) -> TrainingSettings:
    """The settings of a preset with some of them changed.

    Args:
        preset: its name, or settings to start from.
        changes: name of a setting -> value.

    Raises:
        InputError: there is no such preset or setting, or a value is wrong.
    """
    base = preset if isinstance(preset, TrainingSettings) else TrainingSettings.preset(preset)
    known = TrainingSettings.model_fields
    for name in changes:
        if name not in known:
            raise InputError(f"train: there is no setting '{name}'{closest(name, known)}")
    try:
        return TrainingSettings.model_validate({**base.model_dump(), **changes})
    except ValidationError as error:
        raise InputError(f"train: {defect(error)}") from None
