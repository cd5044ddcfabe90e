the_counters_are_exact() {
    compile endings
    on_heap ./endings 0 exit || true
    base=$(figure allocations) frees=$(figure frees) use=$(figure bytesInUse) live=$(figure liveBlocks)
    on_heap ./endings 1000 exit || true
    is "$(($(figure allocations) - base))" 1000
    is "$(($(figure frees) - frees))" 500
    is "$(($(figure bytesInUse) - use))" 50000
    is "$(($(figure liveBlocks) - live))" 500
    holds 'p["peakBytesInUse"] >= p["bytesInUse"] >= 100000 and p["committedBytes"] >= p["bytesInUse"]'
    holds 'p["reservedBytes"] >= p["committedBytes"] and p["peakCommittedBytes"] >= p["committedBytes"]'
    holds 'p["largestLiveIsExact"] and p["largestLiveBytes"] >= 5000'
    holds 'abs(p["fragmentation"] - (1 - p["bytesInUse"] / p["committedBytes"])) < 0.0001'
    holds 'sum(c["live"] for c in p["sizeClasses"]) == p["liveBlocks"]'
    holds '[c["live"] for c in p["sizeClasses"] if c["fromBytes"] == 65 and c["toBytes"] == 128][0] >= 500'
    holds '[c["live"] for c in p["sizeClasses"] if c["fromBytes"] == 4097 and c["toBytes"] == 8192][0] >= 10'
}

reallocations_and_failures_are_counted() {
    compile endings
    on_heap ./endings 0 realloc
    holds 'p["reallocations"] >= 14 and p["failedAllocations"] == 1'
    holds 'p["peakBytesInUse"] > 163840 and p["bytesInUse"] < 100000'
}

a_report_comes_after_every_kind_of_end() {
    compile endings
    is "$(status_of on_heap ./endings 1000 exit)" 7
    holds 'p["end"] == "exited" and p["largestLiveIsExact"]'
    is "$(status_of on_heap ./endings 1000 _exit)" 8
    holds 'p["end"] == "exited" and p["liveBlocks"] >= 510'
    is "$(status_of on_heap ./endings 1000 quick_exit)" 9
    holds 'p["liveBlocks"] >= 510'
    for how in segv:SEGV kill:KILL abort:ABRT; do
        on_heap ./endings 1000 "${how%:*}" 2>report.txt || true
        holds "e['kind'] == 'signaled' and e['signalName'] == 'SIG${how#*:}' and p['end'] == 'killed'"
        holds 'p["allocations"] >= 1010 and p["liveBlocks"] >= 510 and p["bytesInUse"] >= 100000'
        holds 'not p["largestLiveIsExact"] and p["largestLiveBytes"] >= 8192'
        grep -q "endings was ended by SIG${how#*:}" report.txt
        grep -Eq 'largest live block +at most 8 KiB' report.txt
    done
}

an_image_before_an_exec_has_a_line_of_its_own() {
    compile endings
    is "$(status_of on_heap ./endings 2000 exec)" 7
    holds 'len(o) == 1 and o[0]["processId"] == p["processId"] and o[0]["end"] == "replaced" and o[0]["allocations"] >= 2010'
    holds 'p["sequence"] == o[0]["sequence"] + 1 and p["allocations"] < 1000'
    is "$(status_of on_heap ./endings 2000 failed-exec)" 3
    holds 'o == [] and p["allocations"] >= 4010 and p["end"] == "exited"'
}

children_have_a_line_each() {
    compile endings
    on_heap ./endings 10 children 2>report.txt
    holds 'len(o) == 3 and all(image["parentProcessId"] == p["processId"] and image["command"] == "endings" for image in o)'
    holds 'sorted(image["allocations"] // 1000 for image in o) == [1, 2, 3]'
    holds 'all(sum(c["live"] for c in image["sizeClasses"]) == image["liveBlocks"] for image in o)'
    grep -q 'Other processes that used the heap: 3$' report.txt
    is "$(grep -c '^ *[0-9]* *endings .*exited$' report.txt)" 3
    on_heap sh -c 'ls / >/dev/null; git --version; :'
    holds '{"ls", "git"} <= {image["command"] for image in o} and p["command"] == "sh"'
}

a_child_that_outlives_the_program_is_still_running_in_the_report() {
    on_heap bash -c 'sleep 3 >/dev/null 2>&1 & sleep 0.3'
    holds '[image["end"] for image in o if image["command"] == "sleep"].count("running") == 1'
}

a_program_that_cannot_use_the_heap_is_named() {
    echo 'int main(void) { return 5; }' | gcc -static -x c - -o fixed
    on_heap ./fixed 2>report.txt && status=0 || status=$?
    is "$status" 5
    holds 'p is None and o == [] and e["exitCode"] == 5'
    grep -q 'It never used the heap: it is linked statically' report.txt
}

numbers_are_human_and_columns_aligned() {
    compile endings
    on_heap ./endings 20000 exit 2>report.txt || true
    grep -Eq '^pheap: endings exited with code 7 after [0-9.]+ m?s ' report.txt
    grep -Eq '^  allocations +20,0[0-9]{2}  in use at the end +1\.0 MiB$' report.txt
    grep -Eq '^ +128 B +10,0[0-9]{2} +20,0[0-9]{2}  █+$|^ +128 B +10,0[0-9]{2} +20,0[0-9]{2}  #+$' report.txt
    grep -Eq 'fragmentation at the end \(1 - in use / committed\): [0-9.]+ %' report.txt
    lacks $'\033' report.txt
}

color_appears_on_a_terminal_only_and_not_where_it_is_unwanted() {
    export TERM=xterm LC_ALL=C
    script -qec "'$pheap' run -- true" /dev/null >colored
    grep -q $'\033\\[1m' colored
    NO_COLOR=1 script -qec "'$pheap' run -- true" /dev/null >colorless
    grep -q 'true.* exited with code 0' colorless
    lacks $'\033' colorless
    lacks '█' colorless
}

a_report_file_that_is_unwritable_stops_pheap_before_the_program() {
    is "$(status_of "$pheap" run --report /no/such/directory/report.json -- touch started)" 125
    [[ ! -e started ]]
}

two_runs_at_once_do_not_mix() {
    compile endings
    for turn in 1 2 3 4; do
        (mkdir "$turn" && cd "$turn" && status_of on_heap ../endings "$((turn * 1000))" exit) &
    done
    wait
    for turn in 1 2 3 4; do
        cp "$turn/report.json" .
        holds "o == [] and $turn * 1000 <= p['allocations'] < $turn * 1000 + 500"
    done
}

a_report_is_right_whenever_the_processes_were_killed() {
    compile killed
    seed=$RANDOM
    echo "seed $seed"
    RANDOM=$seed
    for turn in {1..20}; do
        rm -f truth
        truncate -s 4096 truth
        on_heap ./killed "$((RANDOM % 20000))" truth || true
        "$python" "$programs/python/killed.py"
    done
}
