"""A recorded vote of the embedded model, replayed without it."""

from scaffolding_core import (
    MajorityVoteController,
    NativeChatController,
    RecordingWorker,
    ReplayWorker,
    ScaffoldingLlm,
)


async def test_a_real_vote_replays_to_the_same_output(local_worker):
    sampling = {"temperature": 0.8, "max_tokens": 12}
    method = MajorityVoteController(NativeChatController(sampling), 6, stop_rule="beta", run_ahead=2)
    recording = RecordingWorker(local_worker)
    async with ScaffoldingLlm(method, recording) as llm:
        output = (await llm.generate_async("What is 3 plus 4?")).output
    async with ScaffoldingLlm(method, ReplayWorker(recording.recording)) as llm:
        again = (await llm.generate_async("What is 3 plus 4?")).output
    assert again.text == output.text
    assert again.votes == output.votes
    assert [c.cut for c in again.candidates] == [c.cut for c in output.candidates]
    assert again.usage.total_tokens == output.usage.total_tokens
