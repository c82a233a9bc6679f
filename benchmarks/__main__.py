"""`make bench`: every measurement in turn, one at a time. See docs/benchmarks.md for what came out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ORACLES = HERE.parent / ".venv-oracles"


def oracle_python() -> Path:
    """The interpreter of an environment with the libraries that are only compared with."""
    python = ORACLES / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ORACLES)], check=True)
        pins = str(HERE / "requirements-oracles.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", pins], check=True)
    return python


def main() -> None:
    """Run all scripts; any that finds unequal results stops the whole."""
    scripts: list[list[str]] = [
        ["purchase_models.py", "--oracle-python", str(oracle_python()), "--scale", "100000", "1000000", "5000000"],
        ["predictions.py"],
        ["telco.py"],
        ["recommendations.py"],
        ["importing.py"],
        ["refreshing.py"],
        ["metrics.py"],
        ["segments.py"],
        ["alerts.py"],
    ]
    for script in scripts:
        print(f"\n== {script[0]}", flush=True)
        subprocess.run([sys.executable, str(HERE / script[0]), *script[1:]], check=True)


if __name__ == "__main__":
    main()
