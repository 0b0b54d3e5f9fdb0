"""Why somebody is left short: his own stay, a circuit, one phase of it, or the price of energy."""

from dataclasses import replace

import numpy as np

from chargeloop.execution import ChargingProblem, Circuits, Sessions, Shortfall, plan_by_prices, plan_exactly, shortfalls

STEPS = 8
STREET_AND_YARD = Circuits(
    np.array([-1, 0]), np.array([[20.0], [8.0]]) * np.ones((1, STEPS)), buy_per_kwh=np.array([[0.5], [0.0]])
)


def two(**more: object) -> ChargingProblem:
    """Two cars in the yard for two hours, at 11 kW each."""
    cars = Sessions(np.array([1, 1]), np.zeros(2), np.full(2, 2.0), np.array([4.0, 30.0]), np.full(2, 11.0))
    return ChargingProblem(STREET_AND_YARD, replace(cars, **more))  # type: ignore[arg-type]


def test_nobody_is_short() -> None:
    problem = two(energy_kwh=np.array([4.0, 9.0]))
    assert shortfalls(problem, plan_exactly(problem)) == ()


def test_the_stay_and_the_circuit_have_their_parts() -> None:
    problem = two(value_per_kwh=np.array([9.0, 5.0]))
    for plan in (plan_exactly(problem), plan_by_prices(problem)):
        (short,) = shortfalls(problem, plan)
        assert isinstance(short, Shortfall)
        assert (short.session, short.circuit, short.phase) == (1, 1, 0)
        assert abs(short.kwh - 18) < 0.01  # the yard carries 16 kWh, 4 of them for the first
        assert abs(short.own_kwh - 8) < 1e-9  # 11 kW give 22 kWh in the stay
        assert short.steps.tolist() == list(range(STEPS))


def test_one_phase_is_full() -> None:
    problem = two(phase=np.array([1, 2]), energy_kwh=np.array([1.0, 9.0]))
    problem = replace(problem, circuits=replace(STREET_AND_YARD, phase_limit_a=np.array([[np.inf], [16.0]])))
    (short,) = shortfalls(problem, plan_exactly(problem))
    assert (short.session, short.circuit, short.phase) == (1, 1, 2)
    assert abs(short.kwh - (9 - 2 * 16 * 0.23)) < 0.01


def test_energy_costs_more_than_it_is_said_to_be_worth() -> None:
    problem = two(energy_kwh=np.array([4.0, 5.0]), value_per_kwh=np.array([1.0, 0.2]))
    (short,) = shortfalls(problem, plan_exactly(problem))
    assert (short.session, short.circuit, short.own_kwh) == (1, -1, 0.0)
    assert short.steps.size == 0
