"""LlamaIndex's LLMs as backends."""
