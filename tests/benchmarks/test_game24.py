"""Tree searches on a recorded search of GPT-4; skipped where the record is not there."""

import pytest

from tests.benchmarks.game24 import FILE, searched, words
from tests.benchmarks.recorded import DATA, recorded

recorded_there = pytest.mark.skipif(not (DATA / FILE).exists(), reason="the record is not there")


@recorded_there
async def test_replayed_it_finds_what_was_found_with_as_many_steps():
    result = await searched("as recorded", recorded(FILE))
    assert result.any == 69
    assert result.steps <= 84.12


@recorded_there
async def test_best_first_finds_as_many_with_fewer_steps_than_a_stop_alone():
    stopped, best = await searched("until verified", recorded(FILE)), await searched("best first", recorded(FILE))
    assert min(stopped.chosen, best.chosen) >= 69
    assert best.steps < 0.75 * stopped.steps < 0.75 * 72


def test_the_words_of_a_sum_are_found_again():
    assert words(2.001) == ["likely", "likely", "impossible"]
    assert words(20.002) == ["sure", "impossible", "impossible"]
    assert words(0.0) == ["?", "?", "?"]
    assert words(60.0) == ["sure"] * 3
