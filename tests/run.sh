#!/usr/bin/env bash
# Everything that is tested: installs what is missing, builds, runs the end-to-end tests with this machine's Kea, the unit
# tests of a build by clang and of one by gcc with coverage, both kinds again with sanitizers, the fuzz targets, the
# allocation failure sweep, tests/lint.sh, a smoke test with the Kea of Debian 13 and of Debian testing, and the example
# on fresh Debian 12, 13 and testing.
#
#   tests/run.sh                  everything; the fuzz targets for a minute each, the sweep for two
#   tests/run.sh --quick          unit tests and end-to-end tests with this machine's Kea
#   tests/run.sh --quick FILES    these end-to-end tests (test_smoke.py)
#   tests/run.sh --smoke          only the other releases
#   tests/run.sh --examples       only the example on fresh machines
#
# KFS_BUILD  where to build (build/ at the top); KFS_TREES  a folder in which the other releases' trees are kept for the
# next run (they are made anew without it); KFS_KEEP_LOGS  keeps the servers' folders in /tmp. Needs root on Debian.
set -uo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=${KFS_BUILD:-$top/build}
at_once=$(($(nproc) + 1)) # end-to-end test files
passed=0 failed=0
scratch=$(mktemp -d)
trees=${KFS_TREES:-}
trap 'end_background; rm -rf "$scratch"; if [ -z "${KFS_TREES:-}" ] && [ -n "$trees" ]; then rm -rf --one-file-system "$trees"; fi' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %s (%d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }
wrong() { failed=$((failed + 1)); echo "FAILED: $*" >&2; }
totals() {
    say "done"
    if [ $((passed + failed)) -eq 0 ]; then wrong "no test ran"; fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# logged FILE COMMAND...: runs quietly; shows the end of what it printed if it fails.
logged() {
    local file=$1
    shift
    "$@" </dev/null >"$file" 2>&1 || { tail -n 40 "$file"; return 1; }
}

# without_warning LOGS...: of a linker's, too, which -Werror does not reach.
without_warning() { ! grep -H 'warning:' "$@"; }

# build_in FOLDER [CONFIGURE OPTIONS]: the library. libtool is a long script that runs for each file and program; dash reads
# it in half the time.
build_in() {
    local folder=$1
    shift
    mkdir -p "$folder"
    { [ -x "$top/configure" ] || (cd "$top" && logged "$folder/autoreconf.log" autoreconf -fi); } &&
        (cd "$folder" && CONFIG_SHELL=/bin/dash logged configure.log "$top/configure" "$@" && logged make.log make -j"$(nproc)" &&
            without_warning make.log)
}

# build_all_in FOLDER [CONFIGURE OPTIONS]: the library and the unit tests; if `only` names some, these alone.
build_all_in() { build_in "$@" && (cd "$1" && logged make-tests.log make -j"$(nproc)" check TESTS= \
    ${only:+check_PROGRAMS="$only"} && without_warning make-tests.log); }
build_some_in() { # build_some_in "PROGRAMS" FOLDER [CONFIGURE OPTIONS]
    local only=$1
    build_all_in "${@:2}"
}

# sum PATTERN FILES...: adds up what the pattern's group matches.
sum() {
    local pattern=$1
    shift
    cat "$@" 2>/dev/null | sed -nE "s/$pattern/\1/p" | awk '{ total += $1 } END { print total + 0 }'
}

# unit_tests FOLDER [WRAPPER...]: make check, counted by cmocka's closing lines; if `only` names some, these alone.
unit_tests() {
    local folder=$1 good bad broken
    shift
    rm -f "$folder"/tests/unit/*.log "$folder"/tests/model/*.log
    # Built already as a rule; running, they wait for servers most of the time, those with ThreadSanitizer less so.
    (cd "$folder" && "$@" make -j"${units_at_once:-$((3 * $(nproc)))}" check ${only:+check_PROGRAMS="$only"} ${only:+TESTS="$only"} \
        </dev/null >check.log 2>&1)
    local code=$?
    good=$(sum '^\[  PASSED  \] ([0-9]+) test.*' "$folder"/tests/unit/*.log "$folder"/tests/model/*.log)
    bad=$(sum '^\[  FAILED  \] ([0-9]+) test\(s\).*' "$folder"/tests/unit/*.log "$folder"/tests/model/*.log)
    broken=$(sum '^# [FE][A-Z]+: +([0-9]+)$' "$folder/check.log") # FAIL and ERROR: whole programs
    if [ "$bad" -lt "$broken" ]; then bad=$broken; fi
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    if [ "$code" != 0 ]; then
        tail -n 30 "$folder/check.log"
        grep -hE '^\[  FAILED|^\[  ERROR|Error:|ERROR: |runtime error|WARNING: ThreadSanitizer' "$folder"/tests/unit/*.log "$folder"/tests/model/*.log | head -n 40
    fi
    echo "unit tests in $folder: $good passed, $bad failed"
    passed=$((passed + good)) failed=$((failed + bad))
}

# fuzz_targets FOLDER: a line for each; each that found nothing has passed.
fuzz_targets() {
    local good bad
    KFS_BUILD=$1 "$top/tests/fuzz/run" 60s </dev/null 2>&1 | tee "$scratch/fuzz.txt"
    good=$(grep -c 'nothing found$' "$scratch/fuzz.txt")
    bad=$(($(ls "$top/tests/fuzz/corpus" | wc -l) - good))
    echo "fuzz targets: $good passed, $bad failed"
    passed=$((passed + good)) failed=$((failed + bad))
}

# sweep_allocations FOLDER: a line for each program; each without a finding has passed.
sweep_allocations() {
    local good bad
    KFS_BUILD=$1 "$top/tests/sweep/run" 120 </dev/null 2>&1 | tee "$scratch/sweep.txt"
    local code=${PIPESTATUS[0]}
    good=$(grep -c 'findings 0$' "$scratch/sweep.txt")
    bad=$(grep -c 'FAILED' "$scratch/sweep.txt")
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    echo "programs swept: $good passed, $bad failed"
    passed=$((passed + good)) failed=$((failed + bad))
}

# end_to_end TEST FILES...: each file in a pytest of its own, several at once, since they wait for servers most of the
# time; counted by their reports. What a file printed is shown when it is done.
end_to_end() {
    local reports file counts code=0
    reports=$(mktemp -d "$scratch/reports-XXXXXX")
    export top reports
    export -f one_file
    printf '%s\n' "$@" | xargs -P "$at_once" -I {} bash -c 'one_file {}' || code=1
    counts=$(/usr/bin/python3 - "$reports" "$@" <<'COUNT'
import sys, xml.etree.ElementTree as tree
good = bad = 0
for file in sys.argv[2:]:
    try:
        suite = tree.parse(f"{sys.argv[1]}/{file}.xml").getroot().find("testsuite")
    except (OSError, tree.ParseError) as error:
        print(f"{file} left no report: {error}", file=sys.stderr)
        bad += 1
        continue
    tests, failures, errors, skipped = (int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped"))
    good += max(tests - failures - errors - skipped, 0)
    bad += failures + errors
print(good, bad)
COUNT
    ) || counts="0 1"
    local good=${counts% *} bad=${counts#* }
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    echo "end-to-end tests: $good passed, $bad failed"
    passed=$((passed + good)) failed=$((failed + bad))
}

one_file() {
    local code
    (cd "$top/tests/e2e" && PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m pytest -p no:cacheprovider -v --tb=short \
        --durations=8 --junitxml="$reports/$1.xml" "$1" </dev/null) >"$reports/$1.txt" 2>&1
    code=$?
    flock "$reports" cat "$reports/$1.txt"
    return $((code != 0))
}

# The end-to-end tests for this machine's Kea: those that keep a server busy have the machine to themselves; of the
# others, those first that take long.
busy_files=(test_clients.py test_many_scopes.py)
other_files() {
    (cd "$top/tests/e2e" && echo test_campaign.py && echo test_ways.py && ls -S test_*.py |
        grep -vxF -e test_campaign.py -e test_ways.py -e test_repeated_adds.py -e test_sanitized.py \
            -e test_thread_sanitized.py "${busy_files[@]/#/-e}")
}

# in_background QUEUE NAME COMMAND...: what that queue does, one after another, with what the processors have to spare;
# `start_background` starts the queues, `done_in_background NAME` waits for it, shows what it printed and fails as it failed.
declare -A queue running
in_background() { queue[$1]+=$(printf '%q ' "${@:2}")$'\n'; }
run_queue() {
    local line name
    chrt --idle --pid 0 "$BASHPID"
    while read -r line; do
        eval "set -- $line"
        name=$1
        shift
        (
            "$@" </dev/null >"$scratch/$name.out" 2>&1
            echo $? >"$scratch/$name.code"
        )
    done <<<"${1%$'\n'}"
}
start_background() {
    local each
    for each in "${!queue[@]}"; do
        set -m # a process group of its own, to be ended with all that is in it
        run_queue "${queue[$each]}" &
        set +m
        running[$each]=$!
    done
}
done_in_background() {
    local name=$1 each
    for each in "${!queue[@]}"; do
        if grep -q "^$name " <<<"${queue[$each]}"; then
            while [ ! -s "$scratch/$name.code" ] && kill -0 "${running[$each]}" 2>/dev/null; do sleep 0.5; done
        fi
    done
    cat "$scratch/$name.out"
    return "$(cat "$scratch/$name.code" || echo 1)"
}
end_background() {
    local each
    for each in "${!running[@]}"; do
        kill -- "-${running[$each]}" 2>/dev/null
        wait "${running[$each]}" 2>/dev/null
    done
}

runtime() { readlink -f "$(gcc -print-file-name="lib$1.so")"; }
library_in() { echo "$1/.libs/libdhcp_failover_sync.so"; }

# fresh_tree RELEASE FOLDER: makes that folder a fresh, minimal Debian; what is needed from the network comes once.
fresh_tree() {
    local fresh=$trees/fresh-$1
    (
        flock 9
        if [ ! -e "$fresh/.kfs-tree" ]; then
            rm -rf --one-file-system "$fresh"
            logged "$scratch/debootstrap-$1.log" debootstrap --variant=minbase "$1" "$fresh" && touch "$fresh/.kfs-tree"
        fi
    ) 9>"$scratch/fresh-$1.lock" || return 1
    rm -rf --one-file-system "$2"
    cp -a --reflink=auto "$fresh" "$2"
}

# make_tree RELEASE: a tree of that release with the library built and installed in it.
make_tree() {
    local tree=$trees/$1
    if [ ! -e "$tree/.kfs-tree" ]; then
        say "making a Debian $1 tree"
        fresh_tree "$1" "$tree" || return 1
    fi
    # Packages' scripts want /proc; mounted where only they see it, it is gone when they are done.
    ROOT=$tree unshare --mount bash -c 'mount -t proc proc "$ROOT/proc" && exec "$0"' "$top/tests/install.sh" || return 1
    say "building in the $1 tree, for Kea $(chroot "$tree" kea-dhcp4 -v | head -n 1)"
    rm -rf "$tree/kfs"
    mkdir -p "$tree/kfs/src" "$tree/kfs/build"
    "$top/tests/checkout.sh" "$tree/kfs/src" || return 1
    logged "$scratch/build-$1.log" chroot "$tree" sh -c \
        'cd /kfs/src && autoreconf -fi && cd ../build && ../src/configure && make -j"$(nproc)" && make install'
}

# smoke RELEASE TREE TESTS...: these tests with pairs of that release's servers.
smoke() {
    local tree=$2
    say "smoke test with the servers of Debian $1"
    # Kea loads hooks only from its own folder, from 2.6.3 on.
    KFS_TREE=$tree KFS_LIBRARY=/usr/lib/$(chroot "$tree" gcc -print-multiarch)/kea/hooks/libdhcp_failover_sync.so \
        end_to_end "${@:3}"
}
# smoke_all PREFIX RELEASES...: the tests of these releases, at once; their trees are in folders of these names.
smoke_all() {
    local prefix=$1 release tests count pids=()
    shift
    for release in "$@"; do
        tests="${release}_tests[@]"
        (
            passed=0 failed=0 at_once=2
            smoke "$release" "$trees/$prefix$release" "${!tests}"
            echo "$passed $failed" >"$scratch/smoke-$release.count"
        ) >"$scratch/smoke-$release.out" 2>&1 &
        pids+=($!)
    done
    wait "${pids[@]}"
    for release in "$@"; do
        cat "$scratch/smoke-$release.out"
        count=$(cat "$scratch/smoke-$release.count") || count="0 1"
        passed=$((passed + ${count% *})) failed=$((failed + ${count#* }))
    done
}
# What each of these releases is asked besides; Kea's subnet commands are free software from 3.0 on.
trixie_tests=(test_smoke.py test_hardened.py test_as_configured.py test_objects.py)
testing_tests=(test_smoke.py test_hardened.py test_as_configured.py test_objects.py test_ways.py test_repeated_adds.py)

# run_example RELEASE: the README's first command on a fresh machine of that release, there the start of its second, and
# `make install`. With a small share of the processors, but not what is left over: the example looks at its watch.
run_example() {
    local tree=$trees/example-$1
    chrt --other --pid 0 "$BASHPID"
    renice -n 15 -p "$BASHPID" >/dev/null
    fresh_tree "$1" "$tree" &&
        "$top/tests/in_tree.sh" "$tree" examples/pair.sh &&
        "$top/tests/in_tree.sh" "$tree" tests/run.sh --quick test_smoke.py &&
        "$top/tests/in_tree.sh" "$tree" make -C build install >"$scratch/install-$1.log"
}
remove_examples() { for release in bookworm trixie testing; do rm -rf --one-file-system "$trees/example-$release"; done; }

# example RELEASE: whether it has shown there what it promises.
example() {
    local out=$scratch/example-$1.out line
    say "examples/pair.sh on a fresh Debian $1"
    done_in_background "example-$1" || { wrong "the example on Debian $1"; return 1; }
    for line in 'HA state: hot-standby; state changes since the start: 0; hooks libraries unloaded: 0' \
        'lease: 198\.51\.100\.[0-9]+/24 router 198\.51\.100\.254 from server 198\.51\.100\.2 for 3600 s' \
        'the second server served it [0-9]+ ms after the reload' 'the second had the change after [0-9]+ ms' \
        '^1 passed, 0 failed'; do
        grep -qE "$line" "$out" || { wrong "the example on Debian $1 does not say: $line"; return 1; }
    done
    passed=$((passed + 1))
}

what=${1:-all}
case $what in
    all | --quick | --smoke | --examples) ;;
    *) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if [ "$(id -u)" != 0 ]; then echo "tests/run.sh: needs root, for network namespaces and packages" >&2; exit 2; fi

say "installing what is missing"
wanted=(build run)
if [ "$what" = all ]; then wanted+=(checks fuzz); fi
if [ "$what" != --quick ]; then wanted+=(trees); fi
"$top/tests/install.sh" "${wanted[@]}" || { wrong "packages"; totals; }

if [ "$what" = all ] || [ "$what" = --quick ]; then
    say "building in $build, for Kea $(kea-dhcp4 -v | head -n 1)"
    build_in "$build" || { wrong "the build"; totals; }
    if [ $# -gt 1 ]; then
        say "end-to-end tests"
        KFS_LIBRARY=$(library_in "$build") end_to_end "${@:2}"
        totals
    fi
    if [ "$what" = --quick ]; then
        say "unit tests"
        unit_tests "$build"
    fi
    say "end-to-end tests, those of busy servers"
    at_once=1 KFS_LIBRARY=$(library_in "$build") end_to_end "${busy_files[@]}"
fi

# The unit tests that need Kea, and those in which threads meet. All others have the sanitizers in the sweep's build.
of_kea=tests/unit/test_meaning
of_threads=$(cd "$top" && grep -lE 'fake_server|pair_fixture|locked_fixture|pthread' tests/unit/test_*.c | sed 's/\.c$//' | tr '\n' ' ')

# What comes later is built while the tests before it wait for their servers, in the order in which it is wanted.
if [ "$what" = all ]; then
    in_background builds clang build_all_in "$build-clang" CC=clang CXX=clang++
    in_background builds coverage build_all_in "$build-coverage" --enable-coverage --without-kea
    in_background builds sweep build_all_in "$build-sweep" --enable-allocation-sweep
    in_background builds asan build_some_in "$of_kea" "$build-asan" --enable-sanitizers
    in_background builds tsan build_some_in "$of_threads" "$build-tsan" --enable-thread-sanitizer
    in_background builds fuzz build_in "$build-fuzz" --enable-fuzzers --without-kea CC=clang CXX=clang++ CFLAGS="-g -O1"
    in_background builds lint "$top/tests/lint.sh" "$build"
fi
if [ "$what" != --quick ]; then
    if [ -z "$trees" ]; then trees=$(mktemp -d /var/tmp/kfs-trees-XXXXXX); fi
    mkdir -p "$trees"
    if [ "$what" = --smoke ]; then
        for release in trixie testing; do in_background trees "tree-$release" make_tree "$release"; done
    else
        remove_examples
        for release in trixie testing bookworm; do in_background trees "example-$release" run_example "$release"; done
    fi
fi
start_background

if [ "$what" = all ] || [ "$what" = --quick ]; then
    say "end-to-end tests"
    KFS_LIBRARY=$(library_in "$build") end_to_end $(other_files)
fi

if [ "$what" = all ]; then
    say "unit tests of a build by clang"
    if done_in_background clang; then unit_tests "$build-clang"; else wrong "the build by clang"; fi
    say "coverage of plugin/ by the unit tests"
    if done_in_background coverage; then
        unit_tests "$build-coverage"
        "$top/tests/coverage.py" "$build-coverage" || wrong "the coverage"
    else
        wrong "the build with --enable-coverage"
    fi
    say "unit tests with AddressSanitizer and UndefinedBehaviorSanitizer"
    if done_in_background sweep; then unit_tests "$build-sweep"; else wrong "the build with --enable-allocation-sweep"; fi
    if done_in_background asan; then
        only=$of_kea unit_tests "$build-asan"
        say "end-to-end test with sanitizers"
        KFS_PRELOAD="$(runtime asan) $(runtime ubsan)" KFS_LIBRARY=$(library_in "$build-asan") \
            end_to_end test_sanitized.py
    else
        wrong "the build with --enable-sanitizers"
    fi
    say "unit tests with ThreadSanitizer"
    if done_in_background tsan; then
        # ThreadSanitizer wants the memory where it expects it.
        units_at_once=$((2 * $(nproc))) only=$of_threads unit_tests "$build-tsan" setarch "$(uname -m)" -R
        say "end-to-end test with ThreadSanitizer"
        KFS_THREAD_PRELOAD=$(runtime tsan) KFS_LIBRARY=$(library_in "$build-tsan") end_to_end test_thread_sanitized.py
    else
        wrong "the build with --enable-thread-sanitizer"
    fi
    say "fuzz targets, a minute each"
    if done_in_background fuzz; then
        fuzz_targets "$build-fuzz"
    else
        wrong "the build with --enable-fuzzers"
    fi
    say "allocation failure sweep, two minutes"
    if done_in_background sweep; then
        sweep_allocations "$build-sweep"
    else
        wrong "the build with --enable-allocation-sweep"
    fi
    say "format, clang-tidy and cppcheck"
    if done_in_background lint; then passed=$((passed + 1)); else wrong "tests/lint.sh"; fi
fi

ready=()
if [ "$what" = --smoke ]; then
    for release in trixie testing; do
        if done_in_background "tree-$release"; then ready+=("$release"); else wrong "the Debian $release tree"; fi
    done
    smoke_all "" "${ready[@]}"
elif [ "$what" != --quick ]; then
    for release in bookworm trixie testing; do
        if example "$release" && [ "$what" = all ] && [ "$release" != bookworm ]; then ready+=("$release"); fi
    done
    smoke_all example- "${ready[@]}"
    remove_examples
fi
totals
