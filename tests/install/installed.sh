#!/bin/bash
# Runs in a bare Debian that systemd has booted (tools/fresh-root --boot), with nothing but the packages
# beside it: installation, sandbox, reload, upgrade, port 443, removal and purge.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
data=/var/lib/touchmark

step() { echo "== $*"; }
die() { echo "FAILED: $*" >&2; journalctl -u touchmark --no-pager 2>/dev/null | tail -n 30 >&2 || true; exit 1; }
is() { [[ $1 == "$2" ]] || die "$3: '$1', not '$2'"; }
# The words of apt are told only when something fails.
quiet() { "$@" >/tmp/quiet 2>&1 || { cat /tmp/quiet >&2; die "$*"; }; }
ready() { touchmark ready "${1:-https://localhost:8443}" >/dev/null || die "the service is not ready"; }
pid() { systemctl show -p MainPID --value touchmark; }

quiet apt-get -q update

step "install"
quiet apt-get install -qy --no-install-recommends ./touchmark_1.0_*.deb
is "$(systemctl is-active touchmark)" active "the service"
is "$(systemctl is-enabled touchmark)" enabled "the service"
is "$(systemctl is-enabled touchmark.socket || true)" disabled "the socket"
ready
is "$(stat -c '%U:%G %a' $data)" 'touchmark:touchmark 700' "the data folder"
is "$(stat -c '%U:%G %a' /etc/touchmark/master.key)" 'root:root 600' "the master key"
[[ ! -e $data/master.key ]] || die "a second master key is in the data folder"

step "sandbox"
is "$(stat -c %U "/proc/$(pid)")" touchmark "the user"
is "$(sed -n 's/^CapEff:\t//p' "/proc/$(pid)/status")" 0000000000000000 "capabilities"
is "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$(pid)/status")" 1 "new privileges"
is "$(sed -n 's/^Seccomp:\t//p' "/proc/$(pid)/status")" 2 "the filter of system calls"
exposure=$(systemd-analyze security touchmark --no-pager | sed -n 's/.*Overall exposure level for touchmark.service: \([0-9.]*\).*/\1/p')
[[ $exposure == [01].* ]] || die "the exposure of the unit is $exposure"
echo "exposure $exposure"

step "first operator"
touchmark init https://localhost:8443 --credentials $data/operator-tokens.json >/dev/null || die init
secret=$(touchmark secret get)
account=$(touchmark status --json | sed 's/.*"account":"\([^"]*\)".*/\1/')
[[ -n $secret && -n $account ]] || die "no secret or account"
touchmark sdk library /tmp/touchmark_sdk.aar >/dev/null || die "the SDK is not in the package"
touchmark sdk repository /tmp/repository --group com.example.mobile >/dev/null || die "no Maven repository"
[[ -n $(find /tmp/repository -name '*-javadoc.jar') ]] || die "the SDK's documentation is not in the package"

step "reload"
before=$(pid)
systemctl reload touchmark
ready
is "$(pid)" "$before" "the process after a reload"

step "upgrade"
quiet apt-get install -qy --no-install-recommends ./touchmark_1.1_*.deb
ready
[[ $(pid) != "$before" ]] || die "the old service still runs"
is "$(touchmark secret get)" "$secret" "the secret after the upgrade"

step "crash"
kill -9 "$(pid)"
for _ in {1..50}; do sleep 0.2; touchmark ready https://localhost:8443 >/dev/null 2>&1 && break; done
ready
is "$(touchmark secret get)" "$secret" "the secret after a crash"

step "port 443"
systemctl stop touchmark
systemctl enable -q --now touchmark.socket
systemctl start touchmark
ready https://localhost
is "$(sed -n 's/^CapEff:\t//p' "/proc/$(pid)/status")" 0000000000000000 "capabilities at port 443"
systemctl restart touchmark & # a connection waits for the service, and is not refused
for _ in {1..5}; do ready https://localhost; done
wait
systemctl stop touchmark.socket touchmark
systemctl disable -q touchmark.socket
systemctl start touchmark

step "a key that is lost is not made again"
systemctl stop touchmark
mv /etc/touchmark/master.key /root/master.key
quiet apt-get install -qy --reinstall --no-install-recommends ./touchmark_1.1_*.deb
[[ ! -e /etc/touchmark/master.key ]] || die "a new master key was made beside old data"
! systemctl is-active -q touchmark || die "it serves without its master key"
mv /root/master.key /etc/touchmark/master.key
systemctl reset-failed touchmark
systemctl start touchmark
is "$(touchmark secret get)" "$secret" "the secret with its key"

step "remove"
quiet apt-get remove -qy touchmark
! systemctl is-active -q touchmark || die "it still runs"
[[ -e $data/touchmark.db && -e /etc/touchmark/master.key ]] || die "removal took the data"
quiet apt-get install -qy --no-install-recommends ./touchmark_1.1_*.deb
is "$(touchmark secret get)" "$secret" "the secret after another installation"

step "purge, without an answer"
quiet apt-get purge -qy touchmark
grep -q 'left the data' /tmp/quiet || die "purge does not say what it left"
[[ -e $data/touchmark.db && -e /etc/touchmark/master.key ]] || die "purge took the data without being told"
quiet apt-get install -qy --no-install-recommends ./touchmark_1.1_*.deb
is "$(touchmark secret get)" "$secret" "the secret after a purge"

step "purge, data and all"
echo 'touchmark touchmark/remove-data boolean true' | debconf-set-selections
quiet apt-get purge -qy touchmark
[[ ! -e $data && ! -e /etc/touchmark ]] || die "purge left data that was to go"
echo "all held"
