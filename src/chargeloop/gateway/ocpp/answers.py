"""What the platform answers to what it only takes note of. Everything not named here is answered with an empty object."""

from typing import Any

NOT_THERE: dict[str, dict[str, Any]] = {
    "DataTransfer": {"status": "UnknownVendorId"},
    "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
    "GetCertificateStatus": {"status": "Failed"},
    "SignCertificate": {"status": "Rejected"},
    "NotifyEVChargingNeeds": {"status": "Accepted"},  # the loop's next turn sends the profile
    "NotifyEVChargingSchedule": {"status": "Accepted"},
    "OpenPeriodicEventStream": {"status": "Accepted"},
}


def default_answer(action: str, said: dict[str, Any]) -> dict[str, Any]:
    """The answer where nothing else knows a better one; fits the answer's schema for every action."""
    match action:
        case "GetCertificateChainStatus":
            return {
                "certificateStatus": [
                    {
                        "certificateHashData": each["certificateHashData"],
                        "source": each["source"],
                        "status": "Failed",
                        "nextUpdate": "1970-01-01T00:00:00Z",
                    }
                    for each in said["certificateStatusRequests"]
                ]
            }
        case "VatNumberValidation":
            return {"status": "Rejected", "vatNumber": said["vatNumber"]}
    return NOT_THERE.get(action, {})
