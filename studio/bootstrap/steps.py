"""One step of the set-up: another program, its words passed on, its failure a sentence."""

from __future__ import annotations

import os
import sys

from studio.bootstrap.machine import SetupError, say

CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def run(command: list[str], fault: str, quiet: bool = False) -> None:
    """Run a program, output going to stderr or, if `quiet`, nowhere; raises SetupError, with `fault`, if it fails."""
    import subprocess

    sys.stderr.flush()
    try:
        code = subprocess.run(
            command,
            env=environment_for_steps(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else 2,
            check=False,
        ).returncode
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        code = 1
    if code != 0:
        raise SetupError(
            f"{fault}; the reason is above.\n"
            "If it is the network, see to that. Then start again: what is already there is kept."
        )


def environment_for_steps(environment: dict[str, str]) -> dict[str, str]:
    """Have apt ask nothing, and uv and pip trust what the system trusts: a company's certificates may only be there."""
    import ssl

    environment.setdefault("DEBIAN_FRONTEND", "noninteractive")
    places = (ssl.get_default_verify_paths().cafile, *CERTIFICATES)
    bundle = next((place for place in places if place and os.path.isfile(place)), None)
    if bundle is not None:
        environment.setdefault("UV_SYSTEM_CERTS", "1")
        environment.setdefault("PIP_CERT", bundle)
    return environment
