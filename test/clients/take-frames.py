# Asks the portal for the camera, as applications do, and says the digest of each of so many frames that it then sees.
import hashlib
import subprocess
import sys

from gi.repository import Gio, GLib

count, frame_bytes = int(sys.argv[1]), int(sys.argv[2])
portal = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Camera")
no_options = GLib.Variant("(a{sv})", ({},))
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
loop = GLib.MainLoop()
codes = []


def hear_response(*signal):
    codes.append(signal[5].unpack()[0])
    loop.quit()


bus.signal_subscribe(None, "org.freedesktop.portal.Request", "Response", None, None, 0, hear_response)
bus.call_sync(*portal, "AccessCamera", no_options, None, 0, -1)
loop.run()
if codes != [0]:
    sys.exit(f"the camera is not for us: {codes}")
_, files = bus.call_with_unix_fd_list_sync(*portal, "OpenPipeWireRemote", no_options, None, 0, -1, None)
remote = files.get(0)
source = ["pipewiresrc", f"fd={remote}", "target-object=cloche-camera", f"num-buffers={count}"]
pipeline = [*source, "!", "video/x-raw,format=I420", "!", "fdsink", "fd=1"]
taking = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline], stdout=subprocess.PIPE, pass_fds=[remote])
while frame := taking.stdout.read(frame_bytes):
    print(hashlib.sha256(frame).hexdigest(), flush=True)
