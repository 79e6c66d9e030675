"""Norms' statistics taken anew are those of the samples, as they are evaluated."""

import pytest
import torch

from bnnhw.training import BinaryNet, Topology
from bnnhw.training.calibrate import SAMPLES, STEP, calibrate
from bnnhw.training.layers import Binarization, BinaryAffine, Block
from bnnhw.training.norm import MOMENTUM, NORMS, Norm

STOCHASTIC = Binarization(stochastic_activations=True, stochastic_weights=True, dropout=0.3)


def net(norm: str, how: Binarization = STOCHASTIC) -> BinaryNet:
    return BinaryNet(
        Topology.parse("12-9"), (20,), 3, input_bits=4, how=how, norm=norm,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def samples(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 16, (count, 20), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("count", [300, STEP + 1, 3 * STEP - 1, SAMPLES])
def test_the_statistics_are_those_of_the_sums(count: int) -> None:
    model, x = net("batch"), samples(count)
    x[: count // 2] //= 4  # as in a file whose classes come one after the other
    calibrate(model, x)
    block = model.hidden[0]
    assert isinstance(block, Block)
    sums = x.double() @ torch.where(block.affine.weight >= 0, 1.0, -1.0).double().T
    torch.testing.assert_close(block.norm.running_mean.double(), sums.mean(0))
    torch.testing.assert_close(block.norm.running_var.double(), sums.var(0), rtol=0.02, atol=0)


def test_a_stage_of_real_weights_is_calibrated_as_the_signs_that_are_evaluated() -> None:
    model, plain, x = net("batch"), net("batch"), samples(500)
    for layer in model.binarized():
        layer.real = True
    for one in (model, plain):
        calibrate(one, x)
    for name, values in plain.state_dict().items():
        assert torch.equal(model.state_dict()[name], values), name
    assert all(layer.real for layer in model.binarized())


def test_several_processes_count_no_sample_twice() -> None:
    model, plain, x = net("batch"), net("batch"), samples(500)
    for module in model.modules():
        if isinstance(module, Norm):
            module.total = lambda values: 2 * values
    for one in (model, plain):
        calibrate(one, x)
    for name, values in plain.state_dict().items():
        assert torch.equal(model.state_dict()[name], values), name


@pytest.mark.parametrize("norm", NORMS)
def test_nothing_is_drawn_and_training_goes_on_as_before(norm: str) -> None:
    model, plain, x = net(norm), net(norm, Binarization()), samples(500)
    state = torch.get_rng_state()
    for one in (model, plain):
        one.eval()
        one.hidden[0].norm.running_mean.fill_(1e6)  # type: ignore[union-attr, operator]
        calibrate(one, x)
    assert torch.equal(state, torch.get_rng_state())
    for name, values in plain.state_dict().items():
        assert torch.equal(model.state_dict()[name], values), name
    assert not model.training
    for module in model.modules():
        assert not isinstance(module, Norm) or module.momentum == MOMENTUM
        assert not isinstance(module, Block | BinaryAffine) or module.how == STOCHASTIC
