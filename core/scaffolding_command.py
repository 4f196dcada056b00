"""Where the command `scaffolding` begins: before the package, whose import takes long enough to be interrupted."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; Ctrl-C ends it with status 130, while it is imported too."""
    try:
        from scaffolding_core.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
