"""Samples and what runs inside them, as LangChain's runs."""
