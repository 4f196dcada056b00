"""TaskMetricsCollector: what each task took and cost, of all requests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from scaffolding_core.messages import RoleMessage
from scaffolding_core.tensorrt_llm.task import ChatTask, MCPCallTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.metrics_report import Metrics, ended_line, started_line, summary
from scaffolding_core.tensorrt_llm.task_collection.token_counts import token_counts
from scaffolding_core.tensorrt_llm.task_collection.tool_arguments import tool_arguments

__all__ = ["TaskMetricsCollector"]


class TaskMetricsCollector(TaskCollection):
    """Records the time, and for chats the tokens, of each task; a task inside two of them is the inner one's.

    Args:
        controller_name: the list that it adds to.
        task_types: the classes of tasks that it records, not their subclasses; None for all.
        enable_print: print a line when a task starts, and when it has run.
        capture_messages: record the messages of chats, too.

    Attributes:
        statistics: for each name, a record of each task, of all requests of this process, until `reset()`.
    """

    statistics: ClassVar[dict[str, list[Metrics]]] = {}
    _recording: ClassVar[dict[int, TaskMetricsCollector]] = {}  # who records a task, by the task's identity

    def __init__(
        self,
        controller_name: str,
        task_types: Sequence[type[Task]] | None = None,
        enable_print: bool = True,
        capture_messages: bool = False,
    ) -> None:
        super().__init__()
        self.controller_name = controller_name
        self.task_types = task_types
        self.enable_print = enable_print
        self.capture_messages = capture_messages
        self.start_time_map: dict[int, float] = {}
        self.pre_message_count_map: dict[int, int] = {}
        self.statistics.setdefault(controller_name, [])

    def before_yield(self, tasks: list[Task]) -> None:
        """Start the clock."""
        for task in tasks:
            recorded = self.task_types is None or type(task) in self.task_types
            if not recorded or id(task) in self._recording:
                continue
            self._recording[id(task)] = self
            self.start_time_map[id(task)] = time.perf_counter()
            if isinstance(task, ChatTask):
                task.enable_token_counting = True
                self.pre_message_count_map[id(task)] = len(task.messages)
            if self.enable_print:
                print(started_line(self.controller_name, task))

    def after_yield(self, tasks: list[Task]) -> None:
        """Record what they took and cost."""
        for task in tasks:
            if id(task) not in self.start_time_map:
                continue
            seconds = time.perf_counter() - self.start_time_map[id(task)]
            metrics = self._metrics(task, seconds, self.pre_message_count_map.get(id(task), 0))
            self.statistics.setdefault(self.controller_name, []).append(metrics)
            self._forget(task)
            if self.enable_print:
                print(ended_line(metrics))

    def after_failure(self, tasks: list[Task]) -> None:
        """What did not run is not recorded."""
        for task in tasks:
            self._forget(task)

    def _forget(self, task: Task) -> None:
        if self.start_time_map.pop(id(task), None) is not None:
            self.pre_message_count_map.pop(id(task), None)
            self._recording.pop(id(task), None)

    def _metrics(self, task: Task, seconds: float, given: int) -> Metrics:
        metrics: Metrics = {
            "controller": self.controller_name,
            "task_type": type(task).__name__,
            "duration_ms": seconds * 1000,
            "timestamp": time.time(),
        }
        if isinstance(task, ChatTask):
            metrics |= _of_chat(task)
            if self.capture_messages:
                metrics |= _of_messages(task, given)
        elif isinstance(task, MCPCallTask):
            metrics |= {
                "tool_call_id": task.tool_call_id,
                "tool_name": task.tool_name,
                "mcp_args": tool_arguments(task.args),
                "result_str": task.result_str,
            }
        return metrics

    @staticmethod
    def print_summary() -> None:
        """Print sums and averages for each controller and class of task."""
        print(summary(TaskMetricsCollector.statistics))

    @staticmethod
    def get_statistics(controller_name: str | None = None) -> dict[str, list[Metrics]]:
        """The records of one controller, or of all."""
        statistics = TaskMetricsCollector.statistics
        return statistics if controller_name is None else {controller_name: statistics.get(controller_name, [])}

    @staticmethod
    def get_all_records() -> list[Metrics]:
        """The records of all controllers, in the order in which the tasks ended."""
        records = [record for records in TaskMetricsCollector.statistics.values() for record in records]
        return sorted(records, key=lambda record: record["timestamp"])

    @staticmethod
    def export_to_json(file_path: str | os.PathLike[str], controller_name: str | None = None) -> None:
        """Write the records of one controller, as a list, or of all, by their names, to a JSON file."""
        statistics = TaskMetricsCollector.statistics
        data = statistics if controller_name is None else statistics.get(controller_name, [])
        Path(file_path).write_text(json.dumps(data, indent=2, ensure_ascii=False, default=str), encoding="utf-8")

    @staticmethod
    def reset(controller_name: str | None = None) -> None:
        """Forget the records of one controller, or of all."""
        if controller_name is None:
            TaskMetricsCollector.statistics.clear()
        elif controller_name in TaskMetricsCollector.statistics:
            TaskMetricsCollector.statistics[controller_name] = []

    @staticmethod
    def get_global_info() -> dict[str, list[Metrics]]:
        """The `statistics`."""
        return TaskMetricsCollector.statistics


def _of_chat(task: ChatTask) -> Metrics:
    counts = token_counts(task)
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "reasoning_tokens": counts.reasoning,
        "total_tokens": counts.prompt + counts.completion,
        "finish_reason": task.finish_reason,
        "unique_id": task.unique_id,
        "sub_request_markers": list(task.sub_request_markers),
    }


def _of_messages(task: ChatTask, given: int) -> Metrics:
    messages = [_plain(message) for message in task.messages]
    return {
        "message_count_before": given,
        "message_count_after": len(messages),
        "messages": messages,
        "new_messages": messages[given:],
    }


def _plain(message: RoleMessage) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    for name in ("reasoning", "reasoning_content", "finish_reason"):
        if (value := getattr(message, name, None)) is not None:
            told[name] = value
    if (calls := getattr(message, "tool_calls", None)) is not None:
        told["tool_calls"] = [str(call) for call in calls]
    return told
