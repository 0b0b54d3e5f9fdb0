"""Models of demand are fitted in a process of their own: it takes minutes, and the loop must go on. A file keeps the newest."""

import os
import threading
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import structlog

from chargeloop.console.whole_file import whole_file
from chargeloop.model import BadInput, Demand, Weather
from chargeloop.prediction import Saved, fit_forecaster, pack_forecaster, refitted, unpack_forecaster

SETTLE_S = 60.0  # wall seconds after the start, in which everything else comes first
NICE = 19
log = structlog.get_logger()


class FittingProcess:
    """`loop.Fitting`. `file`: where the newest model is kept; a start takes it up at once, if it is one of these zones."""

    def __init__(self, file: Path, *, name: str = "best", settle_s: float = SETTLE_S) -> None:
        self._file, self._name, self._settle_s = file, name, settle_s
        self._found: Saved | None = None
        self._ended = threading.Event()
        self._process: BaseProcess | None = None
        self._thread: threading.Thread | None = None

    def ask(self, record: Demand, weather: Weather, time_zone: str, zone_ids: tuple[str, ...]) -> None:
        if self._thread is None or not self._thread.is_alive():
            job = partial(self._work, record, weather, time_zone, zone_ids)
            self._thread = threading.Thread(target=job, name="fitting", daemon=True)
            self._thread.start()

    def take(self) -> Saved | None:
        found, self._found = self._found, None
        return found

    def stop(self) -> None:
        """A fit that is under way comes to nothing."""
        self._ended.set()
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join(10)

    def _work(self, record: Demand, weather: Weather, time_zone: str, zone_ids: tuple[str, ...]) -> None:
        """First what the file holds, then what a process has made of the record."""
        before = _read(self._file)
        if before is not None and before.model.zone_ids == zone_ids:
            self._found = before
        if self._ended.wait(self._settle_s):
            return
        self._settle_s = 0.0
        job = (self._file, self._name, record, weather, time_zone, zone_ids)
        self._process = get_context("spawn").Process(target=_fit, args=job, daemon=True)
        self._process.start()
        self._process.join()
        if self._ended.is_set():
            return
        if self._process.exitcode == 0:
            self._found = _read(self._file)
        else:
            log.warning("no forecaster could be fitted; the one before goes on", exit_status=self._process.exitcode)


def _read(file: Path) -> Saved | None:
    if not file.is_file():
        return None
    try:
        return unpack_forecaster(file.read_bytes(), str(file))
    except (BadInput, OSError) as error:
        log.warning("a saved forecaster is not used", why=str(error))
        return None


def _fit(file: Path, name: str, record: Demand, weather: Weather, time_zone: str, zone_ids: tuple[str, ...]) -> None:
    """The process."""
    os.nice(NICE)
    before = _read(file)
    is_same = before is not None and before.model.zone_ids == zone_ids and before.time_zone == time_zone
    model = before.model if before is not None and is_same else None
    fitted = refitted(model, partial(fit_forecaster, name), record, weather, time_zone, zone_ids)
    until = record.start + timedelta(hours=len(record.energy_kwh))
    with whole_file(file) as draft:
        draft.write_bytes(pack_forecaster(fitted, until))
