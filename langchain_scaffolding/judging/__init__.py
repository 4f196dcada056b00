"""What LangChain has to score and compare answers with."""
