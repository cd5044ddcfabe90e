dotnet_builds_and_runs_a_program_with_its_own_runtime_on_the_heap() {
    cp "$programs"/dotnet/* .
    on_heap dotnet build App.csproj --nologo -v quiet -o app
    holds 'e["exitCode"] == 0 and p["allocations"] > 100000 and p["threadPeak"] >= 4'
    same dotnet app/App.dll
    holds 'p["allocations"] > 1000 and p["failedAllocations"] == 0'
}

# Preloaded and not under pheap run, where every call would take the slow path.
collections_go_on_while_native_threads_allocate() {
    cp "$programs"/dotnet-gc/* .
    dotnet build App.csproj --nologo -v quiet -o app
    gcc -O1 -shared -fPIC -pthread "$programs/c/churn.c" -o app/libchurn.so
    for server in 0 1; do
        for concurrent in 0 1; do
            DOTNET_gcServer=$server DOTNET_gcConcurrent=$concurrent LD_PRELOAD=$root/out/native/libprivateheaps-malloc.so \
                timeout -k 5 120 dotnet app/App.dll 1.5 >output
            is "$(cat output)" "server $([[ $server == 1 ]] && echo True || echo False): right"
        done
    done
}
