#!/usr/bin/env bash
# Installs the Debian packages that building or testing needs, where they are missing.
set -euo pipefail
build=(libwebkit2gtk-4.1-dev libgtk-3-dev build-essential pkg-config libssl-dev librsvg2-dev file)
test=(xvfb xauth webkit2gtk-driver dbus dbus-x11 imagemagick x11-utils fonts-dejavu-core openssh-client)
case "${1:-build}" in
  build) want=("${build[@]}") ;;
  gates) want=(chromium) ;;
  package) want=(debootstrap) ;;
  *) want=("${build[@]}" "${test[@]}") ;;
esac
missing=()
for package in "${want[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo"
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -o DPkg::Lock::Timeout=300 update -qq
$sudo apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
