"""Random streams: published vectors, any order and thread, uniformity, neighbours, choices."""

from __future__ import annotations

import struct

import laws
import numpy as np
import pytest
import torch
from scipy import stats

from madnis_py import _core
from madnis_py.parallel.random_streams import RandomStream, stream

KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
"""Counter, key and result of philox4x32 with 10 rounds, from the file kat_vectors of Random123."""


def words_of(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def signed(low: int, high: int) -> int:
    (number,) = struct.unpack("<q", struct.pack("<2I", low, high))
    return int(number)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_words_are_those_of_random123(counter: str, key: str, answer: str) -> None:
    block0, block1, *subsequence = words_of(counter)
    words = _core.random_words(signed(*words_of(key)), signed(*subsequence), signed(block0, block1))
    assert words == words_of(answer)


def test_a_block_has_two_numbers_of_53_bits() -> None:
    numbers = _core.random_uniform(3, 4, 2 * 5, 2)
    words = _core.random_words(3, 4, 5)
    pairs = [words[:2], words[2:]]
    expected = [((high >> 5) * 2**26 + (low >> 6)) / 2**53 for high, low in pairs]
    assert numbers.tolist() == expected


def test_key_and_subsequence_are_the_first_128_bits_of_the_digest_of_the_name() -> None:
    # printf 7/train/3 | sha256sum
    digest = bytes.fromhex("2f6351e84d061f862dd244e14866b051")
    one = stream(7, "train", 3)
    assert (one.key, one.subsequence, one.position) == (*struct.unpack("<2q", digest), 0)


def test_numbers_do_not_depend_on_how_many_are_drawn_at_once() -> None:
    whole = stream(1, "pieces").uniform(20_001)
    pieces = stream(1, "pieces")
    sizes = [0, 1, 2, 3, 5, 8, 4096, 4097, 11_789]
    assert torch.equal(torch.cat([pieces.uniform(n) for n in sizes]), whole)
    assert pieces.position == 20_001


def test_any_number_can_be_drawn_alone() -> None:
    one = stream(1, "alone")
    points = stream(1, "alone").uniform(50, 3)
    for event, k in [(49, 2), (0, 0), (17, 1)]:
        alone = RandomStream(one.key, one.subsequence, 3 * event + k).uniform()
        assert alone == points[event, k]


def test_numbers_do_not_depend_on_threads() -> None:
    before, alone = _core.thread_count(), stream(2, "threads").uniform(100_003)
    try:
        for threads in (1, 3):
            _core.set_thread_count(threads)
            assert torch.equal(stream(2, "threads").uniform(100_003), alone)
    finally:
        _core.set_thread_count(before)


def test_instruction_sets_give_the_same_bits() -> None:
    arguments = [(-3, 2**62, position, count) for position in (0, 7) for count in (1, 2, 5, 6000)]
    laws.instruction_sets_agree([(_core.random_uniform, one) for one in arguments], tolerance=0.0)


def test_positions_behind_the_first_32_bits_of_the_counter_are_numbers_of_their_own() -> None:
    one = stream(1, "far")
    near, far = (RandomStream(one.key, one.subsequence, p).uniform(8) for p in (0, 2**33))
    assert not (near == far).any()


@pytest.mark.parametrize("bad", [(-1, 1), (0, -1)])
def test_a_position_or_count_below_0_is_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="random numbers: expected position and count >= 0; got"):
        _core.random_uniform(1, 2, *bad)


def assert_uniform(counts: np.ndarray) -> None:
    """Chi^2 of equally probable cells, within five standard deviations."""
    expected, dof = counts.sum() / counts.size, counts.size - 1
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi2 - dof) < 5 * np.sqrt(2 * dof)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_numbers_are_uniform_in_the_high_and_in_the_low_bits(seed: int) -> None:
    numbers = stream(seed, "uniformity").uniform(2_000_000).numpy()
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert_uniform(np.bincount((1000 * numbers).astype(int), minlength=1000))
    low = (numbers * 2.0**53).astype(np.int64) & 1023
    assert_uniform(np.bincount(low, minlength=1024))


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_numbers_of_one_stream_are_independent(lag: int) -> None:
    cells = (64 * stream(5, "lag").uniform(1_000_000).numpy()).astype(int)
    assert_uniform(np.bincount(64 * cells[:-lag] + cells[lag:], minlength=64 * 64))


def test_numbers_of_streams_with_neighbouring_names_are_independent() -> None:
    names = [(1, "train", step, block) for step in range(40) for block in range(5)]
    cells = [(32 * stream(*name).uniform(5000).numpy()).astype(int) for name in names]
    for distance in (1, 5):  # the next block, and the same block of the next step
        pairs = [32 * one + other for one, other in zip(cells, cells[distance:], strict=False)]
        assert_uniform(np.bincount(np.concatenate(pairs), minlength=32 * 32))


def test_first_numbers_of_many_streams_are_uniform() -> None:
    first = [float(stream(seed, "first").uniform()) for seed in range(20_000)]
    assert stats.kstest(first, "uniform").pvalue > 6e-7


def test_permutations_are_equally_frequent() -> None:
    one = stream(3, "orders")
    orders = torch.stack([one.permutation(4) for _ in range(48_000)])
    codes = orders @ torch.tensor([64, 16, 4, 1])
    counts = torch.unique(codes, return_counts=True)[1].numpy()
    assert len(counts) == 24
    assert_uniform(counts)


@pytest.mark.parametrize("n", [0, 1, 1000])
def test_a_permutation_has_every_index_once(n: int) -> None:
    assert sorted(stream(4).permutation(n).tolist()) == list(range(n))


def test_choices_follow_the_shares() -> None:
    shares = np.array([3.0, 0.0, 1.0, 2.5, 0.0])
    drawn = stream(6, "choices").choices(shares, 400_000)
    assert drawn.dtype == torch.int64
    counts = np.bincount(drawn, minlength=5)
    p = shares / shares.sum()
    assert (np.abs(counts - 400_000 * p) <= 5 * np.sqrt(400_000 * p * (1 - p))).all()


class Given(RandomStream):
    """A stream whose numbers are all the same."""

    def __init__(self, number: float) -> None:
        super().__init__(0, 0)
        self.number = number

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.full(shape, self.number, dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
def test_a_share_of_0_is_never_drawn_at_the_ends_of_the_unit_interval(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(2000):
        shares = 10.0 ** random.uniform(-20, 20) * random.random(7) * (random.random(7) < 0.5)
        if shares.any():
            for number in (0.0, 0.5, 1.0 - 2.0**-53):
                assert shares[Given(number).choices(shares, 1)] > 0


def test_the_largest_number_draws_the_last_of_equal_shares() -> None:
    assert Given(1.0 - 2.0**-53).choices(np.full(10, 0.1), 1) == 9
