dotnet_builds_and_runs_a_program_with_its_own_runtime_on_the_heap() {
    cp "$programs"/dotnet/* .
    on_heap dotnet build App.csproj --nologo -v quiet -o app
    holds 'e["exitCode"] == 0 and p["allocations"] > 100000 and p["threadPeak"] >= 4'
    same dotnet app/App.dll
    holds 'p["allocations"] > 1000 and p["failedAllocations"] == 0'
}
