"""Topologies: what is written is what is built, and mistakes are one line."""

import pytest

from bnnhw.errors import InputError
from bnnhw.training.topology import NAMED, ConvStage, DenseStage, PoolStage, Topology


def test_every_kind_of_layer_is_read() -> None:
    found = Topology.parse("2x64C3-MP2-8C5x3p2s2-BP3s1-BP2-2x256-10").stages
    conv = ConvStage(neurons=64, kernel=(3, 3))
    assert found == (
        conv,
        conv,
        PoolStage(kernel=2, stride=2, of_sums=True),
        ConvStage(neurons=8, kernel=(5, 3), padding=2, stride=2),
        PoolStage(kernel=3, stride=1, of_sums=False),
        PoolStage(kernel=2, stride=2, of_sums=False),
        DenseStage(neurons=256),
        DenseStage(neurons=256),
        DenseStage(neurons=10),
    )


@pytest.mark.parametrize("text", [*NAMED.values(), "1", "3C1-5C2x4p1s3-BP2s1-7"])
def test_a_topology_reads_what_it_writes(text: str) -> None:
    once = Topology.parse(text)
    assert Topology.parse(str(once)) == once


@pytest.mark.parametrize(
    ("name", "shape", "last"),
    [
        ("cnv", (32, 32, 3), [(30, 30, 64), (28, 28, 64), (14, 14, 64), (12, 12, 128),
                              (10, 10, 128), (5, 5, 128), (3, 3, 256), (1, 1, 256),
                              (512,), (512,)]),
        ("convnet", (32, 32, 3), [(32, 32, 128), (32, 32, 128), (16, 16, 128), (16, 16, 256),
                                  (16, 16, 256), (8, 8, 256), (8, 8, 512), (8, 8, 512),
                                  (4, 4, 512), (1024,), (1024,)]),
        ("lenet", (28, 28, 1), [(24, 24, 16), (12, 12, 16), (8, 8, 32), (4, 4, 32), (128,)]),
        ("7-9", (28, 28, 1), [(7,), (9,)]),
    ],
)  # fmt: skip
def test_shapes_are_those_of_the_papers(
    name: str, shape: tuple[int, ...], last: list[tuple[int, ...]]
) -> None:
    assert Topology.parse(name).shapes(shape) == [shape, *last]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "topology: '' is no layer; write 256, 64C3, 64C3p1, MP2 or BP2, joined by -, "
             "or one of convnet, cnv, lenet"),
        ("256-", "topology: '' is no layer; .*"),
        ("lenet5", "topology: 'lenet5' is no layer; .*"),
        ("64c3", "topology: '64c3' is no layer; .*"),
        ("0", "topology: numbers must be 1 to 65536, not 0 in '0'"),
        ("65537", "topology: numbers must be 1 to 65536, not 65537 in '65537'"),
        ("9" * 5000, "topology: numbers must be 1 to 65536, not 9{20} in '9{40}'"),
        ("999999999x5", "topology: numbers must be 1 to 65536, not 999999999 in '999999999x5'"),
        ("60000x5", "topology: layers must be 1 to 100, not 101"),
        ("256-64C3", "topology: 64C3 must not come behind a dense layer"),
        ("256-BP2", "topology: BP2 must not come behind a dense layer"),
        ("MP2", "topology: MP2 must come behind a convolution"),
        ("8C3-BP2-MP2",
         "topology: MP2, which pools sums, must come right behind a convolution; BP2 pools bits"),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_mistakes_are_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"\A{message}\Z"):
        Topology.parse(text)


def test_maps_must_be_large_enough_and_samples_images() -> None:
    with pytest.raises(InputError, match=r"^topology: 8C3 needs images, and samples have shape"):
        Topology.parse("8C3").shapes((64,))
    with pytest.raises(InputError, match=r"^topology: 8C5 on a map of 4 x 4: the kernel must fit"):
        Topology.parse("8C5-8C5").shapes((8, 8, 1))
