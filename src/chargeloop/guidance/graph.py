"""The road graph: fastest times from every node to every station, and the way itself.

Times come from a customisable contraction hierarchy (Dibbelt, Strasser, Wagner 2016; pyroutingkit), or from Dijkstra (scipy)
where that wheel is missing; the tests hold one against the other.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chargeloop.model import Roads
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

MS = 1000  # the hierarchy counts in whole milliseconds
UNREACHABLE_MS = 2**31 - 1


class Engine(Protocol):
    """Shortest paths over the edges of one `Roads`, with a time for each edge in milliseconds."""

    def set_times(self, edge_ms: Ints) -> None: ...

    def times_ms(self, sources: Ints, targets: Ints) -> Ints:
        """sources x targets; `UNREACHABLE_MS` or more where there is no way."""

    def path(self, source: int, target: int) -> Ints:
        """The edges of a fastest way, in order; empty where there is none."""


class Hierarchy:
    """Contraction hierarchies: new traffic in a fraction of a second, then microseconds a query."""

    def __init__(self, roads: Roads) -> None:
        from pyroutingkit import CCHMetric, CCHTopology  # noqa: PLC0415 (absent on some platforms)

        topology = CCHTopology()
        topology.build(
            roads.edge_from.astype(np.uint32),
            roads.edge_to.astype(np.uint32),
            roads.node_lat.astype(np.float32),
            roads.node_lon.astype(np.float32),
            roads.node_lon.size,
        )
        self._metric = CCHMetric(topology)

    def set_times(self, edge_ms: Ints) -> None:
        self._metric.customize(edge_ms.astype(np.uint32))

    def times_ms(self, sources: Ints, targets: Ints) -> Ints:
        found = self._metric.distances_many_to_many(sources.astype(np.uint32), targets.astype(np.uint32))
        return np.asarray(found, dtype=np.int64)

    def path(self, source: int, target: int) -> Ints:
        _, _, edges = self._metric.query(source, target)
        return np.asarray(edges, dtype=np.int64)


class Dijkstra:
    """The plain way, by scipy: slower, needs nothing else."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads

    def set_times(self, edge_ms: Ints) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415

        roads, size = self._roads, self._roads.node_lon.size
        slowest_first = np.argsort(-edge_ms, kind="stable")  # of parallel edges the last written, the fastest, stays
        self._edge = {(int(roads.edge_from[e]), int(roads.edge_to[e])): int(e) for e in slowest_first}
        ends = np.array(list(self._edge)).reshape(-1, 2)
        times = edge_ms[list(self._edge.values())].astype(np.float64)
        self._forward = csr_array((np.maximum(times, 0.5), (ends[:, 0], ends[:, 1])), shape=(size, size))

    def times_ms(self, sources: Ints, targets: Ints) -> Ints:
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        found = dijkstra(self._forward.T.tocsr(), indices=targets)[:, sources].T
        return np.where(np.isfinite(found), np.round(found), UNREACHABLE_MS).astype(np.int64)

    def path(self, source: int, target: int) -> Ints:
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        _, before = dijkstra(self._forward, indices=np.array([source]), return_predecessors=True)
        edges: list[int] = []
        node = target
        while node != source:
            previous = int(before[0, node])
            if previous < 0:
                return np.zeros(0, dtype=np.int64)
            edges.append(self._edge[previous, node])
            node = previous
        return np.array(edges[::-1], dtype=np.int64)


def best_engine(roads: Roads) -> Engine:
    try:
        return Hierarchy(roads)
    except ImportError:
        return Dijkstra(roads)


@kernel
def metres_along(
    times_ms: Ints, first_edge: Ints, by_tail: Ints, edge_to: Ints, edge_ms: Ints, edge_m: Floats, target: Ints
) -> NDArray[np.float32]:
    """Length of the fastest way to each target from each node, metres (targets x nodes, inf where there is none).

    From near to far, each node takes the edge that its time says is on the fastest way: time(u) = edge + time(v).
    `by_tail`: edges sorted by their start node, those of node u at `first_edge[u]:first_edge[u + 1]`.
    """
    metres = np.full(times_ms.shape, np.inf, dtype=np.float32)  # half the memory; a city's way is known to the centimetre
    for j in range(len(times_ms)):  # row by row, since one row fits the processor's cache
        times, way = times_ms[j], metres[j]
        way[target[j]] = 0.0
        for u in np.argsort(times):
            if times[u] >= UNREACHABLE_MS:
                break
            if u == target[j]:
                continue
            for i in range(first_edge[u], first_edge[u + 1]):
                e = by_tail[i]
                if edge_ms[e] + times[edge_to[e]] == times[u]:
                    way[u] = min(way[u], edge_m[e] + way[edge_to[e]])
    return metres
