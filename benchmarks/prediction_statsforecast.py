"""Hourly series by `statsforecast`, for a Python that has it and nothing of ours: `IN.npz OUT.npz`.

In: `energy`, hours x zones, and the row `first`. Out: `quantiles`, 3 x 24 leads x origins x zones, an origin every 24 h from
`first` on, by exponential smoothing with a season of a day (AutoETS, additive), fitted to the rows before `first` and no more.
"""

import importlib
import sys
from typing import Any

DAY_H = 24
LEVEL = 80


def main(source: str, target: str) -> None:
    # by name: the packages live in another environment than that in which the types are checked
    np: Any = importlib.import_module("numpy")
    pd: Any = importlib.import_module("pandas")
    models: Any = importlib.import_module("statsforecast.models")
    told = np.load(source)
    energy, first = told["energy"], int(told["first"])
    hours, zones = energy.shape
    days = (hours - first) // DAY_H
    table = pd.DataFrame(
        {"unique_id": np.repeat(np.arange(zones), hours), "ds": np.tile(np.arange(hours), zones), "y": energy.T.ravel()}
    )
    model = models.AutoETS(season_length=DAY_H, model="ZAA", damped=True, alias="found")
    cast = importlib.import_module("statsforecast").StatsForecast(models=[model], freq=1, n_jobs=1)
    made = cast.cross_validation(df=table, h=DAY_H, step_size=DAY_H, n_windows=days, refit=False, level=[LEVEL])
    made = made.sort_values(["unique_id", "ds"])
    columns = [f"found-lo-{LEVEL}", "found", f"found-hi-{LEVEL}"]
    out = made[columns].to_numpy().reshape(zones, days, DAY_H, 3)
    np.savez(target, quantiles=np.maximum(out.transpose(3, 2, 1, 0), 0))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
