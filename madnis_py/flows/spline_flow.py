"""Flow of coupling blocks, behind a fixed grid or not, with fused kernels where they serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from madnis_py.errors import InputError
from madnis_py.flows.blocks import MARGIN, Block, GridBlock
from madnis_py.flows.coupling import CouplingBlock, coupling_stack
from madnis_py.flows.flow import AbstractFlow, channel_counts, check_points
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.fused import FusedBlocks, Step, joined
from madnis_py.flows.transforms import SplineTransforms
from madnis_py.parallel.random_streams import RandomStream


class SplineFlow(AbstractFlow):
    """Flow of coupling blocks, of splines by default; Section 5.1.1 of the MadNIS thesis.

    Every density has its own set of subnetworks.

    Sampling maps uniform z to x through `blocks` in order; `log_prob` goes back from x to z. The
    splines run forward from x to z, the direction that training differentiates: their widths live
    in x, their heights in z. Subnetworks compute in `settings.dtype`, transforms in float64, so
    that points are not rounded to float32 and a narrow peak keeps its resolution. A new flow is
    exactly uniform: log q = 0 (rounded, behind rotations).

    Affine blocks act on the real line, between two maps that make uniform points normally
    distributed and back. There, and nowhere else, rotations of all features between the blocks
    ("soft" permutations) keep a new flow uniform.

    Args:
        dim: dimension of the unit cube, at least 1.
        n_channels: number of channels, at least 1.
        settings: number, size and kind of the blocks; defaults when None.
        groups: which of the densities 0 ... n_flows - 1 each channel has, as for channels that are
            equal up to a permutation of particles; one each when None.
        fused: compute in the compiled kernels of `fused` what they can; plain torch throughout when
            False.

    Attributes:
        settings: the settings given.
        fused: as given; may be changed at any time.
        n_flows: number of different densities.
        blocks: in the order of sampling; the last two coupling blocks carry complementary masks
            (for dim = 1 both transform the one feature).
        grid: fixed map between the blocks and the data, see `start_from_grid`; None in a new flow.
            Loading the state of a flow that has one makes one.

    Raises:
        InputError: dim or n_channels is below 1, or a periodic feature does not exist.
    """

    blocks: nn.ModuleList
    grid: GridBlock | None
    groups: Tensor | None
    _fused_steps: _FusedSteps | None

    def __init__(
        self,
        dim: int,
        n_channels: int,
        settings: FlowSettings | None = None,
        groups: Sequence[int] | None = None,
        *,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if dim < 1 or n_channels < 1:
            raise InputError(
                f"SplineFlow: expected dim and n_channels of at least 1; got {dim} and {n_channels}"
            )
        self.dim = dim
        self.n_channels = n_channels
        self.settings = FlowSettings() if settings is None else settings
        self.fused = fused
        for feature in self.settings.periodic:
            if not 0 <= feature < dim:
                raise InputError(
                    f"SplineFlow: expected periodic features in 0 ... {dim - 1}; got {feature}"
                )
        self.n_flows = n_channels if groups is None else len(set(groups))
        if groups is not None and (
            len(groups) != n_channels or set(groups) != set(range(self.n_flows))
        ):
            raise InputError(
                f"groups: expected a number 0 ... n_flows - 1 for each of {n_channels} channels; "
                f"got {groups}"
            )
        self.groups = None if groups is None else torch.tensor(groups)
        self.blocks = nn.ModuleList(coupling_stack(dim, self.n_flows, self.settings))
        self.grid = None
        self._fused_steps = None
        self.register_load_state_dict_pre_hook(_adopt_grid)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def start_from(self, theta: Tensor, grid: GridBlock | None = None) -> None:
        """Make the density a product over the features and forget what was learned.

        Args:
            theta: parameters of splines for the biases of the last two coupling blocks, shape (3 K
                + 1, n_flows, dim); zeros leave them the identity, as the blocks before are. The
                last derivative of an angle is not used.
            grid: fixed map to put between the blocks and the data.

        Raises:
            InputError: the parameters or the grids are for another flow.
        """
        expected = (self.n_flows, self.dim)
        if tuple(theta.shape[1:]) != expected or (
            grid is not None and tuple(grid.edges.shape[:2]) != expected
        ):
            got = [tuple(theta.shape[1:]), *([] if grid is None else [tuple(grid.edges.shape[:2])])]
            raise InputError(
                f"start of a flow: expected (n_flows, dim) = {expected} throughout; got {got}"
            )
        self.reset()
        self.grid = None if grid is None else grid.to(self._torch_device)
        if not self.has_splines:
            return
        theta = theta.to(self._torch_device).clone()
        theta[-1, :, list(self.settings.periodic)] = 0.0  # the place of the shift
        for block in self.coupling_blocks[-1 if self.dim == 1 else -2 :]:
            block.subnet.biases[-1].copy_(theta[:, :, block.transformed].transpose(0, 1).flatten(1))

    @property
    def has_splines(self) -> bool:
        """Whether the coupling blocks transform features by splines."""
        return isinstance(self.settings.transforms, SplineTransforms)

    @torch.no_grad()
    def reset(self) -> None:
        """Make the flow uniform again; the hidden layers of the subnetworks stay as they are."""
        self.grid = None
        for block in self.coupling_blocks:
            nn.init.zeros_(block.subnet.weights[-1])
            nn.init.zeros_(block.subnet.biases[-1])

    @property
    def coupling_blocks(self) -> list[CouplingBlock]:
        """The blocks with subnetworks in the order of sampling."""
        return [block for block in self.blocks if isinstance(block, CouplingBlock)]

    @property
    def sampling_order(self) -> list[Block]:
        """Everything between uniform numbers and data."""
        blocks = cast("list[Block]", list(self.blocks))
        return blocks if self.grid is None else [*blocks, self.grid]

    def _steps(self) -> list[Step]:
        """What is computed one after the other when sampling."""
        if self._fused_steps is None or not self._fused_steps.serves(self):
            self._fused_steps = _FusedSteps(self)
        return self._fused_steps.steps

    def __getstate__(self) -> dict[str, object]:
        """Without the fused steps, which hold addresses in the memory of this process."""
        return {**self.__dict__, "_fused_steps": None}

    @torch.no_grad()
    def sample(self, channel: Tensor, stream: RandomStream) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`; see `AbstractFlow.sample`.

        The points are strictly inside the unit cube.

        Raises:
            InputError: channel has the wrong shape or dtype, an entry outside its range or is not
                sorted.
        """
        return self.transform(self._uniform(stream, len(channel), self.dim), channel)

    @torch.no_grad()
    def transform(self, z: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """Map points of the latent cube to the data; uniform points get the density of the flow.

        Args:
            z: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).

        Returns:
            x: points strictly inside the unit cube, float64, shape (n, dim).
            log_q: log density at x, -log |dx/dz|, float64, shape (n,).

        Raises:
            InputError: z or channel has the wrong shape or dtype, an entry outside its range or
                channel is not sorted.
        """
        order, counts = self._by_flow(channel)
        check_points(z, len(channel), self.dim)
        x = z.T.contiguous().to(self._torch_device)
        log_q = x.new_zeros(len(channel))
        for block in self._steps():
            x, log_jac = block.to_data(x, counts)
            log_q -= log_jac
        points = self._finished(x.T.clamp(MARGIN, 1.0 - MARGIN).contiguous())
        return _unsorted(order, points), _unsorted(order, self._finished(log_q))

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points; see `AbstractFlow.log_prob`.

        Raises:
            InputError: x or channel has the wrong shape or dtype, an entry outside its range or
                channel is not sorted.
        """
        return self._log_prob(x, channel, None)

    def log_prob_of_sample(self, x: Tensor, channel: Tensor, log_q: Tensor) -> Tensor:
        """Log density of points drawn; see `AbstractFlow.log_prob_of_sample`.

        The compiled kernels compute its gradient without the value.

        Raises:
            InputError: as `log_prob`.
        """
        return self._log_prob(x, channel, log_q)

    def _log_prob(self, x: Tensor, channel: Tensor, known: Tensor | None) -> Tensor:
        """Log density of given points, from its known values where these suffice."""
        order, counts = self._by_flow(channel)
        check_points(x, len(channel), self.dim)
        y = _sorted(order, x).T.contiguous().to(self._torch_device)
        first, *others = self._steps()
        log_q = y.new_zeros(len(x))
        for block in reversed(others):
            y, log_jac = block.to_latent(y, counts)
            log_q = log_q + log_jac
        if known is not None and isinstance(first, FusedBlocks) and not log_q.requires_grad:
            return _unsorted(order, first.log_jac(y, counts, _sorted(order, known)))
        return _unsorted(order, (log_q + first.to_latent(y, counts)[1]).to(x.device))

    def _by_flow(self, channel: Tensor) -> tuple[Tensor | None, list[int]]:
        """The order that sorts points by density, and the number of points of each density.

        The order is None where the points are sorted already.
        """
        counts = channel_counts(channel, self.n_channels)
        if self.groups is None:
            return None, counts
        flow = self.groups[channel]
        points: list[int] = np.bincount(flow.numpy(), minlength=self.n_flows).tolist()
        return torch.argsort(flow, stable=True), points

    @property
    def _torch_device(self) -> torch.device:
        """Where the parameters are."""
        return self._first_parameter.device

    @property
    def _first_parameter(self) -> Tensor:
        weight: Tensor = self.coupling_blocks[0].subnet.weights[0]
        return weight


class _FusedSteps:
    """The blocks of a flow with runs of them fused, valid until a parameter moves in memory.

    Fused blocks keep the addresses of their parameters; finding the runs anew for each batch would
    cost more than a small batch takes.
    """

    def __init__(self, flow: SplineFlow) -> None:
        order = flow.sampling_order
        kernels = None if flow.device is None else flow.device.kernels
        self.steps: list[Step] = joined(order, kernels) if flow.fused else [*order]
        self._parameters = list(flow.parameters())
        self._made_for = self._facts(flow)

    def serves(self, flow: SplineFlow) -> bool:
        """Whether nothing has changed that the steps depend on."""
        return self._facts(flow) == self._made_for

    def _facts(self, flow: SplineFlow) -> tuple[object, ...]:
        addresses = [p.data_ptr() for p in self._parameters]
        return flow.fused, flow.device, id(flow.grid), id(flow._first_parameter), addresses


def _adopt_grid(flow: SplineFlow, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    """Make the grid of a state that is about to be loaded."""
    edges = state.get(f"{prefix}grid.edges")
    flow.grid = None if edges is None else GridBlock(edges).to(flow._torch_device)


def _sorted(order: Tensor | None, x: Tensor) -> Tensor:
    """Rows in this order, as they are where it is None."""
    return x if order is None else x[order.to(x.device, non_blocking=True)]


def _unsorted(order: Tensor | None, x: Tensor) -> Tensor:
    """Rows that were sorted by `order` as they were before."""
    return x if order is None else x[torch.argsort(order).to(x.device, non_blocking=True)]
