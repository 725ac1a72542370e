"""The library as it is built has the compiler's and the linker's protections."""

import os
import platform

import pytest
from lab import hardening, processes
from lab.pair import library_of_run

BARE = """
#include <stdio.h>
#include <string.h>
__asm__(".text\\n.quad stdout\\n"); /* an address in the code, to be relocated */
void bare(const char *text) { char page[20000]; sprintf(page, "%s", text); puts(strcat(page, text)); }
"""
BARE_FLAGS = ("-O2", "-fPIC", "-shared", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-fno-stack-clash-protection",
              "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack", "-Wl,-z,notext")


def test_the_library_has_every_protection():
    assert hardening.lacks(os.environ.get("KFS_TREE", "") + library_of_run()) == set()


@pytest.mark.plain
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the relocation in the code is written for x86_64")
def test_a_library_built_without_them_is_found_out(tmp_path):
    (tmp_path / "bare.c").write_text(BARE)
    processes.run("gcc", *BARE_FLAGS, "-o", str(tmp_path / "bare.so"), str(tmp_path / "bare.c"))
    assert hardening.lacks(str(tmp_path / "bare.so")) == {
        "read-only relocations", "symbols bound at load", "data stack", "code without relocations", "stack protector",
        "checked string functions", "stack probes"}
