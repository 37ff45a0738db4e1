"""Points the tests of xdg-desktop-portal at a guest: what they ask of the portal they ask of the guest's bus.

What they ask of the mock back ends stays on the host's bus. Between the two, paths and words differ where they have to:
requests and sessions have other handles on the host, what was picked is a document, and what is shown bears the
instance's name. A test sees them as it expects them only where they are so. Outcomes are appended to $OUTCOMES, one JSON object a line.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote, unquote

import dbus
import dbus.bus
import pytest
import tests as xdp

DOCUMENTS_NAME = "org.freedesktop.portal.Documents"
PORTALS = ("org.freedesktop.portal.Desktop", DOCUMENTS_NAME)
REQUESTS = "/org/freedesktop/portal/desktop/request/"
SESSIONS = "/org/freedesktop/portal/desktop/session/"
DOCUMENTS = "file:///run/user/1000/doc/"
INSTANCE = "[app@test] "
TEST_SECONDS = 20
OWN_CHOICE = "cloche-may-write"


class Handles:
    """Which request and session of the host is which of the guest's: told by the order in which they appear."""

    def __init__(self, host):
        self.host = host
        self.to_guest = {}
        self.request = None
        self.new_session = None

    def look(self):
        """Names what the back end has been called with since the last look."""
        try:
            calls = get_mock_iface(self.host).GetCalls()
        except dbus.exceptions.DBusException:
            return
        for _, _, args in calls:
            for path in [arg for arg in args if isinstance(arg, dbus.ObjectPath)]:
                if path in self.to_guest:
                    continue
                if path.startswith(REQUESTS) and self.request:
                    self.to_guest[path] = self.request
                elif path.startswith(SESSIONS) and path != self.new_session:
                    self.new_session = path

    def begin_session(self, handle):
        self.look()
        if self.new_session:
            self.to_guest[self.new_session] = handle
            self.new_session = None

    def of_host(self, value):
        for host, guest in self.to_guest.items():
            if isinstance(value, str) and value == guest:
                return host
        return value

    def of_guest(self, value):
        """What a back end was told, as the test would have said it."""
        if isinstance(value, str):
            return self.to_guest.get(value, value.removeprefix(INSTANCE))
        if isinstance(value, dict):
            items = {key: self.of_guest(one) for key, one in value.items()}
            return {key: one for key, one in items.items() if one != [] or value[key] == []}
        if isinstance(value, tuple):
            return tuple(self.of_guest(one) for one in value)
        if isinstance(value, list):
            return [self.of_guest(one) for one in value if not is_own_choice(one)]
        return value


def is_own_choice(value):
    return isinstance(value, tuple) and len(value) == 4 and value[0] == OWN_CHOICE


class Mock:
    """The mock back end, told and telling handles of the guest."""

    def __init__(self, iface, handles):
        self._iface = iface
        self._handles = handles

    def __getattr__(self, member):
        method = getattr(self._iface, member)

        def call(*args, **kwargs):
            self._handles.look()
            answer = method(*map(self._handles.of_host, args), **kwargs)
            return self._handles.of_guest(answer)

        return method if member == "connect_to_signal" else call


class Redirected:
    """A session bus whose portals are the guest's, and whose everything else is the host's."""

    def __init__(self, host, guest):
        self.host = host
        self.guest = guest
        self.handles = Handles(host)

    def get_object(self, name, path, **kwargs):
        return (self.guest if name in PORTALS else self.host).get_object(name, path, **kwargs)

    def get_unique_name(self):
        return self.guest.get_unique_name()

    def add_signal_receiver(self, handler, *args, **kwargs):
        def hear(*values):
            self.handles.look()
            handler(*map(self.handles.of_guest, values))

        return self.host.add_signal_receiver(hear, *args, **kwargs)

    def __getattr__(self, name):
        if name.startswith("_xdp"):
            raise AttributeError(name)
        return getattr(self.host, name)


class Guest:
    """The guest's side of one test."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        environment["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"]
        self.documents = self.start_documents(environment)
        node, script = os.environ["NODE"], Path(__file__).parent / "guest.ts"
        self.process = subprocess.Popen(
            [node, script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError("the guest did not start")
        self.bus = dbus.bus.BusConnection(self.address)
        self.bus.set_exit_on_disconnect(False)
        return self

    def __exit__(self, *_):
        self.bus.close()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        if self.documents:
            self.documents.terminate()
            self.documents.wait()

    def start_documents(self, environment):
        """Most tests do without a document portal; a guest has one."""
        if self.host.name_has_owner(DOCUMENTS_NAME):
            return None
        process = subprocess.Popen([os.environ["XDG_DOCUMENT_PORTAL_PATH"]], env=environment)
        xdp.wait_for(lambda: self.host.name_has_owner(DOCUMENTS_NAME))
        return process


guest = None
get_mock_iface = xdp.get_mock_iface


def redirected_mock_iface(bus, *args, **kwargs):
    iface = get_mock_iface(bus, *args, **kwargs)
    return Mock(iface, bus.handles) if isinstance(bus, Redirected) else iface


class Request(xdp.Request):
    def call(self, *args, **kwargs):
        if not isinstance(self.bus, Redirected):
            return super().call(*args, **kwargs)
        handles = self.bus.handles
        handles.look()
        handles.request = self.handle
        response = super().call(*args, **kwargs)
        if response is None:
            return None
        if "session_handle" in response.results:
            handles.begin_session(response.results["session_handle"])
        results = {key: of_document(self.bus.host, one) for key, one in response.results.items()}
        return xdp.Response(response.response, results)


def of_document(host, value):
    """The file of the host, where a document of the guest's was answered."""
    if isinstance(value, list):
        return [of_document(host, one) for one in value]
    if not isinstance(value, str) or not value.startswith(DOCUMENTS):
        return value
    identifier, _, *inside = unquote(value.removeprefix(DOCUMENTS)).split("/")
    paths = xdp.get_document_portal_iface(host).GetHostPaths([identifier], byte_arrays=True)
    path = os.fsdecode(bytes(paths[identifier]).rstrip(b"\0"))
    return "file://" + quote("/".join([path, *inside]))


class GDBusIface(xdp.GDBusIface):
    def __init__(self, bus, obj, iface):
        if guest is None or bus not in PORTALS:
            super().__init__(bus, obj, iface)
            return
        own = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = guest.address
        try:
            super().__init__(bus, obj, iface)
        finally:
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = own


Request.__name__ = "Request"
xdp.Request, xdp.GDBusIface, xdp.get_mock_iface = Request, GDBusIface, redirected_mock_iface


def give_up(*_):
    raise TimeoutError(f"no end after {TEST_SECONDS} s")


def pytest_sessionstart():
    signal.signal(signal.SIGALRM, give_up)
    # Files that the back ends answer with.
    for path in ("/test.txt", "/example/test2.txt", "/image.png", "/screenshot.png"):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).touch()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    global guest
    host = pyfuncitem.funcargs.get("dbus_con")
    if host is None:
        return (yield)
    with Guest(host) as guest:
        pyfuncitem.funcargs["dbus_con"] = Redirected(host, guest.bus)
        # Many wait for a signal, for as long as it takes.
        signal.alarm(TEST_SECONDS)
        try:
            return (yield)
        finally:
            signal.alarm(0)
            guest = None


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    outcome = {
        "test": report.nodeid.removeprefix("tests/"),
        "outcome": report.outcome if report.when == "call" or report.skipped else "error",
        "message": crash.message if crash else "",
    }
    with open(os.environ["OUTCOMES"], "a") as file:
        print(json.dumps(outcome), file=file)
