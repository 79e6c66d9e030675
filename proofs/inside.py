"""A component opened, so that a proof can look at its signals or break one."""

__all__ = ["Inside"]

from typing import Any

from amaranth.hdl import Const, Elaboratable, Fragment, Signal, Value, ValueLike
from amaranth.utils import ceil_log2


class Inside(Elaboratable):
    """A component opened: its own signals by name, those of a submodule as `submodule.name`.

    A proof by induction looks at them where it needs an invariant; a broken copy gets a last
    assignment to one of them, which wins over the component's own.
    """

    def __init__(self, component: Elaboratable) -> None:
        # Amaranth's stubs do not know what is in a fragment.
        self._fragment: Any = Fragment.get(component, None)
        self._found: dict[str, tuple[Signal, Any, str]] = {}
        self._ambiguous: set[str] = set()
        self._walk(self._fragment, "")

    def _walk(self, fragment: Any, prefix: str) -> None:
        for domain, statements in fragment.statements.items():
            for statement in statements:
                for signal in statement._lhs_signals():
                    path = prefix + signal.name
                    known = self._found.setdefault(path, (signal, fragment, domain))
                    if known[0] is not signal:
                        self._ambiguous.add(path)
        for inner, name, _ in fragment.subfragments:
            self._walk(inner, f"{prefix}{name}.")

    def __contains__(self, path: str) -> bool:
        return path in self._found

    def __getitem__(self, path: str) -> Signal:
        if path not in self._found or path in self._ambiguous:
            known = ", ".join(sorted(self._found.keys() - self._ambiguous))
            raise KeyError(f"{path} must be the name of one signal; there are {known}")
        return self._found[path][0]

    def word(self, path: str, addr: Value) -> Signal:
        """What a memory holds at an address, without a clock."""
        memory = self._fragment
        for name in path.split("."):
            memory = memory.find_subfragment(name)
        data = Signal(memory._data.shape, name=f"word_of_{path}")
        index = Signal(ceil_log2(memory._data.depth), name=f"index_of_{path}")
        self._fragment.add_statements("comb", index.eq(addr))
        memory.read_port(domain="comb", addr=index, data=data, en=Const(1, 1), transparent_for=())
        return data

    def override(self, path: str, value: ValueLike) -> None:
        """Drive a signal with something else."""
        signal = self[path]
        _, fragment, domain = self._found[path]
        fragment.add_statements(domain, signal.eq(value))

    def elaborate(self, platform: object) -> Fragment:
        fragment: Fragment = self._fragment
        return fragment
