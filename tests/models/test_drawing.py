import subprocess
import sys

# Two devices are what only a process of its own can have.
_TRACES = """
import tensorflow as tf
from gddim_tf import training
from tests.conftest import own_model

class Counted(tf.distribute.MirroredStrategy):
    traces = 0

    def run(self, *arguments, **options):  # Python comes here when it traces a graph
        self.traces += 1
        return super().run(*arguments, **options)

training.strategy("mirrored", virtual_devices=2)
devices = Counted(["CPU:0", "CPU:1"])
with devices.scope():
    model = own_model()
    model.sample(6, nfe=2, batch_size=4)
    before = devices.traces
    model.sample(20, nfe=2, batch_size=8)
    model.sample(5, nfe=2, seed=1, batch_size=8)
print(before, devices.traces)
"""


def test_several_devices_trace_no_graph_again_for_another_draw():
    process = subprocess.run(
        [sys.executable, "-c", _TRACES], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    # one for the size of the first batch, one for any size
    assert process.stdout.split() == ["2", "2"]
