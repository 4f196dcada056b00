"""What a request of LangChain's may ask for, and what holds its samples back."""
