"""What a caller accepts: calls of a tool, and a structure."""

import itertools
from datetime import UTC, datetime
from uuid import uuid4

from langchain_core.messages import AIMessage
from pydantic import BaseModel, Field

ids = itertools.count()


def calls(name="book", text="", **args):
    """A message that calls a tool, with an id unlike any other."""
    call = {"name": name, "args": args, "id": f"call-{next(ids)}", "type": "tool_call"}
    return AIMessage(text, tool_calls=[call])


def told(message):
    return message.response_metadata["scaffolding"]


class Visit(BaseModel):
    """A visit."""

    town: str
    days: int = 1
    id: str = Field(default_factory=lambda: uuid4().hex)
    planned_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


VISITS = [{"town": 5}, {"town": "Rome", "days": "many"}, {"town": "Nice"}, {"town": "Nice", "days": "1"}]
