"""What the load test refuses; what it measures is not tested."""

import pytest

from benchmarks.load.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--clients", "0"], "`--clients` must be at least 1, received 0"),
        (["--seconds", "-1"], "`--seconds` must be finite, above 0, received -1"),
        (["--warm-up", "nan"], "`--warm-up` must be finite, at least 0, received nan"),
        (["--model", "nowhere"], "`path` must be an exported model"),
    ],
)
def test_what_cannot_be_meant(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
