"""The errors that a user may see, each one line, and the exit code that each one means."""

__all__ = ["InputError", "MissingToolError", "ToolError"]

from pathlib import Path


class InputError(ValueError):
    """What the user handed in is wrong: names the thing, the limit and the value. Exit code 2."""


class ToolError(RuntimeError):
    """A tool failed, or a check it made did. Exit code 1.

    Parameters
    ----------
    message : str
        One line: what failed.
    command : list of str
        The command that was run, if one was.
    log : Path
        Where its whole output lies.
    tail : str
        The last lines of that output.
    """

    def __init__(
        self,
        message: str,
        *,
        command: list[str] | None = None,
        log: Path | None = None,
        tail: str = "",
    ) -> None:
        if log is not None:
            message += f"; the log is {log}"
        super().__init__(message)
        self.command = command
        self.log = log
        self.tail = tail


class MissingToolError(ToolError):
    """A tool is not installed: names it and the command that installs it. Exit code 1."""

    def __init__(self, tool: str, install: str) -> None:
        super().__init__(f"{tool} is missing; install it with: {install}")
        self.tool = tool
        self.install = install
