"""What a session costs by anybody's tariff: the worked examples of the standard, and where it is silent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from chargeloop.protocols.ocpi import Costs, Stretch, Version, price, read, tariffs

D = Decimal
MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
V221, V230 = Version.V221, Version.V230


def component(kind: str, price: str, vat: str | None = None, step: int = 1) -> dict[str, Any]:
    return {"type": kind, "price": D(price), "step_size": step} | ({} if vat is None else {"vat": D(vat)})


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    return {"price_components": list(components)} | ({"restrictions": restrictions} if restrictions else {})


def tariff(*elements: dict[str, Any], version: Version = V221, **more: Any) -> tariffs.Tariff:
    data = {
        "country_code": "DE",
        "party_id": "ALL",
        "id": "1",
        "currency": "EUR",
        "elements": list(elements),
        "last_updated": "2026-01-01T00:00:00Z",
    }
    return read(tariffs.Tariff, data | ({"tax_included": "NO"} if version is V230 else {}) | more, version)


def charging(kwh: str = "0", minutes: float = 60, start: datetime = MONDAY, **more: Any) -> Stretch:
    return Stretch(start=start, end=start + timedelta(minutes=minutes), kwh=D(kwh), **more)


def then(before: Stretch, minutes: float, doing: Any = "parked", **more: Any) -> Stretch:
    return Stretch(start=before.end, end=before.end + timedelta(minutes=minutes), doing=doing, **more)


def cost(of: tariffs.Tariff, *stretches: Stretch, zone: str = "UTC", expired: bool = False, version: Version = V221) -> Costs:
    return price(of, stretches, zone, version, expired)


FLAT_50, KWH_25 = component("FLAT", "0.50", "20"), component("ENERGY", "0.25", "10")
SIMPLE = [element(KWH_25)]


def limit(before: str, after: str) -> dict[str, Any]:
    return {"excl_vat": D(before), "incl_vat": D(after)}


def test_1_and_2_energy_and_a_minimum_that_does_not_bite() -> None:
    assert cost(tariff(*SIMPLE), charging("20")).total == (D("5.00"), D("5.50"))
    with_minimum = tariff(*SIMPLE, min_price=limit("0.50", "0.55"))
    assert cost(with_minimum, charging("20")).total == (D("5.00"), D("5.50"))
    assert cost(with_minimum, charging("1")).total == (D("0.50"), D("0.55"))


def test_3_parking_is_rounded_up_to_its_step() -> None:
    both = tariff(element(FLAT_50, KWH_25, component("PARKING_TIME", "2.00", "20", 900)))
    costs = cost(both, charging("20"), then(charging("20"), 40))
    assert costs.total == (D("7.00"), D("7.90"))
    assert costs.billed_parking_h == Fraction(3, 4)
    assert (costs.fixed.before, costs.energy.before, costs.parking.before) == (D("0.50"), D("5.00"), D("1.50"))


def test_4_a_maximum() -> None:
    capped = tariff(element(FLAT_50, KWH_25), max_price=limit("10", "11"))
    assert cost(capped, charging("30")).total == (D("8.00"), D("8.85"))
    assert cost(capped, charging("300")).total == (D("10.00"), D("11.00"))


def test_5_and_6_time() -> None:
    assert cost(tariff(element(component("TIME", "2.00", "10", 60))), charging(minutes=150)).total == (D("5.00"), D("5.50"))
    untaxed = tariff(element(component("TIME", "2.00")), version=V230)
    assert cost(untaxed, charging(minutes=150), version=V230).total == (D("5.00"), None)


def test_7_energy_is_rounded_up_to_its_step() -> None:
    stepped = tariff(element(FLAT_50, component("ENERGY", "0.25", "10", 100)))
    costs = cost(stepped, charging("20.45"))
    assert costs.total == (D("5.63"), D("6.24"))  # half a cent goes up
    assert costs.billed_kwh == Fraction("20.5")


WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
COMPLEX = (
    element(component("FLAT", "2.50", "15")),
    element(component("TIME", "1.00", "20", 900), max_current=D(32)),
    element(component("TIME", "2.00", "20", 600), min_current=D(32), day_of_week=WEEKDAYS),
    element(component("TIME", "1.25", "20", 600), min_current=D(32), day_of_week=["SATURDAY", "SUNDAY"]),
    element(component("PARKING_TIME", "5.00", "10", 300), start_time="09:00", end_time="18:00", day_of_week=WEEKDAYS),
    element(component("PARKING_TIME", "6.00", "10", 300), start_time="10:00", end_time="17:00", day_of_week=["SATURDAY"]),
)


def test_8_many_elements() -> None:
    slow = charging(minutes=165, current_a=D(16))
    assert cost(tariff(*COMPLEX), slow, then(slow, 42)).total == (D("9.00"), D("10.30"))
    at_32_a = charging(minutes=60, current_a=D(32))  # "above 32 A" begins at 32
    assert cost(tariff(*COMPLEX), at_32_a).time == (D("2.00"), D("2.40"))
    assert cost(tariff(*COMPLEX), charging(start=MONDAY - timedelta(days=1), current_a=D(40))).time.before == D("1.25")
    assert cost(tariff(*COMPLEX), charging(start=MONDAY - timedelta(days=1)), version=V221).parking.before == 0


def test_9_free_with_a_step_of_nothing() -> None:
    free = tariff(element(component("FLAT", "0.00", step=0), component("ENERGY", "0.00", step=0)))
    assert cost(free, charging("20"), then(charging(), 500)).total == (D(0), D(0))


RESERVED_5 = element(component("TIME", "5.00", "20", 60), reservation="RESERVATION")


def test_10_a_reservation_that_is_used() -> None:
    reservable = tariff(RESERVED_5, element(FLAT_50, KWH_25))
    held = charging(minutes=15, doing="reserved")
    costs = cost(reservable, held, then(held, 60, "charging", kwh=D(20)))
    assert costs.total == (D("6.75"), D("7.60"))
    assert costs.reservation.before == D("1.25")


EXPIRING = (
    element(component("FLAT", "4.00", "20"), reservation="RESERVATION_EXPIRES"),
    element(component("TIME", "2.00", "20", 600), reservation="RESERVATION"),
    element(FLAT_50, KWH_25),
)


def test_11_a_reservation_with_a_fee_for_no_show() -> None:
    held = charging(minutes=22, doing="reserved")
    costs = cost(tariff(*EXPIRING), held, then(held, 60, "charging", kwh=D(20)))
    assert costs.total == (D("6.50"), D("7.30"))
    assert costs.billed_reservation_h == Fraction(1, 2)
    in_vain = cost(tariff(*EXPIRING), held, expired=True)
    assert in_vain.total == (D("5.00"), D("6.00"))  # the fee, and the time, since no other element has that
    assert in_vain.fixed.before == 0


def test_12_steps_of_a_watt_hour() -> None:
    costs = cost(tariff(*SIMPLE), charging("0.1152"))
    assert costs.billed_kwh == Fraction("0.116")
    assert costs.total.before == D("0.03")  # of 0.029


@pytest.mark.parametrize(("minutes", "doing"), [(8, "parked"), (6, "charging")])
def test_13_steps_of_five_minutes(minutes: int, doing: Any) -> None:
    stepped = tariff(element(component("PARKING_TIME", "6.00", step=300), component("TIME", "6.00", step=300)))
    assert cost(stepped, charging(minutes=minutes, doing=doing)).total.before == D("1.00")


def test_14_prices_by_the_clock_and_the_last_one_rounds() -> None:
    by_clock = tariff(
        element(component("TIME", "1.20", step=1800), component("PARKING_TIME", "1.00", step=900), end_time="17:00"),
        element(
            component("TIME", "2.40", step=900),
            component("PARKING_TIME", "1.00", step=900),
            start_time="17:00",
            end_time="20:00",
        ),
        element(component("TIME", "2.40", step=900), start_time="20:00", end_time="00:00"),
    )
    before_five = charging(minutes=10, start=MONDAY.replace(hour=16, minute=55))
    costs = cost(by_clock, before_five, then(before_five, 2))
    assert costs.total.before == D("0.55")
    assert (costs.time.before, costs.parking.before) == (D("0.30"), D("0.25"))
    late = charging(minutes=15, start=MONDAY.replace(hour=23, minute=45))
    assert cost(by_clock, late, then(late, 10)).total.before == D(
        "0.85"
    )  # 15 min at 2.40, and parking in the element of after midnight


def test_15_prices_by_how_long_it_lasts() -> None:
    longer = tariff(
        element(component("ENERGY", "0.00"), max_duration=1800),
        element(component("ENERGY", "0.25"), max_duration=3600),
        element(component("ENERGY", "0.40")),
    )
    first = charging("5", 30)
    assert cost(longer, first, then(first, 10, "charging", kwh=D("1.2"))).total.before == D("0.30")


def test_16_time_and_parking_are_not_added_up() -> None:
    stepped = tariff(element(component("TIME", "1.00", step=300), component("PARKING_TIME", "1.00", step=300)))
    costs = cost(stepped, charging(minutes=21), then(charging(minutes=21), 7))
    assert (costs.billed_h * 60, costs.billed_parking_h * 60) == (Fraction(21), Fraction(10))


def test_17_the_surplus_goes_to_the_last_price() -> None:
    at_five = tariff(
        element(component("ENERGY", "0.20", step=500), end_time="17:00"),
        element(component("ENERGY", "0.27", step=500), start_time="17:00"),
    )
    before = charging("4.3", 60, MONDAY.replace(hour=16, minute=0))
    costs = cost(at_five, before, then(before, 20, "charging", kwh=D("1.1")))
    assert costs.billed_kwh == Fraction("5.5")
    assert costs.energy.before == D("1.18")  # of 1.184


def test_18_taxes_may_be_in_the_price() -> None:
    included = tariff(element(component("FLAT", "0.50", "25")), version=V230, tax_included="YES")
    assert cost(included, charging(), version=V230).total == (D("0.40"), D("0.50"))
    no_rate = tariff(element(component("FLAT", "0.50")), version=V230, tax_included="YES")
    assert cost(no_rate, charging(), version=V230).total == (D("0.50"), D("0.50"))
    none = tariff(element(component("FLAT", "0.50")), version=V230, tax_included="N/A")
    assert cost(none, charging(), version=V230).total == (D("0.50"), D("0.50"))
    added = tariff(element(component("TIME", "1.90", "5.2"), component("FLAT", "0.40", "25")), version=V230)
    assert cost(added, charging(), version=V230).total == (D("2.30"), D("2.50"))  # 1.9988 + 0.50


def test_limits_after_tax_are_their_own_in_the_newer_version() -> None:
    capped = tariff(*SIMPLE, version=V230, max_price={"before_taxes": D(4), "after_taxes": D("5.25")})
    assert cost(capped, charging("20"), version=V230).total == (D("4.00"), D("5.25"))
    only_before = tariff(*SIMPLE, version=V230, max_price={"before_taxes": D(4)})
    assert cost(only_before, charging("20"), version=V230).total == (D("4.00"), D("5.50"))


def test_vat_of_nothing_is_not_the_same_as_no_vat() -> None:
    zero, none = (tariff(element(component("FLAT", "1.00", vat)), version=V230) for vat in ("0", None))
    assert cost(zero, charging(), version=V230).total == (D(1), D(1))
    assert cost(none, charging(), version=V230).total == (D(1), None)


def test_an_element_may_give_one_dimension_and_a_later_one_another() -> None:
    two = tariff(element(component("FLAT", "1.00")), element(component("FLAT", "9.00"), component("ENERGY", "0.50")))
    assert cost(two, charging("10")).total.before == D("6.00")


def test_restrictions_are_asked_in_each_period_and_energy_is_interpolated() -> None:
    cheaper_later = tariff(element(component("ENERGY", "0.50"), max_kwh=D(10)), element(component("ENERGY", "0.30")))
    assert cost(cheaper_later, charging("25")).total.before == D("9.50")
    by_power = tariff(element(component("ENERGY", "1.00"), min_power=D(50)), element(component("ENERGY", "0.50")))
    fast = charging("10", power_kw=D(60))
    assert cost(by_power, fast, then(fast, 60, "charging", kwh=D(10), power_kw=D(20))).total.before == D("15.00")


def test_while_parked_there_is_no_current() -> None:
    weak = tariff(element(component("PARKING_TIME", "1.00"), max_current=D(6)), element(component("PARKING_TIME", "9.00")))
    parked = charging(minutes=60, doing="parked", current_a=D(32))
    assert cost(weak, parked).total.before == D("1.00")


def test_a_tariff_of_time_alone_costs_nothing_while_parked() -> None:
    timed = tariff(element(component("TIME", "6.00", step=600)))
    costs = cost(timed, charging(minutes=5), then(charging(minutes=5), 600))
    assert costs.total.before == D("1.00")  # a free last part is not the last: time is rounded up


def test_windows_over_midnight_and_dates_are_of_the_place() -> None:
    night = tariff(element(component("TIME", "1.00"), start_time="22:00", end_time="06:00", day_of_week=["MONDAY"]))
    monday_ten = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
    assert cost(night, charging(minutes=8 * 60, start=monday_ten), zone="Asia/Shanghai").time.before == D("2.00")
    june = tariff(element(component("TIME", "1.00"), start_date="2026-06-02", end_date="2026-06-03"))
    assert cost(june, charging(minutes=48 * 60, start=monday_ten), zone="Asia/Shanghai").time.before == D("24.00")


def test_the_day_on_which_clocks_change_has_23_hours() -> None:
    whole_day = tariff(element(component("TIME", "1.00"), day_of_week=["SUNDAY"]))
    saturday = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert cost(whole_day, charging(minutes=48 * 60, start=saturday), zone="Europe/Berlin").time.before == D("23.00")


def test_each_flat_fee_that_becomes_active_is_charged_once() -> None:
    two_fees = tariff(element(component("FLAT", "1.00"), end_time="10:00"), element(component("FLAT", "2.00")))
    assert cost(two_fees, charging(minutes=300)).fixed.before == D("3.00")
