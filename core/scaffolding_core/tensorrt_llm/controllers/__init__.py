"""TensorRT-LLM's controllers, one a file."""
