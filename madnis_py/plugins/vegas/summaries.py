"""Results of vegas whose `summary()` also says which sampler drew the points, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import vegas


class _WithStory:
    """Adds sentences to the summary of a result of vegas and takes them along when pickled.

    Attributes:
        story: sentences, oldest first.
    """

    story: tuple[str, ...] = ()

    def summary(self, *args: Any, **settings: Any) -> str:
        """The table of vegas and the story below it; arguments are those of vegas."""
        table: str = super().summary(*args, **settings)  # type: ignore[misc]
        return table + "".join(f"{sentence}\n" for sentence in self.story)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """As a result of vegas and the story."""
        return with_story, (_copied(self, _PLAIN[type(self)]), self.story)


class StoryRAvg(_WithStory, vegas.RAvg):  # type: ignore[misc]
    """A `vegas.RAvg` with a story."""


class StoryRAvgArray(_WithStory, vegas.RAvgArray):  # type: ignore[misc]
    """A `vegas.RAvgArray` with a story."""


class StoryRAvgDict(_WithStory, vegas.RAvgDict):  # type: ignore[misc]
    """A `vegas.RAvgDict` with a story."""


_PLAIN: dict[type, type] = {
    StoryRAvg: vegas.RAvg,
    StoryRAvgArray: vegas.RAvgArray,
    StoryRAvgDict: vegas.RAvgDict,
}
_TOLD = {plain: told for told, plain in _PLAIN.items()}

Result = vegas.RAvg | vegas.RAvgArray | vegas.RAvgDict


def empty_result(integrand: vegas.VegasIntegrand, weighted: bool) -> Any:
    """A result without iterations, of the kind that the integrand asks for.

    Args:
        integrand: numbers, arrays or dictionaries.
        weighted: average the iterations by their variances instead of evenly.
    """
    if integrand.shape is None:
        return StoryRAvgDict(integrand.bdict, weighted=weighted)
    if integrand.shape == ():
        return StoryRAvg(weighted=weighted)
    return StoryRAvgArray(integrand.shape, weighted=weighted)


def with_story(result: Any, story: tuple[str, ...]) -> Any:
    """The same result of vegas, with a story."""
    told = _copied(result, _TOLD[type(result)])
    told.story = story
    return told


def _copied(result: Any, kind: Any) -> Any:
    """The iterations of a result averaged again, in another class."""
    facts = {
        "weighted": result.weighted,
        "itn_results": result.itn_results,
        "sum_neval": result.sum_neval,
    }
    if issubclass(kind, vegas.RAvgArray):
        return kind(result.shape, rescale=result.rescale, **facts)
    if issubclass(kind, vegas.RAvgDict):
        return kind(dict(result), rescale=result.rarray.rescale, **facts)
    return kind(**facts)
