"""Results of vegas with a report: which sampler drew the points of each iteration, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import vegas


class _WithReport:
    """Adds sentences to the summary of a result of vegas, and keeps them when it is pickled.

    Attributes:
        report: sentences, oldest first.
    """

    report: tuple[str, ...] = ()

    def summary(self, *args: Any, **options: Any) -> str:
        """The table of vegas and the report below it; arguments are those of vegas."""
        table: str = super().summary(*args, **options)  # type: ignore[misc]
        return table + "".join(f"{sentence}\n" for sentence in self.report)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Pickle as a plain result of vegas and its report."""
        return with_report, (_copied(self, _PLAIN[type(self)]), self.report)


class ReportedRAvg(_WithReport, vegas.RAvg):  # type: ignore[misc]
    """A `vegas.RAvg` with a report."""


class ReportedRAvgArray(_WithReport, vegas.RAvgArray):  # type: ignore[misc]
    """A `vegas.RAvgArray` with a report."""


class ReportedRAvgDict(_WithReport, vegas.RAvgDict):  # type: ignore[misc]
    """A `vegas.RAvgDict` with a report."""


_PLAIN: dict[type, type] = {
    ReportedRAvg: vegas.RAvg,
    ReportedRAvgArray: vegas.RAvgArray,
    ReportedRAvgDict: vegas.RAvgDict,
}
_REPORTED = {plain: reported for reported, plain in _PLAIN.items()}

Result = vegas.RAvg | vegas.RAvgArray | vegas.RAvgDict


def empty_result(integrand: vegas.VegasIntegrand, weighted: bool) -> Any:
    """A result without iterations, for numbers, arrays or dictionaries as the integrand returns.

    Args:
        integrand: in the standard form of vegas.
        weighted: average the iterations by their variances instead of evenly.
    """
    if integrand.shape is None:
        return ReportedRAvgDict(integrand.bdict, weighted=weighted)
    if integrand.shape == ():
        return ReportedRAvg(weighted=weighted)
    return ReportedRAvgArray(integrand.shape, weighted=weighted)


def with_report(result: Any, report: tuple[str, ...]) -> Any:
    """The same result of vegas, with a report."""
    reported = _copied(result, _REPORTED[type(result)])
    reported.report = report
    return reported


def _copied(result: Any, kind: Any) -> Any:
    """The same iterations in a result of another class, averaged again."""
    settings = {
        "weighted": result.weighted,
        "itn_results": result.itn_results,
        "sum_neval": result.sum_neval,
    }
    if issubclass(kind, vegas.RAvgArray):
        return kind(result.shape, rescale=result.rescale, **settings)
    if issubclass(kind, vegas.RAvgDict):
        return kind(dict(result), rescale=result.rarray.rescale, **settings)
    return kind(**settings)
