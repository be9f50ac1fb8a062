"""A certificate authority for one test, made with the openssl program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


@dataclass(frozen=True, slots=True)
class Authority:
    """certificate, key: the authority's own PEM files."""

    folder: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, name: str = "Test CA") -> Authority:
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder, folder / "ca.pem", folder / "ca.key")
        _openssl(
            "req",
            "-x509",
            *KEY,
            "-subj",
            f"/CN={name}",
            "-keyout",
            made.key,
            "-out",
            made.certificate,
        )
        return made

    def issue(self, name: str, *, address: str = "IP:127.0.0.1") -> tuple[Path, Path]:
        """A certificate and its key, signed by this authority, for a name and an address."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={address}\n")
        _openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        signing: list[str | Path] = [
            "-CA",
            self.certificate,
            "-CAkey",
            self.key,
            "-CAcreateserial",
            "-days",
            "2",
        ]
        _openssl(
            "x509", "-req", "-in", request, *signing, "-extfile", extensions, "-out", certificate
        )
        return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
