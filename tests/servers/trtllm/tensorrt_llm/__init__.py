"""A stand-in for the package `tensorrt_llm`: what its LLM API takes, refuses and gives, without a GPU.

Its signatures are those of mid-2026; `tensorrt_llm.late_2025` has those of 1.2 rc. Beyond the API there is
`LLM.double`: what the engine was asked, and how to hold it, break it or end it.
"""

from tensorrt_llm.llmapi import LLM, SamplingParams

__all__ = ["LLM", "SamplingParams"]
__version__ = "1.3.0rc0"
