"""Asking a scripted server once."""

from scaffolding_core import GenerationTask, OpenAIWorker, WorkerError
from tests.servers.scripted import scripted_server


async def outcome(script, task=None, **options):
    """The task, what the server saw, and the error."""
    task = task or GenerationTask(input_str="q")
    with scripted_server(script) as server:
        async with OpenAIWorker(server.url, "m", **options) as worker:
            try:
                await worker.run_task(task)
            except WorkerError as error:
                return task, server, error
        return task, server, None
