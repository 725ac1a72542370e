#!/usr/bin/env bash
# Installs what building, the tests and the example need from Debian (12, 13 or testing), and only what is missing.
#
#   tests/install.sh [build] [run] [checks] [trees] [fuzz]      default: build run
#
# build: compiler and libraries; run: the servers, clients and tools of the tests; checks: a second compiler and what
# looks at the sources; trees: to make other releases' trees; fuzz: a compiler with libFuzzer.
# ROOT=<folder> does the same inside a debootstrap tree.
set -euo pipefail

root=${ROOT:-}
inside() { if [ -n "$root" ]; then chroot "$root" "$@"; else "$@"; fi; }

build=(autoconf automake libtool make gcc g++ pkg-config kea-dev libboost-dev libboost-system-dev liblog4cplus-dev libssl-dev
       libsqlite3-dev "libyang-dev|libyang2-dev" libcurl4-openssl-dev libjansson-dev libcmocka-dev)
run=(kea-dhcp4-server kea-ctrl-agent)
run_here=(kea-admin gcc libc6-dev iproute2 nftables busybox sqlite3 jq socat curl openssl python3 python3-pytest valgrind
          "libyang2-tools|libyang3-tools|libyang-tools|yanglint")
checks=(clang clang-format clang-tidy cppcheck)
trees=(debootstrap debian-archive-keyring)
fuzz=(clang libclang-rt-dev llvm) # llvm: names in the sanitizers' reports

wanted=()
[ $# -gt 0 ] || set -- build run
for set in "$@"; do
    case $set in
        build) wanted+=("${build[@]}") ;;
        run) wanted+=("${run[@]}"); [ -n "$root" ] || wanted+=("${run_here[@]}") ;;
        checks) wanted+=("${checks[@]}") ;;
        trees) wanted+=("${trees[@]}") ;;
        fuzz) wanted+=("${fuzz[@]}") ;;
        *) echo "tests/install.sh: no such set: $set" >&2; exit 2 ;;
    esac
done

installed() { [[ $(inside dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null) == *"ok installed"* ]]; }
offered() { [[ $(inside apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[!\(]* ]]; }

missing=()
for package in "${wanted[@]}"; do
    found=
    for name in ${package//|/ }; do if installed "$name"; then found=yes; fi; done
    [ -n "$found" ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

# A mirror may be a snapshot whose validity has run out; what matters here is that its packages fit together.
inside apt-get update -qq 2>/dev/null || inside apt-get update -qq -o Acquire::Check-Valid-Until=false
chosen=()
for package in "${missing[@]}"; do
    for name in ${package//|/ }; do
        if offered "$name"; then chosen+=("$name"); break; fi
    done
done
if [ ${#chosen[@]} -eq 0 ]; then exit 0; fi
echo "installing: ${chosen[*]}"

# Debian would start a Kea of the machine's own with its packages: not wanted here.
policy=$root/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
if ! inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${chosen[@]}" \
        </dev/null >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "tests/install.sh: apt-get could not install ${chosen[*]}; the log is $log" >&2
    exit 1
fi
rm -f "$log"
