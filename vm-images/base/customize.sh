# Makes a root from the installed packages: the user, names, and caches. Run by mmdebstrap's shell with the root as "$1".
set -eu

# Nobody has a password, and the date on which the build happened is not written down.
sed -i 's/^\([^:]*\):[^:]*:[^:]*:/\1:*::/' "$1/etc/shadow"
echo 'user:x:1000:1000:user:/home/user:/bin/bash' >> "$1/etc/passwd"
echo 'user:*::0:99999:7:::' >> "$1/etc/shadow"
echo 'user:x:1000:' >> "$1/etc/group"
echo 'user:!::' >> "$1/etc/gshadow"
mkdir -p "$1/home/user"
cp -R "$1/etc/skel/." "$1/home/user/"
chown -R 1000:1000 "$1/home/user"
chmod 700 "$1/home/user"

# The agent gives an instance its own; /etc/resolv.conf would be the building host's.
echo cloche > "$1/etc/hostname"
printf '127.0.0.1 localhost cloche\n::1 localhost cloche\n' > "$1/etc/hosts"
rm -f "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"
: > "$1/etc/resolv.conf"
: > "$1/etc/machine-id"
mkdir -p "$1/mnt" "$1/run" "$1/tmp" "$1/proc" "$1/sys" "$1/dev"

# Every file of the image gets one time. These caches are valid only for directories of the time they were made at.
find "$1/usr/share/fonts" "$1/usr/local/share/fonts" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} + 2>/dev/null || true
rm -rf "$1"/var/cache/fontconfig/*
chroot "$1" fc-cache --system-only --force
