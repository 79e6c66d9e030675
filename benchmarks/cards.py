"""The cards of the networks in `models`, written out of their files and the kept records."""

__all__ = ["CARDS", "card"]

from bnnhw.network import Network
from bnnhw.network_file import load
from bnnhw.record import Record

from .accuracy import TITLES, shares, spread
from .markdown import markdown
from .runs import RUNS, Run
from .store import MODELS, kept

NO_CIFAR10 = "(figures are not comparable with those of the original)"
CIFAR10 = "45,000 to train on, 5,000 validation, 10,000 test"
DATA = {
    "digits": "scikit-learn's digits: 998 to train on, 200 validation, 599 test",
    "mnist": "MNIST: 50,000 images to train on, 10,000 of the original training part validation, "
    "10,000 test",
    "cifar10": f"CIFAR-10: {CIFAR10}",
    "cifar10-jpeg": f"CIFAR-10 of which each image went through JPEG once {NO_CIFAR10}: {CIFAR10}",
    "cifar10-other": f"CIFAR-10 of which pixels are not the original ones {NO_CIFAR10}: {CIFAR10}",
}
CARDS = tuple(run for run in RUNS if run.zoo and kept(f"accuracy-{run.name}"))


def card(run: Run) -> str:
    """What the file beside it is: data, command, seed, accuracy, hash."""
    path = MODELS / f"{run.name}.safetensors"
    network = load(path)
    records = kept(f"accuracy-{run.name}")
    told = network.training
    first = [record for record in records if record.seed == run.seeds[0]]
    rows = [
        ("file", f"`{path.name}`, {path.stat().st_size:,} bytes"),
        ("SHA-256", f"`{network.sha256}`"),
        ("network", _shape(network)),
        ("data", DATA[str(told["data_name"])]),
        ("command", f"`{run.command}`"),
        ("seed", f"{told['seed']}, fixed beforehand"),
        ("epoch", f"{told['best_epoch']} of {told['epochs']}, the best on validation"),
        ("accuracy, validation", spread([network.accuracy["valid"]])),
        ("accuracy, test", spread([network.accuracy["test"]])),
        ("of", "the integer network, by the golden model"),
        *_beside(run, records),
        ("float twin, test", spread(shares(first, "float_accuracy_test"))),
        ("made with", f"torch {told['torch']}, bnnhw at commit {first[0].commit}"),
        ("on", first[0].on.partition("; trained on ")[2]),
    ]
    title = f"{TITLES[str(told['data_name'])]}: {told['topology']}, {_inputs(network)}"
    return f"# {title}\n\n{markdown(('', ''), rows)}"


def _beside(run: Run, records: list[Record]) -> list[tuple[str, str]]:
    """The same with the other seeds, where there are any."""
    found = shares(records, "accuracy_test")
    if len(found) < 2:
        return []
    seeds = ", ".join(map(str, run.seeds))
    return [(f"test, seeds {seeds}", f"{spread(found)}; this is seed {run.seeds[0]}, not the best")]


def _inputs(network: Network) -> str:
    return f"inputs of {network.input.bits} bit{'s'[: network.input.bits != 1]}"


def _shape(network: Network) -> str:
    given = "x".join(map(str, network.input.shape))
    output = network.layers[-1].shape_out[0]
    topology = network.training["topology"]
    return f"{given}, {topology}, {output} classes; {network.operations:,} operations an image"
