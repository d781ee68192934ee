import signal

import keras
import pytest
import tensorflow as tf

from vitkeras import machine
from vitkeras.errors import Problem


@pytest.mark.parametrize(
    ("gpus", "flags", "precision"),
    [
        ([], {"avx2"}, "float32"),
        ([], {"avx2", "avx512_bf16"}, "bfloat16"),
        ([], {"amx_bf16"}, "bfloat16"),
        ([(7, 5)], {"amx_bf16"}, "float16"),
        ([(9, 0)], set(), "bfloat16"),
        ([(6, 1)], {"amx_bf16"}, "float32"),
        ([(9, 0), (7, 0)], set(), "float16"),
    ],
)
def test_auto_picks_16_bits_only_where_the_hardware_has_them(gpus, flags, precision):
    assert machine.fastest_precision(gpus, flags)[0] == precision


@pytest.fixture
def float32_again():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("float32_again")
def test_device_and_precision_are_printed_and_set(capsys):
    here = machine.prepare(seed=3, precision="bfloat16")
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    printed = capsys.readouterr().out
    assert here["device"] in printed
    assert "precision: bfloat16" in printed


@pytest.mark.usefixtures("float32_again")
def test_settings_in_the_home_folder_do_not_change_a_run():
    keras.config.set_floatx("float16")
    keras.config.set_image_data_format("channels_first")
    machine.prepare(seed=3)
    assert (keras.config.floatx(), keras.config.image_data_format()) == ("float32", "channels_last")


def test_a_missing_gpu_is_a_failure_with_advice():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(Problem, match=r"no GPU.*and-cuda.*--device") as found:
        machine.prepare(seed=3, device="gpu")
    assert found.value.exit_code == 1


@pytest.fixture
def ctrl_c_counts():
    """A job in the background may have been started with interruptions ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_counts")
def test_ctrl_c_while_libraries_load_counts_afterwards_even_if_a_library_swallows_interruptions():
    done = []

    def load():
        with machine.interruptions_held_back():
            try:
                signal.raise_signal(signal.SIGINT)
                done.append("went on")
            except BaseException:  # what some library does
                done.append("swallowed")

    with pytest.raises(KeyboardInterrupt):
        load()
    assert done == ["went on"]
    with pytest.raises(KeyboardInterrupt):  # and from then on at once
        signal.raise_signal(signal.SIGINT)
