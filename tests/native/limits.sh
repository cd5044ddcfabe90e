# Limits from outside, for run: of address space, of a control group, and of what the system promises. What cannot be set here is said.

goes_on="a program allocates until it is refused, frees half, and goes on"
forks="a program that has forked under the limit allocates until it is refused"
refuses="a heap with a maximum refuses instead, whatever the process may have"
is_refused="a process that commits all the memory there is, is refused, and served again"

under_addresses() { ulimit -v "$1" && shift && exec "$@"; }
export -f under_addresses
for kib in 14000 20000 28000 36000 48000 65536 80000 100000 150000 250000 500000 1000000 unlimited; do
    case_is "$goes_on ($kib KiB of addresses, malloc preloaded)" bash -c 'under_addresses "$@"' - "$kib" "${preload[@]}" "$bin/limits" "$goes_on"
done
case_is "$forks (200000 KiB of addresses, malloc preloaded)" bash -c 'under_addresses "$@"' - 200000 "${preload[@]}" "$bin/limits" "$forks"

# A group of its own under whichever version there is; its processes end before it does.
under_group() { # bytes, command...
    local folder file status
    if [[ -w /sys/fs/cgroup/memory/cgroup.procs ]]; then
        folder=/sys/fs/cgroup/memory/privateheaps-test-$$ file=memory.limit_in_bytes
    else
        folder=/sys/fs/cgroup/privateheaps-test-$$ file=memory.max
    fi
    mkdir "$folder" || return
    trap "rmdir '$folder'" EXIT
    echo "$1" >"$folder/$file" || return
    shift
    (echo "$BASHPID" >"$folder/cgroup.procs" && exec "$@")
    status=$?
    return "$status"
}
can_limit_group() { bash -c 'under_group 100000000 true' >/dev/null 2>&1; }
export -f under_group
if can_limit_group; then
    case_is "$refuses (control group of 80 MB)" bash -c 'under_group "$@"' - 80000000 "$bin/limits_heap" "$refuses"
else
    echo "skipped: this machine lets nobody limit the memory of a control group"
fi

# For the whole machine, so for as short as can be: nobody else may get memory while the program has it all.
promising_no_more() { # command...
    local before
    before=$(</proc/sys/vm/overcommit_memory)
    trap "echo $before >/proc/sys/vm/overcommit_memory" EXIT
    trap 'exit 1' INT TERM HUP
    echo 2 >/proc/sys/vm/overcommit_memory || return
    # Waited for, so that the trap need not wait.
    "$@" &
    wait "$!"
}
export -f promising_no_more
free_kib=$(awk '/^CommitLimit:/ { limit = $2 } /^Committed_AS:/ { used = $2 } END { print limit - used }' /proc/meminfo)
if [[ ! -w /proc/sys/vm/overcommit_memory ]] || ! (echo "$(</proc/sys/vm/overcommit_memory)" >/proc/sys/vm/overcommit_memory) 2>/dev/null; then
    echo "skipped: this machine lets nobody set vm.overcommit_memory"
elif [[ $free_kib -lt 1000000 ]]; then
    echo "skipped: more memory is promised on this machine than vm.overcommit_memory=2 would allow"
else
    case_is "$is_refused (vm.overcommit_memory=2, malloc preloaded)" bash -c 'promising_no_more "$@"' - "${preload[@]}" "$bin/overcommit" "$is_refused"
fi
