"""Who registers with whom, and with which token: over real sockets."""

from pathlib import Path

import pytest

from chargeloop.gateway.partners.ocpi import Handshake, OcpiPartners, Peer, Peers, Us, role
from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence import Store
from chargeloop.protocols.ocpi import Party, Refused, Status, Version, joined
from tests.gateway.partners.ocpi_nodes import (
    CPO,
    CPO_ROLE,
    EMSP,
    EMSP_ROLE,
    NOW,
    Pair,
    Site,
    Stranger,
    Wallet,
    as_peer,
    connect,
    node,
    pair,
)


def good(peer: Peer) -> tuple[str, Version | None, tuple[Party, ...]]:
    return peer.state, peer.version, peer.parties


async def test_two_platforms_register_and_speak_the_highest_version_of_both(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE) as emsp,
    ):
        await connect(cpo, emsp, "emsp", "cpo")
        assert good(cpo.partners.peers.named("emsp")) == ("connected", Version.V230, (EMSP,))
        assert good(emsp.partners.peers.named("cpo")) == ("connected", Version.V230, (CPO,))
        offered = {(each.module, each.side) for each in emsp.partners.peers.named("cpo").endpoints}
        assert {("locations", "SENDER"), ("commands", "RECEIVER"), ("tokens", "RECEIVER"), ("credentials", "SENDER")} <= offered
        assert ("locations", "RECEIVER") not in offered


async def test_an_older_partner_gets_the_older_version(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE, versions=(Version.V221,)) as emsp,
    ):
        await connect(cpo, emsp, "emsp", "cpo")
        assert cpo.partners.peers.named("emsp").version is Version.V221


async def test_no_version_in_common(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE, versions=(Version.V230,)) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE, versions=(Version.V221,)) as emsp,
    ):
        with pytest.raises(Refused) as refused:
            await connect(cpo, emsp, "emsp", "cpo")
        assert refused.value.status == Status.UNSUPPORTED_VERSION
        assert cpo.partners.peers.named("emsp").state == "invited"


async def test_who_registers_stops_where_a_module_is_missing(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE, needed=[("tariffs", "SENDER"), ("tokens", "SENDER")]) as emsp,
    ):
        with pytest.raises(Refused, match="no SENDER of tokens") as refused:
            await connect(cpo, emsp, "emsp", "cpo")
        assert refused.value.status == Status.NO_MATCHING_ENDPOINTS
        assert cpo.partners.peers.named("emsp").invitation is not None  # nothing was posted: the invitation is good


async def test_a_failed_call_back_leaves_the_invitation_usable(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE) as emsp,
    ):
        invitation = await cpo.partners.peers.invite("emsp", NOW, cleartext=True)
        by_hand = Stranger(cpo, invitation)
        credentials = {
            "token": "B",
            "url": "http://127.0.0.1:9/ocpi/versions",
            "roles": [{"role": "EMSP", "party_id": "TNM", "country_code": "NL", "business_details": {"name": "TNM"}}],
        }
        answer = await by_hand.say("POST", "2.3.0/credentials", credentials)
        assert (answer.http, answer.code) == (200, Status.CANNOT_USE_CLIENT)
        url = cpo.partners.us.versions_url
        assert (await emsp.partners.handshake.register("cpo", url, invitation, cleartext=True)).state == "connected"
        again = await by_hand.say("GET", "versions")
        assert again.http == 401  # the invitation is void now


@pytest.mark.parametrize("missing", [("tokens", "SENDER"), ("tokens", "RECEIVER")])
async def test_who_is_registered_looks_for_modules_too(tmp_path: Path, missing: tuple[str, str]) -> None:
    needs = [missing]
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE, needed=needs) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), role("NSP", EMSP, "TheNewMotion")) as emsp,
    ):
        with pytest.raises(Refused) as refused:
            await connect(cpo, emsp, "emsp", "cpo")
        assert refused.value.status == Status.NO_MATCHING_ENDPOINTS


async def test_an_invitation_opens_nothing_but_the_handshake(tmp_path: Path) -> None:
    async with node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo:
        invited = Stranger(cpo, await cpo.partners.peers.invite("emsp", NOW))
        assert (await invited.say("GET", "versions")).http == 200
        assert (await invited.say("GET", "2.2.1")).code == 1000
        assert (await invited.say("GET", "2.2.1/sender/locations")).http == 401
        assert (await invited.say("GET", "2.2.1/credentials")).code == 1000


@pytest.mark.parametrize("secret", ["?", "wrong", "x" * 400])
async def test_a_wrong_token_opens_nothing(tmp_path: Path, secret: str) -> None:
    async with node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo:
        await cpo.partners.peers.invite("emsp", NOW)
        answer = await Stranger(cpo, secret).say("GET", "versions")
        assert (answer.http, answer.code) == (401, 2000)
        assert "timestamp" in answer.body
        assert cpo.partners.counts["nobody", "refused 2000"] == 1


async def test_post_put_and_delete_in_the_wrong_state(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        stranger = await as_peer(both.cpo, "emsp")
        assert (await stranger.say("POST", "2.3.0/credentials", {})).http == 405
        fresh = Stranger(both.cpo, await both.cpo.partners.peers.invite("other", NOW))
        assert (await fresh.say("PUT", "2.3.0/credentials", {})).http == 405
        assert (await fresh.say("DELETE", "2.3.0/credentials")).http == 405
        assert (await fresh.say("PATCH", "2.3.0/credentials", {})).http == 405


async def test_tokens_change_and_the_old_one_ends(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        before = both.emsp.partners.peers.named("cpo").token
        assert before is not None
        await both.emsp.partners.handshake.renew("cpo")
        after = both.emsp.partners.peers.named("cpo").token
        assert after not in (None, before)
        old = Stranger(both.cpo, before)
        assert (await old.say("GET", "versions")).http == 200  # the new one may have got lost on the way
        await both.emsp.partners.catch_up.pull("cpo", "locations")
        assert (await old.say("GET", "versions")).http == 401
        await both.cpo.partners.catch_up.pull("emsp", "tokens")  # the other way, with the new token


async def test_the_invited_side_can_change_tokens_as_well(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await both.cpo.partners.handshake.renew("emsp")
        await works_both_ways(both)


async def works_both_ways(both: Pair) -> None:
    assert (await both.emsp.partners.catch_up.pull("cpo", "locations")).new == 6
    assert (await both.cpo.partners.catch_up.pull("emsp", "tokens")).new == 1


async def test_a_change_of_tokens_that_fails_leaves_the_old_ones(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await both.cpo.down()
        with pytest.raises(Unreachable):
            await both.emsp.partners.handshake.renew("cpo")
        await both.cpo.up()
        await works_both_ways(both)


async def test_the_end(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await both.emsp.partners.handshake.unregister("cpo")
        assert both.cpo.partners.peers.named("emsp").state == "suspended"
        assert both.emsp.partners.peers.named("cpo").state == "suspended"
        assert await both.cpo.partners.push.put("locations", (await both.site.locations(both.version))[0]) == {}
        await connect(both.cpo, both.emsp, "emsp", "cpo")  # and a new beginning
        await works_both_ways(both)


async def test_partners_outlive_a_restart_and_their_tokens_are_not_in_the_database(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        secret = both.emsp.partners.peers.named("cpo").token
        assert secret is not None
        again = await Peers.load(both.cpo.store)
        assert again.named("emsp") == both.cpo.partners.peers.named("emsp")
        await both.emsp.partners.catch_up.pull("cpo", "locations")
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.glob("cpo.db*"))


async def test_peers_that_do_not_encode_their_token(tmp_path: Path) -> None:
    async with node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo:
        old = Stranger(cpo, await cpo.partners.peers.invite("old", NOW, encodes=False))
        assert (await old.say("GET", "versions", encoded=False)).http == 200
        assert (await old.say("GET", "versions")).http == 401


async def test_a_token_encoded_with_a_newline_as_in_the_sample(tmp_path: Path) -> None:
    async with node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo:
        secret = await cpo.partners.peers.invite("emsp", NOW)
        assert (await Stranger(cpo, secret + "\n").say("GET", "versions")).http == 200
        assert (await Stranger(cpo, secret + "\n\n").say("GET", "versions")).http == 401


async def test_nobody_registers_as_somebody_else(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        invitation = await both.cpo.partners.peers.invite("second", NOW, cleartext=True)
        async with node(tmp_path / "third.db", Wallet().ports(), EMSP_ROLE) as third:
            url = both.cpo.partners.us.versions_url
            with pytest.raises(Refused, match="another partner's") as refused:
                await third.partners.handshake.register("cpo", url, invitation, cleartext=True)
            assert refused.value.status == Status.BAD_PARAMETERS


async def test_without_tls_only_where_that_was_agreed(tmp_path: Path) -> None:
    async with (
        node(tmp_path / "cpo.db", Site().ports(), CPO_ROLE) as cpo,
        node(tmp_path / "emsp.db", Wallet().ports(), EMSP_ROLE) as emsp,
    ):
        invitation = await cpo.partners.peers.invite("emsp", NOW)
        with pytest.raises(Refused, match="https"):
            await emsp.partners.handshake.register("cpo", cpo.partners.us.versions_url, invitation, cleartext=True)


async def test_names_of_partners(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        with pytest.raises(BadInput, match="is connected"):
            await both.cpo.partners.peers.invite("emsp", NOW)
        with pytest.raises(BadInput, match="no partner"):
            both.cpo.partners.peers.named("nobody")
        with pytest.raises(BadInput, match="printable"):
            await both.cpo.partners.peers.invite("", NOW)


async def test_what_one_offers_follows_from_its_roles() -> None:
    us = Us(url="https://example.com/ocpi", roles=(CPO_ROLE,))
    older, newer = (us.details(each) for each in (Version.V221, Version.V230))
    assert older.url("invoicereconciliation", "SENDER") is None
    assert newer.url("invoicereconciliation", "SENDER") is not None
    assert older.url("locations", "SENDER") == joined(us.url, "2.2.1", "sender", "locations")
    assert older.url("credentials", "RECEIVER") == older.url("credentials", "SENDER")
    assert {Handshake, OcpiPartners, Store}  # what serves all of this
