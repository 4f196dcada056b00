"""What LlamaIndex's instrumentation tells."""

import pytest
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler


class Heard(BaseEventHandler):
    """Remembers events."""

    events: list = []

    @classmethod
    def class_name(cls):
        return "Heard"

    def handle(self, event, **kwargs):
        self.events.append(event)


@pytest.fixture
def events():
    handler = Heard(events=[])
    root = get_dispatcher()
    root.add_event_handler(handler)
    yield handler.events
    root.event_handlers.remove(handler)
