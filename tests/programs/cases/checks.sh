# pheap check: programs with known bugs, and programs without.

an_overflow_is_stopped_where_the_block_is_freed() {
    build_bugs
    check_it -- ./bugs overflow
    is "$code" 99
    grep -Eq '^privateheaps: the 24 bytes at 0x[0-9A-F]+ of the process heap were overrun: 3 bytes behind their end were overwritten \(found by free\(\)\)\.$' errors
    grep -Eq '^    free_block\+0x[0-9A-F]+ \(.*/bugs\+0x[0-9A-F]+\)$' errors
    grep -Eq '^    make_block\+0x[0-9A-F]+ \(.*/bugs\+0x[0-9A-F]+\)$' errors
    grep -Eq '41\*41\*41\*41 AB AB AB AB AB$' errors
    grep -q '^pheap: bugs was ended by SIGABRT; 1 finding\.$' errors
    grep -Eq "^  overflow +1 +24 B  process heap  make_block \(bugs\.c:$(line_of 'malloc(bytes)')\)  free_block \(bugs\.c:$(line_of 'free(block)')\)$" errors
    found 'len(results) == 1 and r["ruleId"] == "overflow" and r["level"] == "error" and "3 bytes behind their end" in r["message"]["text"]'
    found 'at("caught", 0) == "free_block" and [at("allocated", i) for i in range(3)] == ["make_block", "overflow", "main"]'
    found "line(r['locations'][0]) == ('bugs.c', $(line_of 'free(block)'))"
    found 'run["invocations"][0]["exitSignalName"] == "SIGABRT" and r["properties"]["bytes"] == 24'
}

frees_of_wrong_addresses_are_stopped_at_the_call() {
    build_bugs
    check_it -- ./bugs double-free
    is "$code" 99
    grep -Eq '^privateheaps: free\(\) was given 0x[0-9A-F]+, which was already freed\.$' errors
    found 'r["ruleId"] == "double-free" and [at(s, 0) for s in ("caught", "freed", "allocated")] == ["free_block", "free_block", "make_block"]'
    check_it -- ./bugs bad-address
    is "$code" 99
    grep -Eq '^privateheaps: free\(\) was given 0x[0-9A-F]+, which points 16 bytes into a live block of 48 bytes\.$' errors
    found 'r["ruleId"] == "bad-address" and at("caught", 0) == "free_block"'
}

a_write_to_a_freed_block_is_found_at_the_latest_when_the_process_ends() {
    build_bugs
    check_it -- ./bugs use-after-free
    is "$code" 99
    grep -Eq 'the 40 bytes at 0x[0-9A-F]+ of the process heap were written to after they were freed: 3 bytes from offset 0 on were overwritten' errors
    grep -Eq '^  use-after-free +1 +40 B  process heap  make_block .*  the end of the process$' errors
    found 'at("freed", 0) == "free_block" and at("freed", 1) == "use_after_free"'
}

page_heaps_stop_the_very_access() {
    build_bugs
    check_it --page-heap -- ./bugs use-after-free
    is "$code" 99
    found 'r["ruleId"] == "use-after-free" and "overrun_block" in [at("caught", i) for i in range(3)] and at("freed", 0) == "free_block"'
    grep -Eq '^  use-after-free +1 +40 B .* overrun_block \(bugs\.c:' errors
}

a_program_that_goes_on_has_all_its_findings_in_the_table() {
    build_bugs
    check_it --continue -- ./bugs two
    is "$code" 99
    grep -q '^pheap: bugs exited with code 7; 3 findings\.$' errors
    grep -Eq '^  overflow +2 +24 B ' errors
    grep -Eq '^  double-free +1 +32 B ' errors
    found '[(x["ruleId"], x["occurrenceCount"]) for x in results] == [("overflow", 2), ("double-free", 1)]'
}

a_process_reports_a_thousand_findings_and_counts_the_rest() {
    build_bugs
    check_it --continue -- ./bugs many 1500
    is "$code" 99
    is "$(grep -c '^privateheaps: free() was given' errors)" 1000
    is "$(grep -c '^privateheaps: 1000 findings were reported; what this process finds from here on is only counted\.$' errors)" 1
    grep -q '^privateheaps: 500 more findings were not reported\.$' errors
    grep -q '^pheap: bugs exited with code 7; 1,000 findings\.$' errors
    grep -q '^  500 more findings of processes with too many were only counted\.$' errors
    found 'r["occurrenceCount"] == 1000 and "500 more findings" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]'
    check_it --continue -- ./bugs many 1000
    is "$(grep -c 'not reported\|only counted' errors)" 0
}

leaks_of_more_than_a_hundred_places_are_told_together() {
    build_bugs
    check_it --leaks -- ./bugs places 256
    is "$code" 99
    is "$(grep -c '^privateheaps: 1 block of the process heap from one place, 10 bytes, was still' errors)" 100
    grep -q '^privateheaps: 156 blocks of the process heap from 156 further places, 1560 bytes in all, were still allocated when the process ended\.$' errors
    grep -q '^pheap: bugs exited with code 7; 256 blocks of 2\.5 KiB in all still allocated\.$' errors
    grep -Eq '^  leak +156 .* 156 more places' errors
    found 'sorted((x["properties"]["blockCount"], x["properties"]["placeCount"]) for x in results) == [(100, 1), (156, 156)]'
}

findings_of_children_and_of_later_images_count() {
    build_bugs
    check_it -- ./bugs child
    is "$code" 99
    grep -q '^pheap: bugs exited with code 7; 1 finding\.$' errors
    found 'r["ruleId"] == "overflow"'
    check_it -- sh -c './bugs exec; ./bugs overflow; exit 3'
    is "$code" 99
    found 'sorted(x["ruleId"] for x in results) == ["double-free", "overflow"]'
    found 'len({p for x in results for p in x["properties"]["processIds"]}) == 2'
}

leaks_are_listed_by_place_when_asked_for() {
    build_bugs
    check_it -- ./bugs leak 50
    is "$code" 7
    check_it --leaks -- ./bugs leak 50
    is "$code" 99
    grep -Eq '^privateheaps: 50 blocks of the process heap from one place, 5000 bytes in all, were still allocated when the process ended\.$' errors
    grep -q '^pheap: bugs exited with code 7; 50 blocks of 4.9 KiB in all still allocated\.$' errors
    grep -Eq '^  leak +50  4\.9 KiB in all  process heap  make_block \(bugs\.c:' errors
    found 'len(results) == 1 and r["level"] == "warning" and at("allocated", 1) == "leak_blocks" and r["properties"]["blockCount"] == 50'
}

a_program_without_bugs_keeps_its_output_and_its_exit_code() {
    build_bugs
    check_it -- ./bugs none
    is "$code" 7
    is "$(cat errors)" $'\npheap: bugs exited with code 7; nothing was found.'
    found 'results == [] and run["tool"]["driver"]["rules"] == [] and run["invocations"][0]["exitCode"] == 7'
    "$python" "$programs/python/structures.py" >expected
    check_it -- "$python" "$programs/python/structures.py" >actual
    is "$code" 0
    cmp expected actual
    grep -q 'exited with code 0; nothing was found\.$' errors
}

a_program_that_cannot_be_checked_is_named() {
    echo 'int main(void) { return 5; }' | gcc -static -x c - -o fixed
    check_it -- ./fixed
    is "$code" 5
    grep -q '^pheap: fixed exited with code 5; nothing was checked\.$' errors
    grep -q 'It never used the checked heap: it is linked statically' errors
}

streams_and_signals_pass_through_a_check() {
    is "$(echo words | "$pheap" check -- cat 2>/dev/null)" words
    is "$(ended_by "$pheap" check -- sh -c 'kill -TERM $$')" -15
    is "$(status_of "$pheap" check -- sh -c 'exit 42')" 42
    is "$(status_of "$pheap" check -- ./no-such-program)" 127
    "$pheap" check -- sh -c 'trap "echo caught; exit 5" USR1; echo ready; while :; do sleep 0.05; done' >out 2>/dev/null &
    eventually grep -q ready out
    kill -USR1 $!
    wait $! && status=0 || status=$?
    is "$status" 5
    grep -q caught out
}

options_that_make_no_sense_stop_pheap_before_the_program() {
    for options in "--checks htc,page" "--checks quarantine" "--page-heap --checks htc" "--report /no/such/directory/found.sarif"; do
        is "$(status_of "$pheap" check $options -- touch started)" 125
    done
    "$pheap" check --checks htc,page -- touch started 2>errors || true
    grep -q "^pheap: --checks: there is no check 'page'; there are htc, hfc," errors
    is "$(status_of "$pheap" check)" 125
    [[ ! -e started ]]
}
