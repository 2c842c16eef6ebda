"""A D-Bus of our own: one `dbus-daemon` in a folder, no root, no system bus, no policy files. It can be made to die."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DAEMON = "dbus-daemon"
_SET_PARENT_DEATH_SIGNAL = 1
_ENDS_IN_S = 5.0
_CONFIG = """\
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class NoBusDaemonError(RuntimeError):
    """dbus-daemon is not installed: the virtual Bluetooth stack of the system needs it (package dbus or dbus-daemon)."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def is_installed() -> bool:
    """Whether `dbus-daemon` can be started here."""
    return shutil.which(DAEMON) is not None


class PrivateBus:
    """The daemon, and the address to export as DBUS_SYSTEM_BUS_ADDRESS."""

    def __init__(self, folder: Path) -> None:
        """Its socket and its settings lie in `folder`, which has to exist and to have a short name."""
        self._socket, self._config = folder / "bus", folder / "bus.conf"
        self._daemon: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """The same over all starts."""
        return f"unix:path={self._socket}"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            NoBusDaemonError: there is no `dbus-daemon`.
            OSError: it does not start.
        """
        program = shutil.which(DAEMON)
        if program is None:
            raise NoBusDaemonError
        self._socket.unlink(missing_ok=True)
        self._config.write_text(_CONFIG.format(socket=self._socket), encoding="utf-8")
        self._daemon = subprocess.Popen(  # noqa: S603 - a fixed program with our own settings
            [program, f"--config-file={self._config}", "--nofork", "--print-address=1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - between fork and exec it only asks the kernel
        )
        assert self._daemon.stdout is not None
        if not self._daemon.stdout.readline():
            self.stop()
            raise OSError(f"{program} does not start with {self._config}")

    def die(self) -> None:
        """Killed: every connection breaks off, nobody is told anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ended, and gone when this returns."""
        self._end(signal.SIGTERM)
        self._socket.unlink(missing_ok=True)

    def _end(self, word: signal.Signals) -> None:
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        daemon.send_signal(word)
        try:
            daemon.wait(_ENDS_IN_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        if daemon.stdout is not None:
            daemon.stdout.close()


def _die_with_parent() -> None:
    """A killed process takes its bus along (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
