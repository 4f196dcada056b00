"""UnitTests: scores code by the share of its tests that it passes, run in a sandbox."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import uuid4

from scaffolding_core.answers.kinds.code import PythonIn
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import read
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import CodeTask, RewardTask, Task

__all__ = ["TestsLike", "UnitTests"]

TestsLike: TypeAlias = "str | Sequence[str | tuple[str, object]]"

_TOLD = 5
"""Failed tests that the feedback names."""


class _Test(NamedTuple):
    """Where `has_value`, the value of `code` is to be `expected`; else `code` is to run through."""

    said: str
    code: str
    has_value: bool = False
    expected: object = None


class UnitTests(NativeRewardController):
    """Scores code by the share of its tests that it passes; it passes itself where it passes all.

    Each test runs apart, behind the answer's code, in a sandbox of its own. A value is compared here, outside the
    sandbox; any other assertion has passed where what stands behind it was reached. What the answer prints counts
    nothing.

    Cost: one program for each test and answer.

    Args:
        tests: assertions, as a list or as one text; or pairs of a call and its value, such as `("f(2)", 4)`.
        seconds: for each test; the sandbox's own limit where left out.

    Raises:
        InvalidRequestError: no test, one that is neither, or a text that does not end with an assertion.
    """

    def __init__(self, tests: TestsLike, *, seconds: float | None = None) -> None:
        super().__init__()
        self.tests = _read(tests)
        self.seconds = seconds

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that runs code."""
        return {"code": Capabilities()}

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Score tasks: finished generations, or reward tasks made by hand.

        Raises:
            WorkerError: the sandbox is broken.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        for reward in self.rewards:
            yield from self._test(reward)
        self.scores = [reward.reward or 0.0 for reward in self.rewards]
        return self.scores

    def _test(self, reward: RewardTask) -> Steps[None]:
        message = reward.response or AssistantMessage("")
        code = (yield from read(PythonIn(), message)).answer
        passed_if = uuid4().hex
        runs = [self._run(str(code or ""), test, passed_if) for test in self.tests]
        yield runs
        told = [_told(test, run, passed_if) for test, run in zip(self.tests, runs, strict=True)]
        failed = [line for line in told if line is not None]
        reward.reward = 1 - len(failed) / len(told)
        reward.verdict = not failed
        reward.feedback = "\n".join(failed[:_TOLD]) or None

    def _run(self, code: str, test: _Test, passed_if: str) -> CodeTask:
        behind = test.code if test.has_value else f"{test.code}\n{passed_if!r}"
        # The empty line ends the answer's last line, which a backslash would join with the test.
        return CodeTask("code", code=f"{code}\n\n{behind}", seconds=self.seconds, fresh=True)


def _told(test: _Test, run: CodeTask, passed_if: str) -> str | None:
    """What failed; None if nothing did."""
    if run.failure is not None:
        return f"{test.said}: {run.failure}"
    if not test.has_value:
        return None if run.result == passed_if else f"{test.said}: it was not reached"
    if run.value == test.expected and (run.value is not None or run.result is None):
        return None
    if run.value is None and run.result == repr(test.expected):  # no plain data, such as a range or infinity
        return None
    return f"{test.said}: it was {run.result}, not {test.expected!r}"


def _read(tests: TestsLike) -> list[_Test]:
    if isinstance(tests, Mapping) or not isinstance(tests, Sequence):
        raise InvalidRequestError(f"tests must be a text, or a list of assertions and pairs, got {tests!r}")
    given = [tests] if isinstance(tests, str) else list(tests)
    read_tests = [
        test for each in given for test in (_in_text(each) if isinstance(each, str) else [_of_pair(each)])
    ]
    if not read_tests:
        raise InvalidRequestError("UnitTests needs at least one test: an assertion, or a call and its value")
    return read_tests


def _of_pair(pair: tuple[str, object]) -> _Test:
    if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
        raise InvalidRequestError(f"a unit test is an assertion, or a pair of a call and its value, got {pair!r}")
    return _Test(pair[0], pair[0], has_value=True, expected=pair[1])


def _in_text(text: str) -> list[_Test]:
    """A test for each assertion of a text; whatever else stands before one runs before it."""
    try:
        statements = ast.parse(text).body
    except SyntaxError as error:
        raise InvalidRequestError(f"a unit test must be Python, got {text!r}: {error}") from error
    before: list[str] = []
    tests = []
    for statement in statements:
        if isinstance(statement, ast.Assert):
            tests.append(_of_assertion(statement, before))
        else:
            before.append(ast.unparse(statement))
    if statements and not isinstance(statements[-1], ast.Assert):
        raise InvalidRequestError(
            f"what stands behind the last assertion tests nothing: {before[-1]!r}; assert it"
        )
    return tests


def _of_assertion(statement: ast.Assert, before: Sequence[str]) -> _Test:
    said, compared = ast.unparse(statement), statement.test
    if isinstance(compared, ast.Compare) and [type(op) for op in compared.ops] == [ast.Eq]:
        try:
            expected = ast.literal_eval(compared.comparators[0])
        except ValueError:
            pass
        else:  # compared outside the sandbox, where no answer's own `==` has a say
            return _Test(said, "\n".join([*before, ast.unparse(compared.left)]), has_value=True, expected=expected)
    return _Test(said, "\n".join([*before, said]))
