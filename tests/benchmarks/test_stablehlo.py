"""What the timing of a StableHLO module refuses; times themselves are not tested."""

import pytest

from benchmarks import stablehlo

pytest.importorskip("jax", reason="a development extra")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runs", "0"], "--runs must be at least 1, received 0"),
        (["--network", "ddpm_mars"], "argument --network: invalid choice: 'ddpm_mars'"),
        (["--peer", "x"], "--peer needs --network"),
        (["--network", "ddpm_digits", "--peer", "x"], "`--peer` must be the Python of an envi"),
        ([], "No such file or directory: 'nowhere/stablehlo.json'"),
    ],
)
def test_what_does_not_fit_a_module_is_refused(arguments, message, capsys):
    try:
        code = stablehlo.main(["nowhere", *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err
