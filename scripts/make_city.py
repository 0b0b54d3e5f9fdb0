"""Make `src/chargeloop/city/figures.json`, from which the built-in city is drawn: `python -m scripts.make_city`.

Reads the real data in ../shared/data and keeps figures only: by zone a rounded centre and counts, by cluster of zones an
hour-of-week profile, and quantiles. No row or column of the data is copied.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

from chargeloop.city.shenzhen import MOST_BUSY, busy_share

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "src" / "chargeloop" / "city" / "figures.json"
WEST, EAST, SOUTH, NORTH = 114.01, 114.145, 22.515, 22.63
CLUSTERS = 6


def main() -> None:
    stations = pd.read_csv(DATA / "urbanev_shenzhen" / "stations_enriched.csv").query("in_filtered_1362")
    hourly = pd.read_parquet(DATA / "urbanev_shenzhen" / "hourly_45zones.parquet")
    zones = stations.groupby("TAZID").agg(
        stations=("station_id", "size"),
        fast=("fast", "sum"),
        slow=("slow", "sum"),
        lon=("lon_wgs84", "mean"),
        lat=("lat_wgs84", "mean"),
    )
    profile = week_profile(hourly, zones)
    cluster, centres = clusters(profile)
    core = zones[zones.lon.between(WEST, EAST) & zones.lat.between(SOUTH, NORTH)]
    nearest: Any = cKDTree(zones.loc[profile.columns, ["lon", "lat"]]).query(core[["lon", "lat"]])[1]
    rows: list[dict[str, Any]] = core.to_dict("records")  # type: ignore[assignment]
    session = pd.read_parquet(DATA / "sessions" / "desl_level3.parquet")
    figures = {
        "zones": [
            {
                "lon": round(zone["lon"], 2),
                "lat": round(zone["lat"], 2),
                "stations": zone["stations"],
                "fast": int(zone["fast"]),
                "slow": int(max(zone["slow"], zone["stations"])),
                "cluster": int(cluster[near]),
            }
            for zone, near in zip(rows, nearest, strict=True)
        ],
        "clusters": centres.round(3).tolist(),
        "neighbour_m": spacing_m(stations[stations.TAZID.isin(core.index)]),
        "arrival_soc": (session.soc_arrival.quantile(np.linspace(0.02, 0.98, 11)) / 100).round(2).tolist(),
    }
    OUT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def week_profile(hourly: pd.DataFrame, zones: pd.DataFrame) -> pd.DataFrame:
    """168 hours of the week x zones: the share of chargers that were busy."""
    wide = hourly.pivot(index="time", columns="TAZID", values="volume_kwh")
    time = pd.DatetimeIndex(wide.index)
    week_hour = time.dayofweek * 24 + time.hour
    median = wide.groupby(week_hour).median()
    share = busy_share(median.to_numpy(), *(zones.loc[wide.columns, kind].to_numpy() for kind in ("fast", "slow")))
    return pd.DataFrame(np.minimum(share, MOST_BUSY), columns=wide.columns)


def clusters(profile: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each zone with data, and the mean profile of each cluster (clusters x 168)."""
    shapes = profile.to_numpy().T
    label: Any = kmeans2(np.log(shapes + 0.02), CLUSTERS, seed=1, minit="++")[1]
    label = np.unique(label, return_inverse=True)[1]
    return label, np.array([shapes[label == k].mean(axis=0) for k in np.unique(label)])


def spacing_m(stations: pd.DataFrame) -> list[float]:
    """Quantiles of the distance from a station to the next one, in tens of metres."""
    east = stations.lon_wgs84 * 111_195 * np.cos(np.radians(stations.lat_wgs84.mean()))
    places = np.stack([east, stations.lat_wgs84 * 111_195], axis=1)
    metres: Any = cKDTree(places).query(places, k=2)[0]
    return [float(x) for x in np.quantile(metres[:, 1], np.linspace(0.1, 0.9, 9)).round(-1)]


if __name__ == "__main__":
    main()
