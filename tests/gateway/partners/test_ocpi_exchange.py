"""An operator and a provider over real sockets: lists, pushes, tokens, commands, profiles, bills, and a link that is cut."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chargeloop.gateway.partners.ocpi import Asked, CatchUp, Id, Objects, OcpiPartners, Peers, Pulled, Push, Received
from chargeloop.model import EvseStatus
from chargeloop.persistence import Store
from chargeloop.protocols.ocpi import Refused, Status, Version, Window, locations, read, recomputed, sessions, tokens, write
from chargeloop.protocols.ocpi.commands import ChargingProfile, ProfilePeriod
from chargeloop.protocols.ocpi.sessions import credited
from tests.gateway.partners.ocpi_nodes import CARD, CITY, CPO, EMSP, NOW, Pair, Site, Wallet, pair, token

VERSIONS = [Version.V221, Version.V230]
BOTH = pytest.mark.parametrize("version", VERSIONS)
D = Decimal
LATER = NOW + timedelta(hours=1)
OTHERS = CARD.model_copy(update={"country_code": "DE", "party_id": "ABC", "uid": "CARD-9"})


async def pulled(both: Pair, module: str, is_full: bool = False) -> Pulled:
    return await both.emsp.partners.catch_up.pull("cpo", module, is_full)


async def eventually(found: Any, what: Any, seconds: float = 30.0) -> None:
    """Wait until what a function finds is what was expected."""
    for _ in range(int(seconds / 0.01)):
        if found() == what:
            return
        await asyncio.sleep(0.01)
    assert found() == what


# --- pulling ----------------------------------------------------------------------------------------------------------------


@BOTH
async def test_all_lists_are_pulled_and_the_second_time_nothing_is_new(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        both.site.charge(3)
        first = await both.emsp.partners.catch_up.pull_all("cpo")
        counts = {module: each.new for module, each in first.items() if each is not None}
        invoices = {"invoicereconciliation": 0} if version is Version.V230 else {}
        assert counts == {"locations": 6, "sessions": 3, "tariffs": 4, "cdrs": 3} | invoices
        again = await both.emsp.partners.catch_up.pull_all("cpo")
        assert all(each is not None and not each.new and not each.changed for each in again.values())
        assert len(both.wallet.told) == 16
        assert [write(each, version) for each in both.wallet.things("cdrs")] == [
            write(both.site.cdr(n, version), version) for n in range(3)
        ]


async def test_a_list_of_many_pages(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(25)
        both.cpo.partners._sending._cap = 7
        assert (await pulled(both, "cdrs")).new == 25
        assert [each.id for each in both.wallet.things("cdrs")] == [f"CDR-S-{n}" for n in range(25)]


async def test_only_what_changed_is_pulled_again(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await pulled(both, "locations")
        both.site.statuses["S0-01"], both.site.changed["S0-01"] = EvseStatus.CHARGING, LATER
        assert await pulled(both, "locations") == Pulled(new=0, changed=1, same=5, broken=0)  # five minutes are read twice
        assert await pulled(both, "locations") == Pulled(new=0, changed=0, same=1, broken=0)
        assert both.wallet.things("locations")[-1].evses[0].status == "CHARGING"


async def test_after_all_of_a_list_what_is_not_in_it_is_gone(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await pulled(both, "tariffs")
        kept = (await both.site.tariffs(both.version))[:1]

        async def fewer(version: Version) -> list[Any]:
            return kept

        both.cpo.partners._sending._ports = replace(both.site.ports(), tariffs=fewer)
        await pulled(both, "tariffs")  # since the last one: this says nothing of others
        assert len(await both.emsp.partners.objects.all("tariffs")) == 4
        await pulled(both, "tariffs", is_full=True)
        assert len(await both.emsp.partners.objects.all("tariffs")) == 1
        assert [each.thing for each in both.wallet.told[-3:]] == [None] * 3


async def test_a_list_with_broken_objects_gives_the_good_ones(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        good = await both.site.locations(both.version)

        async def some_broken(version: Version) -> list[Any]:
            return [good[0].model_copy(update={"country": "China"}), good[1].model_copy(update={"party_id": "XXX"}), *good[2:]]

        both.cpo.partners._sending._ports = replace(both.site.ports(), locations=some_broken)
        assert await pulled(both, "locations") == Pulled(new=4, changed=0, same=0, broken=2)


async def test_each_provider_sees_the_sessions_and_bills_of_its_own_cards(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(1, OTHERS)
        both.site.charge(2)
        assert (await pulled(both, "sessions")).new == 2
        assert (await pulled(both, "cdrs")).new == 2
        assert await both.cpo.partners.push.put("cdrs", both.site.cdr(0, both.version)) == {}


# --- pushing ----------------------------------------------------------------------------------------------------------------


@BOTH
async def test_what_happens_is_pushed(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        both.site.charge(1)
        push, list_of = both.cpo.partners.push, both.emsp.partners.objects.all
        for module, thing in [
            ("locations", (await both.site.locations(version))[0]),
            ("tariffs", (await both.site.tariffs(version))[0]),
            ("sessions", both.site.session(0, version)),
            ("cdrs", both.site.cdr(0, version)),
        ]:
            for _ in range(2):  # the second time nothing happens
                assert await push.put(module, thing) == {"emsp": None}
            assert await list_of(module) == [write(thing, version)]
            assert both.wallet.things(module) == [read(type(thing), write(thing, version), version)]
        assert await both.emsp.partners.push.put("tokens", token()) == {"cpo": None}
        assert await both.cpo.partners.objects.all("tokens") == [write(token(), version)]
        assert await push.delete("tariffs", (await both.site.tariffs(version))[0]) == {"emsp": None}
        assert await list_of("tariffs") == []


@BOTH
async def test_a_bill_arrives_to_the_cent(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        both.site.charge(1)
        await both.cpo.partners.push.put("cdrs", both.site.cdr(0, version))
        (cdr,) = both.wallet.things("cdrs")
        assert cdr.total_cost.after == D("13.00")  # 5 kWh at 1.00, 5 kWh at 1.60 after 17:00
        assert cdr.total_cost.before == D("11.50")
        assert recomputed(cdr, CITY.time_zone, version).total == (D("11.50"), D("13.00"))


async def test_a_patch_changes_one_field(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        first, later = await changed_location(both)
        await both.cpo.partners.push.put("locations", first)
        said = await both.cpo.partners.push.patch("locations", later, {"name": "New", "last_updated": "2025-06-10T09:30:00Z"})
        assert said == {"emsp": None}
        assert both.wallet.things("locations")[-1] == later


async def changed_location(both: Pair) -> tuple[Any, Any]:
    first = read(locations.Location, write((await both.site.locations(both.version))[0], both.version), both.version)
    return first, first.model_copy(update={"name": "New", "last_updated": LATER})


async def test_a_patch_of_what_is_not_there_is_repaired_with_all_of_it(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        _, later = await changed_location(both)
        said = await both.cpo.partners.push.patch("locations", later, {"name": "New", "last_updated": "2025-06-10T09:30:00Z"})
        assert said == {"emsp": None}
        assert both.wallet.things("locations") == [later]


async def test_pushes_that_overtake_each_other(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        first, later = await changed_location(both)
        await both.cpo.partners.push.put("locations", later)
        assert await both.cpo.partners.push.put("locations", first) == {"emsp": None}  # it is old, and changes nothing
        await both.cpo.partners.push.patch("locations", later, {"name": "Old", "last_updated": "2025-06-10T08:30:00Z"})
        assert await both.emsp.partners.objects.all("locations") == [write(later, both.version)]
        assert both.wallet.things("locations") == [later]


# --- tokens -----------------------------------------------------------------------------------------------------------------

HERE = tokens.LocationReferences(location_id="S0", evse_uids=("S0-01",))


@BOTH
async def test_whether_a_card_may_charge(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        asks = both.cpo.partners.may_charge
        assert await asks("CARD-1", HERE) is None  # nobody has told of that card
        await both.cpo.partners.catch_up.pull("emsp", "tokens")
        info = await asks("CARD-1", HERE)
        assert isinstance(info, tokens.AuthorizationInfo)
        assert (info.allowed, info.authorization_reference, info.location) == ("ALLOWED", "auth-1", HERE)
        await both.emsp.down()
        assert await asks("CARD-1", HERE) is True  # it may be used while its owner cannot be reached
        await both.emsp.up()


async def test_lists_of_cards_and_whom_to_ask(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.wallet.tokens = [
            token("ALWAYS").model_copy(update={"whitelist": "ALWAYS"}),
            token("BLOCKED", is_valid=False).model_copy(update={"whitelist": "ALLOWED"}),
            token("APP", kind="APP_USER"),
        ]
        await both.cpo.partners.catch_up.pull("emsp", "tokens")
        await both.emsp.down()
        asks = both.cpo.partners.may_charge
        assert [await asks(each, HERE) for each in ("ALWAYS", "BLOCKED")] == [True, False]
        assert await asks("APP", HERE, "APP_USER") is None  # NEVER: its owner alone can tell
        await both.emsp.up()
        both.cpo.partners.client.back_off.clear()
        both.wallet.tokens[2] = token("APP", kind="APP_USER", is_valid=False)
        info = await asks("APP", HERE, "APP_USER")
        assert isinstance(info, tokens.AuthorizationInfo)
        assert info.allowed == "BLOCKED"


# --- commands ---------------------------------------------------------------------------------------------------------------


def wire_token(version: Version) -> Any:
    return write(token("APP-1", kind="APP_USER"), version)


@BOTH
async def test_a_start_is_answered_at_once_and_its_result_comes_later(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        ask = both.emsp.partners.command
        asked, reply = await ask(CPO, "START_SESSION", token=wire_token(version), location_id="S0", evse_uid="S0-01")
        assert isinstance(asked, Asked)
        assert reply == "ACCEPTED"
        assert await both.emsp.partners.result(asked, 5) == "ACCEPTED"
        assert both.site.asked[0].token.uid == "APP-1"
        assert await both.cpo.partners.objects.all("tokens") == []  # a token in a command is used, not kept
        assert await both.cpo.partners.may_charge("APP-1", HERE) is True  # its provider vouches for it
        both.site.outcome = "EVSE_OCCUPIED"
        asked, _ = await ask(CPO, "START_SESSION", token=wire_token(version), location_id="S0")
        assert await both.emsp.partners.result(asked, 5) == "EVSE_OCCUPIED"


@pytest.mark.parametrize(
    ("name", "fields", "reply"),
    [
        ("STOP_SESSION", {"session_id": "S-0"}, "ACCEPTED"),
        ("STOP_SESSION", {"session_id": "none"}, "UNKNOWN_SESSION"),
        ("UNLOCK_CONNECTOR", {"location_id": "S0", "evse_uid": "S0-01", "connector_id": "1"}, "REJECTED"),
        ("MAKE_COFFEE", {}, "NOT_SUPPORTED"),
    ],
)
async def test_other_commands(tmp_path: Path, name: str, fields: dict[str, Any], reply: str) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(1)
        assert (await both.emsp.partners.command(CPO, name, **fields))[1] == reply


async def test_a_command_for_an_unknown_place(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        places: list[dict[str, Any]] = [{"location_id": "S99"}, {"location_id": "S0", "evse_uid": "S9-01"}]
        for place in places:
            with pytest.raises(Refused) as refused:
                await both.emsp.partners.command(CPO, "START_SESSION", token=wire_token(both.version), **place)
            assert refused.value.status == Status.UNKNOWN_LOCATION


async def test_reservations_are_kept_apart_and_can_be_cancelled_by_either_side(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        ask, result = both.emsp.partners.command, both.emsp.partners.result
        common = {"token": wire_token(both.version), "expiry_date": "2025-06-10T10:00:00Z"}
        asked, _ = await ask(CPO, "RESERVE_NOW", reservation_id="R-1", location_id="S0", **common)
        assert await result(asked, 5) == "ACCEPTED"
        await ask(CPO, "RESERVE_NOW", reservation_id="R-1", location_id="S0", evse_uid="S0-02", **common)
        await ask(CPO, "RESERVE_NOW", reservation_id="R-2", location_id="S0", **common)
        first, replaced, second = both.site.asked
        assert first.number == replaced.number != second.number
        await both.cpo.partners.reservation_cancelled(second.number)
        await ask(CPO, "CANCEL_RESERVATION", reservation_id="R-1")
        assert both.site.asked[-1] == first.number
        asked, reply = await ask(CPO, "CANCEL_RESERVATION", reservation_id="R-9")
        assert (reply, await result(asked, 5)) == ("ACCEPTED", "UNKNOWN_RESERVATION")


async def test_an_answer_to_a_reservation_may_be_followed_by_its_end(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        fields = {"token": wire_token(both.version), "expiry_date": "2025-06-10T10:00:00Z", "location_id": "S0"}
        asked, _ = await both.emsp.partners.command(CPO, "RESERVE_NOW", reservation_id="R-1", **fields)
        assert await both.emsp.partners.result(asked, 5) == "ACCEPTED"
        await both.cpo.partners.reservation_cancelled(both.site.asked[0].number)
        assert await both.emsp.partners.result(asked, 5) == "CANCELED_RESERVATION"
        with pytest.raises(Refused, match="nobody knows"):
            await both.cpo.partners.reservation_cancelled(99)


async def test_a_result_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargeloop.gateway.partners.ocpi.commanding.TIMEOUT_S", 1)
    async with pair(tmp_path) as both:

        async def never() -> str:
            await asyncio.sleep(60)
            return "ACCEPTED"

        monkeypatch.setattr(both.site, "later", never)
        both.site.charge(1)
        asked, reply = await both.emsp.partners.command(CPO, "STOP_SESSION", session_id="S-0")
        assert reply == "ACCEPTED"
        assert await both.emsp.partners.result(asked, 5) == "TIMEOUT"


async def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        asked, _ = await both.emsp.partners.command(CPO, "STOP_SESSION", session_id="none")
        with pytest.raises(TimeoutError):
            await both.emsp.partners.result(asked, 0.05)


# --- profiles and preferences -----------------------------------------------------------------------------------------------


@BOTH
async def test_charging_profiles(tmp_path: Path, version: Version) -> None:
    async with pair(tmp_path, version) as both:
        provider, limit = both.emsp.partners, ProfilePeriod(start_period=0, limit=D("7400"))
        assert not await both.cpo.partners.profile_changed("S-0")  # nobody has asked to be told
        profile = ChargingProfile(charging_rate_unit="W", charging_profile_period=(limit,))
        asked, reply = await provider.set_profile(CPO, "S-0", profile)
        assert (reply, await provider.result(asked, 5)) == ("ACCEPTED", "ACCEPTED")
        assert both.site.limit_w == 7400
        asked, _ = await provider.ask_profile(CPO, "S-0", 900)
        answer = await provider.answer(asked, 5)
        assert answer["profile"]["charging_profile"]["charging_profile_period"][0]["limit"] == 7400
        assert await both.cpo.partners.profile_changed("S-0")
        assert both.wallet.active[0].charging_profile.duration == 3600
        asked, reply = await provider.set_profile(CPO, "S-0", None)
        assert (reply, await provider.result(asked, 5)) == ("ACCEPTED", "ACCEPTED")
        assert both.site.limit_w is None


# --- a link that is cut -----------------------------------------------------------------------------------------------------


async def test_after_an_outage_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        push = both.cpo.partners.push
        both.site.charge(3)
        await push.put("cdrs", both.site.cdr(0, both.version))
        await pulled(both, "cdrs")
        await both.emsp.down()
        both.site.charge(20)
        said = [await push.put("cdrs", both.site.cdr(n, both.version)) for n in range(3, 23)]
        assert all(each["emsp"] is not None for each in said)
        assert both.cpo.partners.counts["emsp", "unreachable"] < 20  # it was soon left alone for a while
        await both.emsp.up()
        both.cpo.partners.client.back_off.clear()
        both.site.charge(2)
        assert await push.put("cdrs", both.site.cdr(23, both.version)) == {
            "emsp": None
        }  # a newer one is there before the others
        caught_up = await pulled(both, "cdrs")
        assert (caught_up.new, caught_up.broken) == (21, 0)
        assert sorted(int(each.id[6:]) for each in both.wallet.things("cdrs")) == list(range(25))


async def test_an_operator_that_is_gone_is_asked_again_until_it_is_back(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(2)
        await both.cpo.down()
        running = asyncio.create_task(both.emsp.partners.catch_up.run(every_s=0.05, look_s=0.02))
        await eventually(lambda: both.emsp.partners.counts["cpo", "unreachable"] > 0, True)
        both.site.charge(3)
        await both.cpo.up()
        await eventually(lambda: len(both.wallet.things("cdrs")), 5)
        both.site.charge(1)
        await eventually(lambda: len(both.wallet.things("cdrs")), 6)
        running.cancel()
        assert [each.id for each in both.wallet.things("cdrs")] == [f"CDR-S-{n}" for n in range(6)]


async def test_a_list_that_breaks_off_is_read_again(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(12)
        both.cpo.partners._sending._cap = 5
        take, taken = both.emsp.partners.catch_up._take, 0

        async def cut_in_the_middle(*arguments: Any) -> int:
            nonlocal taken
            taken += 1
            if taken == 6:
                await both.cpo.down()
            return await take(*arguments)

        both.emsp.partners.catch_up._take = cut_in_the_middle  # type: ignore[method-assign, assignment]
        result = await both.emsp.partners.catch_up.pull_all("cpo")
        assert result["cdrs"] is None
        assert await both.emsp.partners.objects.seen("cpo", "cdrs") is None
        await both.cpo.up()
        both.emsp.partners.client.back_off.clear()
        await pulled(both, "cdrs")
        assert [each.id for each in both.wallet.things("cdrs")] == [f"CDR-S-{n}" for n in range(12)]


async def test_what_was_received_outlives_a_restart(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(2)
        await pulled(both, "cdrs")
        again = await OcpiPartners.open(both.emsp.store, both.emsp.partners.us, both.wallet.ports())
        assert (await again.catch_up.pull("cpo", "cdrs")).new == 0
        await again.close()
        assert len(await Objects(both.emsp.store).all("cdrs")) == 2


async def test_the_tables_are_the_same_on_both_databases(database_url: str) -> None:
    store = await Store.open(database_url)
    objects, peers = Objects(store), await Peers.load(store)
    await peers.invite("p", NOW)
    which = Id("tokens", EMSP, "CARD-1|RFID")
    for n in range(3):
        body = {"uid": f"T{n}", "last_updated": f"2025-06-10T08:3{n}:00Z", "x": D("1.50")}
        changed = await objects.change(which._replace(key=f"T{n}"), "p", lambda before, body=body: body)  # type: ignore[misc]
        assert changed.is_new
        assert not (await objects.change(which._replace(key=f"t{n}"), "p", lambda before, body=body: body)).is_change  # type: ignore[misc]
    page = await objects.page("tokens", Window(NOW + timedelta(minutes=1), None, 0, 1))
    assert (page.total, page.items[0]["uid"], page.items[0]["x"]) == (2, "T1", D("1.50"))
    await objects.set_seen("p", "tokens", NOW)
    await objects.set_seen("p", "tokens", LATER)
    assert await objects.seen("p", "tokens") == LATER
    assert await objects.remove(which._replace(key="T0"))
    assert not await objects.remove(which._replace(key="T0"))
    assert [each.peer_id for each in (await Peers.load(store)).all] == ["p"]
    await store.close()


async def test_a_wrong_bill_is_credited_and_made_anew(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.site.charge(1)
        wrong = both.site.cdr(0, both.version)
        right = wrong.model_copy(update={"id": "CDR-S-0-B", "last_updated": LATER})
        for each in (wrong, credited(wrong, LATER), right):
            assert await both.cpo.partners.push.put("cdrs", each) == {"emsp": None}
        kept = both.wallet.things("cdrs")
        assert sum(each.total_cost.after for each in kept) == wrong.total_cost.after
        assert kept[1].total_energy_cost.after > 0  # only the total is negative
        assert {Push, CatchUp, Received, sessions.Cdr, Site, Wallet}
