"""GPUs by their published peaks. A rate that its maker does not publish is not in the table."""

__all__ = ["DEVICES", "Device"]

import dataclasses

from .precision import BITS, FLOAT32, INT8, Precision


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A GPU as its maker describes it. A multiply-add is two operations; rates are dense.

    Parameters
    ----------
    name : str
    operations_per_s : dict
        Peak rate by precision; a precision without a published rate is missing.
    memory_bytes_per_s : float
        Peak bandwidth of its memory.
    source : str
        The documents, by name, that the figures are from.
    unpublished : dict
        Why a rate is missing.
    """

    name: str
    operations_per_s: dict[Precision, float]
    memory_bytes_per_s: float
    source: str
    unpublished: dict[Precision, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        named = set(self.operations_per_s) | set(self.unpublished)
        assert named == {FLOAT32, INT8, BITS}, self.name
        assert not set(self.operations_per_s) & set(self.unpublished), self.name


DEVICES = (
    Device(
        name="NVIDIA T4",
        operations_per_s={FLOAT32: 8.1e12, INT8: 130e12},
        memory_bytes_per_s=320e9,
        source="NVIDIA T4 Tensor Core GPU datasheet (rates); "
        "256-bit GDDR6 at 10 Gbit/s a pin (bandwidth)",
        unpublished={BITS: "NVIDIA publishes no 1-bit rate of the T4"},
    ),
    Device(
        name="NVIDIA RTX 4090",
        operations_per_s={FLOAT32: 82.6e12, INT8: 660.6e12},
        memory_bytes_per_s=1008e9,
        source="NVIDIA Ada GPU Architecture whitepaper, appendix A",
        unpublished={BITS: "NVIDIA publishes no 1-bit rate of the RTX 4090"},
    ),
    Device(
        name="NVIDIA A100 SXM4 80 GB",
        operations_per_s={FLOAT32: 19.5e12, INT8: 624e12, BITS: 4992e12},
        memory_bytes_per_s=2039e9,
        source="NVIDIA A100 Tensor Core GPU Architecture whitepaper (rates); "
        "NVIDIA A100 80 GB datasheet (bandwidth)",
    ),
    Device(
        name="NVIDIA H100 SXM5",
        operations_per_s={FLOAT32: 66.9e12, INT8: 1978.9e12},
        memory_bytes_per_s=3352e9,
        source="NVIDIA H100 Tensor Core GPU Architecture whitepaper",
        unpublished={BITS: "NVIDIA publishes no 1-bit rate of the H100"},
    ),
)
