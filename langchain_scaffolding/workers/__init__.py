"""LangChain's models and chains as backends."""
