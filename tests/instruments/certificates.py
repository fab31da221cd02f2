"""Certificates made by openssl for a test: authorities, and who they vouch for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


class Authority:
    """One that signs; its certificate is `<name>.pem` in the folder."""

    def __init__(self, folder: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl")
        self.folder = folder
        self.name = name
        _openssl(
            folder,
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "30", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )

    def vouch(self, name: str, *, common_name_alone: bool = False, days: int = 30) -> None:
        """Make `<name>.pem` and `<name>.key`; with days below zero it is past its time."""
        _openssl(
            self.folder,
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        names = self.folder / "names"
        names.write_text("" if common_name_alone else f"subjectAltName=DNS:{name}\n")
        _openssl(
            self.folder,
            *("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-days", str(days)),
            *("-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key", "-extfile", "names"),
        )


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
