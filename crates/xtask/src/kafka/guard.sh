# Runs a broker for as long as standard input stays open. The kernel closes a pipe whatever way its writer dies, so that a
# broker never outlives its starter.
#
# Usage: sh -c THIS guard SECONDS LOG COMMAND...
# Prints the process id of COMMAND first, then what COMMAND prints. At the end of input COMMAND has SECONDS to end.
tenths=$(($1 * 10))
log=$2
shift 2
"$@" </dev/null 2>>"$log" &
broker=$!
echo "$broker"
# From here on the broker alone holds the output open, so that its death closes it.
exec >&- 2>&-
read -r _
kill -TERM "$broker"
# One that was stopped hears nothing before it goes on.
kill -CONT "$broker"
while [ "$tenths" -gt 0 ] && kill -0 "$broker"; do
    tenths=$((tenths - 1))
    sleep 0.1
done
kill -KILL "$broker"
wait "$broker"
