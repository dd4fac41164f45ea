#!/usr/bin/env bash
# Installs a package in a clean Debian and opens a parcel there as a double-click does: xdg-open, the
# window locked, the passphrase typed, and the parcel's entries on the board. `try.sh DEB FOLDER`: the
# pictures go to FOLDER, the Debian into FOLDER/root. Needs root and debootstrap; what is mounted is
# mounted in a namespace of its own, and gone with it.
set -euo pipefail
deb=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
root=$folder/root
packages=xvfb,xauth,x11-utils,xdotool,imagemagick,xdg-utils,libglib2.0-bin,dbus,dbus-x11,desktop-file-utils,ca-certificates
if [ ! -e "$root/.whole" ]; then
  rm -rf "$root"
  debootstrap --variant=minbase --include="$packages" bookworm "$root" >"$folder/debootstrap.log"
  touch "$root/.whole"
fi
cp "$deb" "$root/tmp/intact.deb"
cp "$(dirname "$0")/try-inside.sh" "$root/tmp/try-inside.sh"
cp /etc/resolv.conf "$root/etc/resolv.conf"
unshare --mount --pid --fork bash -euc '
  mount --make-rprivate /
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  chroot "$1" /bin/bash /tmp/try-inside.sh' -- "$root"
cp "$root"/tmp/pictures/*.png "$folder/"
echo "pictures in $folder"
