"""A third server on a pair's network, without High Availability: what an administrator's relationships are with."""

import os

from . import config
from .pair import library_of_run
from .server import Server

NAME = "server3"
CREDENTIALS = "kfs:sesame"  # its control agent asks for them


def partners(server_folder_of):
    """The parameter "partners" of a server that is to reach the third one; `server_folder_of` puts a file in its folder."""
    user, password = CREDENTIALS.split(":")
    return {"partners": {NAME: {"basic-auth-user": user,
                                "basic-auth-password-file": server_folder_of("third-password", password + "\n")}}}


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
