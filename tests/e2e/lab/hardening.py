"""What the compiler and the linker put into a library against being taken over, as far as the file shows it."""

import re

from . import processes


def read(*command):
    return processes.run(*command).stdout


def lacks(library):
    """The names of the protections that a library does not have."""
    headers = read("readelf", "--program-headers", "--wide", library)
    dynamic = read("readelf", "--dynamic", "--wide", library)
    imports = set(re.findall(r" UND (__\w+_chk(?:_fail)?)\b", read("readelf", "--dyn-syms", "--wide", library)))
    stack = re.search(r"GNU_STACK .* (\w+) +0x\w+$", headers, re.MULTILINE)
    found = {
        "read-only relocations": "GNU_RELRO" in headers,
        "symbols bound at load": re.search(r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b", dynamic) is not None,
        "data stack": stack is not None and "E" not in stack.group(1),
        "code without relocations": "TEXTREL" not in dynamic,
        "stack protector": "__stack_chk_fail" in imports,
        "checked string functions": bool(imports - {"__stack_chk_fail"}),
    }
    if "X86-64" in read("readelf", "--file-header", library):
        # What gcc writes for -fstack-clash-protection: it touches each page of a large frame.
        found["stack probes"] = re.search(r"\bor[bwlq]? +\$0x0,\(%rsp\)", read("objdump", "-d", library)) is not None
    return {name for name, there in found.items() if not there}
