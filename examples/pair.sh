#!/usr/bin/env bash
# Two DHCP servers on one machine, and a scope that finds its way from the first to the second by itself.
#
#   examples/pair.sh           shows it, takes a minute or two, and cleans up after itself
#   examples/pair.sh --keep    leaves the two servers running and says how to talk to them
#   examples/pair.sh --stop    stops servers left running
#
# Needs root on Debian 12, 13 or testing. Nothing of the machine's own network or DHCP is touched: the servers and a client live in
# network namespaces, with two bridges for two networks: 192.0.2.0/24 (the office) and 198.51.100.0/24 (a new floor).
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=${KFS_BUILD:-$top/build}
here=/run/kea-failover-sync-pair # all files of the pair: configurations, leases, ADM tables, logs
lan=kfspair-lan client=kfspair-client

section() { printf '\n== %s\n' "$*"; }
show() { printf '   $ %s\n' "$*"; }
indent() { sed 's/^/   /'; }
fail() { echo "pair.sh: $*" >&2; exit 1; }

# ask SERVER COMMAND [ARGUMENTS]: sends a Kea command to a server's unix socket.
ask() {
    local arguments=${3:-null}
    jq -nc --arg command "$2" --argjson arguments "$arguments" \
        '{command: $command} + if $arguments == null then {} else {arguments: $arguments} end' |
        socat -t 60 - "UNIX-CONNECT:$here/$1/kea4-ctrl-socket"
}
# must SERVER COMMAND [ARGUMENTS]: the same, and its success is expected; prints the answer's arguments.
must() {
    local answer
    answer=$(ask "$@") || fail "$1 does not answer $2"
    [ "$(jq .result <<<"$answer")" = 0 ] || fail "$1 refused $2: $(jq -r .text <<<"$answer")"
    jq -c '.arguments // {}' <<<"$answer"
}
scope_of() { must "$1" config-get | jq -c --argjson id "$2" '.Dhcp4.subnet4[] | select(.id == $id)'; }
brief() { jq -c '{id, subnet, pools: [.pools[].pool], routers: [."option-data"[] | select(.name == "routers").data][0],
                  "valid-lifetime": ."valid-lifetime"}'; }
state_of() { must "$1" status-get | jq -r '."high-availability"[0]."ha-servers".local.state'; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# wait_for SECONDS WHAT COMMAND...: repeats the command until it succeeds.
wait_for() {
    local deadline=$(($(milliseconds) + $1 * 1000)) what=$2
    shift 2
    until "$@"; do
        [ "$(milliseconds)" -lt "$deadline" ] || fail "waited in vain until $what"
        sleep 0.05
    done
}
is_in_state() { [ "$(state_of "$1" 2>/dev/null)" = "$2" ]; }
both_ready() { is_in_state server1 hot-standby && is_in_state server2 hot-standby; }
has_scope() { [ -n "$(scope_of "$1" "$2" 2>/dev/null)" ]; }
same_scope() { [ "$(scope_of server1 "$1")" = "$(scope_of server2 "$1")" ]; }

# From 2.6.3 on, Kea takes files only in folders of its own, unless its environment names others.
start_server() {
    KEA_PIDFILE_DIR=$here/$1 KEA_LOCKFILE_DIR=$here/$1 KEA_HOOKS_PATH=$here/hooks KEA_LOG_FILE_DIR=$here/$1 \
        KEA_DHCP_DATA_DIR=$here/$1 KEA_CONTROL_SOCKET_DIR=$here/$1 setsid ip netns exec "kfspair-$1" \
        /usr/sbin/kea-dhcp4 -c "$here/$1/kea-dhcp4.conf" </dev/null >>"$here/$1/output" 2>&1 &
    echo $! >"$here/$1/pid"
}
stop_server() { # by the id it was started with
    local pid
    pid=$(cat "$here/$1/pid" 2>/dev/null) || return 0
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = kea-dhcp4 ]; then
        kill "$pid"
        for _ in $(seq 100); do [ -e "/proc/$pid" ] || break; sleep 0.05; done
        if [ -e "/proc/$pid" ]; then kill -9 "$pid"; fi
    fi
    rm -f "$here/$1/pid"
}
clean_up() {
    stop_server server1
    stop_server server2
    for namespace in kfspair-server1 kfspair-server2 "$client" "$lan"; do
        ip netns delete "$namespace" 2>/dev/null || true
    done
    rm -rf "$here"
}

keep=
case ${1:-} in
    '') ;;
    --keep) keep=yes ;;
    --stop) clean_up; echo "The pair is stopped and its files are removed."; exit 0 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
[ "$(id -u)" = 0 ] || fail "must be run as root: it makes network namespaces and installs packages"
[ ! -e "$here" ] || fail "a pair is already running; stop it with: $0 --stop"

finished=
on_exit() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$keep" ] && [ -n "$finished" ]; then exit "$code"; fi
    if [ ! -e "$here" ]; then exit "$code"; fi
    if [ "$code" = 1 ]; then
        echo "pair.sh: what the servers warned of last:" >&2
        grep -hE 'WARN|ERROR|FATAL' "$here"/server?/kea-dhcp4.log "$here"/server?/output 2>/dev/null | tail -n 10 >&2 || true
    fi
    clean_up
    if [ -z "$finished" ]; then echo "pair.sh: the pair is stopped and its files are removed" >&2; fi
    exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

section "1. Installing what is missing"
"$top/tests/install.sh" build run
echo "   Kea $(kea-dhcp4 -v)"

section "2. Building the library in $build"
mkdir -p "$build"
{
    { [ -x "$top/configure" ] || (cd "$top" && autoreconf -fi); } &&
        cd "$build" &&
        { [ -e Makefile ] || "$top/configure"; } &&
        make -j"$(nproc)"
} >"$build/pair.log" 2>&1 || { tail -n 20 "$build/pair.log" >&2; fail "the build failed, see $build/pair.log"; }
cd /
library=$build/.libs/libdhcp_failover_sync.so
ls -l "$library" | indent

section "3. Two servers, each in a network namespace of its own"
mkdir -p "$here"
for namespace in "$lan" "$client"; do ip netns add "$namespace"; done
for bridge in office floor; do
    ip -n "$lan" link add "$bridge" type bridge forward_delay 0
    ip -n "$lan" link set "$bridge" up
done
# plug NAMESPACE INTERFACE BRIDGE PORT [ADDRESS]
plug() {
    ip -n "$lan" link add "$4" type veth peer name "$2" netns "$1"
    ip -n "$lan" link set "$4" master "$3" up
    if [ -n "${5:-}" ]; then ip -n "$1" address add "$5/24" dev "$2"; fi
    ip -n "$1" link set "$2" up
}
mkdir "$here/hooks" # Kea's own, and the library that was just built
ln -s "/usr/lib/$(gcc -print-multiarch)/kea/hooks"/*.so "$here/hooks/"
ln -sf "$library" "$here/hooks/"
for number in 1 2; do
    server=server$number namespace=kfspair-server$number
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
    plug "$namespace" eth0 office "office$number" "192.0.2.$number"
    plug "$namespace" eth1 floor "floor$number" "198.51.100.$number"
    mkdir -m 750 "$here/$server"
    # The example's configuration, with the paths of this server's own folder.
    sed -e "s#/usr/lib/x86_64-linux-gnu/kea/hooks/#$here/hooks/#" \
        -e "s#\(/libdhcp_failover_sync.so\"\) }#\1, \"parameters\": { \"store\": \"$here/$server/failover-sync.db\" } }#" \
        -e "s#/run/kea/\|/var/lib/kea/\|/var/log/kea/#$here/$server/#" \
        "$top/examples/kea-dhcp4-$server.conf" >"$here/$server/kea-dhcp4.conf"
    start_server "$server"
done
wait_for 60 "both servers know of each other" both_ready
for server in server1 server2; do
    echo "   $server: HA state $(state_of $server), scopes: $(must $server config-get | jq -c '[.Dhcp4.subnet4[].subnet]')"
done
transitions() { grep -c HA_STATE_TRANSITION "$here/server2/kea-dhcp4.log" || true; }
unloads() { grep -cE 'HOOKS_LIBRARY_(CLOSED|UNLOADED)' "$here/server2/kea-dhcp4.log" || true; }
transitions_before=$(transitions) unloads_before=$(unloads)

section "4. A scope for the new floor, added on the first server: edit the file, config-reload"
scope='{ "id": 2, "subnet": "198.51.100.0/24",
      "pools": [ { "pool": "198.51.100.100 - 198.51.100.199" } ],
      "option-data": [ { "name": "routers", "data": "198.51.100.254" } ] }'
echo "$scope" | indent
sed -i "/\"data\": \"192.0.2.254\"/s#\$#,\n    $(tr '\n' ' ' <<<"$scope")#" "$here/server1/kea-dhcp4.conf"
must server1 config-reload >/dev/null
start=$(milliseconds)
wait_for 10 "the second server has the new scope" has_scope server2 2
arrived=$(($(milliseconds) - start))
show "config-get at the second server, $arrived ms after the first one's answer"
scope_of server2 2 | brief | indent
wait_for 60 "the pair is whole again" both_ready

section "5. The first scope, changed on the first server at run time: more addresses, longer leases"
changed=$(must server1 config-get | jq -c 'del(.hash) | .Dhcp4.subnet4 |= map(if .id == 1 then
    .pools[0].pool = "192.0.2.50-192.0.2.220" | ."valid-lifetime" = 7200 | ."max-valid-lifetime" = 7200 else . end)')
must server1 config-set "$changed" >/dev/null
start=$(milliseconds)
wait_for 10 "the second server has the changed scope" same_scope 1
changed_after=$(($(milliseconds) - start))
show "config-get at the second server, $changed_after ms after the first one's answer"
scope_of server2 1 | brief | indent
wait_for 60 "the pair is whole again" both_ready

section "6. The second server was not disturbed"
state=$(state_of server2)
moved=$(($(transitions) - transitions_before)) unloaded=$(($(unloads) - unloads_before))
echo "   HA state: $state; state changes since the start: $moved; hooks libraries unloaded: $unloaded"
if [ "$moved" != 0 ] || [ "$unloaded" != 0 ] || [ "$state" != hot-standby ]; then
    fail "the second server's HA was disturbed"
fi

section "7. What the second server's ADM tables hold"
all_in_sync() { [ "$(must server1 failover-status | jq '[.relationships[] | ."out-of-sync" + .queued] | add')" = 0 ]; }
wait_for 10 "everything is recorded" all_in_sync
query() { show "sqlite3 failover-sync.db \"$1\""; sqlite3 -readonly -header -column "$here/server2/failover-sync.db" "$1" | indent; }
query "SELECT RelationshipName, Mode, Server1Name, Server2Name FROM ADM_DhcpFailoverRelationTable"
query "SELECT s.ServerName, ScopeId, PrefixLength, SubnetId, StartAddress, EndAddress, FailoverConfigSyncStatus
           FROM ADM_DHCPScopesTable JOIN ADM_DHCPServersTable s ON s.RecordId = DHCPServerRecordId ORDER BY 1, 4"
query "SELECT SubnetId, StartIPAddress, EndIPAddress, AddressAssignment FROM ADM_IPRangeTable"

section "8. The first server stops; a client on the new floor asks for an address"
stop_server server1
wait_for 60 "the second server serves alone" is_in_state server2 partner-down
echo "   server2: HA state $(state_of server2)"
ip -n "$client" link set lo up
plug "$client" eth0 floor client
# The client's script only prints: the machine's own resolv.conf and routes stay as they are.
printf '#!/bin/sh\n[ "$1" != bound ] || echo "lease: $ip/$mask router $router from server $serverid for $lease s"\n' >"$here/lease.sh"
chmod 755 "$here/lease.sh"
show "udhcpc -i eth0"
lease=$(ip netns exec "$client" busybox udhcpc -i eth0 -s "$here/lease.sh" -f -q -n -t 10 -T 1 </dev/null 2>&1) ||
    fail "the client got no lease: $lease"
indent <<<"$lease"
grep -q 'lease: 198\.51\.100\..* from server 198\.51\.100\.2 ' <<<"$lease" || fail "that is not a lease of the new scope"

section "Summary"
cat <<SUMMARY
   - A scope was added in the first server's file; the second server served it $arrived ms after the reload.
   - A scope was changed on the first server at run time; the second had the change after $changed_after ms.
   - Nobody touched the second server's configuration, nothing there was restarted, and its failover state never moved.
   - With the first server gone, the second gave a client an address in the scope it had only heard of.
SUMMARY
finished=yes
if [ -n "$keep" ]; then
    start_server server1
    wait_for 60 "the pair is whole again" both_ready
    cat <<KEEP

The pair is left running (the first server was started again). Its files are in $here.
   Talk to a server:   echo '{ "command": "failover-status" }' | socat - UNIX-CONNECT:$here/server1/kea4-ctrl-socket | jq
   Change a scope:     edit $here/server1/kea-dhcp4.conf, then send { "command": "config-reload" }
   Read the tables:    sqlite3 $here/server2/failover-sync.db .tables
   Follow a log:       tail -f $here/server2/kea-dhcp4.log
   Stop it:            $0 --stop
KEEP
fi
