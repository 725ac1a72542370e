"""The laboratory: two real Kea servers with High Availability on one machine, in network namespaces of their own."""
