"""What a task metrics collector prints."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from scaffolding_core.tensorrt_llm.task import ChatTask, MCPCallTask, Task

__all__ = ["Metrics", "ended_line", "started_line", "summary"]

Metrics: TypeAlias = dict[str, Any]
"""What one task took and cost; Any: whatever JSON holds, and what tools answered."""

_MEASURES = {
    "duration_ms": "duration (ms)",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
    "reasoning_tokens": "reasoning tokens",
    "total_tokens": "total tokens",
}
_SHOWN = 200
"""Characters of a text that a line shows."""


def started_line(controller_name: str, task: Task) -> str:
    """What starts."""
    told = [f"[{controller_name}]", type(task).__name__, "START"]
    if isinstance(task, ChatTask):
        characters = sum(len(message.text) for message in task.messages)
        told.append(f"messages={len(task.messages)} characters={characters} tools={len(task.tools or ())}")
    elif isinstance(task, MCPCallTask):
        told.append(f"tool={task.tool_name!r} id={task.tool_call_id!r} args={task.args!r}")
    return " | ".join(told)


def ended_line(metrics: Metrics) -> str:
    """What it took and cost; below, what was said, where it is recorded."""
    told = [f"[{metrics['controller']}]", metrics["task_type"], f"{metrics['duration_ms']:.2f} ms"]
    told += [f"{name}={metrics[name]}" for name in _MEASURES if name != "duration_ms" and name in metrics]
    told += [f"{name}={_short(metrics[name])}" for name in ("tool_name", "result_str") if name in metrics]
    said = [f"    [{message['role']}] {_short(message['content'])}" for message in metrics.get("new_messages", ())]
    return "\n".join([" | ".join(told), *said])


def summary(records: Mapping[str, Sequence[Metrics]]) -> str:
    """Sums and averages for each controller and class of task."""
    return "\n".join(["TASK METRICS SUMMARY", *_summary_lines(records)])


def _summary_lines(records: Mapping[str, Sequence[Metrics]]) -> Iterator[str]:
    for controller_name, of_controller in records.items():
        if not of_controller:
            continue
        yield f"{controller_name} ({len(of_controller)} records)"
        for task_type in dict.fromkeys(metrics["task_type"] for metrics in of_controller):
            of_type = [metrics for metrics in of_controller if metrics["task_type"] == task_type]
            yield f"  {task_type} (count: {len(of_type)})"
            for measure, name in _MEASURES.items():
                values = [metrics[measure] for metrics in of_type if measure in metrics]
                if any(values):
                    yield f"    {name + ':':18} {_described(values)}"


def _described(values: Sequence[float]) -> str:
    return (
        f"sum={sum(values):.1f} avg={statistics.fmean(values):.1f} median={statistics.median(values):.1f} "
        f"min={min(values):.1f} max={max(values):.1f}"
    )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
