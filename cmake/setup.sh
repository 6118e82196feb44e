# Sourced by examples/run, tests/run and .ci/run: installs what is missing, chooses the compiler,
# configures. Sets CXX. Everything it says goes to stderr.

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null; }

# debian_release -> 12, 13, ... or nothing on another system.
debian_release() { (. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_ID") 2>/dev/null; }

# packages_for examples|tests|sanitizers|lint|benchmark -> the names of Debian packages.
packages_for() {
    echo cmake ninja-build nlohmann-json3-dev libfmt-dev libsqlite3-dev libssl-dev
    case "$(debian_release)" in
        12) echo libboost1.81-dev; [ -n "${CXX:-}" ] || echo clang-19 libstdc++-12-dev ;;
        13) echo libboost-dev; [ -n "${CXX:-}" ] || echo g++ ;;
    esac
    [ "$1" = examples ] || echo catch2 ccache sqlite3 python3
    [ "$1" != benchmark ] || echo libbenchmark-dev
    case "$1:$(debian_release)" in
        sanitizers:12) echo libclang-rt-19-dev llvm-19 ;;  # GCC's come with it
        lint:*) echo clang-19 clang-tidy-19 clang-format-19 ;;
    esac
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# install_missing: takes the same word.
install_missing() {
    local missing=() package
    if [ -z "$(debian_release)" ] || ! have apt-get; then
        say_what_is_missing
        return
    fi
    for package in $(packages_for "$1"); do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n)
        if ! have sudo || ! "${as_root[@]}" true; then
            say "Not installed, and this user may not install them: ${missing[*]}"
            say_what_is_missing
            return
        fi
    fi
    say "Installing: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update &&
           "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
               apt-get install -y --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
        cat "$log" >&2
        rm "$log"
        fail "apt-get could not install: ${missing[*]}"
    fi
    rm "$log"
}

# Where nothing can be installed: a tool that is missing ends it, a library is downloaded by CMake.
say_what_is_missing() {
    local tool
    for tool in cmake ninja; do
        have "$tool" || fail "$tool is missing; please install it. durable is built with CMake 3.25 or newer, Ninja, and Clang or GCC 13 or newer."
    done
    say "Libraries which CMake does not find (Boost, nlohmann-json, fmt, SQLite, Catch2) will be downloaded."
}

# gcc_too_old COMPILER: what cmake/compiler_check.cmake refuses, asked before anything is configured.
gcc_too_old() {
    local major
    major=$(printf '__GNUC__ __clang__\n' | "$1" -E -x c++ - 2>/dev/null | awk '$2 == "__clang__" { print $1 }')
    [ -n "$major" ] && [ "$major" -lt 13 ]
}

# Sets CXX: as given, else what the release is tested with, else whatever is new enough.
choose_compiler() {
    local candidate
    if [ -n "${CXX:-}" ]; then
        have "$CXX" || fail "CXX is $CXX, which is not there."
        ! gcc_too_old "$CXX" || fail "CXX is $CXX: durable needs GCC 13 or newer, or Clang. GCC before 13 destroys temporaries inside co_await expressions twice, which corrupts memory silently."
    else
        for candidate in $( [ "$(debian_release)" = 12 ] || echo g++ ) clang++-19 clang++ g++; do
            if have "$candidate" && ! gcc_too_old "$candidate"; then CXX=$candidate; break; fi
        done
        [ -n "${CXX:-}" ] || fail "No compiler: durable needs Clang, or GCC 13 or newer."
    fi
    export CXX
}

# configure PRESET: in build/PRESET, from scratch if that was configured with another compiler, and
# again if the presets have changed since.
configure() {
    local cache="build/$1/CMakeCache.txt" fresh=() log
    if [ -e "$cache" ]; then
        if [ "$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$cache")" = "$(command -v "$CXX")" ] &&
           [ -e "build/$1/build.ninja" ]; then
            # The build runs CMake again when it must, but does not look at the presets.
            [ CMakePresets.json -nt "build/$1/build.ninja" ] || return 0
        else
            fresh=(--fresh)
        fi
    fi
    log=$(mktemp)
    say "Configuring build/$1 with $CXX"
    if ! cmake --preset "$1" "${fresh[@]}" >"$log" 2>&1; then
        cat "$log" >&2
        rm "$log"
        fail "Configuring failed."
    fi
    rm "$log"
}
