#!/usr/bin/env bash
# Looks at the sources without running them: their format, clang-tidy and cppcheck.
#
#   tests/lint.sh BUILD      a folder in which ./configure and make have run: some headers are made there
#
# What is not looked for, and why, is in .clang-format, in .clang-tidy and, for cppcheck, below; what is accepted in one place
# alone says so there (NOLINT, cppcheck-suppress).
set -uo pipefail

[ $# -eq 1 ] && [ -e "$1/config.status" ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.." || exit 2
at_once=$(nproc)
code=0

# Sources as the shell finds them, since a copy of the checkout need not be a repository.
mapfile -t headers < <(find include plugin shim tests -name '*.h' | sort)
mapfile -t in_c < <(find plugin tests -name '*.c' | sort)
mapfile -t in_cxx < <(find shim -name '*.cc' | sort)

defines=(-D_GNU_SOURCE '-DPACKAGE_VERSION="0"' '-DFAILOVER_SYNC_STATE_DIR="/var/lib/kea"')
includes=(-Iinclude "-I$build" -I.)
mapfile -t libraries < <(pkg-config --cflags sqlite3 libyang libcurl jansson libcrypto cmocka | xargs -rn 1)

echo "format"
clang-format --dry-run --Werror "${headers[@]}" "${in_c[@]}" "${in_cxx[@]}" || code=1

# One file at a time: clang-tidy 14 finds every va_list of the second file of a run uninitialized. It is what takes the time,
# and the tests are looked at by the compilers and the sanitizers: it reads what is loaded into the server.
echo "clang-tidy"
tidy() {
    local standard=$1
    shift
    mapfile -t files < <(find "$1" -name "$2" | sort)
    printf '%s\0' "${files[@]}" | xargs -0 -P "$at_once" -I '{}' clang-tidy --quiet '{}' -- "-std=$standard" "${@:3}" \
        "${defines[@]}" "${includes[@]}" "${libraries[@]}" 2> >(grep -vE '^[0-9]+ warnings? (treated|generated)' >&2)
}
tidy gnu17 plugin '*.c' || code=1
if kea=$(sed -n 's/^KEA_CPPFLAGS = //p' "$build/Makefile") && [ -n "$kea" ]; then
    read -ra kea <<<"${kea//'$(srcdir)'/.}"
    tidy c++17 shim '*.cc' "${kea[@]}" || code=1
fi

echo "cppcheck"
cppcheck --quiet -j "$at_once" --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --include=tests/cppcheck.h "${defines[@]}" "${includes[@]}" plugin shim || code=1
exit $code
