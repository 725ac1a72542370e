"""What the operations are given and how they answer."""

import time

MODULE = "/kea-failover-sync:"
ENDED = ("CompletedWithSuccess", "CompletedWithFailure")
PROGRESS = {"operation-id", "state", "percent"}
MANAGED_BY, ENTITY = "Managed by", "Managed by entity"


def custom_values(managed_by="IPAM", entity="Localhost", **others):
    values = {MANAGED_BY: managed_by, ENTITY: entity, **others}
    return [{"custom-field": field, "value": value} for field, value in values.items() if value is not None]


def range_v4(network, first, last, managed_by="IPAM", entity="Localhost", **more):
    """range-add's arguments for addresses `first` to `last` of a /24 like "192.168.1"."""
    return {"address-family": "InterNetwork", "subnet-id": f"{network}.0", "prefix-length": 24,
            "start-ip-address": f"{network}.{first}", "end-ip-address": f"{network}.{last}",
            "address-assignment": "Static", "address-category": "Private",
            "custom-field-values": custom_values(managed_by, entity), **more}


def address_v4(address, managed_by="IPAM", entity="Localhost", **more):
    return {"address-family": "InterNetwork", "ip-address": address,
            "custom-field-values": custom_values(managed_by, entity), **more}


def reserved(*spans):
    """Pairs of addresses as reserved-ip-ranges."""
    return [{"start-ip-address": first, "end-ip-address": last} for first, last in spans]


def outcome(server, answer, seconds=10):
    """The answer once the operation has ended: in nearly every case it has. Else, and where an answer that did not wait
    has nothing but the operation's name and state, operation-get tells."""
    progress = answer.get("arguments", {})
    if answer["result"] != 0 or "state" not in progress:
        return answer
    if progress["state"] in ENDED and set(progress) != PROGRESS:
        return answer
    operation = ended(server, progress["operation-id"], seconds)
    if operation["state"] == "CompletedWithFailure":
        return {"result": 1, "text": operation["fault"]["reason"], "arguments": {"fault": operation["fault"]}}
    return {"result": 0, "text": answer["text"], "arguments": {
        **operation.get("output", {}), **{key: operation[key] for key in PROGRESS}}}


BUSY = "the store is busy and did not answer in time"


def patiently(ask, seconds=60):
    """What only reads is asked again of a server that is busy, as its answer says."""
    deadline = time.monotonic() + seconds
    answer = ask()
    while BUSY in answer.get("text", "") and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = ask()
    return answer


def ended(server, operation_id, seconds=10):
    """operation-get's answer when the operation has ended."""
    deadline = time.monotonic() + seconds
    while True:
        answer = patiently(lambda: server.ask("operation-get", {"operation-id": operation_id}), seconds)
        assert answer["result"] == 0, answer
        operation = answer["arguments"]["operation"]
        if operation["state"] in ENDED:
            return operation
        assert time.monotonic() < deadline, f"after {seconds} s: {operation}"
        time.sleep(0.02)


def call(server, command, arguments=None):
    """With curl; the arguments of the answer, which must be a success that has ended."""
    answer = outcome(server, server.curl(command, arguments))
    assert answer["result"] == 0, (command, arguments, answer)
    return answer.get("arguments", {})


def refused(server, command, arguments, exception, node=None, code="Sender"):
    """With curl; the fault, which must be this one, at this node of the command's rpc."""
    answer = outcome(server, server.curl(command, arguments))
    assert_fault(answer, command, exception, node, code)
    return answer["arguments"]["fault"]


def assert_fault(answer, command, exception, node=None, code="Sender"):
    assert answer["result"] == 1, answer
    fault = answer["arguments"]["fault"]
    found = (fault["code"], fault["exception"]["exception-id"], fault["exception"].get("path"))
    assert found == (code, exception, node and f"{MODULE}{command}/{node}"), answer
    assert len(fault["reason"]) > 15 and fault["reason"] == fault["exception"]["exception-message"], answer
