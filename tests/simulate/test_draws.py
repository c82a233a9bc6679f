from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from setia.simulate.draws import Draws


def test_uniform_over_keys_of_any_shape() -> None:
    draws = Draws(7)
    grid = draws.uniform("a", np.arange(300)[:, None], np.arange(300)[None, :])
    assert stats.kstest(grid.ravel(), "uniform").pvalue > 0.001
    assert grid.min() > 0 and grid.max() < 1
    for left, right in ((grid[:, 1:], grid[:, :-1]), (grid[1:], grid[:-1])):
        correlation = np.corrcoef(left.ravel(), right.ravel())[0, 1]
        assert abs(correlation) < 3.5 / np.sqrt(left.size)


def test_streams_and_seeds_are_unrelated() -> None:
    keys = np.arange(50_000)
    one = Draws(1).uniform("a", keys)
    for other in (Draws(1).uniform("b", keys), Draws(2).uniform("a", keys)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 3.5 / np.sqrt(len(keys))


@given(st.integers(), st.lists(st.integers(0, 2**40), min_size=1, max_size=8))
def test_a_draw_depends_on_its_own_keys_only(seed: int, keys: list[int]) -> None:
    together = Draws(seed).uniform("a", keys, 3)
    alone = [Draws(seed).uniform("a", key, 3)[0] for key in keys]
    assert together.tolist() == alone


def test_pick_follows_the_weights() -> None:
    picked = Draws(3).pick("p", (1, 2, 7), np.arange(20_000))
    assert stats.chisquare(np.bincount(picked), [2000, 4000, 14000]).pvalue > 0.001
