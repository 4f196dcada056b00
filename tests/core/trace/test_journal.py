"""The file of a recording: what of it is read, and what is refused."""

import errno
import io

import pytest

from scaffolding_core import (
    InvalidRequestError,
    NativeGenerationController,
    Recording,
    RecordingWorker,
    ScaffoldingLlm,
    WorkerError,
)
from tests.core.doubles import Backend


@pytest.fixture
async def path(tmp_path):
    """A file of three calls."""
    with Recording.open(tmp_path / "run.jsonl") as recording:
        async with ScaffoldingLlm(NativeGenerationController(), RecordingWorker(Backend(), recording)) as llm:
            for text in "abc":
                await llm.generate_async(f"say:{text}")
    return tmp_path / "run.jsonl"


def prompts(recording):
    return [record.inputs["input_str"] for record in recording.records]


def test_a_last_line_that_was_cut_short_is_read_over_and_written_over(path):
    whole = path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        assert prompts(Recording.load(path)) == ["say:a", "say:b"]
        with Recording.open(path) as recording:
            assert prompts(recording) == ["say:a", "say:b"]
        assert path.read_bytes() == b"".join(whole.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize("line", [b"not json", b"[]", b"{}", b'{"branch": 7}'])
def test_another_broken_line_is_named(path, line):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], line + b"\n", *lines[2:]]))
    for read in (Recording.load, Recording.open):
        with pytest.raises(InvalidRequestError, match=r"run.jsonl, line 3 is no record"):
            read(path)


@pytest.mark.parametrize("content", [b"a diary\n", b'{"format": "scaffolding-recording", "version": 1}\n{}\n'])
def test_a_file_that_is_no_recording_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    for read in (Recording.load, Recording.open):
        with pytest.raises(InvalidRequestError, match="no recording of this version"):
            read(path)
    assert path.read_bytes() == content


def test_a_file_that_was_cut_short_in_its_first_line_is_begun_anew(path):
    path.write_bytes(path.read_bytes()[:10])
    Recording.open(path).close()
    assert Recording.load(path).records == []


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path):
    with pytest.raises(InvalidRequestError, match="cannot record to"):
        Recording.open(tmp_path / "no" / "folder")
    with pytest.raises(InvalidRequestError, match="no recording"):
        Recording.load(tmp_path)


class FullDisk(io.FileIO):
    """A file that takes half of what it is given, then twice nothing, then all again."""

    def __init__(self, path):
        super().__init__(path, "ab")
        self.writes = 0

    def write(self, data):
        self.writes += 1
        if self.writes in (2, 3):
            raise OSError(errno.ENOSPC, "no space left")
        return super().write(data[: len(data) // 2] if self.writes == 1 else data)


async def test_a_full_disk_fails_the_call_and_leaves_whole_lines(path):
    with Recording.open(path) as recording:
        recording._journal.close()
        recording._journal._file = FullDisk(path)
        async with ScaffoldingLlm(NativeGenerationController(), RecordingWorker(Backend(), recording)) as llm:
            for _ in range(2):
                with pytest.raises(WorkerError, match="cannot record to"):
                    await llm.generate_async("say:d")
            with pytest.raises(WorkerError, match="lost"):
                await llm.generate_async("fail:lost")
            await llm.generate_async("say:e")
        assert prompts(recording) == ["say:a", "say:b", "say:c", "say:e"]
