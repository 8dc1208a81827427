"""The second stage on two devices: two halves of the processor, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
_TWO_DEVICES = """
import json, sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from components.errors import PostersError
from components.trainer import extractor
from components.trainer.fine_tuning.stage import fine_tune
from tests import fine_tuning
from tests.integration import test_fine_tuning_gradients as gradients
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
facts = {"replicas": two.num_replicas_in_sync, "differences": []}

plain = gradients.load_parts()
wanted = gradients.one_tape(plain)
with two.scope():
    layer = extractor.load_copy(extractor.EMBEDDED, trainable=True)
names = {variable.name for variable in plain[1]}
top = [each for each in layer.resolved_object.trainable_variables if each.name in names]
for size in (2, 4, 6):
    _, of_top, of_head = gradients.in_parts((layer, top, plain[2]), two, size)
    facts["differences"].append(gradients.difference(of_top, wanted[1]))
    facts["differences"].append(gradients.difference(of_head, wanted[2]))

folder = Path(sys.argv[1])
splits = fine_tuning.splits(folder, train=20, evaluation=9)
def tune(name, strategy, **changes):
    settings = fine_tuning.settings(epochs=1, **changes)
    run = folder / name
    return fine_tune(fine_tuning.new_head(), splits, settings, run, lambda *_: None, strategy)
tuned = {name: tune(name, s) for name, s in (("two", two), ("one", tf.distribute.get_strategy()))}
facts["logits"] = {name: each.eval_logits.tolist() for name, each in tuned.items()}
facts["resumed"] = tune("two", tf.distribute.get_strategy()).eval_logits.tolist()
try:
    tune("small", two, batch_size=1)
except PostersError as error:
    facts["refused"] = str(error)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    command = [sys.executable, "-c", _TWO_DEVICES, str(tmp_path_factory.mktemp("two"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "fine-tuning 4 of the extractor's variables on 2 devices" in done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_give_the_whole_batchs_gradients(facts):
    assert facts["replicas"] == 2
    assert len(facts["differences"]) == 6
    assert max(facts["differences"]) < 1e-5


def test_two_devices_learn_what_one_does(facts):
    np.testing.assert_allclose(facts["logits"]["two"], facts["logits"]["one"], atol=1e-3)


def test_what_two_devices_saved_one_can_take_up(facts):
    np.testing.assert_allclose(facts["resumed"], facts["logits"]["two"], atol=1e-4)


def test_a_batch_smaller_than_the_number_of_devices_is_refused(facts):
    assert "trainer.fine_tune.batch_size: a batch of 1 cannot be shared by 2" in facts["refused"]
