#!/bin/sh
# Installs what `make test` and `make demo CHECK=1` use beside Python packages, where this machine
# allows it: a browser and a sound server for real joins, MariaDB and Redis for the databases' tests.
# Says what is missing and never fails: the tests skip loudly for a person, and fail where CI is set.
# With `recordings`: the voices and the music that the packager's benches are judged by
# (bench/material.py), and nothing else.
set -u

wanted=''
components() {
    command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium fonts-dejavu-core"
    command -v pulseaudio >/dev/null 2>&1 || wanted="$wanted pulseaudio"
    command -v parec >/dev/null 2>&1 || wanted="$wanted pulseaudio-utils"
    # The programs alone, without the package that sets a database up and starts it.
    command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || wanted="$wanted mariadb-server-core mariadb-client-core"
    command -v redis-server >/dev/null 2>&1 || wanted="$wanted redis-server"
    # What media segments are measured beside (bench/ranges.py); the bench starts its own.
    command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || wanted="$wanted nginx-light"
}

recordings() {
    [ -d /usr/share/pocketsphinx/test/data ] || wanted="$wanted pocketsphinx-testdata"
    [ -d /usr/share/asterisk/sounds/en_US_f_Allison ] || wanted="$wanted asterisk-core-sounds-en-wav"
    [ -d /usr/share/games/wesnoth/1.16/data/core/music ] || wanted="$wanted wesnoth-1.16-music"
}

case "${1:-components}" in
    components | recordings) "${1:-components}" ;;
    *)
        echo "usage: install-components.sh [components|recordings]" >&2
        exit 2
        ;;
esac
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=''
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "MISSING:$wanted. What needs them is skipped; as root: apt-get install$wanted" >&2
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "MISSING:$wanted, and there is no apt-get here; install them by hand." >&2
    exit 0
fi

echo "Installing$wanted ..."
log=$(mktemp)
# Run level 1: nothing that is installed is started; the tests start their own, on free ports.
# shellcheck disable=SC2086 # both hold lists of words
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --yes --no-install-recommends $wanted; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "MISSING:$wanted could not be installed; what needs them is skipped." >&2
fi
rm -f "$log"
exit 0
