# Processes that outlive the shell that starts them, for conf/quickstart.sh to source: started in a session of their own,
# remembered in a file, stopped by it. A process is known by its pid and the moment it started, so that a pid that was
# given to somebody else since is never signalled. POSIX sh on Linux (/proc). The caller sets: run, the folder of the pid files.

# The clock ticks from boot to the process's start; fails when it is gone (a zombie is gone).
started_at() { # PID
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086 # fields: the name in parentheses, which may hold anything, is cut off first
    set -- ${stat##*) }
    [ "$1" != Z ] && [ "$1" != X ] && echo "${20}"
}

remember() { # NAME PID
    ticks=$(started_at "$2") || return 1
    echo "$2 $ticks" >"$run/$1.pid"
}

# Whether the remembered process lives; sets pid.
running() { # NAME
    pid='' ticks=''
    [ -r "$run/$1.pid" ] || return 1
    read -r pid ticks <"$run/$1.pid"
    [ -n "$ticks" ] && [ "$(started_at "$pid")" = "$ticks" ]
}

# Starts a command in the background: in a session of its own (no terminal's Ctrl-C), with no descriptor of the caller's
# (whoever waits for the caller's output to end does not wait for it), its output to a log.
launch() { # NAME LOG COMMAND…
    name=$1 log=$2
    shift 2
    (
        exec </dev/null >>"$log" 2>&1
        # bash closes descriptors of any number, dash those of one digit.
        if command -v bash >/dev/null 2>&1; then
            exec setsid bash -c 'for fd in /proc/$$/fd/*; do fd=${fd##*/}; ((fd > 2)) && eval "exec $fd>&-"; done
                exec "$@"' bash "$@"
        fi
        exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        exec setsid "$@"
    ) &
    remember "$name" $!
}

# Stops the remembered process: asks, waits, and then kills what is left of it and of the processes it had started.
stop() { # NAME SECONDS
    who=$1 turns=$(($2 * 20))
    if running "$who"; then
        family="$pid $ticks"
        for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
            family="$family
$child $(started_at "$child" || echo gone)"
        done
        kill -TERM "$pid" 2>/dev/null
        while running "$who" && [ "$turns" -gt 0 ]; do
            sleep 0.05
            turns=$((turns - 1))
        done
        printf '%s\n' "$family" | while read -r member began; do
            [ "$(started_at "$member")" != "$began" ] || kill -KILL "$member" 2>/dev/null
        done
    fi
    rm -f "$run/$who.pid"
}
