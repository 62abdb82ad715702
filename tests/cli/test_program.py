"""What a program says of the errors of its graphs."""

import pytest
import tensorflow as tf

from gddim_tf.cli.program import explained


def test_an_error_of_a_graph_is_told_with_its_reason(capsys):
    @tf.function
    def loss(labels):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.zeros([1, 10]))

    assert explained("train", lambda: loss(tf.constant([11]))) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "label value of 11" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Graph execution error:\n\nDetected at x:\n File y\n\nbad\n\t [[{{node z}}]]", "g: bad"),
        ("Graph execution error:\n\nno room", "g: no room"),
        ("Graph execution error:", "g:"),
        ("no room for it\nHint: less", "no room for it"),
        ("Graph execution error:\n\nValueError: a must be b\n\t [[{{node z}}]]", "a must be b"),
    ],
)
def test_lines_of_errors(text, told, capsys):
    def fail():
        raise tf.errors.InvalidArgumentError(None, None, text)

    assert explained("train", fail) == 2
    printed = capsys.readouterr().err
    assert printed == f"train: error: {told.replace('g:', 'Graph execution error:')}\n"
