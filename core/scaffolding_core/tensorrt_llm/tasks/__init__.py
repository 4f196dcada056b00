"""TensorRT-LLM's tasks, one a file."""
