#!/bin/bash
# Before the page's commands: what the page says of the machine. Each command runs in this shell, and
# its output and status come after its number.
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
cd /root || exit 1
echo '127.0.0.1 localhost attest.example.com api.example.com' >/etc/hosts
{ apt-get -q update && apt-get install -qy --no-install-recommends \
  curl python3-venv python3-cryptography python3-openssl; } >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }
exec 2>&1
step() { printf '\036%s\n' "$*"; }
ended() { printf '\037%s\n' "$1"; }
trap 'kill $(jobs -p) 2>/dev/null' EXIT
