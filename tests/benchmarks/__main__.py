"""Whether training is as fast as it should be: the tables that are measured against targets, in one.

python -m tests.benchmarks [--data DIR]
"""

from __future__ import annotations

import argparse
from itertools import chain

from tests.benchmarks import planner_cost, throughput
from tests.benchmarks.options import add_data
from tests.benchmarks.table import show


def main() -> None:
    """Print the table as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    options = parser.parse_args()
    show(chain(planner_cost.rows(), throughput.rows(options.data)))


if __name__ == "__main__":
    main()
