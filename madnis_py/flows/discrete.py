"""Discrete dimensions, such as helicity or flavour, sampled together with continuous ones.

A discrete dimension is a coordinate of the unit cube like any other: the interval is cut into equal
parts, one per category, and the density is constant inside a part. An integrand that picks category
floor(n x) needs to know no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from madnis_py.errors import InputError
from madnis_py.flows.blocks import MARGIN
from madnis_py.flows.coupling import CouplingBlock
from madnis_py.flows.flow import AbstractFlow, channel_counts, check_points
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.networks import StackedMLP
from madnis_py.flows.permutations import coupling_masks, default_blocks
from madnis_py.parallel.random_streams import RandomStream

SMALLEST_SHARE = 0.01
"""Least probability of a category in a table, in units of 1 / categories: none is ever given up."""


class CategoryTable(nn.Module):
    """Probabilities of the categories of one dimension per channel, adapted as VEGAS adapts bins.

    Args:
        n_channels: number of channels.
        categories: number of categories; equally probable at first.
    """

    probability: Tensor
    sums: Tensor

    def __init__(self, n_channels: int, categories: int) -> None:
        super().__init__()
        even = torch.full((n_channels, categories), 1.0 / categories, dtype=torch.float64)
        self.register_buffer("probability", even)
        self.register_buffer(
            "sums", torch.zeros(2, n_channels, categories, dtype=torch.float64), persistent=False
        )

    def add_training_data(self, channel: Tensor, category: Tensor, weight: Tensor) -> None:
        """Collect <w^2> per category for the next `adapt`.

        Args:
            channel: int64, shape (n,).
            category: int64, shape (n,).
            weight: integrand over density, float64, shape (n,).
        """
        index = (channel, category)
        self.sums[0].index_put_(index, torch.ones_like(weight), accumulate=True)
        self.sums[1].index_put_(index, weight.square(), accumulate=True)

    def adapt(self, damping: float = 1.0) -> None:
        """Move the probabilities towards the best, p sqrt(<w^2>), and forget the data.

        Categories without points keep their share; none falls below `SMALLEST_SHARE`.

        Args:
            damping: 1 goes all the way, 0 stays.
        """
        number, total = self.sums
        size = (total / number.clamp(min=1.0)).sqrt()
        typical = (self.probability * size).sum(1, keepdim=True) / (
            self.probability * (number > 0)
        ).sum(1, keepdim=True)
        factor = torch.where((number > 0) & (typical > 0), size / typical, 1.0) ** damping
        wanted = self.probability * factor
        floor = SMALLEST_SHARE / wanted.shape[1]
        self.probability.copy_(
            floor + (1.0 - SMALLEST_SHARE) * wanted / wanted.sum(1, keepdim=True)
        )
        self.sums.zero_()


class CategoryChain(nn.Module):
    """Autoregressive probabilities p(c_1) p(c_2 | c_1) ... per channel.

    Each factor is the softmax of the logarithm of its table plus the output of a network that sees
    the categories before it, one-hot. The networks return zeros at first: the probabilities are
    those of the tables.

    Args:
        categories: number of categories of each dimension.
        n_channels: number of channels.
        settings: layers and units of the networks.
        generator: source of the initial parameters.

    Attributes:
        tables: one `CategoryTable` per dimension.
    """

    def __init__(
        self,
        categories: Sequence[int],
        n_channels: int,
        settings: FlowSettings,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.categories = tuple(categories)
        self.tables = nn.ModuleList(CategoryTable(n_channels, n) for n in categories)
        size = settings.network_size
        self.networks = nn.ModuleList(
            StackedMLP(n_channels, sum(categories[:k]), n, size, generator, zero_output=True)
            for k, n in enumerate(categories)
        )

    def sample(self, u: Tensor, counts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Categories of uniform numbers.

        Args:
            u: in [0, 1), float64, shape (dimensions, n), points sorted by channel.
            counts: points of each channel.

        Returns:
            category: int64, shape (dimensions, n).
            position: of the uniform numbers between the bounds of their category, in [0, 1], shape
                (dimensions, n).
            log_p: logarithm of the probability, shape (n,).
        """
        chosen: list[Tensor] = []
        position, log_p = torch.zeros_like(u), u.new_zeros(u.shape[1])
        for k, row in enumerate(u):
            log_row = self._log_row(k, chosen, counts)
            bounds = log_row.exp().cumsum(0)
            chosen.append((bounds[:-1] <= row).sum(0))
            own = log_row.gather(0, chosen[k].unsqueeze(0)).squeeze(0)
            upper = bounds.gather(0, chosen[k].unsqueeze(0)).squeeze(0)
            position[k] = (1.0 - (upper - row) / own.exp()).clamp(0.0, 1.0)
            log_p += own
        return torch.stack(chosen), position, log_p

    def log_prob(self, category: Tensor, counts: list[int]) -> Tensor:
        """Log probability of categories.

        Args:
            category: int64, shape (dimensions, n), points sorted by channel.
            counts: points of each channel.

        Returns:
            float64, shape (n,).
        """
        before = list(category)
        rows = [self._log_row(k, before[:k], counts) for k in range(len(before))]
        own = [
            row.gather(0, c.unsqueeze(0)).squeeze(0) for row, c in zip(rows, before, strict=True)
        ]
        return torch.stack(own).sum(0)

    def one_hot(self, category: Sequence[Tensor]) -> Tensor:
        """Indicators of categories.

        Args:
            category: one tensor per dimension, int64, shape (n,).

        Returns:
            float64, shape (sum of categories, n).
        """
        sizes = self.categories[: len(category)]
        rows = [
            c == torch.arange(n, device=c.device).unsqueeze(1)
            for c, n in zip(category, sizes, strict=True)
        ]
        return torch.cat(rows).double()

    def _log_row(self, k: int, before: Sequence[Tensor], counts: list[int]) -> Tensor:
        """Log probabilities of all categories of dimension k, shape (categories, n)."""
        network, table = self.networks[k], cast("CategoryTable", self.tables[k])
        repeats = torch.tensor(counts).to(table.probability.device, non_blocking=True)
        prior = table.probability.T.repeat_interleave(repeats, dim=1, output_size=sum(counts))
        dtype = next(network.parameters()).dtype
        seen = (
            self.one_hot(before).to(dtype)
            if before
            else prior.new_empty(0, prior.shape[1], dtype=dtype)
        )
        log_row: Tensor = (prior.log() + network(seen, counts)).log_softmax(0)
        return log_row


class MixedFlow(AbstractFlow):
    """Density over discrete dimensions first, then over continuous ones.

    q(c_1, ..., x) = p(c_1) p(c_2 | c_1) ... q(x | c_1, ...).

    The discrete part is a `CategoryChain`. The continuous part are coupling blocks of splines that
    are conditioned on the categories, too. A new flow is uniform.

    Args:
        categories: number of categories of each discrete dimension, at least 1 each.
        continuous: number of continuous dimensions, may be 0.
        n_channels: number of channels, at least 1.
        settings: shape of the flow, of splines; defaults when None.

    Attributes:
        settings: as given, or the defaults.
        chain: the probabilities of the categories.
        blocks: coupling blocks in the order of sampling.

    Raises:
        InputError: numbers below these, or settings that are not for splines.
    """

    _sizes: Tensor

    def __init__(
        self,
        categories: Sequence[int],
        continuous: int,
        n_channels: int,
        settings: FlowSettings | None = None,
    ) -> None:
        super().__init__()
        if not categories or min(categories) < 1 or continuous < 0 or n_channels < 1:
            got = f"{tuple(categories)}, {continuous} and {n_channels}"
            raise InputError(
                f"MixedFlow: expected categories, continuous dimensions and channels; got {got}"
            )
        self.settings = settings = settings or FlowSettings()
        if settings.transform != "spline" or settings.periodic:
            raise InputError(
                "MixedFlow: expected settings with transform 'spline' and without periodic features"
            )
        self.dim = len(categories) + continuous
        self.n_channels = n_channels
        self.register_buffer("_sizes", torch.tensor(categories), persistent=False)
        generator = torch.Generator().manual_seed(settings.seed)
        self.chain = CategoryChain(categories, n_channels, settings, generator)
        count = (settings.blocks or default_blocks(continuous)) if continuous else 0
        masks = (
            coupling_masks(settings.permutation, continuous, count, generator) if continuous else []
        )
        seen = (False,) * sum(categories)
        transforms, size = settings.transforms, settings.network_size
        self.blocks = nn.ModuleList(
            CouplingBlock(
                mask + seen, n_channels, transforms.for_mask(mask + seen), size, generator
            )
            for mask in masks
        )

    @torch.no_grad()
    def sample(self, channel: Tensor, stream: RandomStream) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`; see `AbstractFlow.sample`."""
        counts = channel_counts(channel, self.n_channels)
        u = self._uniform(stream, len(channel), self.dim).T.contiguous().to(self._sizes.device)
        category, position, log_p = self.chain.sample(u[: len(self._sizes)], counts)
        features = torch.cat((u[len(self._sizes) :], self.chain.one_hot(list(category))))
        log_q = log_p + self._log_volume
        for block in self._couplings():
            features, log_jac = block.to_data(features, counts)
            log_q -= log_jac
        inside = position.clamp(1e-9, 1.0 - 1e-9)  # of the category after rounding, too
        coordinates = (category + inside) / self._sizes.unsqueeze(1)
        x = torch.cat((coordinates, features[: self.dim - len(category)]))
        points = x.T.clamp(MARGIN, 1.0 - MARGIN).contiguous()
        return self._finished(points), self._finished(log_q)

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points; see `AbstractFlow.log_prob`."""
        counts = channel_counts(channel, self.n_channels)
        check_points(x, len(channel), self.dim)
        category = self.categories_of(x)
        features = torch.cat(
            (x.T[len(category) :].to(category.device), self.chain.one_hot(list(category)))
        )
        log_q = self.chain.log_prob(category, counts) + self._log_volume
        for block in reversed(self._couplings()):
            features, log_jac = block.to_latent(features, counts)
            log_q = log_q + log_jac
        return log_q.to(x.device)

    def categories_of(self, x: Tensor) -> Tensor:
        """Categories of points (n, dim), int64, shape (discrete dimensions, n)."""
        sizes = self._sizes.unsqueeze(1)
        return (x.T[: len(sizes)].to(sizes.device) * sizes).long().minimum(sizes - 1)

    def add_training_data(self, channel: Tensor, x: Tensor, weight: Tensor) -> None:
        """Collect <w^2> per category for the next `adapt`.

        Args:
            channel: sorted, int64, shape (n,).
            x: points drawn from this flow, float64, shape (n, dim).
            weight: integrand over density, float64, shape (n,).
        """
        for table, category in zip(self._tables(), self.categories_of(x), strict=True):
            table.add_training_data(
                channel.to(category.device), category, weight.to(category.device)
            )

    def adapt(self, damping: float = 1.0) -> None:
        """Adapt the tables of the categories to the collected data; see `CategoryTable.adapt`."""
        for table in self._tables():
            table.adapt(damping)

    @property
    def _log_volume(self) -> float:
        """Minus the logarithm of the length of the parts of the intervals."""
        return sum(math.log(size) for size in self.chain.categories)

    def _couplings(self) -> list[CouplingBlock]:
        return cast("list[CouplingBlock]", list(self.blocks))

    def _tables(self) -> list[CategoryTable]:
        return cast("list[CategoryTable]", list(self.chain.tables))
