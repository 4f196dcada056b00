"""Votes on recorded samples with rewards; skipped where the records are not there."""

import pytest

from tests.benchmarks.recorded import DATA, recorded
from tests.benchmarks.recorded_rewards import FILES, chosen

pytestmark = pytest.mark.skipif(not all((DATA / file).exists() for file in FILES), reason="no records here")


@pytest.mark.parametrize(("file", "least"), list(zip(FILES, (21, 23, 11), strict=True)))
async def test_a_weighted_vote_chooses_as_many_right_answers_as_are_known_of_it(file, least):
    weighted = await chosen("weighted vote", recorded(file), orders=1)
    assert weighted.right >= least


async def test_on_easy_questions_it_is_no_worse_than_a_plain_vote():
    rows = recorded(FILES[2])
    assert (await chosen("weighted vote", rows, orders=1)).right >= (await chosen("vote", rows, orders=1)).right


async def test_a_stop_by_rewards_starts_fewer_than_one_by_counts_and_is_right_as_often():
    rows = recorded(FILES[1])
    by_counts = await chosen("vote until beta 0.95", rows, orders=1)
    by_rewards = await chosen("weighted until 0.95", rows, orders=1)
    assert by_rewards.started < by_counts.started
    assert by_rewards.right >= by_counts.right
