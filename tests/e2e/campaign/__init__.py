"""The fault campaign: two real servers, both edited at random while things go wrong, and what must hold afterwards.

From tests/e2e, with KFS_LIBRARY naming the library: python3 -m campaign --help"""
