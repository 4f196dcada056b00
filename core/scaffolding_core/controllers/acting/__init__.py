"""Methods that act: models that call tools."""
