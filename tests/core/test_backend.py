"""Backend: what a model of another library holds."""

import pickle

from scaffolding_core import ChatTask, GenerationTask, NativeGenerationController, Worker
from scaffolding_core.backend import Backend


class Kinds(Worker):
    """Answers with the kind of its task."""

    async def run_task(self, task):
        task.output_str = f"{type(task).__name__} {task.temperature}"


def test_methods_generate_by_chat_turns_or_as_they_are_told():
    chat, plain = Backend(Kinds()), Backend(Kinds(), generation=NativeGenerationController)
    options = {"sampling_params": {"temperature": 0.5}}
    assert chat.llm("direct", options).generate("q").text == f"{ChatTask.__name__} 0.5"
    assert plain.llm("direct", options).generate("q").text == f"{GenerationTask.__name__} 0.5"
    chat.close()
    plain.close()


def test_a_backend_goes_to_other_processes_also_after_it_was_used():
    backend = Backend(Kinds(), generation=NativeGenerationController)
    backend.llm("direct", {}).generate("q")
    again = pickle.loads(pickle.dumps(backend))
    assert again.llm("direct", {}).generate("q").text == f"{GenerationTask.__name__} None"
    backend.close()
    again.close()
