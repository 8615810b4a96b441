#!/bin/sh
# What the nginx of compose.yml runs: it fills in deploy/nginx/replicas.conf with HTTPS, and starts
# nginx on it, not as root. Options go to nginx: `-t` looks at the configuration and ends.
#
# DOMAIN is the server's name, FIRST and SECOND are the replicas, OPERATORS is as fill.sh has it.
# TEMPLATES, TLS and RUN are folders: of deploy/nginx, of certificate.pem and key.pem, and for what
# nginx writes, which may be in memory.
set -eu
: "${TEMPLATES:=/etc/tell/nginx}" "${TLS:=/etc/tell/tls}" "${RUN:=/run/nginx}"
mkdir -p "$RUN"
# Its logs are the container's. A test has no such thing.
for each in access error; do
    [ -e "$RUN/nginx-$each.log" ] || ln -sf /dev/stderr "$RUN/nginx-$each.log"
done

fill() {
    sh "$TEMPLATES/fill.sh" "$1.conf" name="$DOMAIN" first="$FIRST" second="$SECOND" \
        certificate="$TLS/certificate.pem" key="$TLS/key.pem" https=8443 http=8080 \
        tls="include $RUN/tls.conf;" redirect="include $RUN/redirect.conf;" \
        operators="${OPERATORS:-}" user= pid="$RUN/nginx.pid" folder="$RUN" logs="$RUN" >"$RUN/$1.conf"
}
fill tls
fill redirect
fill replicas
exec nginx -e stderr -c "$RUN/replicas.conf" -g 'daemon off;' "$@"
