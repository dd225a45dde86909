#!/usr/bin/env bash
# Breaks the code on purpose, one small break at a time, and fails unless the test of the promise that
# the break goes against notices it.
#
#   .ci/mutants.sh                 all of testdata/mutants
#   .ci/mutants.sh all
#   .ci/mutants.sh third [SEED]    every third of them; three SEEDs in a row cover all. Without SEED, the
#                                  day since 1970, so that three days do
#   .ci/mutants.sh 07 [11 ...]     those of these promises
#   .ci/mutants.sh list ...        only names what the rest would run
#
# A patch testdata/mutants/NN-*.patch begins with what it breaks, "# tests: ./PACKAGE", and perhaps
# "# run: TestPromiseNN..." to run less than all tests of the promise in that package.
#
# The files that a patch touches are copied to a scratch folder and patched there; the tree is left
# alone. go test then gets them by -overlay, which has the compiler read the scratch file wherever it
# would read the original. That equals a whole scratch copy of the tree, because a patch touches nothing
# but Go files that are no tests (mutants_test.go holds it to that): no test reads them while it runs.
# Against a copy it saves nearly all of the building: packages that do not depend on the broken one are
# taken from the build cache, whose keys hold the paths of the sources.
#
# The same test is first run without the break, once for each package and pattern, and must pass. A mutant
# is killed only if a test of its promise then fails: one that survives, does not apply, does not build,
# panics outside its test or hangs ends in an exit status of 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

root=$PWD
usage() {
	sed -n '5,11s/^# \{0,1\}//p' .ci/mutants.sh >&2
	exit 2
}

list_only=
if [[ ${1:-} == list ]]; then
	list_only=1
	shift
fi
mapfile -t every < <(cd testdata/mutants && printf '%s\n' [0-9][0-9]-*.patch | LC_ALL=C sort)
patches=()
case ${1:-all} in
all) patches=("${every[@]}") ;;
third)
	seed=${2:-$(($(date +%s) / 86400))}
	[[ $seed =~ ^[0-9]{1,18}$ ]] || usage
	for i in "${!every[@]}"; do
		if ((i % 3 == 10#$seed % 3)); then
			patches+=("${every[i]}")
		fi
	done
	;;
[0-9][0-9])
	for number in "$@"; do
		[[ $number =~ ^[0-9][0-9]$ ]] || usage
		for patch in "${every[@]}"; do
			if [[ $patch == "$number"-* ]]; then
				patches+=("$patch")
			fi
		done
	done
	;;
*) usage ;;
esac
if [[ -n $list_only ]]; then
	printf '%s\n' "${patches[@]}"
	exit
fi
if ((${#patches[@]} == 0)); then
	echo "no mutants" >&2
	exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Outside of any repository, git apply takes the paths of a patch as they are.
export GIT_CEILING_DIRECTORIES=$scratch

# run_tests OUT PACKAGE PATTERN [FLAG...] runs the package's tests that match. vet has its own step.
run_tests() {
	local out=$1 package=$2 pattern=$3
	shift 3
	go test "$@" -count=1 -vet=off -timeout=5m -run "$pattern" "$package" >"$out" 2>&1
}

declare -A passes
# passes_whole PACKAGE PATTERN succeeds if there are tests that match, and they pass on the tree as it is.
passes_whole() {
	local key="$1 $2"
	if [[ -z ${passes[$key]:-} ]]; then
		passes[$key]=no
		if run_tests "$scratch/out" "$1" "$2" && ! grep -q 'no tests to run' "$scratch/out"; then
			passes[$key]=yes
		else
			tail -n 40 "$scratch/out"
		fi
	fi
	[[ ${passes[$key]} == yes ]]
}

# overlay PATCH WORK writes the touched files, patched, below WORK and the overlay file beside them.
overlay() {
	local patch=$1 work=$2 file comma=
	local -a files
	mapfile -t files < <(git apply --numstat "$patch" | cut -f 3)
	if ((${#files[@]} == 0)); then
		return 1
	fi
	for file in "${files[@]}"; do
		mkdir -p "$work/$(dirname "$file")"
		cp "$file" "$work/$file" || return 1
	done
	(cd "$work" && git apply "$patch") || return 1
	{
		printf '{"Replace":{'
		for file in "${files[@]}"; do
			printf '%s"%s":"%s"' "$comma" "$root/$file" "$work/$file"
			comma=,
		done
		printf '}}\n'
	} >"$work/overlay.json"
}

# try PATCH PACKAGE PATTERN WORK says in result what became of the mutant, and in failed which test failed.
try() {
	local patch=$1 package=$2 pattern=$3 work=$4 out=$4/out
	failed=-
	if ! passes_whole "$package" "$pattern"; then
		result='FAILS WITHOUT THE BREAK'
	elif ! overlay "$root/testdata/mutants/$patch" "$work"; then
		result='DOES NOT APPLY'
	elif run_tests "$out" "$package" "$pattern" -overlay "$work/overlay.json"; then
		result=SURVIVED
	elif grep -qE '\[(build|setup) failed\]' "$out"; then
		result='DOES NOT BUILD'
	elif grep -q '^panic: test timed out' "$out"; then
		result=HANGS
	elif ! grep -qE '^--- FAIL: TestPromise' "$out"; then
		result='FAILS OUTSIDE THE TEST'
	else
		result=killed
		# The first test that failed with no failed one below it, and how many more there are.
		failed=$(sed -n 's/^ *--- FAIL: \([^ ]*\) .*/\1/p' "$out" | LC_ALL=C sort -u | awk '
			NR > 1 && index($0, last "/") != 1 { leaves[++n] = last }
			{ last = $0 }
			END { leaves[++n] = last; printf "%s", leaves[1]; if (n > 1) printf " and %d more", n - 1 }')
	fi
	if [[ $result != killed && -f $out ]]; then
		tail -n 40 "$out"
	fi
}

echo "${#patches[@]} of ${#every[@]} mutants${seed:+, seed $seed}"
echo
echo '| mutant | promise | package | test that failed | s | |'
echo '|---|---|---|---|---:|---|'
bad=0
for patch in "${patches[@]}"; do
	number=${patch%%-*}
	package=$(sed -n 's/^# tests: *//p' "testdata/mutants/$patch")
	pattern="^$(sed -n 's/^# run: *//p' "testdata/mutants/$patch")"
	if [[ $pattern == '^' ]]; then
		pattern="^TestPromise$number"
	fi
	begun=$(date +%s%N)
	work=$scratch/${patch%.patch}
	mkdir "$work"
	try "$patch" "$package" "$pattern" "$work"
	took=$((($(date +%s%N) - begun) / 100000000))
	printf '| %s | %d | %s | %s | %d.%d | %s |\n' "${patch%.patch}" "$((10#$number))" "${package#./}" "$failed" $((took / 10)) $((took % 10)) "$result"
	if [[ $result != killed ]]; then
		bad=$((bad + 1))
	fi
	rm -rf "$work"
done
echo
echo "${#patches[@]} mutants, $((${#patches[@]} - bad)) killed, $bad not; $SECONDS s"
((bad == 0))
