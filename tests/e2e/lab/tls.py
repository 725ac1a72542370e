"""Certificates, made by openssl when a test asks for them."""

import os

from . import processes


class Authority:
    """A CA in a folder of its own; `certificate` is the file that others are to trust."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        os.makedirs(folder, exist_ok=True)
        self.certificate = f"{folder}/{name}.crt"
        self._key = self._new_key(name)
        _openssl("req", "-x509", "-new", "-key", self._key, "-days", "30", "-subj", f"/CN={name}", "-out", self.certificate)

    def issue(self, name, names=(), days=30):
        """A certificate that bears `name` and, as further names, such as "IP:10.53.0.3". With negative days it has
        expired. Returns the files of the certificate and its key."""
        key, request, certificate = self._new_key(name), f"{self.folder}/{name}.csr", f"{self.folder}/{name}.crt"
        extension = f"{self.folder}/{name}.ext"
        with open(extension, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={','.join(names)}\n" if names else "")
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-days", str(days), "-extfile", extension, "-out", certificate)
        return certificate, key

    def _new_key(self, name):
        key = f"{self.folder}/{name}.key"
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        return key


def _openssl(*arguments):
    processes.run("openssl", *arguments)
