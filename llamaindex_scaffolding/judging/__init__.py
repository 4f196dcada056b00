"""What LlamaIndex has to score and check answers with."""
