"""How a program ends: what goes wrong is one line and an exit code, not a traceback."""

__all__ = ["DONE", "FAILED", "MISTAKE", "ended"]

import errno
import os
import sys
from collections.abc import Callable

from .errors import InputError, ToolError

DONE, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130


def ended(program: str, work: Callable[[], int], *, debug: bool = False) -> int:
    """The exit code of a program: what `work` returns, or that of the error that ends it.

    0 done, 1 failed, 2 the user's mistake, 130 Ctrl-C; of an error one line on standard error,
    that begins with `program`. With `debug` errors are not caught.
    """
    try:
        code = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more to say, and nowhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ToolError) and error.tail:
            print(error.tail.rstrip(), file=sys.stderr)
        print(f"{program}: {_one_line(error)}", file=sys.stderr)
        return MISTAKE if isinstance(error, InputError) else FAILED
    return code


def _one_line(error: Exception) -> str:
    if isinstance(error, InputError | ToolError):
        return str(error)
    if isinstance(error, OSError):
        name = error.filename2 or error.filename  # of a copy, where it was to go
        where = f"{name}: " if name else ""
        full = " (free some space, or write elsewhere)" if error.errno == errno.ENOSPC else ""
        return f"{where}{error.strerror or error}{full}"
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed; `bnnhw doctor` says what installs it"
    return f"this is a bug: {type(error).__name__}: {error} (--debug shows where)"
