"""What is used of the settings that stations tell."""

import pytest

from chargeloop.protocols.ocpp import Traits, Variable, changes_of, merged, of_configuration, of_report, traits_of


def key(name: str, value: str) -> Variable:
    return Variable("Configuration", name, value)


@pytest.mark.parametrize(
    ("told", "traits"),
    [
        (key("LocalAuthListEnabled", "True"), Traits(has_local_list=True)),
        (Variable("LocalAuthListCtrlr", "Enabled", "true"), Traits(has_local_list=True)),
        (Variable("LocalAuthListCtrlr", "ItemsPerMessage", "20"), Traits(list_chunk=20)),
        (key("SendLocalListMaxLength", "20.0"), Traits(list_chunk=20)),
        (key("MeterValueSampleInterval", "soon"), Traits()),
        (Variable("SampledDataCtrlr", "TxUpdatedInterval", "60"), Traits(sample_interval_s=60)),
        (Variable("EVSE", "Power", "22", 2), Traits(connectors=1)),
        (Variable("SmartChargingCtrlr", "RateUnit", "A", attribute="MaxSet"), Traits()),
    ],
)
def test_by_either_versions_names(told: Variable, traits: Traits) -> None:
    assert traits_of([told]) == traits


@pytest.mark.parametrize(
    ("traits", "count"), [(Traits(), 0), (Traits(1, 60), 0), (Traits(2, 60), 1), (Traits(2, 0), 2), (Traits(1, 3600), 1)]
)
def test_what_does_not_fit(traits: Traits, count: int) -> None:
    assert len(traits.problems(1)) == count


def test_the_newest_value_of_each() -> None:
    old, other, new = Variable("A", "x", "1", 1), Variable("A", "x", "2", 2), Variable("A", "x", "3", 1)
    assert merged([old, other], [new]) == (new, other)


def test_nothing_told_is_nothing() -> None:
    assert (of_configuration({}), of_report({})) == ((), ())


def test_what_a_call_has_changed() -> None:
    """Refused ones change nothing, and a password is not kept."""

    def setting(component: str, variable: str, value: str) -> dict[str, object]:
        return {"component": {"name": component, "evse": {"id": 2}}, "variable": {"name": variable}, "attributeValue": value}

    asked = [
        setting("SampledDataCtrlr", "TxUpdatedInterval", "60"),
        setting("AlignedDataCtrlr", "Interval", "0"),
        setting("SecurityCtrlr", "BasicAuthPassword", "secret"),
    ]
    statuses = ("Accepted", "Rejected", "RebootRequired")
    told = [
        {"attributeStatus": status, "component": each["component"], "variable": each["variable"]}
        for status, each in zip(statuses, asked, strict=True)
    ]
    changed, waiting = changes_of("SetVariables", {"setVariableData": asked}, {"setVariableResult": told})
    assert changed == (
        Variable("SampledDataCtrlr", "TxUpdatedInterval", "60", 2),
        Variable("SecurityCtrlr", "BasicAuthPassword", None, 2),
    )
    assert waiting == ("BasicAuthPassword",)
    assert changes_of("Reset", {"type": "Soft"}, {"status": "Accepted"}) == ((), ())
