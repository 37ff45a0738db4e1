// Messages between host and guest. Generated from native/protocol; do not edit.

export const protocolVersion = 4;
/** vsock ports: control, portals and media are connected to by the guest, exec by the host. */
export const linkPort = { control: 1024, exec: 1025, portals: 1026, media: 1027 } as const;
/** Bytes of input that may be on the way to a session with `stdinCredit`. */
export const stdinWindowBytes = 262144;
/** Bytes after the length field of a frame: the kind and the payload. */
export const maxFrameBytes = 262144;
export const frameKind = { json: 0, stdin: 1, stdout: 2, stderr: 3 } as const;

/**
 * What the guest tells the host.
 */
export type ControlFromGuest = { "type": "hello", protocol: number, agent: string, kernel: string, 
/**
 * Milliseconds since the kernel started.
 */
uptimeMs: number, } | { "type": "ready", timings: Array<StageTiming>, 
/**
 * What programs draw with: a GPU's name, or words that there is none. Null without windows.
 */
renderer: string | null, } | { "type": "failed", stage: string, message: string, } | { "type": "log", level: LogLevel, message: string, };

export type StageTiming = { stage: string, 
/**
 * Milliseconds since the kernel started, at the end of the stage.
 */
ms: number, };

export type LogLevel = "error" | "warn" | "info" | "debug";

/**
 * What the host tells the guest.
 */
export type ControlToGuest = { "type": "configure" } & Configuration | { "type": "shutdown", 
/**
 * Time between SIGTERM and SIGKILL, milliseconds.
 */
graceMs: number, };

/**
 * Everything that makes a booted image this instance.
 */
export type Configuration = { hostname: string, machineId: string, 
/**
 * Time of day, nanoseconds since 1970, as decimal digits (it does not fit a JavaScript number).
 */
clockUnixNs: string, 
/**
 * 64 random bytes in base64, credited to the kernel's generator.
 */
seed: string, mounts: Array<Mount>, 
/**
 * Whether programs can show windows, over the machine's virtio-gpu device.
 */
windows: boolean, 
/**
 * Whether programs find portals on their session bus.
 */
portals: boolean, network: Network | null, environment: Record<string, string>, };

/**
 * A host directory that virtiofsd serves under a tag.
 */
export type Mount = { tag: string, 
/**
 * Absolute and normalised.
 */
path: string, readOnly: boolean, };

/**
 * The settings of eth0.
 */
export type Network = { address: string, prefixLength: number, gateway: string, dns: Array<string>, };

/**
 * What the host tells a session. `exec` comes first, and once.
 */
export type ExecToGuest = { "type": "exec" } & Command | { "type": "resize", columns: number, rows: number, } | { "type": "signal", name: SignalName, } | { "type": "stdin-eof", };

export type Command = { argv: Array<string>, 
/**
 * Added to the environment of the user's session.
 */
environment: Record<string, string>, 
/**
 * Absolute; the user's home when null.
 */
cwd: string | null, 
/**
 * Pipes when null.
 */
tty: Terminal | null, user: UserName, 
/**
 * Whether the host keeps to the stdin window and is told `stdin-taken`. The connection is then read at all times, so
 * that messages overtake unread input; without, unread input stops the connection.
 */
stdinCredit?: boolean, };

export type Terminal = { columns: number, rows: number, 
/**
 * The value of TERM.
 */
term: string, };

export type UserName = "user" | "root";

/**
 * The signals a host may send, without the SIG prefix.
 */
export type SignalName = "HUP" | "INT" | "QUIT" | "KILL" | "USR1" | "USR2" | "PIPE" | "ALRM" | "TERM" | "CONT" | "STOP" | "TSTP" | "TTIN" | "TTOU" | "WINCH";

/**
 * What a session tells the host. `failed` or `exited` is the last message; all output comes before it.
 */
export type ExecFromGuest = { "type": "started", pid: number, } | { "type": "stdin-taken", bytes: number, } | { "type": "failed", message: string, 
/**
 * The name of the system's error, such as ENOENT.
 */
errno: string | null, } | { "type": "exited", code: number | null, 
/**
 * Without the SIG prefix.
 */
signal: string | null, };

/**
 * What the guest tells the host.
 */
export type PortalsFromGuest = { "type": "call", 
/**
 * One that no call or request of this connection has now.
 */
id: number, interface: string, member: string, 
/**
 * Of the arguments together.
 */
signature: string, body: unknown[], 
/**
 * What `h` values are indices of.
 */
files: Array<GuestFile>, } | { "type": "close", id: number, } | { "type": "close-session", session: number, } | { "type": "stream-failed", stream: number, message: string, };

/**
 * What a file descriptor of a program refers to.
 */
export type GuestFile = { "type": "shared", tag: string, 
/**
 * Relative to the share, normalised; empty for the share itself.
 */
path: string, 
/**
 * Whether the descriptor is open for writing.
 */
writable: boolean, } | { "type": "local", };

/**
 * What the host tells the guest.
 */
export type PortalsToGuest = { "type": "offer", interfaces: Array<Interface>, } | { "type": "reply", id: number, signature: string, body: unknown[], } | { "type": "accept", id: number, } | { "type": "error", id: number, 
/**
 * A D-Bus error name.
 */
name: string, message: string, } | { "type": "response", id: number, code: number, 
/**
 * Variants by name.
 */
results: Record<string, unknown>, 
/**
 * The session that the request has made.
 */
session: number | null, 
/**
 * Whether what was asked for goes on until the program closes the request.
 */
lasts: boolean, } | { "type": "write", id: number, index: number, 
/**
 * Base64.
 */
bytes: string, } | { "type": "stream", stream: number, 
/**
 * Of the node, as PipeWire's properties name them: names and values.
 */
properties: { [key in string]: string }, } | { "type": "session-closed", session: number, details: Record<string, unknown>, } | { "type": "signal", interface: string, member: string, signature: string, body: unknown[], };

export type Interface = { 
/**
 * Such as `org.freedesktop.portal.Settings`.
 */
name: string, object: PortalObject, 
/**
 * Its D-Bus properties, `version` among them: variants by name.
 */
properties: Record<string, unknown>, 
/**
 * What introspection says: some languages' programs call by it.
 */
methods: { [key in string]: MethodTypes }, 
/**
 * The complete types of a signal's values.
 */
signals: { [key in string]: Array<string> }, };

/**
 * Complete types: of the arguments, and of what is returned.
 */
export type MethodTypes = { takes: Array<string>, returns: Array<string>, };

/**
 * Whose interface it is: `/org/freedesktop/portal/desktop`, or `/org/freedesktop/portal/documents`.
 */
export type PortalObject = "desktop" | "documents";
