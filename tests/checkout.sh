#!/usr/bin/env bash
# Copies the sources to an existing folder, without what was built from them.
#
#   tests/checkout.sh FOLDER
set -euo pipefail

cd "$(dirname "$0")/.."
tar --exclude=./.git --exclude='./build*' --exclude=./configure --exclude=./autom4te.cache --exclude=./aclocal.m4 \
    --exclude=Makefile.in --exclude=./config.h.in -cf - . | tar -C "$1" -xf -
