"""LangChain's messages, results and events as the core's, and back."""
