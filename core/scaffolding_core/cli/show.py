"""What `scaffolding ask` shows: the answer on standard output, progress and costs on standard error."""

from __future__ import annotations

from collections import Counter

from rich.bar import Bar
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scaffolding_core.adapting.answer_stream import AnswerStream
from scaffolding_core.results import CandidateEvent, Event, ScaffoldingOutput, TokenEvent
from scaffolding_core.shown_text import sentence, shown

__all__ = ["Show"]

_ROWS = 8
_WIDTH = 32
_LONGEST = 40


class Show:
    """Shows a request while it runs, and its result.

    Args:
        live: see `AnswerStream`.
        quiet: show nothing while it runs.
    """

    def __init__(self, *, live: bool, quiet: bool) -> None:
        self._out = Console(soft_wrap=True, highlight=False)
        self._err = Console(stderr=True, highlight=False)
        self._answer = AnswerStream(live=live)
        self._quiet = quiet
        self._votes: Counter[str] = Counter()
        self._done = self._pieces = 0
        self._progress: Live | None = None
        if not live and not quiet and self._err.is_terminal:
            self._progress = Live(self._tally(), console=self._err, transient=True, refresh_per_second=10)
            self._progress.start()

    def event(self, event: Event) -> None:
        """Show what an event brings."""
        if isinstance(event, CandidateEvent) and event.branch == ():
            self._count(event)
        elif isinstance(event, TokenEvent):
            self._pieces += 1
            self._refresh()
        delta = self._answer.of(event)
        if delta is not None and delta.text and not self._quiet:
            self.close()
            self._out.print(_text(delta.text), end="")

    def close(self) -> None:
        """Take the progress away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def result(self, output: ScaffoldingOutput, seconds: float) -> None:
        """Show the votes and the cost, below the answer."""
        self._out.print()
        if output.votes:
            self._err.print(_bars(output.votes))
        self._err.print(_text(_cost(output, seconds), style="dim"), soft_wrap=True)

    def _count(self, event: CandidateEvent) -> None:
        self._done += 1
        if event.candidate.error is None and event.candidate.answer is not None:
            self._votes[str(event.candidate.answer)] += 1
        self._refresh()

    def _refresh(self) -> None:
        if self._progress is not None:
            self._progress.update(self._tally())

    def _tally(self) -> Table:
        chart = _bars(dict(self._votes.most_common()))
        chart.add_row(Text(f"{self._done} samples, {self._pieces} tokens so far", style="dim"), "", "")
        return chart


def _text(text: str, style: str = "") -> Text:
    """What a model wrote, as rich may show it: no markup, no name of a sign, nothing that a terminal obeys."""
    return Text(shown(text), style)


def _cost(output: ScaffoldingOutput, seconds: float) -> str:
    failed = sum(candidate.error is not None for candidate in output.candidates)
    parts = ["1 sample"]
    if output.samples > 1:
        parts = [f"{output.samples} samples started", f"{output.counted} counted"]
    parts += [f"{output.cut} cut"] * bool(output.cut) + [f"{failed} failed"] * bool(failed)
    if output.agreement is not None:
        parts.append(f"{output.agreement:.0%} agree")
    if output.read_as:
        parts.append(f"read as {output.read_as}")
    if output.score is not None:
        parts.append(f"score {output.score:.2f}")
    if output.judgement is not None and output.judgement.verdict is False:
        parts.append("not passed")
    parts += [f"{output.usage.total_tokens} tokens", f"{seconds:.1f} s"]
    if output.stopped == "budget":
        parts.append("stopped by the budget")
    return ", ".join(parts)


def _bars(votes: dict[str, int]) -> Table:
    """Votes as a small bar chart, most first."""
    most = max([1, *votes.values()])
    chart = Table.grid(padding=(0, 1))
    for answer, count in list(votes.items())[:_ROWS]:
        chart.add_row(
            Text(sentence(answer, _LONGEST)),
            Bar(size=most, begin=0, end=count, width=_WIDTH, color="cyan"),
            str(count),
        )
    return chart
