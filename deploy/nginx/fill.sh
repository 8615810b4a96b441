#!/bin/sh
# Fills in what stands in @...@ in a configuration of this folder, and prints it. It fails, and prints
# nothing, where a value is missing.
#
#   sh deploy/nginx/fill.sh replicas.conf first=10.0.0.11:8080 second=10.0.0.12:8080 >nginx.conf
#
# All of these have values for a machine with Debian's nginx, and may be given:
#   listen     where it listens without HTTPS, which is this machine alone
#   tls        "include <file>;" with tls.conf filled in; nothing
#   redirect   "include <file>;" with redirect.conf filled in; nothing
#   operators  networks that may see /ops and /metrics, as "10.20.0.0/16 1;"; none but this machine
#   workers    processes; one for each processor
#   user       "user <name>;", whose these processes are
#   pid        file with its process id
#   folder     an existing folder of nginx alone, for what it puts aside
#   logs       folder of its logs
#   https      port, or address and port, of tls.conf; [::]:443 ipv6only=off is all of IPv4 and IPv6
#   http       the same of redirect.conf
# And these have none: first, second (replicas.conf); tell, media (delivery.conf); name, certificate,
# key (tls.conf); name (redirect.conf).
set -eu
[ "$#" -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
file=$(dirname "$0")/$1
shift
# A value that is given stands behind the one that is not, and counts.
exec awk '
BEGIN {
    for (i = 2; i < ARGC; i++) {
        at = index(ARGV[i], "=")
        value[substr(ARGV[i], 1, at - 1)] = substr(ARGV[i], at + 1)
        ARGV[i] = ""
    }
}
{
    line = $0
    while (match(line, /@[a-z]+@/)) {
        name = substr(line, RSTART + 1, RLENGTH - 2)
        if (!(name in value)) {
            print FILENAME ": give " name "=..." >"/dev/stderr"
            missing = 1
            exit
        }
        text = text substr(line, 1, RSTART - 1) value[name]
        line = substr(line, RSTART + RLENGTH)
    }
    text = text line "\n"
}
END {
    if (missing) exit 1
    printf "%s", text
}
' "$file" listen=127.0.0.1:8000 tls= redirect= operators= workers=auto 'user=user www-data;' \
    pid=/run/nginx.pid folder=/var/cache/tell-nginx logs=/var/log/nginx https=443 http=80 "$@"
