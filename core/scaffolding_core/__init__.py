"""Inference-time compute for language models: methods, backends, and what joins them.

A `Controller` is a method, a `Worker` a backend, and a `ScaffoldingLlm` runs one on the other::

    from scaffolding_core import LocalWorker, MajorityVoteController, NativeChatController, ScaffoldingLlm

    with LocalWorker() as worker:
        method = MajorityVoteController(NativeChatController({"temperature": 0.8}), default_sample_num=16)
        with ScaffoldingLlm(method, worker) as llm:
            print(llm.generate("What is 6 times 7?").text)
"""

from __future__ import annotations
