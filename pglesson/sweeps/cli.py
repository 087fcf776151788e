"""The command line of sweeps, which `python -m pglesson.sweeps` runs."""

from __future__ import annotations

import argparse
import ast
import importlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pglesson.settings import Settings
from pglesson.sweeps.store import read_sweep
from pglesson.sweeps.sweep import sweep
from pglesson.sweeps.workers import LocalWorkers


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"inf": math.inf}.get(text, text)


def _values(text: str) -> list[Any]:
    try:
        return list(ast.literal_eval(f"[{text}]"))  # a comma within brackets is part of a value: (32,),(64,64)
    except (ValueError, SyntaxError):
        return [_value(part) for part in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pglesson.sweeps", description="Trains at every point of a grid.")
    parser.add_argument("store", help="the file that keeps the points; the same command continues it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of every point")
    parser.add_argument("--grid", action="append", default=[], metavar="NAME=V1,V2", help="a setting to sweep over")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--workers", type=int, help="processes on this machine (without it: this one)")
    place.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster, such as tcp://127.0.0.1:8786")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when the map is whole, 1 when points failed, 130 after Ctrl-C."""
    parser = _parser()
    given = parser.parse_args(arguments)
    for option in (*given.set, *given.grid):
        if "=" not in option:
            parser.error(f"{option!r} was given, but a setting is written NAME=VALUE, such as gamma=0.9.")
    grid = {name: _values(text) for name, text in (option.split("=", 1) for option in given.grid)}
    failed, total, client, workers = 0, math.prod(map(len, grid.values())), None, None
    try:
        settings = Settings()
        for option in given.set:
            name, text = option.split("=", 1)
            setattr(settings, name, _value(text))
        if given.workers is not None:
            workers = LocalWorkers(given.workers)
        elif given.scheduler is not None:
            client = importlib.import_module("distributed").Client(given.scheduler)
        executor = workers if client is None else client.get_executor()
        for done, point in enumerate(sweep(settings, grid, executor=executor, store=given.store), start=1):
            failed += point.error is not None
            at = " ".join(f"{name}={value}" for name, value in point.at.items())
            outcome = f"mean score {point.score.mean():.6g}" if point.error is None else point.error
            print(f"{done} of {total}  {at}  {outcome}", flush=True)
    except KeyboardInterrupt:
        kept = len(read_sweep(given.store)[2]) if Path(given.store).exists() else 0
        print(f"Stopped: {kept} of {total} points are in {given.store}. The same command continues.", flush=True)
        if workers is not None:
            workers.terminate()  # their points have not ended, and this command does not wait for them
        return 130
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        parser.error("--scheduler needs dask.distributed: pip install distributed, or use --workers.")
    except (AttributeError, OSError, RuntimeError, TypeError, ValueError) as error:
        parser.error(str(error))
    finally:
        if client is not None:
            client.close()
        if workers is not None:
            workers.shutdown(cancel_futures=True)
    return int(failed > 0)
