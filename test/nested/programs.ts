// The programs of the nested machine and their jails. Pure.
// They are the monitor runtime's: its QEMU is the same on every host, and newer than what most distributions have.

export interface MachineSize {
  readonly cpus: number;
  readonly memoryMib: number;
}

/** Names of the Unix sockets in the machine's directory. */
export const sockets = { root: "root", pictures: "pictures" } as const;

/** The descriptor that the monitor inherits: its end of the agent's stream. */
export const agentDescriptor = 3;

export interface Jail {
  readonly bwrap: string;
  readonly runtimeRoot: string;
  /** The machine's directory, which the program writes to. */
  readonly directory: string;
  readonly isRoot: boolean;
}

/** The argv that runs `program` on the runtime's root, with `binds` besides: bubblewrap's own arguments. */
export function jailed(jail: Jail, program: readonly string[], binds: readonly string[]): string[] {
  return [
    ...[jail.bwrap, "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net"],
    // The file server of root shows every file with its owner, so that it stays root.
    ...(jail.isRoot ? ["--cap-add", "ALL"] : ["--unshare-user"]),
    ...["--ro-bind", jail.runtimeRoot, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
    ...["--bind", jail.directory, "/run", ...binds, "--", ...program],
  ];
}

export function fileServer(socket: string, isRoot: boolean, ...options: string[]): string[] {
  return [
    ...["/usr/libexec/virtiofsd", "--shared-dir", "/share", "--socket-path", `/run/${socket}`, "--sandbox", "none"],
    // Descriptors are few, and the machine keeps what it has seen: the agent makes it forget before each command.
    ...["--cache", "always", `--inode-file-handles=${isRoot ? "prefer" : "never"}`],
    // An overlay cannot look below mount points.
    ...["--no-announce-submounts", "--log-level", "error", ...options],
  ];
}

/** The kernel is expected in /images, the initramfs and the sockets in /run; the console is standard output. */
export function monitor({ cpus, memoryMib }: MachineSize): string[] {
  const memory = `memory-backend-memfd,id=ram,size=${memoryMib}M,share=on`;
  const share = (tag: string) => [
    ...["-chardev", `socket,id=${tag},path=/run/${tag}`],
    ...["-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag},queue-size=1024`],
  ];
  return [
    ...["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-machine", "q35,memory-backend=ram,usb=off,vmport=off,smbus=off,sata=off,hpet=off,i8042=off"],
    // `max` has AMD's virtualisation with nested paging.
    ...["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max", "-smp", String(cpus)],
    ...["-m", `${memoryMib}M`, "-object", memory],
    ...["-kernel", "/images/vmlinux", "-initrd", "/run/initramfs"],
    ...["-append", "console=ttyS0 quiet loglevel=4 panic=-1 tsc=reliable mitigations=off cryptomgr.notests"],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
    ...["-chardev", `socket,id=agent,fd=${agentDescriptor}`, "-device", "virtserialport,chardev=agent,name=agent"],
    ...[...share(sockets.root), ...share(sockets.pictures)],
  ];
}
