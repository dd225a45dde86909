# Steps with their minutes; sourced by .ci/run.

step_names=()
step_minutes=()
step_results=()

# minutes SECONDS prints them as minutes with one decimal.
minutes() {
	awk -v s="$1" 'BEGIN { printf "%.1f", s / 60 }'
}

# step NAME COMMAND... runs the command and notes how long it took and whether it failed.
step() {
	local name=$1 start=$SECONDS result=ok
	shift
	printf '\n=== %s: %s\n' "$name" "$*"
	"$@" || result=FAILED
	step_names+=("$name")
	step_minutes+=("$(minutes $((SECONDS - start)))")
	step_results+=("$result")
	printf '=== %s: %s, %s min\n' "$name" "$result" "${step_minutes[-1]}"
}

# report prints all steps and fails if one of them did.
report() {
	local i failed=0
	printf '\n=== minutes\n'
	for i in "${!step_names[@]}"; do
		printf '%6s  %-16s %s\n' "${step_minutes[i]}" "${step_names[i]}" "${step_results[i]}"
		if [[ ${step_results[i]} != ok ]]; then
			failed=1
		fi
	done
	printf '%6s  %s\n' "$(minutes "$SECONDS")" total
	return "$failed"
}
