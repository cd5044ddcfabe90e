# What the tests of real programs share. Sourced by run.

programs=$here
pheap=$root/pheap
python=$(python3 -c 'import sys; print(sys.executable)')
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

# on_heap COMMAND...: under pheap run; the report goes to report.json.
on_heap() {
    "$pheap" run --report report.json -- "$@"
}

# same COMMAND...: what the command prints and its exit code are the same on the heap as without it.
same() {
    local expected=0 actual=0
    "$@" >expected.out </dev/null || expected=$?
    on_heap "$@" >actual.out </dev/null || actual=$?
    cmp expected.out actual.out
    is "$actual" "$expected"
}

# is ACTUAL EXPECTED
is() {
    [[ $1 == "$2" ]] || fail "expected '$2' and got '$1'"
}

# lacks PATTERN FILE (a plain "! grep" would not end a failing test)
lacks() {
    if grep -q "$1" "$2"; then
        fail "$2 contains '$1'"
    fi
}

fail() {
    echo "$*"
    exit 1
}

# holds EXPRESSION: true of the report, in Python; p is the program, o are the other images, e is the ending.
holds() {
    "$python" - "$1" <<'PY'
import json, sys
with open("report.json") as file:
    r = json.load(file)
p, o, e = r["program"], r["others"], r["ending"]
if not eval(sys.argv[1]):
    print("not true of the report:", sys.argv[1])
    for image in [p, *o[:20]]:
        print(json.dumps({name: value for name, value in (image or {}).items() if name != "sizeClasses"}))
    print(json.dumps(e))
    sys.exit(1)
PY
}

# figure NAME: one number of the program's.
figure() {
    "$python" -c 'import json, sys; print(json.load(open("report.json"))["program"][sys.argv[1]])' "$1"
}

# status_of COMMAND...: prints the exit status of a command that may fail.
status_of() {
    local status=0
    "$@" >/dev/null 2>&1 || status=$?
    echo "$status"
}

# ended_by COMMAND...: prints the exit code, or minus the number of the signal that ended the command.
ended_by() {
    "$python" -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode)' "$@"
}

# eventually COMMAND...: waits at most 20 seconds until the command succeeds.
eventually() {
    local attempt
    for ((attempt = 0; attempt < 400; attempt++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    fail "never true: $*"
}

# compile NAME: builds c/NAME.c into ./NAME
compile() {
    gcc -O1 -Wall -Wextra -pthread "$programs/c/$1.c" -o "$1"
}

# check_it OPTIONS -- COMMAND...: under pheap check; leaves its exit code in $code, standard error in errors, the findings in found.sarif.
check_it() {
    code=0
    "$pheap" check --report found.sarif "$@" 2>errors || code=$?
}

# Without frame pointers and with functions inlined, as distributions build.
build_bugs() {
    gcc -g -O2 -fomit-frame-pointer -fno-builtin -Wall -Wextra -Wno-use-after-free "$programs/c/bugs.c" -o bugs
}

# found EXPRESSION: true of the SARIF report, in Python; results are its results, r is the only or first one, at(stack, index) names a frame.
found() {
    "$python" - "$1" <<'PY'
import json, sys
with open("found.sarif") as file:
    log = json.load(file)
run = log["runs"][0]
results = run["results"]
r = results[0] if results else None
def stack(name):
    return next((s["frames"] for s in r["stacks"] if s["message"]["text"] == name), [])
def at(name, index):
    return stack(name)[index]["location"]["logicalLocations"][0]["fullyQualifiedName"]
def line(location):
    place = location["physicalLocation"]
    return place["artifactLocation"]["uri"].split("/")[-1], place["region"]["startLine"]
assert log["version"] == "2.1.0" and all(run["tool"]["driver"]["rules"][x["ruleIndex"]]["id"] == x["ruleId"] for x in results)
if not eval(sys.argv[1]):
    print("not true of the findings:", sys.argv[1])
    print(json.dumps(results, indent=1))
    sys.exit(1)
PY
}

# line_of TEXT: where bugs.c has it first
line_of() { grep -n -m1 -F "$1" "$programs/c/bugs.c" | cut -d: -f1; }
