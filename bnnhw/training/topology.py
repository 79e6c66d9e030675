"""A network's shape as a short text: `2x128C3p1-MP2-2x1024`. No torch here."""

__all__ = ["NAMED", "ConvStage", "DenseStage", "PoolStage", "Topology"]

import dataclasses
import re

from ..errors import InputError
from ..window import Window

NAMED = {
    # Courbariaux et al. 2016, section 2.3, without the last layer.
    "convnet": "2x128C3p1-MP2-2x256C3p1-MP2-2x512C3p1-MP2-2x1024",
    # Umuroglu et al., FINN, 2017, section 5.1.
    "cnv": "2x64C3-MP2-2x128C3-MP2-2x256C3-2x512",
    # After LeCun et al. 1998, LeNet-5: for small FPGAs.
    "lenet": "16C5-MP2-32C5-MP2-128",
}
MOST = 1 << 16
MOST_STAGES = 100

REPEATED = r"(?:(?P<times>\d+)x)?(?P<neurons>\d+)"
CONV = re.compile(
    REPEATED + r"C(?P<kernel>\d+)(?:x(?P<wide>\d+))?(?:p(?P<padding>\d+))?(?:s(?P<stride>\d+))?"
)
POOL = re.compile(r"(?P<what>MP|BP)(?P<kernel>\d+)(?:s(?P<stride>\d+))?")
DENSE = re.compile(REPEATED)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DenseStage:
    """A dense layer of so many neurons: `256`."""

    neurons: int

    def __str__(self) -> str:
        return str(self.neurons)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConvStage:
    """A convolution: `64C3`, `64C3x5p1s2`: neurons, kernel (high x wide), padding, stride."""

    neurons: int
    kernel: tuple[int, int]
    padding: int = 0
    stride: int = 1

    def __str__(self) -> str:
        high, wide = self.kernel
        text = f"{self.neurons}C{high}" + (f"x{wide}" if wide != high else "")
        text += f"p{self.padding}" if self.padding else ""
        return text + (f"s{self.stride}" if self.stride != 1 else "")

    def window(self, shape: tuple[int, int, int]) -> Window:
        """On a map of that shape."""
        return Window(
            shape=shape,
            kernel=self.kernel,
            stride=(self.stride, self.stride),
            padding=(self.padding, self.padding),
        )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PoolStage:
    """Max pooling: `MP2` of a convolution's sums, ahead of its norm; `BP2` of bits, behind it."""

    kernel: int
    stride: int
    of_sums: bool

    def __str__(self) -> str:
        text = ("MP" if self.of_sums else "BP") + str(self.kernel)
        return text + (f"s{self.stride}" if self.stride != self.kernel else "")

    def window(self, shape: tuple[int, int, int]) -> Window:
        """On a map of that shape."""
        size, step = self.kernel, self.stride
        return Window(shape=shape, kernel=(size, size), stride=(step, step))


Stage = DenseStage | ConvStage | PoolStage


@dataclasses.dataclass(frozen=True, slots=True)
class Topology:
    """The hidden layers of a network, in order.

    Parameters
    ----------
    stages : tuple of ConvStage, PoolStage and DenseStage
        Convolutions and poolings first, a pooling of sums right behind its convolution.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.stages) <= MOST_STAGES:
            raise InputError(f"topology: layers must be 1 to {MOST_STAGES}, not {len(self.stages)}")
        before: Stage | None = None
        for stage in self.stages:
            if isinstance(before, DenseStage) and not isinstance(stage, DenseStage):
                raise InputError(f"topology: {stage} must not come behind a dense layer")
            if isinstance(stage, PoolStage) and before is None:
                raise InputError(f"topology: {stage} must come behind a convolution")
            if isinstance(stage, PoolStage) and stage.of_sums and not isinstance(before, ConvStage):
                raise InputError(
                    f"topology: {stage}, which pools sums, must come right behind a convolution; "
                    f"BP{stage.kernel} pools bits"
                )
            before = stage

    @classmethod
    def parse(cls, text: str) -> "Topology":
        """From a text, or the name of a known one; InputError says what is wrong with it.

        Parts are joined by `-`: `256` dense; `64C3`, `64C3x5p1s2` convolutions, with padding and
        stride; `MP2`, `MP3s2` max pooling of a convolution's sums, before its norm; `BP2` of bits,
        behind it; `2x256` the same layer twice.
        """
        stages: list[Stage] = []
        for part in NAMED.get(text, text).split("-"):
            stages += _stages(part)
            if len(stages) > MOST_STAGES:
                break
        return cls(tuple(stages))

    def __str__(self) -> str:
        return "-".join(map(str, self.stages))

    @property
    def has_maps(self) -> bool:
        """Whether there is a convolution, so that samples must be images."""
        return not isinstance(self.stages[0], DenseStage)

    def shapes(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """What each stage takes, and last what the last one gives, for samples of that shape.

        Raises
        ------
        InputError
            Samples that are not images where a convolution wants them, or a map too small.
        """
        if self.has_maps and len(shape) != 3:
            raise InputError(
                f"topology: {self.stages[0]} needs images, and samples have shape {shape}"
            )
        found = [shape]
        for stage in self.stages:
            if isinstance(stage, DenseStage):
                found.append((stage.neurons,))
                continue
            high, wide, channels = found[-1]
            try:
                window = stage.window((high, wide, channels))
            except InputError as error:
                raise InputError(
                    f"topology: {stage} on a map of {high} x {wide}: {error}"
                ) from None
            neurons = stage.neurons if isinstance(stage, ConvStage) else channels
            found.append((window.rows, window.cols, neurons))
        return found


def _stages(part: str) -> list[Stage]:
    if found := CONV.fullmatch(part):
        high = _size(found, "kernel", part)
        stage: Stage = ConvStage(
            neurons=_size(found, "neurons", part),
            kernel=(high, _size(found, "wide", part, high)),
            padding=_size(found, "padding", part, 0),
            stride=_size(found, "stride", part, 1),
        )
    elif found := POOL.fullmatch(part):
        size = _size(found, "kernel", part)
        of_sums = found["what"] == "MP"
        return [PoolStage(kernel=size, stride=_size(found, "stride", part, size), of_sums=of_sums)]
    elif found := DENSE.fullmatch(part):
        stage = DenseStage(neurons=_size(found, "neurons", part))
    else:
        names = ", ".join(NAMED)
        raise InputError(
            f"topology: {part!r} is no layer; write 256, 64C3, 64C3p1, MP2 or BP2, joined by -, "
            f"or one of {names}"
        )
    return [stage] * min(_size(found, "times", part, 1), MOST_STAGES + 1)


def _size(found: re.Match[str], name: str, part: str, missing: int | None = None) -> int:
    """A number in a part, 1 to 65536; `missing` where it is left out."""
    text = found[name]
    if text is None:
        assert missing is not None
        return missing
    if not 1 <= int(text[:9]) <= MOST or len(text) > 9:
        raise InputError(f"topology: numbers must be 1 to {MOST}, not {text[:20]} in {part[:40]!r}")
    return int(text)
