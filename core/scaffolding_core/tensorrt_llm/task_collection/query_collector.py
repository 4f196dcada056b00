"""QueryCollector: what tools answered to queries, of all requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from scaffolding_core.tensorrt_llm.task import MCPCallTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.tool_arguments import tool_arguments

__all__ = ["QueryCollector"]


class QueryCollector(TaskCollection):
    """Keeps what a tool answered to each call that has a `query` among its arguments.

    Attributes:
        query_dict: the answer to each query, of all requests of this process.
        file_name: where `get_global_info` writes them.
    """

    file_name: ClassVar[str] = "query_result.json"
    query_dict: ClassVar[dict[str, str | None]] = {}

    def after_yield(self, tasks: list[Task]) -> None:
        """Keep the answers."""
        for task in tasks:
            if isinstance(task, MCPCallTask):
                arguments = tool_arguments(task.args)
                if isinstance(arguments, dict) and "query" in arguments:
                    self.query_dict[str(arguments["query"])] = task.result_str

    @staticmethod
    def get_global_info() -> None:
        """Write the answers to the file, as a JSON object."""
        text = json.dumps(QueryCollector.query_dict, indent=4, ensure_ascii=False)
        Path(QueryCollector.file_name).write_text(text, encoding="utf-8")
