# Varnish in front of what quickstart.sh starts (--varnish), for it to source. It sets: state, run, logs, here, root, base, port,
# user, token_admin; and defines what lib/steps.sh and lib/processes.sh do. POSIX sh.

varnish_packages='varnishd=varnish lib:varnishapi=libvarnishapi-dev python3=python3-minimal
    file:/usr/share/doc/varnish-modules=varnish-modules'
edge_port='' purge_port='' edge_key=''

# A build that was configured before Varnish was there is configured anew, so that it has the module.
want_module() {
    [ -e "$root/build/libvmod_profiled.so" ] || rm -f "$root/build/build.ninja"
}

# The edge answers on the port behind the service's, and takes purges on the one behind that.
varnish_ports() {
    [ "$port" -le 65533 ] || usage_error '--varnish needs the two ports behind --port as well'
    edge_port=$((port + 1)) purge_port=$((port + 2))
    edge=http://127.0.0.1:$edge_port
}

# Lines for the pool's configuration, on standard output.
varnish_settings() {
    edge_key=$(od -An -N 24 -tx1 /dev/urandom | tr -d ' \n')
    printf '[http]\nshared_cache = edge\n[edge]\npurge = http://127.0.0.1:%s\nkey = %s\n' "$purge_port" "$edge_key"
}

# The module where it was built, else the origin's sub-request.
varnish_vcl() {
    vcl=$state/varnish way=authorise
    [ ! -e "$root/build/libvmod_profiled.so" ] || way=vmod
    mkdir -p "$vcl" && cp "$here"/varnish/*.vcl "$vcl" || return 1
    sed -i "s#\"./authorise.vcl\"#\"./$way.vcl\"#" "$vcl/profiled.vcl" &&
        sed -i -e "s#\.port = \"8080\"#.port = \"$port\"#" -e "s#Purge-Key != \"\"#Purge-Key != \"$edge_key\"#" "$vcl/site.vcl" &&
        sed -i -e 's#issuer = "[^"]*"#issuer = "https://quickstart.profiled.invalid"#' -e "s#\"/var/lib/profiled-edge/#\"$vcl/#" "$vcl/verifier.vcl" &&
        chmod 640 "$vcl/site.vcl"
}

start_varnish() {
    step "Varnish: $edge (purges: 127.0.0.1:$purge_port; log: $logs/varnish.log)"
    varnish_vcl || fail 'its configuration cannot be written' 'is there room on the disk?'
    # what the module needs, and again every so often
    PROFILED_TOKEN=$token_admin sh "$here/varnish/pull.sh" "$base" "$vcl" >"$logs/pull.log" 2>&1 ||
        printf '    the list of revocations could not be fetched: the origin is asked for each request (%s)\n' "$logs/pull.log"
    set -- varnishd -F -n "$vcl/work" -f "$vcl/profiled.vcl" -a "public=127.0.0.1:$edge_port" -a "purge=127.0.0.1:$purge_port" -s malloc,64m \
        -p "vmod_path=$root/build:$(pkg-config --variable=vmoddir varnishapi)"
    if [ "$(id -u)" = 0 ]; then
        chown -R "$user:" "$vcl"
        [ "$user" = root ] || set -- setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"
    fi
    launch varnish "$logs/varnish.log" "$@"
    wait_for varnish answers "$edge/readyz"
    # one environment variable, so that the token stands in no command line
    PROFILED_TOKEN=$token_admin launch pull "$logs/pull.log" sh "$here/varnish/pull.sh" "$base" "$vcl" 20
}

stop_varnish() {
    stop pull 5
    stop varnish 15
}
