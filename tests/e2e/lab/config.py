"""The configurations the servers of the lab are started with, as a person would write them."""

from .network import SERVER_ADDRESSES

HTTP_PORT = 8000  # of the HA peers: kea-ctrl-agent or HA's dedicated listener
CONTROL_PORT = 8001  # of Kea 3.0's own HTTP control socket


def scope(number, **more):
    """Scope `number` (1 to 65535): 10.N.N.0/24 out of 10.100.0.0 and up, with one pool."""
    third, second = number % 256, 100 + number // 256
    network = f"10.{second}.{third}"
    return {"id": number, "subnet": f"{network}.0/24", "pools": [{"pool": f"{network}.10 - {network}.250"}], **more}


def link_scope(identifier=60000, **more):
    """The scope of the link on which clients really are; more than enough addresses for perfdhcp, and each server has
    its own, as Kea's load balancing asks for."""
    pools = [{"pool": "10.53.16.0 - 10.53.127.255", "client-class": "HA_server1"},
             {"pool": "10.53.128.0 - 10.53.255.250", "client-class": "HA_server2"}]
    return {"id": identifier, "subnet": "10.53.0.0/16", "pools": pools, **more}


def ha_parameters(this_server, mode="load-balancing", **more):
    """One HA relationship, quick to notice things: up in some six seconds, partner-down after three."""
    second_role = "secondary" if mode == "load-balancing" else "standby"
    peers = [{"name": "server1", "role": "primary"}, {"name": "server2", "role": second_role}]
    for peer in peers:
        peer.update({"url": f"http://{SERVER_ADDRESSES[peer['name']]}:{HTTP_PORT}/", "auto-failover": True})
    return {"this-server-name": this_server, "mode": mode, "heartbeat-delay": 1000, "max-response-delay": 3000,
            "max-ack-delay": 1000, "max-unacked-clients": 0, "sync-timeout": 10000, "peers": peers, **more}


def dhcp4(server, scopes=(), ha=None, library=None, library_parameters=None, multi_threading=None, **more):
    """The whole configuration of one server. `library` None leaves failover-sync out, `ha` None High Availability."""
    version = server.release.version
    hooks = [{"library": f"{server.release.hooks}/libdhcp_lease_cmds.so"}]
    if ha:
        hooks.append({"library": f"{server.release.hooks}/libdhcp_ha.so", "parameters": {"high-availability": [ha]}})
    if library:
        hooks.append({"library": server.release.hook(library), "parameters": library_parameters or {}})
    configuration = {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "name": server.inside("leases.csv"), "lfc-interval": 0},
        "valid-lifetime": 3600,
        "host-reservation-identifiers": ["hw-address", "duid", "circuit-id", "client-id", "flex-id"],
        "hooks-libraries": hooks,
        "option-def": [
            {"name": "colours", "code": 222, "type": "record", "record-types": "uint8, string", "space": "dhcp4"},
            {"name": "inner", "code": 77, "type": "ipv4-address", "array": True, "space": "vendor-4491"},
            {"name": "depth", "code": 7, "type": "uint32", "space": "cave"},
            {"name": "cave-container", "code": 223, "type": "empty", "encapsulate": "cave", "space": "dhcp4"}],
        "client-classes": [{"name": "phones", "test": "substring(option[60].hex,0,5) == 'phone'"},
                           {"name": "late", "test": "member('ALL')", "only-if-required": True}],
        "subnet4": list(scopes),
        "loggers": _loggers(version, server.log_level),
        **_control_sockets(server, version),
        **more}
    if version >= (2, 7):
        configuration["client-classes"][1] = {"name": "late", "test": "member('ALL')", "only-in-additional-list": True}
    if multi_threading is not None:
        configuration["multi-threading"] = {"enable-multi-threading": multi_threading}
    return configuration


def control_agent(server):
    configuration = {"http-host": server.address, "http-port": HTTP_PORT,
                     "control-sockets": {"dhcp4": {"socket-type": "unix", "socket-name": server.inside("kea.sock")}},
                     "loggers": _loggers(server.release.version, "WARN", "kea-ctrl-agent")}
    if server.credentials:
        user, password = server.credentials.split(":")
        configuration["authentication"] = {"type": "basic", "realm": "kea", "clients": [{"user": user, "password": password}]}
    configuration.update(server.agent_more)
    return configuration


def _control_sockets(server, version):
    unix = {"socket-type": "unix", "socket-name": server.inside("kea.sock")}
    if version < (2, 7):
        return {"control-socket": unix}
    http = {"socket-type": "http", "socket-address": server.address, "socket-port": CONTROL_PORT}
    return {"control-sockets": [unix, http]}


def _loggers(version, level, name="kea-dhcp4"):
    """To standard output, which the lab keeps in a file; without a line per packet. "DEBUG" is all there is to say."""
    output = "output-options" if version >= (2, 6) else "output_options"
    loggers = [{"name": name, "severity": level, output: [{"output": "stdout", "flush": True}]}]
    if level == "DEBUG":
        loggers[0]["debuglevel"] = 99
    if name == "kea-dhcp4":
        for quiet in ("leases", "packets", "alloc-engine", "bad-packets"):
            loggers.append({"name": f"kea-dhcp4.{quiet}", "severity": "ERROR", output: [{"output": "stdout"}]})
    return loggers
