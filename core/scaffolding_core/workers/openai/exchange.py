"""Exchange: what one request asks for, the tasks that wait for its choices, and what it has cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from scaffolding_core.errors import copy_error
from scaffolding_core.messages import Usage
from scaffolding_core.results import Hints
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.openai.choice import Choice, read_chunk
from scaffolding_core.workers.openai.hints import Hinting
from scaffolding_core.workers.openai.shared_prompt import SharedPrompt
from scaffolding_core.workers.openai.wire import unstreamed
from scaffolding_core.workers.openai.wire_numbers import read_usage

if TYPE_CHECKING:
    from scaffolding_core.workers.openai.trial import Trial

__all__ = ["Exchange", "Member"]

_MOMENT = 0.1
"""Seconds in which a server that writes several choices under one number shows it, by a second end."""


class Member:
    """A task that waits for its choice.

    Attributes:
        error: why it has no choice, where its exchange failed.
    """

    __slots__ = ("_done", "choice", "error", "task")

    def __init__(self, task: GenerationTask) -> None:
        self.task = task
        self.choice = Choice(task.scope)
        self.error: BaseException | None = None
        self._done: asyncio.Future[None] | None = None  # of one that somebody else answers

    def waits(self) -> asyncio.Future[None]:
        """Done once the task need not wait any longer."""
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def let_go(self) -> None:
        """The task need not wait any longer."""
        if self._done is not None and not self._done.done():  # it is cancelled with whoever awaits it
            self._done.set_result(None)

    def tear_down(self) -> None:
        """The task waits for nothing that will come."""
        if self._done is not None:
            self._done.cancel()


class Exchange:
    """What one request asks for, over all its attempts.

    A task is done when its own choice is whole, and pays for what was written for it. The last that waits stays
    until the answer ends, and pays the rest: the prompt, and what was written for those that were cut.

    Args:
        route: where it goes, below the server's address.
        body: what is sent, but for the number of choices.
        deadline: when it has to be done, on the running loop's clock.
        prompt: which its siblings share.
        waits_for_prompt: until it was read for one of them, the others are not sent.
        plain: one that is sent for alone is not streamed.
        counts_along: the server tells the usage with each piece, if it is asked to.
        hinting: what the server is told besides, if anything.

    Attributes:
        attempt: number of the attempt that runs.
        stale: a try was no attempt, since it met an idle connection that the server was closing.
        waiting: those that are not done, in the order of their choices.
        open: whether others may join, as long as it was never sent.
        headers_due: until when the server has to answer at all; None where it has, or was not asked.
        paused: an answer has paused too long before: if another does, the server is not asked again.
        trial: tells those that were let go why their request was refused, if it was.
    """

    # Any: whatever JSON holds.
    def __init__(
        self,
        route: str,
        body: dict[str, Any],
        deadline: float | None,
        prompt: SharedPrompt,
        *,
        waits_for_prompt: bool = False,
        plain: bool = False,
        counts_along: bool = False,
        hinting: Hinting | None = None,
    ) -> None:
        self.route = route
        self.body = body
        self.deadline = deadline
        self.prompt = prompt
        self.waits_for_prompt = waits_for_prompt
        self._plain = plain
        self._counts_along = counts_along
        self.hinting = hinting
        self.attempt = 0
        self.stale = False
        self.waiting: list[Member] = []
        self.open = True
        self.headers_due: float | None = None
        self.paused = False
        self.trial: Trial | None = None
        self._owed = Usage()  # for earlier attempts
        self._sent: list[Choice] = []
        self._told: Usage | None = None
        self._paid = 0  # tokens of this attempt that those who left have paid
        self._in_doubt = False  # this attempt may have cost more than is known

    def join(self, task: GenerationTask) -> Member:
        """Let a task wait for a choice."""
        member = Member(task)
        self.waiting.append(member)
        return member

    # An attempt.

    def next_attempt(self) -> None:
        """Start anew; what the last attempt cost stays to be paid."""
        if self.attempt:
            self._owed = self.rest()
        self.attempt += 1
        if self._sent:  # before that there is nothing in them
            for member in self.waiting:
                member.choice = Choice(member.task.scope)
        self._sent, self._told, self._paid, self._in_doubt = [], None, 0, False

    def send(self) -> dict[str, Any]:
        """The body to send now, for those that still wait."""
        self.open = False
        self._sent = [member.choice for member in self.waiting]
        choices = len(self._sent)
        if self.hinting is not None or choices > 1:
            hints = Hints({"n": choices}) if self.hinting is None else self.hinting.told(choices)
            for member in self.waiting:
                member.task.hints = hints
        body = self.body if self.hinting is None else {**self.body, **self.hinting.fields}
        if choices == 1:
            return unstreamed(body) if self._plain else body
        together = {**body, "n": choices}
        if self._counts_along and "stream_options" in together:
            together["stream_options"] = {**together["stream_options"], "continuous_usage_stats": True}
        return together

    def sent(self) -> None:
        """It goes out to the server: that is counted."""
        self._owed.calls += 1
        self._owed.lost_calls += 1  # until its cost is known
        self._in_doubt = True

    def read(self, data: bytes) -> dict[str, Any]:
        """Take one event of the answer; returns it.

        Raises:
            IncompleteResponseError: it is no JSON object of the right shape.
        """
        chunk = read_chunk(data, self._sent)
        usage = chunk.get("usage")
        told = read_usage(usage) if usage else None
        if told is not None:
            self._told = told
            self.prompt.tokens = told.prompt_tokens or self.prompt.tokens
            if self.running == 0:  # llama.cpp tells a part with each choice
                self.cost_is_known()
        return chunk

    def take_stock(self) -> None:
        """Let those go whose choice is whole, though the last stays until the answer ends; tell of the others.

        As long as a single choice has begun, the server may be writing all under its number: they wait a moment.
        """
        if self.waits_for_prompt and self.first_token:
            self.prompt.was_read()
        if self.trial is not None and self.first_token:
            self.trial.passed(self)
        if self.begun > 1:
            self.let_whole_go()
        elif len(self.waiting) > 1 and self.whole:
            asyncio.get_running_loop().call_later(_MOMENT, self.let_whole_go)
        for member in list(self.waiting):
            member.choice.tell()

    def let_whole_go(self) -> None:
        """Let those go whose choice is whole, but for the last that waits."""
        for member in list(self.waiting):
            if member.choice.complete and len(self.waiting) > 1:
                self._finish(member)

    @property
    def over(self) -> bool:
        """Whether nobody needs the rest of the answer."""
        return self.unfinished is None and self.running > 0

    @property
    def asked(self) -> int:
        """How many choices the attempt has asked for."""
        return len(self._sent)

    @property
    def first_token(self) -> bool:
        """Whether the first token of the attempt has come."""
        return any(choice.pieces or choice.finish_reason for choice in self._sent)

    @property
    def begun(self) -> int:
        """How many choices the server has begun."""
        return sum([choice.begun for choice in self._sent])

    @property
    def mixed(self) -> bool:
        """Whether the server has mixed choices in one."""
        return any(choice.mixed for choice in self._sent)

    @property
    def whole(self) -> int:
        """How many choices are whole."""
        return sum([choice.complete for choice in self._sent])

    def end(self) -> None:
        """The answer has ended: if its cost was told, it is known."""
        if self.unfinished is None or (self._told is not None and self.whole == self.begun):
            self.cost_is_known()

    def cost_is_known(self) -> None:
        """The attempt has cost nothing beyond what was told, or read."""
        if self._in_doubt:
            self._in_doubt = False
            self._owed.lost_calls -= 1

    @property
    def running(self) -> int:
        """How many choices the server writes, or will once it is sent."""
        return (len(self._sent) or len(self.waiting)) - self.whole

    @property
    def unfinished(self) -> Choice | None:
        """A choice that somebody waits for and that is not whole, if there is one."""
        for member in self.waiting:
            if not member.choice.complete:
                return member.choice
        return None

    @property
    def shown(self) -> bool:
        """Whether somebody has seen text that another attempt would take back."""
        return any(
            member.choice.pieces and member.task.scope is not None and member.task.scope.listening
            for member in self.waiting
        )

    # The end.

    def finish(self) -> None:
        """Let those go that wait: each has its choice whole."""
        for member in list(self.waiting):
            self._finish(member)

    def fail(self, error: BaseException) -> None:
        """Let those go that wait, each with an error of its own."""
        for member in list(self.waiting):
            member.error = copy_error(error)
            self.leave(member)

    def part(self) -> None:
        """Let those go that wait, for each to go on `alone`."""
        for member in list(self.waiting):
            self.leave(member)

    def alone(self, member: Member) -> Exchange:
        """What one goes on with that was let go without a choice: an exchange of its own."""
        alone = Exchange(
            self.route,
            self.body,
            self.deadline,
            self.prompt,
            waits_for_prompt=self.waits_for_prompt,
            plain=self._plain,
            hinting=self.hinting,
        )
        alone.attempt, alone._owed, alone.trial = self.attempt, member.task.usage or Usage(), self.trial
        alone.headers_due, alone.paused = self.headers_due, self.paused
        return alone

    def cut(self, member: Member) -> None:
        """Let one go that nobody wants any more: it keeps what is there."""
        member.choice.fill(member.task)
        member.task.finish_reason = "cancelled"
        if self.waiting == [member]:
            self._charge_prompt()
        self.leave(member)

    def leave(self, member: Member) -> None:
        """Let one go; it pays its part."""
        last = self.waiting == [member]
        member.task.usage = self.rest() if last else Usage(completion_tokens=member.choice.pieces)
        self._paid += member.choice.pieces
        self.waiting.remove(member)
        member.let_go()

    def rest(self) -> Usage:
        """What nobody has paid yet, as far as is known; where no tokens were told, a piece counts as one."""
        read = 0
        for choice in self._sent:
            read += choice.pieces
        rest = Usage()
        if self._told is not None:
            rest.add(self._told)
        if len(self._sent) > 1:  # llama.cpp tells the tokens of one choice only
            rest.completion_tokens = max(rest.completion_tokens, read)
        rest.completion_tokens = (rest.completion_tokens or read) - self._paid
        rest.add(self._owed)
        return rest

    def _charge_prompt(self) -> None:
        """Whatever was written for a prompt, it was read before: as many tokens as a sibling was told."""
        if self._told is None and self.prompt.tokens is not None and self.begun:
            self._told = Usage(prompt_tokens=self.prompt.tokens)
            self.cost_is_known()

    def _finish(self, member: Member) -> None:
        member.choice.fill(member.task)
        self.leave(member)
