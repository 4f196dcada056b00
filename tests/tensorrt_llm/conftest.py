"""Modules that programs import beside TensorRT-LLM are no tests."""

collect_ignore = ["stand_ins"]
