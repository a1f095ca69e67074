"""What a run's summary says of its energy can be read back."""

import json

import pytest

from studio.training.config.energy import energy_of_record, energy_record
from studio.training.config.run_config import PerturbationConfig

TERMS = [
    {"kind": "linear", "feature": "ink", "slope": 2.0, "scale": 0.5},
    {"kind": "quadratic", "feature": "ink", "centre": 0.1},
    {"kind": "window", "feature": "ink", "low": 0.1, "high": 0.4, "enabled": False},
    {"kind": "formula", "text": "where(label == 3, 1, ink)"},
    {"kind": "column", "path": "/data/csv:odd.csv"},
]


def test_that_every_kind_of_term_is_read_back_as_it_was() -> None:
    config = PerturbationConfig.model_validate({"terms": TERMS, "temperature": 2.0, "clip": 3.0})
    energy = config.energy()
    assert energy_of_record(json.loads(json.dumps(energy_record(energy)))) == energy


@pytest.mark.parametrize("record", [None, [], {}, {"terms": 3}, {"terms": [3]}, {"terms": [{"kind": "spell"}]}])
def test_that_what_is_no_energy_is_a_value_error(record: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        energy_of_record(record)
