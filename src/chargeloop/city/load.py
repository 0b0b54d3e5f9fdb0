"""A city by its folder."""

from pathlib import Path

from chargeloop.city.builtin import builtin_city
from chargeloop.city.stevcdp import read_stevcdp
from chargeloop.city.tables import find
from chargeloop.city.urbanev import read_urbanev
from chargeloop.model import BadInput, City


def load_city(folder: Path | None) -> City:
    """The city of a folder, in a layout that is recognised by its files; without one, the built-in city.

    The folder itself may hold the files, or a folder `urbanev_shenzhen` or `stevcdp_shenzhen` in it.

    Raises:
        BadInput: no known layout, or something in a file is wrong.
    """
    if folder is None:
        return builtin_city()
    if not folder.is_dir():
        raise BadInput(str(folder), "there is no such folder")
    for place in (folder / "urbanev_shenzhen", folder / "stevcdp_shenzhen", folder):
        if find(place, "inf.csv", "stations_enriched.csv"):
            return read_urbanev(place)
        if find(place, "stations.csv") and find(place, "information.csv"):
            return read_stevcdp(place)
    raise BadInput(str(folder), "no city here: want inf.csv (UrbanEV) or stations.csv and information.csv (ST-EVCDP)")
