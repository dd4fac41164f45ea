#!/usr/bin/env bash
# Inside the clean Debian: see try.sh.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get -qq update
apt-get -qq install -y --no-install-recommends /tmp/intact.deb >/tmp/install.log
desktop-file-validate /usr/share/applications/*ntact*.desktop
id amira >/dev/null 2>&1 || useradd --create-home --shell /bin/bash amira
rm -rf /tmp/pictures /home/amira/* /home/amira/.local /home/amira/.config
install -d -o amira /tmp/pictures

cat >/tmp/as-amira.sh <<'INSIDE'
set -euo pipefail
cd
echo "practice makes the night shorter" >passphrase
intact --passphrase-file passphrase practice --out night >/dev/null
logged=$(intact --json --vault night/field --passphrase-file passphrase incident log --category ops:box-tampering --summary "Second ballot box burnt in the yard" --severity 4 --station 0421)
reference=$(sed -n 's/.*"reference": *"\([^"]*\)".*/\1/p' <<<"$logged" | head -1)
mkdir -p stick .local/share/intact
intact --vault night/field --passphrase-file passphrase parcel write --to emb --out stick/night.parcel >/dev/null
mv night/emb .local/share/intact/vault
export XDG_CURRENT_DESKTOP=GNOME WEBKIT_DISABLE_DMABUF_RENDERER=1 LIBGL_ALWAYS_SOFTWARE=1
[ "$(gio info -a standard::content-type stick/night.parcel | sed -n 's/.*content-type: //p')" = application/x-intact-parcel ]
picture() { import -window root "/tmp/pictures/$1.png"; }
# A picture that is the same twice, half a second apart, is painted.
settled() {
  local last=""
  for _ in $(seq 120); do
    local now
    now=$(import -window root -depth 8 rgb:- | sha256sum)
    [ "$now" = "$last" ] && return
    last=$now
    sleep 0.5
  done
}
xdg-open stick/night.parcel
window=$(timeout 60 xdotool search --sync --onlyvisible --name '^Intact$' | head -1)
settled
picture package-locked
xdotool windowfocus --sync "$window"
xdotool type --delay 20 "practice makes the night shorter"
xdotool key Return
# What came is written to the vault first, and painted a moment later.
for _ in $(seq 60); do
  sleep 0.5
  [ -n "$(find .local/share/intact/vault -newer stick/night.parcel -name '*-wal' 2>/dev/null)" ] && break
done
sleep 3
picture package-parcel
xdotool windowclose "$window"
for _ in $(seq 60); do
  pgrep -u amira intact-window >/dev/null || break
  sleep 0.5
done
intact --json --vault .local/share/intact/vault --passphrase-file passphrase incident show "$reference" | grep -q "Second ballot box burnt"
echo "opened by double-click: $reference of the parcel is in the vault"
INSIDE
su amira -c 'xvfb-run -a -s "-screen 0 1440x900x24" dbus-run-session -- bash /tmp/as-amira.sh'
apt-get -qq remove -y intact >/dev/null
[ ! -e /usr/bin/intact ]
echo "removed again"
