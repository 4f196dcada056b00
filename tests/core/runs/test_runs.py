"""Several runs of an agent: each with a folder and tools' state of its own, and the kept one's folder stays."""

import asyncio
import ctypes
import shutil
import stat
from contextlib import suppress

import pytest

from scaffolding_core import (
    BestOfNController,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    RunCutError,
    Runs,
    RunsWorker,
    ScaffoldingLlm,
    WorkspaceChangedError,
    current_run,
    per_run,
    workspace,
)
from scaffolding_core.workers.reward import reward_worker
from tests.eventually import until


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "code.py").write_text("old")
    (folder / "link").symlink_to("src/code.py")
    (folder / "run.sh").write_text("")
    (folder / "run.sh").chmod(0o755)
    return folder


def agents(*texts):
    """An agent whose runs write these into their folders, and answer the same."""
    left = iter(texts)

    async def agent(task):
        text = next(left)
        code = workspace() / "src" / "code.py"
        assert code.read_text() == "old"
        code.write_text(text)
        await asyncio.sleep(0)
        assert code.read_text() == text
        (workspace() / f"{text}.txt").touch()
        return text

    return agent


def voting(agent, n=3):
    vote = MajorityVoteController(NativeGenerationController(), default_sample_num=n, stop_rule="full")
    return ScaffoldingLlm(vote, RunsWorker(FunctionWorker(agent)))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def beside(project):
    return names(project.parent)


async def test_the_chosen_runs_folder_takes_the_place_of_the_workspace(project):
    async with voting(agents("a", "b", "b")) as llm, Runs(project) as runs:
        result = await llm.generate_async("q")
        assert len({run.folder for run in runs.all}) == 3
        assert (project / "src" / "code.py").read_text() == "old"
        await runs.akeep(result.output.message)
    assert (project / "src" / "code.py").read_text() == "b"
    assert names(project) == ["b.txt", "link", "run.sh", "src"]
    assert (project / "link").is_symlink()
    assert (project / "run.sh").stat().st_mode & stat.S_IXUSR
    assert beside(project) == ["project"]


def test_blocking_code_has_the_same(project):
    with voting(agents("a", "b", "b")) as llm, Runs(project) as runs:
        runs.keep(llm.generate("q").output.message)
    assert (project / "src" / "code.py").read_text() == "b"
    assert beside(project) == ["project"]


async def test_a_workspace_that_is_not_there_yet_is_made(tmp_path):
    def agent(task):
        (workspace() / "new").touch()
        return "done"

    async with voting(agent, 2) as llm, Runs(tmp_path / "fresh") as runs:
        await runs.akeep((await llm.generate_async("q")).output.message)
    assert names(tmp_path / "fresh") == ["new"]
    assert names(tmp_path) == ["fresh"]


async def test_without_a_choice_the_workspace_stays_as_it_is(project):
    def agent(task):
        (workspace() / "new").touch()
        raise ValueError("no")

    async with voting(agent) as llm:
        with suppress(Exception):
            async with Runs(project):
                await llm.generate_async("q")
    assert names(project) == ["link", "run.sh", "src"]
    assert beside(project) == ["project"]


async def test_a_cancelled_call_leaves_nothing_behind(project):
    begun = asyncio.Event()

    async def agent(task):
        (workspace() / "new").touch()
        begun.set()
        await asyncio.sleep(60)

    async def call(llm):
        async with Runs(project):
            await llm.generate_async("q")

    async with voting(agent) as llm:
        calling = asyncio.create_task(call(llm))
        await begun.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
    assert names(project) == ["link", "run.sh", "src"]
    await until(lambda: beside(project) == ["project"])  # a copy that is being made goes with its end


async def test_a_copy_that_is_still_being_made_at_the_end_is_removed(project, monkeypatch):
    runs = Runs(project)
    runs.begin()

    def slowly(*args, _copy=shutil.copytree, **kwargs):
        runs.end()
        return _copy(*args, **kwargs)

    monkeypatch.setattr(shutil, "copytree", slowly)
    async with runs.run():
        pass
    assert beside(project) == ["project"]


async def test_a_workspace_that_others_changed_meanwhile_stays_as_it_is(project):
    async with voting(agents("a", "b", "b")) as llm, Runs(project) as runs:
        message = (await llm.generate_async("q")).output.message
        (project / "src" / "code.py").write_text("mine")
        with pytest.raises(WorkspaceChangedError, match=r"the chosen copy is in (.*chosen-\w+)") as caught:
            await runs.akeep(message)
    assert (project / "src" / "code.py").read_text() == "mine"
    [kept] = [name for name in beside(project) if name != "project"]
    assert kept in str(caught.value)
    assert (project.parent / kept / "project" / "src" / "code.py").read_text() == "b"


async def test_of_two_calls_at_once_one_is_kept_and_the_other_is_told(project):
    async def call(*texts):
        async with voting(agents(*texts)) as llm, Runs(project) as runs:
            message = (await llm.generate_async("q")).output.message
            await asyncio.sleep(0.05)
            await runs.akeep(message)

    ends = await asyncio.gather(call("a", "a", "a"), call("b", "b", "b"), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [WorkspaceChangedError]
    assert (project / "src" / "code.py").read_text() == ("a" if ends[0] is None else "b")


async def test_folders_change_places_also_where_the_system_cannot_do_it_in_one_step(project, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    async with voting(agents("a", "b", "b")) as llm, Runs(project) as runs:
        await runs.akeep((await llm.generate_async("q")).output.message)
    assert (project / "src" / "code.py").read_text() == "b"
    assert beside(project) == ["project"]


async def test_a_verifier_finds_the_folder_of_the_run_that_it_judges(project):
    def verify(prompt, answer):
        return float((workspace() / "src" / "code.py").read_text() == answer == "c")

    best = BestOfNController(NativeGenerationController(), NativeRewardController(), default_sample_num=3)
    workers = {"generation": RunsWorker(FunctionWorker(agents("a", "b", "c"))), "reward": reward_worker(verify)}
    async with ScaffoldingLlm(best, workers) as llm, Runs(project) as runs:
        output = (await llm.generate_async("q")).output
        await runs.akeep(output.message)
    assert output.text == "c"
    assert (project / "src" / "code.py").read_text() == "c"


async def test_tools_keep_their_state_for_each_run_and_it_is_closed():
    made = []

    class Notes(list):
        def __init__(self):
            made.append(self)
            self.closed = False

        def close(self):
            self.closed = True

    notes = per_run(Notes)

    async def agent(task):
        for word in "ab":
            notes().append(word)
            await asyncio.sleep(0)
        return "".join(notes())

    async with voting(agent) as llm, Runs():
        result = await llm.generate_async("q")
        assert not any(each.closed for each in made)
    assert [candidate.text for candidate in result.output.candidates] == ["ab"] * 3
    assert len(made) == 3
    assert all(each.closed for each in made)
    assert notes() is notes()
    assert notes() not in made[:3]


@pytest.mark.parametrize("wrong", ["file", "nowhere/folder"])
def test_what_cannot_be_a_workspace_is_refused(tmp_path, wrong):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRequestError, match="workspace must be a folder"):
        Runs(tmp_path / wrong)


def test_outside_of_runs_there_is_no_folder_but_the_default(tmp_path):
    assert workspace(tmp_path) == tmp_path
    with pytest.raises(InvalidRequestError, match="set workspace="):
        workspace()


# Progress.


class Steps:
    """An agent whose runs tell these scores, step by step, all in step with one another."""

    def __init__(self, *scores, **rule):
        self.scores = list(scores)
        self.rule = rule

    async def __call__(self, task):
        run = current_run.get()
        for score in self.scores[run.index]:
            await asyncio.sleep(0)
            run.progress(score, **self.rule)
        return f"run {run.index}"


async def survivors(*scores, **rule):
    async with voting(Steps(*scores, **rule), len(scores)) as llm, Runs():
        output = (await llm.generate_async("q")).output
    assert all(isinstance(each.error, RunCutError | None) for each in output.candidates)
    return [each.index for each in output.candidates if each.error is None]


async def test_a_run_that_stays_behind_the_best_by_a_margin_is_cut():
    assert await survivors([0.1, 0.5, 0.9], [0.1, 0.4, 0.8], [0.1, 0.1, 0.9], margin=0.3) == [0, 1]


async def test_one_that_catches_up_in_time_is_not():
    scores = [[0.9, 0.9, 0.9], [0.1, 0.9, 0.9], [0.1, 0.1, 0.9]]
    assert await survivors(*scores, margin=0.3, patience=2) == [0, 1]


async def test_a_run_below_the_threshold_is_cut_but_not_in_its_first_steps():
    assert await survivors([0.1, 0.6], [0.6, 0.1], [0.1, 0.1], threshold=0.5, after=2) == [0]


async def test_the_last_run_is_never_cut():
    assert await survivors([0.1], [0.1], [0.1], threshold=0.5) == [2]
