"""What the set-up has the system do: programs that it runs, and shared libraries that Qt loads, if they are missing."""

from __future__ import annotations

import os
import sys

from studio.bootstrap.machine import SetupError, say

CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# By soname, with the Debian package of each. Qt blames xcb-cursor whichever of the xcb ones is missing, and aborts.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}


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


def missing_libraries(libraries: dict[str, str] | None = None) -> dict[str, str]:
    """Those of Qt's, or of these, that do not load, with the package of each; only Linux leaves them to the system."""
    if sys.platform != "linux":
        return {}
    from ctypes import CDLL

    missing = {}
    for soname, package in (LIBRARIES if libraries is None else libraries).items():
        try:
            CDLL(soname)
        except OSError:
            missing[soname] = package
    return missing


def missing_venv_package() -> dict[str, str]:
    """ensurepip, which Debian keeps in a package of its own, if this Python lacks it, with that package."""
    from importlib import util

    if util.find_spec("ensurepip") is not None:
        return {}
    usual = os.path.realpath("/usr/bin/python3") == os.path.realpath(sys.executable)
    return {"ensurepip": "python3-venv" if usual else f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"}


def apt_command(missing: dict[str, str], sudo: bool) -> str:
    """The one line that installs what is missing."""
    return ("sudo " if sudo else "") + "apt-get install -y " + " ".join(sorted(set(missing.values())))


def add_system_packages(missing: dict[str, str]) -> None:
    """Install packages of what is missing if possible (Debian, as root); else raises SetupError with what to do."""
    if not missing:
        return
    from shutil import which

    names = ", ".join(sorted(missing))
    if which("apt-get") is None:
        raise SetupError(
            f"The studio needs these libraries of the system, which are missing: {names}.\n"
            "Install the packages of your system that provide them and start again."
        )
    if os.geteuid() != 0:
        line = apt_command(missing, sudo=True)
        raise SetupError(f"Some packages of the system are missing. Install them and start again:\n\n  {line}\n")
    line = apt_command(missing, sudo=False)
    say(f"Installing packages of the system, which takes about a minute: {line}")
    fault = "The packages of the system could not be installed"
    run(["apt-get", "update", "-q"], fault, quiet=True)
    run([*line.split(), "--no-install-recommends", "-q"], fault, quiet=True)
    still = missing_libraries({name: package for name, package in missing.items() if ".so" in name})
    if still:
        raise SetupError(
            f"These libraries of the system are missing even now: {', '.join(sorted(still))}.\n"
            "Install the packages that provide them and start again."
        )
