gcc_compiles_and_links_c_and_the_result_runs() {
    gcc -O2 -g -Wall -Werror -c "$programs/c/index.c" -o plain.o
    on_heap gcc -O2 -g -Wall -Werror -c "$programs/c/index.c" -o heap.o
    cmp plain.o heap.o
    holds 'e["exitCode"] == 0 and any(image["command"] == "cc1" and image["allocations"] > 1000 for image in o)'
    on_heap gcc heap.o -o index
    holds 'any(image["command"] == "ld" and image["allocations"] > 100 for image in o)'
    cat "$programs"/*/*.py >words
    ./index <words >expected
    on_heap ./index <words >actual
    cmp expected actual
    [[ -s actual ]]
    holds 'p["allocations"] > 500 and p["reallocations"] > 100 and p["liveBlocks"] <= 2'
}

gxx_compiles_and_links_templates_and_the_result_runs() {
    g++ -std=c++17 -O2 -Wall -Werror -c "$programs/c/templates.cpp" -o plain.o
    on_heap g++ -std=c++17 -O2 -Wall -Werror -c "$programs/c/templates.cpp" -o heap.o
    cmp plain.o heap.o
    holds 'any(image["command"] == "cc1plus" and image["peakBytesInUse"] > 10 << 20 for image in o)'
    on_heap g++ heap.o -pthread -o templates
    same ./templates
    holds 'p["allocations"] > 100000 and p["failedAllocations"] == 1'
    holds 'sum(c["live"] for c in p["sizeClasses"]) == p["liveBlocks"]'
}

gcc_reports_an_error_in_a_source_as_ever() {
    echo 'int main(void) { return missing; }' >wrong.c
    is "$(status_of gcc -c wrong.c)" 1
    is "$(status_of on_heap gcc -c wrong.c)" 1
    holds 'e["kind"] == "exited" and e["exitCode"] == 1'
}
