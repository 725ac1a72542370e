"""The laboratory itself, with plain Kea: what the other tests take for granted."""

import pytest
from lab import config, load

pytestmark = pytest.mark.plain


@pytest.fixture(scope="module")
def plain():
    from lab.pair import Pair
    pair = Pair([config.scope(1), config.link_scope()], library=False)
    try:
        yield pair.start()
    finally:
        pair.remove()


def test_plain_kea_does_not_replicate_and_a_config_set_disturbs_ha(plain):
    """Otherwise the other tests would prove nothing."""
    mark, partners_mark = plain.first.mark(), plain.second.mark()
    plain.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(2)))
    assert not plain.agree()
    assert 2 in plain.first.scopes() and 2 not in plain.second.scopes()
    plain.wait_normal()
    disturbed = " ".join(plain.first.disturbances(mark))
    for sign in ("HA_STATE_TRANSITION", "HA_DEINIT_OK", "HOOKS_LIBRARY_CLOSED"):
        assert sign in disturbed
    assert not plain.second.disturbances(partners_mark, loading=plain.first)


def test_clients_are_served(plain):
    plain.wait_normal()
    exchanges = load.perfdhcp(plain.network, 500, 2, clients=1000)
    assert exchanges.completed > 900 and exchanges.drop_ratio < 0.01, exchanges.report
    lease = load.lease_of_client(plain.network, plain.network.add_client("k"), plain.folder)
    assert lease and lease["ip"].startswith("10.53.")
