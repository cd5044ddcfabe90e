# How pheap run stands between a program and the rest of the system.

exit_codes_pass_through() {
    for code in 0 1 7 125 126 127 139 255; do
        is "$(status_of on_heap sh -c "exit $code")" "$code"
        holds "e['kind'] == 'exited' and e['exitCode'] == $code"
    done
}

a_program_that_is_not_there_gives_127_and_one_that_cannot_run_126() {
    is "$(status_of on_heap no-such-program)" 127
    is "$(on_heap no-such-program 2>&1 || true)" "pheap: no-such-program was not found."
    touch plain.txt
    is "$(status_of on_heap ./plain.txt)" 126
    is "$(on_heap ./plain.txt 2>&1 || true)" "pheap: ./plain.txt cannot be executed: Permission denied."
    printf '#!/no/such/interpreter\n' >script
    chmod +x script
    is "$(status_of on_heap ./script)" 127
    is "$(on_heap ./script 2>&1 || true)" "pheap: ./script is there, but the interpreter that it names is not."
    is "$(status_of "$pheap" run)" 125
    is "$(status_of "$pheap" run --report /no/such/directory/report.json -- true)" 125
}

a_script_without_an_interpreter_line_runs_as_in_a_shell() {
    echo 'echo "$1 $#"' >script
    chmod +x script
    is "$(on_heap ./script one two 2>/dev/null)" "one 2"
}

the_program_sees_what_it_would_have_seen_without_pheap() {
    compile state
    start() { "$python" "$programs/python/start.py" "$@"; }
    for kind in plain altered; do
        start "$kind" ./state a '' $'\xff\xfe' '@file' '[suggest]' -- --help >expected
        start "$kind" "$pheap" run -- ./state a '' $'\xff\xfe' '@file' '[suggest]' -- --help >actual 2>report.txt
        grep -q 'variable LD_PRELOAD=.*/libprivateheaps-malloc.so$' actual
        grep -q 'variable PRIVATEHEAPS_CENSUS=/' actual
        diff <(sort expected | grep -v -e 'descriptor [12] ' -e 'variable _=') \
            <(sort actual | grep -v -e 'descriptor [12] ' -e 'variable _=' -e 'variable LD_PRELOAD=' -e 'variable PRIVATEHEAPS_CENSUS=')
    done
}

an_existing_preload_is_kept_behind_the_heap() {
    echo 'int other_library;' >other.c
    gcc -shared -fPIC other.c -o other.so
    LD_PRELOAD=$PWD/other.so on_heap sh -c 'echo "$LD_PRELOAD"' >preload 2>/dev/null
    [[ $(cat preload) == /*/libprivateheaps-malloc.so:$PWD/other.so ]]
}

standard_streams_pass_through_byte_for_byte() {
    head -c 3000000 /dev/urandom >input
    on_heap cat <input | cmp - input
    on_heap sh -c 'cat >&2' <input 2>errors >output
    head -c 3000000 errors | cmp - input
    is "$(wc -c <output)" 0
    on_heap head -c 2000000 <input 2>/dev/null | cmp - <(head -c 2000000 input)
    (read -r first && on_heap cat >rest 2>/dev/null && is "$first" one) < <(printf 'one\ntwo\nthree\n')
    is "$(cat rest)" "$(printf 'two\nthree')"
}

death_by_a_signal_is_pheaps_own_death() {
    for signal in 1 2 3 6 9 11 13 14 15 34 60; do
        is "$(ended_by "$pheap" run -- "$python" -c "
import os, signal
if $signal != 9: signal.signal($signal, signal.SIG_DFL)
os.kill(os.getpid(), $signal)")" "-$signal"
    done
    on_heap yes 2>/dev/null | head -n 1 >/dev/null && statuses=("${PIPESTATUS[@]}") || statuses=("${PIPESTATUS[@]}")
    is "${statuses[0]}" 141
}

a_crash_leaves_no_second_core_file() {
    ulimit -c unlimited 2>/dev/null || true
    compile endings
    is "$(ended_by ./endings 10 segv)" -11
    before=$(find . -name 'core*' | wc -l)
    rm -f core*
    is "$(ended_by "$pheap" run -- ./endings 10 segv)" -11
    is "$(find . -name 'core*' | wc -l)" "$before"
}

signals_sent_to_pheap_reach_the_program_once() {
    compile signals
    mkfifo input
    sleep 100 >input &
    holder=$!
    "$pheap" run -- ./signals <input >log 2>report.txt &
    tool=$!
    trap 'kill -9 $holder $tool 2>/dev/null || true' EXIT
    eventually grep -q ready log
    for signal in 1 2 3 10 12 13 14 18 23 28 29 34 39; do
        kill "-$signal" "$tool"
        eventually grep -q "^signal $signal value" log
    done
    "$python" -c 'import os, sys; os.kill(int(sys.argv[1]), 15)' "$tool"
    wait "$tool" && status=0 || status=$?
    is "$status" 42
    is "$(grep -c '^signal' log)" 14
    is "$(sort log | uniq -d)" ""
    grep -q 'signals exited with code 42' report.txt
}

a_signal_that_the_program_does_not_handle_ends_it_and_pheap_reports() {
    "$pheap" run --report report.json -- sleep 100 2>report.txt &
    tool=$!
    trap 'kill -9 $tool 2>/dev/null || true' EXIT
    eventually pgrep -P "$tool" -x sleep
    kill -TERM "$tool"
    wait "$tool" && status=0 || status=$?
    is "$status" 143
    holds 'e["kind"] == "signaled" and e["signalName"] == "SIGTERM"'
    grep -q 'sleep was ended by SIGTERM' report.txt
}

a_terminals_signals_arrive_once_and_job_control_works() {
    compile signals
    "$python" "$programs/python/terminal.py" "$pheap"
}

nothing_is_left_behind() {
    on_heap sh -c 'echo "$PRIVATEHEAPS_CENSUS"; test -d "$PRIVATEHEAPS_CENSUS"' >directory 2>/dev/null
    [[ -s directory && ! -e $(cat directory) ]]
    on_heap sh -c 'echo "$PRIVATEHEAPS_CENSUS"; kill -9 $$' >directory 2>/dev/null || true
    [[ -s directory && ! -e $(cat directory) ]]
}

the_paths_lead_to_the_built_parts() {
    is "$("$pheap" path malloc)" "$root/out/native/libprivateheaps-malloc.so"
    is "$("$pheap" path heap)" "$root/out/native/libprivateheaps.so"
    is "$("$pheap" path include)" "$root/out/native/include"
    [[ -s $("$pheap" path malloc) && -s $("$pheap" path heap) && -s $("$pheap" path include)/windows.h && -s $("$pheap" path include)/heapapi.h ]]
    ln -s "$pheap" link
    is "$(./link path heap)" "$root/out/native/libprivateheaps.so"
    is "$(status_of "$pheap" path nothing)" 1
}

starting_pheap_costs_little_when_everything_is_built() {
    "$pheap" --build-only
    start=$(date +%s%N)
    for turn in 1 2 3 4 5 6 7 8 9 10; do "$pheap" --build-only; done
    milliseconds=$((($(date +%s%N) - start) / 10000000))
    [[ $milliseconds -lt 50 ]] || fail "the script alone takes $milliseconds ms"
}
