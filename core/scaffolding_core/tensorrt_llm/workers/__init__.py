"""TensorRT-LLM's workers, one a file."""
