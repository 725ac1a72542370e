"""Scopes that use every keyword Kea 2.2 knows in a subnet, and every form of what hangs on one."""

OPTIONS = {
    "by name, as text": {"name": "domain-name-servers", "data": "192.0.2.1, 192.0.2.2"},
    "by code, as text": {"code": 6, "data": "192.0.2.3", "csv-format": True},
    "hexadecimal": {"code": 222, "csv-format": False, "data": "07626C7565"},
    "hexadecimal with colons": {"name": "boot-file-name", "csv-format": False, "data": "61:62:63"},
    "quoted": {"name": "domain-name", "csv-format": False, "data": "'example.org'"},
    "a record with a comma": {"name": "colours", "data": "1, light\\,blue"},
    "empty": {"name": "cave-container", "data": ""},
    "in a space of its own": {"space": "cave", "code": 7, "data": "70000"},
    "of a vendor": {"space": "vendor-4491", "name": "inner", "data": "192.0.2.4, 192.0.2.5"},
    "always sent": {"name": "time-servers", "data": "192.0.2.6", "always-send": True},
    "with a user context": {"name": "log-servers", "data": "192.0.2.7", "user-context": {"why": "audit"}},
    "signed and boolean": {"name": "time-offset", "data": "-3600"},
    "boolean": {"name": "ip-forwarding", "data": "true"},
    "names compressed": {"name": "domain-search", "data": "example.com, example.net"},
    "unknown to Kea": {"code": 240, "csv-format": False, "data": "00FF"},
}

RESERVATIONS = [
    {"hw-address": "02:00:00:00:00:01", "ip-address": "10.200.0.11", "hostname": "one.example.org",
     "next-server": "192.0.2.9", "server-hostname": "boot", "boot-file-name": "/pxe/one",
     "client-classes": ["phones", "late"], "user-context": {"rack": 7, "notes": ["a", None, {"b": 1.5}]},
     "option-data": [{"name": "domain-name", "data": "one.example.org"},
                     {"code": 222, "csv-format": False, "data": "0162"}]},
    {"client-id": "01:02:03:04:05:06", "ip-address": "10.200.0.12"},
    {"duid": "00:01:00:01:aa:bb:cc:dd:02:00:00:00:00:03", "hostname": "three"},
    {"circuit-id": "'port 4/slot 2'", "ip-address": "10.200.0.14"},
    {"flex-id": "'s0mething'", "ip-address": "10.200.0.15"},
]

# Everything but interface (each server's own), reservation-mode (deprecated: it cannot stand beside the three that
# replaced it), require-client-classes on 3.0 (see below) and what only some releases know.
EVERYTHING = {
    "id": 700,
    "subnet": "10.200.0.0/16",
    "4o6-interface": "", "4o6-interface-id": "", "4o6-subnet": "2001:db8:4::/48",
    "authoritative": True,
    "boot-file-name": "/pxe/all",
    "cache-max-age": 600, "cache-threshold": 0.3,
    "calculate-tee-times": True,
    "client-class": "phones",
    "ddns-generated-prefix": "host", "ddns-override-client-update": True, "ddns-override-no-update": True,
    "ddns-qualifying-suffix": "example.org.", "ddns-replace-client-name": "when-present", "ddns-send-updates": False,
    "ddns-update-on-renew": True, "ddns-use-conflict-resolution": False,
    "hostname-char-replacement": "x", "hostname-char-set": "[^A-Za-z0-9.-]",
    "match-client-id": False,
    "min-valid-lifetime": 1000, "valid-lifetime": 2000, "max-valid-lifetime": 3000,
    "next-server": "192.0.2.8",
    "option-data": list(OPTIONS.values())[:1] + list(OPTIONS.values())[2:],
    "pools": [
        {"pool": "10.200.1.0 - 10.200.1.255", "client-class": "phones", "require-client-classes": ["late"],
         "option-data": [{"name": "routers", "data": "10.200.0.254"}, {"code": 222, "csv-format": False, "data": "0361"}],
         "user-context": {"floor": 1}},
        {"pool": "10.200.2.0/24"}],
    "relay": {"ip-addresses": ["192.0.2.20", "192.0.2.21"]},
    "renew-timer": 500, "rebind-timer": 800,
    "require-client-classes": ["late"],
    "reservations": RESERVATIONS,
    "reservations-global": False, "reservations-in-subnet": True, "reservations-out-of-pool": True,
    "server-hostname": "boot.example.org",
    "store-extended-info": True,
    "t1-percent": 0.4, "t2-percent": 0.8,
    "user-context": {"comment": "a \"word\"\t/", "nested": {"list": [1, 2.5, True, None, "\\"]}},
}

# Where config-get shows another word for the same thing.
SHOWN_OTHERWISE = ("option-data", "pools", "reservations", "subnet", "4o6-interface", "4o6-interface-id")

SHARED_NETWORK = {
    "name": "campus", "match-client-id": True, "next-server": "192.0.2.30", "valid-lifetime": 4000,
    "min-valid-lifetime": 4000, "max-valid-lifetime": 4000, "relay": {"ip-addresses": ["192.0.2.31"]},
    "option-data": [{"name": "domain-name", "data": "campus.example.org"}], "user-context": {"site": "north"},
    "ddns-qualifying-suffix": "campus.example.org.", "authoritative": True,
    "subnet4": [
        {"id": 801, "subnet": "10.210.1.0/24", "pools": [{"pool": "10.210.1.10-10.210.1.20"}]},
        {"id": 802, "subnet": "10.210.2.0/24", "pools": [{"pool": "10.210.2.10-10.210.2.20"}],
         "reservations": [{"hw-address": "02:00:00:00:01:01", "ip-address": "10.210.2.5"}]}],
}


def variations():
    """(name, edit) for one keyword after the other: each edit gives one keyword of EVERYTHING another value."""
    other = {
        "4o6-subnet": "2001:db8:5::/48", "authoritative": False, "boot-file-name": "/pxe/other", "cache-max-age": 601,
        "cache-threshold": 0.2, "calculate-tee-times": False, "client-class": "late", "ddns-generated-prefix": "other",
        "ddns-override-client-update": False, "ddns-override-no-update": False, "ddns-qualifying-suffix": "example.com.",
        "ddns-replace-client-name": "never", "ddns-send-updates": True, "ddns-update-on-renew": False,
        "ddns-use-conflict-resolution": True, "hostname-char-replacement": "y", "hostname-char-set": "[^a-z]",
        "match-client-id": True, "min-valid-lifetime": 1001, "valid-lifetime": 2001, "max-valid-lifetime": 3001,
        "next-server": "192.0.2.18", "relay": {"ip-addresses": ["192.0.2.22"]}, "renew-timer": 501, "rebind-timer": 801,
        "require-client-classes": ["phones", "late"], "reservations-global": True,
        "reservations-out-of-pool": False, "reservations-in-subnet": False, "server-hostname": "other.example.org", "store-extended-info": False,
        "t1-percent": 0.45, "t2-percent": 0.85, "user-context": {"comment": "another"},
    }
    for keyword, value in other.items():
        def edit(scope, keyword=keyword, value=value):
            scope[keyword] = value
        yield keyword, edit
    for name, option in OPTIONS.items():
        yield f"option {name}", lambda scope, option=option: scope.update({"option-data": [option]})
    yield "option removed", lambda scope: scope.update({"option-data": []})
    for reservation in RESERVATIONS:
        yield (f"reservation by {next(iter(reservation))}",
               lambda scope, reservation=reservation: scope.update({"reservations": [reservation]}))
    yield "reservations removed", lambda scope: scope.update({"reservations": []})
    yield "pool added", lambda scope: scope["pools"].append({"pool": "10.200.3.0/25"})
    yield "pool's option", lambda scope: scope["pools"][0].update({"option-data": [{"name": "routers", "data": "10.200.0.253"}]})
    yield "pool's class", lambda scope: scope["pools"][0].update({"client-class": "late"})
    yield "pool's context", lambda scope: scope["pools"][0].update({"user-context": {"floor": 2}})
    yield "pools removed", lambda scope: scope.update({"pools": []})
