#!/bin/busybox sh
# The nested machine's first program: the host's root, copy-on-write, with file systems of its own; then the agent.
/bin/busybox mkdir -p /proc /sys /dev /lower /upper /new /kept
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module" || echo "nested: $module cannot be loaded"; done
. /settings

mount -t virtiofs -o ro root /lower || exec poweroff -f
mount -t tmpfs -o size=60%,mode=755 upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /new

# Directories of tests that lie where a file system of the machine's own comes.
number=0
while read -r path; do
  number=$((number + 1))
  mkdir "/kept/$number"
  mount --bind "/new$path" "/kept/$number"
done < /shown
mount -t tmpfs -o mode=1777 tmp /new/tmp
mount -t tmpfs -o mode=755 run /new/run
number=0
while read -r path; do
  number=$((number + 1))
  mkdir -p "/new$path"
  mount --move "/kept/$number" "/new$path"
done < /shown
mkdir -p "/new$pictures"
mount -t virtiofs pictures "/new$pictures"

ulimit -Hn 524288
mkdir -m 1777 /new/tmp/node-compile-cache
mkdir -p "/new/run/user/$uid" /dev/pts /dev/shm
chown "$uid:$gid" "/new/run/user/$uid"
chmod 700 "/new/run/user/$uid"
# An ordinary user's file server shows other owners as nobody; the system's store is trusted only as root's.
if [ -d /new/var/cache/cloche ]; then chown 0:0 /new/var/cache/cloche; fi
mount -t devpts -o mode=620,ptmxmode=666 pts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t cgroup2 cgroup /sys/fs/cgroup
for controller in cpu memory pids; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
chmod 666 /dev/kvm /dev/net/tun /dev/fuse /dev/vhost-vsock /dev/vhost-net
hostname cloche-nested
ip link set lo up
cp /bin/busybox /new/run/busybox
for directory in proc sys dev; do mount --move "/$directory" "/new/$directory"; done
# The shell stays: as process 1 it reaps what loses its parent.
exec switch_root /new /run/busybox sh -c '"$@"; exec /run/busybox poweroff -f' sh "$node" "$agent" "$store"
