# Asks the portal for a screen, as applications do, and says the digest of each of so many frames that it then sees in that format.
import hashlib
import subprocess
import sys

from gi.repository import Gio, GLib

count, pixels, frame_bytes = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
portal = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop", "org.freedesktop.portal.ScreenCast")
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
loop = GLib.MainLoop()
answers = {}


def hear_response(*signal):
    answers[signal[2]] = signal[5].unpack()
    loop.quit()


def ask(method, signature, arguments, options):
    """The results of a request. It ends the program where they are not given."""
    token = f"t{len(answers)}"
    options = {**options, "handle_token": GLib.Variant("s", token)}
    request = f"/org/freedesktop/portal/desktop/request/{bus.get_unique_name()[1:].replace('.', '_')}/{token}"
    bus.call_sync(*portal, method, GLib.Variant(signature, (*arguments, options)), None, 0, -1)
    while request not in answers:
        loop.run()
    code, results = answers[request]
    if code != 0:
        sys.exit(f"{method} is answered with {code}")
    return results


bus.signal_subscribe(None, "org.freedesktop.portal.Request", "Response", None, None, 0, hear_response)
session = ask("CreateSession", "(a{sv})", (), {"session_handle_token": GLib.Variant("s", "mine")})["session_handle"]
ask("SelectSources", "(oa{sv})", (session,), {"types": GLib.Variant("u", 1)})
[(node, facts)] = ask("Start", "(osa{sv})", (session, ""), {})["streams"]
no_options = GLib.Variant("(oa{sv})", (session, {}))
_, files = bus.call_with_unix_fd_list_sync(*portal, "OpenPipeWireRemote", no_options, None, 0, -1, None)
remote = files.get(0)
print(*facts["size"], flush=True)
source = ["pipewiresrc", f"fd={remote}", f"path={node}", f"num-buffers={count}"]
pipeline = [*source, "!", "videoconvert", "!", f"video/x-raw,format={pixels}", "!", "fdsink", "fd=1"]
taking = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline], stdout=subprocess.PIPE, pass_fds=[remote])
while frame := taking.stdout.read(frame_bytes):
    print(hashlib.sha256(frame).hexdigest(), flush=True)
