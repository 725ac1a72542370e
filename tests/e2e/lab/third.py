"""A third server on a pair's network: without High Availability, what an administrator's relationships are with; or the
backup of the pair."""

import os

from . import config, network
from .pair import library_of_run
from .server import Server

NAME = "server3"
ADDRESS = network.SERVER_ADDRESSES[NAME]
CREDENTIALS = "kfs:sesame"  # its control agent asks for them


def introduce(server):
    """Tells a server that has not been started yet how the third one lets it in."""
    user, password = CREDENTIALS.split(":")
    with open(server.path("password"), "w", encoding="utf-8") as file:
        file.write(password + "\n")
    hook = next(hook for hook in server.configuration["hooks-libraries"] if "failover_sync" in hook["library"])
    hook["parameters"]["partners"] = {NAME: {"url": f"http://{ADDRESS}:{config.HTTP_PORT}/", "basic-auth-user": user,
                                             "basic-auth-password-file": server.inside("password")}}
    server.write(server.configuration)


def peers_with_backup():
    """For the pair's `ha`, and the backup's."""
    return [{"name": name, "role": role, "url": f"http://{network.SERVER_ADDRESSES[name]}:{config.HTTP_PORT}/",
             "auto-failover": role != "backup"}
            for name, role in (("server1", "primary"), ("server2", "standby"), (NAME, "backup"))]


def backup_server(pair, scopes=(), library=True):
    """The backup of a hot-standby pair whose peers are the above."""
    pair.network.add_server(NAME)
    server = Server(NAME, pair.network, f"/tmp/{os.path.basename(pair.folder)}/{NAME}", pair.release)
    server.agent_wanted = True
    ha = config.ha_parameters(NAME, "hot-standby", peers=peers_with_backup())
    parameters = {"store": server.inside("failover-sync.db"), "max-delete-percent": 100}
    server.write(config.dhcp4(server, scopes, ha, library_of_run() if library else None, parameters))
    pair.others.append(server)
    return server


def third_server(pair, scopes=(), **library_parameters):
    """Makes it; start() is the caller's. It ends with the pair."""
    pair.network.add_server(NAME)
    server = Server(NAME, pair.network, f"/tmp/{os.path.basename(pair.folder)}/{NAME}", pair.release)
    server.agent_wanted = True
    server.credentials = CREDENTIALS
    parameters = {"store": server.inside("failover-sync.db"), **library_parameters}
    server.write(config.dhcp4(server, scopes, None, library_of_run(), parameters))
    pair.others.append(server)
    return server
