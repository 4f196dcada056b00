"""LlamaIndex's messages, responses and settings as the core's, and back."""
